//! Making a cluster of one member alone out of its data (`-force-new-cluster`), when the others are
//! lost for good.
//!
//! The log is kept whole: of what is durable here anything may have been acknowledged, so every
//! entry becomes committed. Changes of the configuration are another matter: those that are not
//! known to be committed are left out, and all other members are removed. IDs stay, so whoever of
//! the others comes back finds that it was removed.

use alloc::vec::Vec;

use bytes::Bytes;

use super::identity::Identity;
use super::progress::Booted;
use super::refusals;
use super::restore::Ended;
use crate::config::Config;
use crate::disk::{Done, Script, Ticket};
use crate::error::Refusal;
use crate::id::MemberId;
use crate::member::json::Context;
use crate::member::{Cluster, Member};
use crate::raft::{Entry, EntryKind, Log};
use crate::store::{Image, Store};
use crate::wal::{self, HardState};
use crate::wire::conf_change::{ConfChange, ConfChangeKind};
use crate::wire::request::{Method, Request};

/// A member whose log is being changed.
#[derive(Debug)]
pub(super) struct Forcing {
    ended: Ended,
    ticket: Ticket,
    /// Who is removed.
    removed: Vec<MemberId>,
}

/// What the log becomes.
struct Changed {
    /// The entries from the first one on that differs.
    tail: Vec<Entry>,
    removed: Vec<MemberId>,
}

impl Forcing {
    /// Begins to write the changed log.
    ///
    /// # Errors
    /// This member is not in the cluster by its own log.
    pub(super) fn begin(
        config: &Config,
        mut ended: Ended,
        script: &mut Script,
    ) -> Result<Self, Refusal> {
        let own = ended.owner.member;
        let Changed { tail, removed } = change(
            own,
            ended.snapshot.as_ref().map(|snapshot| &snapshot.image),
            ended.hard,
            &ended.log,
        )
        .map_err(|cluster| {
            refusals::not_a_member(own, cluster.removed.contains(&own), &config.data_dir)
        })?;
        let (base, first) = (ended.log.base(), tail.first().map(|entry| entry.index));
        let kept = (base.index + 1..=ended.log.last().index)
            .take_while(|index| first.is_none_or(|first| *index < first));
        let entries: Vec<Entry> =
            kept.filter_map(|index| ended.log.get(index).cloned()).chain(tail.clone()).collect();
        ended.log = Log::new(base, entries);
        ended.hard = HardState {
            term: ended.hard.term.max(ended.log.last().term),
            commit: ended.log.last().index,
            ..ended.hard
        };
        let batch = wal::Batch { hard_state: Some(ended.hard), entries: &tail, mark: None };
        let ticket = ended.wal.append(&batch, script);
        Ok(Self { ended, ticket, removed })
    }

    /// Who is removed.
    pub(super) fn removed(&self) -> &[MemberId] {
        &self.removed
    }

    /// A disk operation has ended. Gives whether the log is durable.
    ///
    /// # Errors
    /// The disk failed, or is full.
    pub(super) fn disk(
        &mut self,
        config: &Config,
        done: &Done,
        script: &mut Script,
    ) -> Result<bool, Refusal> {
        let fault = match self.ended.wal.handle(done, script) {
            wal::Event::Durable(ticket) if ticket >= self.ticket => return Ok(true),
            wal::Event::Fault(error) => Some(error),
            _ => self.ended.wal.full().cloned(),
        };
        fault.map_or(Ok(false), |error| Err(refusals::disk(&config.data_dir, &error)))
    }

    /// The member that is a cluster of its own.
    pub(super) fn booted(self, identity: Identity) -> Booted {
        let Ended { owner, wal, shelf, hard, log, snapshot, .. } = self.ended;
        let (fresh, campaign, told) = (false, true, Vec::new());
        Booted { owner, identity, fresh, wal, shelf, hard, log, snapshot, campaign, told }
    }
}

/// What the log has to become behind the state that is in the snapshot. Gives the cluster if this
/// member is not in it.
fn change(
    own: MemberId,
    image: Option<&Image>,
    hard: HardState,
    log: &Log,
) -> Result<Changed, Cluster> {
    let mut store = image.map_or_else(Store::new, |image| Store::from_image(image.clone()));
    let mut cluster = Cluster::from_image(store.as_image());
    let mut tail: Vec<Entry> = Vec::new();
    for index in log.base().index + 1..=log.last().index {
        let Some(entry) = log.get(index) else { continue };
        let keep = index <= hard.commit || entry.kind == EntryKind::Normal;
        if keep {
            follow(entry, &mut cluster, &mut store);
        }
        if !keep {
            tail.push(Entry { kind: EntryKind::Normal, data: Bytes::new(), ..entry.clone() });
        } else if !tail.is_empty() {
            tail.push(entry.clone());
        }
    }
    let Some(member) = cluster.members.get(&own) else { return Err(cluster) };
    let removed: Vec<MemberId> = cluster.members.keys().copied().filter(|id| *id != own).collect();
    let promotion = member.learner.then(|| promotion(member));
    let removals = removed.iter().map(|id| ConfChange {
        id: 0,
        kind: ConfChangeKind::RemoveNode,
        node: *id,
        context: Bytes::new(),
    });
    let term = hard.term.max(log.last().term).max(1);
    let from = log.last().index + 1;
    tail.extend((from..).zip(promotion.into_iter().chain(removals)).map(|(index, change)| Entry {
        term,
        index,
        kind: EntryKind::ConfChange,
        data: change.encode(),
    }));
    Ok(Changed { tail, removed })
}

