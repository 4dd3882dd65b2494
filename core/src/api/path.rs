//! Paths of requests, decoded and cleaned by the rules of Go's `ServeMux`.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What Go leaves as it is when it prints a path.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// A percent sign without two hexadecimal digits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadEscape {
    /// Where it stands, in bytes.
    pub(crate) at: usize,
}

/// Decodes percent escapes, and nothing else.
///
/// # Errors
/// The first escape that is malformed.
pub(crate) fn decode(text: &[u8]) -> Result<Cow<'_, [u8]>, BadEscape> {
    if !text.contains(&b'%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'%' {
            let digits = (digit(text.get(at + 1)), digit(text.get(at + 2)));
            let (Some(high), Some(low)) = digits else { return Err(BadEscape { at }) };
            decoded.push(high << 4 | low);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    Ok(Cow::Owned(decoded))
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    match byte? {
        byte @ b'0'..=b'9' => Some(byte - b'0'),
        byte @ b'a'..=b'f' => Some(byte - b'a' + 10),
        byte @ b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Percent-encodes a path as Go prints it.
pub(crate) fn encode(path: &[u8]) -> String {
    percent_encode(path, &ESCAPED).to_string()
}

/// The path without empty components, `.` and `..`, which never lead above the root. It begins
/// with a slash, and ends with one if the path did. Nothing if the path is clean already.
pub(crate) fn clean(path: &[u8]) -> Option<Vec<u8>> {
    if is_clean(path) {
        return None;
    }
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                components.pop();
            }
            _ => components.push(component),
        }
    }
    let mut cleaned = Vec::with_capacity(path.len() + 1);
    for component in &components {
        cleaned.push(b'/');
        cleaned.extend_from_slice(component);
    }
    if components.is_empty() || path.ends_with(b"/") {
        cleaned.push(b'/');
    }
    Some(cleaned)
}

fn is_clean(path: &[u8]) -> bool {
    let Some(path) = path.strip_prefix(b"/") else { return false };
    if path.is_empty() {
        return true;
    }
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.split(|byte| *byte == b'/').all(|component| !matches!(component, b"" | b"." | b".."))
}

#[cfg(test)]
mod tests {
    use alloc::borrow::Cow;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::{BadEscape, clean, decode, encode};

    #[test]
    fn cleans() {
        for (path, cleaned) in [
            (&b"/"[..], None),
            (b"/a/b", None),
            (b"/a/b/", None),
            (b"/a..b/...", None),
            (b"", Some(&b"/"[..])),
            (b"*", Some(b"/*")),
            (b"//", Some(b"/")),
            (b"/a//b", Some(b"/a/b")),
            (b"/a//", Some(b"/a/")),
            (b"/a/.", Some(b"/a")),
            (b"/a/./", Some(b"/a/")),
            (b"/a/..", Some(b"/")),
            (b"/../../0", Some(b"/0")),
            (b"/a/../b/", Some(b"/b/")),
        ] {
            assert_eq!(clean(path).as_deref(), cleaned, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn decodes() {
        assert!(matches!(decode(b"/a+b").unwrap(), Cow::Borrowed(b"/a+b")));
        assert_eq!(*decode(b"%2f%2Fx%ff").unwrap(), *b"//x\xff");
        for (text, at) in [(&b"ab%"[..], 2), (b"%4", 0), (b"%41%zz", 3), (b"%-1", 0)] {
            assert_eq!(decode(text), Err(BadEscape { at }));
        }
    }

    #[test]
    fn encodes_what_go_encodes() {
        assert_eq!(encode(b"/a b?c#%!'()*\xc3"), "/a%20b%3Fc%23%25%21%27%28%29%2A%C3");
        assert_eq!(encode(b"/-_.~$&+,/:;=@"), "/-_.~$&+,/:;=@");
    }

    proptest! {
        #[test]
        fn cleaning_is_final(path in "[/.a]{0,12}") {
            let cleaned = clean(path.as_bytes()).unwrap_or_else(|| path.clone().into_bytes());
            prop_assert_eq!(clean(&cleaned), None);
        }

        #[test]
        fn encoding_comes_back(path in prop::collection::vec(any::<u8>(), 0..20)) {
            let encoded = encode(&path);
            prop_assert_eq!(&*decode(encoded.as_bytes()).unwrap(), &path);
        }

        #[test]
        fn decoding_never_panics(text in "[%0-9a-gA-G/é]{0,12}") {
            let decoded: Option<Vec<u8>> = decode(text.as_bytes()).ok().map(Cow::into_owned);
            prop_assert!(decoded.is_none_or(|d| d.len() <= text.len()));
        }
    }
}
