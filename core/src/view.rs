//! What is published to readers in one piece.
//!
//! Readers (the HTTP tasks) answer plain reads and status questions from the last published view
//! without asking the loop. A view never changes; a new one replaces it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

use crate::api::Stamp;
use crate::auth::Auth;
use crate::id::{ClusterId, MemberId};
use crate::member::boots::Known;
use crate::member::identity::Said;
use crate::member::{Cluster, Member};
use crate::store::{Image, Store};
use crate::wire::version::Personality;

/// The state of a member at one moment, as far as readers need it.
#[derive(Clone, Debug)]
pub struct View {
    /// This member's own ID; absent until the boot decision.
    pub member: Option<MemberId>,
    /// The cluster's ID; absent until the boot decision.
    pub cluster_id: Option<ClusterId>,
    /// What this member says it is, to peers and clients.
    pub personality: Personality,
    /// What this member says of itself to others: the incarnation once it is durable, and the
    /// nonce of the cluster once it is known.
    pub said: Said,
    /// By what this member knows its peers.
    pub peers: Arc<BTreeMap<MemberId, Known>>,
    /// Whether the cluster is formed as far as this member knows, so that its log exists.
    pub formed: bool,
    /// Who speaks to this member while it asks before it forms, and is not on its list.
    pub unlisted: BTreeSet<MemberId>,
    /// Whether plain reads may be answered: the member has applied all that it may have shown
    /// before it was started again.
    pub ready: bool,
    /// The members.
    pub cluster: Arc<Cluster>,
    /// Who may do what.
    pub auth: Arc<Auth>,
    /// The store.
    pub store: Image,
    /// The indexes to be given with a read.
    pub stamp: Stamp,
    /// The index of the last applied entry.
    pub applied: u64,
    /// The current term.
    pub term: u64,
    /// The leader, where it is known.
    pub leader: Option<MemberId>,
}

impl View {
    /// What this member says of itself, and of the past of the one that it speaks to.
    pub fn said_to(&self, peer: MemberId) -> Said {
        Said { evidence: self.peers.get(&peer).copied(), ..self.said }
    }

    /// What there is to see before the start is decided: the members that are expected.
    pub fn new(expected: impl IntoIterator<Item = Member>) -> Self {
        let members = expected.into_iter().map(|member| (member.id, member)).collect();
        Self {
            member: None,
            cluster_id: None,
            personality: Personality::UNDECIDED,
            said: Said::default(),
            peers: Arc::default(),
            formed: false,
            unlisted: BTreeSet::new(),
            ready: false,
            cluster: Arc::new(Cluster { members, ..Cluster::default() }),
            auth: Arc::default(),
            store: Store::new().image(),
            stamp: Stamp::default(),
            applied: 0,
            term: 0,
            leader: None,
        }
    }
}
