//! Whether all members are Quorate, which a cluster agrees on once and for ever.
//!
//! What etcd does not know (learners, the nonce of the cluster) may only be used where no member of
//! etcd is among the members and none can come: so it takes an entry of the log.

use alloc::format;
use alloc::sync::Arc;

use crate::id::MemberId;
use crate::member::identity::Nonce;
use crate::member::record::NONCE;
use crate::node::effects::Effects;
use crate::node::running::Running;
use crate::note::Note;
use crate::wire::request::{Method, Request};

impl Running {
    /// A leader that knows of every member that it is Quorate writes that into the log, with a nonce
    /// for the cluster. It holds for ever. It knows so of those that it has heard, and of those whose
    /// data directory it has recorded: nobody else has one that could be told from others. So a
    /// member that took part in forming the cluster, and has never started since, is no reason to
    /// wait.
    pub(in crate::node) fn propose_switch(&mut self) {
        let term = self.raft.term();
        if self.cluster.nonce.is_some() || self.kin.proposed == Some(term) {
            return;
        }
        let own = self.owner.member;
        let kin = &self.kin;
        let recorded = |id| kin.known().contains_key(&id) && !kin.others.contains(&id);
        let says = |id: MemberId| id == own || kin.quorate.contains(&id) || recorded(id);
        if !self.cluster.iter().all(|member| says(member.id)) {
            return;
        }
        let id = self.clients.fresh_id();
        let value = format!("{}", Nonce::new(&self.config.entropy));
        let request = Request { value: value.into(), ..Request::new(id, Method::Quorate, NONCE) };
        if self.propose_own(request.encode()) {
            self.kin.proposed = Some(term);
        }
    }

    /// Whether there is a member of etcd, as far as this one can tell: a follower hears from its
    /// leader only.
    pub(in crate::node) fn is_mixed(&self) -> bool {
        self.cluster.iter().any(|member| self.kin.others.contains(&member.id))
    }

    /// Something that only members of Quorate say was agreed on.
    pub(in crate::node) fn apply_switch(&mut self, request: &Request, fx: &mut Effects<'_>) {
        let cluster = Arc::make_mut(&mut self.cluster);
        if cluster.switch(request, &mut self.store) {
            fx.note(Note::AllQuorate);
        }
    }
}
