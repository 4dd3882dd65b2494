//! Data directories of etcd: recorded ones, made-up ones and damaged ones.

mod made;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Compared, Folder, Imported, Source, compare};
use crate::directory::Making;
use crate::disk::double::Disk;
use crate::disk::{DirEntry, Script};
use crate::error::Refusal;
use crate::raft::{EntryKind, Snapshot};
use crate::store::Image;
use crate::wal::{self, Owner, Recovered, Replay};
use crate::{snap, wire::request::Request};
use made::{Segment, normal};

type Files = Vec<(String, Bytes)>;

const OLD_OWNER: &str = "667880157b8812c8 dc50b8daae93b3e0";

const FIRST: &str = "0000000000000000-0000000000000000.wal";
const NEWEST: &str = "0000000000000002-0000000000000012.snap";
const OLDER: &str = "0000000000000002-000000000000000c.snap";

macro_rules! recorded {
    ($name:literal) => {
        recorded!("3.4.23", $name)
    };
    ($release:literal, $name:literal) => {
        Bytes::from_static(include_bytes!(concat!("../../tests/data/etcd-", $release, "/", $name)))
    };
}

/// A member that never made a snapshot, as etcd 3.4.23 left it when it was killed.
fn plain() -> Files {
    vec![(FIRST.into(), recorded!("plain/0000000000000000-0000000000000000.wal"))]
}

/// The same requests, with a snapshot every few entries.
fn snapped() -> Files {
    vec![
        (FIRST.into(), recorded!("snapped/0000000000000000-0000000000000000.wal")),
        (NEWEST.into(), recorded!("snapped/0000000000000002-0000000000000012.snap")),
        (OLDER.into(), recorded!("snapped/0000000000000002-000000000000000c.snap")),
    ]
}

/// The same two of etcd 2.3.8, whose leader looks for what has expired twice a second in any case.
fn old_plain() -> Files {
    vec![(FIRST.into(), recorded!("2.3.8", "plain/0000000000000000-0000000000000000.wal"))]
}

fn old_snapped() -> Files {
    vec![
        (FIRST.into(), recorded!("2.3.8", "snapped/0000000000000000-0000000000000000.wal")),
        (NEWEST.into(), recorded!("2.3.8", "snapped/0000000000000002-0000000000000012.snap")),
        (OLDER.into(), recorded!("2.3.8", "snapped/0000000000000002-000000000000000c.snap")),
    ]
}

fn import(files: &Files) -> Result<Imported, Refusal> {
    let listing = |extension: &str| -> Vec<DirEntry> {
        let named = files.iter().filter(|(name, _)| name.ends_with(extension));
        let entry = |(name, bytes): &(String, Bytes)| DirEntry {
            name: name.clone(),
            is_dir: false,
            len: bytes.len() as u64,
        };
        named.map(entry).collect()
    };
    let mut source = Source::new(&listing(".wal"), &listing(".snap"))?;
    while let Some(file) = source.next_file() {
        assert_eq!(file.folder == Folder::Wal, file.name.ends_with(".wal"));
        let content = files.iter().find(|(name, _)| *name == file.name).map(|(_, bytes)| bytes);
        source.feed(&content.unwrap().clone())?;
    }
    source.finish()
}

fn refused(files: &Files, words: &str) {
    let refusal = import(files).unwrap_err();
    assert!(refusal.message.contains(words), "{words}: {refusal:?}");
    assert!(refusal.hints.len() >= 2, "{refusal:?}");
}

#[test]
fn a_log_from_its_beginning() {
    let member = import(&plain()).unwrap();
    assert_eq!(format!("{}", member.owner.cluster), "e267452e28e7a40e");
    assert_eq!((member.snapshot.as_ref(), member.cut.as_ref()), (None, None));
    let indexes: Vec<u64> = member.entries.iter().map(|entry| entry.index).collect();
    assert_eq!(indexes, (1..=23).collect::<Vec<u64>>());
    assert_eq!(member.entries[0].kind, EntryKind::ConfChange);
    assert_eq!((member.hard_state.term, member.hard_state.vote), (2, Some(member.owner.member)));
    assert!((22..=23).contains(&member.hard_state.commit));
    let last = Request::decode(member.entries[22].data.clone()).unwrap();
    assert_eq!((last.path.as_str(), &last.value[..]), ("/1/count", &b"12"[..]));
}

