//! Changes of the membership, judged when they are applied.
//!
//! Every member judges a change against the same state at the same index, so all of them carry it
//! out or none does.

use alloc::string::String;
use alloc::vec::Vec;

use super::json::{Context, RaftAttributes};
use super::record::{MEMBERS, REMOVED, raft_attributes_path};
use super::{Cluster, Member};
use crate::id::MemberId;
use crate::raft;
use crate::store::{Change, Store};
use crate::url::Url;
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

/// Why a change is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The ID belonged to a member that was removed.
    #[error("membership: ID removed")]
    Removed,
    /// A member has the ID already.
    #[error("membership: ID exists")]
    IdExists,
    /// Another member has one of the peer URLs.
    #[error("membership: peerURL exists")]
    UrlExists,
    /// There is no such member.
    #[error("membership: ID not found")]
    NotFound,
    /// The member to be promoted is no learner.
    #[error("membership: can only promote a learner member")]
    NotLearner,
    /// As many members as possible are catching up already.
    #[error("membership: too many learner members in cluster")]
    TooManyLearners,
    /// The change does not say what it has to.
    #[error("membership: {0}")]
    Malformed(String),
}

/// Learners at a time in a mixed cluster, as in etcd 3.4.
const MAX_LEARNERS_OF_ETCD: usize = 1;

/// Learners at a time where all members are Quorate: each of them is sent the whole state.
const MAX_LEARNERS: usize = 8;

/// What a change did.
#[derive(Clone, Debug)]
pub struct Carried {
    /// What it means for Raft, if anything.
    pub raft: Option<raft::Change>,
    /// What it wrote to the store.
    pub writes: Vec<Change>,
}

impl Cluster {
    /// Carries a change out, in the records and in the store.
    ///
    /// # Errors
    /// The change contradicts the membership; nothing was changed.
    pub fn carry_out(
        &mut self,
        change: &ConfChange,
        store: &mut Store,
    ) -> Result<Carried, Refused> {
        let id = change.node;
        if self.removed.contains(&id) {
            return Err(Refused::Removed);
        }
        match change.kind {
            ConfChangeKind::RemoveNode => self.remove(id, store),
            ConfChangeKind::UpdateNode => self.update(context(change)?.member, store),
            ConfChangeKind::AddNode | ConfChangeKind::AddLearner => {
                let Context { mut member, promote } = context(change)?;
                if promote {
                    return self.promote(id, store);
                }
                // Whoever asked for a voter may not have known that all members are Quorate by then.
                member.learner = self.nonce.is_some() || change.kind == ConfChangeKind::AddLearner;
                if planted!(AddAsVoter) {
                    member.learner = false;
                }
                self.add(member, store)
            }
        }
    }

    fn add(&mut self, member: Member, store: &mut Store) -> Result<Carried, Refused> {
        if self.members.contains_key(&member.id) {
            return Err(Refused::IdExists);
        }
        self.check_urls(member.id, &member.peer_urls)?;
        let learners = self.iter().filter(|member| member.learner).count();
        let most = if self.nonce.is_some() { MAX_LEARNERS } else { MAX_LEARNERS_OF_ETCD };
        if member.learner && learners >= most {
            return Err(Refused::TooManyLearners);
        }
        let writes = write_raft_attributes(&member, store, Write::Create);
        let change = if member.learner {
            raft::Change::AddLearner(member.id)
        } else {
            raft::Change::AddVoter(member.id)
        };
        self.members.insert(member.id, member);
        Ok(Carried { raft: Some(change), writes })
    }

    fn update(&mut self, update: Member, store: &mut Store) -> Result<Carried, Refused> {
        self.check_urls(update.id, &update.peer_urls)?;
        let member = self.members.get_mut(&update.id).ok_or(Refused::NotFound)?;
        member.peer_urls = update.peer_urls;
        let writes = write_raft_attributes(member, store, Write::Update);
        Ok(Carried { raft: None, writes })
    }

