//! Strings as Go's JSON encoder writes them.
//!
//! Clients compare answers as text, and the store's dump has to be the same on every member, etcd's
//! among them. So what is written is exactly what etcd's encoder writes: beside what JSON demands,
//! `<`, `>` and `&` are escaped, and the two line separators of Unicode; of the control characters
//! only tab, line feed and carriage return have a short form.

use core::fmt::{self, Write};

use crate::scan;

/// Writes a string in quotes. Bytes that are no UTF-8 become U+FFFD, each by itself.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_string(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    out.write_char('"')?;
    for chunk in bytes.utf8_chunks() {
        write_escaped(out, chunk.valid())?;
        for _ in chunk.invalid() {
            out.write_str("\\ufffd")?;
        }
    }
    out.write_char('"')
}

/// Whether all bytes are ASCII that stands for itself, as nearly every key and value is. A dump
/// holds thousands of them.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let marked = |word| {
        let special = *b"\"\\<>&";
        let special = special.iter().fold(0, |marks, byte| marks | scan::equal(word, *byte));
        special | scan::below(word, b' ') | scan::beyond_ascii(word)
    };
    scan::before(bytes, marked) == bytes.len()
}

fn write_escaped(out: &mut impl Write, text: &str) -> fmt::Result {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let Some((escape, len)) = escape(&bytes[at..], byte) else { continue };
        out.write_str(&text[written..at])?;
        match escape {
            Escape::Short(letter) => write!(out, "\\{}", char::from(letter))?,
            Escape::Code(code) => write!(out, "\\u{code:04x}")?,
        }
        written = at + len;
    }
    out.write_str(&text[written..])
}

enum Escape {
    /// A backslash and a letter.
    Short(u8),
    /// A UTF-16 code unit in hexadecimal.
    Code(u16),
}

/// How the character at the beginning of `rest`, whose first byte is `byte`, is escaped, and how
/// many bytes it takes in UTF-8; nothing if it stands for itself.
fn escape(rest: &[u8], byte: u8) -> Option<(Escape, usize)> {
    let escape = match byte {
        b'"' | b'\\' => Escape::Short(byte),
        b'\n' => Escape::Short(b'n'),
        b'\r' => Escape::Short(b'r'),
        b'\t' => Escape::Short(b't'),
        0..0x20 | b'<' | b'>' | b'&' => Escape::Code(byte.into()),
        0xe2 if rest.starts_with("\u{2028}".as_bytes()) => return Some((Escape::Code(0x2028), 3)),
        0xe2 if rest.starts_with("\u{2029}".as_bytes()) => return Some((Escape::Code(0x2029), 3)),
        _ => return None,
    };
    Some((escape, 1))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::{is_plain, write_string};

    fn string(bytes: &[u8]) -> String {
        let mut text = String::new();
        write_string(&mut text, bytes).unwrap();
        text
    }

    #[test]
    fn escapes_as_go_does() {
        for (bytes, text) in [
            (&b"plain"[..], r#""plain""#),
            (b"", r#""""#),
            (b"<b>&\"\\/'", r#""\u003cb\u003e\u0026\"\\/'""#),
            (b"\n\r\t\x00\x08\x0c\x1f\x7f", "\"\\n\\r\\t\\u0000\\u0008\\u000c\\u001f\x7f\""),
            ("\u{2027}\u{2028}\u{2029}é\u{1f600}".as_bytes(), "\"\u{2027}\\u2028\\u2029é😀\""),
            (b"a\xffb", r#""a\ufffdb""#),
            (b"\xe2\x80", r#""\ufffd\ufffd""#),
            (b"\xed\xa0\x80", r#""\ufffd\ufffd\ufffd""#),
        ] {
            assert_eq!(string(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn strings_come_back(text in any::<String>()) {
            let json = string(text.as_bytes());
            let raw = json.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\n']);
            prop_assert!(!raw, "{json}");
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn plain_text_is_written_as_it_is(bytes in prop::collection::vec(any::<u8>(), 0..3)) {
            let written = string(&bytes);
            let whole = written.as_bytes() == [b"\"", &bytes[..], b"\""].concat();
            prop_assert_eq!(is_plain(&bytes), whole && bytes.is_ascii());
        }

        #[test]
        fn any_bytes_make_json(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut expected = String::new();
            for chunk in bytes.utf8_chunks() {
                expected.push_str(chunk.valid());
                expected.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
            }
            let read: String = serde_json::from_str(&string(&bytes)).unwrap();
            prop_assert_eq!(read, expected);
        }
    }
}
