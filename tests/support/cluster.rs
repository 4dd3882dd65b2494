//! A cluster of real processes on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use super::QUORATE;
use super::address::own_address;
use super::client::{Answer, Client};
use super::process::{Process, Signal};
use super::wait::wait_for;

/// Ports of one member, on the address of the cluster.
#[derive(Clone, Copy, Debug)]
struct Ports {
    client: u16,
    peer: u16,
}

/// A statically bootstrapped cluster. Its processes end with it, and its directory goes.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    // Before the directory: when a test fails, the logs in it are still to be shown.
    members: Vec<Option<Process>>,
    dir: TempDir,
    scheme: &'static str,
    host: String,
    flags: Vec<String>,
    /// The members in the list.
    listed: Vec<usize>,
    /// The members that are etcd's, and its program.
    etcd: Option<(Vec<usize>, PathBuf)>,
}

impl Cluster {
    /// Nothing is started yet.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            client: Client::new(),
            dir: tempfile::tempdir().expect("a directory for the test"),
            scheme: "http",
            host: own_address().to_string(),
            flags: Vec::new(),
            listed: (0..size).collect(),
            etcd: None,
            members: (0..size).map(|_| None).collect(),
        }
    }

    /// A cluster that has its members running and a leader.
    pub(crate) fn started(size: usize) -> Self {
        let mut cluster = Self::new(size);
        cluster.start_all();
        cluster.await_ready();
        cluster
    }

    /// Flags that every member gets besides its own.
    pub(crate) fn with_flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(ToString::to_string));
        self
    }

    /// Has all URLs begin with `https`, and a client that can speak with them.
    pub(crate) fn speaking_tls(mut self, client: Client) -> Self {
        self.scheme = "https";
        self.client = client;
        self
    }

    /// Has all members at this host, with its brackets if it is an address of IPv6.
    pub(crate) fn at(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    /// The host of all members.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Has real etcd run some of the members.
    pub(crate) fn with_etcd(mut self, program: &Path, members: &[usize]) -> Self {
        self.etcd = Some((members.to_vec(), program.to_owned()));
        self
    }

    /// Has only some members in the list.
    pub(crate) fn listing(mut self, members: &[usize]) -> Self {
        self.listed = members.to_vec();
        self
    }

    pub(crate) fn size(&self) -> usize {
        self.members.len()
    }

    /// The directory of the test.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn data_dir(&self, member: usize) -> PathBuf {
        self.dir().join(name(member))
    }

    /// The value of `-initial-cluster`.
    pub(crate) fn list(&self) -> String {
        self.list_of(&self.listed)
    }

    /// A list of these members.
    pub(crate) fn list_of(&self, members: &[usize]) -> String {
        let pair = |member: &usize| format!("{}={}", name(*member), self.peer_url(*member));
        members.iter().map(pair).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn peer_url(&self, member: usize) -> String {
        format!("{}://{}:{}", self.scheme, self.host, ports(member).peer)
    }

    /// A URL on the client port of a member.
    pub(crate) fn url(&self, member: usize, path: &str) -> String {
        format!("{}://{}:{}{path}", self.scheme, self.host, ports(member).client)
    }

    /// The client URLs of all members.
    pub(crate) fn client_urls(&self) -> Vec<String> {
        (0..self.size()).map(|member| self.url(member, "")).collect()
    }

    /// The command line of a member, without what says how the cluster is formed.
    pub(crate) fn command(&self, member: usize) -> Command {
        self.command_of(Path::new(QUORATE), member)
    }

    /// The same command line for another program that has etcd's flags.
    pub(crate) fn command_of(&self, program: &Path, member: usize) -> Command {
        let client_url = self.url(member, "");
        let mut command = Command::new(program);
        command
            .args(["-name", &name(member), "-data-dir"])
            .arg(self.data_dir(member))
            .args(["-listen-peer-urls", &self.peer_url(member)])
            .args(["-initial-advertise-peer-urls", &self.peer_url(member)])
            .args(["-listen-client-urls", &client_url])
            .args(["-advertise-client-urls", &client_url])
            .args(&self.flags);
        isolate(&mut command);
        command
    }

    /// Starts a member as at its first start.
    pub(crate) fn start(&mut self, member: usize) {
        let mut command = match &self.etcd {
            Some((members, etcd)) if members.contains(&member) => {
                let mut command = self.command_of(etcd, member);
                command.args(super::etcd::flags(etcd));
                command
            }
            _ => self.command(member),
        };
        command.args(["-initial-cluster", &self.list(), "-initial-cluster-state", "new"]);
        self.start_as(member, command);
    }

    /// Starts a member with a command of the test's own.
    pub(crate) fn start_as(&mut self, member: usize, command: Command) {
        assert!(self.members[member].is_none(), "member {member} runs already");
        let log = self.dir().join(format!("{}.log", name(member)));
        self.members[member] = Some(Process::start(command, &log));
    }

    pub(crate) fn start_all(&mut self) {
        for member in 0..self.size() {
            if self.members[member].is_none() {
                self.start(member);
            }
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, member: usize) {
        let mut process = self.members[member].take().expect("the member runs");
        process.kill();
    }

    /// SIGKILL for all that run, one right after the other.
    pub(crate) fn kill_all(&mut self) {
        for process in self.members.iter().flatten() {
            process.signal(Signal::KILL);
        }
        self.members.fill_with(|| None);
    }

    /// SIGTERM, and the status with which the member then ends by itself.
    pub(crate) fn terminate(&mut self, member: usize) -> ExitStatus {
        let process = self.members[member].as_mut().expect("the member runs");
        process.signal(Signal::TERM);
        let status = process.wait();
        self.members[member] = None;
        status
    }

    /// Takes note that a member has ended by itself.
    pub(crate) fn forget(&mut self, member: usize) {
        assert!(!self.process(member).runs(), "member {member} has not ended");
        self.members[member] = None;
    }

    /// The process of a running member.
    pub(crate) fn process(&mut self, member: usize) -> &mut Process {
        self.members[member].as_mut().expect("the member runs")
    }

    pub(crate) fn runs(&self, member: usize) -> bool {
        self.members[member].is_some()
    }

    /// The members that run.
    pub(crate) fn running(&self) -> Vec<usize> {
        (0..self.size()).filter(|member| self.runs(*member)).collect()
    }

    /// Waits until every running member answers through the quorum.
    ///
    /// # Panics
    /// If one of them ends meanwhile.
    pub(crate) fn await_ready(&mut self) {
        for member in self.running() {
            self.await_member(member);
        }
    }

    /// Waits until a member answers through the quorum.
    ///
    /// # Panics
    /// If it ends meanwhile.
    pub(crate) fn await_member(&mut self, member: usize) {
        let url = self.url(member, "/v2/keys/?quorum=true");
        wait_for("the member answers through the quorum", || {
            assert!(self.process(member).runs(), "member {member} ended");
            self.client.get(&url).ok().filter(|answer| answer.status == 200)
        });
    }

    /// Which member leads, as the first that runs knows it.
    pub(crate) fn leader(&self) -> usize {
        let asked = self.running()[0];
        let leader = wait_for("there is a leader", || {
            let answer = self.client.get(&self.url(asked, "/v2/members/leader")).ok()?;
            Some(answer.at("/name").as_str()?.to_owned())
        });
        (0..self.size()).find(|member| name(*member) == leader).expect("the leader is a member")
    }

    /// Sets a key, with patience: the leader may just be gone.
    pub(crate) fn put(&self, member: usize, key: &str, value: &str) -> Answer {
        let url = self.url(member, &format!("/v2/keys{key}"));
        wait_for("the write is acknowledged", || {
            let answer = self.client.put(&url, &format!("value={value}")).ok()?;
            (answer.status < 500).then_some(answer)
        })
        .ok()
    }

    /// Reads a key as of now.
    pub(crate) fn get_quorum(&self, member: usize, key: &str) -> Answer {
        let url = self.url(member, &format!("/v2/keys{key}?quorum=true"));
        wait_for("the read is answered", || {
            let answer = self.client.get(&url).ok()?;
            (answer.status < 500).then_some(answer)
        })
    }

    /// Reads a key as the member knows it.
    pub(crate) fn get_local(&self, member: usize, key: &str) -> Answer {
        let url = self.url(member, &format!("/v2/keys{key}"));
        self.client.get(&url).unwrap_or_else(|error| panic!("member {member}: {error}"))
    }

    /// Waits until all members show the same tree at the same `X-Etcd-Index`, and gives it: the
    /// whole answer of each for `key`, which is the same.
    pub(crate) fn await_equal(&self, key: &str) -> Answer {
        let path = format!("{key}?recursive=true&sorted=true");
        wait_for("all members show the same at the same index", || {
            let mut answers: Vec<Answer> =
                (0..self.size()).map(|member| self.get_local(member, &path)).collect();
            let last = answers.pop()?;
            let same = |other: &Answer| other.body == last.body && other.index() == last.index();
            answers.iter().all(same).then_some(last)
        })
    }
}

/// The name of a member in the list.
pub(crate) fn name(member: usize) -> String {
    format!("infra{member}")
}

/// Takes away what the environment of the test would say.
pub(crate) fn isolate(command: &mut Command) {
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("ETCD_") {
            command.env_remove(variable);
        }
    }
    command.current_dir("/");
}

/// The files below a directory, with their content, sorted; nothing if it is absent.
pub(crate) fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("a directory can be listed").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

fn ports(member: usize) -> Ports {
    let member = u16::try_from(member).expect("few members");
    Ports { client: 2379 + 10 * member, peer: 2380 + 10 * member }
}
