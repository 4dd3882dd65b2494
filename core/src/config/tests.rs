mod first_start;
mod legacy;
mod values;

use std::string::{String, ToString as _};
use std::vec::Vec;

use super::grammar::Grammar;
use super::*;
use crate::discovery::Token;
use crate::error::Refusal;

fn validate(settings: Settings) -> Result<Config, Refusal> {
    Config::validate(settings, [0; 32])
}

fn message(settings: Settings) -> String {
    match validate(settings) {
        Ok(_) => String::new(),
        Err(refusal) => {
            assert!(!refusal.hints.is_empty(), "{refusal:?}");
            refusal.message
        }
    }
}

fn flag(flag: &str, value: &str) -> Settings {
    Settings::default().flag(flag, value)
}

fn variable_of(flag: &str, value: &str) -> Settings {
    let mut settings = Settings::default();
    settings.set(flag, Given { text: value.into(), source: Source::Environment });
    settings
}

fn texts(urls: &[Url]) -> Vec<&str> {
    urls.iter().map(Url::as_str).collect()
}

#[test]
fn without_a_flag_the_member_is_a_cluster_of_its_own() {
    let config = Config::validate(Settings::default(), [7; 32]).unwrap();
    assert_eq!(config.name, "default");
    assert_eq!(config.data_dir, "default.quorate");
    assert_eq!(texts(&config.listen_peer_urls), ["http://localhost:2380"]);
    assert_eq!(texts(&config.listen_client_urls), ["http://localhost:2379"]);
    assert_eq!(texts(&config.advertise_client_urls), ["http://localhost:2379"]);
    assert!(config.proxying.mode == Mode::Off && !config.force_new_cluster);
    assert_eq!(config.heartbeat_interval, Duration::from_millis(100));
    assert_eq!(config.election_timeout, Duration::from_secs(1));
    assert_eq!(config.snapshot_count, 10_000);
    assert_eq!(config.snapshot_catch_up_entries, 5_000);
    assert_eq!(config.wal_segment_bytes, 64 << 20);
    assert_eq!(config.entropy, [7; 32]);
    let bootstrap = config.bootstrap().unwrap();
    assert_eq!(bootstrap.members, Members::New("default=http://localhost:2380".into()));
    assert_eq!(texts(&bootstrap.advertise_peer_urls), ["http://localhost:2380"]);
    assert_eq!((bootstrap.token.as_str(), bootstrap.form), ("etcd-cluster", Form::Unanimous));
}

