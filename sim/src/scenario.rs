//! A scenario: the whole input of a run. What a run does is a function of it alone.
//!
//! The seed alone gives a scenario too, but another one as soon as the way of drawing changes; so
//! what is worth keeping is kept as a scenario, in JSON.

use serde::{Deserialize, Serialize};

use crate::chance::{Chance, Stream};
use crate::options::Options;
use crate::plan::Plan;

/// What a run is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Decides all that is drawn while the run goes on.
    pub seed: u64,
    /// How the run is set up.
    pub options: Options,
    /// Its faults.
    pub plan: Plan,
}

impl Scenario {
    /// The scenario that belongs to a seed.
    pub fn draw(seed: u64) -> Self {
        Self::with(seed, Options::draw(seed))
    }

    /// The scenario that belongs to a seed when it has these options, as far as they go together.
    pub fn with(seed: u64, options: Options) -> Self {
        let options = options.settled();
        let plan = Plan::draw(&options, &mut Chance::new(seed, Stream::Faults));
        Self { seed, options, plan }
    }

    /// Reads what [`to_json`](Self::to_json) wrote. Options that are missing are 0.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| format!("not a scenario: {e}"))
    }

    /// The scenario as JSON, with one line for each option and each fault.
    pub fn to_json(&self) -> String {
        let options: Vec<String> =
            self.options.values().map(|(name, value)| format!("    \"{name}\": {value}")).collect();
        let faults: Vec<String> =
            self.plan.faults.iter().map(|planned| format!("      {}", line(planned))).collect();
        let faults = if faults.is_empty() {
            "[]".to_owned()
        } else {
            format!("[\n{}\n    ]", faults.join(",\n"))
        };
        format!(
            "{{\n  \"seed\": {},\n  \"options\": {{\n{}\n  }},\n  \"plan\": {{\n    \"calm\": {},\n    \
             \"faults\": {faults}\n  }}\n}}\n",
            self.seed,
            options.join(",\n"),
            line(&self.plan.calm),
        )
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plans are numbers, words and lists")
}

#[cfg(test)]
mod tests {
    use super::Scenario;

    #[test]
    fn a_scenario_comes_back_from_its_text() {
        for seed in [0, 1, u64::MAX] {
            let mut scenario = Scenario::draw(seed);
            assert_eq!(Scenario::from_json(&scenario.to_json()), Ok(scenario.clone()));
            scenario.plan.faults.clear();
            assert_eq!(Scenario::from_json(&scenario.to_json()), Ok(scenario));
        }
    }

    #[test]
    fn missing_options_are_off_and_unknown_ones_an_error() {
        let text = r#"{"seed": 1, "options": {"members": 3},
            "plan": {"calm": {"order": [], "healthy": 0, "down": []}, "faults": []}}"#;
        let scenario = Scenario::from_json(text).expect("a scenario");
        assert_eq!(scenario.options.members, 3);
        assert_eq!(scenario.options.loss_ppm, 0);
        let error = Scenario::from_json(&text.replace("members", "membres")).expect_err("unknown");
        assert!(error.contains("unknown field `membres`"), "{error}");
    }
}
