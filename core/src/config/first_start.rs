//! What the flags say about the first start of a member.
//!
//! They are kept as they were given and read only once the data directory turns out to be empty: a
//! member with data ignores them, however malformed they have become.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::flag::Scope;
use super::refusals::{advertised_twice, invalid, verifying};
use super::settings::{Given, Settings, written};
use super::{Config, Mode, flags, grammar};
use crate::discovery::{Place, Token};
use crate::error::Refusal;
use crate::http::Via;
use crate::time::Duration;
use crate::url::{Scheme, Url};

/// How a new member is to get into a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Where the list of members comes from.
    pub members: Members,
    /// `-initial-advertise-peer-urls`
    pub advertise_peer_urls: Vec<Url>,
    /// `-initial-cluster-token`
    pub token: String,
    /// `-initial-cluster-form`
    pub form: Form,
}

/// Where the list of the members comes from, and what is to become of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Form a cluster with the members of this list, which is not read yet.
    New(String),
    /// Join the cluster that runs where these members are, or form one with them.
    Auto(String),
    /// Join the cluster whose members this list has.
    Existing(String),
    /// Ask a discovery service.
    Discovery(Discovery),
    /// Ask for SRV records.
    Srv(Srv),
}

/// What is asked of DNS, and to what end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// `-discovery-srv`
    pub domain: String,
    /// What is to become of the members that are listed there.
    pub state: State,
    /// `-discovery-srv-timeout`: how long a list that is not whole is waited for.
    pub patience: Duration,
}

/// `-initial-cluster-state`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They form a cluster.
    New,
    /// They have one, which is to be joined.
    Existing,
    /// They have one that is to be joined, or form one.
    Auto,
}

/// `-discovery` and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// `-discovery`
    pub token: Token,
    /// `-discovery-proxy`
    pub via: Option<Via>,
    /// `-discovery-fallback`
    pub fallback: Fallback,
}

/// `-discovery-fallback`: what becomes of a member for which there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// A proxy of the cluster that has its place.
    Proxy,
    /// Nothing: it refuses to start.
    Exit,
}

/// `-initial-cluster-form`: whom a new member waits for before it forms the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every listed member.
    Unanimous,
    /// Nobody: elections need a majority anyway. etcd's rule.
    Majority,
}

/// The flags that say where the members come from: one of them at most.
const SOURCES: [&str; 3] = ["initial-cluster", "discovery", "discovery-srv"];

/// The flag of the first start that a member with data uses too, if its value is one: the names of
/// the other members may be known nowhere else.
const USED_WITH_DATA: &str = "discovery-srv-resolver";

impl Config {
    /// Reads what the flags say about the first start. The list itself is not read here.
    ///
    /// # Errors
    /// A value that is none of its flag, or flags that exclude each other; in the words of etcd.
    pub fn bootstrap(&self) -> Result<Bootstrap, Refusal> {
        let settings = &self.first_start;
        for (flag, given) in settings.iter() {
            let Some(known) = flags::find(flag) else { continue };
            known.grammar.check(&given.text).map_err(|cause| invalid(known, given, &cause))?;
        }
        refuse_several(settings)?;
        if let Some(refusal) = advertised_twice(settings) {
            return Err(refusal);
        }
        let state = match settings.value("initial-cluster-state").as_str() {
            "existing" => State::Existing,
            "auto" => State::Auto,
            _ => State::New,
        };
        let given = |flag: &str| settings.text(flag).map(String::from);
        let list = settings.value("initial-cluster");
        let patience = grammar::number(&settings.value("discovery-srv-timeout"));
        let patience = Duration::from_millis(patience.unwrap_or_default());
        let members = match (given("discovery"), given("discovery-srv")) {
            (Some(url), _) if state == State::Existing => return Err(discovery_of_existing(&url)),
            (Some(url), _) => Members::Discovery(discovery(settings, &url)?),
            (None, Some(domain)) => Members::Srv(Srv { domain, state, patience }),
            (None, None) => match state {
                State::New => Members::New(list),
                State::Existing => Members::Existing(list),
                State::Auto => Members::Auto(list),
            },
        };
        let urls = settings.value("initial-advertise-peer-urls");
        let advertise_peer_urls = grammar::urls(&urls).map_err(|cause| {
            verifying(&format!("-initial-advertise-peer-urls: {cause}"))
                .hint(format!("its value is {urls}"))
        })?;
        let form = match settings.value("initial-cluster-form").as_str() {
            "majority" => Form::Majority,
            _ => Form::Unanimous,
        };
        Ok(Bootstrap {
            members,
            advertise_peer_urls,
            token: settings.value("initial-cluster-token"),
            form,
        })
    }

