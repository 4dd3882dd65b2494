//! Which snapshot a member starts from.

use alloc::format;
use alloc::vec::Vec;

use super::path;
use crate::error::Refusal;
use crate::raft::{LogId, Snapshot};

/// What a member starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The snapshot; `None` where the log holds everything from the first entry on.
    pub snapshot: Option<Snapshot>,
    /// Newer snapshots that the log names and that cannot be read. To be reported.
    pub skipped: Vec<LogId>,
}

/// Chooses the newest snapshot that the log names, that can be read, and to which the log still
/// reaches back. `base` and `marks` are those of [`Recovered`](crate::wal::Recovered), `readable`
/// the snapshots that were decoded and belong to this member. There is no need to read an older
/// file where a newer one with a mark is sound.
///
/// # Errors
/// If there is none, and the log does not begin at the first entry.
pub fn choose(
    base: LogId,
    marks: &[LogId],
    mut readable: Vec<Snapshot>,
) -> Result<Choice, Refusal> {
    let mut skipped = Vec::new();
    for mark in marks.iter().rev() {
        if mark.index < base.index {
            break;
        }
        if let Some(at) = readable.iter().position(|snapshot| snapshot.last == *mark) {
            return Ok(Choice { snapshot: Some(readable.swap_remove(at)), skipped });
        }
        skipped.push(*mark);
    }
    if base.index == 0 {
        return Ok(Choice { snapshot: None, skipped });
    }
    let mut refusal = Refusal::new(format!(
        "the log begins behind entry {}, and no snapshot up to there can be read",
        base.index
    ));
    for id in skipped {
        refusal = refusal.hint(format!("{} is missing or damaged", path(id, "snap")));
    }
    Err(refusal.of_data())
}
