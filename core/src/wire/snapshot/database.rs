//! The database that etcd 3.4 wants with a snapshot: of the v3 keyspace, empty, and as old as the
//! snapshot.
//!
//! etcd opens it as its own. Without it, or without the index in it, a member dies when it takes the
//! snapshot, or cannot be started again. It is the smallest file of bbolt with the ten buckets that
//! are looked for: four pages, numbers little-endian, the index big-endian.

use alloc::vec::Vec;
use core::hash::Hasher as _;

use bytes::{BufMut as _, Bytes};
use fnv::FnvHasher;

const PAGE: usize = 4096;
const META: u16 = 4;
const FREELIST: u16 = 0x10;
const LEAF: u16 = 2;
const MAGIC: u32 = 0xed0c_daed;
const VERSION: u32 = 2;
const FREELIST_AT: u64 = 2;
const ROOT_AT: u64 = 3;
const PAGES: u64 = 4;

/// The header of an element of a leaf.
const ELEMENT: usize = 16;
/// An element that is a bucket.
const BUCKET: u32 = 1;

/// The buckets, in the order of their names.
const BUCKETS: [&str; 10] = [
    "alarm",
    "auth",
    "authRoles",
    "authUsers",
    "cluster",
    "key",
    "lease",
    "members",
    "members_removed",
    "meta",
];
const WITH_INDEX: &str = "meta";
const INDEX: &str = "consistent_index";

/// The database that goes with a snapshot of the entries up to `index`.
pub(super) fn database(index: u64) -> Bytes {
    let mut file = Vec::with_capacity(PAGE * 4);
    for transaction in 0..2 {
        page(&mut file, transaction, META, 0, &meta(transaction));
    }
    page(&mut file, FREELIST_AT, FREELIST, 0, &[]);
    let buckets = BUCKETS.map(|name| (name, bucket(name, index)));
    let elements = buckets.each_ref().map(|(name, value)| (BUCKET, *name, value.as_slice()));
    page(&mut file, ROOT_AT, LEAF, BUCKETS.len() as u16, &leaf(&elements));
    file.into()
}

fn header(out: &mut Vec<u8>, id: u64, flags: u16, count: u16) {
    out.put_u64_le(id);
    out.put_u16_le(flags);
    out.put_u16_le(count);
    out.put_u32_le(0);
}

fn page(file: &mut Vec<u8>, id: u64, flags: u16, count: u16, content: &[u8]) {
    let end = file.len() + PAGE;
    header(file, id, flags, count);
    file.put_slice(content);
    file.resize(end, 0);
}

/// What a page of meta data says after the transaction with this number.
fn meta(transaction: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for number in [MAGIC, VERSION, PAGE as u32, 0] {
        out.put_u32_le(number);
    }
    for number in [ROOT_AT, 0, FREELIST_AT, PAGES, transaction] {
        out.put_u64_le(number);
    }
    let mut hasher = FnvHasher::default();
    hasher.write(&out);
    out.put_u64_le(hasher.finish());
    out
}

/// The elements of a leaf: their headers, then keys and values.
fn leaf(elements: &[(u32, &str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut content = elements.len() * ELEMENT;
    for (place, (flags, key, value)) in elements.iter().enumerate() {
        out.put_u32_le(*flags);
        out.put_u32_le((content - place * ELEMENT) as u32);
        out.put_u32_le(key.len() as u32);
        out.put_u32_le(value.len() as u32);
        content += key.len() + value.len();
    }
    for (_, key, value) in elements {
        out.put_slice(key.as_bytes());
        out.put_slice(value);
    }
    out
}

/// A bucket that lies within its value: no page of its own, and a leaf.
fn bucket(name: &str, index: u64) -> Vec<u8> {
    let value = index.to_be_bytes();
    let elements: &[(u32, &str, &[u8])] =
        if name == WITH_INDEX { &[(0, INDEX, &value)] } else { &[] };
    let mut out = Vec::new();
    out.put_u64_le(0);
    out.put_u64_le(0);
    header(&mut out, 0, LEAF, elements.len() as u16);
    out.put_slice(&leaf(elements));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8], at: usize) -> usize {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    }

    /// Keys and values of the leaf that begins with its header.
    fn read(leaf: &[u8]) -> Vec<(&[u8], &[u8])> {
        let count = usize::from(leaf[10]);
        let element = |place: usize| {
            let at = 16 + place * ELEMENT;
            let key = at + number(leaf, at + 4);
            let value = key + number(leaf, at + 8);
            (&leaf[key..value], &leaf[value..value + number(leaf, at + 12)])
        };
        (0..count).map(element).collect()
    }

    #[test]
    fn every_bucket_is_there_and_one_has_the_index() {
        let file = database(0x0102_0304_0506_0708);
        assert_eq!(file.len(), 4 * PAGE);
        let root = read(&file[3 * PAGE..]);
        assert!(root.iter().map(|(key, _)| *key).eq(BUCKETS.map(str::as_bytes)));
        for (name, value) in root {
            let inside = read(&value[16..]);
            let index: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8];
            let expected: &[(&[u8], &[u8])] =
                if name == b"meta" { &[(b"consistent_index", index)] } else { &[] };
            assert_eq!(inside, expected);
        }
    }

    #[test]
    fn both_pages_of_meta_data_are_signed() {
        let file = database(1);
        for page in [0, 1] {
            let meta = &file[page * PAGE + 16..page * PAGE + 16 + 64];
            let mut hasher = FnvHasher::default();
            hasher.write(&meta[..56]);
            assert_eq!(meta[56..], hasher.finish().to_le_bytes());
            assert_eq!(usize::from(meta[48]), page, "the number of the transaction");
        }
    }
}
