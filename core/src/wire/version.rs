//! Versions, and what a member says it is.

use core::fmt;

use crate::raft::Release;

/// `major.minor.patch`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// What changes when nothing old works any more.
    pub major: u16,
    /// What changes with features.
    pub minor: u16,
    /// What changes with repairs.
    pub patch: u16,
}

/// What members say in the place of the cluster's version before one was decided.
pub const NOT_DECIDED: &str = "not_decided";

/// What a version is read as where none is said.
pub const UNSAID: Version = Version::new(2, 0, 0);

impl Version {
    /// The version `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `a.b.c`, with whatever a release may add after `-` or `+`.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next()?;
        let mut numbers = numbers.split('.').map(|number| {
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            if digits { number.parse().ok() } else { None }
        });
        let version = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }

    /// The version of which only major and minor count, as versions of clusters are.
    #[must_use]
    pub const fn without_patch(self) -> Self {
        Self::new(self.major, self.minor, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a member says it is, in headers and answers. One for all members of a cluster: no setting
/// fits both 2.3 and 3.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Personality {
    /// The version of the server.
    pub server: Version,
    /// The version of a cluster of such servers.
    pub cluster: Version,
    /// The lowest version of a cluster that such a server joins.
    pub min_cluster: Version,
}

impl Personality {
    /// Among etcd 3.4 members, and where all members are Quorate.
    pub const V3_4: Self = Self {
        server: Version::new(3, 4, 23),
        cluster: Version::new(3, 4, 0),
        min_cluster: Version::new(3, 0, 0),
    };

    /// Among etcd 2.3 members.
    pub const V2_3: Self = Self {
        server: Version::new(2, 3, 8),
        cluster: Version::new(2, 3, 0),
        min_cluster: Version::new(2, 2, 0),
    };

    /// Where nothing is known yet of the others: both understand it.
    pub const UNDECIDED: Self = Self { min_cluster: Self::V2_3.min_cluster, ..Self::V3_4 };

    /// Among members of etcd of this release.
    pub const fn among(release: Release) -> Self {
        match release {
            Release::V2_3 => Self::V2_3,
            Release::V3_4 => Self::V3_4,
        }
    }

    /// Whether such a member and a peer that says `server` and `min_cluster` understand each
    /// other. Patch versions do not count.
    pub fn accepts(&self, server: Version, min_cluster: Version) -> bool {
        server.without_patch() >= self.min_cluster.without_patch()
            && min_cluster.without_patch() <= self.server.without_patch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn versions_are_three_numbers() {
        assert_eq!(Version::parse("3.4.23"), Some(Version::new(3, 4, 23)));
        assert_eq!(Version::parse("2.1.0-alpha.0+git"), Some(Version::new(2, 1, 0)));
        for bad in ["", "3", "3.4", "3.4.", "3.4.x", "3.4.5.6", "v3.4.5", "+3.4.5", "3.-4.5"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
        assert_eq!(Version::new(3, 4, 0).to_string(), "3.4.0");
    }

    #[test]
    fn etcd_3_4_accepts_what_was_seen() {
        let accepts = |server, min| {
            let parse = |text| Version::parse(text).unwrap_or(UNSAID);
            Personality::V3_4.accepts(parse(server), parse(min))
        };
        assert!(accepts("3.0.0", "3.0.0"));
        assert!(accepts("3.5.9", "3.4.99"));
        assert!(!accepts("2.3.8", "2.2.0"));
        assert!(!accepts("3.4.0", "3.5.0"));
        assert!(!accepts("", ""));
        assert!(!Personality::V2_3.accepts(UNSAID, UNSAID));
        assert!(Personality::V2_3.accepts(Version::new(2, 2, 0), Version::new(2, 3, 0)));
        let both = Personality::UNDECIDED;
        for other in [Personality::V2_3, Personality::V3_4, both] {
            assert!(both.accepts(other.server, other.min_cluster));
            assert!(other.accepts(both.server, both.min_cluster));
        }
        let patched = Personality { min_cluster: Version::new(3, 0, 5), ..Personality::V3_4 };
        assert!(patched.accepts(Version::new(3, 0, 4), Version::new(3, 0, 0)));
    }
}
