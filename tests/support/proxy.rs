//! Proxies, and clusters behind them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::QUORATE;
use super::address::own_address;
use super::client::{Answer, Client};
use super::cluster::isolate;
use super::process::Process;
use super::wait::{wait_for, wait_until};

/// A proxy with a directory of its own, which goes with it.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) process: Option<Process>,
    dir: TempDir,
    host: String,
}

impl Proxy {
    /// Nothing is started yet.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory for the test");
        Self { process: None, dir, host: own_address().to_string() }
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A URL on its port.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}:2379{path}", self.host)
    }

    /// Its command line, without what says how it finds the cluster.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(Path::new(QUORATE));
        command.args(["-name", "proxy", "-data-dir"]).arg(self.data_dir());
        command.args(["-listen-client-urls", &self.url("")]);
        isolate(&mut command);
        command
    }

    /// Starts it with these flags.
    pub(crate) fn start(&mut self, flags: &[&str]) {
        let mut command = self.command();
        command.args(flags);
        self.process = Some(Process::start(command, &self.dir.path().join("log")));
    }

    /// A proxy that forwards already.
    pub(crate) fn started(flags: &[&str]) -> Self {
        let mut proxy = Self::new();
        proxy.start(flags);
        proxy.await_endpoints(1);
        proxy
    }

    /// Waits until it forwards to at least so many members; gives them.
    pub(crate) fn await_endpoints(&mut self, at_least: usize) -> Vec<String> {
        let client = Client::new();
        let url = self.url("/v2/config/local/proxy");
        wait_for("the proxy has endpoints", || {
            assert!(self.process.as_mut().expect("it was started").runs(), "the proxy ended");
            // Before it knows that it is a proxy, it has no such resource.
            let answer = client.get(&url).ok().filter(|answer| answer.status == 200)?;
            let found = answer.at("/endpoints");
            let found: Vec<String> = found
                .as_array()?
                .iter()
                .filter_map(|url| url.as_str().map(str::to_owned))
                .collect();
            (found.len() >= at_least).then_some(found)
        })
    }

    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    pub(crate) fn await_said(&mut self, words: &str) {
        wait_until(&format!("the proxy says {words}"), || {
            assert!(self.process.as_mut().expect("it was started").runs(), "the proxy ended");
            self.log().contains(words)
        });
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Client::new().get(&self.url(path)).expect("the proxy answers")
    }

    pub(crate) fn put(&self, path: &str, form: &str) -> Answer {
        Client::new().put(&self.url(path), form).expect("the proxy answers")
    }
}

/// A server of the test's own, on an address of its own.
pub(crate) fn listener() -> (TcpListener, String) {
    let address = own_address();
    let listener = TcpListener::bind((address, 2379)).expect("the address is free");
    (listener, format!("http://{address}:2379"))
}
