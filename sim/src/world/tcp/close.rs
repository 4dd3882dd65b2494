//! Ends of connections: closed, reset, or gone with the power.

use std::io::ErrorKind;

use super::super::process::Process;
use super::{Due, Socket, Standing, Tcp, Wire};

impl Tcp {
    /// A process lets go of its end. Bytes that it has not read are answered with a reset, as are
    /// those that come later; otherwise the other side reads to the end of what was written.
    pub(super) fn close(&mut self, wire: &mut Wire<'_>, socket: Socket) {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return };
        let end = &mut conn.ends[socket.side];
        if end.standing != Standing::Open {
            return;
        }
        end.standing = Standing::Closed;
        (end.reader, end.writer) = (None, None);
        if end.failed.is_none() {
            if conn.pipes[1 - socket.side].readable() > 0 {
                conn.pipes[socket.side].lose_flight();
                self.reset_later(wire, socket.peer());
            } else {
                self.finish(wire, socket);
            }
        }
        self.bury(socket);
    }

    /// A reset is on its way to an end. It is not sent again if it gets lost.
    pub(super) fn reset_later(&mut self, wire: &mut Wire<'_>, socket: Socket) {
        let at = wire.now + wire.delay();
        wire.plan(at, Due::Reset(socket));
    }

    pub(super) fn reset(&mut self, wire: &mut Wire<'_>, socket: Socket) {
        let Some(conn) = self.conns.get(&socket.conn) else { return };
        let [from, to] = [1 - socket.side, socket.side].map(|side| conn.ends[side].owner.host);
        if self.up[to] && !wire.network.is_cut(from, to) {
            self.fail(socket, ErrorKind::ConnectionReset);
        }
    }

    /// Reads and writes of an end fail from now on, once what has arrived is read.
    pub(super) fn fail(&mut self, socket: Socket, kind: ErrorKind) {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return };
        let end = &mut conn.ends[socket.side];
        end.failed.get_or_insert(kind);
        end.wake();
        conn.pipes[socket.side].lose_flight();
    }

    fn bury(&mut self, socket: Socket) {
        if self.conns.get(&socket.conn).is_some_and(super::Conn::is_over) {
            self.conns.remove(&socket.conn);
        }
    }

    /// A process has ended, and its machine closes what it held.
    pub(in super::super) fn end_process(&mut self, wire: &mut Wire<'_>, process: Process) {
        self.listeners.retain(|_, listening| listening.owner != process);
        self.dials.retain(|_, dial| dial.from != process);
        for socket in self.sockets(|owner| owner == process) {
            self.close(wire, socket);
        }
    }

    /// A machine loses power, and with it all that it knows; nobody is told.
    pub(in super::super) fn lose_power(&mut self, host: usize) {
        self.up[host] = false;
        self.listeners.retain(|(at, _), _| *at != host);
        self.dials.retain(|_, dial| dial.from.host != host);
        for socket in self.sockets(|owner| owner.host == host) {
            if let Some(conn) = self.conns.get_mut(&socket.conn) {
                let end = &mut conn.ends[socket.side];
                end.standing = Standing::Gone;
                (end.reader, end.writer) = (None, None);
            }
            self.bury(socket);
        }
    }

    /// A machine has power again.
    pub(in super::super) fn power_up(&mut self, host: usize) {
        self.up[host] = true;
    }

    fn sockets(&self, of: impl Fn(Process) -> bool) -> Vec<Socket> {
        let all = self.conns.iter().flat_map(|(conn, c)| {
            [0, 1].map(|side| (Socket { conn: *conn, side }, c.ends[side].owner))
        });
        all.filter(|(_, owner)| of(*owner)).map(|(socket, _)| socket).collect()
    }
}
