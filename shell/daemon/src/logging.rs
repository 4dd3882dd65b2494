//! Where log lines go.

use std::io::{IsTerminal as _, stderr};

use tracing::Level;
use tracing_subscriber::fmt::format::debug_fn;

/// Fields that text lines show besides the message. The others repeat what the message says, for
/// programs that read the lines as JSON.
const SHOWN: [&str; 2] = ["error", "port"];
/// The field of a span that tells several members in one process apart.
const NODE: &str = "node";

/// Writes log lines to standard error, as text or as one JSON object a line; with those that only
/// help to find a defect, if asked to.
pub(crate) fn start(json: bool, debug: bool) {
    let lines = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_max_level(if debug { Level::DEBUG } else { Level::INFO })
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    if json {
        lines.json().flatten_event(true).init();
        return;
    }
    let fields = debug_fn(|writer, field, value| match field.name() {
        "message" | NODE => write!(writer, "{value:?}"),
        name if SHOWN.contains(&name) => write!(writer, " {name}={value:?}"),
        _ => Ok(()),
    });
    lines.fmt_fields(fields).init();
}
