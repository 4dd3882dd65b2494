//! From flags to a configuration: what counts at every start, and refusals in the words of etcd.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::flag::Scope;
use super::refusals::{gone, invalid, set_twice, verifying};
use super::settings::{Given, Settings, Source};
use super::{Config, Limits, Proxying, Security, flags, grammar, missing};
use crate::api::Gate;
use crate::error::Refusal;
use crate::time::Duration;
use crate::url::Url;
use crate::wal;

const ELECTION_MS_MAX: u64 = 50_000;
const SNAPSHOT_COUNT: u64 = 10_000;
const SNAPSHOT_CATCH_UP_ENTRIES: u64 = 5_000;

impl Config {
    /// Judges the settings and fills in the defaults. `entropy` are random bytes of the platform.
    /// What only counts at a first start is kept for [`Config::bootstrap`].
    ///
    /// # Errors
    /// A flag that does not exist, a value that is none of its flag, values that do not go
    /// together, or a feature that this version does not have.
    pub fn validate(mut settings: Settings, entropy: [u8; 32]) -> Result<Self, Refusal> {
        check_syntax(&settings)?;
        if let Some(refusal) = set_twice(&settings) {
            return Err(refusal);
        }
        let name = settings.value("name");
        if name.is_empty() {
            return Err(verifying("-name must not be empty")
                .hint("leave -name away for the name \"default\", or give one"));
        }
        let heartbeat_ms = number(&settings, "heartbeat-interval");
        let election_ms = number(&settings, "election-timeout");
        check_timers(heartbeat_ms, election_ms)?;
        require_advertised(&settings)?;
        missing::refuse(&settings)?;
        let security = Security::read(&settings)?;
        let listen_peer_urls = urls(&settings, "listen-peer-urls");
        let listen_client_urls = urls(&settings, "listen-client-urls");
        check_listeners(&listen_peer_urls, &listen_client_urls)?;
        let snapshot_count = match number(&settings, "snapshot-count") {
            0 => SNAPSHOT_COUNT,
            count => count,
        };
        let dir = settings.text("data-dir").filter(|dir| !dir.is_empty()).map(String::from);
        Ok(Self {
            data_dir: dir.unwrap_or_else(|| format!("{name}.quorate")),
            etcd_dir: settings.take_etcd_dir(),
            name,
            listen_peer_urls,
            listen_client_urls,
            advertise_client_urls: urls(&settings, "advertise-client-urls"),
            endpoints: Vec::new(),
            replaces: false,
            resolver: settings.text("discovery-srv-resolver").and_then(|text| text.parse().ok()),
            security,
            proxying: Proxying::read(&settings),
            strict_reconfig_check: grammar::boolean(&settings.value("strict-reconfig-check"))
                .unwrap_or_default(),
            force_new_cluster: grammar::boolean(&settings.value("force-new-cluster"))
                .unwrap_or_default(),
            limits: Limits::read(&settings)?,
            gate: Gate {
                origins: texts(&settings, "cors"),
                hosts: texts(&settings, "host-whitelist"),
            },
            heartbeat_interval: Duration::from_millis(heartbeat_ms),
            election_timeout: Duration::from_millis(election_ms),
            snapshot_count,
            snapshot_catch_up_entries: SNAPSHOT_CATCH_UP_ENTRIES,
            wal_segment_bytes: wal::SEGMENT_BYTES,
            first_start: settings
                .only(|flag| flag == "name" || flag == "peer-addr" || is_first(flag)),
            entropy,
        })
    }
}

fn is_first(flag: &str) -> bool {
    flags::find(flag).is_some_and(|flag| flag.scope == Scope::FirstStart)
}

/// Judges each value by itself: first those of the command line, then those of the environment. Of
/// the latter the last one in the order of the names is told, as etcd does.
fn check_syntax(settings: &Settings) -> Result<(), Refusal> {
    let (mut of_flags, mut of_environment) = (None, None);
    for (name, given) in settings.iter() {
        let Some(refusal) = judge(name, given) else { continue };
        match given.source {
            Source::Flag => of_flags = of_flags.or(Some(refusal)),
            Source::Environment => of_environment = Some(refusal),
        }
    }
    of_flags.or(of_environment).map_or(Ok(()), Err)
}

