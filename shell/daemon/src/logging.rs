//! Where log lines go.

use std::io::{IsTerminal as _, stderr};
use std::sync::OnceLock;

use quorate_core::api::log_level::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

use crate::secrets::Lines;

/// Fields that text lines show besides the message. The others repeat what the message says, for
/// programs that read the lines as JSON.
const SHOWN: [&str; 2] = ["error", "port"];
/// The field of a span that tells several members in one process apart.
const NODE: &str = "node";

/// How much is logged, once the log is started.
static LEVEL: OnceLock<Handle<LevelFilter, Registry>> = OnceLock::new();

/// Writes log lines to standard error, as text or as one JSON object a line; with those that only
/// help to find a defect, if asked to.
pub(crate) fn start(json: bool, debug: bool) {
    let lines = fmt::layer().with_writer(Lines::new).with_ansi(stderr().is_terminal());
    let lines = lines.with_target(false);
    let level = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let (level, handle) = reload::Layer::new(level);
    let registry = tracing_subscriber::registry().with(level);
    if json {
        registry.with(lines.json().flatten_event(true)).init();
    } else {
        let fields = debug_fn(|writer, field, value| match field.name() {
            "message" | NODE => write!(writer, "{value:?}"),
            name if SHOWN.contains(&name) => write!(writer, " {name}={value:?}"),
            _ => Ok(()),
        });
        registry.with(lines.fmt_fields(fields)).init();
    }
    let first = LEVEL.set(handle).is_ok();
    assert!(first, "the log is started once");
}

/// Changes how much is logged, in the whole process.
pub(crate) fn set(level: Level) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warning => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    if let Some(handle) = LEVEL.get() {
        // It fails only once the log is gone.
        let _ = handle.reload(level);
    }
}
