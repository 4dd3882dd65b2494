//! What etcd was seen to do: recorded command lines, with how each release answered.

use serde_json::Value;

use super::refusal::Ended;

/// The recordings.
const RECORDED: &str = include_str!("../data/bootstrap-transcripts.json");
/// The release that Quorate is compared with.
const RELEASE: &str = "2.3.8";

/// One recorded command line.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// In which series it was recorded.
    pub(crate) suite: String,
    pub(crate) title: String,
    pub(crate) args: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// What the release did.
    pub(crate) etcd: Outcome,
}

/// How a start ended, as far as two programs can be compared in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ended with this status, and this line as its reason.
    Ended(i32, String),
    /// It runs, with these IDs of member and cluster where it has said them.
    Runs(Option<(String, String)>),
}

/// All recordings.
pub(crate) fn recorded() -> Vec<Scenario> {
    let all: Vec<Value> = serde_json::from_str(RECORDED).expect("the recordings are JSON");
    all.iter().map(scenario).collect()
}

fn scenario(value: &Value) -> Scenario {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let environment = value["env"].as_object().into_iter().flatten();
    let result = &value["results"][RELEASE];
    let lines = list(&result["lines"]);
    Scenario {
        suite: text(&value["suite"]),
        title: text(&value["title"]),
        args: list(&value["args"]),
        environment: environment.map(|(name, value)| (name.clone(), text(value))).collect(),
        etcd: match result["exit"].as_i64() {
            Some(status) => {
                let status = i32::try_from(status).expect("an exit status");
                Outcome::Ended(status, etcd_reason(&lines))
            }
            None => Outcome::Runs(ids(lines.iter().map(String::as_str))),
        },
    }
}

/// The line of etcd that says why it ended, without what its log puts around it.
fn etcd_reason(lines: &[String]) -> String {
    let bare = |line: &str| {
        let line = match line.split_once(" | ") {
            Some((level, rest)) if level.len() == 1 => {
                rest.split_once(": ").map_or(rest, |(_, text)| text)
            }
            _ => line,
        };
        line.trim_end_matches(". See 'etcd --help'.").to_owned()
    };
    let of_level = |level: &str| lines.iter().find(|line| line.starts_with(level));
    let reason = of_level("C |").or_else(|| {
        // Flags are explained by a line of their own level, followed by advice.
        of_level("E | etcdmain")
            .or_else(|| lines.iter().find(|line| line.contains("--initial-cluster must")))
    });
    bare(reason.or_else(|| lines.first()).map_or("", String::as_str))
}

/// The IDs of member and cluster in the log of either program.
pub(crate) fn ids<'a>(lines: impl Iterator<Item = &'a str>) -> Option<(String, String)> {
    let word = |text: &str| text.split_whitespace().next().map(str::to_owned);
    for line in lines {
        for (before_member, before_cluster) in
            [("starting member ", " in cluster "), ("added local member ", " to cluster ")]
        {
            let member = line.split_once(before_member).and_then(|(_, rest)| word(rest));
            let cluster = line.split_once(before_cluster).and_then(|(_, rest)| word(rest));
            if let (Some(member), Some(cluster)) = (member, cluster) {
                return Some((member, cluster));
            }
        }
    }
    None
}

impl Outcome {
    /// What a process of Quorate did that has ended.
    pub(crate) fn of(ended: &Ended) -> Self {
        let line = ended.output.lines().find_map(|line| line.strip_prefix("quorate: "));
        Self::Ended(ended.status.unwrap_or(-1), line.unwrap_or_default().to_owned())
    }

    /// Whether both are the same, as far as both were seen.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Runs(Some(one)), Self::Runs(Some(other))) => one == other,
            (Self::Runs(_), Self::Runs(_)) => true,
            (Self::Ended(0, _), Self::Ended(0, _)) => true,
            (Self::Ended(one, why), Self::Ended(other, reason)) => {
                one == other && why.trim_end_matches('.') == reason.trim_end_matches('.')
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Runs(Some((member, cluster))) => {
                write!(f, "runs as {member} in {cluster}")
            }
            Self::Runs(None) => write!(f, "runs"),
            Self::Ended(status, reason) if reason.is_empty() => write!(f, "exit {status}"),
            Self::Ended(status, reason) => write!(f, "exit {status}: `{reason}`"),
        }
    }
}
