//! `quorate restore`: makes the data directory of a member of a new cluster of a backup.
//!
//! What the directory holds is decided in `quorate_core::backup`; here files are read and written.

use std::fs::File;
use std::io::Read as _;
use std::process::ExitCode;

use quorate_core::Config;
use quorate_core::backup::{self, Head, Reader, Restored};
use quorate_core::error::Refusal;
use quorate_core::store::Image;

use crate::ending::report;
use crate::flags::Parsed;
use crate::new_dir::{NewDir, bar};
use crate::platform::Tokio;

/// What is read of the file at a time.
const CHUNK: usize = 1 << 20;

pub(crate) fn main(parsed: &Parsed) -> ExitCode {
    report(work(parsed))
}

fn work(parsed: &Parsed) -> Result<Vec<String>, Refusal> {
    let from = parsed.own("from").filter(|from| !from.is_empty());
    let from = from.ok_or_else(|| {
        backup::absent("restore", "from", "a file that 'quorate backup' has written")
    })?;
    if parsed.own_is_set("check") {
        let (head, dump) = read(from)?;
        let sound = Image::decode(&dump).map(drop);
        sound.map_err(|cause| backup::unreadable(from, &cause))?;
        return Ok(vec![format!("{from} is {head}"), "it is sound".to_owned()]);
    }
    let config = Config::validate(parsed.settings.clone(), Tokio::random())?;
    let dir = NewDir::vacant(&config.data_dir, "restoring")?;
    let (head, dump) = read(from)?;
    let Restored { content, store_index } = backup::restore(&head, &dump, &config)?;
    let owner = content.owner;
    dir.make(content)?;
    let dir = &config.data_dir;
    Ok(vec![
        format!("{from} is {head}"),
        format!(
            "{dir} is member {} of the new cluster {}, with X-Etcd-Index {store_index}",
            owner.member, owner.cluster
        ),
        "restore the other members of the list from the same file, then start them all".to_owned(),
    ])
}

fn read(path: &str) -> Result<(Head, bytes::Bytes), Refusal> {
    let unreadable = |error: std::io::Error| backup::unreadable(path, &error.to_string());
    let mut file = File::open(path).map_err(unreadable)?;
    let bar = bar("reading", file.metadata().map_err(unreadable)?.len());
    let (mut reader, mut chunk) = (Reader::keeping(), vec![0; CHUNK]);
    loop {
        let len = file.read(&mut chunk).map_err(unreadable)?;
        if len == 0 {
            break;
        }
        bar.inc(len as u64);
        reader.push(&chunk[..len]).map_err(|damage| damage.of(path))?;
    }
    bar.finish_and_clear();
    reader.finish().map_err(|damage| damage.of(path))
}
