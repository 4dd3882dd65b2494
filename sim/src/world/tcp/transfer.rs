//! Bytes: written, on their way, read.

use std::io::{self, ErrorKind, IoSlice};
use std::task::{Poll, Waker};

use bytes::BytesMut;
use tokio::io::ReadBuf;

use super::pipe::{Payload, WINDOW};
use super::{Due, SEGMENT_RTO, Socket, Standing, Tcp, Wire};

impl Tcp {
    /// Writes as much of `slices` as there is room for, or a part of it.
    pub(super) fn poll_write(
        &mut self,
        wire: &mut Wire<'_>,
        socket: Socket,
        slices: &[IoSlice<'_>],
        waker: &Waker,
    ) -> Poll<io::Result<usize>> {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return not_open() };
        let (end, pipe) = (&mut conn.ends[socket.side], &conn.pipes[socket.side]);
        if let Some(kind) = end.failed {
            return Poll::Ready(Err(kind.into()));
        }
        if pipe.finished {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        if offered == 0 {
            return Poll::Ready(Ok(0));
        }
        if pipe.room() == 0 {
            end.writer = Some(waker.clone());
            return Poll::Pending;
        }
        let count = wire.part(offered.min(pipe.room()));
        let mut bytes = BytesMut::with_capacity(count);
        for slice in slices {
            let left = count - bytes.len();
            bytes.extend_from_slice(&slice[..left.min(slice.len())]);
        }
        self.send(wire, socket, Payload::Data(bytes.freeze()));
        Poll::Ready(Ok(count))
    }

    /// Nothing more will be written; reading goes on.
    pub(super) fn finish(&mut self, wire: &mut Wire<'_>, socket: Socket) {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return };
        let failed = conn.ends[socket.side].failed.is_some();
        if !failed && !std::mem::replace(&mut conn.pipes[socket.side].finished, true) {
            self.send(wire, socket, Payload::End);
        }
    }

    fn send(&mut self, wire: &mut Wire<'_>, socket: Socket, payload: Payload) {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return };
        let mut due = wire.now + wire.delay();
        let mut rto = SEGMENT_RTO;
        while wire.is_lost() {
            due += rto;
            rto *= 2;
        }
        if let Some(due) = conn.pipes[socket.side].send(due, payload) {
            wire.plan(due, Due::Segment(socket));
        }
    }

    /// The first segment that an end has under way is due.
    pub(super) fn segment(&mut self, wire: &mut Wire<'_>, socket: Socket) {
        let side = socket.side;
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return };
        while let Some(due) = conn.pipes[side].next_due() {
            if due > wire.now {
                wire.plan(due, Due::Segment(socket));
                return;
            }
            let (from, to) = (conn.ends[side].owner.host, conn.ends[1 - side].owner.host);
            if wire.network.is_cut(from, to) || !self.up[to] {
                if conn.ends[side].standing == Standing::Gone {
                    // Nobody is left to send it again.
                    conn.pipes[side].lose_flight();
                    return;
                }
                wire.stats.unreachable += 1;
                conn.pipes[side].put_off(wire.now);
                continue;
            }
            if conn.breaks_after == Some(0) {
                wire.stats.http_failed += 1;
                self.fail(socket, ErrorKind::ConnectionReset);
                self.fail(socket.peer(), ErrorKind::ConnectionReset);
                return;
            }
            conn.breaks_after = conn.breaks_after.map(|left| left - 1);
            let Some(payload) = conn.pipes[side].take() else { return };
            let known = conn.ends[1 - side].standing;
            if known == Standing::Gone
                || known == Standing::Closed && matches!(payload, Payload::Data(_))
            {
                conn.pipes[side].lose_flight();
                self.reset_later(wire, socket);
                return;
            }
            wire.stats.delivered += 1;
            conn.pipes[side].receive(payload);
            if let Some(reader) = conn.ends[1 - side].reader.take() {
                reader.wake();
            }
        }
    }

    /// Reads what has arrived, or a part of it.
    pub(super) fn poll_read(
        &mut self,
        wire: &mut Wire<'_>,
        socket: Socket,
        buffer: &mut ReadBuf<'_>,
        waker: &Waker,
    ) -> Poll<io::Result<()>> {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return not_open() };
        let pipe = &mut conn.pipes[1 - socket.side];
        let most = pipe.readable().min(buffer.remaining());
        if most > 0 {
            pipe.read(buffer, wire.part(most));
            let waits = conn.ends[1 - socket.side].writer.is_some();
            if waits && !pipe.announced && pipe.room() >= WINDOW / 4 {
                pipe.announced = true;
                let at = wire.now + wire.delay();
                wire.plan(at, Due::Window(socket.peer()));
            }
            return Poll::Ready(Ok(()));
        }
        let end = &mut conn.ends[socket.side];
        if let Some(kind) = end.failed {
            return Poll::Ready(Err(kind.into()));
        }
        if pipe.ended || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        end.reader = Some(waker.clone());
        Poll::Pending
    }

    /// A writer that waits learns that there is room.
    pub(super) fn window(&mut self, wire: &mut Wire<'_>, socket: Socket) {
        let Some(conn) = self.conns.get_mut(&socket.conn) else { return };
        let [writer, reader] =
            [socket.side, 1 - socket.side].map(|side| conn.ends[side].owner.host);
        if wire.network.is_cut(reader, writer) {
            wire.plan(wire.now + SEGMENT_RTO, Due::Window(socket));
            return;
        }
        conn.pipes[socket.side].announced = false;
        if let Some(writer) = conn.ends[socket.side].writer.take() {
            writer.wake();
        }
    }
}

fn not_open<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(ErrorKind::NotConnected.into()))
}
