//! The file that says who a data directory is.
//!
//! Before a member says anything to anybody it draws a random incarnation and makes it durable, so
//! that its peers can tell a directory that was wiped from the one that they knew.

use super::disk_state::IDENTITY;
use crate::disk::{Replace, Script, SmallFile};
use crate::error::Refusal;
pub use crate::member::identity::Incarnation;

const FILE: SmallFile = SmallFile { path: IDENTITY, magic: b"QUORIDNT", version: 1 };

impl Incarnation {
    /// Reads the identity file.
    ///
    /// # Errors
    /// A newer format, or a file that is none.
    pub fn decode(file: &[u8]) -> Result<Self, Refusal> {
        let incarnation = FILE.decode(file)?;
        incarnation.try_into().map(Self::from_bytes).map_err(|_| FILE.damaged())
    }

    /// Writes the identity file.
    pub fn write(self, script: &mut Script) -> Replace {
        FILE.write(&self.bytes(), script)
    }
}
