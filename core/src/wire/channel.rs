//! Which way a message goes.

use crate::raft::Body;

/// A way to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// The stream of appends, which the peer has dialled.
    MsgApp,
    /// The stream of all other messages, which the peer has dialled.
    Message,
    /// `POST /raft`, one message per request.
    Pipeline,
    /// `POST /raft/snapshot`
    Snapshot,
}

/// What is open to a peer at the moment; requests can always be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Whether its stream of appends is attached.
    pub msgapp: bool,
    /// Whether its stream of other messages is attached.
    pub message: bool,
}

impl Channel {
    /// The channel for a message. etcd 2.3 takes snapshots on the pipeline (`snapshots_by_pipeline`)
    /// and nowhere else; 3.4 dies of one that comes there.
    pub const fn choose(body: &Body, open: Open, snapshots_by_pipeline: bool) -> Self {
        match body {
            Body::Snapshot(_) if snapshots_by_pipeline => Self::Pipeline,
            Body::Snapshot(_) => Self::Snapshot,
            Body::Append { .. } if open.msgapp => Self::MsgApp,
            _ if open.message => Self::Message,
            _ => Self::Pipeline,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use bytes::Bytes;

    use super::*;
    use crate::raft::{ConfState, LogId, Snapshot};

    #[test]
    fn every_message_finds_its_way() {
        let append = Body::Append { prev: LogId::default(), entries: Vec::new(), commit: 0 };
        let other = Body::TimeoutNow;
        let snapshot = Body::Snapshot(Snapshot {
            last: LogId::default(),
            conf: ConfState::default(),
            data: Bytes::new(),
        });
        let table = [
            (true, true, Channel::MsgApp, Channel::Message),
            (true, false, Channel::MsgApp, Channel::Pipeline),
            (false, true, Channel::Message, Channel::Message),
            (false, false, Channel::Pipeline, Channel::Pipeline),
        ];
        for (msgapp, message, for_append, for_other) in table {
            let open = Open { msgapp, message };
            assert_eq!(Channel::choose(&append, open, false), for_append);
            assert_eq!(Channel::choose(&other, open, false), for_other);
            assert_eq!(Channel::choose(&snapshot, open, false), Channel::Snapshot);
            assert_eq!(Channel::choose(&snapshot, open, true), Channel::Pipeline);
        }
    }
}
