//! Reads that etcd's members ask the leader about.
//!
//! Reads of the v2 API go through the log. But a member of etcd 3.4 among whose clients one reads
//! by the v3 API, or asks whether the member is healthy, asks its leader from which index on a
//! read shows everything that was acknowledged; without an answer that client waits in vain. The
//! leader may answer once a round of heartbeats has shown that it still leads.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;

use super::message::Body;
use super::quorum::majority;
use super::{Gate, Raft, Role};
use crate::id::MemberId;

/// Questions that may wait for an answer; more are lost, as any message may be: who asks, asks
/// again.
const MAX_WAITING: usize = 1024;

/// The questions that a leader has not answered.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Reads {
    /// Those that came before anything of this term was committed: what is, is not known yet.
    early: Vec<(MemberId, Bytes)>,
    /// Those that wait for heartbeats to come back, oldest first.
    asked: VecDeque<Read>,
    /// Whether the heartbeats of the newest have to go out.
    due: bool,
}

/// A question that waits for a majority.
#[derive(Clone, Debug, Hash)]
struct Read {
    from: MemberId,
    context: Bytes,
    /// What was committed when it came.
    index: u64,
    /// Who has heard a heartbeat with its context.
    heard: BTreeSet<MemberId>,
}

impl Reads {
    /// What heartbeats carry, so that their answers count for all that is asked.
    pub(super) fn context(&self) -> Bytes {
        self.asked.back().map(|read| read.context.clone()).unwrap_or_default()
    }

    /// Whether heartbeats have to go out before they are due.
    pub(super) fn take_due(&mut self) -> bool {
        core::mem::take(&mut self.due)
    }

    fn knows(&self, context: &Bytes) -> bool {
        self.early.iter().any(|(_, known)| known == context)
            || self.asked.iter().any(|read| read.context == *context)
    }
}

impl Raft {
    /// A member asks from which index on a read is linearizable.
    pub(super) fn take_read(&mut self, from: MemberId, context: Bytes) {
        let Role::Leader(leader) = &mut self.role else { return };
        let waiting = leader.reads.early.len() + leader.reads.asked.len();
        if !leader.progress.contains_key(&from)
            || context.is_empty()
            || waiting >= MAX_WAITING
            || leader.reads.knows(&context)
        {
            return;
        }
        leader.reads.early.push((from, context));
        self.ask_for_reads();
    }

    /// Notes for the questions that may be asked now what is committed.
    pub(super) fn ask_for_reads(&mut self) {
        let current = self.log.term_at(self.commit) == Some(self.term);
        let Role::Leader(leader) = &mut self.role else { return };
        if !current || leader.reads.early.is_empty() {
            return;
        }
        let index = self.commit;
        let early = core::mem::take(&mut leader.reads.early);
        leader.reads.asked.extend(early.into_iter().map(|(from, context)| {
            let heard = BTreeSet::from([self.settings.id]);
            Read { from, context, index, heard }
        }));
        leader.reads.due = true;
        self.answer_reads();
    }

    /// A member has heard the heartbeat that asked for these reads.
    pub(super) fn count_for_reads(&mut self, from: MemberId, context: &Bytes) {
        let Role::Leader(leader) = &mut self.role else { return };
        if let Some(read) = leader.reads.asked.iter_mut().find(|read| read.context == *context) {
            read.heard.insert(from);
            self.answer_reads();
        }
    }

    /// Answers the newest question that a majority has heard of, and all before it: they were
    /// noted earlier, and the majority followed this leader later.
    fn answer_reads(&mut self) {
        let Role::Leader(leader) = &mut self.role else { return };
        let voters = &self.conf.voters;
        let wanted = majority(voters.len());
        let sure = |read: &Read| read.heard.iter().filter(|id| voters.contains(id)).count();
        let Some(last) = leader.reads.asked.iter().rposition(|read| sure(read) >= wanted) else {
            return;
        };
        for Read { from, context, index, .. } in
            leader.reads.asked.drain(..=last).collect::<Vec<_>>()
        {
            self.send(from, Gate::HardState, Body::ReadIndexResponse { index, context });
        }
    }
}
