//! The environment twins of the flags.

use std::ffi::OsString;

use super::table::{Flag, SERVE_FLAGS};
use super::{Parsed, text};

/// Takes the values of flags that were not given from the environment. What is ignored there is
/// noticed once.
pub(super) fn fill(
    parsed: &mut Parsed,
    flags: &[&Flag],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) {
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(name, _)| name.starts_with("ETCD_"))
        .collect();
    variables.sort();
    let mut unknown = Vec::new();
    for (variable, value) in variables {
        let Some(flag) = flags.iter().find(|flag| flag.variable() == variable) else {
            // What another command reads is no mistake.
            if !SERVE_FLAGS.iter().flat_map(|group| group.iter()).any(|f| f.variable() == variable)
            {
                unknown.push(variable);
            }
            continue;
        };
        if parsed.values.contains_key(flag.name) {
            let name = flag.name;
            parsed.notices.push(format!("{variable} is ignored: the flag -{name} is given"));
        } else if !value.is_empty() {
            parsed.values.insert(flag.name, value);
        }
    }
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        parsed.notices.push(format!("unknown variables in the environment: {names}"));
    }
}