    fn promote(&mut self, id: MemberId, store: &mut Store) -> Result<Carried, Refused> {
        let member = self.members.get_mut(&id).ok_or(Refused::NotFound)?;
        if !member.learner {
            return Err(Refused::NotLearner);
        }
        member.learner = false;
        let writes = write_raft_attributes(member, store, Write::Update);
        Ok(Carried { raft: Some(raft::Change::AddVoter(id)), writes })
    }

    fn remove(&mut self, id: MemberId, store: &mut Store) -> Result<Carried, Refused> {
        self.members.remove(&id).ok_or(Refused::NotFound)?;
        self.removed.insert(id);
        let deleted = store.delete(&alloc::format!("{MEMBERS}/{id}"), true, true);
        let noted = store.create(&alloc::format!("{REMOVED}/{id}"), Some(b""), None);
        let writes = deleted.into_iter().chain(noted).collect();
        Ok(Carried { raft: Some(raft::Change::Remove(id)), writes })
    }

    fn check_urls(&self, id: MemberId, urls: &[Url]) -> Result<(), Refused> {
        let mut others = self.members.values().filter(|member| member.id != id);
        let taken = others.any(|member| member.peer_urls.iter().any(|url| urls.contains(url)));
        if taken { Err(Refused::UrlExists) } else { Ok(()) }
    }
}

fn context(change: &ConfChange) -> Result<Context, Refused> {
    let context =
        Context::decode(&change.context).map_err(|e| Refused::Malformed(alloc::format!("{e}")))?;
    if context.member.id != change.node {
        return Err(Refused::Malformed("the ID of the context is another".into()));
    }
    Ok(context)
}

#[derive(Clone, Copy)]
enum Write {
    Create,
    Update,
}

fn write_raft_attributes(member: &Member, store: &mut Store, how: Write) -> Vec<Change> {
    let attributes =
        RaftAttributes { peer_urls: member.peer_urls.clone(), learner: member.learner };
    let path = raft_attributes_path(member.id);
    let text = attributes.encode();
    let written = match how {
        Write::Create => store.create(&path, Some(text.as_bytes()), None),
        Write::Update => store.update(&path, text.as_bytes(), crate::store::Ttl::default()),
    };
    // The records are under a directory that no client can reach, so they are where the members
    // are, and nowhere else.
    written.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::member::identity::Nonce;

    fn addition(node: u64, promote: bool) -> ConfChange {
        let peer_urls = vec![Url::parse(&alloc::format!("http://n{node}:2380")).unwrap()];
        let (id, name, client_urls) = (MemberId(node), String::new(), Vec::new());
        let member = Member { id, name, peer_urls, client_urls, learner: false };
        let context = Context { member, promote }.encode().into();
        ConfChange { id: 1, kind: ConfChangeKind::AddNode, node: id, context }
    }

    /// Whoever proposes an addition may have applied less than the leader has written.
    #[test]
    fn who_is_added_as_a_voter_behind_the_switch_is_a_learner() {
        let (mut cluster, mut store) = (Cluster::default(), Store::new());
        let mut carry_out = |cluster: &mut Cluster, change: &ConfChange| {
            cluster.carry_out(change, &mut store).map(|carried| carried.raft)
        };
        let voter = |node| Ok(Some(raft::Change::AddVoter(MemberId(node))));
        assert_eq!(carry_out(&mut cluster, &addition(1, false)), voter(1));
        cluster.nonce = Some(Nonce::new(&[1; 32]));
        let learner = Ok(Some(raft::Change::AddLearner(MemberId(2))));
        assert_eq!(carry_out(&mut cluster, &addition(2, false)), learner);
        assert!(cluster.members[&MemberId(2)].learner);
        assert_eq!(carry_out(&mut cluster, &addition(2, true)), voter(2));
        assert!(!cluster.members[&MemberId(2)].learner);
    }
}
