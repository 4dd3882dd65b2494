//! The file that says who a data directory is.
//!
//! Before a member says anything to anybody it draws a random incarnation and makes it durable, so
//! that its peers can tell a directory that was wiped from the one that they knew. With each start it
//! adds a boot ID, so that they can tell the directory from an older copy of it.

use alloc::vec::Vec;

use super::disk_state::IDENTITY;
use crate::disk::{Replace, Script, SmallFile};
use crate::error::Refusal;
use crate::member::boots::Boots;
pub use crate::member::identity::{Identity, Incarnation};

const FILE: SmallFile = SmallFile { path: IDENTITY, magic: b"QUORIDNT", version: 2 };

const INCARNATION: usize = 16;

impl Identity {
    /// The identity at the next start of a directory of which the file says `before`, which is
    /// absent at the first. `entropy` comes from the platform.
    ///
    /// # Errors
    /// A newer format, or a file that is none.
    pub fn next(before: Option<&[u8]>, entropy: &[u8; 32]) -> Result<Self, Refusal> {
        let first = || Boots::first(entropy);
        let Some(file) = before else {
            let incarnation = Incarnation::new(entropy);
            return Ok(Self { incarnation, boots: first(), behind: false });
        };
        let content = FILE.decode(file)?;
        let (incarnation, rest) =
            content.split_first_chunk::<INCARNATION>().ok_or_else(|| FILE.damaged())?;
        let incarnation = Incarnation::from_bytes(*incarnation);
        // The first format had nothing else.
        let Some((behind, boots)) = rest.split_first() else {
            return Ok(Self { incarnation, boots: first(), behind: false });
        };
        let boots = boots.try_into().map(Boots::from_bytes).map_err(|_| FILE.damaged())?;
        Ok(Self { incarnation, boots: boots.next(entropy), behind: *behind != 0 })
    }

    /// Writes the identity file.
    pub fn write(self, script: &mut Script) -> Replace {
        FILE.write(&self.content(), script)
    }

    fn content(self) -> Vec<u8> {
        let mut content = self.incarnation.bytes().to_vec();
        content.push(u8::from(self.behind));
        content.extend_from_slice(&self.boots.bytes());
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_follows_the_one_before() {
        let first = Identity::next(None, &[1; 32]).unwrap();
        assert_eq!((first.incarnation, first.behind), (Incarnation::new(&[1; 32]), false));
        assert_eq!(first.boots.last().number, 1);
        let file = FILE.encode(&Identity { behind: true, ..first }.content());
        let second = Identity::next(Some(&file), &[2; 32]).unwrap();
        assert_eq!((second.incarnation, second.behind), (first.incarnation, true));
        assert_eq!(second.boots, first.boots.next(&[2; 32]));
    }

    #[test]
    fn the_first_format_is_read() {
        let old = SmallFile { version: 1, ..FILE };
        let identity = Identity::next(Some(&old.encode(&[7; 16])), &[1; 32]).unwrap();
        assert_eq!(identity.incarnation.bytes(), [7; 16]);
        assert_eq!(identity.boots.last().number, 1);
    }

    #[test]
    fn damage_is_refused() {
        let content = Identity::next(None, &[1; 32]).unwrap().content();
        for len in [0, 15, 17, content.len() - 1] {
            assert!(
                Identity::next(Some(&FILE.encode(&content[..len])), &[2; 32]).is_err(),
                "{len}"
            );
        }
    }
}
