//! Who a data directory is.
//!
//! Before a member says anything to anybody it draws a random incarnation and makes it durable, so
//! that its peers can tell a directory that was wiped from the one that they knew.

use core::fmt;

use super::disk_state::IDENTITY;
use crate::disk::{Replace, Script, SmallFile};
use crate::error::Refusal;

const FILE: SmallFile = SmallFile { path: IDENTITY, magic: b"QUORIDNT", version: 1 };

/// A random number that a data directory carries for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation([u8; 16]);

impl Incarnation {
    /// The incarnation made of random bytes from the platform's entropy.
    pub fn new(entropy: &[u8; 32]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&entropy[..16]);
        Self(bytes)
    }

    /// Reads the identity file.
    ///
    /// # Errors
    /// A newer format, or a file that is none.
    pub fn decode(file: &[u8]) -> Result<Self, Refusal> {
        let incarnation = FILE.decode(file)?;
        incarnation.try_into().map(Self).map_err(|_| FILE.damaged())
    }

    /// Writes the identity file.
    pub fn write(self, script: &mut Script) -> Replace {
        FILE.write(&self.0, script)
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
