//! The parameters of a request to `/v2/keys`, from its query and its form body.
//!
//! Malformed input is refused in the words of Go's parser, which clients get to see. Only the
//! parameters that mean something are kept, so a form of millions of others costs no memory.

use alloc::borrow::Cow;
use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::Bytes;

use super::media;
use super::path::{self, BadEscape};
use crate::http::{Head, Method};

/// The parameters that mean something to `/v2/keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Dir,
    NoValueOnSuccess,
    PrevExist,
    PrevIndex,
    PrevValue,
    Quorum,
    Recursive,
    Refresh,
    Sorted,
    Stream,
    Ttl,
    Value,
    Wait,
    WaitIndex,
}

impl Name {
    const ALL: [Self; 14] = [
        Self::Dir,
        Self::NoValueOnSuccess,
        Self::PrevExist,
        Self::PrevIndex,
        Self::PrevValue,
        Self::Quorum,
        Self::Recursive,
        Self::Refresh,
        Self::Sorted,
        Self::Stream,
        Self::Ttl,
        Self::Value,
        Self::Wait,
        Self::WaitIndex,
    ];

    /// As it stands in a request.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Dir => "dir",
            Self::NoValueOnSuccess => "noValueOnSuccess",
            Self::PrevExist => "prevExist",
            Self::PrevIndex => "prevIndex",
            Self::PrevValue => "prevValue",
            Self::Quorum => "quorum",
            Self::Recursive => "recursive",
            Self::Refresh => "refresh",
            Self::Sorted => "sorted",
            Self::Stream => "stream",
            Self::Ttl => "ttl",
            Self::Value => "value",
            Self::Wait => "wait",
            Self::WaitIndex => "waitIndex",
        }
    }
}

/// The parameters of one request: for each name the first value that was given, where those of
/// the body come before those of the query.
#[derive(Debug, Default)]
pub(crate) struct Form {
    values: [Option<Bytes>; Name::ALL.len()],
}

/// Whether the body of this request is to be read.
pub(crate) fn has_body(head: &Head) -> bool {
    body_is_form(head) == Ok(true)
}

impl Form {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first thing that is wrong, of the body before the query, in Go's words.
    pub(crate) fn read(head: &Head, body: &[u8]) -> Result<Self, String> {
        let mut form = Self::default();
        if body_is_form(head)? {
            form.take(body)?;
        }
        form.take(head.query.as_bytes())?;
        Ok(form)
    }

    /// The value of a parameter, where it was given.
    pub(crate) fn value(&self, name: Name) -> Option<&Bytes> {
        self.values[name as usize].as_ref()
    }

    fn take(&mut self, pairs: &[u8]) -> Result<(), String> {
        if pairs.contains(&b';') {
            return Err("invalid semicolon separator in query".to_owned());
        }
        for pair in pairs.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &b""[..]),
            };
            let name = unescape(name)?;
            let value = unescape(value)?;
            let known = Name::ALL.into_iter().find(|known| known.as_str().as_bytes() == &*name);
            if let Some(known) = known {
                self.values[known as usize].get_or_insert_with(|| Bytes::from(value.into_owned()));
            }
        }
        Ok(())
    }
}

/// Only PUT and POST have a body that counts, and only if its type says that it is a form.
fn body_is_form(head: &Head) -> Result<bool, &'static str> {
    if !matches!(head.method, Method::Put | Method::Post) {
        return Ok(false);
    }
    match head.header("content-type") {
        None | Some("") => Ok(false),
        Some(content_type) => media::is_form(content_type),
    }
}

fn unescape(text: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let mut decoded = if text.contains(&b'+') {
        let blanks = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        Cow::Owned(blanks)
    } else {
        Cow::Borrowed(text)
    };
    // An escape that is malformed is quoted as it was sent, so it is looked up in the original.
    let malformed = |bad: BadEscape| {
        let escape = &text[bad.at..text.len().min(bad.at + 3)];
        format!("invalid URL escape {}", quote(escape))
    };
    if decoded.contains(&b'%') {
        decoded = Cow::Owned(path::decode(&decoded).map_err(malformed)?.into_owned());
    }
    Ok(decoded)
}

/// The bytes as a string literal of Go.
fn quote(bytes: &[u8]) -> String {
    let mut quoted = "\"".to_string();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\x07' => quoted.push_str("\\a"),
                '\x08' => quoted.push_str("\\b"),
                '\x0c' => quoted.push_str("\\f"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '\x0b' => quoted.push_str("\\v"),
                '\0'..' ' | '\x7f' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
                '\u{80}'..='\u{a0}' | '\u{ad}' => {
                    quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                _ => quoted.push(c),
            }
        }
        for byte in chunk.invalid() {
            quoted.push_str(&format!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
