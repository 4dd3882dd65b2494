//! Regressions: failures that were found once, kept as scenarios under `sim/regressions/`.
//!
//! A seed decays as soon as the way of drawing changes; a scenario says everything itself. It must
//! run without a broken promise now, and still get to what it is about.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::report::Report;
use crate::scenario::Scenario;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// What went wrong, in one sentence.
    pub name: String,
    /// The cause, and how it was mended.
    pub found: String,
    /// The world in which it was found.
    pub world: String,
    /// The oracle that fired.
    pub oracle: String,
    /// Counters of the run, and how high they must be at least: whether it still gets there.
    pub reaches: BTreeMap<String, u64>,
    /// What is run.
    pub scenario: Scenario,
}

impl Regression {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| format!("not a regression: {e}"))
    }

    /// What is wrong with a run of its scenario.
    ///
    /// # Errors
    /// The broken promise, or what the run no longer reaches.
    pub fn judge(&self, report: &Report) -> Result<(), String> {
        if let Some((time, violation)) = &report.violation {
            return Err(format!("{violation} at {} ms", time / 1_000_000));
        }
        for (name, least) in &self.reaches {
            match report.stats.values().find(|(counter, _)| counter == name) {
                None => return Err(format!("there is no counter {name:?}")),
                Some((_, value)) if value < *least => {
                    return Err(format!(
                        "{name} is {value} and not at least {least}: {}",
                        report.stats
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Regression;
    use crate::oracle::Violation;
    use crate::report::Report;
    use crate::scenario::Scenario;
    use crate::stats::Stats;

    #[test]
    fn a_run_must_keep_all_promises_and_get_to_what_it_is_about() {
        let scenario = Scenario::draw(1);
        let text = format!(
            r#"{{"name": "", "found": "", "world": "lockstep", "oracle": "liveness",
            "reaches": {{"leaders": 2, "no_space": 1}}, "scenario": {}}}"#,
            scenario.to_json()
        );
        let mut regression = Regression::from_json(&text).expect("a regression");
        let stats = Stats { leaders: 2, no_space: 1, ..Stats::default() };
        let good = Report { scenario, stats, digest: 0, violation: None, recording: Vec::new() };
        assert_eq!(regression.judge(&good), Ok(()));
        let mut missed = good.clone();
        missed.stats.no_space = 0;
        let words = regression.judge(&missed).expect_err("it got nowhere");
        assert!(words.starts_with("no_space is 0 and not at least 1"), "{words}");
        let mut broken = good.clone();
        broken.violation = Some((5_000_000, Violation::safety("oracle", 1, "wrong".to_owned())));
        let words = regression.judge(&broken).expect_err("it broke a promise");
        assert_eq!(words, "oracle at node 1: wrong at 5 ms");
        regression.reaches.insert("nonsense".to_owned(), 0);
        assert!(regression.judge(&good).is_err());
        assert!(Regression::from_json("{}").is_err());
    }
}
