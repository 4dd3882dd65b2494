//! From flags to a configuration: defaults, and refusals in the words of etcd.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{ClusterState, Config, Form, Settings};
use crate::error::Refusal;
use crate::time::Duration;
use crate::url::Url;

const NAME: &str = "default";
const PEER_URL: &str = "http://localhost:2380";
const CLIENT_URL: &str = "http://localhost:2379";
const TOKEN: &str = "etcd-cluster";
const HEARTBEAT_MS: u64 = 100;
const ELECTION_MS: u64 = 1000;
const ELECTION_MS_MAX: u64 = 50_000;
const SNAPSHOT_COUNT: u64 = 10_000;
const SNAPSHOT_CATCH_UP_ENTRIES: u64 = 5_000;
const WAL_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

impl Config {
    /// Judges the settings and fills in the defaults. `entropy` are random bytes of the platform.
    ///
    /// # Errors
    /// A value that is none of its flag ([`check_value`] tells these from the others), or values
    /// that do not go together.
    pub fn validate(settings: Settings, entropy: [u8; 32]) -> Result<Self, Refusal> {
        let first_start_flags = settings.first_start_flags();
        let name = settings.name.unwrap_or_else(|| NAME.to_owned());
        if name.is_empty() {
            return Err(verifying("-name must not be empty")
                .hint("leave -name away for the name \"default\", or give one"));
        }
        if settings.listen_client_urls.is_some() && settings.advertise_client_urls.is_none() {
            return Err(advertise_required(settings.listen_client_urls.as_deref()));
        }
        let advertise_peer = settings.initial_advertise_peer_urls;
        let advertise_peer_urls = urls("initial-advertise-peer-urls", advertise_peer, PEER_URL)?;
        let heartbeat_ms = number("heartbeat-interval", settings.heartbeat_interval, HEARTBEAT_MS)?;
        let election_ms = number("election-timeout", settings.election_timeout, ELECTION_MS)?;
        check_timers(heartbeat_ms, election_ms)?;
        let snapshot_count = number("snapshot-count", settings.snapshot_count, SNAPSHOT_COUNT)?;
        Ok(Self {
            data_dir: match settings.data_dir {
                Some(dir) if !dir.is_empty() => dir,
                _ => format!("{name}.quorate"),
            },
            listen_peer_urls: urls("listen-peer-urls", settings.listen_peer_urls, PEER_URL)?,
            listen_client_urls: urls(
                "listen-client-urls",
                settings.listen_client_urls,
                CLIENT_URL,
            )?,
            advertise_client_urls: urls(
                "advertise-client-urls",
                settings.advertise_client_urls,
                CLIENT_URL,
            )?,
            initial_cluster: settings
                .initial_cluster
                .unwrap_or_else(|| initial_cluster_of_one(&name, &advertise_peer_urls)),
            initial_cluster_state: choice(
                "initial-cluster-state",
                settings.initial_cluster_state,
                ClusterState::New,
                parse_state,
            )?,
            initial_cluster_token: settings
                .initial_cluster_token
                .unwrap_or_else(|| TOKEN.to_owned()),
            initial_cluster_form: choice(
                "initial-cluster-form",
                settings.initial_cluster_form,
                Form::Unanimous,
                parse_form,
            )?,
            heartbeat_interval: Duration::from_millis(heartbeat_ms),
            election_timeout: Duration::from_millis(election_ms),
            snapshot_count: if snapshot_count == 0 { SNAPSHOT_COUNT } else { snapshot_count },
            snapshot_catch_up_entries: SNAPSHOT_CATCH_UP_ENTRIES,
            wal_segment_bytes: WAL_SEGMENT_BYTES,
            first_start_flags,
            name,
            advertise_peer_urls,
            entropy,
        })
    }
}

/// Whether `value` is a value of the flag at all, whatever the others are: what a parser of
/// command lines asks before anything else, since such an error is one of syntax. Flags whose
/// values are free text, and unknown ones, take everything.
///
/// # Errors
/// The cause in etcd's words, as it stands behind `invalid value "…" for flag -…: `.
pub fn check_value(flag: &str, value: &str) -> Result<(), String> {
    match flag {
        "listen-peer-urls"
        | "listen-client-urls"
        | "initial-advertise-peer-urls"
        | "advertise-client-urls" => parse_urls(value).map(drop),
        "initial-cluster-state" => parse_state(value).map(drop),
        "initial-cluster-form" => parse_form(value).map(drop),
        "heartbeat-interval" | "election-timeout" | "snapshot-count" => {
            parse_number(value).map(drop)
        }
        _ => Ok(()),
    }
}

