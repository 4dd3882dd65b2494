//! Making a data directory at one blow: it is written beside the place that is wanted, and moved
//! there when all of it is durable.
//!
//! What it holds is decided by the core.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use quorate_core::directory::{Content, Making};
use quorate_core::disk::{Op, Script};
use quorate_core::error::Refusal;
use quorate_core::wal::SEGMENT_BYTES;
use quorate_shell::Executor;

use crate::platform::{DataDir, Tokio};

const STYLE: &str = "{prefix} {wide_bar} {bytes}/{total_bytes}, {eta} left";

/// A data directory that is to be made.
pub(crate) struct NewDir<'a> {
    dir: &'a str,
    /// Where it is written until it is whole.
    staging: PathBuf,
}

impl<'a> NewDir<'a> {
    /// `doing` is what is being done, as in `importing`.
    ///
    /// # Errors
    /// There is something in the directory already, or an earlier attempt was cut off.
    pub(crate) fn vacant(dir: &'a str, doing: &str) -> Result<Self, Refusal> {
        let taken = match fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(failed(dir, &error)),
        };
        let staging = PathBuf::from(format!("{}.{doing}", dir.trim_end_matches('/')));
        if staging.exists() {
            return Err(Refusal::new(format!("there is {} already", staging.display()))
                .hint("an earlier attempt was cut off, or another one is under way")
                .hint("if none is, remove what it has left, and start again"));
        }
        if taken {
            return Err(Refusal::new(format!("the data directory {dir} is not empty"))
                .hint("nothing in it was touched; give a -data-dir that is absent or empty"));
        }
        Ok(Self { dir, staging })
    }

    /// Makes it.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) fn make(self, content: Content) -> Result<(), Refusal> {
        let mut executor = Executor::new(DataDir::new(self.staging.clone()));
        let mut script = Script::default();
        let mut making = Making::begin(content, Tokio::random(), SEGMENT_BYTES, &mut script);
        let mut ended = false;
        let bar = bar("writing", 0);
        while !ended {
            let mut dones = Vec::new();
            let ops: Vec<Op> = script.drain().collect();
            bar.inc_length(ops.iter().map(written).sum());
            let ops = ops.into_iter().inspect(|op| bar.inc(written(op)));
            executor.run(ops, &mut |done| dones.push(done));
            assert!(!dones.is_empty(), "it waits for nothing but the disk");
            for done in dones {
                ended |= making.handle(&done, &mut script)?;
            }
        }
        drop(executor);
        bar.finish_and_clear();
        fs::rename(&self.staging, self.dir)
            .and_then(|()| File::open(parent(Path::new(self.dir)))?.sync_all())
            .map_err(|error| failed(self.dir, &error))
    }
}

/// The directory in which a path is.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) fn bar(what: &'static str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(STYLE).expect("the template is sound");
    ProgressBar::new(bytes).with_style(style).with_prefix(what)
}

/// The bytes that an operation writes.
fn written(op: &Op) -> u64 {
    match op {
        Op::Write { bytes, .. } => bytes.len() as u64,
        _ => 0,
    }
}

fn failed(dir: &str, error: &io::Error) -> Refusal {
    Refusal::new(format!("cannot make the data directory {dir}: {error}"))
        .hint("nothing was made of it; choose another -data-dir")
}
