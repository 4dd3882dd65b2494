//! Reading the files again when they have changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Weak};
use std::time::Duration;

use quorate_core::config::Security;
use quorate_core::config::security::{Own, Tls as Asked};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tracing::{error, info};

use super::Tls;

/// How often it is looked whether the files have changed.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the file system says about each file, as far as it changes with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<(String, Option<Stamp>)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    len: u64,
    seconds: i64,
    nanos: i64,
}

impl Stamps {
    /// Those of all files that are asked for.
    pub(super) fn of(security: &Security) -> Self {
        let files = [&security.peer, &security.client].into_iter().flat_map(files);
        Self(files.map(|file| (file.to_owned(), stamp(file))).collect())
    }
}

fn files(asked: &Asked) -> impl Iterator<Item = &str> {
    let own = match &asked.own {
        Own::Files { certificate, key } => vec![certificate.as_str(), key.as_str()],
        Own::Nothing | Own::SelfSigned => Vec::new(),
    };
    own.into_iter().chain(asked.authorities.as_deref())
}

fn stamp(file: &str) -> Option<Stamp> {
    let meta = fs::metadata(file).ok()?;
    let (seconds, nanos) = (meta.mtime(), meta.mtime_nsec());
    Some(Stamp { inode: meta.ino(), len: meta.len(), seconds, nanos })
}

/// Reads the files again whenever they differ from `stamps`, or SIGHUP comes, as long as somebody
/// holds `tls`. Where no file is asked for there is nothing to do.
pub(super) fn keep_fresh(tls: &Arc<Tls>, stamps: Stamps) {
    if stamps.0.is_empty() {
        return;
    }
    let hangup = signal(SignalKind::hangup()).inspect_err(|error| {
        error!(%error, "SIGHUP cannot be handled: TLS files are read again only when they change");
    });
    tokio::spawn(watch(Arc::downgrade(tls), stamps, hangup.ok()));
}

async fn watch(tls: Weak<Tls>, mut read: Stamps, mut hangup: Option<Signal>) {
    loop {
        let asked = tokio::select! {
            biased;
            () = hung_up(&mut hangup) => true,
            () = sleep(INTERVAL) => false,
        };
        let Some(tls) = tls.upgrade() else { return };
        let now = Stamps::of(&tls.security);
        if now == read && !asked {
            continue;
        }
        // A certificate and its key are seldom replaced at once: between the two they do not fit,
        // and the second change brings the next attempt.
        match tls.load() {
            Ok(()) => info!("the TLS files were read again: new connections use them"),
            Err(cause) => error!("the TLS files are not used, the old ones stay: {cause}"),
        }
        read = now;
    }
}

async fn hung_up(signal: &mut Option<Signal>) {
    let heard = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}
