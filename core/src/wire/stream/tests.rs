use std::vec::Vec;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec as many;
use proptest::prelude::*;

use super::*;
use crate::id::MemberId;
use crate::raft::{Body, Entry, EntryKind, LogId, Message};
use crate::wire::error::WireError;
use crate::wire::message::Received;
use crate::wire::message::tests::{FIRST_APPEND, any_append, any_message, first_append, hex};

const LEADER: MemberId = MemberId(0xa7bd_c113_1b22_a2ec);
const FOLLOWER: MemberId = MemberId(0x4d83_d189_ab8d_529e);

fn msgapp() -> MsgAppStreamDecoder {
    MsgAppStreamDecoder::new(FOLLOWER, LEADER)
}

fn append(prev: (u64, u64), entries: Vec<Entry>, commit: u64) -> Message {
    let prev = LogId { term: prev.0, index: prev.1 };
    let body = Body::Append { prev, entries, commit };
    Message { from: LEADER, to: FOLLOWER, term: 2, body }
}

/// The start of a leader's stream in the form that etcd 3.4.23 sends, and what it says.
fn example() -> (Vec<u8>, Vec<Message>) {
    let data = Bytes::from(alloc::vec![b'x'; 136]);
    let entry = Entry { term: 2, index: 4, kind: EntryKind::Normal, data };
    let mut bytes = hex("02 0000000000000037").to_vec();
    bytes.extend(hex(FIRST_APPEND));
    bytes.extend(hex("01 0000000000000001 0000000000000091 0800 1002 1804 228801"));
    bytes.extend(&entry.data);
    bytes.extend(hex("0000000000000003"));
    bytes.extend(hex("01 0000000000000000 0000000000000004"));
    let following = [append((2, 3), alloc::vec![entry], 3), append((2, 4), Vec::new(), 4)];
    let mut messages = alloc::vec![first_append()];
    messages.extend(following);
    (bytes, messages)
}

fn read_all<E>(mut next: impl FnMut() -> Result<Option<Received>, E>) -> Result<Vec<Message>, E> {
    let mut messages = Vec::new();
    while let Some(received) = next()? {
        if let Received::Message(message) = received {
            messages.push(message);
        }
    }
    Ok(messages)
}

#[test]
fn appends_are_written_as_etcd_writes_them() {
    let (bytes, messages) = example();
    let mut encoder = MsgAppStreamEncoder::new();
    let mut out = BytesMut::new();
    messages.iter().for_each(|message| encoder.encode(message, &mut out));
    assert_eq!(out, bytes);
}

#[test]
fn appends_are_read_however_they_are_cut() {
    let (bytes, messages) = example();
    for size in 1..bytes.len() {
        let mut decoder = msgapp();
        let mut read = Vec::new();
        for chunk in bytes.chunks(size) {
            decoder.push(chunk);
            read.extend(read_all(|| decoder.decode()).unwrap());
        }
        assert_eq!(read, messages, "{size}");
    }
}

#[test]
fn links_beat_between_frames() {
    let mut out = BytesMut::new();
    MsgAppStreamEncoder::new().link_heartbeat(&mut out);
    assert_eq!(out[..], [0]);
    let mut decoder = msgapp();
    decoder.push(&out);
    assert_eq!(decoder.decode(), Ok(Some(Received::LinkHeartbeat)));
    assert_eq!(decoder.decode(), Ok(None));

    let mut out = BytesMut::new();
    MessageStreamEncoder.link_heartbeat(&mut out);
    assert_eq!(out[..8], [0, 0, 0, 0, 0, 0, 0, 30]);
    let mut decoder = MessageStreamDecoder::new();
    decoder.push(&out);
    assert_eq!(decoder.decode(), Ok(Some(Received::LinkHeartbeat)));
}

#[test]
fn an_error_ends_a_stream() {
    let broken = |text: &str| {
        let mut decoder = msgapp();
        decoder.push(&hex(text));
        let error = decoder.decode().unwrap_err();
        decoder.push(&[0]);
        assert_eq!(decoder.decode(), Err(error.clone()));
        error
    };
    assert_eq!(broken("03"), WireError::UnknownFrame(3));
    // nothing to continue
    assert_eq!(broken("01 0000000000000000 0000000000000004"), WireError::NoTerm);
    let over = FRAME_MAX + 1;
    assert_eq!(broken(&alloc::format!("02 {over:016x}")), WireError::TooLarge(over));
    assert_eq!(broken("01 0000000000000001 ffffffffffffffff"), WireError::TooLarge(u64::MAX));
    // a vote on the stream of appends
    assert_eq!(broken("02 0000000000000006 0805 1801 2001"), WireError::Misplaced);
    // an entry that does not follow
    let whole = alloc::format!("02 0000000000000037 {FIRST_APPEND}");
    let mut decoder = msgapp();
    decoder.push(&hex(&whole));
    decoder.decode().unwrap();
    decoder.push(&hex("01 0000000000000001 0000000000000006 0800 1002 1805 0000000000000003"));
    assert_eq!(decoder.decode(), Err(WireError::Entries));

    let mut decoder = MessageStreamDecoder::new();
    decoder.push(&hex(&alloc::format!("{over:016x}")));
    assert_eq!(decoder.decode(), Err(WireError::TooLarge(over)));
    decoder.push(&[0; 16]);
    assert_eq!(decoder.decode(), Err(WireError::TooLarge(over)));
}

