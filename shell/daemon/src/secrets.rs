//! What people must not see of what the program says.
//!
//! Whoever writes a message need not think of it: lines of the log and refusals are gone through on
//! their way out.

use std::borrow::Cow;
use std::io::{self, Stderr, Write, stderr};

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// What ends the part of a URL in which a name and a password can stand.
const ENDS: &[char] = &['/', '?', '#', ',', ';', '"', '\'', ' ', '\n'];

/// Takes away who asks, and with which password, in every URL of a text.
pub(crate) fn hide_users(text: &str) -> Cow<'_, str> {
    const MARK: &str = "://";
    if !(text.contains(MARK) && text.contains('@')) {
        return text.into();
    }
    let mut pieces = text.split(MARK);
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(ENDS).unwrap_or(piece.len());
        shown.push_str(MARK);
        match piece[..end].rfind('@') {
            Some(at) => {
                shown.push_str(HIDDEN);
                shown.push_str(&piece[at..]);
            }
            None => shown.push_str(piece),
        }
    }
    shown.into()
}

/// Standard error, for whole lines.
pub(crate) struct Lines(Stderr);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(stderr())
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(hide_users(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::hide_users;

    #[test]
    fn names_and_passwords_of_urls_are_hidden_wherever_they_stand() {
        for (text, shown) in [
            ("a=http://u:p@h:1,b=https://q@[::1]:2", "a=http://***@h:1,b=https://***@[::1]:2"),
            ("ask http://u:p@@h/x@y again", "ask http://***@h/x@y again"),
            ("http://h:1/?mail=a@b", "http://h:1/?mail=a@b"),
            ("http://h:1 and a@b", "http://h:1 and a@b"),
            ("a@b", "a@b"),
            ("\"http://u:p@h\"", "\"http://***@h\""),
            ("://@", "://***@"),
            ("", ""),
        ] {
            assert_eq!(hide_users(text), shown);
        }
    }
}
