//! Simulated TCP: what a program sees of it when the network is bad.
//!
//! Bytes arrive in order and once, or not at all. A lost segment comes after a retransmission
//! timeout and holds up all behind it; a cut link stalls a connection, which goes on some time
//! after the cut has healed. A SYN that meets a cut link or a machine without power is sent again
//! until the caller loses patience; one that meets a running machine on which nobody listens is
//! refused. A process that is killed has its connections closed by its machine; a machine that
//! loses power says nothing, and its peers learn of it only when they send something to the
//! machine after it is back. Reads and writes may take less than was offered, and a sender waits
//! when the receiver does not read.
//!
//! TLS is data: a connection says whether it speaks TLS, and where the two sides differ the
//! handshake fails.
//!
//! Everything here is plain data under the clock of the [`Agenda`]; `stream` and `listener` are the
//! handles that a program holds.

mod close;
mod connect;
mod listener;
mod pipe;
mod stream;
mod transfer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::task::Waker;

use super::agenda::Agenda;
use super::event::Event;
use super::process::Process;
use crate::chance::Chance;
use crate::network::Network;
use crate::stats::Stats;
use pipe::Pipe;

pub(super) use connect::DialId;
pub(super) use listener::{Accepted, Bound};
pub(super) use stream::Stream;

/// The first retransmission timeout of a segment, in nanoseconds; it doubles each time.
const SEGMENT_RTO: u64 = 200_000_000;
/// The first retransmission timeout of a SYN.
const SYN_RTO: u64 = 1_000_000_000;
/// Chance in a million that a read or write takes only a part.
const PARTIAL_PPM: u64 = 60_000;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    conn: u64,
    side: usize,
}

impl Socket {
    const fn peer(self) -> Self {
        Self { conn: self.conn, side: 1 - self.side }
    }
}

/// All connections, and who listens.
#[derive(Debug)]
pub(super) struct Tcp {
    conns: BTreeMap<u64, Conn>,
    made: u64,
    dials: BTreeMap<DialId, connect::Dial>,
    listeners: BTreeMap<(usize, u16), Listening>,
    /// Which machines have power.
    up: Vec<bool>,
}

#[derive(Debug)]
struct Conn {
    ends: [End; 2],
    /// `pipes[side]` carries what `ends[side]` writes.
    pipes: [Pipe; 2],
    /// Segments until something on the way resets the connection.
    breaks_after: Option<u64>,
}

#[derive(Debug)]
struct End {
    owner: Process,
    standing: Standing,
    /// Why reads and writes fail from now on.
    failed: Option<io::ErrorKind>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What an end is to its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// A process holds it.
    Open,
    /// Its process has closed it.
    Closed,
    /// The machine has lost power since and does not know it.
    Gone,
}

#[derive(Debug)]
struct Listening {
    owner: Process,
    tls: bool,
    /// Connections that were not accepted yet.
    queue: VecDeque<Socket>,
    waker: Option<Waker>,
}

/// What happens to a connection by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// A SYN arrives.
    Syn(DialId),
    /// The answer to a SYN arrives.
    Dialled(DialId),
    /// The first segment that this end has under way arrives.
    Segment(Socket),
    /// This end learns that the other has read.
    Window(Socket),
    /// A reset reaches this end.
    Reset(Socket),
}

/// What connections run over.
pub(super) struct Wire<'a> {
    pub(super) now: u64,
    pub(super) agenda: &'a mut Agenda,
    pub(super) network: &'a Network,
    pub(super) chance: &'a mut Chance,
    pub(super) stats: &'a mut Stats,
    /// Chance in a million that a connection is reset by something on the way.
    pub(super) break_ppm: u64,
}

impl Wire<'_> {
    /// How long something takes from one host to another.
    fn delay(&mut self) -> u64 {
        let (delay, slow) = self.network.delay(self.chance);
        self.stats.slow += u64::from(slow);
        delay
    }

    fn is_lost(&mut self) -> bool {
        let lost = self.chance.hit(self.network.delays.loss_ppm);
        self.stats.lost += u64::from(lost);
        lost
    }

    /// How much of `most` bytes a read or write takes.
    fn part(&mut self, most: usize) -> usize {
        if most > 1 && self.chance.hit(PARTIAL_PPM) { 1 + self.chance.index(most) } else { most }
    }

    fn plan(&mut self, at: u64, due: Due) {
        self.agenda.push(at, Event::Tcp(due));
    }
}

impl Tcp {
    /// No connections among so many machines, all of which have power.
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            conns: BTreeMap::new(),
            made: 0,
            dials: BTreeMap::new(),
            listeners: BTreeMap::new(),
            up: vec![true; hosts],
        }
    }

    /// Carries out what is due.
    pub(super) fn due(&mut self, wire: &mut Wire<'_>, due: Due) {
        match due {
            Due::Syn(dial) => self.syn(wire, dial),
            Due::Dialled(dial) => self.dialled(dial),
            Due::Segment(socket) => self.segment(wire, socket),
            Due::Window(socket) => self.window(wire, socket),
            Due::Reset(socket) => self.reset(wire, socket),
        }
    }

    /// Forgets everything, so that nobody is woken any more.
    pub(super) fn clear(&mut self) {
        self.conns.clear();
        self.dials.clear();
        self.listeners.clear();
    }
}

impl Conn {
    fn new(owners: [Process; 2]) -> Self {
        let ends = owners.map(|owner| End {
            owner,
            standing: Standing::Open,
            failed: None,
            reader: None,
            writer: None,
        });
        Self { ends, pipes: Default::default(), breaks_after: None }
    }

    /// Whether nobody can notice any more what becomes of it.
    fn is_over(&self) -> bool {
        self.ends.iter().all(|end| end.standing != Standing::Open)
    }
}

impl End {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}
