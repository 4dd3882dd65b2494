//! A full disk stops entries and nothing else; a broken one stops everything.

use alloc::vec::Vec;

use super::crash::rest;
use super::world::{SEGMENT, World};
use crate::disk::double::Dice;
use crate::disk::{DiskErrorKind, Done, Found};
use crate::wal::{ENTRY_OVERHEAD, Event};

fn settled(seed: u64) -> World {
    let mut world = World::new(seed);
    world.settle();
    world
}

#[test]
fn a_full_disk_stops_entries_and_leaves_room_for_votes() {
    let mut world = settled(1);
    world.disk.full = true;
    let mut count = 0;
    while world.wal.has_room(500 + ENTRY_OVERHEAD) {
        world.append_entries(1, 500, 0);
        world.settle();
        count += 1;
    }
    assert!(count > 10, "{count}");
    assert_eq!(world.wal.full().unwrap().kind, DiskErrorKind::NoSpace);
    for _ in 0..40 {
        world.append_vote();
        world.settle();
    }
    world.append_mark(false);
    world.settle();
    assert_eq!(world.durable, world.history.len() - 1);
    assert!(world.files().iter().all(|(_, bytes)| bytes.len() as u64 == SEGMENT));

    let changes = world.room_changes;
    world.wal.retry(&mut world.script);
    world.disk.take(&mut world.script);
    world.settle();
    assert!(world.room_changes > changes && !world.wal.has_room(600));

    world.disk.full = false;
    world.wal.retry(&mut world.script);
    world.disk.take(&mut world.script);
    world.settle();
    assert!(world.wal.full().is_none() && world.wal.has_room(600));
    world.append_entries(1, 500, 0);
    world.settle();
    assert_eq!(world.durable, world.history.len() - 1);
    assert_eq!(world.files().len(), 2);
}

#[test]
fn what_has_room_never_goes_beyond_the_space_that_was_given() {
    for seed in 1..60 {
        let mut world = settled(seed);
        for _ in 0..200 {
            match world.dice.below(8) {
                0 => world.carry_out(),
                1 | 2 => {
                    (0..8).for_each(|_| world.carry_out());
                    (0..8).for_each(|_| world.deliver());
                }
                3 => {
                    world.disk.full = !world.disk.full;
                    world.wal.retry(&mut world.script);
                    world.disk.take(&mut world.script);
                }
                n => {
                    let (count, size) = (1 + n % 3, world.dice.below(2000));
                    let bytes = count as u64 * (size as u64 + ENTRY_OVERHEAD);
                    if world.wal.has_room(bytes) {
                        world.append_entries(count, size, 0);
                    }
                }
            }
            assert!(world.files().iter().all(|(_, bytes)| bytes.len() as u64 <= SEGMENT));
        }
        rest(&mut world);
        assert_eq!(world.durable, world.history.len() - 1);
    }
}

#[test]
fn released_segments_make_room_on_a_full_disk() {
    let mut world = settled(3);
    for _ in 0..60 {
        world.append_entries(1, 1000, 0);
        world.settle();
    }
    let before = world.files().len();
    world.release();
    world.settle();
    assert_eq!(world.files().len(), before, "no snapshot stands for the entries");
    world.append_mark(false);
    world.release();
    world.settle();
    assert_eq!(world.files().len(), before, "the mark was not durable yet");
    world.release();
    world.settle();
    assert!(world.files().len() <= 2);
    let mut found = world.found().unwrap().unwrap();
    let mark = *found.marks.last().unwrap();
    assert!(found.base.index > 0 && found.base.index <= mark.index);
    assert_eq!(found.log_after(mark).unwrap(), Vec::new());
    assert!(world.found().unwrap().unwrap().log_after(Default::default()).is_err());
}

#[test]
fn segments_disappear_in_order() {
    let mut world = settled(6);
    while world.files().len() < 6 {
        world.append_entries(1, 1500, 0);
        world.settle();
    }
    world.append_mark(false);
    world.settle();
    let index = world.now().last().index;
    world.wal.release(index + 1, &mut world.script);
    world.disk.take(&mut world.script);
    while world.disk.is_busy() || !world.dones.is_empty() {
        for seed in 1..40 {
            let mut disk = world.disk.clone();
            disk.crash(&mut Dice(seed));
            core::mem::swap(&mut world.disk, &mut disk);
            let found = world.found().unwrap().unwrap();
            core::mem::swap(&mut world.disk, &mut disk);
            assert_eq!(found.marks.last().unwrap().index, index);
        }
        world.carry_out();
        world.deliver();
    }
    assert!(world.files().len() <= 2);
}

#[test]
fn a_segment_follows_only_when_the_one_before_is_known_to_be_durable() {
    let mut world = settled(7);
    for _ in 0..40 {
        world.append_entries(1, 500, 0);
    }
    let segments =
        |world: &World| world.files().iter().filter(|(name, _)| name.ends_with(".wal")).count();
    // Everything is answered except the batches.
    let mut withheld = Vec::new();
    while world.disk.is_busy() {
        for done in world.disk.finish() {
            if world.is_batch(done.ticket) {
                withheld.push(done);
            } else {
                world.wal.handle(&done, &mut world.script);
                world.disk.take(&mut world.script);
            }
        }
    }
    assert_eq!(segments(&world), 1);
    assert_eq!(world.files().len(), 2, "the spare is ready");
    world.dones.extend(withheld);
    world.settle();
    assert_eq!(world.durable, 40);
    assert_eq!(segments(&world), 2);
}

#[test]
fn a_failed_sync_is_a_fault_for_ever() {
    let mut world = settled(4);
    world.append_vote();
    world.append_vote();
    world.disk.broken = true;
    let dones = world.disk.finish();
    assert_eq!(dones.len(), 2);
    let event = world.wal.handle(&dones[1], &mut world.script);
    assert!(matches!(event, Event::Fault(_)), "{event:?}");
    world.disk.broken = false;
    let late = Done { result: Ok(Found::Nothing), ..dones[0].clone() };
    assert_eq!(world.wal.handle(&late, &mut world.script), Event::Progress);
    assert!(!world.wal.has_room(1));
    world.append_vote();
    assert!(!world.disk.is_busy());
}

#[test]
fn what_was_found_after_a_failed_sync_is_written_again() {
    let mut world = settled(5);
    for size in [300, 200, 100] {
        world.append_entries(2, size, 0);
    }
    world.disk.broken = true;
    while world.disk.is_busy() {
        world.disk.step(true);
    }
    world.disk.kill();
    world.disk.broken = false;
    world.restart();
    assert_eq!(world.history.len(), 4, "the system still shows what never reached the disk");
    world.settle();
    world.disk.crash(&mut world.dice);
    world.restart();
    assert_eq!(world.now().entries.len(), 6);
}