#[test]
fn every_flag_is_defined_once_and_whole() {
    let mut names: Vec<&str> = flags::all().map(|flag| flag.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for flag in flags::all() {
        let name = flag.name;
        assert!(flag.help.ends_with('.'), "{name}");
        let asks_nothing = flag.default.is_empty() || flag.scope == Scope::Program;
        assert!(asks_nothing || flag.grammar.check(flag.default).is_ok(), "default of {name}");
        // Saying the default changes nothing, whatever the feature.
        if !asks_nothing
            && matches!(flag.scope, Scope::Always | Scope::Missing { .. } | Scope::NoEffect { .. })
        {
            assert_eq!(message(self::flag(name, flag.default)).replace(CLIENTS, ""), "", "{name}");
        }
    }
}

const CLIENTS: &str = "error verifying flags, -advertise-client-urls is required when \
                       -listen-client-urls is set explicitly";

#[test]
fn flags_that_do_not_exist_are_errors_of_syntax() {
    let refusal = validate(flag("no-such-flag", "1")).unwrap_err();
    assert_eq!(refusal.message, "flag provided but not defined: -no-such-flag");
    assert_eq!(refusal.code(), 2);
}

#[test]
fn explicit_client_listeners_demand_explicit_client_urls() {
    let settings = flag("listen-client-urls", "http://10.0.1.10:2379");
    assert_eq!(message(settings.clone()), CLIENTS);
    for (other, value) in [
        ("advertise-client-urls", "http://10.0.1.10:2379"),
        ("addr", "10.0.1.10:2379"),
        ("proxy", "on"),
        ("discovery", "https://discovery.etcd.io/token"),
    ] {
        assert_eq!(message(settings.clone().flag(other, value)), "", "{other}");
    }
    let settings = settings.flag("discovery", "http://d/t").flag("discovery-fallback", "exit");
    assert_eq!(message(settings), CLIENTS);
    assert_eq!(message(variable_of("listen-client-urls", "http://h:1")), CLIENTS);
}

#[test]
fn timers_are_held_within_their_bounds() {
    let timers = |heartbeat: &str, election: &str| {
        message(flag("heartbeat-interval", heartbeat).flag("election-timeout", election))
    };
    assert_eq!(timers("100", "500"), "");
    assert_eq!(timers("10000", "50000"), "");
    assert_eq!(
        timers("300", "1000"),
        "error verifying flags, -election-timeout[1000ms] should be at least as 5 times as \
         -heartbeat-interval[300ms]"
    );
    assert_eq!(
        timers("100", "50001"),
        "error verifying flags, -election-timeout[50001ms] is too long, and should be set less \
         than 50000ms"
    );
    assert!(timers("100", "499").contains("5 times"));
    assert!(timers("0", "1000").contains("-heartbeat-interval[0ms]"));
    assert!(timers("18446744073709551615", "1000").contains("5 times"));
}

#[test]
fn an_address_is_listened_on_once() {
    let listen = |peer: &str, client: &str| {
        message(
            flag("listen-peer-urls", peer)
                .flag("listen-client-urls", client)
                .flag("advertise-client-urls", "http://h:1"),
        )
    };
    let in_use = "listen tcp 127.0.1.10:1: bind: address already in use";
    assert_eq!(listen("http://127.0.1.10:1,http://127.0.1.10:1", "http://h:2"), in_use);
    assert_eq!(listen("http://127.0.1.10:1", "http://h:2,http://127.0.1.10:1"), in_use);
    assert!(listen("http://[::1]:1,http://[0::1]:1", "http://h:2").contains("in use"));
    assert_eq!(listen("http://h:1,http://h:2", "http://g:1,http://g:2"), "");
    assert_eq!(listen("http://h:0", "http://h:0"), "", "the system chooses the port");
}

#[test]
fn a_name_is_not_empty() {
    assert!(message(flag("name", "")).ends_with("-name must not be empty"));
}

/// Whatever a feature that is not there would have done: nobody believes that it does it.
#[test]
fn flags_of_missing_features_are_refused_by_name() {
    for flag in flags::all() {
        let Scope::Missing { feature, inert } = flag.scope else { continue };
        let asking = match flag.grammar {
            Grammar::Bool => "true",
            Grammar::Number => "7",
            _ => "x",
        };
        let expected = std::format!("{feature} is not supported by this version");
        assert_eq!(message(self::flag(flag.name, asking)), expected, "{}", flag.name);
        for value in inert {
            assert_eq!(message(self::flag(flag.name, value)), "", "{} {value}", flag.name);
        }
        if flag.grammar == Grammar::Bool {
            let refusal = validate(self::flag(flag.name, "maybe")).unwrap_err();
            assert_eq!(
                refusal.message,
                std::format!("invalid boolean value \"maybe\" for -{}: parse error", flag.name)
            );
        }
    }
}

#[test]
fn of_several_wrong_values_the_command_line_is_told_first() {
    let mut settings = variable_of("election-timeout", "x").flag("proxy", "q");
    assert!(message(settings.clone()).contains("-proxy"));
    settings = variable_of("proxy", "q");
    settings.set("election-timeout", Given { text: "x".into(), source: Source::Environment });
    assert_eq!(message(settings), "invalid value \"q\" for ETCD_PROXY: invalid value");
}

#[test]
fn origins_are_told_apart() {
    let settings = variable_of("name", "n").flag("peer-addr", "10.0.1.10:7001");
    let table = [
        ("name", "n", Origin::Environment),
        ("peer-addr", "10.0.1.10:7001", Origin::Flag),
        ("initial-advertise-peer-urls", "http://10.0.1.10:7001", Origin::Derived("peer-addr")),
        ("listen-peer-urls", "http://:7001", Origin::Derived("peer-addr")),
        ("data-dir", "n.quorate", Origin::Derived("name")),
        (
            "initial-cluster",
            "n=http://10.0.1.10:7001",
            Origin::Derived("initial-advertise-peer-urls"),
        ),
        ("initial-cluster-token", "etcd-cluster", Origin::Default),
    ];
    for (flag, value, origin) in table {
        assert_eq!(settings.effective(flag), (value.to_string(), origin), "{flag}");
    }
}

#[test]
fn the_directory_of_etcd_is_looked_for_where_none_is_given() {
    assert_eq!(Settings::default().etcd_dir().as_deref(), Some("default.etcd"));
    assert_eq!(flag("name", "n").etcd_dir().as_deref(), Some("n.etcd"));
    assert_eq!(flag("data-dir", "").etcd_dir().as_deref(), Some("default.etcd"));
    assert_eq!(flag("data-dir", "d").etcd_dir(), None);
}
