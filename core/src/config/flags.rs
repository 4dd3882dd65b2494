//! The flags, one entry each: those of etcd 2.0 to 2.3, and a few of our own.

mod clustering;
mod deprecated;
mod limits;
mod member;
mod rest;

pub use clustering::CLUSTERING;
pub use deprecated::DEPRECATED;
pub use limits::LIMITS;
pub use member::MEMBER;
pub use rest::{LOGGING, PROGRAM, PROXY, SECURITY, UNSAFE};

use super::flag::{Flag, Group};

/// All flags of a member, by the heading under which the help lists them.
pub const FLAGS: [(Group, &[Flag]); 9] = [
    (Group::Member, MEMBER),
    (Group::Clustering, CLUSTERING),
    (Group::Proxy, PROXY),
    (Group::Security, SECURITY),
    (Group::Limits, LIMITS),
    (Group::Logging, LOGGING),
    (Group::Unsafe, UNSAFE),
    (Group::Deprecated, DEPRECATED),
    (Group::Program, PROGRAM),
];

/// All flags of a member, in the order of the help.
pub fn all() -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().flat_map(|(_, flags)| flags.iter())
}

/// The flag of this name.
pub fn find(name: &str) -> Option<&'static Flag> {
    all().find(|flag| flag.name == name)
}
