//! The flags, one entry each.

/// A flag that takes a value.
#[derive(Debug)]
pub(crate) struct Flag {
    /// The name without dashes.
    pub(crate) name: &'static str,
    /// What its value is called in the help.
    pub(crate) value: &'static str,
    /// The heading in the help.
    pub(crate) group: Group,
    /// One sentence, and the default.
    pub(crate) help: &'static str,
}

/// The headings of the help, in etcd's division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// About this member.
    Member,
    /// About the cluster and how it is formed.
    Clustering,
    /// About the log.
    Logging,
    /// About `quorate dev`.
    Dev,
}

impl Group {
    /// The heading.
    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Member => "Member flags",
            Self::Clustering => "Clustering flags",
            Self::Logging => "Logging flags",
            Self::Dev => "Flags of 'quorate dev'",
        }
    }
}

impl Flag {
    /// The environment variable that stands for the flag: `ETCD_INITIAL_CLUSTER`.
    pub(crate) fn variable(&self) -> String {
        format!("ETCD_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }
}

/// The flags of a member.
pub(crate) const SERVE_FLAGS: &[&[Flag]] = &[MEMBER, CLUSTERING, LOGGING];
/// The flags of `quorate dev`.
pub(crate) const DEV_FLAGS: &[&[Flag]] = &[DEV, LOGGING];

const MEMBER: &[Flag] = &[
    Flag {
        name: "name",
        value: "NAME",
        group: Group::Member,
        help: "Human-readable name of this member. Default: default",
    },
    Flag {
        name: "data-dir",
        value: "DIR",
        group: Group::Member,
        help: "Data directory. Default: NAME.quorate",
    },
    Flag {
        name: "listen-peer-urls",
        value: "URLS",
        group: Group::Member,
        help: "Where to listen for other members, separated by commas. \
               Default: http://localhost:2380",
    },
    Flag {
        name: "listen-client-urls",
        value: "URLS",
        group: Group::Member,
        help: "Where to listen for clients, separated by commas; demands \
               -advertise-client-urls. Default: http://localhost:2379",
    },
    Flag {
        name: "heartbeat-interval",
        value: "MS",
        group: Group::Member,
        help: "Milliseconds between two heartbeats of the leader. Default: 100",
    },
    Flag {
        name: "election-timeout",
        value: "MS",
        group: Group::Member,
        help: "Milliseconds without a leader after which a member campaigns; at least five \
               heartbeats. Default: 1000",
    },
    Flag {
        name: "snapshot-count",
        value: "N",
        group: Group::Member,
        help: "Applied entries between two snapshots. Default: 10000",
    },
];

const CLUSTERING: &[Flag] = &[
    Flag {
        name: "initial-advertise-peer-urls",
        value: "URLS",
        group: Group::Clustering,
        help: "Where the other members reach this one. Default: http://localhost:2380",
    },
    Flag {
        name: "advertise-client-urls",
        value: "URLS",
        group: Group::Clustering,
        help: "Where clients reach this member. Default: http://localhost:2379",
    },
    Flag {
        name: "initial-cluster",
        value: "NAME=URL,...",
        group: Group::Clustering,
        help: "The members that form the cluster, this one among them; ignored once the data \
               directory holds a member. Default: NAME=http://localhost:2380",
    },
    Flag {
        name: "initial-cluster-state",
        value: "STATE",
        group: Group::Clustering,
        help: "'new' to form a cluster, 'existing' to join one that runs. Default: new",
    },
    Flag {
        name: "initial-cluster-token",
        value: "TOKEN",
        group: Group::Clustering,
        help: "Tells clusters apart that have the same member list. Default: etcd-cluster",
    },
    Flag {
        name: "initial-cluster-form",
        value: "FORM",
        group: Group::Clustering,
        help: "'unanimous' forms the cluster once every listed member has answered, 'majority' \
               waits for nobody. Default: unanimous",
    },
];

const LOGGING: &[Flag] = &[Flag {
    name: "log-format",
    value: "FORMAT",
    group: Group::Logging,
    help: "'text' or 'json', one object a line. Default: text",
}];

const DEV: &[Flag] = &[Flag {
    name: "dir",
    value: "DIR",
    group: Group::Dev,
    help: "Where the three members keep their data. Default: quorate-dev",
}];
