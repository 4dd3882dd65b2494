//! Tokens that nobody has asked for in a long time.
//!
//! A token lives as long as its activity, a key beside it whose time to live begins anew with what
//! is asked. Without it the token is answered as one that never was; its directory goes later, when
//! no poll can be waiting for it any more, so that no member takes its removal for a registration.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ACTIVITY, KEYS, REGISTRY, put};
use crate::api::read::Read;
use crate::api::{KeysRequest, Response, Verb};
use crate::store;
use crate::view::View;

/// Whether a token is alive. Otherwise what the store says of the missing key.
///
/// # Errors
/// It is not.
pub fn is_active(token: &str, view: &View) -> Result<(), Box<Response>> {
    let read = Read { path: format!("{KEYS}/{ACTIVITY}/{token}"), recursive: false };
    match read.answer(view) {
        Response::Keys { result: Ok(_), .. } => Ok(()),
        missing => Err(Box::new(missing)),
    }
}

/// Finds the tokens that are to be removed: those that were without activity in two sweeps in a
/// row, between which every poll of them has ended.
#[derive(Debug, Default)]
pub struct Sweep {
    idle: BTreeSet<String>,
}

impl Sweep {
    /// Sweeps once.
    pub fn sweep(&mut self, view: &View) -> Vec<KeysRequest> {
        let active = children(ACTIVITY, view);
        let idle: BTreeSet<String> =
            children(REGISTRY, view).into_iter().filter(|token| !active.contains(token)).collect();
        let before = core::mem::replace(&mut self.idle, idle);
        let gone = self.idle.iter().filter(|token| before.contains(*token));
        gone.map(|token| remove(&format!("{REGISTRY}/{token}"))).collect()
    }
}

fn remove(path: &str) -> KeysRequest {
    let nothing = put(path, bytes::Bytes::new());
    KeysRequest { verb: Verb::Delete, prev_exist: None, dir: true, recursive: true, ..nothing }
}

fn children(path: &str, view: &View) -> BTreeSet<String> {
    let read = Read { path: format!("{KEYS}/{path}"), recursive: false };
    let Response::Keys { result: Ok(event), .. } = read.answer(view) else {
        return BTreeSet::new();
    };
    names(&event)
}

fn names(event: &store::Event) -> BTreeSet<String> {
    let nodes = event.node.nodes.iter();
    nodes.filter_map(|node| node.path.rsplit('/').next()).map(String::from).collect()
}
