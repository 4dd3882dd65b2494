//! Messages between members: their fate, and what the sender learns of it.
//!
//! Peers speak over streams, which lose what is under way when they break, but never repeat it.
//! Repetition is simulated all the same, because Raft allows it and a driver may retry; except for
//! proposals, which have no identity in Raft (each copy would be carried out), and for snapshots,
//! whose delivery is confirmed.

use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::output::Peer;
use quorate_core::node::{Input, LinkEvent};
use quorate_core::raft::{Body, Message};

use super::event::{Event, Process, To};
use super::host::Link;
use super::world::{MS, World};
use crate::machine::Machine;
use crate::members::host_number;
use crate::record::{What, Who};

/// One message of this many is written as bytes and read back on its way.
const RECODED: u64 = 4;

/// Before a member dials again whose connection has ended.
const REDIAL: u64 = 100 * MS;
/// The same after it was told that it was removed.
const REDIAL_REMOVED: u64 = 10_000 * MS;

impl<M: Machine> World<M> {
    /// A node says who its peers are.
    pub(super) fn set_peers(&mut self, process: Process, peers: &[Peer]) {
        let members = self.hosts.len();
        let time = self.time;
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let old = std::mem::take(&mut running.peers);
        for peer in peers {
            let host = peer.urls.iter().find_map(|url| host_number(url.host(), members));
            let known = old.iter().find(|link| link.peer == peer.id && link.host == host);
            let new = Link { peer: peer.id, host, up: false, last: 0 };
            running.peers.push(known.copied().unwrap_or(new));
            if let Some(host) = host
                && known.is_none()
            {
                let to = To { peer: peer.id, host };
                self.queue.push(time + MS, Event::Connect { process, to });
            }
        }
        let is_peer = |link: &Link| peers.iter().any(|peer| peer.id == link.peer);
        let dropped = old.iter().filter(|link| !is_peer(link)).filter_map(|link| link.host);
        dropped.for_each(|host| self.hang_up(process, host));
    }

    /// A host is no peer any more: it sees its connection end, and dials again. In the safety phase
    /// it has to find out by what becomes of its messages, which is harder.
    fn hang_up(&mut self, process: Process, host: usize) {
        let (Some(own), Some(other)) = (self.places[process.host].member, self.current(host))
        else {
            return;
        };
        let to = To { peer: own, host: process.host };
        let link = self.hosts[host].process(other).and_then(|running| running.link(to));
        if self.healthy.is_some()
            && let Some(link) = link
        {
            link.up = false;
            self.queue.push(self.time + REDIAL, Event::Connect { process: other, to });
        }
    }

    /// Tries to connect to a peer that was never reached, until it is.
    pub(super) fn connect(&mut self, process: Process, to: To) {
        let reachable = self.is_reachable(process.host, to.host);
        let Some(running) = self.hosts[process.host].process(process) else { return };
        if running.link(to).is_none_or(|link| link.up) {
            return;
        }
        let reached = reachable && self.shake_hands(process.host, to.host).is_ok();
        let removed =
            self.places[process.host].member.is_some_and(|m| self.says_removed(to.host, m));
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let Some(link) = running.link(to) else { return };
        if reached && removed {
            self.tell_link(process, to, LinkEvent::SaysRemoved, MS);
            self.queue.push(self.time + REDIAL_REMOVED, Event::Connect { process, to });
        } else if reached {
            link.up = true;
            self.tell_link(process, to, LinkEvent::Connected, MS);
        } else {
            self.queue.push(self.time + 500 * MS, Event::Connect { process, to });
        }
    }

    fn is_reachable(&self, from: usize, to: usize) -> bool {
        !self.network.is_cut(from, to)
            && self.hosts[to].running.as_ref().is_some_and(|running| running.listening)
    }

    /// A new connection begins: where members speak TLS, with a handshake.
    ///
    /// # Errors
    /// The check of a certificate that failed, in words.
    pub(super) fn shake_hands(&mut self, from: usize, to: usize) -> Result<(), String> {
        if self.options.tls == 0 {
            return Ok(());
        }
        let met = self.certificates.meet(from, to);
        self.stats.handshakes_failed += u64::from(met.is_err());
        met
    }

    fn tell_link(&mut self, process: Process, to: To, event: LinkEvent, after: u64) {
        self.queue.push(self.time + after, Event::Link { process, to, event });
    }

