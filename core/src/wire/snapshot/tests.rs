use std::vec;

use proptest::prelude::*;

use super::*;
use crate::id::MemberId;
use crate::raft::{ConfState, LogId, Snapshot};
use crate::wire::message::tests::{any_message, first_append};

fn snapshot() -> Message {
    Message {
        from: MemberId(1),
        to: MemberId(2),
        term: 5,
        body: Body::Snapshot(Snapshot {
            last: LogId { term: 4, index: 100 },
            conf: ConfState { voters: vec![MemberId(1), MemberId(2)], learners: vec![] },
            data: Bytes::from_static(b"{\"Root\":{}}"),
        }),
    }
}

#[test]
fn the_message_is_found_before_the_database() {
    let body = encode_snapshot_body(&snapshot());
    for size in [1, 7, 4096, body.len()] {
        let mut decoder = SnapshotDecoder::new();
        body.chunks(size).for_each(|chunk| decoder.push(chunk));
        assert_eq!(decoder.finish(), Ok(snapshot()), "{size}");
    }
    let mut decoder = SnapshotDecoder::new();
    decoder.push(&body[..end_of_message(&body)]);
    assert_eq!(decoder.finish(), Ok(snapshot()));
}

#[test]
fn a_database_has_an_end() {
    let mut decoder = SnapshotDecoder::new();
    decoder.push(&encode_snapshot_body(&snapshot()));
    let chunk = vec![0; 64 << 20];
    let chunks = DATABASE_MAX / chunk.len() as u64;
    (0..chunks).for_each(|_| decoder.push(&chunk));
    assert!(!decoder.is_refused());
    decoder.push(&chunk);
    assert!(decoder.is_refused());
    assert!(matches!(decoder.finish(), Err(WireError::TooLarge(_))));
}

fn end_of_message(body: &[u8]) -> usize {
    8 + encode_message(&snapshot()).len().min(body.len())
}

#[test]
fn a_body_that_is_none_is_told_by_its_cause() {
    let body = encode_snapshot_body(&snapshot());
    for length in 0..end_of_message(&body) {
        let mut decoder = SnapshotDecoder::new();
        decoder.push(&body[..length]);
        assert_eq!(decoder.finish(), Err(WireError::Malformed("unexpected EOF".into())));
    }
    let append = encode_message(&first_append());
    let mut decoder = SnapshotDecoder::new();
    decoder.push(&(append.len() as u64).to_be_bytes());
    decoder.push(&append);
    assert_eq!(decoder.finish(), Err(WireError::Misplaced));
    let mut decoder = SnapshotDecoder::new();
    decoder.push(&u64::MAX.to_be_bytes());
    assert_eq!(decoder.finish(), Err(WireError::TooLarge(u64::MAX)));
}

proptest! {
    #[test]
    fn only_snapshots_come_this_way(message in any_message()) {
        let bytes = encode_message(&message);
        let mut decoder = SnapshotDecoder::new();
        decoder.push(&(bytes.len() as u64).to_be_bytes());
        decoder.push(&bytes);
        let is_snapshot = matches!(message.body, Body::Snapshot(_));
        let expected = if is_snapshot { Ok(message) } else { Err(WireError::Misplaced) };
        prop_assert_eq!(decoder.finish(), expected);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut decoder = SnapshotDecoder::new();
        decoder.push(&[0; 7]);
        bytes.chunks(9).for_each(|chunk| decoder.push(chunk));
        let _ = decoder.finish();
    }
}
