//! The same source gives the same runs, whatever the build and the process.

use sim::digests;

/// The gate checks the same file with a release build.
#[test]
fn runs_give_the_digests_that_are_written_down() {
    let runs = digests::check(include_str!("digests.txt")).unwrap_or_else(|words| {
        panic!("{words}; if a seed is to mean something else now, write them anew and say why")
    });
    assert!(runs >= 8, "only {runs} digests are written down");
}