#[test]
fn a_snapshot_and_the_log_behind_it() {
    let member = import(&snapped()).unwrap();
    let snapshot = member.snapshot.as_ref().unwrap();
    assert_eq!((snapshot.last.term, snapshot.last.index), (2, 18));
    assert_eq!(snapshot.conf.voters, [member.owner.member]);
    assert_eq!(Image::decode(&snapshot.data).unwrap().index(), 17);
    assert_eq!(member.entries.first().map(|entry| entry.index), Some(19));
    assert_eq!(member.last_index(), 23);
}

#[test]
fn a_member_of_2_3() {
    let member = import(&old_plain()).unwrap();
    assert_eq!(format!("{} {}", member.owner.member, member.owner.cluster), OLD_OWNER);
    assert_eq!((member.hard_state.term, member.last_index()), (2, 25));
    let requests = member.entries.iter().filter(|entry| entry.kind == EntryKind::Normal);
    let requests = requests.filter(|entry| !entry.data.is_empty());
    let methods: Vec<String> = requests
        .map(|entry| Request::decode(entry.data.clone()).unwrap().method.as_str().to_string())
        .collect();
    let swept = methods.iter().filter(|method| *method == "SYNC").count();
    assert!(swept > 0 && methods.len() - swept == 22, "{methods:?}");

    let member = import(&old_snapped()).unwrap();
    let snapshot = member.snapshot.as_ref().unwrap();
    assert_eq!((snapshot.last.term, snapshot.last.index, member.last_index()), (2, 18, 25));
    assert_eq!(snapshot.conf.voters, [member.owner.member]);
    let image = Image::decode(&snapshot.data).unwrap();
    assert!(image.get("/1/ttl", false).is_ok() && image.get("/1/plain1", false).is_err());
}

/// 2.0.0 began a new segment with every snapshot.
#[test]
fn a_member_of_2_0() {
    let segments: [Bytes; 7] = [
        recorded!("2.0.0", "snapped/0000000000000000-0000000000000000.wal"),
        recorded!("2.0.0", "snapped/0000000000000001-0000000000000007.wal"),
        recorded!("2.0.0", "snapped/0000000000000002-000000000000000d.wal"),
        recorded!("2.0.0", "snapped/0000000000000003-0000000000000013.wal"),
        recorded!("2.0.0", "snapped/0000000000000004-0000000000000019.wal"),
        recorded!("2.0.0", "snapped/0000000000000005-000000000000001f.wal"),
        recorded!("2.0.0", "snapped/0000000000000006-0000000000000025.wal"),
    ];
    let named = segments.into_iter().zip((0_u64..).map(|number| (number, number * 6 + 1)));
    let mut files: Files = named
        .map(|(segment, (number, first))| {
            let first = if number == 0 { 0 } else { first };
            (format!("{number:016x}-{first:016x}.wal"), segment)
        })
        .collect();
    let newest = "0000000000000002-0000000000000024.snap";
    let older = "0000000000000002-000000000000001e.snap";
    files.push((
        newest.into(),
        recorded!("2.0.0", "snapped/0000000000000002-0000000000000024.snap"),
    ));
    files
        .push((older.into(), recorded!("2.0.0", "snapped/0000000000000002-000000000000001e.snap")));
    let member = import(&files).unwrap();
    assert_eq!(format!("{} {}", member.owner.member, member.owner.cluster), OLD_OWNER);
    let snapshot = member.snapshot.as_ref().unwrap();
    assert_eq!((snapshot.last.index, member.last_index()), (36, 41));
    assert_eq!(Image::decode(&snapshot.data).unwrap().index(), 16);
    // Without its snapshots the log says the same from its beginning.
    files.truncate(7);
    let all = import(&files).unwrap();
    assert_eq!((all.snapshot.as_ref(), all.entries.len()), (None, 41));
    assert_eq!(all.entries[36..], member.entries[..]);
    // Gone is the one in the middle.
    files.remove(3);
    refused(&files, "is missing between");
}

