//! The flags as they were given.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

/// The values of the flags as text, each with where it was given. That a value was given at all
/// matters: an explicit `-listen-client-urls` demands an explicit `-advertise-client-urls`, even if
/// it repeats the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    given: BTreeMap<String, Given>,
    etcd_dir: Option<String>,
}

/// A value that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// As it was written.
    pub text: String,
    /// Where it was written.
    pub source: Source,
}

/// Where a value was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    Flag,
    /// In the environment.
    Environment,
}

impl Settings {
    /// Nothing was given.
    pub const fn new() -> Self {
        Self { given: BTreeMap::new(), etcd_dir: None }
    }

    /// The same settings with `value` for `flag` (without dashes), as if it stood on the command
    /// line.
    #[must_use]
    pub fn flag(mut self, flag: &str, value: impl Into<String>) -> Self {
        self.set(flag, Given { text: value.into(), source: Source::Flag });
        self
    }

    /// Takes a value. The last one counts.
    pub fn set(&mut self, flag: &str, given: Given) {
        self.given.insert(flag.into(), given);
    }

    /// What was given for a flag.
    pub fn given(&self, flag: &str) -> Option<&Given> {
        self.given.get(flag)
    }

    /// The text that was given for a flag.
    pub fn text(&self, flag: &str) -> Option<&str> {
        self.given(flag).map(|given| given.text.as_str())
    }

    /// All flags that were given, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Given)> {
        self.given.iter().map(|(flag, given)| (flag.as_str(), given))
    }

    /// The directory that etcd would use under this name, as long as no data directory is given:
    /// whoever changes from etcd to Quorate and says nothing else may mean that one. The shell
    /// looks whether it is there.
    pub fn etcd_dir(&self) -> Option<String> {
        let given = self.text("data-dir").is_some_and(|dir| !dir.is_empty());
        (!given).then(|| format!("{}.etcd", self.value("name")))
    }

    /// Takes note that the directory of [`Settings::etcd_dir`] is there.
    pub fn etcd_dir_found(&mut self, dir: String) {
        self.etcd_dir = Some(dir);
    }

    pub(super) fn take_etcd_dir(&mut self) -> Option<String> {
        self.etcd_dir.take()
    }

    /// Only the flags for which `keep` holds.
    pub(super) fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.given.retain(|flag, _| keep(flag));
        self
    }
}

/// The variable in the environment that stands for a flag: `ETCD_INITIAL_CLUSTER`.
pub fn variable(flag: &str) -> String {
    format!("ETCD_{}", flag.to_ascii_uppercase().replace('-', "_"))
}

/// A value as a person has written it: `-name` or `ETCD_NAME`.
pub(super) fn written(flag: &str, source: Source) -> String {
    match source {
        Source::Flag => format!("-{flag}"),
        Source::Environment => variable(flag),
    }
}
