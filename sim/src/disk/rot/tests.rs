use std::collections::BTreeSet;

use bytes::Bytes;
use quorate_core::disk::{Found, Op, Script};
use quorate_core::id::{ClusterId, MemberId};
use quorate_core::raft::{Entry, EntryKind, LogId};
use quorate_core::wal::{Batch, HardState, MIN_SEGMENT_BYTES, Owner, Replay, Wal};

use super::{Damage, Kind, Rot, proven};
use crate::chance::{Chance, Stream};
use crate::disk::Disk;

/// A disk with a log of `entries` entries, each synced by itself.
fn log(entries: u64) -> Disk {
    let (mut disk, mut script) = (Disk::default(), Script::default());
    let owner = Owner { member: MemberId(1), cluster: ClusterId(2) };
    let (hard, base) = (HardState::default(), LogId::default());
    let mut wal = Wal::create(owner, 7, MIN_SEGMENT_BYTES, hard, base, &mut script);
    run(&mut disk, &mut wal, &mut script);
    for index in 1..=entries {
        let data = Bytes::from(vec![index as u8; 600]);
        let entry = Entry { term: 1, index, kind: EntryKind::Normal, data };
        wal.append(&Batch { entries: &[entry], ..Batch::default() }, &mut script);
        run(&mut disk, &mut wal, &mut script);
    }
    disk
}

fn run(disk: &mut Disk, wal: &mut Wal, script: &mut Script) {
    loop {
        let ops: Vec<Op> = script.drain().collect();
        if ops.is_empty() {
            return;
        }
        for done in ops.into_iter().filter_map(|op| disk.perform(op)) {
            wal.handle(&done, script);
        }
    }
}

/// How many entries a start finds, unless it is refused.
fn found(disk: &mut Disk) -> Result<usize, String> {
    let listing = disk.files().list("quorate/wal");
    let mut replay = Replay::new(&listing).map_err(|e| e.message)?;
    while let Some(path) = replay.next_file() {
        let bytes = disk.files().read(&path).expect("listed");
        replay.feed(&bytes).map_err(|e| e.message)?;
    }
    let recovered = replay.finish().map_err(|e| e.message)?;
    Ok(recovered.expect("a log").entries.len())
}

#[test]
fn the_log_proves_all_but_its_newest_batch() {
    let mut disk = log(10);
    let file = disk.files().read("quorate/wal/0000000000000000-0000000000000001.wal");
    let file = file.expect("the first segment");
    let end = file.iter().rposition(|byte| *byte != 0).expect("something") + 1;
    let proven = proven(Kind::Log, &file, None);
    assert!((end - 2 * 700..end - 600).contains(&proven), "{proven} of {end}");
}

#[test]
fn damage_of_what_the_log_proves_is_always_refused() {
    let mut chance = Chance::new(1, Stream::Disk);
    let (mut refused, mut harmless) = (0, 0);
    for round in 0..400 {
        let entries = chance.between(2, 60);
        let mut disk = log(entries);
        let damage = [Damage::Flip, Damage::Zero, Damage::Misplaced][round % 3];
        let age = chance.index(3);
        let rot = Rot { file: Kind::Log, age, place_ppm: chance.below(1_000_000), damage };
        if !disk.files().rot(&rot) {
            continue;
        }
        disk.lose_power(&mut chance);
        match found(&mut disk) {
            Err(words) => {
                assert!(words.contains("quorate/wal/"), "{words}");
                refused += 1;
            }
            Ok(count) => {
                assert_eq!(count as u64, entries, "{rot:?}");
                harmless += 1;
            }
        }
    }
    assert!(refused > 300 && harmless < 20, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_misread_happens_once_and_leaves_the_disk_alone() {
    let mut disk = log(5);
    let before = disk.files().digest();
    let rot = Rot { file: Kind::Log, age: 0, place_ppm: 500_000, damage: Damage::Zero };
    disk.files().misread_next(rot);
    assert!(found(&mut disk).is_err());
    assert_eq!(disk.files().misreads(), 1);
    assert_eq!(found(&mut disk), Ok(5));
    assert_eq!(disk.files().digest(), before);
    disk.files().misread_next(Rot { file: Kind::Identity, ..rot });
    assert_eq!(found(&mut disk), Ok(5), "no file of this kind was read");
    assert!(disk.files().will_misread());
    disk.files().read_right();
    assert!(!disk.files().will_misread());
}

#[test]
fn other_files_can_be_hit_anywhere() {
    let path = |name: &str| std::sync::Arc::from(name);
    let file = quorate_core::disk::FileId(1);
    let ticket = quorate_core::disk::Ticket(1);
    let mut seen = BTreeSet::new();
    for place in 0..100 {
        let mut disk = Disk::default();
        disk.perform(Op::MakeDir { path: path("quorate") });
        disk.perform(Op::Create { file, path: path("quorate/identity") });
        disk.perform(Op::Write { file, at: 0, bytes: Bytes::from_static(&[0; 10]) });
        let rot =
            Rot { file: Kind::Identity, age: 0, place_ppm: place * 10_000, damage: Damage::Flip };
        assert!(!disk.files().rot(&rot), "nothing is durable yet");
        let done = disk.perform(Op::Sync { file, ticket }).expect("a ticket");
        assert_eq!(done.result, Ok(Found::Nothing));
        for dir in ["quorate", ""] {
            disk.perform(Op::SyncDir { path: path(dir), ticket });
        }
        assert!(disk.files().rot(&rot));
        let bytes = disk.files().read("quorate/identity").expect("it is there");
        seen.insert(bytes.iter().position(|byte| *byte != 0));
    }
    assert_eq!(seen.len(), 10);
}
