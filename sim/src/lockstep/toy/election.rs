//! The toy's Raft.

use std::collections::BTreeMap;

use bytes::Bytes;
use quorate_core::Output;
use quorate_core::id::MemberId;
use quorate_core::note::Note;
use quorate_core::raft::{Body, Entry, EntryKind, LogId, Message};

use super::{
    COMMITS_ALONE, IGNORES_GAPS, LEADS_WITHOUT_MAJORITY, NEVER_CAMPAIGNS_AGAIN, Progress,
    RENUMBERS_ENTRIES, Role, Toy, VOTES_FOR_SHORT_LOGS, VOTES_TWICE, after,
};

impl Toy {
    pub(super) fn reset_election(&mut self) {
        let timeout = self.config.election_timeout.as_nanos() as u64;
        let wait = timeout + self.random(timeout);
        self.election_at = after(self.now, wait);
    }

    fn say(&mut self, to: MemberId, body: Body) {
        self.messages.push(Message { from: self.id, to, term: self.term, body });
    }

    pub(super) fn tick(&mut self, out: &mut Vec<Output>) {
        if matches!(self.role, Role::Leader(_)) {
            let news = (Self::last(self), self.commit);
            let due = self.now >= self.heartbeat_at;
            if due {
                let interval = self.config.heartbeat_interval.as_nanos() as u64;
                self.heartbeat_at = after(self.now, interval);
            }
            if due || self.sent != news {
                self.sent = news;
                self.replicate();
            }
        } else if self.now >= self.election_at {
            self.campaign(out);
        }
        self.flush(out);
    }

    fn campaign(&mut self, out: &mut Vec<Output>) {
        self.reset_election();
        self.elections += 1;
        if self.fault == NEVER_CAMPAIGNS_AGAIN && (self.elections > 2 || self.commit > 0) {
            return;
        }
        self.term += 1;
        (self.vote, self.leader) = (self.id, MemberId(0));
        self.role = Role::Candidate(vec![self.id]);
        let (last, pre, transfer) = (self.at(Self::last(self)), false, false);
        for to in self.others.clone() {
            self.say(to.id, Body::Vote { pre, last, transfer });
        }
        if self.fault == LEADS_WITHOUT_MAJORITY {
            self.lead(out);
        }
    }

    pub(super) fn lead(&mut self, out: &mut Vec<Output>) {
        let last = self.at(Self::last(self));
        out.push(Output::Note(Note::BecameLeader { term: self.term, last }));
        let progress = Progress { next: last.index + 1, matched: 0 };
        let all = self.others.iter().map(|p| (p.id, progress)).collect::<BTreeMap<_, _>>();
        self.role = Role::Leader(all);
        self.leader = self.id;
        self.heartbeat_at = self.now;
        let data = Bytes::new();
        self.propose(vec![Entry { term: 0, index: 0, kind: EntryKind::Normal, data }]);
    }

    fn follow(&mut self, term: u64, leader: MemberId, out: &mut Vec<Output>) {
        if term > self.term {
            (self.term, self.vote) = (term, MemberId(0));
        } else if leader == self.leader && matches!(self.role, Role::Follower) {
            return;
        }
        self.leader = leader;
        if matches!(self.role, Role::Leader(_)) {
            self.reset_election();
        }
        self.role = Role::Follower;
        let leader = (leader.0 != 0).then_some(leader);
        out.push(Output::Note(Note::BecameFollower { term: self.term, leader }));
    }

    pub(super) fn propose(&mut self, entries: Vec<Entry>) {
        if matches!(self.role, Role::Leader(_)) {
            for mut entry in entries {
                (entry.term, entry.index) = (self.term, Self::last(self) + 1);
                self.entries.push(entry);
            }
        } else if self.leader.0 != 0 {
            let message = Message {
                from: self.id,
                to: self.leader,
                term: 0,
                body: Body::Propose { entries },
            };
            self.messages.push(message);
        }
    }

    fn replicate(&mut self) {
        let Role::Leader(all) = &self.role else { return };
        for (to, progress) in all.clone() {
            let prev = self.at(progress.next - 1);
            let from = progress.next as usize - 1;
            let to_index = self.entries.len().min(from + 20);
            let mut entries = self.entries[from..to_index].to_vec();
            if self.fault == RENUMBERS_ENTRIES && self.config.name == "m1" && to.0 % 2 == 0 {
                for entry in &mut entries {
                    entry.data = Bytes::new();
                }
            }
            self.say(to, Body::Append { prev, entries, commit: self.commit });
        }
    }

