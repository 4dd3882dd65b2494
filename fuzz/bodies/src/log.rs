//! A segment of the write-ahead log, as a disk may give it back.

use bytes::Bytes;
use quorate_core::disk::DirEntry;
use quorate_core::wal::Replay;

use crate::explained;
use crate::memory::bounded;

/// The first 16 bytes say under which name the rest is found.
pub fn run(input: &[u8]) {
    let Some((name, rest)) = input.split_at_checked(16) else { return };
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let name = format!("{:016x}-{:016x}.wal", number(&name[..8]), number(&name[8..]));
    let bytes = Bytes::copy_from_slice(rest);
    let listing = [DirEntry { name, is_dir: false, len: bytes.len() as u64 }];
    let read = bounded(input.len(), || {
        let mut replay = Replay::new(&listing)?;
        while replay.next_file().is_some() {
            replay.feed(&bytes)?;
        }
        replay.finish()
    });
    match read {
        Err(refusal) => explained(&refusal),
        Ok(None) => {}
        Ok(Some(log)) => {
            let indexes: Vec<u64> = log.entries.iter().map(|entry| entry.index).collect();
            let expected = (1..).map(|n| log.base.index + n).take(indexes.len());
            assert!(expected.eq(indexes.iter().copied()), "one entry after the other: {indexes:?}");
            assert!(log.entries.is_sorted_by_key(|entry| entry.term), "terms do not go back");
        }
    }
}
