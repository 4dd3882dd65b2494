//! `replay`: one seed with its event log.

use quorate_core::Node;
use sim::chance::parse_seed;
use sim::record::Line;
use sim::runner::{self, Failure};
use sim::scenario::Scenario;

use super::Found;
use super::settings::Settings;

/// Run one seed and print its event log.
#[derive(clap::Args)]
pub(crate) struct Replay {
    /// A number or a commit hash.
    #[arg(value_parser = parse_seed)]
    seed: u64,
    #[command(flatten)]
    settings: Settings,
}

impl Replay {
    pub(crate) fn run(self) -> Found {
        let scenario = Scenario::with(self.seed, self.settings.options(self.seed)?);
        let report = runner::run::<Node>(&scenario, true);
        report.recording.iter().for_each(|recorded| println!("{}", Line(recorded)));
        let kind = report.violation.as_ref().map(|(_, v)| v.kind);
        if kind.is_some() {
            println!("\n{}", Failure(report));
        } else {
            println!("\nseed {}, options:\n{}\n{}", self.seed, scenario.options, report.stats);
            println!("digest {:016x}", report.digest);
        }
        Ok(kind)
    }
}
