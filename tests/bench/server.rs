//! The servers that are measured.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::request::put_once;

/// Which server.
pub(crate) enum Kind {
    /// The daemon that was built with this bench.
    Quorate,
    /// etcd 3.4, with the v2 API on.
    Etcd(PathBuf),
}

impl Kind {
    /// etcd, if it is installed.
    pub(crate) fn etcd() -> Option<Self> {
        let name = std::env::var("QUORATE_BENCH_ETCD").unwrap_or_else(|_| "etcd".into());
        let found = Command::new(&name).arg("--version").stdout(Stdio::null()).status().is_ok();
        found.then(|| Self::Etcd(name.into()))
    }

    fn command(&self) -> Command {
        match self {
            Self::Quorate => Command::new(env!("CARGO_BIN_EXE_quorate")),
            Self::Etcd(path) => {
                let mut command = Command::new(path);
                command.args(["--enable-v2", "--logger=zap", "--log-level=error"]);
                command
            }
        }
    }
}

/// A cluster on this machine; killed when it goes out of scope.
pub(crate) struct Servers {
    children: Vec<Child>,
    addresses: Vec<SocketAddr>,
    _data: TempDir,
}

impl Servers {
    /// Starts a new cluster.
    pub(crate) fn start(kind: &Kind, members: usize) -> Self {
        let data = tempfile::tempdir().expect("a directory for the data");
        let ports: Vec<(u16, u16)> = (0..members).map(|_| (free_port(), free_port())).collect();
        let list: Vec<String> =
            (0..members).map(|n| format!("m{n}=http://127.0.0.1:{}", ports[n].1)).collect();
        let children = ports.iter().enumerate().map(|(n, (client, peer))| {
            let (client, peer) =
                (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
            kind.command()
                .args(["--name", &format!("m{n}")])
                .arg("--data-dir")
                .arg(data.path().join(format!("m{n}")))
                .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
                .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
                .args(["--initial-cluster", &list.join(","), "--initial-cluster-state", "new"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the server starts")
        });
        let children = children.collect();
        let addresses =
            ports.iter().map(|(client, _)| SocketAddr::from(([127, 0, 0, 1], *client))).collect();
        Self { children, addresses, _data: data }
    }

    /// Waits until a write has succeeded. Says how long that took.
    pub(crate) fn await_first_write(&self) -> Duration {
        let started = Instant::now();
        while !put_once(self.addresses[0]) {
            sleep(Duration::from_millis(5));
        }
        started.elapsed()
    }

    /// Where clients connect.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            // One that is gone already is as good as killed.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