fn judge(name: &str, given: &Given) -> Option<Refusal> {
    let Some(flag) = flags::find(name) else {
        return Some(Refusal::new(format!("flag provided but not defined: -{name}")).of_syntax());
    };
    match flag.scope {
        Scope::FirstStart | Scope::Ignored => None,
        Scope::Gone => Some(gone(flag, given)),
        Scope::Always | Scope::Missing { .. } | Scope::NoEffect { .. } | Scope::Program => {
            flag.grammar.check(&given.text).err().map(|cause| invalid(flag, given, &cause))
        }
    }
}

/// The number that counts. It was judged before.
fn number(settings: &Settings, flag: &str) -> u64 {
    grammar::number(&settings.value(flag)).unwrap_or_default()
}

/// The URLs that count. They were judged before.
fn urls(settings: &Settings, flag: &str) -> Vec<Url> {
    grammar::urls(&settings.value(flag)).unwrap_or_default()
}

/// The pieces of a list that counts.
fn texts(settings: &Settings, flag: &str) -> Vec<String> {
    grammar::list(&settings.value(flag)).map(String::from).collect()
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
        .hint("otherwise a few lost heartbeats depose a leader that is well")
        .hint(format!(
            "raise -election-timeout to {} or lower -heartbeat-interval to {}",
            heartbeat_ms.saturating_mul(5),
            election_ms / 5
        )));
    }
    if election_ms > ELECTION_MS_MAX {
        return Err(verifying(&format!(
            "-election-timeout[{election_ms}ms] is too long, and should be set less than \
             {ELECTION_MS_MAX}ms"
        ))
        .hint("for so long the cluster would be without a leader when one fails")
        .hint(format!("lower -election-timeout to {ELECTION_MS_MAX} at most")));
    }
    Ok(())
}

/// Whoever says where to listen for clients has to say where clients find the member; except a
/// proxy, which advertises nothing, and what may become one.
fn require_advertised(settings: &Settings) -> Result<(), Refusal> {
    let Some(listen) = settings.text("listen-client-urls") else { return Ok(()) };
    let advertised = ["advertise-client-urls", "addr"].iter().any(|f| settings.given(f).is_some());
    let may_be_proxy = settings.value("proxy") != "off"
        || (settings.given("discovery").is_some()
            && settings.value("discovery-fallback") != "exit");
    if advertised || may_be_proxy {
        return Ok(());
    }
    let default = flags::find("advertise-client-urls").map_or("", |flag| flag.default);
    Err(verifying("-advertise-client-urls is required when -listen-client-urls is set explicitly")
        .hint(format!(
            "-listen-client-urls is {listen}; -advertise-client-urls is not set, and its default \
             {default} would send clients elsewhere"
        ))
        .hint("add -advertise-client-urls with the URLs under which clients reach this member"))
}

/// An address can be listened on once. The words are those of the system, which would say so later
/// and not know why.
fn check_listeners(peer: &[Url], client: &[Url]) -> Result<(), Refusal> {
    let all = || {
        let peer = peer.iter().map(|url| ("-listen-peer-urls", url));
        peer.chain(client.iter().map(|url| ("-listen-client-urls", url)))
    };
    for (at, (flag, url)) in all().enumerate() {
        let place = |url: &Url| (url.canonical_host(), url.port());
        // The system chooses another free port each time.
        let mut before = all().take(at).filter(|_| url.port() != 0);
        let Some((first, _)) = before.find(|(_, other)| place(other) == place(url)) else {
            continue;
        };
        let text = url.as_str().split_once("://").map_or("", |(_, address)| address);
        let who = if first == flag {
            format!("{flag} has {url} twice")
        } else {
            format!("{first} and {flag} both have {url}")
        };
        return Err(Refusal::new(format!("listen tcp {text}: bind: address already in use"))
            .hint(who)
            .hint(
                "listen once on each address, and on another port for members than for clients",
            ));
    }
    Ok(())
}
