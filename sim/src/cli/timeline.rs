//! `timeline`: a run as a picture.

use std::path::PathBuf;

use sim::worlds::World;

use super::source::Source;
use super::{Found, write};

/// Run once and draw what happened: one HTML file, to be opened in a browser.
#[derive(clap::Args)]
pub(crate) struct Timeline {
    #[command(flatten)]
    source: Source,
    /// In which world.
    #[arg(long, default_value_t, value_parser = World::parse)]
    world: World,
    /// Where to write it.
    #[arg(short, long, value_name = "FILE.html")]
    output: PathBuf,
}

impl Timeline {
    pub(crate) fn run(self) -> Found {
        let report = self.world.run(&self.source.scenario()?, true);
        let html = sim::timeline::html(self.world.name(), &report);
        write(&self.output, &html)?;
        Ok(report.violation.map(|(_, violation)| violation.kind))
    }
}
