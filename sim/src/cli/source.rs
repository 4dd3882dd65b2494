//! Which run is meant: a seed, or a file.

use std::path::Path;

use sim::chance::parse_seed;
use sim::regression::Regression;
use sim::scenario::Scenario;

use super::read;
use super::settings::Settings;

/// A seed or a file.
#[derive(clap::Args)]
pub(super) struct Source {
    /// A number, a commit hash, or a file that has a scenario or a regression.
    #[arg(value_name = "SEED|FILE")]
    source: String,
    #[command(flatten)]
    settings: Settings,
}

impl Source {
    /// The scenario that is meant, with the options that were changed by hand.
    pub(super) fn scenario(&self) -> Result<Scenario, String> {
        if let Ok(seed) = parse_seed(&self.source) {
            return Ok(Scenario::with(seed, self.settings.options(seed)?));
        }
        let text =
            read(Path::new(&self.source)).map_err(|e| format!("no seed, and as a file: {e}"))?;
        let scenario = Regression::from_json(&text).map(|regression| regression.scenario);
        let mut scenario = match scenario {
            Ok(scenario) => scenario,
            Err(_) => Scenario::from_json(&text).map_err(|e| format!("{}: {e}", self.source))?,
        };
        self.settings.change(&mut scenario.options)?;
        Ok(scenario)
    }
}
