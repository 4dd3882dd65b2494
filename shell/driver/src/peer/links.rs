//! The links to the other members, as the loop holds them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::future::Future;
use std::sync::Arc;

use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::{Input, LinkEvent, Peer};
use quorate_core::raft::{Body, Message};
use quorate_core::url::Url;
use quorate_core::wire::headers::StreamKind;
use tokio::sync::mpsc;

use super::registry::{Registry, Sent, Slots};
use super::{PIPELINE_QUEUE, PIPELINE_WORKERS, Port, dial, pipeline, snapshot};
use crate::life::Life;
use crate::platform::Platform;
use crate::run::Shared;
use crate::watched::{Changer, Watcher, watched};

/// A snapshot is sent to a peer only after the last one has arrived or failed.
const SNAPSHOT_QUEUE: usize = 1;

/// The links to all peers.
pub(crate) struct Links<P: Platform> {
    ground: Ground<P>,
    registry: Arc<Registry>,
    links: BTreeMap<MemberId, Link>,
    strangers: BTreeMap<MemberId, Stranger>,
}

/// A member of the cluster that the log of this one does not know yet: a member that was just
/// added has to answer a leader of whom it has not read so far. It has a pipeline and nothing else.
struct Stranger {
    pipeline: mpsc::Sender<Message>,
    _urls: Changer<Arc<[Url]>>,
}

/// What every task of a link stands on.
#[derive(Clone)]
pub(super) struct Ground<P: Platform> {
    pub(super) platform: P,
    pub(super) life: Life,
    pub(super) shared: Shared,
}

/// The loop's end of a link. Dropping it ends the tasks.
struct Link {
    slots: Arc<Slots>,
    pipeline: mpsc::Sender<Message>,
    snapshots: mpsc::Sender<Message>,
    urls: Changer<Arc<[Url]>>,
}

/// The tasks' end of a link.
#[derive(Clone)]
pub(super) struct Line<P: Platform> {
    pub(super) ground: Ground<P>,
    pub(super) peer: MemberId,
    urls: Watcher<Arc<[Url]>>,
}

impl<P: Platform> Line<P> {
    /// Where the peer can be reached, as of now.
    pub(super) fn urls(&self) -> Arc<[Url]> {
        self.urls.get()
    }

    /// Tells the node what happened to the link.
    pub(super) fn tell(&self, event: LinkEvent) {
        let _ = self.ground.shared.mailbox.control.send(Input::Link { peer: self.peer, event });
    }

    /// Tells the node who the peer says it is.
    pub(super) fn meet(&self, said: Said) {
        let _ = self.ground.shared.mailbox.control.send(Input::Met { peer: self.peer, said });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let urls = self.urls.clone();
        self.ground.life.spawn(&self.ground.platform, async move {
            tokio::select! {
                biased;
                () = task => {}
                () = urls.last() => {}
            }
        });
    }
}

impl<P: Platform> Links<P> {
    pub(crate) fn new(platform: P, life: Life, shared: Shared) -> Self {
        let ground = Ground { platform, life, shared };
        let (links, strangers) = (BTreeMap::new(), BTreeMap::new());
        Self { ground, registry: Arc::default(), links, strangers }
    }

    /// The port at which the peers reach this member.
    pub(crate) fn port(&self) -> Port<P> {
        Port::new(self.ground.clone(), Arc::clone(&self.registry))
    }

    /// Keeps links to these peers and to nobody else.
    pub(crate) fn set(&mut self, peers: Vec<Peer>) {
        let Self { ground, registry, links, strangers } = self;
        registry.forget_strangers();
        strangers.clear();
        let keep: BTreeMap<MemberId, Vec<Url>> =
            peers.into_iter().map(|peer| (peer.id, peer.urls)).collect();
        links.retain(|peer, _| {
            let kept = keep.contains_key(peer);
            if !kept {
                registry.remove(*peer);
            }
            kept
        });
        for (peer, urls) in keep {
            match links.get(&peer) {
                Some(link) => link.urls.set(urls.into()),
                None => {
                    let link = Link::open(ground.clone(), peer, urls);
                    registry.insert(peer, Arc::clone(&link.slots));
                    links.insert(peer, link);
                }
            }
        }
    }

    /// Sends a message by the best way that is open now, or tells what its loss means.
    pub(crate) fn send(&mut self, message: Message) -> Result<(), LinkEvent> {
        match self.links.get(&message.to) {
            Some(link) => link.send(message),
            None => self.send_to_stranger(message),
        }
    }

    fn send_to_stranger(&mut self, message: Message) -> Result<(), LinkEvent> {
        let Self { ground, registry, strangers, .. } = self;
        let stranger = match strangers.entry(message.to) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let urls = registry.stranger(message.to).ok_or(LinkEvent::Unreachable)?;
                entry.insert(Stranger::open(ground.clone(), message.to, urls))
            }
        };
        stranger.pipeline.try_send(message).map_err(|_| LinkEvent::Unreachable)
    }
}

impl Link {
    fn open<P: Platform>(ground: Ground<P>, peer: MemberId, urls: Vec<Url>) -> Self {
        let (urls, watched) = watched(urls.into());
        let (snapshots, waiting) = mpsc::channel(SNAPSHOT_QUEUE);
        let line = Line { ground, peer, urls: watched };
        line.spawn(dial::keep_dialled(line.clone(), StreamKind::MsgApp));
        line.spawn(dial::keep_dialled(line.clone(), StreamKind::Message));
        let pipeline = open_pipeline(&line);
        line.spawn(snapshot::work(line.clone(), waiting));
        Self { slots: Arc::default(), pipeline, snapshots, urls }
    }

    fn send(&self, message: Message) -> Result<(), LinkEvent> {
        let message = match message.body {
            Body::Snapshot(_) => {
                let sent = self.snapshots.try_send(message);
                return sent.map_err(|_| LinkEvent::SnapshotFailed);
            }
            Body::Append { .. } => match self.slots.msgapp.send(message) {
                Sent::Queued => return Ok(()),
                Sent::Full => return Err(LinkEvent::Unreachable),
                Sent::Detached(message) => message,
            },
            _ => message,
        };
        match self.slots.message.send(message) {
            Sent::Queued => Ok(()),
            Sent::Full => Err(LinkEvent::Unreachable),
            Sent::Detached(message) => {
                self.pipeline.try_send(message).map_err(|_| LinkEvent::Unreachable)
            }
        }
    }
}

impl Stranger {
    fn open<P: Platform>(ground: Ground<P>, peer: MemberId, urls: Arc<[Url]>) -> Self {
        let (urls, watched) = watched(urls);
        let pipeline = open_pipeline(&Line { ground, peer, urls: watched });
        Self { pipeline, _urls: urls }
    }
}

fn open_pipeline<P: Platform>(line: &Line<P>) -> mpsc::Sender<Message> {
    let (pipeline, messages) = mpsc::channel(PIPELINE_QUEUE);
    let messages = Arc::new(tokio::sync::Mutex::new(messages));
    for _ in 0..PIPELINE_WORKERS {
        line.spawn(pipeline::work(line.clone(), Arc::clone(&messages)));
    }
    pipeline
}
