//! What is refused, and what is left as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cluster::{Cluster, contents};
use crate::support::damage::{cut, last_segment, overwrite, written};
use crate::support::refusal::{Ended, is_absent, run};

use crate::support::{Missing, QUORATE, left_out};
use tempfile::TempDir;

fn quorate(args: &[&str]) -> Command {
    let mut command = Command::new(QUORATE);
    command.args(args);
    command
}

/// Runs the command of a member whose flags are wrong, and finds no trace of it afterwards.
fn refused_without_trace(args: &[&str]) -> Ended {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let data = dir.path().join("data");
    let mut command = quorate(args);
    command.arg("-data-dir").arg(&data);
    let ended = run(command);
    assert!(is_absent(&data), "{args:?} made {:?}", contents(&data));
    ended
}

/// The guide's error cases and their relatives: the flags of infra0 with one of them changed.
fn infra0(changed: &[(&str, &str)]) -> Ended {
    let mut flags = vec![
        ("-name", "infra0"),
        ("-initial-advertise-peer-urls", "http://10.0.1.10:2380"),
        ("-listen-peer-urls", "http://127.0.0.1:0"),
        ("-listen-client-urls", "http://127.0.0.1:0"),
        ("-advertise-client-urls", "http://10.0.1.10:2379"),
        ("-initial-cluster", "infra0=http://10.0.1.10:2380,infra1=http://10.0.1.11:2380"),
        ("-initial-cluster-state", "new"),
    ];
    for (flag, value) in changed {
        flags.retain(|(known, _)| known != flag);
        flags.push((flag, value));
    }
    let args: Vec<&str> = flags.iter().flat_map(|(flag, value)| [*flag, *value]).collect();
    refused_without_trace(&args)
}

#[test]
fn a_member_that_is_not_listed() {
    let ended =
        infra0(&[("-name", "infra1"), ("-initial-cluster", "infra0=http://10.0.1.10:2380")]);
    ended.assert_refused(1, "infra1 not listed in the initial cluster config");
    assert!(ended.hints()[0].contains("infra1") && ended.hints()[0].contains("infra0"));
}

/// As the guide prints it: the peer URL to listen on is an https one, and no certificate is given.
#[test]
fn a_member_that_is_not_listed_as_the_guide_prints_it() {
    let ended = refused_without_trace(&[
        "-name",
        "infra1",
        "-initial-advertise-peer-urls",
        "http://10.0.1.11:2380",
        "-listen-peer-urls",
        "https://10.0.1.11:2380",
        "-listen-client-urls",
        "http://10.0.1.11:2379,http://127.0.0.1:2379",
        "-advertise-client-urls",
        "http://10.0.1.11:2379",
        "-initial-cluster",
        "infra0=http://10.0.1.10:2380",
        "-initial-cluster-state",
        "new",
    ]);
    ended.assert_refused(1, "infra1 not listed in the initial cluster config");
}

#[test]
fn an_advertised_url_that_is_not_the_listed_one() {
    let ended = infra0(&[("-initial-advertise-peer-urls", "http://127.0.0.1:2380")]);
    ended.assert_refused(
        1,
        "error setting up initial cluster: infra0 has different advertised URLs in the cluster \
         and advertised peer URLs list",
    );
    let hints = ended.hints().join("\n");
    for side in ["http://10.0.1.10:2380", "http://127.0.0.1:2380"] {
        assert!(hints.contains(side), "{side} in {hints}");
    }
}

#[test]
fn the_same_url_twice() {
    let list = "infra0=http://10.0.1.10:2380,infra1=http://10.0.1.10:2380";
    let ended = infra0(&[("-initial-cluster", list)]);
    ended.assert_refused(1, &format!("initial cluster {list} has duplicate url"));
    assert!(ended.hints()[0].contains("infra0 and infra1"));
}

