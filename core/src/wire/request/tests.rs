use std::string::ToString as _;

use proptest::prelude::*;

use super::*;
use crate::wire::message::tests::hex;

/// `PUT /v2/keys/foo value=bar` as etcd 3.4.23 stored it.
const STORED_PUT: &str = "08 8682c283a1c0e8c07a 12 03 505554 1a 06 2f312f666f6f 22 03 626172 28 00 \
     32 00 38 00 48 00 50 00 58 00 60 00 68 00 70 00 78 00 80 01 00";

fn stored_put() -> Request {
    let value = Bytes::from_static(b"bar");
    Request { value, ..Request::new(0x7a81_a202_1070_8106, Method::Put, "/1/foo") }
}

#[test]
fn a_request_is_written_as_etcd_writes_it() {
    assert_eq!(stored_put().encode(), hex(STORED_PUT));
    assert_eq!(Request::decode(hex(STORED_PUT)), Ok(stored_put()));
}

#[test]
fn absent_false_and_true_are_three_things() {
    for (field, set) in [("40", 8), ("88 01", 17)] {
        for (value, expected) in [("", None), ("00", Some(false)), ("01", Some(true))] {
            let text = if value.is_empty() { "" } else { field };
            let data = hex(&alloc::format!("12 03 505554 {text} {value}"));
            let request = Request::decode(data).unwrap();
            let field = if set == 8 { request.prev_exist } else { request.refresh };
            assert_eq!(field, expected);
            assert_eq!(Request::decode(request.encode()).unwrap(), request);
        }
    }
}

#[test]
fn values_are_bytes_and_paths_are_text() {
    let mut request = stored_put();
    request.value = Bytes::from_static(b"\xff\x00");
    request.prev_value = Bytes::from_static(b"\xfe");
    assert_eq!(Request::decode(request.encode()).unwrap(), request);
    let bad_path = hex("12 03 505554 1a 01 ff");
    assert_eq!(Request::decode(bad_path), Err(RequestError::Path));
}

#[test]
fn a_wrapped_v2_request_is_unwrapped() {
    let bare = stored_put().encode();
    let mut data = std::vec![0x08, 0x01, 0x12, u8::try_from(bare.len()).unwrap()];
    data.extend_from_slice(&bare);
    assert_eq!(Request::decode(data.into()).unwrap(), stored_put());
}

#[test]
fn v3_requests_are_refused_by_name() {
    let table = [
        ("08 05 22 06 0a 01 61 12 01 62", "put"),
        ("08 05 1a 03 0a 01 61", "range"),
        ("2a 03 0a 01 61", "delete_range"),
        ("32 00", "txn"),
        ("3a 02 08 05", "compaction"),
        ("42 04 08 0a 10 01", "lease_grant"),
        ("4a 02 08 01", "lease_revoke"),
        ("52 02 10 01", "alarm"),
        ("5a 00", "lease_checkpoint"),
        ("a2 06 02 08 01 c2 3e 00", "auth or newer"),
    ];
    for (text, kind) in table {
        assert_eq!(Request::decode(hex(text)), Err(RequestError::V3(kind)), "{text}");
    }
}

#[test]
fn unknown_words_are_kept_for_their_waiter() {
    let request = Request::new(7, Method::Unknown("FOO".to_string()), "/1/a");
    assert_eq!(Request::decode(request.encode()).unwrap(), request);
    for method in
        [Method::Post, Method::Put, Method::Delete, Method::Qget, Method::Sync, Method::Quorate]
    {
        let request = Request::new(7, method, "");
        assert_eq!(Request::decode(request.encode()).unwrap(), request);
    }
    assert!(matches!(Request::decode(hex("ff")), Err(RequestError::Malformed(_))));
}

proptest! {
    #[test]
    fn requests_come_back(
        id in any::<u64>(),
        path in "\\PC{0,12}",
        numbers in any::<(u64, u64, i64, i64)>(),
        flags in any::<[bool; 6]>(),
        nullable in any::<(Option<bool>, Option<bool>)>(),
        value in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let request = Request {
            value: value.clone().into(),
            prev_value: value.into(),
            prev_index: numbers.0,
            since: numbers.1,
            expiration: numbers.2,
            time: numbers.3,
            dir: flags[0],
            wait: flags[1],
            recursive: flags[2],
            sorted: flags[3],
            quorum: flags[4],
            stream: flags[5],
            prev_exist: nullable.0,
            refresh: nullable.1,
            ..Request::new(id, Method::Delete, path)
        };
        prop_assert_eq!(fast::read(&request.encode()), Some(request.clone()));
        let library = RawRequest::decode(request.encode()).unwrap();
        prop_assert_eq!(Request::try_from(&library).unwrap(), request);
    }

    #[test]
    fn what_is_read_fast_is_what_the_library_reads(
        at in any::<prop::sample::Index>(),
        change in any::<u8>(),
        cut in any::<bool>(),
        flag in any::<Option<bool>>(),
    ) {
        let request = Request { prev_exist: flag, refresh: flag, time: -1, ..stored_put() };
        let mut data = request.encode().to_vec();
        let at = at.index(data.len());
        data[at] = change;
        if cut {
            data.truncate(at + 1);
        }
        let data = Bytes::from(data);
        if let Some(read) = fast::read(&data) {
            let library = RawRequest::decode(data).map(|raw| Request::try_from(&raw));
            prop_assert_eq!(library, Ok(Ok(read)));
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Request::decode(bytes.into());
    }
}
