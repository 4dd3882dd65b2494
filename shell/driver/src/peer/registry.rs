//! The streams that peers have attached to this member, to be written by it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quorate_core::id::MemberId;
use quorate_core::raft::Message;
use quorate_core::url::Url;
use quorate_core::wire::headers::StreamKind;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::STREAM_QUEUE;

/// The peers that may attach streams, and who else has asked.
#[derive(Debug, Default)]
pub(super) struct Registry {
    peers: Mutex<BTreeMap<MemberId, Arc<Slots>>>,
    strangers: Mutex<BTreeMap<MemberId, Arc<[Url]>>>,
}

/// Strangers that are remembered at a time.
const STRANGERS: usize = 64;

/// The two streams of one peer.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Carries appends.
    pub(super) msgapp: Slot,
    /// Carries everything else.
    pub(super) message: Slot,
}

/// Room for one attached stream.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<mpsc::Sender<Message>>>);

/// What became of a message that was given to a [`Slot`].
pub(super) enum Sent {
    /// It waits to be written.
    Queued,
    /// Nothing is attached; here it is back.
    Detached(Message),
    /// The queue is full, the message is lost.
    Full,
}

impl Registry {
    pub(super) fn find(&self, peer: MemberId) -> Option<Arc<Slots>> {
        lock(&self.peers).get(&peer).map(Arc::clone)
    }

    pub(super) fn insert(&self, peer: MemberId, slots: Arc<Slots>) {
        lock(&self.peers).insert(peer, slots);
    }

    /// Remembers where a member can be reached that is of the cluster but not known here yet: it
    /// is ahead of this one's log, and waits for answers.
    pub(super) fn remember(&self, member: MemberId, urls: Vec<Url>) {
        let mut strangers = lock(&self.strangers);
        if strangers.len() < STRANGERS || strangers.contains_key(&member) {
            strangers.insert(member, urls.into());
        }
    }

    /// Where a stranger can be reached.
    pub(super) fn stranger(&self, member: MemberId) -> Option<Arc<[Url]>> {
        lock(&self.strangers).get(&member).map(Arc::clone)
    }

    /// Forgets all strangers: from here on the members are known.
    pub(super) fn forget_strangers(&self) {
        lock(&self.strangers).clear();
    }

    /// Forgets a peer and ends its streams.
    pub(super) fn remove(&self, peer: MemberId) {
        if let Some(slots) = lock(&self.peers).remove(&peer) {
            slots.msgapp.detach();
            slots.message.detach();
        }
    }
}

impl Slots {
    pub(super) const fn of(&self, kind: StreamKind) -> &Slot {
        match kind {
            StreamKind::MsgApp => &self.msgapp,
            StreamKind::Message => &self.message,
        }
    }
}

impl Slot {
    /// Attaches a stream. One that was attached before ends.
    pub(super) fn attach(&self) -> mpsc::Receiver<Message> {
        let (sender, receiver) = mpsc::channel(STREAM_QUEUE);
        *lock(&self.0) = Some(sender);
        receiver
    }

    fn detach(&self) {
        *lock(&self.0) = None;
    }

    pub(super) fn send(&self, message: Message) -> Sent {
        let mut attached = lock(&self.0);
        let Some(sender) = &*attached else { return Sent::Detached(message) };
        match sender.try_send(message) {
            Ok(()) => Sent::Queued,
            Err(TrySendError::Full(_)) => Sent::Full,
            Err(TrySendError::Closed(message)) => {
                *attached = None;
                Sent::Detached(message)
            }
        }
    }
}

/// No code panics while it holds one of these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
