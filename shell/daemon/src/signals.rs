//! Signals: the first asks for a graceful stop, the second ends the process.

use std::io;
use std::process::exit;

use quorate_shell::Stopper;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// 128 and the number of SIGINT, as shells report a process that did not end by itself.
const EXIT_IMPATIENT: i32 = 130;

/// From here on SIGINT and SIGTERM stop the nodes.
pub(crate) fn stop_on_signal(runtime: &Handle, nodes: Vec<Stopper>) -> io::Result<()> {
    let _guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    runtime.spawn(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => info!("received SIGINT, stopping; a second one ends at once"),
            _ = terminate.recv() => info!("received SIGTERM, stopping; a second one ends at once"),
        }
        for node in nodes {
            node.stop();
        }
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        exit(EXIT_IMPATIENT);
    });
    Ok(())
}
