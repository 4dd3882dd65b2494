use std::fs;

use super::*;

fn origin(world: &str) -> Origin {
    Origin { commit: Some("abc".to_owned()), world: world.to_owned(), ..Origin::default() }
}

fn batch(world: &str, first: u64, seeds: u64) -> Batch {
    let (simulated_ms, violations) = (seeds * 1000, Vec::new());
    Batch { origin: origin(world), first, seeds, simulated_ms, violations, wall_ms: 10 }
}

#[test]
fn successive_runs_continue_behind_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("results");
    let mut results = Results::open(&path).expect("a new file");
    assert_eq!(results.next_seed("lockstep").expect("a seed"), 0);
    results.append(batch("lockstep", 0, 100)).expect("written");
    results.append(batch("world", 0, 3)).expect("written");
    assert_eq!(results.next_seed("lockstep").expect("a seed"), 100);
    drop(results);
    let mut results = Results::open(&path).expect("the same file");
    assert_eq!(results.next_seed("lockstep").expect("a seed"), 100);
    assert_eq!(results.next_seed("world").expect("a seed"), 3);
    results.append(batch("lockstep", u64::MAX - 1, 1)).expect("written");
    assert!(matches!(results.next_seed("lockstep"), Err(Error::Exhausted(_))));
    let (batches, damaged) = Results::read(&path).expect("readable");
    let all = [batch("lockstep", 0, 100), batch("world", 0, 3), batch("lockstep", u64::MAX - 1, 1)];
    assert_eq!(batches, all);
    assert!(damaged.is_empty());
}

#[test]
fn a_line_that_was_cut_short_is_left_out_and_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("results");
    let mut results = Results::open(&path).expect("a new file");
    results.append(batch("lockstep", 0, 100)).expect("written");
    results.append(batch("lockstep", 100, 100)).expect("written");
    drop(results);
    let text = fs::read_to_string(&path).expect("text");
    fs::write(&path, &text[..text.len() - 10]).expect("written");
    let mut results = Results::open(&path).expect("the same file");
    assert_eq!(results.damaged().len(), 1);
    assert_eq!(results.next_seed("lockstep").expect("a seed"), 100);
    results.append(batch("lockstep", 100, 50)).expect("written");
    let (batches, damaged) = Results::read(&path).expect("readable");
    assert_eq!(batches, [batch("lockstep", 0, 100), batch("lockstep", 100, 50)]);
    assert!(damaged[0].contains("line 2 is left out"), "{damaged:?}");
}

#[test]
fn two_runs_cannot_append_to_one_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("results");
    let first = Results::open(&path).expect("a new file");
    assert!(matches!(Results::open(&path), Err(Error::InUse(_))));
    assert!(Results::read(&path).is_ok());
    drop(first);
    Results::open(&path).expect("nobody has it");
}

#[test]
fn runs_are_written_down_without_gaps() {
    let mut finished = Finished::new(origin("lockstep"), 10);
    finished.add(11, 5, false);
    assert_eq!(finished.take(1), None);
    finished.add(10, 7, true);
    finished.add(13, 1, true);
    let batch = finished.take(2).expect("10 and 11 have ended");
    assert_eq!((batch.first, batch.seeds, batch.simulated_ms), (10, 2, 12));
    assert_eq!((batch.violations, batch.wall_ms), (vec![10], 2));
    // Seed 12 was never run: the runner stopped.
    finished.add(14, 1, false);
    let rest = finished.take_all(3);
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].first, rest[0].seeds, &rest[0].violations[..]), (13, 2, &[13][..]));
    assert!(finished.take_all(0).is_empty());
}

#[test]
fn seeds_that_ran_twice_count_once_and_are_told() {
    let mut sum = Sum::default();
    for (first, seeds) in [(0, 100), (200, 100), (50, 200), (300, 10), (60, 10)] {
        sum.add(&batch("lockstep", first, seeds));
    }
    sum.add(&batch("world", 0, 100));
    let lockstep = &sum.0["lockstep"];
    assert_eq!((lockstep.distinct, lockstep.repeated), (310, 110));
    assert_eq!(lockstep.simulated_ms, 310_000);
    assert_eq!(lockstep.overlaps, [(50, 99), (200, 249), (60, 69)]);
    assert_eq!(sum.0["world"].distinct, 100);
    assert!(sum.to_string().contains("seeds 50 to 99, counted once"));
}

#[test]
fn a_month_has_thirty_days() {
    let mut sum = Sum::default();
    let mut batch = batch("lockstep", 0, 10);
    batch.simulated_ms = 45 * 24 * 3600 * 1000;
    sum.add(&batch);
    assert!(sum.to_string().ends_with("sum: 1.50 months of a cluster"), "{sum}");
}