#[test]
fn pieces_of_the_list_that_are_no_pairs() {
    for (list, cause) in [
        ("infra0", "URL scheme must be http or https: "),
        ("infra0=10.0.1.10:2380", "first path segment in URL cannot contain colon"),
        ("infra0=ftp://10.0.1.10:2380", "URL scheme must be http or https: ftp://10.0.1.10:2380"),
        (
            "infra0=http://10.0.1.10",
            "URL address does not have the form \"host:port\": http://10.0.1.10",
        ),
        ("infra0=http://10.0.1.10:2380/x", "URL must not contain a path: http://10.0.1.10:2380/x"),
        ("%%%", ""),
    ] {
        let ended = infra0(&[("-initial-cluster", list)]);
        assert_eq!(ended.status, Some(1), "{list}: {ended:?}");
        let line = ended.output.lines().find_map(|line| line.strip_prefix("quorate: "));
        let line = line.unwrap_or_else(|| panic!("{list}: {ended:?}"));
        let rest = line.strip_prefix("error setting up initial cluster: ");
        assert!(rest.is_some_and(|rest| rest.contains(cause.trim_end())), "{list}: {line}");
        assert!(ended.hints()[0].contains(list), "{ended:?}");
    }
}

#[test]
fn urls_that_are_none() {
    for flag in [
        "-initial-advertise-peer-urls",
        "-listen-peer-urls",
        "-listen-client-urls",
        "-advertise-client-urls",
    ] {
        let ended = infra0(&[(flag, "10.0.1.10")]);
        assert_eq!(ended.status, Some(2), "{ended:?}");
        let start = format!("quorate: invalid value \"10.0.1.10\" for flag {flag}: ");
        assert!(ended.output.lines().any(|line| line.starts_with(&start)), "{ended:?}");
        assert!(!ended.hints().is_empty(), "{ended:?}");
    }
}

#[test]
fn flags_that_do_not_exist_and_words_that_are_no_flags() {
    let unknown = refused_without_trace(&["-no-such-flag", "1"]);
    unknown.assert_refused(2, "flag provided but not defined: -no-such-flag");
    let positional = refused_without_trace(&["foo"]);
    positional.assert_refused(1, "error verifying flags, 'foo' is not a valid flag");
    let state = infra0(&[("-initial-cluster-state", "old")]);
    state.assert_refused(2, "invalid value \"old\" for flag -initial-cluster-state: invalid value");
    let required = refused_without_trace(&["-listen-client-urls", "http://127.0.0.1:0"]);
    required.assert_refused(
        1,
        "error verifying flags, -advertise-client-urls is required when -listen-client-urls is \
         set explicitly",
    );
}

#[test]
fn a_port_in_use() {
    let cluster = Cluster::new(1);
    for url in [cluster.peer_url(0), cluster.url(0, "")] {
        let address = url.trim_start_matches("http://");
        let _taken = std::net::TcpListener::bind(address).expect("the address is free");
        let ended = run(first_start(&cluster));
        ended.assert_refused(1, &format!("listen tcp {address}: bind: address already in use"));
        assert!(is_absent(&cluster.data_dir(0)), "made {:?}", contents(&cluster.data_dir(0)));
    }
}

fn first_start(cluster: &Cluster) -> Command {
    let mut command = cluster.command(0);
    command.args(["-initial-cluster", &cluster.list(), "-initial-cluster-state", "new"]);
    command
}

/// The message of a refusal, if it is one.
fn message(ended: &Ended) -> &str {
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let line = ended.output.lines().find_map(|line| line.strip_prefix("quorate: "));
    let line = line.unwrap_or_else(|| panic!("no refusal in {ended:?}"));
    ended.assert_refused(1, line);
    line
}

/// Not even root makes a directory below a file.
#[test]
fn a_data_directory_below_a_file() {
    let cluster = Cluster::new(1);
    fs::write(cluster.dir().join("file"), "kept").expect("a file is written");
    let below = cluster.dir().join("file/data");
    let mut command = first_start(&cluster);
    command.arg("-data-dir").arg(&below);
    let ended = run(command);
    let start = format!("cannot use the data directory {}: ", below.display());
    assert!(message(&ended).starts_with(&start), "{ended:?}");
    assert_eq!(fs::read(cluster.dir().join("file")).expect("it is there"), b"kept");
}

