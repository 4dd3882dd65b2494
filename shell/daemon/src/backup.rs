//! `quorate backup`: writes what a member gives of itself into a file.
//!
//! What is asked, and whether the answer is sound, is decided in `quorate_core::backup`; here the
//! file is written.

use std::fs::File;
use std::io::{Error, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use quorate_core::Config;
use quorate_core::backup::ask::Members;
use quorate_core::backup::{self, Damage, Head, Reader};
use quorate_core::error::Refusal;
use quorate_core::http::Call;
use quorate_shell::{Fetched, fetch};
use tempfile::NamedTempFile;

use crate::ending::report;
use crate::flags::Parsed;
use crate::new_dir::{bar, parent};
use crate::platform::Tokio;
use crate::serve::runtime;

/// Where the first member of this machine listens.
const ENDPOINTS: &str = "http://127.0.0.1:2379";

pub(crate) fn main(parsed: &Parsed) -> ExitCode {
    report(work(parsed))
}

fn work(parsed: &Parsed) -> Result<Vec<String>, Refusal> {
    let to = parsed.own("to").filter(|to| !to.is_empty());
    let to = to.ok_or_else(|| backup::absent("backup", "to", "which is to be written"))?;
    let endpoints = parsed.own("endpoints").unwrap_or(ENDPOINTS);
    let mut members = Members::parse(endpoints, parsed.own_is_set("local"))?;
    let config = Config::validate(parsed.settings.clone(), Tokio::random())?;
    let runtime = runtime()?;
    let platform = Tokio::new(runtime.handle().clone(), &config, None);
    let mut target = Target::create(to)?;
    loop {
        let call = members.next_call()?;
        match runtime.block_on(target.take(&platform, &call))? {
            Ok(head) => {
                target.keep()?;
                return Ok(vec![head.to_string(), format!("it is in {to}")]);
            }
            Err(Failure::Refused(answer)) => members.refused(&answer),
            Err(Failure::Damaged(damage)) => members.damaged(&damage),
            Err(Failure::Broken(cause)) => members.failed(&cause),
        }
    }
}

/// Why a member gave nothing.
enum Failure {
    Refused(quorate_core::http::Answer),
    Damaged(Damage),
    Broken(String),
}

/// Why what came was not taken.
enum Stop {
    Damaged(Damage),
    Unwritable(Error),
}

/// A file that is only there once it is whole. Until then it has another name, and goes with this
/// process.
struct Target {
    path: PathBuf,
    file: NamedTempFile,
}

impl Target {
    fn create(to: &str) -> Result<Self, Refusal> {
        let path = PathBuf::from(to);
        if path.symlink_metadata().is_ok() {
            return Err(backup::exists(to));
        }
        // Nobody else may read it, from the beginning.
        let file = tempfile::Builder::new().prefix(".quorate-backup-").tempfile_in(parent(&path));
        file.map(|file| Self { path, file })
            .map_err(|error| backup::unwritable(to, &error.to_string()))
    }

    async fn take(
        &mut self,
        platform: &Tokio,
        call: &Call,
    ) -> Result<Result<Head, Failure>, Refusal> {
        let path = self.path.display().to_string();
        let unwritable = |error: Error| backup::unwritable(&path, &error.to_string());
        let file = self.file.as_file_mut();
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(unwritable)?;
        let (mut reader, bar) = (Reader::checking(), bar("taking", 0));
        let fetched = fetch(platform, call, |bytes| {
            bar.inc_length(bytes.len() as u64);
            bar.inc(bytes.len() as u64);
            reader.push(bytes).map_err(Stop::Damaged)?;
            file.write_all(bytes).map_err(Stop::Unwritable)
        });
        let fetched = fetched.await;
        bar.finish_and_clear();
        Ok(match fetched {
            Fetched::Whole => reader.finish().map(|(head, _)| head).map_err(Failure::Damaged),
            Fetched::Refused(answer) => Err(Failure::Refused(answer)),
            Fetched::Stopped(Stop::Damaged(damage)) => Err(Failure::Damaged(damage)),
            Fetched::Stopped(Stop::Unwritable(error)) => return Err(unwritable(error)),
            Fetched::Broken(cause) => Err(Failure::Broken(cause)),
        })
    }

    /// Gives the file its name, unless another has it meanwhile.
    fn keep(self) -> Result<(), Refusal> {
        let Self { path, file } = self;
        let shown = path.display().to_string();
        let unwritable = |error: &Error| backup::unwritable(&shown, &error.to_string());
        file.as_file().sync_all().map_err(|error| unwritable(&error))?;
        file.persist_noclobber(&path).map_err(|refused| match refused.error.kind() {
            ErrorKind::AlreadyExists => backup::exists(&shown),
            _ => unwritable(&refused.error),
        })?;
        sync(parent(&path)).map_err(|error| unwritable(&error))
    }
}

fn sync(dir: &Path) -> Result<(), Error> {
    File::open(dir)?.sync_all()
}
