use std::format;
use std::string::String;

use proptest::collection::vec as many;
use proptest::prelude::*;

use super::*;
use crate::raft::{ConfState, Snapshot};

pub(crate) fn hex(text: &str) -> Bytes {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let pair = |i: usize| u8::from_str_radix(&digits[i..i + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect::<Vec<u8>>().into()
}

fn bytes() -> impl Strategy<Value = Bytes> {
    many(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn entry() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![Just(EntryKind::Normal), Just(EntryKind::ConfChange)];
    (kind, bytes()).prop_map(|(kind, data)| Entry { term: 0, index: 0, kind, data })
}

fn log_id() -> impl Strategy<Value = LogId> {
    (any::<u64>(), any::<u64>()).prop_map(|(term, index)| LogId { term, index })
}

/// Term and body of an append whose entries are possible.
fn an_append() -> impl Strategy<Value = (u64, Body)> {
    let entries = many((entry(), 0u64..3), 0..6);
    (1u64..1000, 0u64..1 << 40, entries, any::<u64>(), 0u64..2).prop_map(
        |(prev_term, index, steps, commit, ahead)| {
            let prev = LogId { term: prev_term, index };
            let mut last = prev;
            let mut entries = Vec::new();
            for (entry, step) in steps {
                last = LogId { term: last.term + step, index: last.index + 1 };
                entries.push(Entry { term: last.term, index: last.index, ..entry });
            }
            (last.term + ahead, Body::Append { prev, entries, commit })
        },
    )
}

fn a_snapshot() -> impl Strategy<Value = Body> {
    let ids = proptest::collection::btree_set(1..u64::MAX, 0..6);
    (log_id(), ids, bytes()).prop_map(|(last, ids, data)| {
        let ids: Vec<MemberId> = ids.into_iter().map(MemberId).collect();
        let (voters, learners) = ids.split_at(ids.len() / 2);
        let conf = ConfState { voters: voters.to_vec(), learners: learners.to_vec() };
        Body::Snapshot(Snapshot { last, conf, data })
    })
}

fn other_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        many(entry(), 0..4).prop_map(|entries| Body::Propose { entries }),
        any::<u64>().prop_map(|index| Body::Appended { index }),
        any::<u64>().prop_map(|index| Body::Held { index }),
        (any::<u64>(), log_id()).prop_map(|(index, hint)| Body::AppendRejected { index, hint }),
        (any::<bool>(), log_id(), any::<bool>()).prop_map(|(pre, last, transfer)| Body::Vote {
            pre,
            last,
            transfer
        }),
        (any::<bool>(), any::<bool>())
            .prop_map(|(pre, granted)| Body::VoteResponse { pre, granted }),
        a_snapshot(),
        (any::<u64>(), bytes()).prop_map(|(commit, context)| Body::Heartbeat { commit, context }),
        bytes().prop_map(|context| Body::HeartbeatResponse { context }),
        Just(Body::TransferLeader),
        Just(Body::TimeoutNow),
        bytes().prop_map(|context| Body::ReadIndex { context }),
        (any::<u64>(), bytes())
            .prop_map(|(index, context)| Body::ReadIndexResponse { index, context }),
    ]
}

pub(crate) fn any_append() -> impl Strategy<Value = Message> {
    (1..u64::MAX, any::<u64>(), an_append()).prop_map(|(from, to, (term, body))| Message {
        from: MemberId(from),
        to: MemberId(to),
        term,
        body,
    })
}

pub(crate) fn any_message() -> impl Strategy<Value = Message> {
    let other = (1..u64::MAX, any::<u64>(), 1..u64::MAX, other_body());
    let other = other.prop_map(|(from, to, term, body)| Message {
        from: MemberId(from),
        to: MemberId(to),
        term,
        body,
    });
    prop_oneof![any_append(), other]
}

/// The first append of a term in the form that etcd 3.4.23 sends, byte for byte, which makes 55
/// bytes between IDs of these lengths.
pub(crate) const FIRST_APPEND: &str = "08 03 10 9ea5b5dc9ab1f4c14d 18 ecc58ad9b1a2f0dea701 20 02 \
     28 01 30 02 3a 06 08 00 10 02 18 03 40 02 4a 0a 12 08 0a 02 28 00 10 00 18 00 50 00 58 00";

pub(crate) fn first_append() -> Message {
    let empty = |term, index| Entry { term, index, kind: EntryKind::Normal, data: Bytes::new() };
    Message {
        from: MemberId(0xa7bd_c113_1b22_a2ec),
        to: MemberId(0x4d83_d189_ab8d_529e),
        term: 2,
        body: Body::Append {
            prev: LogId { term: 1, index: 2 },
            entries: vec![empty(2, 3)],
            commit: 2,
        },
    }
}

#[test]
fn an_append_is_written_as_etcd_writes_it() {
    let golden = hex(FIRST_APPEND);
    assert_eq!(golden.len(), 0x37);
    assert_eq!(encode_message(&first_append()), golden);
    assert_eq!(decode_message(golden), Ok(Received::Message(first_append())));
}

#[test]
fn the_empty_snapshot_of_2_3_and_its_absence_are_read_too() {
    let new = "4a 0a 12 08 0a 02 28 00 10 00 18 00";
    assert!(FIRST_APPEND.contains(new));
    for form in ["4a 08 12 06 0a 00 10 00 18 00", ""] {
        let other = hex(&FIRST_APPEND.replace(new, form));
        assert_eq!(decode_message(other), Ok(Received::Message(first_append())), "{form}");
    }
}

#[test]
fn links_beat_with_an_empty_heartbeat() {
    let golden = hex(
        "08 08 10 00 18 00 20 00 28 00 30 00 40 00 4a 0a 12 08 0a 02 28 00 10 00 18 00 50 00 58 00",
    );
    assert_eq!(encode_link_heartbeat(), golden);
    assert_eq!(decode_message(golden), Ok(Received::LinkHeartbeat));
    assert_eq!(decode_message(hex("08 08")), Ok(Received::LinkHeartbeat));
}

#[test]
fn configurations_are_unpacked_on_the_wire_and_read_either_way() {
    let snapshot = Snapshot {
        last: LogId { term: 3, index: 7 },
        conf: ConfState { voters: vec![MemberId(1), MemberId(300)], learners: vec![MemberId(2)] },
        data: Bytes::from_static(b"{}"),
    };
    let message =
        Message { from: MemberId(1), to: MemberId(2), term: 3, body: Body::Snapshot(snapshot) };
    let golden = hex(
        "08 07 10 02 18 01 20 03 28 00 30 00 40 00 4a 15 0a 02 7b 7d 12 0f 0a 09 08 01 08 ac 02 \
         10 02 28 00 10 07 18 03 50 00 58 00",
    );
    assert_eq!(encode_message(&message), golden);
    assert_eq!(decode_message(golden), Ok(Received::Message(message.clone())));
    let packed = hex(
        "08 07 10 02 18 01 20 03 4a 17 0a 02 7b 7d 12 11 0a 0b 0a 03 ac 02 01 10 02 28 00 22 00 \
         10 07 18 03",
    );
    assert_eq!(decode_message(packed), Ok(Received::Message(message)));
}

#[test]
fn transfers_override_by_their_context() {
    let vote = |transfer| Message {
        from: MemberId(1),
        to: MemberId(2),
        term: 3,
        body: Body::Vote { pre: false, last: LogId { term: 2, index: 9 }, transfer },
    };
    let plain = encode_message(&vote(false));
    let loud = encode_message(&vote(true));
    assert_eq!(loud[..plain.len()], plain);
    assert_eq!(loud[plain.len()..], *b"\x62\x10CampaignTransfer");
}

#[test]
fn what_makes_no_sense_is_an_error_and_not_a_message() {
    for local in [0, 1, 10, 11, 12] {
        assert_eq!(decode_message(hex(&format!("08 {local:02x}"))), Ok(Received::Local));
    }
    let table = [
        ("08 13 18 01 20 01", WireError::UnknownMessage(19)),
        ("08 ffffffffffffffffff01 18 01", WireError::UnknownMessage(-1)),
        ("08 08 10 01 20 01", WireError::NoSender),
        ("08 03 18 01", WireError::NoTerm),
        // entry types 2 (joint change) and 7
        ("08 03 18 01 20 01 3a 06 08 02 10 01 18 01", WireError::UnknownEntry(2)),
        ("08 02 18 01 3a 02 08 07", WireError::UnknownEntry(7)),
        // a gap, an entry of a later term than the sender's, falling terms, no index left
        ("08 03 18 01 20 01 3a 06 08 00 10 01 18 02", WireError::Entries),
        ("08 03 18 01 20 01 3a 06 08 00 10 02 18 01", WireError::Entries),
        ("08 03 18 01 20 02 28 02 30 04 3a 06 08 00 10 01 18 05", WireError::Entries),
        ("08 03 18 01 20 01 30 ffffffffffffffffff01 3a 02 08 00", WireError::Entries),
        ("08 0f 18 01", WireError::Entries),
        // joint configuration, member 0, a member twice
        ("08 07 18 01 20 01 4a 06 12 04 0a 02 18 01", WireError::ConfState),
        ("08 07 18 01 20 01 4a 06 12 04 0a 02 08 00", WireError::ConfState),
        ("08 07 18 01 20 01 4a 08 12 06 0a 04 08 01 10 01", WireError::ConfState),
    ];
    for (text, error) in table {
        assert_eq!(decode_message(hex(text)), Err(error), "{text}");
    }
    assert!(matches!(decode_message(hex("08")), Err(WireError::Malformed(_))));
}

proptest! {
    #[test]
    fn messages_come_back(message in any_message()) {
        let bytes = encode_message(&message);
        // Places of proposed entries are the leader's to give.
        prop_assert_eq!(decode_message(bytes), Ok(Received::Message(message)));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in many(any::<u8>(), 0..200)) {
        let _ = decode_message(bytes.into());
    }

    #[test]
    fn no_damage_makes_the_decoder_panic(
        message in any_message(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode_message(&message).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = decode_message(bytes.into());
    }
}
