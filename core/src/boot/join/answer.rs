//! What a member that runs says of the members of its cluster, and how far that can be relied on.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::api::peer::{CONFIRMED_BY_QUORUM, CONFIRMED_HEADER, UNCONFIRMED_AS_MIXED};
use crate::boot::forming::known::{self, KNOWN_HEADER};
use crate::boot::forming::{MEMBER_HEADER, STATE_FORMING, STATE_HEADER};
use crate::http::Answer;
use crate::id::{ClusterId, MemberId};
use crate::member::identity::Incarnation;
use crate::member::{Member, json};

/// What a member that runs has answered.
#[derive(Debug)]
pub(super) struct Running {
    /// Who has answered, if it says so; who is asked somewhere else may answer there.
    pub(super) by: Option<MemberId>,
    pub(super) cluster: ClusterId,
    pub(super) members: Vec<Member>,
    pub(super) vouched: Vouched,
    /// By which data directories it knows the others, as it says.
    pub(super) known: String,
}

/// An answer that helps one that joins.
#[derive(Debug)]
pub(super) enum Said {
    /// Of a member that runs.
    Running(Running),
    /// Of one whose data directory is empty, and which waits for its cluster.
    Empty { member: MemberId, cluster: ClusterId },
}

/// By whom an answer is vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Vouched {
    /// By a quorum, after it was asked for.
    Quorum,
    /// There are members of etcd, where whoever is asked first is believed.
    Mixed,
    /// By nobody else, and why; the one that was asked may lag.
    Itself(String),
}

impl Said {
    /// Reads an answer.
    ///
    /// # Errors
    /// It says nothing that helps; why.
    pub(super) fn read(answer: &Answer) -> Result<Self, String> {
        if answer.status != 200 {
            return Err(format!("it answered with {}", answer.outline()));
        }
        let said = answer.header("x-etcd-cluster-id").ok_or("it did not say its cluster ID")?;
        let cluster = ClusterId::parse_hex(said);
        let cluster = cluster.ok_or_else(|| format!("its cluster ID {said:?} is none"))?;
        let by = answer.header(MEMBER_HEADER).and_then(MemberId::parse_hex);
        match (answer.header(STATE_HEADER), by) {
            (Some(STATE_FORMING), Some(member)) => Ok(Self::Empty { member, cluster }),
            (Some(STATE_FORMING), None) => Err("it has no cluster yet".to_string()),
            (state, by) => Running::read(answer, state, cluster, by).map(Self::Running),
        }
    }
}

impl Running {
    fn read(
        answer: &Answer,
        state: Option<&str>,
        cluster: ClusterId,
        by: Option<MemberId>,
    ) -> Result<Self, String> {
        let members = json::decode_members(&answer.body).map_err(|error| error.to_string())?;
        if members.is_empty() {
            return Err("it knows no members yet".to_string());
        }
        let vouched = match (state, answer.header(CONFIRMED_HEADER)) {
            (None, _) | (_, Some(UNCONFIRMED_AS_MIXED)) => Vouched::Mixed,
            (_, Some(CONFIRMED_BY_QUORUM)) => Vouched::Quorum,
            (_, Some(cause)) => Vouched::Itself(cause.to_string()),
            (_, None) => Vouched::Itself("it does not say so".to_string()),
        };
        let known = answer.header(KNOWN_HEADER).unwrap_or_default().to_string();
        Ok(Self { by, cluster, members, vouched, known })
    }

    /// The others who may have counted this member, as far as that is known: nobody has who is a
    /// learner by what a quorum has confirmed, for no voter becomes one.
    pub(super) fn may_have_counted(&self, own: MemberId) -> impl Iterator<Item = MemberId> {
        let confirmed = self.vouched == Vouched::Quorum;
        let others = self.members.iter().filter(move |member| member.id != own);
        others.filter(move |member| !(confirmed && member.learner)).map(|member| member.id)
    }

    /// By which data directory it knows this member.
    pub(super) fn known_as(&self, member: MemberId) -> Option<Incarnation> {
        known::known_as(member, &self.known)
    }
}
