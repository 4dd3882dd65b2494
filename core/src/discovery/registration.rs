//! What a member registers, and the record of it in its own data directory.
//!
//! The record is durable before the service is asked. So a member that is started again knows its
//! own registration from that of somebody else, and a directory that was lost is not taken for the
//! one that registered.

use alloc::string::{String, ToString as _};

use serde::{Deserialize, Serialize};

use super::token::Token;
use crate::boot::disk_state::REGISTRATION;
use crate::boot::list::InitialCluster;
use crate::disk::{Replace, Script, SmallFile};
use crate::error::Refusal;
use crate::id::MemberId;

const FILE: SmallFile = SmallFile { path: REGISTRATION, magic: b"QUORDISC", version: 1 };

/// A registration with a discovery service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The URL of the token.
    pub token: String,
    /// The key: the ID of the member under that token, in hexadecimal.
    pub key: String,
    /// The value: `NAME=URL` pairs separated by commas.
    pub value: String,
}

impl Registration {
    /// What the only member of `own` registers.
    pub fn new(token: &Token, own: &InitialCluster) -> Self {
        let urls = own.iter().next().map(|(_, urls)| urls).unwrap_or_default();
        let key = MemberId::derive(urls, token.as_str()).to_string();
        Self { token: token.as_str().into(), key, value: own.to_string() }
    }

    /// Reads the record.
    ///
    /// # Errors
    /// A newer format, or a file that is none.
    pub fn decode(file: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(FILE.decode(file)?).map_err(|_| FILE.damaged())
    }

    /// Begins to write the record.
    pub fn write(&self, script: &mut Script) -> Replace {
        let content = serde_json::to_vec(self).expect("texts are JSON");
        FILE.write(&content, script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_read_again_and_nothing_else() {
        let token = Token::parse("http://h/t").unwrap();
        let own = InitialCluster::parse("a=http://b:1,a=http://a:1").unwrap();
        let registration = Registration::new(&token, &own);
        assert_eq!(registration.value, "a=http://a:1,a=http://b:1");
        let content = serde_json::to_vec(&registration).unwrap();
        assert_eq!(Registration::decode(&FILE.encode(&content)), Ok(registration));
        assert_eq!(Registration::decode(&FILE.encode(b"{}")), Err(FILE.damaged()));
    }

    #[test]
    fn the_key_is_the_members_id_under_the_whole_url() {
        // As etcd registered them in the recordings.
        let url = "http://127.0.2.1:21501/v2/keys/discovery/";
        for (token, member, key) in [
            (
                "6c007a14875d53d9bf0ef5a6fc0257c817f0fb83",
                "infra0=http://127.0.1.10:21380",
                "7bf9b203ef3c6525",
            ),
            ("dup", "infra0=http://127.0.1.10:21380", "e4adf7bc27bb0a7"),
            ("dup/", "infra0=http://127.0.1.10:21380", "5263049805bd6e72"),
        ] {
            let token = Token::parse(&(String::from(url) + token)).unwrap();
            let own = InitialCluster::parse(member).unwrap();
            assert_eq!(Registration::new(&token, &own).key, key);
        }
    }
}
