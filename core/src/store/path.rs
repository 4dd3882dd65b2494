//! Store paths: `/` and components that are separated by single slashes.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::scan;

/// The path in its one canonical form: absolute, without empty, `.` and `..` components and
/// without a slash at the end. `..` stops at the root.
pub fn clean(path: &str) -> Cow<'_, str> {
    if is_clean(path) {
        return Cow::Borrowed(path);
    }
    let mut kept = Vec::new();
    for component in parts(path) {
        match component {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    let mut cleaned = String::with_capacity(path.len() + 1);
    for name in &kept {
        cleaned.push('/');
        cleaned.push_str(name);
    }
    if kept.is_empty() {
        cleaned.push('/');
    }
    Cow::Owned(cleaned)
}

fn is_clean(path: &str) -> bool {
    path == "/"
        || path
            .strip_prefix('/')
            .is_some_and(|rest| parts(rest).all(|name| !matches!(name, "" | "." | "..")))
}

/// What is between slashes, and before the first and behind the last one. Paths are taken apart all
/// the time, and their parts are short.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    core::iter::from_fn(move || {
        let path = rest?;
        let slash = scan::before(path.as_bytes(), |word| scan::equal(word, b'/'));
        let (part, behind) = path.split_at(slash);
        rest = behind.strip_prefix('/');
        Some(part)
    })
}

/// The components of a clean path; none of the root.
pub(crate) fn components(path: &str) -> impl Iterator<Item = &str> {
    parts(path).filter(|name| !name.is_empty())
}

/// The parent directory and the name of a clean path; nothing for the root.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    let (parent, name) = path.rsplit_once('/')?;
    let parent = if parent.is_empty() { "/" } else { parent };
    (!name.is_empty()).then_some((parent, name))
}

/// The clean path of a name in a directory.
pub(crate) fn join(directory: &str, name: &str) -> String {
    let directory = if directory == "/" { "" } else { directory };
    let mut path = String::with_capacity(directory.len() + 1 + name.len());
    path.push_str(directory);
    path.push('/');
    path.push_str(name);
    path
}

/// A clean path and all directories above it, the root first.
pub(crate) fn lineage(path: &str) -> impl Iterator<Item = &str> {
    let below = path.match_indices('/').skip(1).filter_map(move |(at, _)| path.get(..at));
    let own = (path != "/").then_some(path);
    core::iter::once("/").chain(below).chain(own)
}

/// Whether `path` lies below the directory `ancestor`; not whether it is the same.
pub(crate) fn is_below(path: &str, ancestor: &str) -> bool {
    match path.strip_prefix(ancestor) {
        Some(rest) => rest.starts_with('/') || (ancestor == "/" && !rest.is_empty()),
        None => false,
    }
}

/// Whether a name is left out of listings.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('_')
}

/// Whether a component of `path` below its ancestor `watched` is hidden, so that a watcher there
/// is not told.
pub(crate) fn is_hidden_from(path: &str, watched: &str) -> bool {
    path.strip_prefix(watched).is_some_and(|below| components(below).any(is_hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        for (path, cleaned) in [
            ("/", "/"),
            ("", "/"),
            ("/1/a", "/1/a"),
            ("1/a", "/1/a"),
            ("/1//a/", "/1/a"),
            ("/1/./a/../b", "/1/b"),
            ("/../../x", "/x"),
            ("/1/..a/.b", "/1/..a/.b"),
            ("//", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path:?}");
        }
    }

    #[test]
    fn taking_apart() {
        assert_eq!(split("/"), None);
        assert_eq!(split("/1"), Some(("/", "1")));
        assert_eq!(split("/1/a/b"), Some(("/1/a", "b")));
        assert_eq!(lineage("/").collect::<Vec<_>>(), ["/"]);
        assert_eq!(lineage("/1/a").collect::<Vec<_>>(), ["/", "/1", "/1/a"]);
        assert_eq!((join("/", "1"), join("/1", "a")), ("/1".into(), "/1/a".into()));
        assert_eq!(components("/1/a").collect::<Vec<_>>(), ["1", "a"]);
        assert_eq!(components("/").count(), 0);
    }

    #[test]
    fn relations() {
        assert!(is_below("/1/a", "/1"));
        assert!(is_below("/1", "/"));
        assert!(!is_below("/", "/"));
        assert!(!is_below("/1/ab", "/1/a"));
        assert!(!is_below("/1/a", "/1/a"));
        assert!(is_hidden_from("/1/_a", "/1"));
        assert!(is_hidden_from("/1/a/_b/c", "/1/a"));
        assert!(!is_hidden_from("/1/_a/b", "/1/_a"));
        assert!(!is_hidden_from("/1/a_b", "/"));
    }
}
