//! Who the members of a simulated cluster are, and where.

use std::net::IpAddr;

use quorate_core::Config;
use quorate_core::api::Gate;
use quorate_core::boot::list::InitialCluster;
use quorate_core::config::security::{Own, Security, Tls};
use quorate_core::config::{Limits, Proxying, Settings};
use quorate_core::id::MemberId;
use quorate_core::time::Duration;
use quorate_core::url::Url;

use crate::options::Options;
use crate::outside::dns::DOMAIN;
use crate::plan::WrongList;

/// Where a member serves its peers.
pub(crate) const PEER_PORT: u16 = 2380;
/// Where a member serves clients.
pub(crate) const CLIENT_PORT: u16 = 2379;

/// The name of the discovery service.
pub(crate) const DISCOVERY: &str = "discovery";

/// What stands before the number of a host in its address.
const ADDRESS: &str = "10.0.0.";

/// How a member is started that has no data yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FirstStart {
    /// As one of those that form the cluster.
    Forms,
    /// The same with a wrong list.
    Misled(WrongList),
    /// As one that was added to a cluster with these members, itself among them, in the form of
    /// `-initial-cluster`; `auto` says whether it finds out by itself that there is one.
    Joins { list: String, auto: bool },
}

impl FirstStart {
    const fn wrong_list(&self) -> Option<WrongList> {
        match self {
            Self::Misled(wrong) => Some(*wrong),
            Self::Forms | Self::Joins { .. } => None,
        }
    }
}

/// The peer URL by which a member on `host` is known that was added later.
pub(crate) fn peer_url(options: &Options, host: usize) -> Url {
    peer_url_at(options, &host_name(host))
}

/// The same with another name of that host, or its address.
pub(crate) fn peer_url_at(options: &Options, name: &str) -> Url {
    url(&format!("{}://{name}:{PEER_PORT}", scheme(options)))
}

const fn scheme(options: &Options) -> &'static str {
    if options.tls > 0 { "https" } else { "http" }
}

/// The name of a host.
pub(crate) fn host_name(host: usize) -> String {
    format!("n{host}")
}

/// The address of a host.
pub(crate) fn host_address(host: usize) -> IpAddr {
    IpAddr::from([10, 0, 0, u8::try_from(host).expect("few hosts")])
}

/// The host that a name or address in a URL means.
pub(crate) fn host_number(name: &str, hosts: usize) -> Option<usize> {
    let number = name.strip_prefix('n').or_else(|| name.strip_prefix(ADDRESS))?;
    number.parse().ok().filter(|host| *host < hosts)
}

/// Clients never speak TLS: they show nothing that would be known by.
fn client_url(host: usize) -> Url {
    url(&format!("http://n{host}:{CLIENT_PORT}"))
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL of the simulator's own making")
}

/// The list of members, and the token that goes with it; wrong on purpose, if `wrong` says so.
fn list(options: &Options, wrong: Option<WrongList>) -> (String, String) {
    let token = match wrong {
        _ if options.discovery > 0 => token_url(options),
        Some(WrongList::Token) => "other".to_owned(),
        _ => "simulated".to_owned(),
    };
    let hosts = (0..options.members as usize).filter(|n| wrong != Some(WrongList::Lacks(*n)));
    let (scheme, name) = (scheme(options), advertised_as(options));
    let entry = |n| match wrong {
        Some(WrongList::Url(other)) if other == n => {
            format!("m{n}={scheme}://elsewhere:{PEER_PORT}")
        }
        _ => format!("m{n}={scheme}://{name}{n}:{PEER_PORT}"),
    };
    (hosts.map(entry).collect::<Vec<_>>().join(","), token)
}

/// The path of the token that members are given: below the keys of a cluster, or the short form of
/// a public service.
pub(crate) const fn token_path(options: &Options) -> &'static str {
    if options.has_real_service() { "/v2/keys/token" } else { "/token" }
}

/// The token of the discovery service, which takes the place of the list.
fn token_url(options: &Options) -> String {
    format!("http://{DISCOVERY}:{CLIENT_PORT}{}", token_path(options))
}

/// What stands before the number of a host in the URLs by which others list it. A discovery service
/// has what members advertise.
const fn advertised_as(options: &Options) -> &'static str {
    if options.discovery > 0 && options.addresses > 0 { ADDRESS } else { "n" }
}

/// The member on `host` by the right list.
pub(crate) fn listed_as(options: &Options, host: usize) -> MemberId {
    let (list, token) = list(options, None);
    let list = InitialCluster::parse(&list).expect("a list of the simulator's own making");
    list.member_id(&format!("m{host}"), &token).expect("everybody is listed")
}

/// How long records are waited for: to the end of any run, since whoever waits for somebody else to
/// see the right ones has no reason to end.
const PATIENCE_MS: &str = "600000";

/// Where the list comes from. A list that is wrong is one that an operator has written.
fn source(options: &Options, first: &FirstStart) -> Settings {
    if let FirstStart::Joins { list, auto } = first {
        let state = if *auto { "auto" } else { "existing" };
        let settings = Settings::default().flag("initial-cluster", list.clone());
        return settings.flag("initial-cluster-state", state);
    }
    let wrong = first.wrong_list();
    let (list, _) = list(options, wrong);
    if options.discovery > 0 {
        return Settings::default().flag("discovery", token_url(options));
    }
    let by_srv = options.srv > 0 && matches!(wrong, None | Some(WrongList::Token));
    if by_srv {
        Settings::default().flag("discovery-srv", DOMAIN).flag("discovery-srv-timeout", PATIENCE_MS)
    } else {
        Settings::default().flag("initial-cluster", list)
    }
}

/// Members show certificates and ask for them, where they speak TLS; nobody opens the files.
fn security(options: &Options) -> Security {
    if options.tls == 0 {
        return Security::default();
    }
    let own = Own::Files { certificate: "peer.pem".to_owned(), key: "peer.key".to_owned() };
    let peer = Tls { own, authorities: Some("ca.pem".to_owned()), demand: true };
    Security { peer, ..Security::default() }
}

/// The settings of a process on the host `at`, which takes itself for the member on `host`.
pub(crate) fn config(
    options: &Options,
    (at, host): (usize, usize),
    first: &FirstStart,
    entropy: [u8; 32],
) -> Config {
    let (_, token) = list(options, first.wrong_list());
    let name = if options.addresses == 0 { "n" } else { ADDRESS };
    let advertised = format!("{}://{name}{host}:{PEER_PORT}", scheme(options));
    Config {
        name: format!("m{host}"),
        data_dir: format!("m{host}.quorate"),
        listen_peer_urls: vec![peer_url(options, at)],
        listen_client_urls: vec![client_url(at)],
        advertise_client_urls: vec![client_url(host)],
        first_start: source(options, first)
            .flag("initial-advertise-peer-urls", advertised)
            .flag("initial-cluster-token", token),
        endpoints: Vec::new(),
        replaces: false,
        resolver: None,
        security: security(options),
        proxying: Proxying::default(),
        strict_reconfig_check: false,
        force_new_cluster: false,
        etcd_dir: None,
        gate: Gate::default(),
        limits: Limits::default(),
        heartbeat_interval: Duration::from_millis(options.heartbeat_ms),
        election_timeout: Duration::from_millis(options.election_ms),
        snapshot_count: options.snapshot_count,
        snapshot_catch_up_entries: options.catch_up_entries,
        wal_segment_bytes: options.segment_bytes,
        entropy,
    }
}
