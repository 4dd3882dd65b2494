//! What is known of one flag.
//!
//! Everything about a flag stands in one place: the command line, the environment, the checks, the
//! help, the completions, the manual page and `-print-config` all read the same definition.

use super::grammar::Grammar;

/// A flag of the command line.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The name without dashes.
    pub name: &'static str,
    /// What its value is called in the help. Empty for a boolean flag, whose value stands behind
    /// `=` or is left away.
    pub value: &'static str,
    /// What a value has to look like.
    pub grammar: Grammar,
    /// The value where none is given. Empty where there is none, or it follows from other flags;
    /// then the help says how.
    pub default: &'static str,
    /// One sentence without the default.
    pub help: &'static str,
    /// When the flag counts.
    pub scope: Scope,
}

/// When a flag counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// At every start.
    Always,
    /// Only as long as the data directory holds no member. Then it is judged; afterwards it is
    /// ignored, however malformed it is.
    FirstStart,
    /// It belongs to a feature that this version does not have. Its `inert` values ask for nothing,
    /// and are taken.
    Missing {
        /// The feature.
        feature: &'static str,
        /// The values that ask for nothing.
        inert: &'static [&'static str],
    },
    /// It asks for something of which there is nothing here, and that nobody's data depends on. It is
    /// judged, and whoever asks is told.
    NoEffect {
        /// What there is nothing of.
        why: &'static str,
    },
    /// A flag of 0.4 that means nothing since 2.0.
    Ignored,
    /// A flag of 0.4 whose users have to say something else since 2.0.
    Gone,
    /// It asks the program for something else than a start, and has no variable in the environment.
    Program,
}

/// The headings under which the help lists the flags: etcd's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// About this member.
    Member,
    /// About the cluster and how it is formed.
    Clustering,
    /// About running as a proxy.
    Proxy,
    /// About TLS.
    Security,
    /// About how much clients may take.
    Limits,
    /// About the log.
    Logging,
    /// About what can destroy a cluster.
    Unsafe,
    /// The flags of 0.4.
    Deprecated,
    /// About the program itself.
    Program,
}

impl Group {
    /// The heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Member => "Member flags",
            Self::Clustering => "Clustering flags",
            Self::Proxy => "Proxy flags",
            Self::Security => "Security flags",
            Self::Limits => "Limits",
            Self::Logging => "Logging flags",
            Self::Unsafe => "Unsafe flags",
            Self::Deprecated => "Deprecated flags of 0.4",
            Self::Program => "Other flags",
        }
    }
}

impl Flag {
    /// A flag that counts at every start.
    pub const fn new(
        name: &'static str,
        value: &'static str,
        grammar: Grammar,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, value, grammar, default, help, scope: Scope::Always }
    }

    pub(super) const fn switch(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "", Grammar::Bool, "false", help)
    }

    pub(super) const fn of(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Whether its value is left away or stands behind `=`: the next argument is none.
    pub const fn is_switch(&self) -> bool {
        self.value.is_empty()
    }

    /// Whether `-name` alone means something: of a boolean flag it means `true`.
    pub fn bare_value(&self) -> Option<&'static str> {
        match self.grammar {
            _ if !self.is_switch() => None,
            Grammar::OneOf(words) => words.first().copied(),
            _ => Some("true"),
        }
    }
}
