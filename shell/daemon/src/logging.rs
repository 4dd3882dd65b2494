//! Where log lines go.

use std::io::{IsTerminal as _, stderr};

use tracing::Level;

/// Writes log lines to standard error, as text or as one JSON object a line.
pub(crate) fn start(json: bool) {
    let lines = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_max_level(Level::INFO)
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    if json {
        lines.json().flatten_event(true).init();
    } else {
        lines.init();
    }
}
