//! The disk thread on a real directory.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bytes::Bytes;
use quorate_core::disk::{DiskError, DiskErrorKind, FileId, Found, Op, Ticket};
use quorate_shell::{Executor, Files as _};

use super::files::{DataDir, LOCK_FILE};

fn run(dir: &Path, ops: Vec<Op>) -> Vec<(u64, Result<Found, DiskError>)> {
    let mut told = Vec::new();
    let mut executor = Executor::new(DataDir::new(dir.to_owned()));
    executor.run(ops, &mut |done| told.push((done.ticket.0, done.result)));
    told
}

fn write(file: u64, at: u64, text: &'static str) -> Op {
    Op::Write { file: FileId(file), at, bytes: Bytes::from_static(text.as_bytes()) }
}

fn sync(file: u64, ticket: u64) -> Op {
    Op::Sync { file: FileId(file), ticket: Ticket(ticket) }
}

fn kind(result: &Result<Found, DiskError>) -> Option<DiskErrorKind> {
    result.as_ref().err().map(|error| error.kind)
}

#[test]
fn a_file_goes_through_its_life() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/b");
    let told = run(
        &root,
        vec![
            Op::Lock { ticket: Ticket(1) },
            Op::MakeDir { path: "snap".into() },
            Op::Create { file: FileId(1), path: "snap/x.tmp".into() },
            Op::Preallocate { file: FileId(1), len: 4096, ticket: Ticket(2) },
            write(1, 0, "hello"),
            write(1, 5, " world, and more"),
            Op::Truncate { file: FileId(1), len: 11 },
            sync(1, 3),
            Op::Close { file: FileId(1) },
            Op::Rename { from: "snap/x.tmp".into(), to: "snap/x".into() },
            Op::SyncDir { path: "snap".into(), ticket: Ticket(4) },
            Op::Read { path: "snap/x".into(), ticket: Ticket(5) },
            Op::List { path: "snap".into(), ticket: Ticket(6) },
            Op::Remove { path: "snap/x".into() },
            Op::Remove { path: "snap/x".into() },
            Op::List { path: "snap".into(), ticket: Ticket(7) },
            Op::List { path: "absent".into(), ticket: Ticket(8) },
            Op::Read { path: "absent".into(), ticket: Ticket(9) },
        ],
    );
    let tickets: Vec<u64> = told.iter().map(|(ticket, _)| *ticket).collect();
    assert_eq!(tickets, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(told[4].1, Ok(Found::Bytes(Bytes::from_static(b"hello world"))));
    let Ok(Found::Entries(entries)) = &told[5].1 else { panic!("{:?}", told[5]) };
    let entries: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.is_dir, e.len)).collect();
    assert_eq!(entries, [("x", false, 11)]);
    assert_eq!(told[6].1, Ok(Found::Entries(Vec::new())));
    assert_eq!(told[7].1, Ok(Found::Entries(Vec::new())));
    assert_eq!(kind(&told[8].1), Some(DiskErrorKind::NotFound));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join("snap")), 0o700);
    assert_eq!(mode(&root.join(LOCK_FILE)), 0o600);
}

#[test]
fn the_lock_is_held_until_its_holder_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = DataDir::new(dir.path().to_owned());
    first.lock().unwrap();
    let lock = vec![Op::Lock { ticket: Ticket(1) }];
    assert_eq!(kind(&run(dir.path(), lock.clone())[0].1), Some(DiskErrorKind::Locked));
    drop(first);
    assert_eq!(run(dir.path(), lock)[0].1, Ok(Found::Nothing));
}

#[test]
fn a_file_that_exists_is_not_made_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x"), "kept").unwrap();
    let told = run(
        dir.path(),
        vec![
            Op::Create { file: FileId(1), path: "x".into() },
            write(1, 0, "lost"),
            sync(1, 1),
            sync(1, 2),
        ],
    );
    assert_eq!(kind(&told[0].1), Some(DiskErrorKind::Other));
    assert_eq!(told[0].1, told[1].1);
    assert_eq!(std::fs::read(dir.path().join("x")).unwrap(), b"kept");
}
