//! `quorate dev`: a cluster of three members in one process.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use quorate_core::config::{Config, Settings};
use quorate_core::error::Refusal;
use quorate_core::node::Exit;
use tracing::info_span;

use crate::ending::{print_exit, refuse};
use crate::flags::Parsed;
use crate::platform::Tokio;
use crate::serve::{Member, run_all, runtime};
use crate::{signals, start_log};

/// One member of the cluster: its name and its ports.
struct Place {
    name: &'static str,
    client: u16,
    peer: u16,
}

const PLACES: [Place; 3] = [
    Place { name: "dev1", client: 2379, peer: 2380 },
    Place { name: "dev2", client: 22379, peer: 22380 },
    Place { name: "dev3", client: 32379, peer: 32380 },
];

const TOKEN: &str = "quorate-dev";
const DIR: &str = "quorate-dev";

pub(crate) fn main(parsed: &Parsed) -> ExitCode {
    let dir = Path::new(parsed.own("dir").unwrap_or(DIR));
    match prepare(parsed, dir) {
        Ok(exits) => finish(&exits),
        Err(refusal) => refuse(&refusal),
    }
}

fn prepare(parsed: &Parsed, dir: &Path) -> Result<Vec<Exit>, Refusal> {
    let runtime = Arc::new(runtime()?);
    let mut members = Vec::new();
    for place in &PLACES {
        let config = Config::validate(settings(parsed, place, dir), Tokio::random())?;
        members.push((place, config));
    }
    start_log(parsed);
    print_welcome(dir);
    let members: Vec<_> = members
        .into_iter()
        .map(|(place, config)| {
            let command_line = vec!["quorate".to_owned(), "dev".to_owned()];
            Member::new(
                &runtime,
                config,
                command_line,
                Some(info_span!("member", node = %place.name)),
            )
        })
        .collect();
    let stoppers = members.iter().map(Member::stopper).collect();
    signals::stop_on_signal(runtime.handle(), stoppers)
        .map_err(|error| Refusal::new(format!("cannot handle signals: {error}")))?;
    Ok(run_all(&runtime, members))
}

fn settings(parsed: &Parsed, place: &Place, dir: &Path) -> Settings {
    let peer = |place: &Place| format!("http://127.0.0.1:{}", place.peer);
    let client = format!("http://127.0.0.1:{}", place.client);
    let cluster: Vec<_> =
        PLACES.iter().map(|place| format!("{}={}", place.name, peer(place))).collect();
    let given = parsed.settings.clone();
    given
        .flag("name", place.name)
        .flag("data-dir", dir.join(place.name).to_string_lossy())
        .flag("listen-peer-urls", peer(place))
        .flag("initial-advertise-peer-urls", peer(place))
        .flag("listen-client-urls", client.clone())
        .flag("advertise-client-urls", client)
        .flag("initial-cluster", cluster.join(","))
        .flag("initial-cluster-token", TOKEN)
}

fn print_welcome(dir: &Path) {
    println!("A cluster of three members, with its data in {}:", dir.display());
    for place in &PLACES {
        println!("  {}  http://127.0.0.1:{}", place.name, place.client);
    }
    println!("Try:");
    println!("  curl http://127.0.0.1:{}/v2/keys/hello -XPUT -d value=world", PLACES[0].client);
    println!("  curl http://127.0.0.1:{}/v2/keys/hello", PLACES[1].client);
    println!("Ctrl-C stops it; the next start finds the data again.");
}

/// Says how the members ended. The worst exit is that of the process, and the first of its kind:
/// the others only followed it.
fn finish(exits: &[Exit]) -> ExitCode {
    let worst = exits.iter().rev().max_by_key(|exit| exit.code());
    worst.map_or(ExitCode::SUCCESS, print_exit)
}
