//! Running members.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use quorate_core::Node;
use quorate_core::config::{Config, Settings};
use quorate_core::discovery::service::Rules;
use quorate_core::error::Refusal;
use quorate_core::node::Exit;
use quorate_shell::{Driver, Options, Platform as _, Stopper};
use tokio::runtime::{Builder, Runtime};
use tracing::{Span, info};

use crate::ending::{print_exit, refuse};
use crate::flags::{self, Command, Parsed};
use crate::platform::Tokio;
use crate::{signals, start_log};

/// One member in this process.
pub(crate) struct Member {
    driver: Driver<Tokio, Node>,
    span: Option<Span>,
}

/// `quorate` without a subcommand, or `quorate join`: one member.
pub(crate) fn main(mut parsed: Parsed) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(refusal) => return refuse(&refusal),
    };
    look_beside(&mut parsed.settings);
    let config = match config(&parsed) {
        Ok(config) => config,
        Err(refusal) => return refuse(&refusal),
    };
    start_log(&parsed);
    info!("quorate {} with data directory {}", env!("CARGO_PKG_VERSION"), config.data_dir);
    let command_line = flags::command_line(&parsed.settings);
    let member = Member::new(&runtime, config, command_line, None);
    if let Err(error) = signals::stop_on_signal(runtime.handle(), vec![member.stopper()]) {
        return refuse(&Refusal::new(format!("cannot handle signals: {error}")));
    }
    print_exit(&member.run(&runtime))
}

fn config(parsed: &Parsed) -> Result<Config, Refusal> {
    let config = Config::validate(parsed.settings.clone(), Tokio::random())?;
    match parsed.command {
        Command::Join => {
            let endpoints = parsed.own("endpoints").unwrap_or_default();
            config.joining(endpoints, parsed.own_is_set("replace"))
        }
        _ => Ok(config),
    }
}

/// `quorate -print-config`: says what counts, and what a start would object to.
pub(crate) fn print_config(parsed: &Parsed, json: bool) -> ExitCode {
    print!("{}", flags::print_config(&parsed.settings, json));
    let of_first_start = |refusal: Refusal| refusal.hint("a member that has data ignores this");
    let judged = Config::validate(parsed.settings.clone(), [0; 32])
        .and_then(|config| config.bootstrap().map_err(of_first_start));
    match judged {
        Ok(_) => ExitCode::SUCCESS,
        Err(refusal) => refuse(&refusal),
    }
}

/// Looks whether etcd's data stands where this member would begin without any.
fn look_beside(settings: &mut Settings) {
    if let Some(dir) = settings.etcd_dir().filter(|dir| Path::new(dir).is_dir()) {
        settings.etcd_dir_found(dir);
    }
}

impl Member {
    /// A member that has not begun. What it logs is marked with `span`.
    /// `command_line` is what it shows of how it was started.
    pub(crate) fn new(
        runtime: &Runtime,
        config: Config,
        command_line: Vec<String>,
        span: Option<Span>,
    ) -> Self {
        let platform = Tokio::new(runtime.handle().clone(), &config, span.clone());
        let options = Options { command_line: command_line.into(), ..Options::of(&config) };
        let node = Node::new(config, platform.entropy(), platform.now());
        Self { driver: Driver::new(platform, node, options), span }
    }

    /// A discovery service for everybody, by these rules, over a store of its own.
    pub(crate) fn service(runtime: &Runtime, config: Config, rules: Rules) -> Self {
        let platform = Tokio::new(runtime.handle().clone(), &config, None);
        let options = Options { tokens: Some(Arc::new(rules)), ..Options::of(&config) };
        let node = Node::new(config, platform.entropy(), platform.now());
        Self { driver: Driver::new(platform, node, options), span: None }
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.driver.stopper()
    }

    /// Runs the member on this thread, and its connections on the runtime's.
    pub(crate) fn run(self, runtime: &Runtime) -> Exit {
        let _entered = self.span.as_ref().map(Span::enter);
        runtime.block_on(self.driver.run())
    }
}

/// Runs several members, each loop on a thread of its own, until all have ended. The first that
/// ends takes the others with it. Gives the exits in the order of the members.
pub(crate) fn run_all(runtime: &Arc<Runtime>, members: Vec<Member>) -> Vec<Exit> {
    let stoppers: Vec<Stopper> = members.iter().map(Member::stopper).collect();
    let threads: Vec<_> = members
        .into_iter()
        .map(|member| {
            let (runtime, stoppers) = (Arc::clone(runtime), stoppers.clone());
            thread::spawn(move || {
                let exit = member.run(&runtime);
                stoppers.iter().for_each(Stopper::stop);
                exit
            })
        })
        .collect();
    let defect = || Exit::Fault(Refusal::new("a member ended in a defect"));
    threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| defect())).collect()
}

/// The threads that serve connections.
pub(crate) fn runtime() -> Result<Runtime, Refusal> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::new(format!("cannot start the runtime: {error}")))
}
