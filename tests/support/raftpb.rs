//! The little of etcd's peer protocol that a test says itself.

/// A message by which a member has its leader write a request into the log.
pub(crate) fn proposal(from: u64, to: u64, request: &[u8]) -> Vec<u8> {
    // raftpb.Entry: type, term, index, data.
    let entry = [field(1, 0), field(2, 0), field(3, 0), nested(4, request)].concat();
    // raftpb.Message: MsgProp, to, from, term, entries.
    [field(1, 2), field(2, to), field(3, from), field(4, 0), nested(7, &entry)].concat()
}

/// A request of the v2 store with any word for its method.
pub(crate) fn request(id: u64, method: &str, path: &str, value: &str) -> Vec<u8> {
    let texts = [(2, method), (3, path), (4, value), (6, "")];
    let numbers = [5, 7, 9, 10, 11, 12, 13, 14, 15, 16];
    let mut request = field(1, id);
    texts.iter().for_each(|(number, text)| request.extend(nested(*number, text.as_bytes())));
    numbers.iter().for_each(|number| request.extend(field(*number, 0)));
    request
}

fn field(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

fn nested(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
