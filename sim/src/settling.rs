//! Whether a healthy quorum has come to rest.

/// Where a member of the quorum stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) host: usize,
    pub(crate) runs: bool,
    pub(crate) leads: bool,
    /// Whether it answers plain reads.
    pub(crate) reads: bool,
    /// The last index that it has applied, and shows.
    pub(crate) applied: u64,
}

/// What is still missing, in words. `progress` says whether a write was acknowledged since the
/// faults have ended, `waits` whether a client waits for its answer; `last` is the last index that
/// is committed.
pub(crate) fn unsettled(
    quorum: &[Standing],
    progress: bool,
    waits: bool,
    last: u64,
) -> Option<String> {
    let applied: Vec<u64> = quorum.iter().map(|standing| standing.applied).collect();
    for Standing { host, runs, reads, .. } in quorum {
        if !runs {
            return Some(format!("node {host} does not run"));
        }
        if !reads {
            return Some(format!("node {host} refuses plain reads; applied are {applied:?}"));
        }
    }
    let leaders = quorum.iter().filter(|standing| standing.leads).count();
    if leaders != 1 {
        return Some(format!("{leaders} of them lead; applied are {applied:?}"));
    }
    if !progress {
        return Some(format!("no write was acknowledged; applied are {applied:?}"));
    }
    if waits {
        return Some("a client waits for its answer".to_owned());
    }
    let behind = applied.iter().any(|index| *index != last);
    behind.then(|| format!("applied are {applied:?} of {last}"))
}

/// Healthy members that have no vote yet, in words.
pub(crate) fn unpromoted(learners: &[usize]) -> Option<String> {
    (!learners.is_empty()).then(|| format!("{learners:?} are healthy, and have no vote"))
}