fn parse_urls(value: &str) -> Result<Vec<Url>, String> {
    Url::parse_list(value).map_err(|error| error.to_string())
}

fn parse_state(value: &str) -> Result<ClusterState, String> {
    match value {
        "new" => Ok(ClusterState::New),
        "existing" => Ok(ClusterState::Existing),
        _ => Err("invalid value".to_owned()),
    }
}

fn parse_form(value: &str) -> Result<Form, String> {
    match value {
        "unanimous" => Ok(Form::Unanimous),
        "majority" => Ok(Form::Majority),
        _ => Err("invalid value".to_owned()),
    }
}

fn parse_number(value: &str) -> Result<u64, String> {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) || value.is_empty() {
        return Err("parse error".to_owned());
    }
    value.parse().map_err(|_| "value out of range".to_owned())
}

fn urls(flag: &str, value: Option<String>, default: &str) -> Result<Vec<Url>, Refusal> {
    let value = value.unwrap_or_else(|| default.to_owned());
    let remedy = format!("-{flag} takes URLs of the form http://HOST:PORT, separated by commas");
    parse_urls(&value).map_err(|cause| invalid(flag, &value, &cause).hint(remedy))
}

fn number(flag: &str, value: Option<String>, default: u64) -> Result<u64, Refusal> {
    let Some(value) = value else { return Ok(default) };
    parse_number(&value).map_err(|cause| {
        invalid(flag, &value, &cause).hint(format!("-{flag} takes a whole decimal number"))
    })
}

fn choice<T>(
    flag: &str,
    value: Option<String>,
    default: T,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, Refusal> {
    let Some(value) = value else { return Ok(default) };
    let words = match flag {
        "initial-cluster-state" => "new or existing",
        _ => "unanimous or majority",
    };
    parse(&value).map_err(|cause| invalid(flag, &value, &cause).hint(format!("-{flag} is {words}")))
}

fn check_timers(heartbeat_ms: u64, election_ms: u64) -> Result<(), Refusal> {
    if heartbeat_ms == 0 {
        return Err(verifying("-heartbeat-interval[0ms] should be at least 1ms")
            .hint("the leader would have to send without pause; 100 is the default"));
    }
    if heartbeat_ms.saturating_mul(5) > election_ms {
        return Err(verifying(&format!(
            "-election-timeout[{election_ms}ms] should be at least as 5 times as \
             -heartbeat-interval[{heartbeat_ms}ms]"
        ))
        .hint("otherwise a few lost heartbeats depose a leader that is well"));
    }
    if election_ms > ELECTION_MS_MAX {
        return Err(verifying(&format!(
            "-election-timeout[{election_ms}ms] is too long, and should be set less than \
             {ELECTION_MS_MAX}ms"
        ))
        .hint("for so long the cluster would be without a leader when one fails"));
    }
    Ok(())
}

fn advertise_required(listen: Option<&str>) -> Refusal {
    verifying("-advertise-client-urls is required when -listen-client-urls is set explicitly")
        .hint(format!(
            "-listen-client-urls is {}; -advertise-client-urls is not set, and its default \
             {CLIENT_URL} would send clients elsewhere",
            listen.unwrap_or("set")
        ))
        .hint("add -advertise-client-urls with the URLs under which clients reach this member")
}

fn initial_cluster_of_one(name: &str, urls: &[Url]) -> String {
    let pairs: Vec<String> = urls.iter().map(|url| format!("{name}={url}")).collect();
    pairs.join(",")
}

fn verifying(cause: &str) -> Refusal {
    Refusal::new(format!("error verifying flags, {cause}"))
}

fn invalid(flag: &str, value: &str, cause: &str) -> Refusal {
    Refusal::new(format!("invalid value {value:?} for flag -{flag}: {cause}"))
}