    /// A node sends a message.
    pub(super) fn send(&mut self, process: Process, message: Message) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let Some(at) = running.peers.iter().position(|link| link.peer == message.to) else {
            return;
        };
        let Some(to) = running.peers[at].host else { return };
        let is_up = running.peers[at].up;
        let said = Box::new(self.said(process, message.to));
        // Who is connected was let in before.
        let reached = self.is_reachable(process.host, to)
            && (is_up || self.shake_hands(process.host, to).is_ok());
        let lost = self.chances.network.hit(self.network.delays.loss_ppm);
        let (delay, slow) = self.network.delay(&mut self.chances.network);
        let sent = self.time;
        let mut arrival = sent + delay;
        let in_order = self.network.delays.in_order;
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let link = &mut running.peers[at];
        if in_order {
            arrival = arrival.max(link.last + 1);
            link.last = arrival;
        }
        let was_up = std::mem::replace(&mut link.up, reached);
        if reached && !was_up {
            let peer = To { peer: message.to, host: to };
            self.tell_link(process, peer, LinkEvent::Connected, MS);
        }
        if !reached || lost {
            self.stats.lost += u64::from(reached);
            self.not_delivered(process, to, sent, &message, !reached || sent.is_multiple_of(2));
            return;
        }
        self.stats.slow += u64::from(slow);
        let once = matches!(message.body, Body::Propose { .. } | Body::Snapshot(_));
        if !once && self.chances.network.hit(self.network.delays.duplicate_ppm) {
            self.stats.duplicated += 1;
            let (again, _) = self.network.delay(&mut self.chances.network);
            let copy = Event::Deliver {
                from: process,
                to,
                sent,
                message: message.clone(),
                said: said.clone(),
            };
            self.queue.push(arrival + again, copy);
        }
        self.queue.push(arrival, Event::Deliver { from: process, to, sent, message, said });
    }

    /// What a process says of itself with everything that it sends to a member.
    pub(super) fn said(&self, process: Process, to: MemberId) -> Said {
        self.hosts[process.host].view().map(|view| view.said_to(to)).unwrap_or_default()
    }

    /// A message is lost; the sender learns of it if its connection shows it.
    fn not_delivered(
        &mut self,
        process: Process,
        to: usize,
        sent: u64,
        message: &Message,
        noticed: bool,
    ) {
        self.recorder.add(self.time, Who::Node(process.host), || What::Lost {
            to,
            sent,
            message: Box::new(message.clone()),
        });
        let peer = To { peer: message.to, host: to };
        if matches!(message.body, Body::Snapshot(_)) {
            self.tell_link(process, peer, LinkEvent::SnapshotFailed, 200 * MS);
        }
        if noticed {
            self.stats.unreachable += 1;
            let (wait, _) = self.network.delay(&mut self.chances.network);
            self.tell_link(process, peer, LinkEvent::Unreachable, wait);
        }
    }

    /// A message reaches a host. It is lost if the link was cut meanwhile, and refused if the
    /// headers do not fit: another member, or another cluster.
    pub(super) fn deliver(
        &mut self,
        from: Process,
        to: usize,
        sent: u64,
        (message, said): (Message, Said),
    ) {
        if !self.is_reachable(from.host, to) {
            self.not_delivered(from, to, sent, &message, true);
            return;
        }
        let cluster = |host: usize| self.hosts[host].view().and_then(|view| view.cluster_id);
        let strangers = cluster(from.host).is_some()
            && self.current(from.host) == Some(from)
            && cluster(from.host) != cluster(to);
        if strangers || self.places[to].member != Some(message.to) {
            self.not_delivered(from, to, sent, &message, true);
            return;
        }
        let peer = To { peer: message.to, host: to };
        if self.says_removed(to, message.from) {
            self.tell_link(from, peer, LinkEvent::SaysRemoved, MS);
            return;
        }
        if self.knows_otherwise(to, message.from, said) {
            self.tell_link(from, peer, LinkEvent::SaysReplaced, MS);
            return;
        }
        self.stats.delivered += 1;
        if matches!(message.body, Body::Snapshot(_)) {
            self.tell_link(from, peer, LinkEvent::SnapshotDelivered, MS);
        }
        // The wire costs as much as Raft itself, and what it does to a message it does to all alike.
        let recoded = self.stats.delivered.is_multiple_of(RECODED);
        let message = if recoded { M::recode(message) } else { message };
        self.recorder.add(self.time, Who::Node(to), || What::Receive {
            from: from.host,
            sent,
            message: Box::new(message.clone()),
        });
        if let Some(process) = self.current(to) {
            self.remember(process, message.from, from.host);
            self.input(process, Input::Peer { message, said });
        }
    }

    /// A sender that is not known here is remembered by where it says that it is, until there are news
    /// of the members: it may be ahead of the log of this one, and waits for its answers.
    fn remember(&mut self, process: Process, sender: MemberId, host: usize) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        if running.peers.iter().all(|link| link.peer != sender) {
            running.peers.push(Link { peer: sender, host: Some(host), up: true, last: 0 });
        }
    }

    fn says_removed(&self, to: usize, member: MemberId) -> bool {
        self.hosts[to].view().is_some_and(|v| v.cluster.removed.contains(&member))
    }

    /// Whether a host knows the sender by another data directory.
    fn knows_otherwise(&self, to: usize, from: MemberId, said: Said) -> bool {
        let known = self.hosts[to].view().and_then(|view| view.peers.get(&from));
        said.incarnation.zip(known).is_some_and(|(said, known)| said != known.incarnation)
    }
}
