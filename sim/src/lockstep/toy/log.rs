//! How the toy writes requests into entries, and entries into its file.

use bytes::Bytes;
use quorate_core::api::{KeysRequest, Verb};
use quorate_core::id::MemberId;
use quorate_core::raft::{Entry, EntryKind};
use quorate_core::store::{Command, Method};

use crate::digest::Digest;

fn put(data: &mut Vec<u8>, bytes: &[u8]) {
    data.extend((bytes.len() as u64).to_le_bytes());
    data.extend(bytes);
}

fn take<'a>(data: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, rest) = data.split_at_checked(len)?;
    *data = rest;
    Some(head)
}

fn number(data: &mut &[u8]) -> Option<u64> {
    take(data, 8).map(|b| u64::from_le_bytes(b.try_into().unwrap_or_default()))
}

fn text<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = number(data)?;
    take(data, usize::try_from(len).ok()?)
}

pub(super) fn entry(origin: u64, request: u64, keys: &KeysRequest) -> Entry {
    let method = match keys.verb {
        Verb::Get => 0u64,
        Verb::Put => 1,
        Verb::Post => 2,
        Verb::Delete => 3,
    };
    let exist = keys.prev_exist.map_or(2, u64::from);
    let mut data = Vec::new();
    for word in [origin, request, method, exist, keys.prev_index, u64::from(keys.recursive)] {
        data.extend(word.to_le_bytes());
    }
    put(&mut data, keys.path.as_bytes());
    put(&mut data, &keys.value);
    put(&mut data, keys.prev_value.as_ref().unwrap_or(&Bytes::new()));
    Entry { term: 0, index: 0, kind: EntryKind::Normal, data: data.into() }
}

pub(super) fn origin(mut data: &[u8]) -> (u64, u64) {
    let data = &mut data;
    (number(data).expect("the toy's own"), number(data).expect("the toy's own"))
}

pub(super) fn command(mut data: &[u8]) -> Command {
    let data = &mut data;
    let mut word = || number(data).expect("the toy's own");
    let (_, _, method, exist, prev_index, recursive) =
        (word(), word(), word(), word(), word(), word());
    let method = [Method::Qget, Method::Put, Method::Post, Method::Delete][method as usize];
    let mut bytes = || Bytes::copy_from_slice(text(data).expect("the toy's own"));
    let path = String::from_utf8(bytes().to_vec()).expect("the toy's own");
    Command {
        value: bytes(),
        prev_value: bytes(),
        prev_index,
        prev_exist: [Some(false), Some(true), None][exist as usize],
        recursive: recursive != 0,
        ..Command::new(method, path)
    }
}

/// A record of the file: either an entry, or term and vote with index 0.
pub(super) fn record(file: &mut Vec<u8>, term: u64, index: u64, data: &[u8]) {
    let start = file.len();
    file.extend(term.to_le_bytes());
    file.extend(index.to_le_bytes());
    put(file, data);
    let mut digest = Digest::default();
    digest.add_bytes(&file[start..]);
    file.extend(digest.value().to_le_bytes());
}

/// What a file holds up to the first record that is not whole.
pub(super) fn replay(file: &[u8]) -> (u64, MemberId, Vec<Entry>, u64) {
    let (mut term, mut vote, mut entries, mut end) = (0, MemberId(0), Vec::<Entry>::new(), 0);
    let mut rest = file;
    while let Some((at, index, data, len)) = read_record(rest) {
        rest = &rest[len..];
        end += len as u64;
        if index == 0 {
            term = at;
            vote = MemberId(number(&mut &*data).unwrap_or(0));
        } else {
            entries.truncate(index as usize - 1);
            let data = Bytes::copy_from_slice(data);
            entries.push(Entry { term: at, index, kind: EntryKind::Normal, data });
        }
    }
    (term, vote, entries, end)
}

fn read_record(file: &[u8]) -> Option<(u64, u64, &[u8], usize)> {
    let mut rest = file;
    let (term, index) = (number(&mut rest)?, number(&mut rest)?);
    let data = text(&mut rest)?;
    let len = file.len() - rest.len();
    let mut digest = Digest::default();
    digest.add_bytes(&file[..len]);
    (number(&mut rest)? == digest.value()).then_some((term, index, data, len + 8))
}
