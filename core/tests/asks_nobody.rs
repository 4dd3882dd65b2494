//! Whom a start asks before it listens: nobody, unless the comparison of URLs hangs on a name.

use quorate_core::config::{Config, Settings, flags};
use quorate_core::disk::{DirEntry, Done, Found, Op};
use quorate_core::dns::Query;
use quorate_core::node::Exit;
use quorate_core::time::{Instant, Now, Wall};
use quorate_core::{Input, Node, Output};

/// What a start does until it listens, waits for somebody, or ends.
#[derive(Debug, PartialEq, Eq)]
enum First {
    Listens,
    LooksUp(Vec<Query>),
    Calls,
    Refuses(String),
}

/// Starts over a directory that holds these segments of a log.
fn start(settings: Settings, segments: &[&str]) -> First {
    let config = Config::validate(settings, [7; 32]).expect("what counts at every start is sound");
    let now = Now { mono: Instant::default(), wall: Wall::from_unix_nanos(1_000_000_000) };
    let mut node = Node::new(config, [1; 32], now);
    let mut inputs = vec![Input::Wake];
    let mut queries = Vec::new();
    loop {
        let mut outputs = Vec::new();
        inputs.drain(..).for_each(|input| node.handle(now, input, &mut outputs));
        for output in outputs {
            match output {
                Output::Disk(Op::List { path, ticket }) => {
                    let names = if &*path == "quorate/wal" { segments } else { &[][..] };
                    let entry =
                        |name: &&str| DirEntry { name: (*name).into(), is_dir: false, len: 0 };
                    let found = Found::Entries(names.iter().map(entry).collect());
                    inputs.push(Input::Disk(Done { ticket, result: Ok(found) }));
                }
                Output::Dns { query, .. } => queries.push(query),
                Output::Http { .. } => return First::Calls,
                Output::Listen { .. } => return First::Listens,
                Output::Halt(Exit::Refused(refusal)) => return First::Refuses(refusal.message),
                Output::Note(_) | Output::Publish(_) => {}
                other => panic!("too early for {other:?}"),
            }
        }
        if !queries.is_empty() {
            return First::LooksUp(queries);
        }
        assert!(!inputs.is_empty(), "it waits for nothing");
        inputs.push(Input::Wake);
    }
}

const LOG: &[&str] = &["0000000000000000-0000000000000001.wal"];

#[test]
fn a_member_with_data_asks_nobody() {
    let first_start = |name: &str| name.starts_with("initial-") || name.starts_with("discovery");
    let names: Vec<&str> = flags::all().map(|flag| flag.name).filter(|n| first_start(n)).collect();
    assert_eq!(names.len(), 12);
    let dead = [
        ("initial-cluster", "default=http://infra0.example.com:2380"),
        ("discovery", "https://discovery.example.com/token"),
        ("discovery-srv", "example.com"),
    ];
    for name in &names {
        let all = names.iter().fold(Settings::new(), |all, name| all.flag(name, "%%%"));
        assert_eq!(start(Settings::new().flag(name, "%%%"), LOG), First::Listens, "{name}");
        assert_eq!(start(all, LOG), First::Listens);
    }
    for (name, value) in dead {
        assert_eq!(start(Settings::new().flag(name, value), LOG), First::Listens, "{name}");
    }
}

#[test]
fn a_new_member_looks_up_names_only_where_it_hangs_on_them() {
    let listed = Settings::new().flag("initial-cluster", "default=http://infra0.example.com:2380");
    let by_address = listed.clone().flag("initial-advertise-peer-urls", "http://10.0.1.10:2380");
    let expected = First::LooksUp(vec![Query::Addresses("infra0.example.com".into())]);
    assert_eq!(start(by_address, &[]), expected);
    let by_name = listed.flag("initial-advertise-peer-urls", "http://INFRA0.example.com:2380");
    assert_eq!(start(by_name, &[]), First::Listens);
    assert_eq!(start(Settings::new(), &[]), First::Listens);
}

#[test]
fn a_new_member_asks_for_the_records_of_tls_first() {
    let asked = |settings| match start(settings, &[]) {
        First::LooksUp(queries) => queries,
        other => panic!("{other:?}"),
    };
    let srv = Settings::new().flag("discovery-srv", "example.com");
    let first = [Query::Services("_etcd-server-ssl._tcp.example.com".into())];
    assert_eq!(asked(srv.clone()), first);
    assert_eq!(asked(srv.flag("initial-cluster-state", "existing")), first);
}

/// Nothing is listened on that only TLS could serve. That others on the list speak it is fine.
#[test]
fn listening_with_tls_needs_a_certificate() {
    let list = "default=http://localhost:2380,b=https://10.0.1.11:2380";
    assert_eq!(start(Settings::new().flag("initial-cluster", list), &[]), First::Listens);
    let listen = Settings::new().flag("listen-peer-urls", "https://localhost:2380");
    let refused = First::Refuses(
        "cannot listen on TLS for https://localhost:2380: KeyFile and CertFile are not presented"
            .into(),
    );
    assert_eq!(start(listen.clone(), &[]), refused);
    assert_eq!(start(listen, LOG), refused);
}
