//! Snapshot files on a disk that crashes.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::{DIR, SaveEvent, Saver, Shelf, SnapError, candidates, choose, decode, encode};
use crate::disk::double::{Dice, Disk};
use crate::disk::{Op, Script};
use crate::id::{ClusterId, MemberId};
use crate::raft::{ConfState, LogId, Snapshot};
use crate::wal::Owner;

const OWNER: Owner = Owner { member: MemberId(0xa1), cluster: ClusterId(0xc1) };
const GOLDEN: &str = include_str!("../../tests/data/snapshot-v1.hex");

const fn id(term: u64, index: u64) -> LogId {
    LogId { term, index }
}

fn snapshot(last: LogId, data: &[u8]) -> Snapshot {
    let voters = vec![MemberId(0xa1), MemberId(0xb2)];
    let conf = ConfState { voters, learners: vec![MemberId(0xd4)] };
    Snapshot { last, conf, data: Bytes::copy_from_slice(data) }
}

/// Carries out what the script holds, up to `steps` operations; says how the saver fared.
fn run(saver: &mut Saver, script: &mut Script, disk: &mut Disk, steps: usize) -> Option<SaveEvent> {
    disk.take(script);
    for _ in 0..steps {
        for done in disk.step(false) {
            match saver.handle(&done, script) {
                SaveEvent::Progress => disk.take(script),
                event => {
                    disk.take(script);
                    return Some(event);
                }
            }
        }
    }
    None
}

fn save(disk: &mut Disk, snapshot: &Snapshot) -> SaveEvent {
    let mut script = Script::default();
    let mut saver = Saver::start(OWNER, snapshot, &mut script);
    let event = run(&mut saver, &mut script, disk, 1000).expect("a saver comes to an end");
    disk.finish();
    event
}

