//! Who a data directory is.
//!
//! Before a member says anything to anybody it draws a random incarnation and makes it durable, so
//! that its peers can tell a directory that was wiped from the one that they knew.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use core::fmt;

use super::disk_state::{IDENTITY, ROOT};
use crate::disk::{Op, Script, Ticket};
use crate::error::Refusal;

const MAGIC: &[u8; 8] = b"QUORIDNT";
const VERSION: u32 = 1;
/// Magic, version, incarnation, checksum.
const LEN: usize = 8 + 4 + 16 + 4;

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

    /// The content of the identity file.
    fn encode(self) -> Bytes {
        let mut file = BytesMut::with_capacity(LEN);
        file.put_slice(MAGIC);
        file.put_u32_le(VERSION);
        file.put_slice(&self.0);
        file.put_u32_le(crc32fast::hash(&file));
        file.freeze()
    }

    /// Reads the identity file.
    ///
    /// # Errors
    /// A newer format, or a file that is none.
    pub fn decode(file: &[u8]) -> Result<Self, Refusal> {
        let damaged = || {
            Refusal::new(format!("the file {IDENTITY} in the data directory is damaged"))
                .hint("nothing was changed; restore the data directory from a copy, or replace this member")
        };
        let body = file.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (version, body) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
        let version = u32::from_le_bytes(*version);
        if version > VERSION {
            return Err(Refusal::new(format!(
                "the data directory has format {version}, this program knows formats up to {VERSION}"
            ))
            .hint("start the newer version of the program that wrote it"));
        }
        let (incarnation, body) = body.split_first_chunk::<16>().ok_or_else(damaged)?;
        let (sum, rest) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
        let intact = u32::from_le_bytes(*sum) == crc32fast::hash(&file[..LEN - 4]);
        if !intact || !rest.is_empty() {
            return Err(damaged());
        }
        Ok(Self(*incarnation))
    }

    /// Writes the identity file, atomically. It is durable when all the returned tickets are done.
    pub fn write(self, script: &mut Script) -> BTreeSet<Ticket> {
        let path = |path: &str| -> Arc<str> { Arc::from(path) };
        let temporary = path(&format!("{IDENTITY}.tmp"));
        let (file, synced, named, ticket) =
            (script.file(), script.ticket(), script.ticket(), script.ticket());
        script.push(Op::MakeDir { path: path(ROOT) });
        script.push(Op::Remove { path: temporary.clone() });
        script.push(Op::Create { file, path: temporary.clone() });
        script.push(Op::Write { file, at: 0, bytes: self.encode() });
        script.push(Op::Sync { file, ticket: synced });
        script.push(Op::Close { file });
        script.push(Op::Rename { from: temporary, to: path(IDENTITY) });
        script.push(Op::SyncDir { path: path(ROOT), ticket: named });
        script.push(Op::SyncDir { path: path(""), ticket });
        BTreeSet::from([synced, named, ticket])
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Incarnation> for String {
    fn from(incarnation: Incarnation) -> Self {
        format!("{incarnation}")
    }
}
