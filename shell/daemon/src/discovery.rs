//! `quorate discovery`: a discovery service for everybody, over a store of its own or in front of a
//! cluster.

use std::process::ExitCode;
use std::time::Duration;

use quorate_core::Config;
use quorate_core::config::{Given, Settings, Source};
use quorate_core::discovery::service::{Backend, Rules};
use quorate_core::error::Refusal;
use quorate_core::node::Exit;
use quorate_shell::{Front, Options, Stopper};
use tokio::runtime::Runtime;
use tracing::info;

use crate::ending::{print_exit, refuse};
use crate::flags::Parsed;
use crate::platform::Tokio;
use crate::serve::{Member, runtime};
use crate::{signals, start_log};

const LISTEN: &str = "http://localhost:8087";
const DIR: &str = "discovery.quorate";
const TOKEN_TTL_S: u64 = 7 * 24 * 60 * 60;

/// Who keeps the tokens.
enum Service {
    /// A member in this process.
    Own(Box<Member>),
    /// A cluster of others.
    Others(Box<Front<Tokio>>),
}

impl Service {
    fn stopper(&self) -> Stopper {
        match self {
            Self::Own(member) => member.stopper(),
            Self::Others(front) => front.stopper(),
        }
    }

    fn run(self, runtime: &Runtime) -> Exit {
        match self {
            Self::Own(member) => member.run(runtime),
            Self::Others(front) => runtime.block_on(front.run()),
        }
    }
}

pub(crate) fn main(parsed: &Parsed) -> ExitCode {
    match prepare(parsed) {
        Ok((service, runtime)) => print_exit(&service.run(&runtime)),
        Err(refusal) => refuse(&refusal),
    }
}

fn prepare(parsed: &Parsed) -> Result<(Service, Runtime), Refusal> {
    let backend = parsed.own("endpoints").map(backend).transpose()?;
    if let (Some(_), Some(dir)) = (&backend, parsed.settings.given("data-dir")) {
        return Err(Refusal::new("Set only one of flags -endpoints and -data-dir.")
            .hint(format!("-data-dir is {}; the tokens cannot be kept in two places", dir.text))
            .hint("leave -data-dir away for tokens in that cluster, -endpoints for a store here"));
    }
    let mut config = Config::validate(settings(parsed), Tokio::random())?;
    // It is the only member there will ever be.
    config.listen_peer_urls.clear();
    let rules = rules(parsed, &config)?;
    let runtime = runtime()?;
    start_log(parsed);
    let service = match backend {
        None => {
            let dir = &config.data_dir;
            info!("a discovery service at {} with data directory {dir}", rules.public_url);
            Service::Own(Box::new(Member::service(&runtime, config, rules)))
        }
        Some(backend) => {
            info!("a discovery service at {} with its tokens in {backend}", rules.public_url);
            config.security.check_listeners(&[], &config.listen_client_urls)?;
            let platform = Tokio::new(runtime.handle().clone(), &config, None);
            let (options, listen) = (Options::of(&config), config.listen_client_urls);
            let front = Front::new(platform, listen, options, rules, backend);
            Service::Others(Box::new(front))
        }
    };
    signals::stop_on_signal(runtime.handle(), vec![service.stopper()])
        .map_err(|error| Refusal::new(format!("cannot handle signals: {error}")))?;
    Ok((service, runtime))
}

fn backend(text: &str) -> Result<Backend, Refusal> {
    Backend::parse(text).map_err(|cause| {
        Refusal::new(format!("invalid value for flag -endpoints: {cause}"))
            .hint("it takes the client URLs of the members: http://[USER:PASSWORD@]HOST:PORT,...")
            .of_syntax()
    })
}

/// The settings of the member that keeps the tokens.
fn settings(parsed: &Parsed) -> Settings {
    let listen = parsed.own("listen").unwrap_or(LISTEN);
    let mut settings = parsed.settings.clone();
    if settings.given("data-dir").is_none() {
        settings.set("data-dir", Given { text: DIR.to_owned(), source: Source::Flag });
    }
    if let Some(file) = parsed.own("endpoints-ca-file") {
        settings = settings.flag("discovery-ca-file", file);
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