#[test]
fn a_damaged_snapshot_is_passed_over() {
    let mut files = snapped();
    let mut broken = files[1].1.to_vec();
    broken[100] ^= 1;
    files[1].1 = broken.clone().into();
    assert_eq!(import(&files).unwrap().snapshot.unwrap().last.index, 12);
    files[2].1 = broken.into();
    // The log reaches back to its first entry, so none is needed.
    let member = import(&files).unwrap();
    assert_eq!((member.snapshot, member.entries.len()), (None, 23));
    // A file that the log does not know is not looked at.
    files[2] = ("0000000000000002-0000000000000013.snap".into(), Bytes::from_static(b"junk"));
    assert_eq!(import(&files).unwrap().entries.len(), 23);
}

/// Whatever byte of a log decays: it is refused, or what is taken over is what etcd has, up to a
/// place that is named.
#[test]
fn no_damage_goes_unnoticed() {
    [plain(), old_plain()].iter().for_each(damage_each_byte);
}

fn damage_each_byte(files: &Files) {
    let sound = import(files).unwrap();
    let file = files[0].1.clone();
    let mut refusals = 0;
    for at in 0..file.len() {
        for bit in [0, 3, 7] {
            let mut broken = file.to_vec();
            broken[at] ^= 1 << bit;
            match import(&vec![(FIRST.into(), broken.into())]) {
                Err(refusal) => {
                    refusals += 1;
                    assert!(!refusal.hints.is_empty(), "{refusal:?}");
                }
                Ok(member) => {
                    let len = member.entries.len();
                    assert_eq!(member.entries[..], sound.entries[..len], "{at} {bit}");
                    assert!(member.cut.is_some() || len == sound.entries.len(), "{at} {bit}");
                }
            }
        }
    }
    assert!(refusals > file.len(), "{refusals} of {}", file.len() * 3);
}

