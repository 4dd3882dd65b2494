//! Connecting and listening.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::task::{Poll, Waker};

use super::super::process::Process;
use super::{Conn, Due, Listening, SYN_RTO, Socket, Tcp, Wire};

/// Connections that may wait to be accepted.
const BACKLOG: usize = 128;
/// Segments that a connection that will break lets through, at most.
const BREAKS_WITHIN: u64 = 40;

/// An attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct DialId(u64);

#[derive(Debug)]
pub(super) struct Dial {
    pub(super) from: Process,
    to: usize,
    port: u16,
    tls: bool,
    rto: u64,
    /// What came of it, which the dialler learns a little later.
    outcome: Option<Result<Socket, ErrorKind>>,
    told: bool,
    waker: Option<Waker>,
}

impl Tcp {
    /// Begins to connect to a port of a host.
    pub(in super::super) fn dial(
        &mut self,
        wire: &mut Wire<'_>,
        from: Process,
        (to, port): (usize, u16),
        tls: bool,
    ) -> DialId {
        self.made += 1;
        let id = DialId(self.made);
        let (outcome, told, waker) = (None, false, None);
        self.dials.insert(id, Dial { from, to, port, tls, rto: SYN_RTO, outcome, told, waker });
        let at = wire.now + wire.delay();
        wire.plan(at, Due::Syn(id));
        id
    }

    /// The host that began a connection.
    pub(super) fn dialler(&self, socket: Socket) -> Option<usize> {
        self.conns.get(&socket.conn).map(|conn| conn.ends[0].owner.host)
    }

    /// The end of an attempt.
    pub(super) fn poll_dial(&mut self, id: DialId, waker: &Waker) -> Poll<io::Result<Socket>> {
        let Some(dial) = self.dials.get_mut(&id) else {
            return Poll::Ready(Err(ErrorKind::NotConnected.into()));
        };
        match dial.outcome {
            Some(outcome) if dial.told => {
                self.dials.remove(&id);
                Poll::Ready(outcome.map_err(Into::into))
            }
            _ => {
                dial.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// Gives an attempt up.
    pub(super) fn hang_up(&mut self, wire: &mut Wire<'_>, id: DialId) {
        if let Some(Dial { outcome: Some(Ok(socket)), .. }) = self.dials.remove(&id) {
            self.close(wire, socket);
        }
    }

    /// A SYN arrives, or is lost and sent again.
    pub(super) fn syn(&mut self, wire: &mut Wire<'_>, id: DialId) {
        let Some(dial) = self.dials.get_mut(&id) else { return };
        let (from, to) = (dial.from.host, dial.to);
        let cut = wire.network.is_cut(from, to) || wire.network.is_cut(to, from) || !self.up[to];
        wire.stats.unreachable += u64::from(cut);
        let listening = self.listeners.get_mut(&(to, dial.port));
        let full = listening.as_ref().is_some_and(|l| l.queue.len() >= BACKLOG);
        if cut || full || wire.is_lost() {
            let at = wire.now + dial.rto;
            dial.rto *= 2;
            wire.plan(at, Due::Syn(id));
            return;
        }
        let back = wire.now + wire.delay();
        dial.outcome = Some(match listening {
            None => Err(ErrorKind::ConnectionRefused),
            Some(listening) if listening.tls != dial.tls => Err(ErrorKind::InvalidData),
            Some(listening) => {
                self.made += 1;
                let mut conn = Conn::new([dial.from, listening.owner]);
                conn.pipes[1].hold_until(back);
                if wire.chance.hit(wire.break_ppm) {
                    conn.breaks_after = Some(wire.chance.below(BREAKS_WITHIN));
                }
                self.conns.insert(self.made, conn);
                let socket = Socket { conn: self.made, side: 0 };
                listening.queue.push_back(socket.peer());
                if let Some(waker) = listening.waker.take() {
                    waker.wake();
                }
                Ok(socket)
            }
        });
        wire.plan(back, Due::Dialled(id));
    }

    pub(super) fn dialled(&mut self, id: DialId) {
        let Some(dial) = self.dials.get_mut(&id) else { return };
        dial.told = true;
        if let Some(waker) = dial.waker.take() {
            waker.wake();
        }
    }

    /// Listens on a port. False if somebody does already.
    pub(super) fn listen(&mut self, owner: Process, port: u16, tls: bool) -> bool {
        let free = !self.listeners.contains_key(&(owner.host, port));
        if free {
            let listening = Listening { owner, tls, queue: VecDeque::new(), waker: None };
            self.listeners.insert((owner.host, port), listening);
        }
        free
    }

    /// The next connection that came to a port.
    pub(super) fn poll_accept(&mut self, owner: Process, port: u16, waker: &Waker) -> Poll<Socket> {
        let listening = self.listeners.get_mut(&(owner.host, port));
        let Some(listening) = listening.filter(|l| l.owner == owner) else { return Poll::Pending };
        match listening.queue.pop_front() {
            Some(socket) => Poll::Ready(socket),
            None => {
                listening.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// Ends listening. Whoever was not accepted is cut off.
    pub(super) fn unlisten(&mut self, wire: &mut Wire<'_>, owner: Process, port: u16) {
        if self.listeners.get(&(owner.host, port)).is_some_and(|l| l.owner == owner)
            && let Some(listening) = self.listeners.remove(&(owner.host, port))
        {
            for socket in listening.queue {
                self.close(wire, socket);
            }
        }
    }
}
