//! Refusals: the words a person reads when the server will not go on.

use alloc::string::String;
use alloc::vec::Vec;

/// Why the server will not start, or stops. Printed as `quorate: <message>`, then one `  hint:`
/// line for each hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The cause, in the guide's words where it has some.
    pub message: String,
    /// Both sides of what was compared, and the remedy.
    pub hints: Vec<String>,
    /// Whether the command line itself is malformed, which has an exit status of its own.
    pub syntax: bool,
}

impl Refusal {
    /// A refusal without hints.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new(), syntax: false }
    }

    /// The same refusal with one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same refusal, of a command line that is malformed.
    #[must_use]
    pub const fn of_syntax(mut self) -> Self {
        self.syntax = true;
        self
    }

    /// The same refusal, of a data directory that cannot be relied on, with the way out.
    #[must_use]
    pub fn of_data(self) -> Self {
        self.hint("nothing was changed; replace the member, or bring back a sound copy of its data")
    }

    /// The exit status of a process that is refused: 2 if its command line is malformed, or 1.
    pub const fn code(&self) -> u8 {
        if self.syntax { 2 } else { 1 }
    }
}
