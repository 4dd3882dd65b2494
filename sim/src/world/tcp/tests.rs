//! TCP by itself: a clock that is set by hand, and two machines.

use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};

use tokio::io::ReadBuf;

use super::pipe::WINDOW;
use super::*;
use crate::chance::Stream;
use crate::options::Options;

const MS: u64 = 1_000_000;
const CLIENT: Process = Process { host: 0, boot: 0 };
const SERVER: Process = Process { host: 1, boot: 0 };
const PORT: u16 = 80;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Lab {
    now: u64,
    tcp: Tcp,
    agenda: Agenda,
    network: Network,
    chance: Chance,
    stats: Stats,
    break_ppm: u64,
}

impl Lab {
    fn new(options: &Options) -> Self {
        Self {
            now: 0,
            tcp: Tcp::new(2),
            agenda: Agenda::default(),
            network: Network::new(2, options),
            chance: Chance::new(1, Stream::Network),
            stats: Stats::default(),
            break_ppm: 0,
        }
    }

    /// A network on which everything takes a millisecond.
    fn calm() -> Self {
        Self::new(&Options { delay_min_us: 1000, ..Options::default() })
    }

    fn wired<T>(&mut self, work: impl FnOnce(&mut Tcp, &mut Wire<'_>) -> T) -> T {
        let Self { now, tcp, agenda, network, chance, stats, break_ppm } = self;
        let (now, break_ppm) = (*now, *break_ppm);
        work(tcp, &mut Wire { now, agenda, network, chance, stats, break_ppm })
    }

    /// Lets time pass.
    fn run(&mut self, until: u64) {
        while let Some(at) = self.agenda.wait(Waker::noop()).filter(|at| *at <= until) {
            self.now = at;
            if let Some(Event::Tcp(due)) = self.agenda.pop(at) {
                self.wired(|tcp, wire| tcp.due(wire, due));
            }
        }
        self.now = until;
    }

    fn pass(&mut self, time: u64) {
        self.run(self.now + time);
    }

    fn dial(&mut self) -> DialId {
        self.wired(|tcp, wire| tcp.dial(wire, CLIENT, (SERVER.host, PORT), false))
    }

    fn dialled(&mut self, id: DialId) -> Poll<io::Result<Socket>> {
        self.tcp.poll_dial(id, Waker::noop())
    }

    /// A connection from the client to the server.
    fn connected(&mut self) -> (Socket, Socket) {
        self.tcp.listen(SERVER, PORT, false);
        let id = self.dial();
        self.pass(10 * MS);
        let Poll::Ready(Ok(near)) = self.dialled(id) else { panic!("not connected") };
        let Poll::Ready(far) = self.tcp.poll_accept(SERVER, PORT, Waker::noop()) else {
            panic!("nothing to accept");
        };
        (near, far)
    }

    fn write_with(
        &mut self,
        socket: Socket,
        bytes: &[u8],
        waker: &Waker,
    ) -> Poll<io::Result<usize>> {
        let slices = [IoSlice::new(bytes)];
        self.wired(|tcp, wire| tcp.poll_write(wire, socket, &slices, waker))
    }

    fn write(&mut self, socket: Socket, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_with(socket, bytes, Waker::noop())
    }

    fn write_all(&mut self, socket: Socket, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Poll::Ready(Ok(count)) = self.write(socket, bytes) else { panic!("no room") };
            bytes = &bytes[count..];
        }
    }

    /// Reads once; nothing means the end.
    fn read(&mut self, socket: Socket) -> Poll<io::Result<Vec<u8>>> {
        let mut space = [0; 1000];
        let mut buffer = ReadBuf::new(&mut space);
        let waker = Waker::noop();
        let read = self.wired(|tcp, wire| tcp.poll_read(wire, socket, &mut buffer, waker));
        read.map_ok(|()| buffer.filled().to_vec())
    }

    /// Reads all that is there.
    fn read_all(&mut self, socket: Socket) -> Vec<u8> {
        let mut all = Vec::new();
        while let Poll::Ready(Ok(part)) = self.read(socket) {
            if part.is_empty() {
                break;
            }
            all.extend(part);
        }
        all
    }

    fn cut(&mut self, directions: &[(usize, usize)]) -> u64 {
        self.network.cut(directions.to_vec())
    }
}

fn kind<T>(poll: &Poll<io::Result<T>>) -> Option<ErrorKind> {
    match poll {
        Poll::Ready(Err(error)) => Some(error.kind()),
        _ => None,
    }
}

fn is_end(poll: &Poll<io::Result<Vec<u8>>>) -> bool {
    matches!(poll, Poll::Ready(Ok(bytes)) if bytes.is_empty())
}

