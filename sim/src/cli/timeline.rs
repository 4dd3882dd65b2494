//! `timeline`: a run as a picture.

use std::path::PathBuf;

use super::source::Source;
use super::{Found, write};

/// Run once and draw what happened: one HTML file, to be opened in a browser.
#[derive(clap::Args)]
pub(crate) struct Timeline {
    #[command(flatten)]
    source: Source,
    /// Where to write it.
    #[arg(short, long, value_name = "FILE.html")]
    output: PathBuf,
}

impl Timeline {
    pub(crate) fn run(self) -> Found {
        let world = self.source.world;
        let report = world.run(&self.source.scenario()?, true);
        let html = sim::timeline::html(world.name(), &report);
        write(&self.output, &html)?;
        Ok(report.violation.map(|(_, violation)| violation.kind))
    }
}
