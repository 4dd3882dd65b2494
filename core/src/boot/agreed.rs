//! What all members of a new cluster agree on.
//!
//! It is settled once, by whatever the list comes from, and carried from there to the first log:
//! identities and first entries are derived from nothing else.

use alloc::string::String;
use alloc::vec::Vec;

use super::list::InitialCluster;
use crate::config::Form;
use crate::error::Refusal;
use crate::id::{ClusterId, MemberId};
use crate::member::Member;
use crate::raft::Entry;
use crate::wal::Owner;

/// The list of a new cluster, judged, and who on it this member is.
#[derive(Debug)]
pub(super) struct Agreed {
    list: InitialCluster,
    token: String,
    form: Form,
    own: Member,
    may_join: bool,
}

impl Agreed {
    /// Judges `list` for the member that it calls `name`.
    ///
    /// # Errors
    /// The list makes no sense, or not for this member.
    pub(super) fn new(
        list: InitialCluster,
        token: String,
        form: Form,
        name: &str,
    ) -> Result<Self, Refusal> {
        list.check(name, &token)?;
        let own = Member::listed(name, list.require(name)?, &token);
        Ok(Self { list, token, form, own, may_join: false })
    }

    /// The same with another list, which calls this member by the same name.
    ///
    /// # Errors
    /// As [`Agreed::new`].
    pub(super) fn with(self, list: InitialCluster) -> Result<Self, Refusal> {
        Self::new(list, self.token, self.form, &self.own.name)
    }

    /// Lets this member join a cluster that runs where the list says, in place of forming one.
    pub(super) const fn let_join(&mut self) {
        self.may_join = true;
    }

    pub(super) const fn may_join(&self) -> bool {
        self.may_join
    }

    pub(super) const fn list(&self) -> &InitialCluster {
        &self.list
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whom this member waits for before it forms the cluster.
    pub(super) const fn form(&self) -> Form {
        self.form
    }

    /// This member.
    pub(super) const fn own(&self) -> &Member {
        &self.own
    }

    /// Who the data directory belongs to.
    pub(super) fn owner(&self) -> Owner {
        Owner { member: self.own.id, cluster: self.cluster() }
    }

    pub(super) fn cluster(&self) -> ClusterId {
        self.list.cluster_id(&self.token)
    }

    /// The members in ascending order of their IDs.
    pub(super) fn members(&self) -> Vec<Member> {
        self.list.members(&self.token)
    }

    /// The member that may campaign before any timer runs out.
    pub(super) fn lowest(&self) -> Option<MemberId> {
        self.members().first().map(|member| member.id)
    }

    /// The entries that every log of the cluster begins with.
    pub(super) fn bootstrap_entries(&self) -> Vec<Entry> {
        self.list.bootstrap_entries(&self.token)
    }
}