    /// The same, for a member that adds itself to the cluster of whoever answers at one of
    /// `endpoints`, which are client URLs separated by commas. One that has data goes on from it; one
    /// that has lost its data is replaced if it is to be.
    ///
    /// # Errors
    /// There is none, or one is no URL.
    pub fn joining(mut self, endpoints: &str, replaces: bool) -> Result<Self, Refusal> {
        let remedy = "give client URLs of members that run: -endpoints http://10.0.1.10:2379";
        self.endpoints = grammar::urls(endpoints)
            .map_err(|cause| verifying(&format!("-endpoints: {cause}")).hint(remedy))?;
        if self.endpoints.is_empty() {
            return Err(verifying("-endpoints is missing").hint(remedy));
        }
        self.first_start = self.first_start.flag("initial-cluster-state", "existing");
        self.replaces = replaces;
        Ok(self)
    }

    /// The flags that were given and are ignored because there is a member already.
    pub fn ignored_with_data(&self) -> impl Iterator<Item = &'static str> {
        let first_start = |flag: &str| {
            let flag = flags::find(flag).filter(|flag| flag.scope == Scope::FirstStart)?;
            let used = flag.name == USED_WITH_DATA && self.resolver.is_some();
            (!used).then_some(flag.name)
        };
        let proxy = (self.proxying.mode != Mode::Off).then_some("proxy");
        self.first_start.iter().filter_map(move |(flag, _)| first_start(flag)).chain(proxy)
    }
}

fn discovery(settings: &Settings, url: &str) -> Result<Discovery, Refusal> {
    // It was judged before, as every value.
    let token = Token::parse(url).map_err(|cause| verifying(&format!("-discovery: {cause}")))?;
    let proxy = settings.value("discovery-proxy");
    let via = if proxy.is_empty() { None } else { Some(via(&proxy)?) };
    let fallback = match settings.value("discovery-fallback").as_str() {
        "exit" => Fallback::Exit,
        _ => Fallback::Proxy,
    };
    Ok(Discovery { token, via, fallback })
}

/// Reads `-discovery-proxy`. Without a scheme it is one of http, as for etcd.
fn via(text: &str) -> Result<Via, Refusal> {
    let url = if text.contains("://") { text.into() } else { format!("http://{text}") };
    let invalid = |cause: &str| {
        Refusal::new(format!("invalid proxy address {text:?}: {cause}"))
            .hint("-discovery-proxy takes an HTTP proxy: [http://][USER:PASSWORD@]HOST:PORT")
    };
    let (place, _) = Place::parse(&url).map_err(|cause| invalid(&cause))?;
    if place.scheme == Scheme::Https {
        return Err(invalid("it is asked over plain HTTP only"));
    }
    let Place { host, port, credentials, .. } = place;
    Ok(Via { host, port, credentials })
}

fn refuse_several(settings: &Settings) -> Result<(), Refusal> {
    let given: Vec<(&str, &Given)> =
        SOURCES.iter().filter_map(|flag| Some((*flag, settings.given(flag)?))).collect();
    if given.len() < 2 {
        return Ok(());
    }
    let refusal = verifying(
        "multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\", \
         \"discovery\" or \"discovery-srv\"",
    );
    let both = given
        .iter()
        .map(|(flag, given)| format!("{} is {}", written(flag, given.source), given.text));
    Err(refusal
        .hint(both.collect::<Vec<_>>().join("; "))
        .hint("keep the one that this cluster is to be formed by, and leave the others away"))
}

fn discovery_of_existing(url: &str) -> Refusal {
    Refusal::new("discovery URL should not be set when joining existing initial cluster")
        .hint(format!("-discovery is {url}; -initial-cluster-state is existing"))
        .hint(
            "a discovery token is for forming a new cluster; to join one that runs, list its \
             members in -initial-cluster and leave -discovery away",
        )
}
