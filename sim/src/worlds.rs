//! The worlds by name: what runs a scenario.

use std::fmt;

use quorate_core::Node;

use crate::options::Options;
use crate::report::Report;
use crate::runner;
use crate::scenario::Scenario;

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum World {
    /// The core alone, on a heap of events.
    #[default]
    Lockstep,
    /// The shell as it ships, on simulated machines.
    #[cfg(feature = "world")]
    Shell,
}

impl World {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Lockstep,
        #[cfg(feature = "world")]
        Self::Shell,
    ];

    /// The name by which it is chosen and written down.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lockstep => "lockstep",
            #[cfg(feature = "world")]
            Self::Shell => "world",
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

    /// The options that belong to `seed` in it.
    pub fn options(self, seed: u64) -> Options {
        match self {
            Self::Lockstep => Options::draw(seed),
            #[cfg(feature = "world")]
            Self::Shell => Options::draw(seed).for_world(),
        }
    }

    /// What `seed` means in it.
    pub fn scenario(self, seed: u64) -> Scenario {
        Scenario::with(seed, self.options(seed))
    }

    /// The same, with the options changed that the environment names.
    ///
    /// # Errors
    /// A value that is no number.
    pub fn scenario_from_environment(self, seed: u64) -> Result<Scenario, String> {
        let mut options = self.options(seed);
        options.set_from_environment()?;
        Ok(Scenario::with(seed, options))
    }

    /// Runs a scenario in it, recorded if `record`.
    pub fn run(self, scenario: &Scenario, record: bool) -> Report {
        match self {
            Self::Lockstep => runner::run::<Node>(scenario, record),
            #[cfg(feature = "world")]
            Self::Shell => crate::world::run(scenario, record),
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
