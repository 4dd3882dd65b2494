use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use quorate_core::disk::{DiskErrorKind, FileId, Found, Op, Ticket};

use super::Disk;
use crate::chance::{Chance, Stream};

const F: FileId = FileId(1);
const T: Ticket = Ticket(1);

fn path(name: &str) -> Arc<str> {
    Arc::from(name)
}

fn create(disk: &mut Disk, name: &str) {
    disk.perform(Op::Create { file: F, path: path(name) });
}

fn write(disk: &mut Disk, at: u64, bytes: &'static [u8]) {
    disk.perform(Op::Write { file: F, at, bytes: Bytes::from_static(bytes) });
}

fn sync(disk: &mut Disk) -> Result<Found, DiskErrorKind> {
    let done = disk.perform(Op::Sync { file: F, ticket: T }).expect("a ticket");
    done.result.map_err(|e| e.kind)
}

fn sync_dir(disk: &mut Disk, name: &str) {
    let done = disk.perform(Op::SyncDir { path: path(name), ticket: T }).expect("a ticket");
    assert_eq!(done.result, Ok(Found::Nothing));
}

fn read(disk: &mut Disk, name: &str) -> Result<Vec<u8>, DiskErrorKind> {
    let done = disk.perform(Op::Read { path: path(name), ticket: T }).expect("a ticket");
    match done.result {
        Ok(Found::Bytes(bytes)) => Ok(bytes.to_vec()),
        Ok(other) => panic!("a read found {other:?}"),
        Err(e) => Err(e.kind),
    }
}

fn chance(seed: u64) -> Chance {
    Chance::new(seed, Stream::Disk)
}

#[test]
fn synced_data_and_entries_survive_every_crash() {
    for seed in 0..200 {
        let mut disk = Disk::default();
        disk.perform(Op::MakeDir { path: path("a/b") });
        create(&mut disk, "a/b/f");
        write(&mut disk, 0, b"durable");
        assert_eq!(sync(&mut disk), Ok(Found::Nothing));
        for dir in ["a/b", "a", ""] {
            sync_dir(&mut disk, dir);
        }
        disk.lose_power(&mut chance(seed));
        assert_eq!(read(&mut disk, "a/b/f"), Ok(b"durable".to_vec()));
    }
}

#[test]
fn without_a_sync_of_the_directory_a_synced_file_may_be_gone() {
    let outcomes: Vec<bool> = (0..100)
        .map(|seed| {
            let mut disk = Disk::default();
            create(&mut disk, "f");
            write(&mut disk, 0, b"data");
            assert_eq!(sync(&mut disk), Ok(Found::Nothing));
            disk.lose_power(&mut chance(seed));
            read(&mut disk, "f").is_ok()
        })
        .collect();
    assert!(outcomes.contains(&true) && outcomes.contains(&false));
}

#[test]
fn every_kind_of_remainder_occurs() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..2000 {
        let mut disk = Disk::default();
        create(&mut disk, "f");
        sync_dir(&mut disk, "");
        write(&mut disk, 0, b"aa");
        write(&mut disk, 2, b"bb");
        disk.lose_power(&mut chance(seed));
        seen.insert(read(&mut disk, "f").expect("its entry is durable"));
    }
    let expect: [&[u8]; 7] = [b"", b"aa", b"aabb", b"\0\0bb", b"a\0bb", b"aab", b"a"];
    for content in expect {
        assert!(seen.contains(content), "{content:?} in {seen:?}");
    }
}

#[test]
fn a_kill_keeps_what_was_written_but_makes_nothing_durable() {
    let mut gone = 0;
    for seed in 0..100 {
        let mut disk = Disk::default();
        create(&mut disk, "f");
        sync_dir(&mut disk, "");
        write(&mut disk, 0, b"data");
        disk.kill();
        assert_eq!(read(&mut disk, "f"), Ok(b"data".to_vec()));
        disk.lose_power(&mut chance(seed));
        gone += usize::from(read(&mut disk, "f") != Ok(b"data".to_vec()));
    }
    assert!(gone > 10, "{gone}");
}

