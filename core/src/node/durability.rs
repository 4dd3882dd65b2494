//! What waits for the disk.
//!
//! Every batch that goes to the log has a ticket; tickets of the log end in order. A message is
//! held back until the ticket that its gate names has ended.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::disk::Ticket;
use crate::raft::{Gate, Message, Outgoing, Written};
use crate::wal::HardState;

/// Batches on their way to the disk, and the messages held back for them.
#[derive(Clone, Debug, Default)]
pub struct Durability {
    /// The last batch whose term, vote or commit index counts.
    hard: Ticket,
    /// The last batch.
    log: Ticket,
    /// The last batch that is durable.
    done: Ticket,
    batches: VecDeque<Pending>,
    held: VecDeque<(Ticket, Message)>,
}

/// What Raft is to be told when a batch is durable.
#[derive(Clone, Debug)]
pub struct Pending {
    ticket: Ticket,
    /// Term, vote and commit index, if they count.
    pub hard: Option<HardState>,
    /// The entries, if it has any.
    pub written: Option<Written>,
}

impl Durability {
    /// A batch went to the disk under `ticket`.
    pub fn began(&mut self, ticket: Ticket, hard: Option<HardState>, written: Option<Written>) {
        assert!(ticket > self.log, "tickets ascend");
        self.log = ticket;
        if hard.is_some() {
            self.hard = ticket;
        }
        self.batches.push_back(Pending { ticket, hard, written });
    }

    /// Everything up to `ticket` is durable: what Raft is to be told, in order.
    pub fn ended(&mut self, ticket: Ticket) -> Vec<Pending> {
        self.done = self.done.max(ticket);
        let ready = self.batches.iter().take_while(|batch| batch.ticket <= ticket).count();
        self.batches.drain(..ready).collect()
    }

    /// Takes a message in, to come out of [`Durability::release`] when it may leave.
    pub fn hold(&mut self, outgoing: Outgoing) {
        let ticket = match outgoing.gate {
            Gate::HardState if planted!(VoteBeforeSync) => self.done,
            Gate::HardState => self.hard,
            Gate::Log if planted!(AckBeforeSync) => self.hard,
            Gate::Log => self.log,
        };
        self.held.push_back((ticket, outgoing.message));
    }

    /// Lets go of the messages that may leave now, in the order in which they were made.
    pub fn release(&mut self, mut leave: impl FnMut(Message)) {
        for _ in 0..self.held.len() {
            match self.held.pop_front() {
                Some((ticket, message)) if ticket <= self.done => leave(message),
                Some(waiting) => self.held.push_back(waiting),
                None => {}
            }
        }
    }

    /// Nothing of what is held back may leave any more.
    pub fn drop_held(&mut self) {
        self.held.clear();
    }

    /// The messages that are held back, and how many tickets each of them waits for.
    pub fn held(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.held.iter().map(|(ticket, message)| (self.ahead(*ticket), message))
    }

    const fn ahead(&self, ticket: Ticket) -> u64 {
        ticket.0.saturating_sub(self.done.0)
    }
}

/// For a checker that explores all states: only how far tickets are from being durable makes a
/// difference, not how many there were. What is held back is left to [`Durability::held`], because
/// it depends on the network whether the order of messages makes a difference.
impl Hash for Durability {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { hard, log, done: _, batches, held: _ } = self;
        (self.ahead(*hard), self.ahead(*log), batches.len()).hash(state);
        for Pending { ticket, hard, written } in batches {
            (self.ahead(*ticket), hard, written).hash(state);
        }
    }
}
