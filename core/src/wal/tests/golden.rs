//! Format version 1 stays readable for ever.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{OWNER, entry, replay};
use crate::disk::double::Disk;
use crate::disk::{Op, Script};
use crate::id::MemberId;
use crate::raft::LogId;
use crate::wal::{Batch, HardState, MIN_SEGMENT_BYTES, Mark, Wal};

const GOLDEN: &str = include_str!("../../../tests/data/segment-v1.hex");
const NAME: &str = "0000000000000000-0000000000000008.wal";

fn golden() -> Bytes {
    let digits: Vec<char> = GOLDEN.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn written() -> Bytes {
    let start = HardState { term: 2, vote: Some(MemberId(0xb2)), commit: 7 };
    let (mut script, mut disk) = (Script::default(), Disk::default());
    let base = LogId { term: 2, index: 7 };
    let mut wal = Wal::create(OWNER, 42, MIN_SEGMENT_BYTES, start, base, &mut script);
    let entries = [entry(2, 8, b""), entry(2, 9, b"nine"), entry(2, 10, b"ten to go")];
    let batches = [
        Batch { entries: &entries, ..Batch::default() },
        Batch {
            hard_state: Some(HardState { term: 3, vote: None, commit: 8 }),
            entries: &[entry(3, 10, b"ten again")],
            mark: Some(Mark::Saved(LogId { term: 2, index: 8 })),
        },
        Batch { mark: Some(Mark::Installed(LogId { term: 3, index: 20 })), ..Batch::default() },
        Batch { entries: &[entry(4, 21, b"end")], ..Batch::default() },
    ];
    for batch in &batches {
        wal.append(batch, &mut script);
        loop {
            disk.take(&mut script);
            let dones = disk.finish();
            if dones.is_empty() {
                break;
            }
            for done in dones {
                wal.handle(&done, &mut script);
            }
        }
    }
    assert_eq!(script.drain().collect::<Vec<Op>>(), []);
    let file = disk.read(&format!("quorate/wal/{NAME}"));
    let len = file.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    file.slice(..len.next_multiple_of(8))
}

#[test]
fn version_1_is_read() {
    let mut found = replay(&[(NAME.into(), golden())]).unwrap().unwrap();
    assert_eq!(found.owner, OWNER);
    assert_eq!(found.hard_state, HardState { term: 3, vote: None, commit: 8 });
    assert_eq!(found.marks, [LogId { term: 3, index: 20 }]);
    assert_eq!(found.base, LogId { term: 3, index: 20 });
    assert_eq!(found.tail, None);
    assert_eq!(found.log_after(found.base).unwrap(), [entry(4, 21, b"end")]);
}

#[test]
fn version_1_is_written() {
    let hex: Vec<String> = written()
        .chunks(32)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect();
    assert_eq!(hex.concat(), GOLDEN);
}
