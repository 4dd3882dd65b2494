//! The executor over a file system that writes down what it is asked and fails on demand.

use super::*;

#[derive(Default)]
struct Script {
    asked: Vec<String>,
    fails: Vec<&'static str>,
}

impl Script {
    fn ask(&mut self, what: String) -> Result<(), DiskError> {
        let fails = self.fails.contains(&what.as_str());
        self.asked.push(what.clone());
        let full = what.starts_with("preallocate");
        let kind = if full { DiskErrorKind::NoSpace } else { DiskErrorKind::Other };
        if fails { Err(DiskError { kind, message: what }) } else { Ok(()) }
    }
}

impl Files for Script {
    type File = String;

    fn lock(&mut self) -> Result<(), DiskError> {
        self.ask("lock".to_owned())
    }
    fn make_dir(&mut self, path: &str) -> Result<(), DiskError> {
        self.ask(format!("make_dir {path}"))
    }
    fn list(&mut self, path: &str) -> Result<Vec<DirEntry>, DiskError> {
        self.ask(format!("list {path}")).map(|()| Vec::new())
    }
    fn read(&mut self, path: &str) -> Result<Bytes, DiskError> {
        self.ask(format!("read {path}")).map(|()| Bytes::new())
    }
    fn create(&mut self, path: &str) -> Result<String, DiskError> {
        self.ask(format!("create {path}")).map(|()| path.to_owned())
    }
    fn open(&mut self, path: &str) -> Result<String, DiskError> {
        self.ask(format!("open {path}")).map(|()| path.to_owned())
    }
    fn preallocate(&mut self, file: &mut String, len: u64) -> Result<(), DiskError> {
        self.ask(format!("preallocate {file} {len}"))
    }
    fn write(&mut self, file: &mut String, at: u64, _: &[u8]) -> Result<(), DiskError> {
        self.ask(format!("write {file} {at}"))
    }
    fn truncate(&mut self, file: &mut String, len: u64) -> Result<(), DiskError> {
        self.ask(format!("truncate {file} {len}"))
    }
    fn sync(&mut self, file: &mut String) -> Result<(), DiskError> {
        self.ask(format!("sync {file}"))
    }
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.ask(format!("rename {from} {to}"))
    }
    fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        self.ask(format!("remove {path}"))
    }
    fn sync_dir(&mut self, path: &str) -> Result<(), DiskError> {
        self.ask(format!("sync_dir {path}"))
    }
}

/// A ticket, and what failed if its operation did.
#[derive(Debug, PartialEq, Eq)]
struct Told(u64, Result<(), String>);

