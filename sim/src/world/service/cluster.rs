//! A cluster of Quorate as the discovery service: one member on a host of its own, with its disk. No
//! oracle looks at it; what members make of its answers is judged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use quorate_core::config::{Security, Settings};
use quorate_core::id::MemberId;
use quorate_core::node::Timer;
use quorate_core::time::{Instant, Now};
use quorate_core::tls::Role;
use quorate_core::url::{Scheme, Url};
use quorate_core::view::View;
use quorate_core::{Config, Input, Node, Output};
use quorate_shell::http::Io;
use quorate_shell::{Driver, Endpoint, Machine, Options, Platform as _};

use super::super::event::Event;
use super::super::platform::Simulated;
use super::super::process::Process;
use super::super::state::{MS, State, World};
use crate::disk::Damage;
use crate::members::{self, CLIENT_PORT, DISCOVERY, FirstStart, PEER_PORT};
use crate::options;

/// How long whoever makes the token waits before he tries again.
const PAUSE: Duration = Duration::from_millis(300);
/// Time that it takes until the process is there, and the longest in which all members are started.
const START: u64 = 1000 * MS;

/// The process of the service.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    runs: bool,
    /// Whether the token is made. Before that nothing goes wrong: somebody has made it before he
    /// tells anybody.
    made: bool,
    /// What it shows, or showed last.
    view: Option<Arc<View>>,
}

impl Cluster {
    /// The members that have registered first, if there are as many.
    pub(super) fn first(&self, places: usize) -> BTreeSet<MemberId> {
        let read = self.view.as_ref().and_then(|view| view.store.read("/1/token", false).ok());
        let mut entries = read.map(|event| event.node.nodes).unwrap_or_default();
        entries.sort_by_key(|entry| entry.created_index);
        let id = |path: &str| path.rsplit('/').next().and_then(MemberId::parse_hex);
        let first: BTreeSet<MemberId> =
            entries.iter().take(places).filter_map(|entry| id(&entry.path)).collect();
        if first.len() == places { first } else { BTreeSet::new() }
    }
}

/// A node of which is known what it shows.
struct Shown {
    world: World,
    node: Node,
}

impl Machine for Shown {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let before = out.len();
        self.node.handle(now, input, out);
        for output in &out[before..] {
            if let Output::Publish(view) = output
                && view.ready
            {
                self.world.lock().service.cluster.view = Some(Arc::clone(view));
            }
        }
    }

    fn deadline(&self) -> Option<(Instant, Timer)> {
        self.node.deadline()
    }
}

impl World {
    /// Starts the process.
    pub(in super::super) fn start_service(&self) {
        let state = &mut *self.lock();
        let (host, time) = (state.service_host(), state.now());
        if std::mem::replace(&mut state.service.cluster.runs, true) {
            return;
        }
        state.tcp.power_up(host);
        let chance = &mut state.chances.hosts;
        let here = &mut state.hosts[host];
        here.clock.restart(time, chance.below(1 << 50));
        let config = config(&state.scenario.options, chance.seed());
        let options = Options::of(&config);
        let node = Node::new(config, chance.seed(), here.clock.now(time));
        let process = Process { host, boot: here.boot };
        state.runtime.restart(here.id);
        let Some(spawner) = state.runtime.get_node(here.id) else { return };
        let platform = Simulated { world: self.clone(), process, spawner: spawner.clone() };
        let driver = Driver::new(platform, Shown { world: self.clone(), node }, options);
        drop(spawner.spawn(async move {
            // It ends when its power does.
            drop(driver.run().await);
        }));
    }
}

impl State {
    /// The host of the service, behind the one of the clients.
    pub(in super::super) const fn service_host(&self) -> usize {
        self.members + 1
    }

    /// Plans its start.
    pub(super) fn plan_service(&mut self) {
        let host = self.service_host();
        let boot = self.hosts[host].boot;
        self.plan(START / 2, Event::Power(host));
        self.plan(START, Event::Start(Process { host, boot }));
    }

    /// Its power fails.
    pub(super) fn end_service(&mut self) {
        let Cluster { runs, made, .. } = &mut self.service.cluster;
        if !*made || !std::mem::take(runs) {
            return;
        }
        let host = self.service_host();
        self.tcp.lose_power(host);
        self.hosts[host].boot += 1;
        self.runtime.kill(self.hosts[host].id);
        let Damage { writes_dropped, .. } =
            self.hosts[host].files.lose_power(&mut self.chances.disk);
        self.stats.writes_dropped += writes_dropped;
    }
}

/// The settings of its one member.
fn config(options: &options::Options, entropy: [u8; 32]) -> Config {
    let at = |port| {
        let text = format!("http://{DISCOVERY}:{port}");
        Url::parse(&text).expect("a URL of the simulator's own making")
    };
    let (peers, clients) = (at(PEER_PORT), at(CLIENT_PORT));
    Config {
        name: DISCOVERY.to_owned(),
        data_dir: format!("{DISCOVERY}.quorate"),
        first_start: Settings::default()
            .flag("initial-cluster", format!("{DISCOVERY}={peers}"))
            .flag("initial-advertise-peer-urls", peers.as_str()),
        listen_peer_urls: vec![peers],
        listen_client_urls: vec![clients.clone()],
        advertise_client_urls: vec![clients],
        security: Security::default(),
        ..members::config(options, (0, 0), &FirstStart::Forms, entropy)
    }
}

/// Makes the token, and has the members started that are given it.
pub(super) async fn make_token(platform: Simulated) {
    let places = platform.world.lock().options().places();
    while !has_made(&platform, places).await {
        platform.sleep(PAUSE).await;
    }
    let state = &mut *platform.world.lock();
    state.service.cluster.made = true;
    for host in 0..state.members {
        let after = state.chances.hosts.below(START);
        state.plan(after, Event::Start(Process { host, boot: 0 }));
    }
}

async fn has_made(platform: &Simulated, places: u64) -> bool {
    let status = put(platform, "/v2/keys/token/_config/size", &format!("value={places}")).await;
    // One whose answer was lost has made it too.
    matches!(status, Some(StatusCode::CREATED | StatusCode::OK))
}

async fn put(platform: &Simulated, path: &str, form: &str) -> Option<StatusCode> {
    let (role, scheme) = (Role::Client, Scheme::Http);
    let to = Endpoint { role, scheme, host: DISCOVERY.to_owned(), port: CLIENT_PORT };
    let stream = platform.connect(&to, Duration::from_secs(5)).await.ok()?;
    let (mut sender, connection) = http1::handshake(Io::new(stream)).await.ok()?;
    platform.spawn(async move {
        // The request reports the failure.
        let _ = connection.await;
    });
    let request = Request::put(path)
        .header(HOST, format!("{DISCOVERY}:{CLIENT_PORT}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.to_owned())))
        .expect("a request of the simulator's own making");
    Some(sender.send_request(request).await.ok()?.status())
}
