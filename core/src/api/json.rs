//! Writes JSON text exactly as Go's `encoding/json` does.
//!
//! Clients compare and hash answers, so the text matters and not only what it means: no blanks,
//! fields in a fixed order, and Go's escapes, which also make the text safe inside of HTML.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::go_json;

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

    /// An object with each field on a line of its own, as Go's `expvar` prints it.
    pub(crate) fn lines(&mut self, fields: impl FnOnce(&mut Lines<'_>)) {
        self.text.extend_from_slice(b"{\n");
        fields(&mut Lines { writer: self, first: true });
        self.text.extend_from_slice(b"\n}");
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
        go_json::write_string(self, bytes).expect("memory takes all");
    }

    /// A string that needs no escapes.
    pub(crate) fn plain_string(&mut self, value: impl fmt::Display) {
        self.text.push(b'"');
        self.display(value);
        self.text.push(b'"');
    }

    /// A number.
    pub(crate) fn uint(&mut self, mut number: u64) {
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

    /// A number that may have a fraction, and is neither tiny nor huge: Go writes those with an
    /// exponent.
    pub(crate) fn float(&mut self, name: &str, value: f64) {
        self.value(name, |writer| writer.display(value));
    }

    /// `null`
    pub(crate) fn null(&mut self, name: &str) {
        self.value(name, |writer| writer.text.extend_from_slice(b"null"));
    }

    /// `false` or `true`
    pub(crate) fn bool(&mut self, name: &str, value: bool) {
        self.value(name, |writer| writer.display(value));
    }

    /// `true`
    pub(crate) fn yes(&mut self, name: &str) {
        self.value(name, |writer| writer.text.extend_from_slice(b"true"));
    }
}

/// The fields of an object that are written on lines of their own.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    writer: &'a mut Writer,
    first: bool,
}

impl Lines<'_> {
    /// A field whose value `value` writes.
    pub(crate) fn value(&mut self, name: &str, value: impl FnOnce(&mut Writer)) {
        if !self.first {
            self.writer.text.extend_from_slice(b",\n");
        }
        self.first = false;
        self.writer.display(format_args!("\"{name}\": "));
        value(self.writer);
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::Writer;

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
