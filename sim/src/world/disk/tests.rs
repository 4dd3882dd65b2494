//! The shell's executor over the simulated files of a host.

use std::sync::{Arc, Mutex};

use quorate_core::disk::{FileId, Found, Ticket};

use super::*;
use crate::options::Options;
use crate::plan::Plan;
use crate::record::Recorder;
use crate::scenario::Scenario;
use crate::world::state::MS;

const F: FileId = FileId(1);

fn create() -> Op {
    Op::Create { file: F, path: Arc::from("f") }
}

fn write(at: u64, bytes: &'static [u8]) -> Op {
    Op::Write { file: F, at, bytes: Bytes::from_static(bytes) }
}

const fn sync(ticket: u64) -> Op {
    Op::Sync { file: F, ticket: Ticket(ticket) }
}

fn sync_dir(ticket: u64) -> Op {
    Op::SyncDir { path: Arc::from(""), ticket: Ticket(ticket) }
}

const PROCESS: Process = Process { host: 0, boot: 0 };

/// Runs a test in a world of one host in which nothing happens by itself.
fn simulate<F: Future<Output = ()> + 'static>(
    options: Options,
    test: impl FnOnce(World) -> F + Send + 'static,
) {
    let run = move || {
        let scenario = Scenario { seed: 1, options, plan: Plan::default() };
        madsim::runtime::Runtime::with_seed_and_config(1, madsim::Config::default()).block_on(
            async {
                let world = World::new(scenario, Recorder::default());
                let test = test(world.clone());
                let ends = world.clone();
                madsim::task::spawn_local(async move {
                    test.await;
                    ends.lock().over = true;
                    ends.lock().agenda.wake();
                });
                world.carry_on().await;
            },
        );
    };
    if let Err(panic) = std::thread::spawn(run).join() {
        std::panic::resume_unwind(panic);
    }
}

fn options() -> Options {
    Options { members: 1, disk_op_us: 20, disk_sync_us: 1000, ..Options::default() }
}

/// Carries out operations at once and gives what came of those with a ticket.
fn at_once(world: &World, process: Process, ops: Vec<Op>) -> Vec<Done> {
    let mut all = Vec::new();
    let directory = Directory { world: world.clone(), process };
    Executor::new(directory).run(ops, &mut |done| all.push(done));
    all
}

fn kind(done: &Done) -> Option<DiskErrorKind> {
    done.result.as_ref().err().map(|error| error.kind)
}

#[test]
fn syncs_that_wait_together_end_together_and_take_their_time() {
    simulate(options(), async |world| {
        let (batches, waiting) = mpsc::unbounded_channel();
        let ended = Arc::new(Mutex::new(Vec::new()));
        let (clock, ends) = (world.clone(), Arc::clone(&ended));
        let directory = Directory { world: world.clone(), process: PROCESS };
        for ops in [vec![create(), write(0, b"a"), sync(1)], vec![write(1, b"b"), sync(2)]] {
            batches.send(ops).unwrap();
        }
        batches.send(vec![sync_dir(3)]).unwrap();
        drop(batches);
        carry_out(directory, waiting, |done| {
            let now = clock.lock().now();
            ends.lock().unwrap().push((done.ticket.0, done.result, now));
        })
        .await;
        let ended = ended.lock().unwrap();
        let [(1, Ok(Found::Nothing), a), (2, Ok(_), b), (3, Ok(_), c)] = &ended[..] else {
            panic!("{ended:?}");
        };
        assert!(*a > 0 && a == b && b < c, "{ended:?}");
    });
}

#[test]
fn a_loss_of_power_falls_between_any_two_operations() {
    let mut seen = std::collections::BTreeSet::new();
    for after in 0..60 {
        let found = Arc::new(Mutex::new(None));
        let result = Arc::clone(&found);
        simulate(options(), async move |world| {
            let (batches, waiting) = mpsc::unbounded_channel();
            let directory = Directory { world: world.clone(), process: PROCESS };
            batches.send(vec![create(), write(0, b"one"), sync(1), sync_dir(2)]).unwrap();
            batches.send(vec![write(3, b"two"), sync(3)]).unwrap();
            let acknowledged = Arc::new(Mutex::new(0));
            let last = Arc::clone(&acknowledged);
            tokio::select! {
                biased;
                () = Sleep::new(world.clone(), after * MS / 10) => {}
                () = carry_out(directory, waiting, move |done| *last.lock().unwrap() = done.ticket.0)
                    => {}
            }
            let state = &mut *world.lock();
            state.crash_disk(0);
            let text = state.hosts[0].files.read("f").map(|bytes| bytes.to_vec());
            *result.lock().unwrap() = Some((*acknowledged.lock().unwrap(), text));
        });
        let (acknowledged, text) = found.lock().unwrap().take().unwrap();
        match acknowledged {
            3.. => assert_eq!(text.as_deref(), Ok(&b"onetwo"[..])),
            2 => assert!(text.unwrap().starts_with(b"one")),
            _ => {}
        }
        seen.insert(acknowledged);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn a_process_that_has_ended_writes_nothing_any_more() {
    simulate(options(), async |world| {
        let done = at_once(&world, PROCESS, vec![create(), write(0, b"x"), sync(1)]);
        assert_eq!(kind(&done[0]), None);
        world.lock().hosts[0].boot += 1;
        let open = Op::Open { file: F, path: Arc::from("f") };
        let done = at_once(&world, PROCESS, vec![open, write(0, b"y"), sync(2)]);
        assert_eq!(kind(&done[0]), Some(DiskErrorKind::Other));
        assert_eq!(world.lock().hosts[0].files.read("f").unwrap(), &b"x"[..]);
    });
}

#[test]
fn a_full_disk_is_told_by_the_sync() {
    simulate(options(), async |world| {
        world.lock().hosts[0].files.set_full(true);
        let done = at_once(&world, PROCESS, vec![create(), write(0, b"x"), sync(1)]);
        assert_eq!(kind(&done[0]), Some(DiskErrorKind::NoSpace));
    });
}

#[test]
fn a_failed_sync_stays_failed() {
    simulate(Options { sync_error_ppm: 1_000_000, ..options() }, async |world| {
        let ops = vec![create(), write(0, b"x"), sync(1), sync_dir(2), write(1, b"y"), sync(3)];
        let done = at_once(&world, PROCESS, ops);
        let kinds: Vec<_> = done.iter().map(kind).collect();
        let failed = Some(DiskErrorKind::Other);
        assert_eq!(kinds, [failed, None, failed]);
        assert_eq!(world.lock().stats.sync_errors, 1, "it is not tried again");
    });
}