    pub(super) fn step(&mut self, message: Message, out: &mut Vec<Output>) {
        let from = message.from;
        if let Body::Propose { entries } = message.body {
            if matches!(self.role, Role::Leader(_)) {
                self.propose(entries);
            }
            return;
        }
        if message.term > self.term {
            let leads = matches!(message.body, Body::Append { .. });
            self.follow(message.term, if leads { from } else { MemberId(0) }, out);
        } else if message.term < self.term {
            self.say(from, Body::VoteResponse { pre: false, granted: false });
            return;
        }
        match message.body {
            Body::Vote { last, .. } => self.asked_for_vote(from, last),
            Body::VoteResponse { granted: true, .. } => self.voted_for(from, out),
            Body::Append { prev, entries, commit } => {
                self.follow(message.term, from, out);
                self.reset_election();
                self.append(from, prev, entries, commit, out);
            }
            Body::Appended { index } => self.appended(from, index, out),
            Body::AppendRejected { hint, .. } => {
                if let Role::Leader(all) = &mut self.role
                    && let Some(progress) = all.get_mut(&from)
                {
                    progress.next = (hint.index + 1).clamp(progress.matched + 1, progress.next);
                }
            }
            _ => {}
        }
    }

    fn asked_for_vote(&mut self, from: MemberId, last: LogId) {
        let own = self.at(Self::last(self));
        let free = self.vote.0 == 0 || self.vote == from || self.fault == VOTES_TWICE;
        let long = (last.term, last.index) >= (own.term, own.index);
        let granted = free && (long || self.fault == VOTES_FOR_SHORT_LOGS);
        if granted {
            self.vote = from;
            self.reset_election();
        }
        self.say(from, Body::VoteResponse { pre: false, granted });
    }

    fn voted_for(&mut self, from: MemberId, out: &mut Vec<Output>) {
        let majority = self.others.len().div_ceil(2) + 1;
        let Role::Candidate(votes) = &mut self.role else { return };
        if !votes.contains(&from) {
            votes.push(from);
        }
        if votes.len() >= majority {
            self.lead(out);
        }
    }

    fn append(
        &mut self,
        from: MemberId,
        prev: LogId,
        entries: Vec<Entry>,
        commit: u64,
        out: &mut Vec<Output>,
    ) {
        let known = prev.index <= Self::last(self) && self.term_at(prev.index) == prev.term;
        let ignored = self.fault == IGNORES_GAPS && prev.index <= Self::last(self);
        if !known && !ignored {
            let hint = Self::last(self).min(prev.index.saturating_sub(1));
            let hint = LogId { term: 0, index: hint };
            self.say(from, Body::AppendRejected { index: prev.index, hint });
            return;
        }
        let index = prev.index + entries.len() as u64;
        for entry in entries {
            if self.term_at(entry.index) != entry.term {
                self.entries.truncate(entry.index as usize - 1);
                self.durable = self.durable.min(entry.index - 1);
                self.written = self.written.min(entry.index - 1);
                self.entries.push(entry);
            }
        }
        self.say(from, Body::Appended { index });
        self.commit = self.commit.max(commit.min(index));
        self.apply(out);
    }

    fn appended(&mut self, from: MemberId, index: u64, out: &mut Vec<Output>) {
        if let Role::Leader(all) = &mut self.role
            && let Some(progress) = all.get_mut(&from)
        {
            progress.matched = progress.matched.max(index);
            progress.next = progress.next.max(index + 1);
        }
        self.advance(out);
    }

    /// Commits what a majority holds, if it ends in an entry of the own term.
    pub(super) fn advance(&mut self, out: &mut Vec<Output>) {
        let Role::Leader(all) = &self.role else { return };
        let mut held: Vec<u64> = all.values().map(|p| p.matched).collect();
        held.push(self.durable);
        held.sort_unstable();
        let mut index = held[(held.len() - 1) / 2];
        if self.fault == COMMITS_ALONE {
            index = self.durable;
        }
        if index > self.commit && self.term_at(index) == self.term {
            self.commit = index;
            self.apply(out);
        }
    }
}
