//! Whatever is answered is found again; whatever is found was appended.

use alloc::vec;

use proptest::prelude::*;

use super::world::World;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Entries { count: usize, size: usize, back: u64 },
    Vote,
    Mark { install: bool },
    Release,
    CarryOut(usize),
    Deliver(usize),
    Full(bool),
    BreakNextSync,
    Crash,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..6_usize, 0..1500_usize, prop_oneof![4 => Just(0), 1 => 0..8_u64])
            .prop_map(|(count, size, back)| Step::Entries { count, size, back }),
        1 => (1..3_usize, 9_000..40_000_usize)
            .prop_map(|(count, size)| Step::Entries { count, size, back: 0 }),
        3 => Just(Step::Vote),
        2 => prop::bool::weighted(0.2).prop_map(|install| Step::Mark { install }),
        2 => Just(Step::Release),
        8 => (1..12_usize).prop_map(Step::CarryOut),
        8 => (1..12_usize).prop_map(Step::Deliver),
        1 => any::<bool>().prop_map(Step::Full),
        1 => Just(Step::BreakNextSync),
        2 => Just(Step::Crash),
        1 => Just(Step::Kill),
    ]
}

pub(super) fn run(world: &mut World, steps: &[Step]) {
    for step in steps {
        world.revive();
        match *step {
            Step::Entries { count, size, back } => world.append_entries(count, size, back),
            Step::Vote => world.append_vote(),
            Step::Mark { install } => world.append_mark(install),
            Step::Release => world.release(),
            Step::CarryOut(count) => (0..count).for_each(|_| world.carry_out()),
            Step::Deliver(count) => (0..count).for_each(|_| world.deliver()),
            Step::Full(full) => {
                world.disk.full = full;
                world.wal.retry(&mut world.script);
                world.disk.take(&mut world.script);
            }
            Step::BreakNextSync => world.disk.broken = true,
            Step::Crash => {
                world.disk.crash(&mut world.dice);
                world.restart();
            }
            Step::Kill => {
                world.disk.kill();
                world.restart();
            }
        }
    }
}

/// Brings everything to rest, on a disk that has space.
pub(super) fn rest(world: &mut World) {
    world.disk.full = false;
    world.disk.broken = false;
    world.settle();
    world.revive();
    world.settle();
    world.wal.retry(&mut world.script);
    world.disk.take(&mut world.script);
    world.settle();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_was_answered_is_found_after_any_crash(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..160),
    ) {
        let mut world = World::new(seed);
        run(&mut world, &steps);
        rest(&mut world);
        prop_assert_eq!(world.durable, world.history.len() - 1, "everything is answered at last");
        prop_assert!(world.wal.has_room(1000));
        prop_assert_eq!(world.found().unwrap().unwrap().tail, None, "a tail is cut once");
        world.disk.crash(&mut world.dice);
        world.restart();
        prop_assert_eq!(world.durable, world.history.len() - 1);
    }
}
