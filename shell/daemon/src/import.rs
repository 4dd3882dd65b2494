//! `quorate import`: makes a data directory of the one that a stopped etcd member has left.
//!
//! What it means is decided in `quorate_core::import`; here the files are found, read and written.

mod etcd_dir;
mod quorate_dir;

use std::process::ExitCode;

use quorate_core::error::Refusal;
use quorate_core::import::{Compared, Imported, compare};

use crate::ending::report;
use crate::flags::Parsed;
use crate::new_dir::NewDir;
use etcd_dir::EtcdDir;

pub(crate) fn main(parsed: &Parsed) -> ExitCode {
    report(work(parsed))
}

fn work(parsed: &Parsed) -> Result<Vec<String>, Refusal> {
    let from = parsed.own("from").ok_or_else(|| {
        Refusal::new("'quorate import' needs -from DIR, the data directory of an etcd member")
            .of_syntax()
    })?;
    let to = parsed.own("data-dir").unwrap_or_default();
    let etcd = EtcdDir::open(from)?;
    if parsed.own_is_set("check") {
        let imported = etcd.read()?;
        let log = quorate_dir::read(to)?;
        return told(from, to, &compare(&imported, &log.recovered, &log.snapshots));
    }
    let made = NewDir::vacant(to, "importing")?;
    let imported = etcd.read()?;
    let mut lines = describe(&imported, to);
    if etcd.has_v3() {
        lines.push(
            "keys of the v3 API were not read: Quorate has none; look after them before etcd is \
             thrown away"
                .into(),
        );
    }
    made.make(imported.into())?;
    Ok(lines)
}

/// What was taken over.
fn describe(imported: &Imported, to: &str) -> Vec<String> {
    let owner = imported.owner;
    let mut lines = vec![format!(
        "{to} is member {} of cluster {}, with all entries up to {}",
        owner.member,
        owner.cluster,
        imported.last_index()
    )];
    if let Some(snapshot) = &imported.snapshot {
        lines.push(format!("its snapshot ends with entry {}", snapshot.last.index));
    }
    if let Some(cut) = &imported.cut {
        lines.push(format!(
            "{} ends within a record at offset {}: a crash has left it so, and etcd had \
             acknowledged nothing of it",
            cut.file, cut.at
        ));
    }
    lines
}

/// What a comparison has found.
fn told(from: &str, to: &str, compared: &Compared) -> Result<Vec<String>, Refusal> {
    if let [first, rest @ ..] = compared.differences.as_slice() {
        let refusal = Refusal::new(format!("{to} is not what {from} has: {first}"));
        let refusal = rest.iter().fold(refusal, |refusal, other| refusal.hint(other.clone()));
        return Err(refusal.hint("nothing was changed"));
    }
    let mut lines = vec![format!("{to} has all that {from} has, up to entry {}", compared.common)];
    if compared.last > compared.common {
        lines.push(format!("it has run since, up to entry {}", compared.last));
    }
    Ok(lines)
}
