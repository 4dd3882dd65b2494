//! One file: its content, and which part of it is durable.

use bytes::Bytes;

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

/// A file. The content that the process sees is the durable content plus all that is pending.
#[derive(Debug, Default)]
pub(super) struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

/// Writes into memory; a hole reads as zero.
fn put(content: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = at as usize;
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

impl File {
    pub(super) fn len(&self) -> u64 {
        self.content.len() as u64
    }

    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    pub(super) fn write(&mut self, write: Write) {
        put(&mut self.content, write.at, &write.bytes);
        self.pending.push(Pending::Write(write));
    }

    /// Lengthens the file with zeros.
    pub(super) fn extend(&mut self, len: u64) {
        self.content.resize(len as usize, 0);
        self.pending.push(Pending::Len(len));
    }

    pub(super) fn truncate(&mut self, len: u64) {
        self.content.resize(len as usize, 0);
        self.pending.push(Pending::Len(len));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &change);
        }
    }

    /// A failed sync: a part of what is pending reaches the disk, the rest never will, though the
    /// process still reads it.
    pub(super) fn forget_pending(&mut self, chance: &mut Chance) {
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
                    put(&mut self.durable, write.at, &write.bytes[..cut]);
                    tears += 1;
                }
                change => apply(&mut self.durable, change),
            }
        }
        self.content.clone_from(&self.durable);
        ((total - kept.len()) as u64, tears)
    }
}

fn apply(durable: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::Write(write) => put(durable, write.at, &write.bytes),
        Pending::Len(len) => durable.resize(*len as usize, 0),
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
