//! A segment of the write-ahead log, as a disk may give it back, and as nobody ever wrote it.

use bytes::Bytes;
use quorate_core::disk::DirEntry;
use quorate_core::wal::Replay;

use crate::explained;
use crate::memory::bounded;
use crate::seal::reseal;

/// The first 16 bytes say under which name the rest is found. It is read as it is, and again with
/// checksums that hold.
pub fn run(input: &[u8]) {
    let Some((name, rest)) = input.split_at_checked(16) else { return };
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let name = format!("{:016x}-{:016x}.wal", number(&name[..8]), number(&name[8..]));
    read(name.clone(), &Bytes::copy_from_slice(rest));
    let mut sealed = rest.to_vec();
    reseal(&mut sealed);
    read(name, &sealed.into());
}

fn read(name: String, bytes: &Bytes) {
    let listing = [DirEntry { name, is_dir: false, len: bytes.len() as u64 }];
    let read = bounded(bytes.len(), || {
        let mut replay = Replay::new(&listing)?;
        while replay.next_file().is_some() {
            replay.feed(bytes)?;
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
