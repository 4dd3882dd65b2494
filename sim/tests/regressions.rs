//! Failures that were found once must not come back: every scenario under `sim/regressions/` runs
//! without a broken promise, and still gets to what it is about.

use std::fs;
use std::path::Path;

use sim::regression::Regression;
use sim::worlds::World;

#[test]
fn no_failure_comes_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of regressions")
        .map(|entry| entry.expect("an entry of the folder").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 4, "only {} regressions in {}", paths.len(), folder.display());
    for path in paths {
        let text = fs::read_to_string(&path).expect("a readable file");
        let regression = Regression::from_json(&text).and_then(|regression| {
            let report = World::parse(&regression.world)?.run(&regression.scenario, false);
            regression.judge(&report).map_err(|words| format!("{}: {words}", regression.name))
        });
        regression.unwrap_or_else(|words| panic!("{}: {words}", path.display()));
    }
}