#[test]
fn nobody_listens_is_refused_and_nobody_answers_is_waited_for() {
    let mut lab = Lab::calm();
    let refused = lab.dial();
    lab.pass(10 * MS);
    assert_eq!(kind(&lab.dialled(refused)), Some(ErrorKind::ConnectionRefused));
    lab.tcp.listen(SERVER, PORT, false);
    for direction in [(0, 1), (1, 0)] {
        let number = lab.cut(&[direction]);
        let hangs = lab.dial();
        lab.pass(30_000 * MS);
        assert!(lab.dialled(hangs).is_pending());
        lab.network.heal(number);
        lab.pass(100 * MS);
        assert!(lab.dialled(hangs).is_pending(), "the SYN is not sent again so soon");
        lab.pass(64_000 * MS);
        assert!(matches!(lab.dialled(hangs), Poll::Ready(Ok(_))));
    }
}

#[test]
fn a_machine_without_power_does_not_answer() {
    let mut lab = Lab::calm();
    lab.tcp.listen(SERVER, PORT, false);
    lab.tcp.lose_power(SERVER.host);
    let hangs = lab.dial();
    lab.pass(2000 * MS);
    assert!(lab.dialled(hangs).is_pending());
    lab.tcp.power_up(SERVER.host);
    lab.pass(10_000 * MS);
    assert_eq!(kind(&lab.dialled(hangs)), Some(ErrorKind::ConnectionRefused));
}

#[test]
fn whoever_hangs_up_leaves_nothing_behind() {
    let mut lab = Lab::calm();
    lab.tcp.listen(SERVER, PORT, false);
    let id = lab.dial();
    lab.run(1500 * MS / 1000);
    lab.wired(|tcp, wire| tcp.hang_up(wire, id));
    lab.pass(100 * MS);
    let Poll::Ready(far) = lab.tcp.poll_accept(SERVER, PORT, Waker::noop()) else {
        panic!("the SYN had arrived");
    };
    let end = lab.read(far);
    assert!(is_end(&end), "{end:?}");
    lab.wired(|tcp, wire| tcp.close(wire, far));
    assert!(lab.tcp.conns.is_empty() && lab.tcp.dials.is_empty());
}

#[test]
fn sides_that_differ_about_tls_do_not_connect() {
    let mut lab = Lab::calm();
    lab.tcp.listen(SERVER, PORT, true);
    let id = lab.dial();
    lab.pass(10 * MS);
    assert_eq!(kind(&lab.dialled(id)), Some(ErrorKind::InvalidData));
    assert!(lab.tcp.poll_accept(SERVER, PORT, Waker::noop()).is_pending());
}

#[test]
fn bytes_keep_their_order_whatever_the_network_does() {
    let options = Options {
        delay_min_us: 50,
        delay_mean_us: 5000,
        loss_ppm: 100_000,
        slow_ppm: 5000,
        ..Options::default()
    };
    let mut lab = Lab::new(&options);
    lab.tcp.listen(SERVER, PORT, false);
    let id = lab.dial();
    lab.run(60_000 * MS);
    let Poll::Ready(Ok(near)) = lab.dialled(id) else { panic!("not connected") };
    let Poll::Ready(far) = lab.tcp.poll_accept(SERVER, PORT, Waker::noop()) else {
        panic!("nothing to accept");
    };
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for round in 0..500u32 {
        let bytes = round.to_le_bytes().repeat(5);
        lab.write_all(near, &bytes);
        sent.extend(bytes);
        lab.pass(3 * MS);
        received.extend(lab.read_all(far));
    }
    lab.pass(600_000 * MS);
    received.extend(lab.read_all(far));
    assert!(lab.stats.lost > 10 && lab.stats.slow > 0);
    assert!(sent == received, "{} and {} bytes", sent.len(), received.len());
}

#[test]
fn a_cut_stalls_a_connection_which_goes_on_some_time_after_it_has_healed() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    let number = lab.cut(&[(0, 1)]);
    lab.write_all(near, b"late");
    lab.write_all(far, b"back");
    lab.pass(5000 * MS);
    assert_eq!(lab.read_all(near), b"back", "the other direction works");
    assert!(lab.read(far).is_pending());
    lab.network.heal(number);
    lab.pass(10 * MS);
    assert!(lab.read(far).is_pending(), "healed is not reachable");
    lab.pass(10_000 * MS);
    assert_eq!(lab.read_all(far), b"late");
}

#[test]
fn half_of_a_connection_can_be_closed() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    lab.write_all(near, b"question");
    lab.wired(|tcp, wire| tcp.finish(wire, near));
    assert_eq!(kind(&lab.write(near, b"more")), Some(ErrorKind::BrokenPipe));
    lab.pass(10 * MS);
    assert_eq!(lab.read_all(far), b"question");
    let end = lab.read(far);
    assert!(is_end(&end), "{end:?}");
    lab.write_all(far, b"answer");
    lab.wired(|tcp, wire| tcp.close(wire, far));
    lab.pass(10 * MS);
    assert_eq!(lab.read_all(near), b"answer");
    let end = lab.read(near);
    assert!(is_end(&end), "{end:?}");
}

