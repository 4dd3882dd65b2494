//! `quorate discovery`: a discovery service for everybody, over a store of its own.

use std::process::ExitCode;
use std::time::Duration;

use quorate_core::Config;
use quorate_core::config::{Given, Settings, Source};
use quorate_core::discovery::service::Rules;
use quorate_core::error::Refusal;
use tokio::runtime::Runtime;
use tracing::info;

use crate::flags::Parsed;
use crate::platform::Tokio;
use crate::serve::{Member, print_exit, refuse, runtime};
use crate::{signals, start_log};

const LISTEN: &str = "http://localhost:8087";
const DIR: &str = "discovery.quorate";
const TOKEN_TTL_S: u64 = 7 * 24 * 60 * 60;

pub(crate) fn main(parsed: &Parsed) -> ExitCode {
    match prepare(parsed) {
        Ok((member, runtime)) => print_exit(&member.run(&runtime)),
        Err(refusal) => refuse(&refusal),
    }
}

fn prepare(parsed: &Parsed) -> Result<(Member, Runtime), Refusal> {
    let mut config = Config::validate(settings(parsed), Tokio::random())?;
    // It is the only member there will ever be.
    config.listen_peer_urls.clear();
    let rules = rules(parsed, &config)?;
    let runtime = runtime()?;
    start_log(parsed);
    info!("a discovery service at {} with data directory {}", rules.public_url, config.data_dir);
    let member = Member::service(&runtime, config, rules);
    signals::stop_on_signal(runtime.handle(), vec![member.stopper()])
        .map_err(|error| Refusal::new(format!("cannot handle signals: {error}")))?;
    Ok((member, runtime))
}

/// The settings of the member that keeps the tokens.
fn settings(parsed: &Parsed) -> Settings {
    let listen = parsed.own("listen").unwrap_or(LISTEN);
    let mut settings = parsed.settings.clone();
    if settings.given("data-dir").is_none() {
        settings.set("data-dir", Given { text: DIR.to_owned(), source: Source::Flag });
    }
    settings
        .flag("name", "discovery")
        .flag("listen-client-urls", listen)
        .flag("advertise-client-urls", listen)
}

fn rules(parsed: &Parsed, config: &Config) -> Result<Rules, Refusal> {
    let first = config.listen_client_urls.first().map(ToString::to_string).unwrap_or_default();
    let url = parsed.own("public-url").map_or(first, str::to_owned);
    let seconds = match parsed.own("token-ttl").map(str::parse) {
        None => TOKEN_TTL_S,
        Some(Ok(seconds)) if seconds > 0 => seconds,
        Some(_) => {
            return Err(Refusal::new("invalid value for flag -token-ttl: not a number of seconds")
                .hint("a token needs at least one second; 604800 is a week")
                .of_syntax());
        }
    };
    Ok(Rules {
        public_url: url.trim_end_matches('/').to_owned(),
        token_ttl: Duration::from_secs(seconds),
    })
}
