//! The command lines that were recorded with etcd: each does here what it did there, or differs for
//! a reason that `docs/compatibility.md` gives, or waits for a feature.

use std::fmt::Write as _;
use std::process::Command;

use crate::support::QUORATE;
use crate::support::address::Fixed;
use crate::support::cluster::isolate;
use crate::support::dns::NameServer;
use crate::support::generated::{assert_generated, defined_tests};
use crate::support::process::Process;
use crate::support::recorded_discovery::DISCOVERY;
use crate::support::refusal::Ended;
use crate::support::scenario::{Outcome, Scenario, ids, recorded};
use crate::support::wait::wait_for;

/// What is held for a scenario.
enum Kind {
    /// It is run, and does the same.
    Equal,
    /// It is run, and differs.
    Differs { ours: Outcome, reason: &'static str },
    /// It needs more than a command line, and a test of its own has that.
    Elsewhere { test: &'static str, differs: Option<&'static str> },
    /// It waits for a feature.
    Open(&'static str),
}

/// Scenarios that only make sense after others: test, and why it differs if it does.
const ELSEWHERE: &[(&str, &str, Option<&str>)] = &[
    ("guide: static three members (infra0 log)", "the_guides_commands_moved_to_loopback", None),
    (
        "guide: cluster ID mismatch, newcomer infra3 (default token, ran 7s)",
        "a_member_with_another_list_is_refused",
        Some("as the guide says, it exits with status 1 and both IDs; etcd logs for ever"),
    ),
    (
        "cluster ID mismatch, same token so infra0/infra1 IDs equal",
        "a_member_with_another_list_is_refused",
        Some("as the guide says, it exits with status 1 and both IDs; etcd logs for ever"),
    ),
    (
        "wiped member restarts with state new: already bootstrapped",
        "a_member_whose_directory_was_emptied_is_refused",
        None,
    ),
    (
        "restart with data dir: bogus -initial-cluster* are ignored",
        "a_member_with_data_starts_whatever_the_flags_of_the_first_start_say",
        None,
    ),
    (
        "restart with data dir: unparsable -initial-cluster",
        "a_member_with_data_starts_whatever_the_flags_of_the_first_start_say",
        Some("as the guide says, the flags are ignored on subsequent runs, also malformed ones"),
    ),
    (
        "guide warning: discovery token ignored (data exists)",
        "a_member_with_data_starts_whatever_the_flags_of_the_first_start_say",
        Some("the warning is the guide's: it names the data directory, without quotes"),
    ),
    (
        "guide warning: restart with data and the token",
        "a_member_with_data_starts_whatever_the_flags_of_the_first_start_say",
        Some("the warning is the guide's: it names the data directory, without quotes"),
    ),
    ("restart with another -name", "a_member_may_be_renamed", None),
    (
        "existing without member add (extra member in list)",
        "a_list_that_is_not_the_clusters_is_refused",
        None,
    ),
    (
        "existing, unmatched urls (infra3 instead of infra2)",
        "a_list_that_is_not_the_clusters_is_refused",
        None,
    ),
    ("existing, no peer reachable", "nobody_to_join", None),
    (
        "existing, local name missing",
        "a_list_that_is_not_the_clusters_is_refused",
        Some("the words are the guide's"),
    ),
    (
        "wiped member restarts with state existing (rejoins with its old ID)",
        "a_member_that_lost_its_data_is_replaced",
        Some(
            "it is refused and has to be replaced: with its old ID it could vote against what it \
             has acknowledged",
        ),
    ),
    (
        "infra2 removed, re-added and started with state existing (new ID)",
        "a_member_that_lost_its_data_is_replaced",
        None,
    ),
    ("member add then join with state existing", "a_cluster_grows_from_one_to_three", None),
    ("-force-new-cluster on infra0 data", "one_member_is_made_a_cluster", None),
    ("removed member", "a_removed_member_stops_and_stays_away", None),
    ("removed member restarted on its old data", "a_removed_member_stops_and_stays_away", None),
    ("-proxy on over a member data dir", "a_member_stays_one_whatever_proxy_says", None),
    (
        "data dir has member and proxy",
        "directories_of_others",
        Some("a directory that etcd wrote is refused, whatever is in it, and not touched"),
    ),
    (
        "member/wal exists but holds no *.wal",
        "directories_of_others",
        Some("a directory that etcd wrote is refused, whatever is in it, and not touched"),
    ),
    (
        "second process on the data dir of a running member",
        "a_directory_that_another_process_uses",
        Some("the data directory itself is locked, and the message names it and the way out"),
    ),
    ("port in use", "a_port_in_use", None),
    ("guide: proxy on with SRV", "the_guides_commands_with_its_own_records", None),
    ("proxy restart", "the_guides_commands_with_its_own_records", None),
    (
        "restart on existing data with -discovery-srv that has no records",
        "a_member_with_data_starts_whatever_the_flags_of_the_first_start_say",
        Some("as the guide says, the flags are ignored on subsequent runs; nothing is looked up"),
    ),
];

/// The series that was recorded with a name server of its own.
const DNS_SUITE: &str = "d_dns";

/// Scenarios of features that are not there yet.
const OPEN: &[(&str, &[&str])] = &[];

/// Which outcomes a reason explains.
type Explains = fn(&Scenario, &Outcome) -> bool;

/// Why Quorate differs. The first reason that explains an outcome counts: those of single scenarios
/// come first.
const REASONS: &[(&str, Explains)] = &[
    (
        "the guide's command reaches the guide's error: the list is judged before any certificate \
         is looked for",
        |s, _| s.title.contains("with https listen-peer-urls"),
    ),
    ("the default list follows -initial-advertise-peer-urls, as in etcd 3.4", |s, _| {
        s.title == "-name and -initial-advertise-peer-urls without -initial-cluster"
    }),
    ("a member without a name cannot be told from one that never started", |s, _| {
        s.title == "empty -name"
    }),
    ("the port is above 65535, and the message says so", |s, _| s.title.contains(":99999")),
    ("the message names the host and what it resolved to", |s, _| {
        s.title.contains("listen") && s.title.contains("nohost.invalid")
    }),
    ("the addresses of 0.4 may be names too", |s, _| s.title.ends_with("addr with hostname")),
    (
        "what is listened on because of an advertised address yields to an explicit listener",
        |s, _| s.title == "-peer-addr and -listen-peer-urls (different pairs)",
    ),
    (
        "the conflict that is told is the one of the guide's table, between the two flags that \
         were given",
        |s, _| s.title == "ETCD_PEER_ADDR env with the new flag on the command line",
    ),
    ("the message names the data directory and the cause", |s, _| s.title == "data-dir is a file"),
    ("forcing a new cluster out of nothing is a mistake: the data is elsewhere", |s, _| {
        s.title == "-force-new-cluster without data"
    }),
    (
        "2379 and 2380 are the only default ports; etcd 2 has 4001 and 7001 too, which are in its \
         identities",
        |s, _| {
            let explicit = |flag: &str| s.args.iter().any(|arg| arg == flag);
            let seven = s.args.iter().any(|arg| arg.contains("localhost:7001"));
            seven || !explicit("-initial-advertise-peer-urls") && !explicit("-initial-cluster")
        },
    ),
    ("equal texts are equal, whether the name resolves or not, as in etcd 3.4", |s, ours| {
        matches!(ours, Outcome::Runs(_)) && s.title.contains("nohost.invalid")
    }),
    ("the words are the guide's", |_, ours| {
        says(ours, " not listed in the initial cluster config")
    }),
    ("the words are the guide's; the hints show both sides and the difference", |_, ours| {
        says(ours, " has different advertised URLs in the cluster and advertised peer URLs list")
    }),
    ("the same URL twice is told as such", |_, ours| says(ours, " has duplicate url")),
    ("as the guide says, the records of TLS count alone where there are some", |s, _| {
        s.title.starts_with("both")
    }),
    (
        "a target that does not resolve is waited for and never skipped, which would make a cluster \
         of the others",
        |s, _| s.title == "one SRV target does not resolve",
    ),
    (
        "records are waited for; then the hints have the table of what was found",
        |_, ours| matches!(ours, Outcome::Ended(_, line) if line.contains("no list of members in DNS under ")),
    ),
    ("provisional names are those of the records: no -name is one of them", |s, _| {
        s.title.starts_with("name collides with a generated name")
    }),
    ("every record is a member, and the message says so", |s, _| {
        s.title == "two SRV targets resolve to self"
    }),
];

fn says(outcome: &Outcome, words: &str) -> bool {
    matches!(outcome, Outcome::Ended(_, line) if line.ends_with(words))
}

#[test]
fn every_recorded_command_line_is_classified() {
    let addresses = [
        "127.0.1.10:21380",
        "127.0.1.10:21379",
        "127.0.1.10:21381",
        "127.0.1.10:21385",
        "127.0.1.10:21480",
        "127.0.1.12:21380",
        "127.0.1.12:21379",
        "0.0.0.0:21480",
        "0.0.0.0:21479",
        "127.0.0.1:2379",
        "127.0.0.1:2380",
    ];
    // The IDs hang on the addresses, so no others will do.
    let _fixed = match Fixed::claim(&addresses) {
        Ok(fixed) => fixed,
        Err(why) => {
            return crate::support::left_out("every_recorded_command_line_is_classified", why);
        }
    };
    let scenarios = recorded();
    let names = recorded_zones();
    let kinds: Vec<Kind> = scenarios.iter().map(|scenario| classify(scenario, &names)).collect();
    let tests = defined_tests();
    for kind in &kinds {
        if let Kind::Elsewhere { test, .. } = kind {
            assert!(tests.contains(*test), "there is no test {test}");
        }
    }
    for (reason, _) in REASONS {
        let used = |kind: &Kind| matches!(kind, Kind::Differs { reason: r, .. } if r == reason);
        assert!(kinds.iter().any(used), "nothing differs because {reason}");
    }
    let titles = ELSEWHERE.iter().chain(DISCOVERY).map(|(title, ..)| title);
    for title in titles.chain(OPEN.iter().flat_map(|(_, titles)| titles.iter())) {
        assert!(scenarios.iter().any(|s| s.title == *title), "nothing was recorded as {title}");
    }
    let all: Vec<_> = scenarios.iter().zip(&kinds).collect();
    assert_generated("compatibility.md", "start-ups", &render(&all));
}

fn classify(scenario: &Scenario, names: &NameServer) -> Kind {
    let title = scenario.title.as_str();
    let mut elsewhere = ELSEWHERE.iter().chain(DISCOVERY);
    if let Some((_, test, differs)) = elsewhere.find(|(known, ..)| *known == title) {
        return Kind::Elsewhere { test, differs: *differs };
    }
    if let Some((feature, _)) = OPEN.iter().find(|(_, titles)| titles.contains(&title)) {
        return Kind::Open(feature);
    }
    let ours = start(scenario, names);
    if ours.same(&scenario.etcd) {
        return Kind::Equal;
    }
    let reason = REASONS.iter().find(|(_, of)| of(scenario, &ours));
    let (reason, _) = reason.unwrap_or_else(|| {
        panic!("{title}: {:?}\n  etcd {}\n  here {ours}", scenario.args, scenario.etcd)
    });
    Kind::Differs { ours, reason }
}

/// Runs the command line until it has ended, or has decided who it is.
fn start(scenario: &Scenario, names: &NameServer) -> Outcome {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let log = tempfile::tempdir().expect("a directory for the output");
    let mut command = Command::new(QUORATE);
    isolate(&mut command);
    command.args(&scenario.args).envs(scenario.environment.iter().cloned());
    if scenario.suite == DNS_SUITE {
        let down = scenario.title == "DNS server down";
        let resolver = if down { "127.0.0.1:1".to_owned() } else { names.address() };
        command.args(["-discovery-srv-resolver", &resolver, "-discovery-srv-timeout", "300"]);
    }
    command.current_dir(dir.path());
    let mut process = Process::start(command, &log.path().join("output"));
    let ended = |process: &mut Process| {
        (!process.runs()).then(|| {
            let status = process.wait().code();
            Outcome::of(&Ended { status, output: process.log() })
        })
    };
    wait_for("it ends, or decides who it is", || {
        ended(&mut process).or_else(|| Some(Outcome::Runs(Some(ids(process.log().lines())?))))
    })
}

/// The zones with which the series about DNS was recorded.
fn recorded_zones() -> NameServer {
    let server = NameServer::start();
    let zone = |domain: &str, service: &str, hosts: &[&str], port: u16| {
        let records: Vec<(&str, u16)> = hosts.iter().map(|host| (*host, port)).collect();
        server.services(&format!("{service}._tcp.{domain}"), &records);
    };
    let hosts = |domain: &str| {
        let hosts = [0, 1, 2].map(|number| {
            let host = format!("infra{number}.{domain}");
            server.host(&host, &[&format!("127.0.1.1{number}")]);
            host
        });
        hosts.map(|host| -> &'static str { host.leak() })
    };
    let (plain, ssl) = ("_etcd-server", "_etcd-server-ssl");
    let [example, both, sslonly, part, one] =
        ["example.com", "both.test", "sslonly.test", "part.test", "one.test"].map(hosts);
    zone("example.com", plain, &example, 21380);
    zone("prio.test", plain, &example, 21380);
    zone("both.test", plain, &both, 21380);
    zone("both.test", ssl, &both, 21480);
    zone("sslonly.test", ssl, &sslonly, 21480);
    zone("part.test", plain, &part[..2], 21380);
    zone("one.test", plain, &one[..1], 21380);
    zone("gone.test", plain, &[example[0], "nowhere.gone.test"], 21380);
    server.host("again.dupsrv.test", &["127.0.1.10"]);
    zone("dupsrv.test", plain, &[example[0], "again.dupsrv.test"], 21380);
    server
}

fn render(all: &[(&Scenario, &Kind)]) -> String {
    let count = |of: fn(&Kind) -> bool| all.iter().filter(|(_, kind)| of(kind)).count();
    let equal = count(|kind| matches!(kind, Kind::Equal | Kind::Elsewhere { differs: None, .. }));
    let open = count(|kind| matches!(kind, Kind::Open(_)));
    let mut text = format!(
        "Of {} recorded command lines {equal} do the same, {} differ, and {open} wait for a \
         feature.\n\n| recorded | etcd 2.3.8 | Quorate | why |\n|---|---|---|---|\n",
        all.len(),
        all.len() - equal - open
    );
    for (scenario, kind) in all {
        let (ours, why) = match kind {
            Kind::Differs { ours, reason } => (ours.to_string(), *reason),
            Kind::Elsewhere { test, differs: Some(why) } => (format!("see `{test}`"), *why),
            _ => continue,
        };
        let cells = [&scenario.title, &scenario.etcd.to_string(), &ours, why].map(cell);
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str("\n| waits for | recorded |\n|---|---|\n");
    let mut features: Vec<&str> = Vec::new();
    for (_, kind) in all {
        if let Kind::Open(feature) = kind
            && !features.contains(feature)
        {
            features.push(feature);
        }
    }
    for feature in features {
        let titles: Vec<String> = all
            .iter()
            .filter(|(_, kind)| matches!(kind, Kind::Open(other) if *other == feature))
            .map(|(scenario, _)| cell(&scenario.title))
            .collect();
        let _ = writeln!(text, "| {feature} ({}) | {} |", titles.len(), titles.join("; "));
    }
    text
}

/// A cell of a table. Why a name cannot be resolved is said by the system, in its own words.
fn cell(text: impl AsRef<str>) -> String {
    let text = text.as_ref().replace('|', "\\|");
    match text.split_once("cannot resolve nohost.invalid: ") {
        Some((before, _)) => format!("{before}cannot resolve nohost.invalid: …`"),
        None => text,
    }
}
