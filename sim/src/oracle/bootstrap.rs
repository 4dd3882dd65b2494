//! The promises of bootstrap, as far as they can be broken today.
//!
//! 1. "While at least one member of a cluster still has its data and can be reached, no second
//!    cluster forms from the same list." Who forms has heard from every other listed member that
//!    it is empty and has the same list, or from those with data that it is the cluster's and never
//!    started, all of those who vote there.
//! 2. "A member that has data never loses it to one that has none." A directory in which a log was
//!    made durable is never taken for an empty one.
//! 3. "A running cluster that has my cluster ID and lists me as never started takes me in with the
//!    same bootstrap entries; one that lists me as started, or has another cluster ID, is a
//!    refusal."
//!    Who was added at run time joins only where somebody says so who knows all that was committed
//!    when it was asked: one that lags may not know that the member has been there before. One that
//!    votes from the beginning, and without which there may be no quorum, is taken in by all others
//!    who may have counted it.
//! 4. "Every refusal names its cause, both sides of the comparison, and the remedy": it has a
//!    message and at least one hint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quorate_core::id::{ClusterId, MemberId};
use quorate_core::member::Cluster;
use quorate_core::node::{CallId, Exit};
use quorate_core::raft::EntryKind;
use quorate_core::view::View;
use quorate_core::wire::conf_change::ConfChange;

use super::Violation;
use crate::machine::Machine;

const NAME: &str = "bootstrap";

/// What is known of the starts of all members.
#[derive(Debug)]
pub struct Bootstrap {
    members: Vec<Start>,
}

#[derive(Debug, Default)]
struct Start {
    /// Who it is, by its own decision.
    is: Option<(MemberId, ClusterId)>,
    /// Whether its directory holds a durable log.
    data: bool,
    /// Whether another host has the member that it takes itself for.
    twin: bool,
    /// What others have answered to this process, and what is on its way to it.
    heard: Vec<Said>,
    coming: BTreeMap<CallId, Said>,
    /// What was committed when it asked.
    asked: BTreeMap<CallId, u64>,
    /// How much of what was heard sufficed for it to join: all before it asked for a version.
    sufficed: Option<usize>,
    /// Who had data already when this process began.
    before: BTreeSet<MemberId>,
}

/// What a member says to one that asks before it forms.
#[derive(Clone, Debug)]
struct Said {
    by: Option<MemberId>,
    cluster: Option<ClusterId>,
    formed: bool,
    /// Whether it knows all that was committed when it was asked.
    is_new: bool,
    /// The members that it lists.
    lists: Arc<Cluster>,
}

impl Said {
    /// Whether it lists this member as one that has started; absent if it does not list it.
    fn started(&self, member: MemberId) -> Option<bool> {
        self.lists.members.get(&member).map(|member| !member.client_urls.is_empty())
    }
}

impl Bootstrap {
    pub(super) fn new(members: usize) -> Self {
        Self { members: (0..members).map(|_| Start::default()).collect() }
    }

    /// A member starts.
    pub(super) fn started(&mut self, node: usize) {
        let others = self.members.iter().filter(|start| start.data && !start.twin);
        let before = others.filter_map(|start| Some(start.is?.0)).collect();
        let start = &mut self.members[node];
        let Start { is, data, twin, .. } = *start;
        *start = Start { is, data, twin, before, ..Start::default() };
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
    }

    /// A process is going to start on a host which takes itself for the member of another one; what
    /// it has is not that one's data.
    pub(super) fn twin(&mut self, node: usize) {
        self.members[node].twin = true;
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.members[node] = Start::default();
    }

    /// A member's directory now holds other data, or none.
    pub(super) fn replaced(&mut self, node: usize) {
        self.members[node].data = false;
    }

    /// A member asks another one for its members, when so much is committed.
    pub(super) fn asks(&mut self, node: usize, call: CallId, committed: u64) {
        self.members[node].asked.insert(call, committed);
    }

    /// A member asks another one for its version. If it joins, it has heard enough of the members.
    pub(super) fn asks_version(&mut self, node: usize) {
        let start = &mut self.members[node];
        start.sufficed.get_or_insert(start.heard.len());
    }

    /// A member answers the question of another for its members, from this view.
    pub(super) fn said(&mut self, to: usize, call: CallId, view: &View) {
        let start = &mut self.members[to];
        let (by, cluster, formed) = (view.member, view.cluster_id, view.formed);
        let is_new = start.asked.remove(&call).is_some_and(|asked| asked <= view.applied);
        let lists = Arc::clone(&view.cluster);
        start.coming.insert(call, Said { by, cluster, formed, is_new, lists });
    }

    /// A call of a member was answered, or has failed.
    pub(super) fn answered(&mut self, node: usize, call: CallId, came: bool) {
        let start = &mut self.members[node];
        if let Some(said) = start.coming.remove(&call).filter(|_| came) {
            start.heard.push(said);
        }
    }

    /// A member decided how to start.
    ///
    /// # Errors
    /// If it takes its directory for an empty one, and it is not.
    pub(super) fn decided(
        &mut self,
        node: usize,
        is: (MemberId, ClusterId),
        restart: bool,
    ) -> Result<(), Violation> {
        let start = &mut self.members[node];
        if start.data && !restart {
            let detail = format!("{} begins anew, its directory holds a log", is.0);
            return Err(Violation::safety(NAME, node, detail));
        }
        start.is = Some(is);
        start.data |= restart;
        Ok(())
    }