#[test]
fn a_writer_waits_for_a_reader_that_does_not_read() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut written = 0;
    while let Poll::Ready(Ok(count)) = lab.write_with(near, &[7; 5000], &waker) {
        written += count;
        lab.pass(MS);
    }
    assert_eq!(written, WINDOW);
    lab.pass(1000 * MS);
    assert!(!flag.0.load(Ordering::SeqCst));
    let read = lab.read_all(far).len();
    assert!(read == WINDOW && !flag.0.load(Ordering::SeqCst), "the news has to get there");
    lab.pass(10 * MS);
    assert!(flag.0.load(Ordering::SeqCst));
    assert!(lab.write(near, &[7; 5000]).is_ready());
}

#[test]
fn reads_and_writes_sometimes_take_a_part() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    let (mut parts_written, mut parts_read) = (0, 0);
    for _ in 0..200 {
        let Poll::Ready(Ok(count)) = lab.write(near, &[1; 100]) else { panic!("no room") };
        parts_written += u32::from(count < 100);
        lab.pass(5 * MS);
        let Poll::Ready(Ok(read)) = lab.read(far) else { panic!("nothing there") };
        parts_read += u32::from(read.len() < count);
        lab.read_all(far);
    }
    assert!((2..40).contains(&parts_written) && (2..40).contains(&parts_read));
}

#[test]
fn a_killed_process_has_its_connections_closed() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    lab.write_all(far, b"last words");
    lab.wired(|tcp, wire| tcp.end_process(wire, SERVER));
    // What the dying task does while it is dropped reaches nobody.
    lab.wired(|tcp, wire| tcp.close(wire, far));
    lab.pass(10 * MS);
    assert_eq!(lab.read_all(near), b"last words");
    let end = lab.read(near);
    assert!(is_end(&end), "{end:?}");
    lab.write_all(near, b"anybody there?");
    lab.pass(10 * MS);
    assert_eq!(kind(&lab.write(near, b"?")), Some(ErrorKind::ConnectionReset));
    let refused = lab.dial();
    lab.pass(10 * MS);
    assert_eq!(kind(&lab.dialled(refused)), Some(ErrorKind::ConnectionRefused));
}

#[test]
fn closing_on_unread_bytes_resets() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    lab.write_all(near, b"unread");
    lab.pass(10 * MS);
    lab.wired(|tcp, wire| tcp.close(wire, far));
    lab.pass(10 * MS);
    assert_eq!(kind(&lab.read(near)), Some(ErrorKind::ConnectionReset));
}

#[test]
fn a_loss_of_power_is_noticed_only_by_writing_to_the_machine_once_it_is_back() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    lab.tcp.lose_power(SERVER.host);
    lab.wired(|tcp, wire| tcp.close(wire, far));
    lab.pass(60_000 * MS);
    assert!(lab.read(near).is_pending(), "nobody says anything");
    lab.tcp.power_up(SERVER.host);
    lab.pass(60_000 * MS);
    assert!(lab.read(near).is_pending(), "not even now");
    lab.write_all(near, b"hello?");
    lab.pass(10 * MS);
    assert_eq!(kind(&lab.read(near)), Some(ErrorKind::ConnectionReset));
}

#[test]
fn what_the_machine_had_to_send_again_is_lost_with_its_power() {
    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    lab.write_all(far, b"under way");
    lab.tcp.lose_power(SERVER.host);
    lab.pass(10 * MS);
    assert_eq!(lab.read_all(near), b"under way");

    let mut lab = Lab::calm();
    let (near, far) = lab.connected();
    let number = lab.cut(&[(1, 0)]);
    lab.write_all(far, b"lost");
    lab.tcp.lose_power(SERVER.host);
    lab.pass(10 * MS);
    lab.network.heal(number);
    lab.tcp.power_up(SERVER.host);
    lab.pass(600_000 * MS);
    assert!(lab.read(near).is_pending());
}

#[test]
fn something_on_the_way_may_reset_a_connection() {
    let mut lab = Lab::calm();
    lab.break_ppm = 1_000_000;
    let (near, far) = lab.connected();
    for _ in 0..100 {
        if kind(&lab.write(near, b"x")).is_some() {
            break;
        }
        lab.pass(5 * MS);
        lab.read_all(far);
    }
    assert_eq!(kind(&lab.read(near)), Some(ErrorKind::ConnectionReset));
    assert_eq!(kind(&lab.read(far)), Some(ErrorKind::ConnectionReset));
    assert_eq!(lab.stats.http_failed, 1);
}

#[test]
fn a_port_is_taken_until_its_process_has_ended() {
    let mut lab = Lab::calm();
    assert!(lab.tcp.listen(SERVER, PORT, false));
    assert!(!lab.tcp.listen(SERVER, PORT, false));
    let next = Process { boot: 1, ..SERVER };
    lab.wired(|tcp, wire| tcp.unlisten(wire, next, PORT));
    assert!(!lab.tcp.listen(next, PORT, false), "only its own process gives it back");
    lab.wired(|tcp, wire| tcp.end_process(wire, SERVER));
    assert!(lab.tcp.listen(next, PORT, false));
}