/// What an entry makes of the membership.
fn follow(entry: &Entry, cluster: &mut Cluster, store: &mut Store) {
    match entry.kind {
        EntryKind::Normal => {
            if let Ok(request) = Request::decode(entry.data.clone())
                && request.method == Method::Quorate
            {
                cluster.switch(&request, store);
            }
        }
        EntryKind::ConfChange => {
            if let Ok(change) = ConfChange::decode(entry.data.clone()) {
                // What is refused changes nothing, here as when it is applied.
                let _ = cluster.carry_out(&change, store);
            }
        }
    }
}

/// Without a voter there is no cluster.
fn promotion(member: &Member) -> ConfChange {
    let context = Context { member: member.clone(), promote: true }.encode().into();
    ConfChange { id: 0, kind: ConfChangeKind::AddNode, node: member.id, context }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec;

    use super::*;
    use crate::boot::list::InitialCluster;
    use crate::member::identity::Nonce;
    use crate::member::record::NONCE;
    use crate::raft::LogId;

    /// The first entries of a cluster of three, and who they are.
    fn three() -> (Vec<Entry>, Vec<MemberId>) {
        let list = InitialCluster::parse("a=http://a:1,b=http://b:1,c=http://c:1").unwrap();
        let members = list.members("t").into_iter().map(|member| member.id).collect();
        (list.bootstrap_entries("t"), members)
    }

    fn removal(index: u64, node: MemberId) -> Entry {
        let (kind, context) = (ConfChangeKind::RemoveNode, Bytes::new());
        let data = ConfChange { id: 7, kind, node, context }.encode();
        Entry { term: 2, index, kind: EntryKind::ConfChange, data }
    }

    /// An entry by which all members are Quorate.
    fn switch(index: u64) -> Entry {
        let value = Nonce::new(&[1; 32]).to_string().into();
        let request = Request { value, ..Request::new(7, Method::Quorate, NONCE) };
        Entry { data: request.encode(), ..write(index) }
    }

    fn write(index: u64) -> Entry {
        Entry { term: 2, index, kind: EntryKind::Normal, data: Bytes::from_static(b"write") }
    }

    fn hard(commit: u64) -> HardState {
        HardState { term: 3, vote: None, commit }
    }

    #[test]
    fn everything_is_kept_but_changes_that_are_not_known_to_be_committed() {
        let (mut entries, ids) = three();
        entries.extend([removal(4, ids[2]), write(5), removal(6, ids[0]), write(7)]);
        let log = Log::new(LogId::default(), entries);
        let changed = change(ids[0], None, hard(5), &log).map_err(drop).unwrap();
        assert_eq!(changed.removed, [ids[1]], "the third one has gone before");
        let nothing = Entry { data: Bytes::new(), ..write(6) };
        let last = Entry { term: 3, ..removal(8, ids[1]) };
        let last = Entry { data: ConfChange { id: 0, ..decoded(&last) }.encode(), ..last };
        assert_eq!(changed.tail, vec![nothing, write(7), last]);
    }

    fn decoded(entry: &Entry) -> ConfChange {
        ConfChange::decode(entry.data.clone()).unwrap()
    }

    #[test]
    fn who_was_added_as_a_voter_and_is_a_learner_becomes_a_voter() {
        let (mut entries, ids) = three();
        let own = entries[2].clone();
        entries[2] = switch(3);
        entries.push(Entry { index: 4, ..own });
        let log = Log::new(LogId::default(), entries);
        let changed = change(ids[2], None, hard(4), &log).map_err(drop).unwrap();
        let context = |entry| Context::decode(&decoded(entry).context).unwrap();
        assert!(context(&changed.tail[0]).promote && decoded(&changed.tail[0]).node == ids[2]);
        assert_eq!(changed.removed.len(), 2);
    }

    #[test]
    fn who_is_alone_stays_as_it_is() {
        let (mut entries, ids) = three();
        entries.extend([removal(4, ids[2]), removal(5, ids[1])]);
        let log = Log::new(LogId::default(), entries);
        let changed = change(ids[0], None, hard(5), &log).map_err(drop).unwrap();
        assert!(changed.tail.is_empty() && changed.removed.is_empty());
    }

    #[test]
    fn who_was_removed_is_no_member() {
        let (mut entries, ids) = three();
        entries.push(removal(4, ids[0]));
        let log = Log::new(LogId::default(), entries);
        let cluster = change(ids[0], None, hard(4), &log).map(drop).unwrap_err();
        assert!(cluster.removed.contains(&ids[0]));
        assert!(change(ids[0], None, hard(3), &log).is_ok(), "that is not known to be committed");
    }
}
