//! The tables of `docs/testing.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sim_planted::planted::{Bug, Hunt, TABLE_HEAD};

/// The head of the table that says what each oracle has found.
const ORACLES_HEAD: &str = "\
| oracle | planted bugs that it was the first to find |
|---|---|";

/// The document with what was found in the place of its tables.
///
/// # Errors
/// The head of a table that it lacks.
pub(crate) fn rewrite(document: &str, hunts: &[Hunt]) -> Result<String, &'static str> {
    let rows: Vec<String> = hunts.iter().map(ToString::to_string).collect();
    let document = replace(document, TABLE_HEAD, &rows)?;
    replace(&document, ORACLES_HEAD, &by_oracle(hunts))
}

/// What each oracle was the first to find, from whichever base.
fn by_oracle(hunts: &[Hunt]) -> Vec<String> {
    let mut found: BTreeMap<&str, Vec<Bug>> = BTreeMap::new();
    for hunt in hunts {
        for oracle in hunt.oracles() {
            found.entry(oracle).or_default().push(hunt.bug);
        }
    }
    let names = |bugs: &[Bug]| bugs.iter().map(|bug| format!("`{bug:?}`")).collect::<Vec<_>>();
    found.iter().map(|(o, bugs)| format!("| `{o}` | {} |", names(bugs).join(", "))).collect()
}

/// Puts rows in the place of those that follow the head of a table.
fn replace(document: &str, head: &'static str, rows: &[String]) -> Result<String, &'static str> {
    let at = document.find(head).ok_or(head)? + head.len();
    let (before, behind) = document.split_at(at);
    let mut written = format!("{before}\n");
    for row in rows {
        let _ = writeln!(written, "{row}");
    }
    for line in behind.lines().skip(1).skip_while(|line| line.starts_with('|')) {
        let _ = writeln!(written, "{line}");
    }
    Ok(written)
}

/// Over all bugs: the median of the median number of seeds and of simulated hours.
pub(crate) fn summary(hunts: &[Hunt]) -> String {
    let median = |of: &dyn Fn(&Hunt) -> u64| {
        let mut values: Vec<u64> = hunts.iter().map(of).collect();
        values.sort_unstable();
        values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
    };
    let most = hunts.iter().map(|hunt| hunt.seeds().1).max().unwrap_or(0);
    format!(
        "{} bugs; half of them are found within {} seeds and {} simulated seconds, all within {most} \
         seeds of each base",
        hunts.len(),
        median(&|hunt| hunt.seeds().0),
        median(&|hunt| hunt.simulated_ms().0) / 1000,
    )
}