#[test]
fn a_rename_happens_wholly_or_not_at_all() {
    for seed in 0..200 {
        let mut disk = Disk::default();
        create(&mut disk, "old");
        write(&mut disk, 0, b"1");
        assert_eq!(sync(&mut disk), Ok(Found::Nothing));
        sync_dir(&mut disk, "");
        disk.perform(Op::Create { file: FileId(2), path: path("new") });
        disk.perform(Op::Write { file: FileId(2), at: 0, bytes: Bytes::from_static(b"2") });
        disk.perform(Op::Sync { file: FileId(2), ticket: T });
        disk.perform(Op::Rename { from: path("new"), to: path("old") });
        disk.lose_power(&mut chance(seed));
        let content = read(&mut disk, "old").expect("one of the two");
        assert!(content == b"1" || content == b"2", "{content:?}");
        if content == b"2" {
            assert_eq!(read(&mut disk, "new"), Err(DiskErrorKind::NotFound));
        }
    }
}

#[test]
fn a_full_disk_refuses_growth_and_poisons_only_writes() {
    let mut disk = Disk::default();
    create(&mut disk, "f");
    disk.perform(Op::Preallocate { file: F, len: 8, ticket: T });
    disk.set_full(true);
    let done = disk.perform(Op::Preallocate { file: F, len: 16, ticket: T }).expect("a ticket");
    assert_eq!(done.result.map_err(|e| e.kind), Err(DiskErrorKind::NoSpace));
    write(&mut disk, 0, b"12345678");
    assert_eq!(sync(&mut disk), Ok(Found::Nothing), "reserved space can be written");
    write(&mut disk, 8, b"9");
    assert_eq!(sync(&mut disk), Err(DiskErrorKind::NoSpace));
    disk.set_full(false);
    write(&mut disk, 8, b"9");
    assert_eq!(sync(&mut disk), Ok(Found::Nothing));
}

#[test]
fn the_lock_is_held_until_the_process_ends() {
    let mut disk = Disk::default();
    let lock = |disk: &mut Disk| {
        let done = disk.perform(Op::Lock { ticket: T }).expect("a ticket");
        done.result.map_err(|e| e.kind)
    };
    assert_eq!(lock(&mut disk), Ok(Found::Nothing));
    assert_eq!(lock(&mut disk), Err(DiskErrorKind::Locked));
    disk.kill();
    assert_eq!(lock(&mut disk), Ok(Found::Nothing));
}

#[test]
fn a_failed_operation_poisons_the_next_ticket() {
    let mut disk = Disk::default();
    create(&mut disk, "missing/f");
    let done = disk.perform(Op::SyncDir { path: path("missing"), ticket: T }).expect("a ticket");
    assert_eq!(done.result.map_err(|e| e.kind), Err(DiskErrorKind::NotFound));
}

#[test]
fn listing_shows_files_and_directories_of_one_level() {
    let mut disk = Disk::default();
    disk.perform(Op::MakeDir { path: path("d/e") });
    create(&mut disk, "d/f");
    let done = disk.perform(Op::List { path: path("d"), ticket: T }).expect("a ticket");
    let Ok(Found::Entries(entries)) = done.result else { panic!("no entries") };
    let names: Vec<(&str, bool)> = entries.iter().map(|e| (e.name.as_str(), e.is_dir)).collect();
    assert_eq!(names, [("e", true), ("f", false)]);
    let done = disk.perform(Op::List { path: path(""), ticket: T }).expect("a ticket");
    let Ok(Found::Entries(entries)) = done.result else { panic!("no entries") };
    assert_eq!(entries.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is written and synced in between, a crash never touches bytes that were synced and
    /// not written again since.
    #[test]
    fn a_crash_leaves_synced_bytes_alone(
        writes in prop::collection::vec((0u64..64, 1u8..255, prop::bool::ANY), 1..40),
        seed in 0u64..1000,
    ) {
        let mut disk = Disk::default();
        create(&mut disk, "f");
        sync_dir(&mut disk, "");
        let mut must: Vec<Option<u8>> = vec![None; 64];
        let mut now: Vec<Option<u8>> = vec![None; 64];
        for (at, byte, synced) in writes {
            let bytes = Bytes::copy_from_slice(&[byte]);
            disk.perform(Op::Write { file: F, at, bytes });
            now[at as usize] = Some(byte);
            must[at as usize] = None;
            if synced {
                prop_assert_eq!(sync(&mut disk), Ok(Found::Nothing));
                must.clone_from(&now);
            }
        }
        disk.lose_power(&mut chance(seed));
        let content = read(&mut disk, "f").expect("its entry is durable");
        for (at, byte) in must.iter().enumerate() {
            if let Some(byte) = byte {
                prop_assert_eq!(content.get(at), Some(byte));
            }
        }
    }
}
