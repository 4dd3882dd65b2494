//! One file: its content, and which part of it is durable.

use bytes::Bytes;

use super::content::Content;
use crate::chance::Chance;

/// A write that was not synced yet.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// Bytes from the start of the file.
    pub(super) at: u64,
    /// What to write.
    pub(super) bytes: Bytes,
}

#[derive(Clone, Debug)]
enum Pending {
    Write(Write),
    Len(u64),
}

/// A file. What the process sees is the durable content plus all that is pending; it is put
/// together when it is read, because files are written all the time and read at the start only.
#[derive(Debug, Default)]
pub(super) struct File {
    len: u64,
    durable: Content,
    pending: Vec<Pending>,
    /// Set by a failed sync: what the process goes on seeing, though it never reaches the disk.
    shown: Option<Content>,
}

impl File {
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// What the process reads.
    pub(super) fn content(&self) -> Vec<u8> {
        self.seen().into_bytes()
    }

    fn seen(&self) -> Content {
        let mut content = self.shown.as_ref().unwrap_or(&self.durable).clone();
        self.pending.iter().for_each(|change| apply(&mut content, change));
        content
    }

    pub(super) fn durable(&self) -> Vec<u8> {
        self.durable.clone().into_bytes()
    }

    pub(super) fn durable_copy(&self) -> Self {
        let durable = self.durable.clone();
        Self { len: durable.len(), durable, ..Self::default() }
    }

    /// Changes durable bytes, and with them what the process sees there. Says what `change` says.
    pub(super) fn damage(&mut self, change: impl FnOnce(&mut [u8]) -> bool) -> bool {
        let before = self.durable();
        let mut after = before.clone();
        let changed = change(&mut after);
        let differing = before.iter().zip(&after).enumerate().filter(|(_, (old, new))| old != new);
        for (at, (_, new)) in differing {
            self.durable.put(at as u64, &[*new]);
            if let Some(shown) = &mut self.shown {
                shown.put(at as u64, &[*new]);
            }
        }
        changed
    }

    pub(super) fn write(&mut self, write: Write) {
        self.len = self.len.max(write.at + write.bytes.len() as u64);
        self.pending.push(Pending::Write(write));
    }

    /// Lengthens the file with zeros, or cuts it.
    pub(super) fn resize(&mut self, len: u64) {
        self.len = len;
        self.pending.push(Pending::Len(len));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &change);
            if let Some(shown) = &mut self.shown {
                apply(shown, &change);
            }
        }
    }

    /// A failed sync: a part of what is pending reaches the disk, the rest never will, though the
    /// process still reads it.
    pub(super) fn forget_pending(&mut self, chance: &mut Chance) {
        self.shown = Some(self.seen());
        for change in std::mem::take(&mut self.pending) {
            if chance.coin() {
                apply(&mut self.durable, &change);
            }
        }
    }

    /// The power fails. Gives the writes that were dropped and torn.
    pub(super) fn crash(&mut self, chance: &mut Chance) -> (u64, u64) {
        let pending = std::mem::take(&mut self.pending);
        let total = pending.len();
        let mut kept = survivors(total, chance);
        let torn = (!kept.is_empty() && chance.coin()).then(|| kept[chance.index(kept.len())]);
        kept.sort_unstable();
        let mut tears = 0;
        for at in &kept {
            match &pending[*at] {
                Pending::Write(write) if Some(*at) == torn && write.bytes.len() > 1 => {
                    let cut = 1 + chance.index(write.bytes.len() - 1);
                    self.durable.put(write.at, &write.bytes[..cut]);
                    tears += 1;
                }
                change => apply(&mut self.durable, change),
            }
        }
        self.shown = None;
        self.len = self.durable.len();
        ((total - kept.len()) as u64, tears)
    }
}

fn apply(content: &mut Content, change: &Pending) {
    match change {
        Pending::Write(write) => content.put(write.at, &write.bytes),
        Pending::Len(len) => content.resize(*len),
    }
}

/// Which of `total` ordered changes survive a power loss: none, all, a prefix or any subset.
pub(super) fn survivors(total: usize, chance: &mut Chance) -> Vec<usize> {
    match chance.below(4) {
        0 => Vec::new(),
        1 => (0..chance.index(total + 1)).collect(),
        2 => (0..total).filter(|_| chance.coin()).collect(),
        _ => (0..total).collect(),
    }
}
