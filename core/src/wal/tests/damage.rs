//! Damage that no crash can do is refused; nothing whatever makes the reader panic.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::batch::Unsealed;
use super::super::header::{self, Header};
use super::super::segment;
use super::crash::rest;
use super::replay;
use super::world::World;
use crate::disk::Script;
use crate::disk::double::Dice;
use crate::raft::LogId;
use crate::wal::{Batch, KEPT_MARKS, MIN_SEGMENT_BYTES, Mark};

/// A log of several segments at rest.
fn world(seed: u64, batches: usize) -> World {
    let mut world = World::new(seed);
    for n in 0..batches {
        let size = world.dice.below(900);
        let back = if n % 7 == 6 { 3 } else { 0 };
        world.append_entries(1 + n % 4, size, back);
        if n % 5 == 4 {
            world.append_mark(false);
        }
        if n % 3 == 0 {
            rest(&mut world);
        }
    }
    rest(&mut world);
    world
}

fn segments(world: &World) -> Vec<(String, Bytes)> {
    let mut files = world.files();
    files.retain(|(name, _)| name.ends_with(".wal"));
    files
}

fn sample(seed: u64, batches: usize) -> Vec<(String, Bytes)> {
    segments(&world(seed, batches))
}

/// Up to where a segment is known to be durable by what is on disk.
fn proven(files: &[(String, Bytes)], at: usize) -> u64 {
    let file = &files[at].1;
    let header = Header::decode(file).unwrap();
    let ending = segment::read(file, header.salt, |_, _| Ok::<(), ()>(())).unwrap();
    match files.get(at + 1) {
        Some(next) => Header::decode(&next.1).unwrap().previous.unwrap().end,
        None => ending.durable,
    }
}

fn flip(file: &Bytes, at: usize, bit: usize) -> Bytes {
    let mut bytes = file.to_vec();
    bytes[at] ^= 1 << bit;
    bytes.into()
}

#[test]
fn every_flipped_bit_before_the_last_mark_is_refused() {
    let files = sample(5, 9);
    let sound = replay(&files).unwrap().unwrap();
    for which in 0..files.len() {
        let proven = proven(&files, which) as usize;
        assert!(proven > header::LEN as usize, "the sample proves something");
        for at in 0..files[which].1.len() {
            let mut damaged = files.clone();
            damaged[which].1 = flip(&files[which].1, at, at % 8);
            let found = replay(&damaged);
            if at < proven {
                let refusal = found.expect_err(&format!("{which} {at}"));
                assert!(refusal.message.contains(&files[which].0), "{refusal:?}");
            } else {
                let found = found.unwrap().unwrap();
                assert!(sound.entries.starts_with(&found.entries));
                assert_eq!(found.tail.is_some(), which + 1 == files.len());
            }
        }
    }
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let files = sample(7, 40);
    assert!(files.len() > 2, "{}", files.len());
    let refused = |files: &[(String, Bytes)], words: &str| {
        let refusal = replay(files).unwrap_err();
        let said = format!("{} {:?}", refusal.message, refusal.hints);
        assert!(said.contains(words), "{said}");
    };
    let mut missing = files.clone();
    missing.remove(1);
    refused(&missing, "missing");

    // The same history under another entropy: as if two backups had been mixed.
    let mut mixed = files.clone();
    mixed[1].1 = sample(7 ^ 8, 40)[1].1.clone();
    mixed[1].0 = sample(7 ^ 8, 40)[1].0.clone();
    assert!(replay(&mixed).is_err());

    let mut cut = files.clone();
    cut[0].1 = cut[0].1.slice(..100);
    refused(&cut, "header");

    let mut twice = files.clone();
    let (_, first) = twice[0].clone();
    twice.push(("0000000000000000-00000000000000ff.wal".into(), first));
    refused(&twice, "second segment");

    let mut renamed = files.clone();
    renamed[0].0 = "0000000000000000-0000000000000002.wal".into();
    refused(&renamed, "not what its name says");

    let mut newer = files.clone();
    newer[0].1 = [&files[0].1[..8], &[2], &files[0].1[9..]].concat().into();
    refused(&newer, "format version 2");

    let mut stranger = files.clone();
    let header = Header::decode(&files[1].1).unwrap();
    let owner = super::Owner { member: crate::id::MemberId(2), ..header.owner };
    let header = Header { owner, ..header };
    stranger[1].1 = [&header.encode()[..], &files[1].1[header::LEN as usize..]].concat().into();
    refused(&stranger, "another log");

    let reheaded = |change: fn(&mut Header)| {
        let mut changed = files.clone();
        let mut header = Header::decode(&files[1].1).unwrap();
        change(&mut header);
        let rest = &files[1].1[header::LEN as usize..];
        changed[1].1 = [&header.encode()[..], rest].concat().into();
        changed
    };
    refused(&reheaded(|header| header.previous.as_mut().unwrap().salt ^= 1), "does not follow");
    refused(&reheaded(|header| header.previous.as_mut().unwrap().end -= 8), "does not continue");
    refused(&reheaded(|header| header.previous.as_mut().unwrap().end += 8), "damaged at offset");
    refused(&reheaded(|header| header.head.hard_state.term += 1), "does not continue");

    let mut other = files.clone();
    other[0].1 = Bytes::from_static(b"#!/bin/sh and some more");
    refused(&other, "not a segment");
}

