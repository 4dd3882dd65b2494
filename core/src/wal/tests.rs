//! The log on a disk that crashes.

mod crash;
mod damage;
mod golden;
mod room;
mod world;

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Owner, Recovered, Replay};
use crate::disk::DirEntry;
use crate::error::Refusal;
use crate::id::{ClusterId, MemberId};
use crate::raft::{Entry, EntryKind};

const OWNER: Owner = Owner { member: MemberId(0xa1), cluster: ClusterId(0xc1) };

fn entry(term: u64, index: u64, data: &[u8]) -> Entry {
    let kind = if index == 1 { EntryKind::ConfChange } else { EntryKind::Normal };
    Entry { term, index, kind, data: Bytes::copy_from_slice(data) }
}

fn replay(files: &[(String, Bytes)]) -> Result<Option<Recovered>, Refusal> {
    let listing: Vec<DirEntry> = files
        .iter()
        .map(|(name, bytes)| DirEntry {
            name: name.clone(),
            is_dir: false,
            len: bytes.len() as u64,
        })
        .collect();
    let mut replay = Replay::new(&listing)?;
    while let Some(path) = replay.next_file() {
        let name = path.strip_prefix("quorate/wal/").unwrap();
        replay.feed(&files.iter().find(|(file, _)| file == name).unwrap().1)?;
    }
    replay.finish()
}
