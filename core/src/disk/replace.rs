//! Replacing a small file as a whole.
//!
//! The new content goes to a temporary file, and only when that is durable does it get the name.
//! A rename in the same breath as the sync would not do: where the sync fails, the name may stay
//! and the content not.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::sync::Arc;

use bytes::Bytes;

use super::{Op, Script, Ticket};

/// A file on its way to a new content. Begun by [`Replace::begin`], it has to be told of every
/// operation that succeeds; one that fails ends it, and leaves the old content or the new.
#[derive(Debug)]
pub struct Replace {
    path: Arc<str>,
    temporary: Arc<str>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The content is made durable under the temporary name.
    Content(Ticket),
    /// The name is made durable.
    Name(BTreeSet<Ticket>),
}

impl Replace {
    /// Writes `content` to a temporary file beside `path`. Directories are made.
    pub fn begin(path: &str, content: Bytes, script: &mut Script) -> Self {
        let temporary: Arc<str> = Arc::from(format!("{path}.tmp"));
        let (file, ticket) = (script.file(), script.ticket());
        if let Some((dir, _)) = path.rsplit_once('/') {
            script.push(Op::MakeDir { path: dir.into() });
        }
        script.push(Op::Remove { path: temporary.clone() });
        script.push(Op::Create { file, path: temporary.clone() });
        script.push(Op::Write { file, at: 0, bytes: content });
        script.push(Op::Sync { file, ticket });
        script.push(Op::Close { file });
        Self { path: path.into(), temporary, step: Step::Content(ticket) }
    }

    /// An operation was carried out. Gives whether the new content is durable under its name.
    pub fn done(&mut self, ticket: Ticket, script: &mut Script) -> bool {
        match &mut self.step {
            Step::Content(synced) if *synced == ticket => {
                self.step = Step::Name(self.rename(script));
                false
            }
            Step::Name(waiting) => waiting.remove(&ticket) && waiting.is_empty(),
            Step::Content(_) => false,
        }
    }

    /// Whether the operation is one of this replacement.
    pub fn owns(&self, ticket: Ticket) -> bool {
        match &self.step {
            Step::Content(synced) => *synced == ticket,
            Step::Name(waiting) => waiting.contains(&ticket),
        }
    }

    fn rename(&self, script: &mut Script) -> BTreeSet<Ticket> {
        script.push(Op::Rename { from: self.temporary.clone(), to: self.path.clone() });
        let mut path = &*self.path;
        let mut waiting = BTreeSet::new();
        while !path.is_empty() {
            path = path.rsplit_once('/').map_or("", |(dir, _)| dir);
            let ticket = script.ticket();
            script.push(Op::SyncDir { path: path.into(), ticket });
            waiting.insert(ticket);
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn ticket(op: &Op) -> Option<Ticket> {
        match op {
            Op::Sync { ticket, .. } | Op::SyncDir { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }

    #[test]
    fn the_name_waits_for_the_content_and_the_end_for_every_directory() {
        let mut script = Script::default();
        let mut replace = Replace::begin("a/b/c", Bytes::from_static(b"new"), &mut script);
        let content: Vec<Op> = script.drain().collect();
        assert!(!content.iter().any(|op| matches!(op, Op::Rename { .. })), "{content:?}");
        let synced = content.iter().find_map(ticket).unwrap();
        assert!(!replace.done(Ticket(99), &mut script));
        assert_eq!(script.drain().count(), 0, "nothing follows from the end of something else");

        assert!(!replace.done(synced, &mut script));
        let name: Vec<Op> = script.drain().collect();
        assert!(matches!(&name[0], Op::Rename { to, .. } if &**to == "a/b/c"), "{name:?}");
        let dirs: Vec<&str> = name
            .iter()
            .filter_map(|op| if let Op::SyncDir { path, .. } = op { Some(&**path) } else { None })
            .collect();
        assert_eq!(dirs, ["a/b", "a", ""]);
        let ends: Vec<bool> = name
            .iter()
            .filter_map(ticket)
            .map(|ticket| replace.done(ticket, &mut script))
            .collect();
        assert_eq!(ends, [false, false, true]);
        assert!(!replace.done(synced, &mut script), "an answer that comes twice ends nothing");
    }
}
