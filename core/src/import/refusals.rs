//! Why a data directory of etcd is not taken over. Nothing was written to then.

use alloc::format;
use alloc::string::String;

use crate::error::Refusal;

const UNTOUCHED: &str = "nothing in etcd's directory was touched, and nothing was imported";

fn refusal(message: String) -> Refusal {
    Refusal::new(message).hint(UNTOUCHED)
}

pub(super) fn no_log() -> Refusal {
    refusal("there is no log of etcd in the directory".into()).hint(
        "it has to be the data directory of a member of etcd 2.0 to 3.4, with member/wal or wal in it; \
         one of 0.4 has to be upgraded by etcd 2 first",
    )
}

pub(super) fn gap(before: &str, after: &str) -> Refusal {
    refusal(format!("a segment of etcd's log is missing between {before} and {after}"))
        .hint("take over another member, or bring back a sound copy of this one")
}

pub(super) fn damaged(file: &str, at: usize, cause: &str) -> Refusal {
    refusal(format!("etcd's log is damaged: {file} at offset {at}: {cause}"))
        .hint("a crash cannot do this; take over another member, or a sound copy of this one")
}

pub(super) fn no_owner() -> Refusal {
    refusal("etcd's log does not say whose it is".into())
        .hint("its member was cut off at its very first start: there is nothing to take over")
}

pub(super) fn hole(base: u64, first: u64, unreadable: &[String]) -> Refusal {
    let refusal = refusal(format!(
        "etcd's log begins with entry {first}, and the newest snapshot that can be relied on ends \
         with entry {base}"
    ));
    let refusal =
        unreadable.iter().fold(refusal, |refusal, name| refusal.hint(format!("{name} is damaged")));
    refusal.hint("take over another member, or bring back a sound copy of this one")
}

pub(super) fn short(commit: u64, last: u64) -> Refusal {
    refusal(format!("etcd's log ends with entry {last}, and entry {commit} was committed"))
        .hint("a part of it is lost; take over another member, or a sound copy of this one")
}

pub(super) fn foreign(index: u64, cause: &str) -> Refusal {
    refusal(format!("entry {index} of etcd's log cannot be carried out: {cause}"))
        .hint("only what was written with the v2 API can be taken over")
        .hint(
            "if the v3 keys may be lost: let etcd make a snapshot behind that entry \
             (-snapshot-count), and take over what is left",
        )
}
