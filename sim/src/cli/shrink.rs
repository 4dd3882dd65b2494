//! `shrink`: from a failing run to a small one.

use std::path::PathBuf;

use super::source::Source;
use super::{Found, write};

/// Make a failing run smaller: fewer faults, options, members and less time.
#[derive(clap::Args)]
pub(crate) struct Shrink {
    #[command(flatten)]
    source: Source,
    /// Where to write the scenario; to standard output unless given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many runs to make at most.
    #[arg(long, default_value_t = 1000)]
    tries: u64,
}

impl Shrink {
    pub(crate) fn run(self) -> Found {
        let scenario = self.source.scenario()?;
        let run = |scenario: &_| self.source.world.run(scenario, false);
        // Members that panic do so again and again.
        std::panic::set_hook(Box::new(|_| {}));
        let shrunk =
            sim::shrink::shrink(&scenario, &run, self.tries, &mut |words| eprintln!("{words}"));
        let _ = std::panic::take_hook();
        let Some(shrunk) = shrunk else { return Err("this run breaks no promise".to_owned()) };
        let (runs, oracle, seed) = (shrunk.runs, shrunk.oracle, shrunk.scenario.seed);
        eprintln!("{oracle} still fires after {runs} runs, under the seed {seed}");
        let json = shrunk.scenario.to_json();
        match &self.output {
            None => print!("{json}"),
            Some(path) => write(path, &json)?,
        }
        Ok(None)
    }
}
