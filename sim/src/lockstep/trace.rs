//! The event log of a replay: one aligned line an event. Nothing is formatted unless it is asked
//! for.

use std::fmt::{Arguments, Write as _};

/// Where the lines of the log go.
#[derive(Debug, Default)]
pub(super) struct Trace {
    lines: Option<String>,
}

impl Trace {
    pub(super) fn new(on: bool) -> Self {
        Self { lines: on.then(String::new) }
    }

    pub(super) const fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    /// Adds a line: the simulated time in seconds, the host or client, the kind, and words.
    pub(super) fn line(&mut self, time: u64, who: &str, kind: &str, words: Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            let (seconds, nanos) = (time / 1_000_000_000, time % 1_000_000_000);
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{seconds:>3}.{nanos:09} {who:<5} {kind:<8} {words}");
        }
    }

    pub(super) fn take(&mut self) -> String {
        self.lines.take().unwrap_or_default()
    }
}

/// Adds a line to the log of a world if it is on; formats nothing otherwise.
macro_rules! trace {
    ($world:expr, $who:expr, $kind:expr, $($words:tt)*) => {
        if $world.trace.is_on() {
            let who = $who.to_string();
            $world.trace.line($world.time, &who, $kind, format_args!($($words)*));
        }
    };
}
pub(super) use trace;
