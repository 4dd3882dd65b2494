//! A snapshot file of etcd: a checksum, and the snapshot as Raft has it, whose data is the dump of
//! the v2 store.

use bytes::Bytes;
use prost::Message as _;

use super::castagnoli::carry_on;
use crate::raft::Snapshot;
use crate::store::Image;
use crate::wire::state::decode_snapshot;

/// `snappb.Snapshot`
#[derive(Clone, PartialEq, prost::Message)]
struct SnapshotFile {
    #[prost(uint32, required, tag = "1")]
    crc: u32,
    #[prost(bytes = "bytes", optional, tag = "2")]
    data: Option<Bytes>,
}

/// The snapshot in a file, if it can be relied on.
pub(super) fn read(file: &Bytes) -> Option<Snapshot> {
    let SnapshotFile { crc, data } = SnapshotFile::decode(file.clone()).ok()?;
    let data = data.filter(|data| carry_on(0, data) == crc)?;
    let snapshot = decode_snapshot(data).ok()?;
    Image::decode(&snapshot.data).is_ok().then_some(snapshot)
}
