//! What a member counts of itself and its peers, as `/v2/stats` shows it.
//!
//! Counting decides nothing, so it stands outside of the node: whoever drives a node tells it what
//! was noted and which messages went by. Nothing of it is replicated or survives a restart.

mod follower;
mod traffic;

use alloc::collections::BTreeMap;

pub use follower::{Follower, Latency};
pub use traffic::Traffic;

use crate::id::MemberId;
use crate::note::Note;
use crate::raft::{Body, Message};
use crate::time::{Now, Wall};

/// The counts of one member since its start.
#[derive(Clone, Debug)]
pub struct Stats {
    /// When it was started.
    pub started: Wall,
    /// Who leads, and since when that is known here; nobody before the first leader.
    pub leader: Option<(MemberId, Now)>,
    /// How often the leader has changed, the first one not counted.
    pub leader_changes: u64,
    /// Appends to followers.
    pub sent: Traffic,
    /// Appends of leaders.
    pub received: Traffic,
    followers: BTreeMap<MemberId, Follower>,
    member: Option<MemberId>,
}

impl Stats {
    /// Nothing was counted yet.
    pub fn new(now: Now) -> Self {
        Self {
            started: now.wall,
            leader: None,
            leader_changes: 0,
            sent: Traffic::default(),
            received: Traffic::default(),
            followers: BTreeMap::new(),
            member: None,
        }
    }

    /// The followers that this member has heard of since it began to lead.
    pub fn followers(&self) -> impl Iterator<Item = (MemberId, &Follower)> {
        self.followers.iter().map(|(member, follower)| (*member, follower))
    }

    /// Something was noted.
    pub fn note(&mut self, now: Now, note: &Note) {
        match note {
            Note::BootDecided { member, .. } => self.member = Some(*member),
            Note::BecameLeader { .. } => {
                self.followers.clear();
                self.follow(now, self.member);
            }
            Note::BecameFollower { leader: leader @ Some(_), .. } => self.follow(now, *leader),
            _ => {}
        }
    }

    fn follow(&mut self, now: Now, leader: Option<MemberId>) {
        let known = self.leader.map(|(known, _)| known);
        if known == leader {
            return;
        }
        self.leader_changes += u64::from(known.is_some());
        self.leader = leader.map(|leader| (leader, now));
    }

    /// A message was handed to the transport.
    pub fn sent(&mut self, now: Now, message: &Message) {
        if let Some(bytes) = append_bytes(message) {
            self.sent.count(now.mono, bytes);
            self.followers.entry(message.to).or_default().asked(now.mono);
        }
    }

    /// A message came in.
    pub fn received(&mut self, now: Now, message: &Message) {
        match message.body {
            Body::Append { .. } => {
                let bytes = append_bytes(message).unwrap_or_default();
                self.received.count(now.mono, bytes);
            }
            Body::Appended { .. } | Body::Held { .. } | Body::AppendRejected { .. } => {
                if let Some(follower) = self.followers.get_mut(&message.from) {
                    follower.answered(now.mono);
                    follower.heard(now);
                }
            }
            Body::HeartbeatResponse { .. } => {
                if let Some(follower) = self.followers.get_mut(&message.from) {
                    follower.heard(now);
                }
            }
            _ => {}
        }
    }

    /// Something that was sent to a peer was lost.
    pub fn lost(&mut self, peer: MemberId) {
        if let Some(follower) = self.followers.get_mut(&peer) {
            follower.lost();
        }
    }
}

/// The bytes of entries in an append; nothing for other messages.
fn append_bytes(message: &Message) -> Option<u64> {
    let Body::Append { entries, .. } = &message.body else { return None };
    Some(entries.iter().map(|entry| entry.data.len() as u64).sum())
}

#[cfg(test)]
mod tests;