    /// A member has made its first log durable.
    ///
    /// # Errors
    /// If it was not entitled to, by what it has heard.
    pub(super) fn formed<M: Machine>(&mut self, node: usize, machine: &M) -> Result<(), Violation> {
        let start = &mut self.members[node];
        start.data = true;
        let Some((own, cluster)) = start.is else {
            return Err(Violation::safety(NAME, node, "forms before it is anybody".to_owned()));
        };
        let others: Vec<MemberId> = listed(machine).filter(|id| *id != own).collect();
        start.entitled(own, cluster, &others).map_err(|cause| {
            let heard: Vec<_> = start.heard.iter().map(|said| (said.by, said.formed)).collect();
            let detail = format!("{own} forms {cluster}: {cause}; it heard {heard:?}");
            Violation::safety(NAME, node, detail)
        })
    }

    /// A member has applied entries.
    pub(super) fn applied(&mut self, node: usize) {
        self.members[node].data = true;
    }

    /// A member joins a cluster: its log is durable, and holds nothing yet.
    ///
    /// # Errors
    /// If nobody of that cluster has told it that it was added and has never started.
    pub(super) fn joined(&mut self, node: usize) -> Result<(), Violation> {
        let start = &self.members[node];
        let Some((own, cluster)) = start.is else {
            return Err(Violation::safety(NAME, node, "joins before it is anybody".to_owned()));
        };
        // What it hears once it has decided comes too late for it.
        let heard = &start.heard[..start.sufficed.unwrap_or(start.heard.len())];
        let takes_in = |said: &Said| {
            said.formed && said.cluster == Some(cluster) && said.started(own) == Some(false)
        };
        // Who is a learner has never counted anybody, for no voter becomes one.
        let by_all = |all: &Said| {
            let mut others = all.lists.iter().filter(|member| member.id != own);
            // Who has no data has counted nobody either.
            let empty = |said: &Said| !said.formed && said.cluster == Some(cluster);
            let speaks = |said: &Said| takes_in(said) || empty(said);
            let by = |id| heard.iter().any(|said| said.by == Some(id) && speaks(said));
            others.all(|member| all.is_new && member.learner || by(member.id))
        };
        let suffices = |said: &&Said| {
            let learner = said.lists.members.get(&own).is_some_and(|member| member.learner);
            if learner { said.is_new } else { by_all(said) }
        };
        let taken_in: Vec<&Said> = heard.iter().filter(|said| takes_in(said)).collect();
        if taken_in.iter().any(suffices) {
            return Ok(());
        }
        let cause = if taken_in.is_empty() {
            "nobody said that it was added"
        } else {
            "who said so may lag"
        };
        let detail = format!("{own} joins {cluster}, where {cause}");
        Err(Violation::safety(NAME, node, detail))
    }

    /// A member ends by itself.
    ///
    /// # Errors
    /// If it does not say why, or leaves its owner without help.
    pub(super) fn halted(&self, node: usize, exit: &Exit) -> Result<(), Violation> {
        let (Exit::Refused(refusal) | Exit::Fault(refusal)) = exit else { return Ok(()) };
        let said = |text: &String| !text.trim().is_empty();
        let remedy = !refusal.hints.is_empty() && refusal.hints.iter().all(said);
        if said(&refusal.message) && (remedy || matches!(exit, Exit::Fault(_))) {
            return Ok(());
        }
        let detail = format!("it ends without cause or remedy: {exit:?}");
        Err(Violation::safety(NAME, node, detail))
    }
}

impl Start {
    /// Whether it was entitled to form at one moment at the least: what it hears once it has decided
    /// comes too late for it. It may have been removed by then, before it ever took part.
    fn entitled(
        &self,
        own: MemberId,
        cluster: ClusterId,
        others: &[MemberId],
    ) -> Result<(), String> {
        let by = |heard: usize| self.entitled_by(&self.heard[..heard], own, cluster, others);
        let last = by(self.heard.len());
        if (0..self.heard.len()).any(|heard| by(heard).is_ok()) { Ok(()) } else { last }
    }

    fn entitled_by(
        &self,
        heard: &[Said],
        own: MemberId,
        cluster: ClusterId,
        others: &[MemberId],
    ) -> Result<(), String> {
        let refused = |said: &&Said| {
            said.formed && (said.cluster != Some(cluster) || said.started(own) != Some(false))
        };
        if let Some(said) = heard.iter().find(refused) {
            let (by, in_its_list) = (said.by, said.started(own));
            return Err(format!("{by:?} lists it as started: {in_its_list:?}, that is a refusal"));
        }
        let spoke = |id: MemberId| {
            heard.iter().any(|said| said.by == Some(id) && said.cluster == Some(cluster))
        };
        let by_all = |said: &Said| {
            let mut voters = said.lists.iter().filter(|member| !member.learner);
            voters.all(|member| member.id == own || spoke(member.id))
        };
        let mut formed = heard.iter().filter(|said| said.formed).peekable();
        if formed.peek().is_some() {
            let lacks = "those who take it in list others, and these were not heard";
            return if formed.any(by_all) { Ok(()) } else { Err(lacks.to_owned()) };
        }
        if let Some(with_data) = others.iter().find(|id| self.before.contains(id)) {
            return Err(format!("{with_data} has data, and nobody that has took {own} in"));
        }
        match others.iter().find(|id| !spoke(**id)) {
            Some(missing) => Err(format!("{missing} did not say that it is empty")),
            None => Ok(()),
        }
    }
}

/// The members in the first entries of a log.
pub(super) fn listed<M: Machine>(machine: &M) -> impl Iterator<Item = MemberId> + '_ {
    let first = (1..).map_while(|index| machine.entry(index));
    let changes = first.take_while(|entry| entry.kind == EntryKind::ConfChange);
    changes.filter_map(|entry| ConfChange::decode(entry.data.clone()).ok()).map(|c| c.node)
}

#[cfg(test)]
mod tests;
