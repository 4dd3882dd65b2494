use std::string::ToString as _;
use std::vec::Vec;

use super::*;
use crate::error::Refusal;

fn message(settings: Settings) -> String {
    Config::validate(settings, [0; 32]).map_or_else(|refusal| refusal.message, |_| String::new())
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
    assert_eq!(texts(&config.advertise_peer_urls), ["http://localhost:2380"]);
    assert_eq!(texts(&config.advertise_client_urls), ["http://localhost:2379"]);
    assert_eq!(config.initial_cluster, "default=http://localhost:2380");
    assert_eq!(config.initial_cluster_state, ClusterState::New);
    assert_eq!(config.initial_cluster_token, "etcd-cluster");
    assert_eq!(config.initial_cluster_form, Form::Unanimous);
    assert_eq!(config.heartbeat_interval, Duration::from_millis(100));
    assert_eq!(config.election_timeout, Duration::from_secs(1));
    assert_eq!(config.snapshot_count, 10_000);
    assert_eq!(config.snapshot_catch_up_entries, 5_000);
    assert_eq!(config.wal_segment_bytes, 64 << 20);
    assert_eq!(config.entropy, [7; 32]);
}

#[test]
fn the_default_list_follows_name_and_advertised_urls() {
    let config = Config::validate(
        Settings {
            name: Some("n".into()),
            initial_advertise_peer_urls: Some("http://b:1,http://a:1".into()),
            ..Settings::default()
        },
        [0; 32],
    )
    .unwrap();
    assert_eq!(config.initial_cluster, "n=http://a:1,n=http://b:1");
    assert_eq!(config.data_dir, "n.quorate");
}

#[test]
fn a_malformed_initial_cluster_is_not_judged_here() {
    let settings = Settings { initial_cluster: Some("%%%".into()), ..Settings::default() };
    assert_eq!(Config::validate(settings, [0; 32]).unwrap().initial_cluster, "%%%");
}

#[test]
fn explicit_client_listeners_demand_explicit_client_urls() {
    let mut settings = Settings {
        listen_client_urls: Some("http://10.0.1.10:2379".into()),
        ..Settings::default()
    };
    assert_eq!(
        message(settings.clone()),
        "error verifying flags, -advertise-client-urls is required when -listen-client-urls is \
         set explicitly"
    );
    settings.advertise_client_urls = Some("http://10.0.1.10:2379".into());
    assert_eq!(message(settings), "");
}

#[test]
fn timers_are_held_within_their_bounds() {
    let timers = |heartbeat: &str, election: &str| {
        message(Settings {
            heartbeat_interval: Some(heartbeat.into()),
            election_timeout: Some(election.into()),
            ..Settings::default()
        })
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
fn values_that_are_none_are_errors_of_syntax() {
    let table = [
        ("initial-cluster-state", "foo", "invalid value"),
        ("initial-cluster-state", "", "invalid value"),
        ("initial-cluster-form", "most", "invalid value"),
        ("election-timeout", "x", "parse error"),
        ("heartbeat-interval", "-1", "parse error"),
        ("snapshot-count", "99999999999999999999", "value out of range"),
        ("listen-peer-urls", "", "URL scheme must be http or https: "),
        ("advertise-client-urls", "http://h:1,", "URL scheme must be http or https: "),
    ];
    for (flag, value, cause) in table {
        assert_eq!(check_value(flag, value), Err(cause.to_string()), "{flag}");
        let mut settings =
            Settings { advertise_client_urls: Some("http://h:1".into()), ..Settings::default() };
        let field = match flag {
            "initial-cluster-state" => &mut settings.initial_cluster_state,
            "initial-cluster-form" => &mut settings.initial_cluster_form,
            "election-timeout" => &mut settings.election_timeout,
            "heartbeat-interval" => &mut settings.heartbeat_interval,
            "snapshot-count" => &mut settings.snapshot_count,
            "listen-peer-urls" => &mut settings.listen_peer_urls,
            _ => &mut settings.advertise_client_urls,
        };
        *field = Some(value.into());
        let refusal: Refusal = Config::validate(settings, [0; 32]).unwrap_err();
        assert_eq!(
            refusal.message,
            alloc::format!("invalid value {value:?} for flag -{flag}: {cause}")
        );
        assert!(!refusal.hints.is_empty());
    }
    assert_eq!(check_value("name", ""), Ok(()));
}