#[test]
fn the_entries_of_one_frame_are_bounded_together() {
    let frame = "01 0000000000000002 0000000000000006 0800 1002 1804 0000000000000006 0800 1002 1805 \
                 0000000000000003";
    let whole = alloc::format!("02 0000000000000037 {FIRST_APPEND}");
    for (max, good) in [(28, true), (27, false)] {
        let mut decoder = msgapp();
        decoder.entries_max = max;
        decoder.push(&hex(&whole));
        decoder.decode().unwrap();
        decoder.push(&hex(frame));
        assert_eq!(decoder.decode().is_ok(), good, "{max}");
    }
}

#[test]
fn an_announced_length_costs_nothing_by_itself() {
    let mut decoder = msgapp();
    decoder.push(&hex("01 ffffffffffffffff"));
    assert_eq!(decoder.decode(), Ok(None));
    let mut decoder = MessageStreamDecoder::new();
    decoder.push(&FRAME_MAX.to_be_bytes());
    assert_eq!(decoder.decode(), Ok(None));
}

/// A leader's appends, most of which continue the one before.
fn run_of_appends() -> impl Strategy<Value = Vec<Message>> {
    many((0u64..4, 0u64..6, 0u64..3), 1..12).prop_map(|steps| {
        let mut last = LogId { term: 1, index: 0 };
        let mut messages = Vec::new();
        for (count, jump, terms) in steps {
            // now and then a new term, or a gap after something was lost
            let term = last.term + u64::from(terms == 2);
            if jump == 5 {
                last.index += 1;
            }
            let entries: Vec<Entry> = (1..=count)
                .map(|i| Entry {
                    term,
                    index: last.index + i,
                    kind: EntryKind::Normal,
                    data: Bytes::from_static(b"d"),
                })
                .collect();
            let body = Body::Append { prev: last, entries, commit: last.index };
            messages.push(Message { from: LEADER, to: FOLLOWER, term, body });
            last = LogId { term, index: last.index + count };
        }
        messages
    })
}

proptest! {
    #[test]
    fn runs_of_appends_come_back(messages in run_of_appends(), size in 1usize..50) {
        let mut encoder = MsgAppStreamEncoder::new();
        let mut out = BytesMut::new();
        for message in &messages {
            encoder.encode(message, &mut out);
            encoder.link_heartbeat(&mut out);
        }
        let mut decoder = msgapp();
        let mut read = Vec::new();
        for chunk in out.chunks(size) {
            decoder.push(chunk);
            read.extend(read_all(|| decoder.decode()).unwrap());
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn any_appends_come_back(
        messages in many(any_append(), 0..6),
    ) {
        let mut encoder = MsgAppStreamEncoder::new();
        let mut decoder = msgapp();
        let mut out = BytesMut::new();
        let same_ends = |message: &Message| {
            Message { from: LEADER, to: FOLLOWER, ..message.clone() }
        };
        let messages: Vec<Message> = messages.iter().map(same_ends).collect();
        messages.iter().for_each(|message| encoder.encode(message, &mut out));
        decoder.push(&out);
        prop_assert_eq!(read_all(|| decoder.decode()).unwrap(), messages);
    }

    #[test]
    fn messages_come_back(messages in many(any_message(), 0..6), size in 1usize..50) {
        let mut out = BytesMut::new();
        for message in &messages {
            MessageStreamEncoder.encode(message, &mut out);
            MessageStreamEncoder.link_heartbeat(&mut out);
        }
        let mut decoder = MessageStreamDecoder::new();
        let mut read = Vec::new();
        for chunk in out.chunks(size) {
            decoder.push(chunk);
            read.extend(read_all(|| decoder.decode()).unwrap());
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in many(prop_oneof![0u8..4, any::<u8>()], 0..300)) {
        let mut decoder = msgapp();
        decoder.push(&bytes);
        let _ = read_all(|| decoder.decode());
        let mut decoder = MessageStreamDecoder::new();
        decoder.push(&bytes);
        let _ = read_all(|| decoder.decode());
    }
}
