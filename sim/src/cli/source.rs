//! Which run is meant: a seed or a file, and the world.

use std::path::Path;

use sim::chance::parse_seed;
use sim::regression::Regression;
use sim::scenario::Scenario;
use sim::worlds::World;

use super::read;
use super::settings::Settings;

/// A seed or a file, and the world.
#[derive(clap::Args)]
pub(super) struct Source {
    /// A number, a commit hash, or a file that has a scenario or a regression.
    #[arg(value_name = "SEED|FILE")]
    source: String,
    /// In which world.
    #[arg(long, default_value_t, value_parser = World::parse)]
    pub(super) world: World,
    #[command(flatten)]
    settings: Settings,
}

impl Source {
    /// The scenario that is meant, with the options that were changed by hand.
    pub(super) fn scenario(&self) -> Result<Scenario, String> {
        if let Ok(seed) = parse_seed(&self.source) {
            return Ok(Scenario::with(seed, self.settings.options(self.world, seed)?));
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
