//! Documents of which a part is written by a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// With this variable in the environment the documents are written anew.
const REWRITE: &str = "QUORATE_REWRITE";

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Whether `document` (below `docs/`) has `text` between the marks of `part`.
///
/// # Panics
/// If not, and it is not to be written anew; or if the marks are missing.
pub(crate) fn assert_generated(document: &str, part: &str, text: &str) {
    let path = root().join("docs").join(document);
    let whole = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (begin, end) = (format!("<!-- generated: {part} -->\n"), "<!-- /generated -->");
    let from = whole.find(&begin).unwrap_or_else(|| panic!("{document} has no {begin}"));
    let from = from + begin.len();
    let length = whole[from..].find(end).unwrap_or_else(|| panic!("{document} has no {end}"));
    let text = format!("{}\n", text.trim_end());
    if whole[from..from + length] == text {
        return;
    }
    assert!(
        std::env::var_os(REWRITE).is_some(),
        "docs/{document} is stale; write it anew with: {REWRITE}=1 cargo test --test daemon"
    );
    let anew = format!("{}{text}{}", &whole[..from], &whole[from + length..]);
    fs::write(&path, anew).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// The names of all tests in this repository.
pub(crate) fn defined_tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for dir in ["core", "shell", "sim", "tests"] {
        collect(&root().join(dir), &mut names);
    }
    names
}

fn collect(dir: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
        let path = entry.expect("a directory can be listed").path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).expect("a source is text");
            names.extend(text.split("#[test]").skip(1).filter_map(name_of).map(str::to_owned));
        }
    }
}

/// The name of the function that follows.
fn name_of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("fn ")?;
    rest.split_once('(').map(|(name, _)| name.trim())
}
