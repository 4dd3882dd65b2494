//! A plain read shows the key as it was at the store index that comes with the answer.
//!
//! Together with monotonic reads this means: a value that was committed, and none older than what
//! the member has shown before.

use quorate_core::store::{Action, Code, Event};

use super::Violation;
use super::event_history::EventHistory;
use crate::machine::Shown;

const NAME: &str = "plain_reads";

/// How many changes are looked at to find the last one of a key.
const REACH: u64 = 2000;

/// A member answered a plain read of a file, or of a path where nothing is.
///
/// # Errors
/// If it shows anything but the last change of the key up to the index that it names.
pub fn read(
    node: usize,
    path: &str,
    shown: &Shown,
    history: &EventHistory,
) -> Result<(), Violation> {
    let index = shown.stamp.store_index;
    let end = match &shown.result {
        Ok(event) if event.node.dir => return Ok(()),
        Ok(event) => event.index,
        Err(error) if error.code == Code::KeyNotFound => error.index,
        Err(_) => return Ok(()),
    };
    if end != index {
        let detail = format!("an answer of index {end} under the index {index}");
        return Err(Violation::safety(NAME, node, detail).at(index));
    }
    if index > history.last() {
        let detail = format!("shows index {index}, the last change was {}", history.last());
        return Err(Violation::safety(NAME, node, detail).at(index));
    }
    let Last::Known(last) = last_change(path, index, history) else { return Ok(()) };
    let found = shown.result.as_ref().ok().map(|e| (e.node.modified_index, e.node.value.clone()));
    let expected = last
        .filter(|event| event.node.path == path && event.node.value.is_some())
        .map(|event| (event.node.modified_index, event.node.value.clone()));
    if found == expected {
        return Ok(());
    }
    let detail = format!("{path} is shown as {found:?}, it was {expected:?}");
    Err(Violation::safety(NAME, node, detail).at(index))
}

enum Last<'a> {
    Known(Option<&'a Event>),
    Unknown,
}

/// The last change of a path up to an index: its own, or the end of a directory above it.
fn last_change<'a>(path: &str, index: u64, history: &'a EventHistory) -> Last<'a> {
    for at in (index.saturating_sub(REACH) + 1..=index).rev() {
        let Some(event) = history.event(at) else { return Last::Unknown };
        let ended = matches!(event.action, Action::Delete | Action::Expire);
        let above = path.strip_prefix(&*event.node.path).is_some_and(|r| r.starts_with('/'));
        if event.node.path == path || ended && above {
            return Last::Known(Some(event));
        }
    }
    if index <= REACH { Last::Known(None) } else { Last::Unknown }
}

#[cfg(test)]
mod tests;
