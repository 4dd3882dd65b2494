//! The members that one was told when it joined.
//!
//! Its log comes from one of them, and has to be answered, so until the log itself has them they
//! are kept: a member that is started again before anything came would otherwise know nobody.

use alloc::vec::Vec;

use super::disk_state::TOLD;
use crate::disk::{Replace, Script, SmallFile};
use crate::error::Refusal;
use crate::member::{Member, json};

const FILE: SmallFile = SmallFile { path: TOLD, magic: b"QUORTOLD", version: 1 };

/// Writes them down.
pub(super) fn write(members: &[Member], script: &mut Script) -> Replace {
    FILE.write(json::encode_members(members).as_bytes(), script)
}

/// Reads what was written.
///
/// # Errors
/// The file is damaged, or of a later release.
pub(super) fn decode(file: &[u8]) -> Result<Vec<Member>, Refusal> {
    json::decode_members(FILE.decode(file)?).map_err(|_| FILE.damaged())
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::id::MemberId;
    use crate::url::Url;

    #[test]
    fn what_is_written_is_read_again() {
        let member = |id, name: &str, learner| Member {
            id: MemberId(id),
            name: name.into(),
            peer_urls: vec![Url::parse("http://h:1").unwrap()],
            client_urls: vec!["http://h:2".into()],
            learner,
        };
        let members = vec![member(1, "a", false), member(2, "", true)];
        let file = FILE.encode(json::encode_members(&members).as_bytes());
        assert_eq!(decode(&file), Ok(members));
        assert!(decode(&file[1..]).is_err());
        assert!(decode(&FILE.encode(b"{")).is_err());
    }
}
