//! PostgreSQL servers that Patroni keeps, with the cluster under test as what they agree by.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::Missing;
use super::client::Client;
use super::cluster::{Cluster, isolate};
use super::process::Process;
use super::wait::wait_for;

/// The user that Debian makes for PostgreSQL, which does not run as root.
const USER: &str = "postgres";

/// What has to be there. Patroni and what it starts run in a process namespace of their own, so that
/// they can be killed at once, as a machine is.
const PROGRAMS: &[&str] = &["patroni", "unshare", "setpriv"];

/// The servers, each on a machine that can die.
pub(crate) struct Servers {
    host: String,
    client: Client,
    // Before the directory: when a test fails, the logs in it are still to be shown.
    machines: Vec<Option<Process>>,
    programs: PathBuf,
    dir: TempDir,
}

/// The programs of PostgreSQL, if all that is needed is installed.
///
/// # Errors
/// What is missing.
pub(crate) fn installed() -> Result<PathBuf, Missing> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root can become the user postgres and make namespaces".into());
    }
    for program in PROGRAMS {
        let found = shell(&format!("command -v {program}"));
        found.ok_or_else(|| Missing::Program((*program).to_owned()))?;
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin"));
    let installed = programs.filter(|programs| programs.join("initdb").exists()).max();
    let programs = installed.ok_or_else(|| Missing::Program("postgresql".to_owned()))?;
    shell("unshare --pid --fork --kill-child --mount-proc true")
        .ok_or("a process namespace cannot be made here")?;
    Ok(programs)
}

impl Servers {
    /// Nothing is started yet.
    pub(crate) fn new(cluster: &Cluster, programs: PathBuf, count: usize) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the servers");
        // The user of the servers has to get into it.
        let open = fs::set_permissions(dir.path(), Permissions::from_mode(0o755));
        open.expect("it is this test's own directory");
        let machines = (0..count).map(|_| None).collect();
        let client = cluster.client.clone();
        let servers = Self { host: cluster.host().to_owned(), client, machines, programs, dir };
        for server in 0..count {
            servers.prepare(server, &cluster.client_urls());
        }
        servers
    }

    /// Makes the directory of a server, with Patroni's configuration.
    fn prepare(&self, server: usize, etcd: &[String]) {
        let home = self.home(server);
        fs::create_dir(&home).expect("a directory is made");
        let id = |flag| {
            let id = shell(&format!("id {flag} {USER}")).and_then(|id| id.trim().parse().ok());
            id.expect("PostgreSQL came with its user")
        };
        chown(&home, Some(id("-u")), Some(id("-g"))).expect("root gives files away");
        fs::write(home.join("patroni.yml"), self.configuration(server, etcd)).expect("written");
    }

    /// The time to live is short, so that a failover is. What a process has written outlives the
    /// process; nothing needs to reach the disk.
    fn configuration(&self, server: usize, etcd: &[String]) -> String {
        let hosts: Vec<&str> = etcd.iter().map(|url| url.trim_start_matches("http://")).collect();
        let (name, home, host) = (name(server), self.home(server), &self.host);
        let (home, programs) = (home.display(), self.programs.display());
        let Ports { sql, rest } = ports(server);
        format!(
            "scope: soak
name: {name}
restapi: {{listen: '{host}:{rest}', connect_address: '{host}:{rest}'}}
etcd: {{hosts: {hosts:?}}}
bootstrap:
  dcs:
    ttl: 10
    loop_wait: 1
    retry_timeout: 3
    postgresql:
      use_pg_rewind: true
      parameters: {{fsync: 'off', wal_log_hints: 'on'}}
  initdb: [encoding: UTF8]
postgresql:
  listen: '{host}:{sql}'
  connect_address: '{host}:{sql}'
  data_dir: {home}/data
  bin_dir: {programs}
  pgpass: {home}/pgpass
  parameters: {{unix_socket_directories: {home}}}
  pg_hba: ['local all all trust', 'host all all 127.0.0.0/8 trust', 'host replication all 127.0.0.0/8 trust']
  authentication:
    superuser: {{username: {USER}, password: secret}}
    replication: {{username: replicator, password: secret}}
"
        )
    }

    /// Starts the machine of a server. What it has on its disk is taken up again.
    pub(crate) fn start(&mut self, server: usize) {
        assert!(self.machines[server].is_none(), "server {server} runs already");
        let home = self.home(server);
        // The first process of the namespace stays root: the signal that it is to get with the death
        // of its parent would be forgotten with a change of the user.
        let inside = format!(
            "setpriv --reuid {USER} --regid {USER} --clear-groups env HOME={home} \
             patroni {home}/patroni.yml; exit $?",
            home = home.display()
        );
        let mut command = Command::new("unshare");
        isolate(&mut command);
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &inside]);
        let log = self.dir.path().join(format!("{}.log", name(server)));
        self.machines[server] = Some(Process::start(command, &log));
    }

    /// SIGKILL for all processes of a machine at once.
    pub(crate) fn kill(&mut self, server: usize) {
        self.machines[server].take().expect("the machine runs").kill();
    }

    /// Waits until a running server is the primary, and gives it.
    pub(crate) fn await_primary(&self) -> usize {
        wait_for("a server is the primary", || {
            let mut running = (0..self.machines.len()).filter(|s| self.machines[*s].is_some());
            running.find(|server| self.is(*server, "primary"))
        })
    }

    /// Waits until a server follows the primary.
    pub(crate) fn await_replica(&self, server: usize) {
        wait_for("the server is a replica", || self.is(server, "replica").then_some(()));
    }

    /// Whether Patroni says that its server has a role.
    fn is(&self, server: usize, role: &str) -> bool {
        let url = format!("http://{}:{}/{role}", self.host, ports(server).rest);
        self.client.get(&url).is_ok_and(|answer| answer.status == 200)
    }

    /// What a statement says at a server; nothing if it fails.
    pub(crate) fn sql(&self, server: usize, statement: &str) -> Option<String> {
        let target = format!(
            "host={} port={} user={USER} dbname=postgres connect_timeout=5",
            self.host,
            ports(server).sql
        );
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "-qAt", "-c", statement, &target]);
        said(&mut command).map(|said| said.trim().to_owned())
    }

    fn home(&self, server: usize) -> PathBuf {
        self.dir.path().join(name(server))
    }
}

/// The name of a server, for Patroni.
pub(crate) fn name(server: usize) -> String {
    format!("postgres{server}")
}

struct Ports {
    sql: u16,
    rest: u16,
}

/// The ports of a server, on the address of the cluster.
fn ports(server: usize) -> Ports {
    let server = u16::try_from(server).expect("few servers");
    Ports { sql: 5432 + server, rest: 8008 + server }
}

fn shell(script: &str) -> Option<String> {
    said(Command::new("sh").args(["-c", script]))
}

/// What a command writes, if it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
