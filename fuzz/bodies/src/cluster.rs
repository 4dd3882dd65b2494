//! A whole cluster in the simulator, on whatever scenario the input makes.

use sim::options::Options;
use sim::plan::{Plan, Planned};
use sim::scenario::Scenario;
use sim::worlds::World;

/// How long faults last, in milliseconds: short, so that many scenarios are tried.
const SAFETY_MS: u64 = 5000;

/// Eight bytes are the seed; the next says how many options are changed, each by two bytes: which
/// one, and the seed that has drawn its value. The rest changes the plan, by two bytes a time:
/// which fault, and whether it is left out or moved.
pub fn run(input: &[u8]) {
    let Some((seed, rest)) = input.split_first_chunk::<8>() else { return };
    let seed = u64::from_le_bytes(*seed);
    let (count, rest) = rest.split_first().unwrap_or((&0, &[]));
    let (changes, faults) = rest.split_at(usize::from(*count).saturating_mul(2).min(rest.len()));
    let mut options = World::Lockstep.options(seed);
    pairs(changes).for_each(|(which, donor)| borrow(&mut options, which, donor));
    options.safety_ms = SAFETY_MS;
    let mut scenario = Scenario::with(seed, options);
    pairs(faults).for_each(|(which, how)| change(&mut scenario.plan, which, how));
    scenario.plan.faults.sort_by_key(|planned| planned.at_us);
    let report = World::Lockstep.run(&scenario, false);
    if let Some((_, violation)) = report.violation {
        panic!("{violation}\n{}", scenario.to_json());
    }
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.iter().map(|[which, how]| (usize::from(*which), *how))
}

/// Takes one option from what another seed has drawn.
fn borrow(options: &mut Options, which: usize, donor: u8) {
    let donor = World::Lockstep.options(u64::from(donor));
    let borrowed = donor.values().nth(which % Options::NAMES.len());
    if let Some((name, value)) = borrowed {
        options.set(name, &value.to_string()).expect("a value that was drawn can be set");
    }
}

/// Leaves one fault out, or moves it.
fn change(plan: &mut Plan, which: usize, how: u8) {
    if plan.faults.is_empty() {
        return;
    }
    let which = which % plan.faults.len();
    match how.checked_sub(128) {
        None => drop(plan.faults.remove(which)),
        Some(part) => {
            let Planned { at_us, .. } = &mut plan.faults[which];
            *at_us = SAFETY_MS * 1000 * u64::from(part) / 128;
        }
    }
}
