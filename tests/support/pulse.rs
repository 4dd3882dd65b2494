//! For how long nothing could be written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;

/// How long one write is waited for before another member is asked.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a client rests after each write.
const REST: Duration = Duration::from_millis(5);

/// The longest gaps, by what was done meanwhile. Timing is no promise on a machine that does other
/// things too: it is printed, and held only where the test is asked to.
#[derive(Default)]
pub(crate) struct Gaps {
    longest: BTreeMap<&'static str, Duration>,
}

impl Gaps {
    /// Takes note of the longest gap in a step.
    ///
    /// # Panics
    /// If it is longer than `most`.
    pub(crate) fn note(&mut self, step: &'static str, gap: Duration, most: Option<Duration>) {
        let longest = self.longest.entry(step).or_default();
        *longest = gap.max(*longest);
        assert!(most.is_none_or(|most| gap <= most), "{step}: no write for {gap:?}");
    }

    pub(crate) fn print(&self) {
        for (step, gap) in &self.longest {
            println!("longest gap, {step}: {} ms", gap.as_millis());
        }
    }
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

    /// The longest gap since this was asked last, the one under way among them.
    pub(crate) fn take(&self) -> Duration {
        let mut beat = self.beat.lock().expect("nobody panics with it");
        std::mem::take(&mut beat.longest).max(beat.last.elapsed())
    }

    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the pulse ends");
    }
}
