//! Just enough JSON for the dump: a writer that escapes as Go does, and a reader whose nesting is
//! bounded by nothing but its input, because the tree of the keys is.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::{go_json, scan};

/// Appends JSON text.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// Appends text as it is.
    pub(super) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends a number.
    pub(super) fn number(&mut self, number: u64) {
        self.raw(itoa::Buffer::new().format(number));
    }

    /// Appends something as a string that needs no escapes.
    pub(super) fn display(&mut self, something: impl fmt::Display) {
        self.format(format_args!("\"{something}\""));
    }

    /// Appends bytes as a string. What is not UTF-8 is replaced by U+FFFD, byte for byte. Says
    /// whether all of them stand for themselves.
    pub(super) fn string(&mut self, bytes: &[u8]) -> bool {
        let plain = go_json::is_plain(bytes);
        if plain {
            self.0.reserve(bytes.len() + 2);
            self.0.push(b'"');
            self.0.extend_from_slice(bytes);
            self.0.push(b'"');
        } else {
            go_json::write_string(self, bytes).expect("a vector takes everything");
        }
        plain
    }

    /// Appends bytes as a string and, if they are not UTF-8, again in hexadecimal as another
    /// member, of which `hex` is the comma, the name and the colon.
    pub(super) fn value(&mut self, bytes: &[u8], hex: &str) {
        if !self.string(bytes) && core::str::from_utf8(bytes).is_err() {
            self.raw(hex);
            self.raw("\"");
            for byte in bytes {
                self.format(format_args!("{byte:02x}"));
            }
            self.raw("\"");
        }
    }

    fn format(&mut self, arguments: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(self, arguments).expect("a vector takes everything");
    }
}

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.raw(text);
        Ok(())
    }
}

/// What is wrong with a dump, and where.
#[derive(Debug)]
pub(super) struct Malformed {
    at: usize,
    wanted: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.wanted)
    }
}

/// Takes JSON text apart. Strict, but for members it is not asked for.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = core::str::from_utf8(bytes);
        let text = text.map_err(|e| Malformed { at: e.valid_up_to(), wanted: "wants UTF-8" })?;
        Ok(Self { text, at: 0 })
    }

    /// A complaint about this place.
    pub(super) fn malformed(&self, wanted: &'static str) -> Malformed {
        Malformed { at: self.at, wanted }
    }

    /// Takes a punctuation mark if it comes next.
    pub(super) fn takes(&mut self, mark: u8) -> bool {
        self.peek();
        self.takes_byte(mark)
    }

    /// Takes a punctuation mark.
    pub(super) fn take(&mut self, mark: u8, wanted: &'static str) -> Result<(), Malformed> {
        if self.takes(mark) { Ok(()) } else { Err(self.malformed(wanted)) }
    }

    /// Takes `null` if it comes next.
    pub(super) fn takes_null(&mut self) -> bool {
        self.takes_word("null")
    }

    /// Takes the name of the next member of an object and its colon, or the object's end.
    /// `first` says whether none was taken before.
    pub(super) fn member(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, Malformed> {
        if self.takes(b'}') {
            return Ok(None);
        }
        if !first {
            self.take(b',', "wants a comma or the end of an object")?;
        }
        let name = self.string()?;
        self.take(b':', "wants a colon")?;
        Ok(Some(name))
    }

    /// Stands before the next item of an array, or takes the array's end and says false.
    pub(super) fn item(&mut self, first: bool) -> Result<bool, Malformed> {
        if self.takes(b']') {
            return Ok(false);
        }
        if !first {
            self.take(b',', "wants a comma or the end of an array")?;
        }
        Ok(true)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let start = self.at;
        self.peek();
        let digits = self.run(|byte| byte.is_ascii_digit());
        let append =
            |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        let number = digits.iter().try_fold(0, append).filter(|_| !digits.is_empty());
        number.ok_or(Malformed { at: start, wanted: "wants a number of 64 bits" })
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Malformed> {
        if self.takes_word("true") {
            return Ok(true);
        }
        if self.takes_word("false") {
            Ok(false)
        } else {
            Err(self.malformed("wants a truth value"))
        }
    }

    /// Takes a string; without a copy if it has no escapes, as nearly all have none.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.take(b'"', "wants a string")?;
        let plain = self.plain();
        if self.takes_byte(b'"') {
            return Ok(plain.into());
        }
        let mut text = String::from(plain);
        loop {
            match self.next() {
                Some(b'"') => return Ok(text.into()),
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.malformed("wants the rest of a string")),
            }
            text.push_str(self.plain());
        }
    }

    /// The text up to the end of a string or what else does not stand for itself.
    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let ends =
            |word| scan::equal(word, b'"') | scan::equal(word, b'\\') | scan::below(word, b' ');
        let plain = &rest[..scan::before(rest.as_bytes(), ends)];
        self.at += plain.len();
        plain
    }

    /// Takes a string of hexadecimal digits as the bytes that they stand for.
    pub(super) fn hex(&mut self) -> Result<Vec<u8>, Malformed> {
        let text = self.string()?;
        let byte = |pair: &[u8]| match pair {
            [high, low] => {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
            }
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        bytes.ok_or_else(|| self.malformed("wants hexadecimal bytes"))
    }

    /// Takes a value of any kind and forgets it. What it is made of is looked at only as far as
    /// is needed to find its end.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => drop(self.string()?),
                Some(b'{' | b'[') => {
                    self.at += 1;
                    depth += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                }
                Some(b',' | b':') if depth > 0 => self.at += 1,
                Some(b'-' | b'0'..=b'9' | b'a'..=b'z') => {
                    self.run(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
                }
                _ => return Err(self.malformed("wants a value")),
            }
            let more = depth > 0;
            if !more {
                return Ok(());
            }
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.malformed("wants nothing more")),
        }
    }

    /// The character of an escape whose backslash was taken. Half a surrogate pair becomes U+FFFD,
    /// as Go reads it.
    fn escape(&mut self) -> Result<char, Malformed> {
        Ok(match self.next() {
            Some(mark @ (b'"' | b'\\' | b'/')) => char::from(mark),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.unit()?;
                let after = self.at;
                if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    self.at = after;
                }
                char::from_u32(unit).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.malformed("wants an escape")),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, Malformed> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.malformed("wants a hexadecimal digit"))?;
        }
        Ok(unit)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// What comes next after white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.rest().first().copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn takes_byte(&mut self, byte: u8) -> bool {
        let found = self.rest().first() == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}
