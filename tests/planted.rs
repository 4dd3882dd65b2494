//! The daemon knows no planted bug: those are compiled only into a package of the simulator.

use std::fs;

/// Where the bugs are listed.
const LIST: &str = include_str!("../core/src/planted/bugs.rs");

#[test]
fn the_daemon_knows_no_planted_bug() {
    let daemon = fs::read(env!("CARGO_BIN_EXE_quorate")).expect("the daemon was built");
    let has = |text: &str| daemon.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("already been bootstrapped"), "texts of the core are found in the binary");
    assert!(!has("the planted bugs are"));
    let bugs: Vec<&str> = LIST
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(','))
        .filter(|name| name.starts_with(char::is_uppercase) && !name.contains(' '))
        .collect();
    assert!(bugs.len() >= 15 && bugs.contains(&"IgnorePrevIndex"), "{bugs:?} are in the list");
    for bug in bugs {
        assert!(!has(bug), "the daemon was built with the planted bug {bug}");
    }
}
