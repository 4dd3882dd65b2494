//! That a data directory is a proxy's, and where the members were last.
//!
//! Once it is written the directory stays a proxy's, whatever the flags say; the members in it are
//! a hint.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::boot::disk_state::PROXY;
use crate::disk::{Replace, Script, SmallFile};
use crate::error::Refusal;
use crate::url::Url;

const FILE: SmallFile = SmallFile { path: PROXY, magic: b"QUORPRXY", version: 1 };

#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(rename = "peerURLs")]
    peer_urls: Vec<String>,
}

/// Reads the peer URLs of the members.
///
/// # Errors
/// A newer format, or a file that is none.
pub(super) fn decode(file: &[u8]) -> Result<Vec<Url>, Refusal> {
    let content: Content =
        serde_json::from_slice(FILE.decode(file)?).map_err(|_| FILE.damaged())?;
    let urls = content.peer_urls.iter().map(|text| Url::parse(text));
    urls.collect::<Result<_, _>>().map_err(|_| FILE.damaged())
}

/// Begins to write them.
pub(super) fn write(urls: &[Url], script: &mut Script) -> Replace {
    let peer_urls = urls.iter().map(|url| url.as_str().into()).collect();
    let content = serde_json::to_vec(&Content { peer_urls }).expect("texts are JSON");
    FILE.write(&content, script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_of_urls_is_read() {
        let file = FILE.encode(br#"{"peerURLs":["http://a:1","http://b:2"]}"#);
        let urls = ["http://a:1", "http://b:2"].map(|text| Url::parse(text).unwrap());
        assert_eq!(decode(&file), Ok(urls.into()));
        for content in [&br#"{"peerURLs":["a"]}"#[..], b"[]", b""] {
            assert_eq!(decode(&FILE.encode(content)), Err(FILE.damaged()));
        }
    }
}