#[test]
fn a_batch_that_lies_there_without_following_is_no_part_of_the_log() {
    let log = |seed: u64, votes: usize| {
        let mut world = World::new(9);
        world.dice = Dice(seed);
        (0..votes).for_each(|_| world.append_vote());
        rest(&mut world);
        (segments(&world).remove(0), world.now().clone())
    };
    let ((name, two), model) = log(5, 2);
    let (_, three) = log(6, 3).0;
    // A vote takes 32 bytes for the batch, 12 for the record, 24 for itself, and 4 to be aligned.
    let batch = 72;
    let len = header::LEN as usize + 3 * batch;
    let spliced = [&two[..len - batch], &three[len - batch..]].concat().into();
    let found = replay(&[(name, spliced)]).unwrap().unwrap();
    assert_eq!(found.hard_state, model.hard_state);
    assert_eq!(found.tail.unwrap().at, (len - batch) as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damage_is_refused_exactly_where_a_mark_stands_behind_it(
        seed in any::<u64>(),
        batches in 1..60_usize,
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 1..600),
    ) {
        let world = world(seed, batches);
        let files = segments(&world);
        let which = which.index(files.len());
        let file = &files[which].1;
        let at = place.index(file.len());
        let end = file.len().min(at + noise.len());
        let mut damaged = files.clone();
        damaged[which].1 =
            [&file[..at], &noise[..end - at], &file[end..]].concat().into();
        // Noise may destroy the batches that carry the last marks.
        let proven = match Header::decode(&damaged[which].1) {
            Ok(_) => proven(&damaged, which),
            Err(_) => u64::MAX,
        };
        let first = file.iter().zip(&damaged[which].1).position(|(a, b)| a != b);
        match replay(&damaged) {
            Err(_) => prop_assert!(first.is_some_and(|first| (first as u64) < proven)),
            Ok(found) => {
                prop_assert!(first.is_none_or(|first| (first as u64) >= proven));
                let found = found.unwrap();
                prop_assert!(world.history.iter().any(|model| model.is(&found, 0)));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        keep in 0..300_usize,
    ) {
        let sound = &sample(3, 2)[0];
        let mixed = [&sound.1[..keep], &bytes].concat();
        let _ = replay(&[(sound.0.clone(), mixed.into())]);
    }

    #[test]
    fn no_records_make_the_reader_panic(
        numbers in prop::collection::vec((0..4_u8, extreme(), extreme()), 1..20),
    ) {
        let header = Header::decode(&sample(3, 1)[0].1).unwrap();
        let mut file = Header { head: Default::default(), ..header }.encode().to_vec();
        let mut chain = header::crc(&file);
        for (kind, term, index) in numbers {
            let id = LogId { term, index };
            let entries = [super::entry(term, index, b"data")];
            let batch = match kind {
                0 => Batch { entries: &entries, ..Batch::default() },
                1 => Batch { mark: Some(Mark::Saved(id)), ..Batch::default() },
                2 => Batch { mark: Some(Mark::Installed(id)), ..Batch::default() },
                _ => Batch::default(),
            };
            let sealed =
                Unsealed::new(&batch).seal(header.salt, file.len() as u64, header::LEN, chain);
            chain = sealed.crc;
            file.extend_from_slice(&sealed.bytes);
        }
        let name = "0000000000000000-0000000000000001.wal".into();
        if let Ok(Some(mut found)) = replay(&[(name, file.into())]) {
            let marks = found.marks.clone();
            prop_assert!(marks.len() <= KEPT_MARKS);
            let _ = marks.first().map(|mark| found.log_after(*mark));
            found.into_wal(1, MIN_SEGMENT_BYTES, &mut Script::default());
        }
    }
}

fn extreme() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..5_u64, 1 => u64::MAX - 3..=u64::MAX, 1 => any::<u64>()]
}
