//! The worlds by name: what runs a scenario.

use std::fmt;

use quorate_core::Node;

use crate::report::Report;
use crate::runner;
use crate::scenario::Scenario;

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum World {
    /// The core alone, on a heap of events.
    #[default]
    Lockstep,
}

impl World {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Lockstep];

    /// The name by which it is chosen and written down.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lockstep => "lockstep",
        }
    }

    /// The world of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(name: &str) -> Result<Self, String> {
        let all = Self::ALL.iter().copied();
        all.clone().find(|world| world.name() == name).ok_or_else(|| {
            let names: Vec<&str> = all.map(Self::name).collect();
            format!("there is no world {name:?}, but {}", names.join(", "))
        })
    }

    /// Runs a scenario in it, recorded if `record`.
    pub fn run(self, scenario: &Scenario, record: bool) -> Report {
        match self {
            Self::Lockstep => runner::run::<Node>(scenario, record),
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