#[test]
fn a_log_that_was_cut_off_is_taken_up_to_there() {
    let file = plain().remove(0).1;
    let end = file.len() - 16;
    let mut seen = 0;
    for len in (0..end).rev() {
        let Ok(member) = import(&vec![(FIRST.into(), file.slice(..len))]) else { continue };
        assert!(member.hard_state.commit <= member.last_index());
        seen += u64::from(member.cut.is_some());
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_etcd_overwrote_is_gone_and_segments_follow_each_other() {
    let mut first = Segment::first();
    first.entry(&normal(1, 1)).entry(&normal(1, 2)).entry(&normal(1, 3)).state(1, 1);
    let mut second = first.next(1, 4);
    second.entry(&normal(2, 2)).entry(&normal(2, 3)).state(2, 3);
    let files = vec![first.file(), second.file()];
    let member = import(&files).unwrap();
    let ids: Vec<(u64, u64)> = member.entries.iter().map(|e| (e.term, e.index)).collect();
    assert_eq!(ids, [(1, 1), (2, 2), (2, 3)]);

    refused(&vec![second.file()], "begins with entry 2");
    let third = second.next(2, 4);
    refused(&vec![first.file(), third.file()], "is missing between");
    let stranger = Segment::first();
    refused(&vec![first.file(), stranger.next(1, 4).file()], "the checksum does not hold");
    let mut torn = first.file();
    torn.1 = torn.1.slice(..torn.1.len() - 20);
    refused(&vec![torn, second.file()], "it ends within a record");
}

#[test]
fn behind_a_snapshot_of_the_leader_the_log_begins_anew() {
    let mut segment = Segment::first();
    segment.entry(&normal(1, 1)).saved(3, 12).entry(&normal(3, 13)).state(3, 13);
    refused(&vec![segment.file()], "begins with entry 13");
    let mut files = snapped();
    let mut newest = files.remove(1);
    newest.0 = "0000000000000003-000000000000000c.snap".into();
    refused(&vec![segment.file(), newest], "ends with entry 0");
}

#[test]
fn what_cannot_be_taken_over_is_refused() {
    refused(&Vec::new(), "there is no log of etcd");
    let mut segment = Segment::first();
    segment.entry(&normal(1, 1)).state(1, 2);
    refused(&vec![segment.file()], "ends with entry 1, and entry 2 was committed");
    // A put of the v3 API: field 4 of an internal request.
    let mut v3 = normal(1, 1);
    v3.data = Bytes::from_static(b"\x08\x01\x22\x06\x0a\x01k\x12\x01v");
    let mut segment = Segment::first();
    segment.entry(&v3).state(1, 1);
    refused(&vec![segment.file()], "entry 1 of etcd's log cannot be carried out");
    let mut segment = Segment::first();
    segment.entry(&normal(2, 1)).entry(&normal(1, 2)).state(2, 2);
    refused(&vec![segment.file()], "lower term");
    let mut segment = Segment::first();
    segment.metadata(9, 9);
    refused(&vec![segment.file()], "another member");
    let mut segment = Segment::first();
    segment.record(9, Bytes::new());
    refused(&vec![segment.file()], "unknown kind 9");
}

/// Writes it, and reads it back.
fn written(imported: &Imported) -> (Recovered, Vec<(Owner, Snapshot)>) {
    let (mut disk, mut script) = (Disk::default(), Script::default());
    let mut target = Making::begin(imported.clone().into(), [7; 32], 1 << 20, &mut script);
    let mut ended = false;
    disk.take(&mut script);
    while disk.is_busy() {
        for done in disk.step(false) {
            ended |= target.handle(&done, &mut script).unwrap();
            disk.take(&mut script);
        }
    }
    assert!(ended);
    disk.crash(&mut crate::disk::double::Dice(1));
    let mut replay = Replay::new(&disk.list(wal::DIR)).unwrap();
    while let Some(path) = replay.next_file() {
        replay.feed(&disk.read(&path)).unwrap();
    }
    let snapshots = disk.list(snap::DIR).into_iter();
    let snapshots =
        snapshots.map(|e| snap::decode(&disk.read(&format!("{}/{}", snap::DIR, e.name))).unwrap());
    (replay.finish().unwrap().unwrap(), snapshots.collect())
}

#[test]
fn what_is_written_is_the_same_and_survives_a_crash() {
    for (files, last) in [(plain(), 23), (snapped(), 23), (old_plain(), 25), (old_snapped(), 25)] {
        let imported = import(&files).unwrap();
        let (log, snapshots) = written(&imported);
        assert_eq!(log.hard_state, imported.hard_state);
        let same = Compared { differences: Vec::new(), common: last, last };
        assert_eq!(compare(&imported, &log, &snapshots), same);
    }
}

#[test]
fn every_difference_is_told() {
    let imported = import(&snapped()).unwrap();
    let (log, snapshots) = written(&imported);
    let mut other = imported.clone();
    other.owner.member.0 += 1;
    other.hard_state.term += 1;
    other.entries[2].data = Bytes::new();
    other.entries.push(normal(2, 24));
    if let Some(snapshot) = &mut other.snapshot {
        snapshot.conf.voters.clear();
    }
    let differences = compare(&other, &log, &snapshots).differences;
    let words =
        ["of cluster", "ends with entry 24", "term is 3", "entry 21", "snapshot of entry 18"];
    assert_eq!(differences.len(), words.len(), "{differences:?}");
    for (difference, word) in differences.iter().zip(words) {
        assert!(difference.contains(word), "{difference:?} {word}");
    }
    let missing = compare(&imported, &log, &[]).differences;
    assert_eq!(missing, ["the snapshot of entry 18 is missing".to_string()]);
}
