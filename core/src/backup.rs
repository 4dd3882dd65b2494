//! Backups of a running cluster, and new clusters made of them.
//!
//! A backup is what one member has applied at one moment: the dump of its store, which is O(1) to
//! take, under a head that says whose it is. A restore writes data directories of a cluster that is
//! another one in every respect but its keys: the IDs of its members and its own hang on the backup
//! besides the list and the token, so that a member of the old cluster and one of the new can never
//! take each other for one of their own, not even where list and token are the same.
//!
//! ```text
//!   view ─▶ Head ─▶ pieces ─▶ file ─▶ Reader ─▶ restore ─▶ a directory of each member
//! ```

pub mod ask;
mod file;
mod refusals;
mod restore;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::api::reply;
use crate::http::{Head as Request, Reply};
use crate::id::{ClusterId, MemberId};
use crate::raft::LogId;
use crate::time::Wall;
use crate::time::rfc3339::Rfc3339;
use crate::view::View;

pub use file::{Damage, PIECE, Pieces, Reader};
pub use refusals::{absent, exists, unreadable, unwritable};
pub use restore::{Restored, restore};

/// What a backup says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Drawn for this backup: what is made of it can be told from everything else.
    pub id: [u8; 16],
    /// The member that gave it.
    pub member: MemberId,
    /// The cluster of that member.
    pub cluster: ClusterId,
    /// The last entry that was applied, and the term in which the member was.
    pub last: LogId,
    /// The index of the store.
    pub store_index: u64,
    /// When it was taken, by the clock of the member.
    pub taken: Wall,
    /// Bytes of the dump.
    pub len: u64,
}

impl Head {
    /// A backup of what is published there, whose dump has `len` bytes. `entropy` are random bytes
    /// of the platform. Nothing before it is known who the member is.
    pub fn of(view: &View, len: usize, entropy: [u8; 32], taken: Wall) -> Option<Self> {
        let mut id = [0; 16];
        id.copy_from_slice(&entropy[..16]);
        Some(Self {
            id,
            member: view.member?,
            cluster: view.cluster_id?,
            last: LogId { term: view.term, index: view.applied },
            store_index: view.store.index(),
            taken,
            len: len as u64,
        })
    }

    /// The ID in hexadecimal digits.
    pub fn name(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.id))
    }
}

impl core::fmt::Display for Head {
    /// For people, on one line.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { member, cluster, last, store_index, taken, .. } = self;
        let taken = Rfc3339(taken.unix_nanos());
        write!(
            f,
            "backup {} of cluster {cluster}, taken at {taken} from member {member}: all entries \
             up to {}, X-Etcd-Index {store_index}",
            self.name(),
            last.index
        )
    }
}

/// The head of the answer that is a backup.
pub fn headers() -> Vec<(&'static str, String)> {
    vec![("Content-Type", "application/octet-stream".into())]
}

/// Whether a request wants what the member has, without asking the others whether that is all.
pub fn is_local(request: &Request) -> bool {
    form_urlencoded::parse(request.query.as_bytes())
        .any(|(name, value)| name == "local" && value == "true")
}

/// The answer while as many backups as possible are being taken.
pub fn busy() -> Reply {
    reply::text(503, "another backup is being taken from this member\n")
}
