//! Everything that a node can ask for.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::input::{CallId, ClientId};
use crate::api;
use crate::auth::password;
use crate::disk::Op;
use crate::dns::Query;
use crate::error::Refusal;
use crate::http::Call;
use crate::id::MemberId;
use crate::note::Note;
use crate::proxy::Routes;
use crate::raft::Message;
use crate::store::Image;
use crate::url::Url;
use crate::view::View;

/// Something to be done. Outputs are carried out in the order in which they were pushed.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a message to a peer, if it can be done at once; messages may be lost.
    Send(Message),
    /// Answer a client, or give it a further part of its answer.
    Reply {
        /// Whose request.
        id: ClientId,
        /// What to answer; apart, because it is many times as large as most outputs.
        response: Box<api::Response>,
        /// Whether it is the last part.
        last: bool,
    },
    /// Carry out a disk operation.
    Disk(Op),
    /// Make a call to another server.
    Http {
        /// Under which its answer comes in.
        call: CallId,
        /// What to ask.
        request: Call,
    },
    /// Ask a resolver.
    Dns {
        /// Under which the answer comes in.
        call: CallId,
        /// What to ask.
        query: Query,
    },
    /// Compute something that takes too long for the loop.
    Compute {
        /// Under which the result comes in.
        call: CallId,
        /// What to compute.
        task: Task,
    },
    /// Bind the listeners of peers and clients and begin to serve.
    Listen {
        /// Where peers connect.
        peer: Vec<Url>,
        /// Where clients connect.
        client: Vec<Url>,
    },
    /// These are the peers now: keep connections to them, and to nobody else.
    Peers(Vec<Peer>),
    /// What readers see from now on.
    Publish(Arc<View>),
    /// Forward requests like this from now on: this is a proxy, which listens to no peers.
    Route(Arc<Routes>),
    /// Something worth knowing.
    Note(Note),
    /// The end: nothing follows, and no further input is taken.
    Halt(Exit),
}

/// A pure computation that may take long.
#[derive(Clone, Debug)]
pub enum Task {
    /// Dump an image of the store: [`Image::encode`].
    Encode(Image),
    /// Read a dump: [`Image::decode`].
    Decode(Bytes),
    /// Hash a password: [`password::hash`].
    HashPassword {
        /// The password.
        password: String,
        /// Random bytes.
        salt: [u8; 16],
    },
    /// Verify a password: [`password::verify`].
    VerifyPassword {
        /// The password.
        password: String,
        /// The hash that is stored.
        hash: String,
    },
}

impl Task {
    /// Does it. For drivers: on a thread of their own, or in place.
    pub fn run(self) -> super::input::Computed {
        match self {
            Self::Encode(image) => super::input::Computed::Encoded(image.encode()),
            Self::Decode(bytes) => super::input::Computed::Decoded(Image::decode(&bytes)),
            Self::HashPassword { password, salt } => {
                super::input::Computed::Hashed(password::hash(&password, salt))
            }
            Self::VerifyPassword { password, hash } => {
                super::input::Computed::Verified(password::verify(&password, &hash))
            }
        }
    }
}

/// A member to be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub id: MemberId,
    /// Where; a failure moves on to the next.
    pub urls: Vec<Url>,
}

/// How the process ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to stop, or left the cluster; status 0. The lines are logged.
    Stopped {
        /// What to say, if anything.
        lines: Vec<&'static str>,
    },
    /// It refuses to go on; status 1, or 2 if its command line is malformed.
    Refused(Refusal),
    /// It cannot go on: a write or sync failed, or an invariant is broken; status 70.
    Fault(Refusal),
}

impl Exit {
    /// The exit status.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Stopped { .. } => 0,
            Self::Refused(refusal) => refusal.code(),
            Self::Fault(_) => 70,
        }
    }
}
