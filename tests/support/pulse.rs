//! For how long nothing could be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;
use super::wait::wait_for;

/// How long one write is waited for before another member is asked.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a client rests after each write.
const REST: Duration = Duration::from_millis(5);

/// What passes before a follower campaigns, by default.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// Why nothing could be written for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// A change that the cluster was asked for.
    Planned,
    /// A member was killed.
    Sigkill,
    /// A killed member was started again.
    Restart,
    /// A leader left without a word, as members of etcd 2.3 do.
    Unprepared,
}

impl Cause {
    /// For how many election timeouts at most nothing may be written.
    const fn most(self) -> u32 {
        match self {
            Self::Planned | Self::Restart => 1,
            Self::Sigkill | Self::Unprepared => 3,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Planned => "planned steps",
            Self::Sigkill => "after SIGKILL",
            Self::Restart => "after a restart",
            Self::Unprepared => "after a leader left without a word",
        }
    }
}

/// The gaps in each kind of step. Timing is no promise on a machine that does other things too: it
/// is printed, and held only where the test is asked to.
#[derive(Default)]
pub(crate) struct Gaps {
    steps: BTreeMap<(Cause, &'static str), Vec<Duration>>,
}

impl Gaps {
    pub(crate) fn note(&mut self, cause: Cause, step: &'static str, gap: Duration) {
        self.steps.entry((cause, step)).or_default().push(gap);
    }

    /// Prints the longest gap of each cause, and of each kind of step below it.
    pub(crate) fn print(&self) {
        let causes: BTreeSet<Cause> = self.steps.keys().map(|(cause, _)| *cause).collect();
        for cause in causes {
            let steps = || self.steps.iter().filter(move |((other, _), _)| *other == cause);
            let all = steps().flat_map(|(_, gaps)| gaps);
            println!("longest gap, {}: {}", cause.words(), summary(all, cause));
            for ((_, step), gaps) in steps() {
                println!("  {step}: {}", summary(gaps, cause));
            }
        }
    }

    /// Holds every gap to what its cause allows.
    ///
    /// # Panics
    /// If one is longer.
    pub(crate) fn hold(&self) {
        for ((cause, step), gaps) in &self.steps {
            let most = ELECTION_TIMEOUT * cause.most();
            let longest = gaps.iter().max().expect("there is one for each");
            assert!(*longest <= most, "{step}: no write for {longest:?}, and {most:?} is allowed");
        }
    }
}

/// The longest of some gaps, and how many are longer than their cause allows.
fn summary<'a>(gaps: impl IntoIterator<Item = &'a Duration>, cause: Cause) -> String {
    let gaps: Vec<Duration> = gaps.into_iter().copied().collect();
    let longest = gaps.iter().max().copied().unwrap_or_default();
    let most = ELECTION_TIMEOUT * cause.most();
    format!(
        "{:.2} election timeouts ({} ms) in {} steps, {} above {}",
        longest.div_duration_f64(ELECTION_TIMEOUT),
        longest.as_millis(),
        gaps.len(),
        gaps.iter().filter(|gap| **gap > most).count(),
        cause.most(),
    )
}

/// A client that writes at whoever answers, and notes when it last could.
pub(crate) struct Pulse {
    stop: Arc<AtomicBool>,
    beat: Arc<Mutex<Beat>>,
    thread: thread::JoinHandle<()>,
}

struct Beat {
    last: Instant,
    longest: Duration,
}

impl Pulse {
    pub(crate) fn start(urls: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let beat = Arc::new(Mutex::new(Beat { last: Instant::now(), longest: Duration::ZERO }));
        let (stopped, beating) = (Arc::clone(&stop), Arc::clone(&beat));
        let thread = thread::spawn(move || {
            let client = Client::with_patience(PATIENCE);
            let mut at = 0;
            while !stopped.load(Ordering::Relaxed) {
                let url = format!("{}/v2/keys/pulse", urls[at % urls.len()]);
                match client.put(&url, "value=1") {
                    Ok(answer) if answer.status < 500 => {
                        let mut beat = beating.lock().expect("nobody panics with it");
                        beat.longest = beat.longest.max(beat.last.elapsed());
                        beat.last = Instant::now();
                        drop(beat);
                        thread::sleep(REST);
                    }
                    _ => at += 1,
                }
            }
        });
        Self { stop, beat, thread }
    }

    /// The longest gap since this was asked last. One that is under way is waited for, so that it
    /// counts for the step in which it began.
    pub(crate) fn take(&self) -> Duration {
        let asked = Instant::now();
        wait_for("something can be written", || {
            let mut beat = self.beat.lock().expect("nobody panics with it");
            (beat.last > asked).then(|| std::mem::take(&mut beat.longest))
        })
    }

    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the pulse ends");
    }
}