#[test]
fn version_1_is_read_and_written() {
    let digits: Vec<char> = GOLDEN.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    let golden: Bytes = digits.chunks(2).map(byte).collect();
    let expected = snapshot(id(3, 77), br#"{"Root":{}}"#);
    assert_eq!(decode(&golden), Ok((OWNER, expected.clone())));
    assert_eq!(encode(OWNER, &expected), golden);
}

#[test]
fn a_later_version_is_told_from_damage() {
    let mut file = encode(OWNER, &snapshot(id(1, 1), b"x")).to_vec();
    file[8] = 2;
    assert_eq!(decode(&file.clone().into()), Err(SnapError::Version(2)));
    file[0] = 0;
    assert_eq!(decode(&file.into()), Err(SnapError::Magic));
    assert_eq!(decode(&Bytes::new()), Err(SnapError::Damaged));
}

#[test]
fn a_saved_file_is_what_encode_makes() {
    let mut disk = Disk::default();
    for len in [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 7] {
        let data: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let snapshot = snapshot(id(2, len as u64), &data);
        assert_eq!(save(&mut disk, &snapshot), SaveEvent::Saved(snapshot.last));
        let path = format!("{DIR}/{:016x}-{len:016x}.snap", 2);
        assert!(disk.read(&path) == encode(OWNER, &snapshot));
    }
    let mut script = Script::default();
    Saver::start(OWNER, &snapshot(id(1, 1), &vec![1; 3 << 20]), &mut script);
    let long = |op: Op| matches!(op, Op::Write { bytes, .. } if bytes.len() > 1 << 20);
    assert!(!script.drain().any(long));
}

#[test]
fn a_crash_leaves_a_whole_file_or_none() {
    let data: Vec<u8> = (0..3000).map(|n| (n % 255) as u8 + 1).collect();
    let snapshot = snapshot(id(2, 9), &data);
    for steps in 0..16 {
        for seed in 1..40 {
            let (mut disk, mut script) = (Disk::default(), Script::default());
            let mut saver = Saver::start(OWNER, &snapshot, &mut script);
            let event = run(&mut saver, &mut script, &mut disk, steps);
            disk.crash(&mut Dice(seed));
            let found = candidates(&disk.list(DIR));
            if event.is_some() {
                assert_eq!(event, Some(SaveEvent::Saved(snapshot.last)));
                assert_eq!(found.len(), 1);
            }
            for candidate in found {
                assert_eq!(decode(&disk.read(&candidate.path)), Ok((OWNER, snapshot.clone())));
            }
            // What is left over is in nobody's way.
            assert_eq!(save(&mut disk, &snapshot), SaveEvent::Saved(snapshot.last));
            assert_eq!(disk.list(DIR).len(), 1);
        }
    }
}

#[test]
fn a_failure_removes_what_was_written_and_is_told() {
    let mut disk = Disk::default();
    disk.broken = true;
    let event = save(&mut disk, &snapshot(id(1, 5), b"data"));
    assert!(matches!(event, SaveEvent::Failed(_)), "{event:?}");
    assert_eq!(disk.list(DIR), []);
}

#[test]
fn three_marked_files_are_kept() {
    let mut disk = Disk::default();
    for index in 1..=6 {
        save(&mut disk, &snapshot(id(1, index), b"data"));
    }
    let left = |disk: &Disk| -> Vec<u64> {
        candidates(&disk.list(DIR)).iter().map(|candidate| candidate.id.index).collect()
    };
    let mut script = Script::default();
    let marks: Vec<LogId> = [1, 2, 3, 5].map(|index| id(1, index)).into();
    let mut shelf = Shelf::new(&disk.list(DIR), &marks, &mut script);
    disk.take(&mut script);
    disk.finish();
    assert_eq!(left(&disk), [5, 3, 2], "6 and 4 have no mark, 1 is too old");
    assert_eq!(shelf.kept(), [id(1, 2), id(1, 3), id(1, 5)]);

    for index in [8, 9, 9] {
        save(&mut disk, &snapshot(id(1, index), b"data"));
        shelf.marked(id(1, index), &mut script);
    }
    disk.take(&mut script);
    disk.finish();
    assert_eq!(left(&disk), [9, 8, 5]);
}

#[test]
fn candidates_are_ordered_by_index_first() {
    let mut disk = Disk::default();
    for last in [id(9, 1), id(1, 9), id(2, 4), id(3, 4)] {
        save(&mut disk, &snapshot(last, b""));
    }
    let found: Vec<LogId> = candidates(&disk.list(DIR)).iter().map(|found| found.id).collect();
    assert_eq!(found, [id(1, 9), id(3, 4), id(2, 4), id(9, 1)]);
}

#[test]
fn the_newest_usable_snapshot_is_chosen() {
    let marks = [id(1, 10), id(1, 20), id(2, 30)];
    let readable = |indexes: &[u64]| -> Vec<Snapshot> {
        let all: BTreeMap<u64, LogId> = marks.iter().map(|mark| (mark.index, *mark)).collect();
        indexes
            .iter()
            .map(|n| snapshot(all.get(n).copied().unwrap_or_else(|| id(7, *n)), b""))
            .collect()
    };
    let chosen = |base: LogId, indexes: &[u64]| {
        choose(base, &marks, readable(indexes)).map(|choice| {
            let index = choice.snapshot.map(|snapshot| snapshot.last.index);
            (index, choice.skipped.iter().map(|id| id.index).collect::<Vec<u64>>())
        })
    };
    assert_eq!(chosen(id(1, 5), &[10, 30, 20]), Ok((Some(30), vec![])));
    assert_eq!(chosen(id(1, 20), &[10, 20]), Ok((Some(20), vec![30])));
    assert_eq!(chosen(id(0, 0), &[10]), Ok((Some(10), vec![30, 20])));
    assert_eq!(chosen(id(0, 0), &[40]), Ok((None, vec![30, 20, 10])), "40 has no mark");
    let refusal = chosen(id(1, 15), &[10]).unwrap_err();
    assert!(refusal.hints.iter().any(|hint| hint.contains("000000000000001e.snap")), "{refusal:?}");
    assert!(chosen(id(2, 31), &[10, 20, 30]).is_err(), "the log begins behind all of them");
    let nothing = choose(id(0, 0), &[], Vec::new()).unwrap();
    assert_eq!((nothing.snapshot, nothing.skipped), (None, vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_read(
        term in any::<u64>(),
        index in any::<u64>(),
        voters in prop::collection::vec(any::<u64>().prop_map(MemberId), 0..9),
        learners in prop::collection::vec(any::<u64>().prop_map(MemberId), 0..9),
        data in prop::collection::vec(any::<u8>(), 0..300),
        damage in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let conf = ConfState { voters, learners };
        let snapshot = Snapshot { last: id(term, index), conf, data: data.into() };
        let file = encode(OWNER, &snapshot);
        prop_assert_eq!(decode(&file), Ok((OWNER, snapshot)));
        let mut damaged = file.to_vec();
        damaged[damage.index(file.len())] ^= 1 << bit;
        prop_assert!(decode(&damaged.into()).is_err());
        prop_assert!(decode(&file.slice(..damage.index(file.len()))).is_err());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        sound in any::<bool>(),
        counts in prop::collection::vec(prop_oneof![0..9_u64, any::<u64>()], 3),
    ) {
        if sound && bytes.len() > 72 {
            // A CRC that holds for counts that do not.
            bytes[..16].copy_from_slice(b"QUORSNP\n\x01\0\0\0\0\0\0\0");
            for (at, count) in counts.iter().enumerate() {
                bytes[48 + at * 8..56 + at * 8].copy_from_slice(&count.to_le_bytes());
            }
            let content = bytes.len() - 4;
            let crc = crc32fast::hash(&bytes[..content]);
            bytes[content..].copy_from_slice(&crc.to_le_bytes());
        }
        let _ = decode(&bytes.into());
    }
}
