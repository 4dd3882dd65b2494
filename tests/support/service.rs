//! `quorate discovery`, the service for everybody.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::QUORATE;
use super::address::own_address;
use super::certificates::Authority;
use super::client::{Answer, Client};
use super::cluster::isolate;
use super::process::Process;
use super::wait::wait_until;

/// A service with a directory of its own.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) process: Option<Process>,
    dir: TempDir,
    pub(crate) base: String,
    endpoints: Option<String>,
    flags: Vec<String>,
    pub(crate) client: Client,
}

impl Service {
    /// A service that answers.
    pub(crate) fn started(flags: &[&str]) -> Self {
        let base = format!("http://{}:2379", own_address());
        let mut service = Self::new(base, flags, Client::new());
        service.start();
        service
    }

    /// The same by https, with a certificate of `authority`.
    pub(crate) fn secured(authority: &Authority, flags: &[&str]) -> Self {
        let host = own_address().to_string();
        let client = Client::secure(authority, None);
        let mut service = Self::new(format!("https://{host}:2379"), flags, client);
        authority.issue(&[&host]).write(service.dir(), "own");
        for (flag, file) in [("-cert-file", "own.pem"), ("-key-file", "own.key")] {
            let file = service.dir().join(file).to_str().expect("a path in UTF-8").to_owned();
            service.flags.extend([flag.to_owned(), file]);
        }
        service.start();
        service
    }

    /// The same with its tokens in the cluster at `endpoints`.
    pub(crate) fn in_front_of(endpoints: &str, flags: &[&str]) -> Self {
        let mut service = Self::of(endpoints, flags);
        service.start();
        service
    }

    /// The same, as soon as it answers anything at all.
    pub(crate) fn unwell(endpoints: &str) -> Self {
        let mut service = Self::of(endpoints, &[]);
        service.launch();
        wait_until("the service answers", || service.client.get(&service.url("/health")).is_ok());
        service
    }

    fn of(endpoints: &str, flags: &[&str]) -> Self {
        let base = format!("http://{}:2379", own_address());
        let mut service = Self::new(base, flags, Client::new());
        service.endpoints = Some(endpoints.to_owned());
        service
    }

    fn new(base: String, flags: &[&str], client: Client) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let flags = flags.iter().map(ToString::to_string).collect();
        Self { process: None, dir, base, endpoints: None, flags, client }
    }

    pub(crate) fn start(&mut self) {
        self.launch();
        wait_until("the service is well", || {
            self.client.get(&self.url("/health")).is_ok_and(|answer| answer.status == 200)
        });
    }

    fn launch(&mut self) {
        let mut command = Command::new(Path::new(QUORATE));
        command.args(["discovery", "-listen", &self.base]);
        match &self.endpoints {
            Some(endpoints) => command.args(["-endpoints", endpoints]),
            None => command.arg("-data-dir").arg(self.dir.path().join("data")),
        };
        command.args(&self.flags);
        isolate(&mut command);
        self.process = Some(Process::start(command, &self.dir.path().join("log")));
    }

    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    pub(crate) fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.client.get(&self.url(path)).expect("the service answers")
    }

    /// As `curl https://discovery.etcd.io/new?size=N`.
    pub(crate) fn token(&self, query: &str) -> String {
        self.get(&format!("/new{query}")).ok().body
    }
}