#[test]
fn a_data_directory_that_may_not_be_written() {
    let cluster = Cluster::new(1);
    let dir = cluster.data_dir(0);
    fs::create_dir(&dir).expect("a directory is made");
    fs::set_permissions(&dir, Permissions::from_mode(0o555)).expect("it is one's own");
    let mut command = first_start(&cluster);
    if rustix::process::geteuid().is_root() {
        // Permissions do not bind root, so the member runs as somebody else.
        let Some(nobody) = as_nobody(&cluster) else { return };
        command = nobody;
    }
    let ended = run(command);
    let start = format!("cannot use the data directory {}: ", dir.display());
    assert!(message(&ended).starts_with(&start), "{ended:?}");
    assert!(ended.output.contains("Permission denied"), "{ended:?}");
    assert!(ended.hints()[0].contains("writable"), "{ended:?}");
    assert_eq!(contents(&dir), []);
}

/// The first start as a user without rights.
fn as_nobody(cluster: &Cluster) -> Option<Command> {
    let name = "a_data_directory_that_may_not_be_written";
    if Command::new("setpriv").arg("--version").output().is_err() {
        left_out(name, Missing::Program("setpriv".to_owned()));
        return None;
    }
    fs::set_permissions(cluster.dir(), Permissions::from_mode(0o755)).expect("it is one's own");
    // The directories above the binary may be closed to others.
    let binary = cluster.dir().join("quorate");
    fs::copy(QUORATE, &binary).expect("the binary is copied");
    let nobody = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary);
        command
    };
    if !nobody().arg("-version").output().is_ok_and(|output| output.status.success()) {
        left_out(name, "runs as root, and nobody else may start the binary");
        return None;
    }
    let mut command = nobody();
    command.args(first_start(cluster).get_args());
    Some(command)
}

#[test]
fn directories_of_others() {
    for (file, line) in [
        ("member/wal/0000000000000000-0000000000000000.wal", "was written by etcd"),
        ("member/snap/db", "was written by etcd"),
        ("proxy/cluster", "was written by etcd"),
        ("wal/0000000000000000-0000000000000000.wal", "was written by etcd"),
        ("notes.txt", "holds files that are not Quorate's"),
        ("PG_VERSION", "holds files that are not Quorate's"),
    ] {
        let cluster = Cluster::new(1);
        let dir = cluster.data_dir(0);
        let path = dir.join(file);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("is made");
        fs::write(&path, "precious").expect("a file is written");
        let before = contents(&dir);
        let ended = run(first_start(&cluster));
        ended.assert_refused(1, &format!("the data directory {} {line}", dir.display()));
        let first = file.split('/').next().expect("a name");
        assert!(ended.hints()[0].contains(first), "{ended:?}");
        assert_eq!(contents(&dir), before, "touched by a refused start");
    }
}

#[test]
fn a_directory_that_another_process_uses() {
    let mut first = Cluster::started(1);
    first.put(0, "/a", "1");
    let second = Cluster::new(1);
    let mut command = first_start(&second);
    command.arg("-data-dir").arg(first.data_dir(0));
    let ended = run(command);
    let start = format!("cannot use the data directory {}: lock ", first.data_dir(0).display());
    assert!(message(&ended).starts_with(&start), "{ended:?}");
    assert!(ended.hints()[0].contains("another process"), "{ended:?}");
    assert_eq!(first.put(0, "/a", "2").at("/prevNode/value"), "1", "the first goes on");
    // A lock is held by a process, and is gone with it, however it ended.
    first.kill(0);
    first.start(0);
    first.await_ready();
}

/// A member alone that has written and was killed, and its log file.
fn killed() -> (Cluster, PathBuf) {
    let mut cluster = Cluster::started(1);
    for number in 0..20 {
        cluster.put(0, "/key", &number.to_string());
    }
    cluster.kill(0);
    let log = last_segment(&cluster.data_dir(0));
    (cluster, log)
}

/// What a start says of a cut, if it has cut something.
fn said_of_cut(cluster: &mut Cluster, log: &Path) -> Option<String> {
    let said = cluster.process(0).log();
    let line = said.lines().find(|line| line.contains("never acknowledged"))?;
    let name = log.file_name().expect("a name").to_string_lossy();
    assert!(line.contains("WARN") && line.contains(&*name) && line.contains("cut at "), "{line}");
    Some(line.to_owned())
}