/// What was asked of the file system, and for each ticket whether it succeeded.
fn run(fails: &[&'static str], ops: Vec<Op>) -> (Vec<String>, Vec<Told>) {
    let mut executor = Executor::new(Script { fails: fails.to_vec(), ..Script::default() });
    let mut told = Vec::new();
    executor.run(ops, &mut |Done { ticket, result }| {
        told.push(Told(ticket.0, result.map(drop).map_err(|error| error.message)));
    });
    (executor.files.asked, told)
}

fn create(file: u64, path: &str) -> Op {
    Op::Create { file: FileId(file), path: path.into() }
}

fn write(file: u64, at: u64) -> Op {
    Op::Write { file: FileId(file), at, bytes: Bytes::from_static(b"x") }
}

fn sync(file: u64, ticket: u64) -> Op {
    Op::Sync { file: FileId(file), ticket: Ticket(ticket) }
}

fn sync_dir(ticket: u64) -> Op {
    Op::SyncDir { path: "d".into(), ticket: Ticket(ticket) }
}

#[test]
fn syncs_that_wait_together_become_one() {
    let ops = vec![create(1, "a"), write(1, 0), sync(1, 1), write(1, 1), sync(1, 2), sync(1, 3)];
    let (asked, told) = run(&[], ops);
    assert_eq!(asked, ["create a", "write a 0", "write a 1", "sync a"]);
    assert_eq!(told, [Told(1, Ok(())), Told(2, Ok(())), Told(3, Ok(()))]);
}

#[test]
fn a_sync_does_not_move_over_anything_but_writes_of_its_file() {
    let (asked, told) = run(
        &[],
        vec![
            create(1, "a"),
            create(2, "b"),
            sync(1, 1),
            write(2, 0),
            sync(2, 2),
            Op::Truncate { file: FileId(2), len: 0 },
            sync(2, 3),
            Op::Rename { from: "b".into(), to: "c".into() },
            sync(1, 4),
            Op::Close { file: FileId(1) },
        ],
    );
    let expected = [
        "create a",
        "create b",
        "sync a",
        "write b 0",
        "sync b",
        "truncate b 0",
        "sync b",
        "rename b c",
        "sync a",
    ];
    assert_eq!(asked, expected);
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn a_failed_write_is_told_by_every_sync_and_nothing_is_written_behind_it() {
    let ops = vec![
        create(1, "a"),
        write(1, 0),
        write(1, 1),
        sync(1, 1),
        write(1, 2),
        sync(1, 2),
        Op::Preallocate { file: FileId(1), len: 9, ticket: Ticket(3) },
        create(2, "b"),
        sync(2, 4),
    ];
    let (asked, told) = run(&["write a 0"], ops);
    assert_eq!(asked, ["create a", "write a 0", "create b", "sync b"]);
    let failed = || Err("write a 0".to_owned());
    assert_eq!(told, [Told(1, failed()), Told(2, failed()), Told(3, failed()), Told(4, Ok(()))]);
}

#[test]
fn a_failed_sync_is_never_repeated() {
    let mut executor = Executor::new(Script { fails: vec!["sync a"], ..Script::default() });
    let mut told = Vec::new();
    let mut report = |done: Done| told.push(done.result.is_ok());
    executor.run(vec![create(1, "a"), sync(1, 1)], &mut report);
    executor.files.fails.clear();
    executor.run(vec![write(1, 0), sync(1, 2)], &mut report);
    assert_eq!(told, [false, false]);
    assert_eq!(executor.files.asked, ["create a", "sync a"]);
}

#[test]
fn a_file_that_is_not_open_fails_its_sync() {
    let (_, told) = run(
        &["open a"],
        vec![Op::Open { file: FileId(1), path: "a".into() }, sync(1, 1), sync(7, 2)],
    );
    assert_eq!(told[0], Told(1, Err("open a".to_owned())));
    assert_eq!(told[1], Told(2, Err("operation on file 7, which is not open".to_owned())));
}

#[test]
fn a_disk_without_space_for_a_reservation_leaves_the_file_usable() {
    let ops = vec![
        create(1, "a"),
        Op::Preallocate { file: FileId(1), len: 9, ticket: Ticket(1) },
        write(1, 0),
        sync(1, 2),
    ];
    let (_, told) = run(&["preallocate a 9"], ops);
    assert_eq!(told, [Told(1, Err("preallocate a 9".to_owned())), Told(2, Ok(()))]);
}

#[test]
fn a_failed_change_of_a_directory_is_told_once_by_its_sync() {
    let rename = || Op::Rename { from: "d/a".into(), to: "d/b".into() };
    let ops = vec![rename(), sync_dir(1), sync_dir(2), rename(), sync_dir(3)];
    let (asked, told) = run(&["rename d/a d/b"], ops);
    assert_eq!(asked.iter().filter(|asked| *asked == "sync_dir d").count(), 1);
    assert!(told[0].1.is_err() && told[1].1.is_ok() && told[2].1.is_err());
    let read = Op::Read { path: "d/b".into(), ticket: Ticket(1) };
    let (_, told) = run(&["rename d/a d/b"], vec![rename(), read]);
    assert_eq!(told, [Told(1, Err("rename d/a d/b".to_owned()))]);
}
