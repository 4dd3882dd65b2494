//! What other members send: messages, entries, and the streams that carry them.

use bytes::Bytes;
use quorate_core::id::MemberId;
use quorate_core::member::json;
use quorate_core::wire::WireError;
use quorate_core::wire::conf_change::ConfChange;
use quorate_core::wire::message::{Received, decode_message, encode_message};
use quorate_core::wire::request::Request;
use quorate_core::wire::snapshot::SnapshotDecoder;
use quorate_core::wire::state::{
    decode_entry, decode_hard_state, decode_snapshot, encode_entry, encode_hard_state,
    encode_snapshot,
};
use quorate_core::wire::stream::{MessageStreamDecoder, MsgAppStreamDecoder};

use crate::memory::bounded;

/// The first byte chooses what the rest is read as; the second, of streams, in which pieces it
/// arrives.
pub fn run(input: &[u8]) {
    let [kind, rest @ ..] = input else { return };
    let data = Bytes::copy_from_slice(rest);
    match kind % 10 {
        0 => message(data),
        1 => same(data, decode_entry, encode_entry),
        2 => same(data, decode_hard_state, encode_hard_state),
        3 => same(data, decode_snapshot, encode_snapshot),
        4 => same(data, ConfChange::decode, ConfChange::encode),
        5 => same(data, Request::decode, Request::encode),
        6 => {
            let mut decoder = MsgAppStreamDecoder::new(MemberId(1), MemberId(2));
            stream(rest, |piece| {
                decoder.push(piece);
                decoder.decode()
            });
        }
        7 => {
            let mut decoder = MessageStreamDecoder::new();
            stream(rest, |piece| {
                decoder.push(piece);
                decoder.decode()
            });
        }
        8 => {
            let mut decoder = SnapshotDecoder::new();
            bounded(rest.len(), || pieces(rest).for_each(|piece| decoder.push(piece)));
            // Whatever came, the body has an end.
            drop(decoder.finish());
        }
        _ => members(rest),
    }
}

/// What was read is printed in a form that reads the same.
fn same<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    data: Bytes,
    decode: impl Fn(Bytes) -> Result<T, E>,
    encode: impl Fn(&T) -> Bytes,
) {
    let len = data.len();
    if let Ok(read) = bounded(len, || decode(data)) {
        let again = decode(encode(&read)).expect("what is printed can be read");
        assert_eq!(again, read);
    }
}

fn message(data: Bytes) {
    let len = data.len();
    if let Ok(Received::Message(read)) = bounded(len, || decode_message(data)) {
        let again = decode_message(encode_message(&read));
        assert_eq!(again, Ok(Received::Message(read)));
    }
}

fn members(text: &[u8]) {
    if let Ok(mut read) = bounded(text.len(), || json::decode_members(text)) {
        // They are printed in this order, whatever the one is in which they came.
        read.sort_by_key(|member| member.id);
        let again = json::decode_members(json::encode_members(&read).as_bytes());
        assert_eq!(again.expect("what is printed can be read"), read);
    }
}

/// Feeds a stream piece by piece. Once it is broken it stays so.
fn stream(input: &[u8], mut take: impl FnMut(&[u8]) -> Result<Option<Received>, WireError>) {
    bounded(input.len(), || {
        let mut broken = None;
        for piece in pieces(input) {
            let mut taken = take(piece);
            while let Ok(Some(_)) = taken {
                taken = take(&[]);
            }
            if let Some(first) = &broken {
                assert_eq!(taken.as_ref().err(), Some(first), "a broken stream stays broken");
            }
            broken = taken.err();
        }
    });
}

/// The input behind its first byte, in pieces of as many bytes as that says.
fn pieces(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (size, rest) = input.split_first().unwrap_or((&1, &[]));
    rest.chunks(usize::from(*size).max(1))
}
