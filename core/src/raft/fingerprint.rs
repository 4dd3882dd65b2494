//! What tells two states of a member apart, for a checker that explores all of them.
//!
//! Time and chance are left out: a checker owns both, and keeps them from making a difference. So
//! are the notes, which only tell. Every other field counts; each is named here, so that a new one
//! cannot be forgotten.

use core::hash::{Hash, Hasher};

use super::Raft;
use super::election::Candidate;
use super::leader::{Leader, Transfer};

impl Hash for Raft {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            settings,
            release,
            rng: _,
            term,
            vote,
            handed,
            role,
            leader,
            log,
            conf,
            commit,
            searched,
            unsure,
            applied,
            election_due: _,
            leader_heard: _,
            summoned,
            installing,
            full,
            standing,
            incoming,
            outbox,
            notes: _,
        } = self;
        (settings.id, release, term, vote, handed, role, leader, log).hash(state);
        (conf, commit, searched, unsure, applied).hash(state);
        (summoned, installing, full, standing, incoming, outbox).hash(state);
    }
}

impl Hash for Candidate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { pre, transfer, answers, ask_due: _ } = self;
        (pre, transfer, answers).hash(state);
    }
}

impl Hash for Leader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            progress,
            heartbeat_due: _,
            check_due: _,
            pending_change,
            queued_changes,
            uncommitted,
            commit_moved,
            transfer,
            wanting,
            reads,
        } = self;
        (progress, pending_change, queued_changes, uncommitted).hash(state);
        (commit_moved, transfer, wanting, reads).hash(state);
    }
}

impl Hash for Transfer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { to, until: _, told } = self;
        (to, told).hash(state);
    }
}