/// Half a batch at the end of the log is what a crash leaves.
#[test]
fn a_torn_tail_is_cut_and_reported() {
    let (mut cluster, log) = killed();
    // The last batch ends in some zeros of its own.
    let behind = written(&log).next_multiple_of(8) + 64;
    overwrite(&log, behind, b"half a batch, torn off by a crash");
    cluster.start(0);
    cluster.await_ready();
    said_of_cut(&mut cluster, &log).expect("the cut is reported");
    assert_eq!(cluster.get_quorum(0, "/key").ok().at("/node/value"), "19", "nothing is lost");
    cluster.put(0, "/key", "20");
    cluster.kill(0);
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(said_of_cut(&mut cluster, &log), None, "it was cut for good");
    assert_eq!(cluster.get_quorum(0, "/key").ok().at("/node/value"), "20");
}

/// The end of the last batch is missing, and with it what proves that it was ever whole.
#[test]
fn a_last_batch_without_its_end_is_cut_and_reported() {
    let (mut cluster, log) = killed();
    cut(&log, written(&log) - 3);
    cluster.start(0);
    cluster.await_ready();
    said_of_cut(&mut cluster, &log).expect("the cut is reported");
    let value = cluster.get_quorum(0, "/key").ok().at("/node/value");
    assert!(value == "18" || value == "19", "all before it is there: {value}");
    cluster.put(0, "/key", "20");
}

/// The start of a member whose files were tampered with is refused, and changes nothing.
fn refused_untouched(cluster: &Cluster, start: &str) -> Ended {
    let dir = cluster.data_dir(0);
    let before = contents(&dir);
    let ended = run(cluster.command(0));
    assert!(message(&ended).starts_with(start), "{start} in {ended:?}");
    assert!(contents(&dir) == before, "a refused start has changed the files: {ended:?}");
    ended
}

#[test]
fn damage_that_no_crash_can_do_is_refused() {
    let (cluster, log) = killed();
    let name = log.strip_prefix(cluster.data_dir(0)).expect("it is in there").display().to_string();
    let whole = fs::read(&log).expect("the log is read");
    // In the first batch, and in one in the middle; then in the header, and in the magic.
    for at in [256 + 40, (256 + written(&log)) / 2] {
        overwrite(&log, at, &[whole[at] ^ 1]);
        let ended = refused_untouched(&cluster, &format!("{name}: the log is damaged at offset "));
        assert!(ended.hints()[0].contains("durable"), "{ended:?}");
        overwrite(&log, at, &[whole[at]]);
    }
    overwrite(&log, 100, &[whole[100] ^ 1]);
    refused_untouched(&cluster, &format!("{name}: the header of the segment is damaged"));
    overwrite(&log, 100, &[whole[100]]);
    overwrite(&log, 0, b"q");
    refused_untouched(&cluster, &format!("{name}: the file is not a segment of the log"));
    overwrite(&log, 0, b"Q");
    restart(cluster);
}

#[test]
fn a_file_of_a_later_release_is_refused() {
    let (cluster, log) = killed();
    let name = log.strip_prefix(cluster.data_dir(0)).expect("it is in there").display().to_string();
    // Behind the magic stands the format version.
    overwrite(&log, 8, &2_u32.to_le_bytes());
    let ended = refused_untouched(
        &cluster,
        &format!("{name}: the segment has format version 2, which this release cannot read"),
    );
    assert!(ended.hints()[0].contains("later release"), "{ended:?}");
    overwrite(&log, 8, &1_u32.to_le_bytes());
    restart(cluster);
}

/// With its bytes as they were it starts, and has everything.
fn restart(mut cluster: Cluster) {
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(cluster.get_quorum(0, "/key").ok().at("/node/value"), "19");
}

#[test]
fn a_log_without_its_identity_is_refused() {
    let (cluster, _) = killed();
    let identity = cluster.data_dir(0).join("quorate/identity");
    let aside: TempDir = tempfile::tempdir().expect("a directory for the test");
    fs::copy(&identity, aside.path().join("identity")).expect("it is copied");
    fs::remove_file(&identity).expect("it is removed");
    refused_untouched(&cluster, "the file quorate/identity in the data directory ");
    fs::copy(aside.path().join("identity"), &identity).expect("it is copied back");
    restart(cluster);
}
