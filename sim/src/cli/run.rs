//! `run`: many seeds.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use sim::chance::parse_seed;
use sim::oracle::Kind;
use sim::report::Report;
use sim::results::{Finished, Results};
use sim::runner::{Failure, run_many};
use sim::scenario::Scenario;
use sim::worlds::World;

use super::Found;
use super::origin::origin;
use super::progress::Progress;
use super::settings::Settings;

/// How much time on the wall an interrupted run loses at most.
const APPEND_EVERY: Duration = Duration::from_secs(30);

/// Run many seeds.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// How many.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first one: a number, a commit hash, or `next`: the one behind the last in the results
    /// file.
    #[arg(long, default_value = "0", value_parser = parse_first)]
    first: First,
    /// In which world: lockstep, world, or both, one after the other.
    #[arg(long, default_value = "lockstep", value_parser = parse_worlds)]
    world: Worlds,
    /// On how many threads; one for each core unless given.
    #[arg(long)]
    jobs: Option<usize>,
    #[command(flatten)]
    settings: Settings,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// Append what was run to this file, at least every half a minute.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum First {
    Seed(u64),
    Next,
}

fn parse_first(text: &str) -> Result<First, String> {
    if text == "next" { Ok(First::Next) } else { parse_seed(text).map(First::Seed) }
}

fn parse_worlds(text: &str) -> Result<Worlds, String> {
    let both = || World::ALL.to_vec();
    let worlds = if text == "both" { both() } else { vec![World::parse(text)?] };
    Ok(Worlds(worlds))
}

/// One world after the other.
#[derive(Clone)]
struct Worlds(Vec<World>);

impl Run {
    pub(crate) fn run(self) -> Found {
        let mut results = self.open_results()?;
        let mut worst = None;
        for world in &self.world.0 {
            worst = worse(worst, self.run_in(*world, results.as_mut())?);
            if worst.is_some() && !self.keep_going {
                break;
            }
        }
        Ok(worst)
    }

    fn open_results(&self) -> Result<Option<Results>, String> {
        let Some(path) = &self.results else { return Ok(None) };
        let results = Results::open(path).map_err(|e| e.to_string())?;
        for words in results.damaged() {
            eprintln!("sim: {words}");
        }
        Ok(Some(results))
    }

    fn first(&self, world: World, results: Option<&Results>) -> Result<u64, String> {
        let first = match (self.first, results) {
            (First::Seed(seed), _) => seed,
            (First::Next, None) => return Err("--first next needs --results".to_owned()),
            (First::Next, Some(results)) => {
                results.next_seed(world.name()).map_err(|e| e.to_string())?
            }
        };
        let enough = first.checked_add(self.seeds).is_some();
        enough
            .then_some(first)
            .ok_or_else(|| format!("there are no {} seeds from {first} on", self.seeds))
    }

    fn run_in(&self, world: World, results: Option<&mut Results>) -> Found {
        let first = self.first(world, results.as_deref())?;
        self.settings.options(world, first)?;
        let run = |seed| {
            let options = self.settings.options(world, seed).expect("the settings were tried");
            world.run(&Scenario::with(seed, options), false)
        };
        let origin = || origin(world.name(), self.settings.words());
        let mut book = results.map(|results| Book::new(results, Finished::new(origin(), first)));
        let jobs =
            self.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        let mut progress = Progress::new(world.name(), self.seeds);
        let (mut worst, mut trouble) = (None, None);
        run_many(first, self.seeds, jobs, &run, &mut |report| {
            progress.add(&report.stats);
            if let Some(book) = &mut book
                && let Err(e) = book.add(&report)
            {
                trouble = Some(e);
            }
            let kind = report.violation.as_ref().map(|(_, v)| v.kind);
            if kind.is_some() {
                progress.print(&format!("{}\n", Failure(world, report)));
            }
            worst = worse(worst, kind);
            trouble.is_none() && (kind.is_none() || self.keep_going)
        });
        progress.finish(world.name());
        if let Some(book) = book {
            book.close()?;
        }
        trouble.map_or(Ok(worst), Err)
    }
}

/// The worse of two kinds: safety before crashes before liveness.
fn worse(one: Option<Kind>, other: Option<Kind>) -> Option<Kind> {
    let order = [Kind::Safety, Kind::Crash, Kind::Liveness];
    order.into_iter().find(|kind| one == Some(*kind) || other == Some(*kind))
}

/// What is on its way into the results file.
struct Book<'a> {
    results: &'a mut Results,
    finished: Finished,
    since: Instant,
}

impl<'a> Book<'a> {
    fn new(results: &'a mut Results, finished: Finished) -> Self {
        Self { results, finished, since: Instant::now() }
    }

    fn wall_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn add(&mut self, report: &Report) -> Result<(), String> {
        let stats = &report.stats;
        self.finished.add(report.scenario.seed, stats.simulated_ms, report.violation.is_some());
        if self.since.elapsed() < APPEND_EVERY {
            return Ok(());
        }
        if let Some(batch) = self.finished.take(self.wall_ms()) {
            self.since = Instant::now();
            self.results.append(batch).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn close(mut self) -> Result<(), String> {
        for batch in self.finished.take_all(self.wall_ms()) {
            self.results.append(batch).map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
