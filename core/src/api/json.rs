//! Writes JSON text exactly as Go's `encoding/json` does.
//!
//! Clients compare and hash answers, so the text matters and not only what it means: no blanks,
//! fields in a fixed order, and Go's escapes, which also make the text safe inside of HTML.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

/// JSON text that grows.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: Vec<u8>,
}

impl Writer {
    /// A writer with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { text: Vec::with_capacity(capacity) }
    }

    /// What was written.
    pub(crate) fn finish(self) -> Bytes {
        self.text.into()
    }

    /// What was written, and a line feed.
    pub(crate) fn finish_line(mut self) -> Bytes {
        self.text.push(b'\n');
        self.finish()
    }

    /// An object with the fields that `fields` writes.
    pub(crate) fn object(&mut self, fields: impl FnOnce(&mut Fields<'_>)) {
        self.text.push(b'{');
        fields(&mut Fields { writer: self, first: true });
        self.text.push(b'}');
    }

    /// An array with one element, which `element` writes, for each of `items`.
    pub(crate) fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut element: impl FnMut(&mut Self, T),
    ) {
        self.text.push(b'[');
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.text.push(b',');
            }
            element(self, item);
        }
        self.text.push(b']');
    }

    /// A string. Bytes that are no UTF-8 become U+FFFD, each by itself.
    pub(crate) fn string(&mut self, bytes: &[u8]) {
        self.text.push(b'"');
        for chunk in bytes.utf8_chunks() {
            self.escaped(chunk.valid());
            for _ in chunk.invalid() {
                self.text.extend_from_slice(b"\\ufffd");
            }
        }
        self.text.push(b'"');
    }

    /// A string that needs no escapes.
    pub(crate) fn plain_string(&mut self, value: impl fmt::Display) {
        self.text.push(b'"');
        self.display(value);
        self.text.push(b'"');
    }

    fn escaped(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut copied = 0;
        for (i, &byte) in bytes.iter().enumerate() {
            let Some((escape, len)) = escape(&bytes[i..], byte) else { continue };
            self.text.extend_from_slice(&bytes[copied..i]);
            match escape {
                Escape::Short(letter) => self.text.extend_from_slice(&[b'\\', letter]),
                Escape::Code(code) => self.unicode(code),
            }
            copied = i + len;
        }
        self.text.extend_from_slice(&bytes[copied..]);
    }

    fn unicode(&mut self, code: u16) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.text.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            self.text.push(DIGITS[usize::from(code >> shift & 0xf)]);
        }
    }

    fn uint(&mut self, mut number: u64) {
        const MAX_DIGITS: usize = 20;
        let mut digits = [0; MAX_DIGITS];
        let mut start = MAX_DIGITS;
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.text.extend_from_slice(&digits[start..]);
    }

    fn display(&mut self, value: impl fmt::Display) {
        fmt::Write::write_fmt(self, format_args!("{value}")).expect("memory takes all");
    }
}

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The fields of an object, in the order in which they are written. Names are written as they
/// are.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    writer: &'a mut Writer,
    first: bool,
}

impl Fields<'_> {
    /// A field whose value `value` writes.
    pub(crate) fn value(&mut self, name: &str, value: impl FnOnce(&mut Writer)) {
        if !self.first {
            self.writer.text.push(b',');
        }
        self.first = false;
        self.writer.text.push(b'"');
        self.writer.text.extend_from_slice(name.as_bytes());
        self.writer.text.extend_from_slice(b"\":");
        value(self.writer);
    }

    /// A string.
    pub(crate) fn string(&mut self, name: &str, value: &[u8]) {
        self.value(name, |writer| writer.string(value));
    }

    /// An array of strings.
    pub(crate) fn strings<'s>(&mut self, name: &str, values: impl IntoIterator<Item = &'s str>) {
        self.value(name, |writer| writer.array(values, |w, s| w.string(s.as_bytes())));
    }

    /// A string that needs no escapes.
    pub(crate) fn plain_string(&mut self, name: &str, value: impl fmt::Display) {
        self.value(name, |writer| writer.plain_string(value));
    }

    /// A number.
    pub(crate) fn uint(&mut self, name: &str, value: u64) {
        self.value(name, |writer| writer.uint(value));
    }

    /// A number that may be negative.
    pub(crate) fn int(&mut self, name: &str, value: i64) {
        self.value(name, |writer| writer.display(value));
    }

    /// `true`
    pub(crate) fn yes(&mut self, name: &str) {
        self.value(name, |writer| writer.text.extend_from_slice(b"true"));
    }
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
    use alloc::string::{String, ToString as _};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::Writer;

    fn string(bytes: &[u8]) -> String {
        let mut writer = Writer::default();
        writer.string(bytes);
        String::from_utf8(writer.finish().to_vec()).unwrap()
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

    #[test]
    fn numbers() {
        for number in [0, 9, 10, 12_087_160_956_821_666_428, u64::MAX] {
            let mut writer = Writer::default();
            writer.uint(number);
            assert_eq!(writer.finish(), number.to_string());
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
        fn any_bytes_make_json(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut expected = String::new();
            for chunk in bytes.utf8_chunks() {
                expected.push_str(chunk.valid());
                expected.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
            }
            let read: String = serde_json::from_str(&string(&bytes)).unwrap();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn arrays_and_objects_are_json(items in prop::collection::vec(any::<(u64, i64)>(), 0..4)) {
            let mut writer = Writer::default();
            writer.array(&items, |w, (uint, int)| w.object(|fields| {
                fields.uint("u", *uint);
                fields.int("i", *int);
            }));
            let read: Vec<serde_json::Value> = serde_json::from_slice(&writer.finish()).unwrap();
            let read: Vec<_> =
                read.iter().map(|v| (v["u"].as_u64().unwrap(), v["i"].as_i64().unwrap())).collect();
            prop_assert_eq!(read, items);
        }
    }
}
