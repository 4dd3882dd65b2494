//! `replay`: one run with its event log.

use sim::record::Line;
use sim::runner::Failure;

use super::Found;
use super::source::Source;

/// Run once and print the event log.
#[derive(clap::Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    source: Source,
}

impl Replay {
    pub(crate) fn run(self) -> Found {
        let world = self.source.world;
        let report = world.run(&self.source.scenario()?, true);
        report.recording.iter().for_each(|recorded| println!("{}", Line(recorded)));
        let kind = report.violation.as_ref().map(|(_, v)| v.kind);
        if kind.is_some() {
            println!("\n{}", Failure(world, report));
        } else {
            let scenario = &report.scenario;
            println!("\nseed {}, options:\n{}", scenario.seed, scenario.options);
            println!("{}\ndigest {:016x}", report.stats, report.digest);
        }
        Ok(kind)
    }
}
