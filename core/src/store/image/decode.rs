//! Reading the dump.
//!
//! Dumps come from peers and from disk. Whatever they contain, reading them neither panics nor
//! recurses, and takes memory in proportion to their length.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::Image;
use super::encode::NEVER;
use super::json::{Malformed, Reader};
use crate::store::event::{Action, Event, NodeView};
use crate::store::history::{CAPACITY, History};
use crate::store::stats::Stats;
use crate::store::tree::{Builder, Content, Node, Nodes, Tree};
use crate::time::rfc3339;

/// Above this a store index is taken for damage. It leaves indexes to count on with.
const MAX_INDEX: u64 = u64::MAX / 2;

pub(super) fn decode(dump: &[u8]) -> Result<Image, Malformed> {
    let mut json = Reader::new(dump)?;
    let (mut tree, mut index, mut events, mut stats) = (None, None, Vec::new(), Stats::default());
    let mut identity = Bytes::new();
    json.take(b'{', "wants an object")?;
    let mut first = true;
    while let Some(name) = json.member(core::mem::take(&mut first))? {
        match &*name {
            "Root" => tree = Some(read_tree(&mut json)?),
            "WatcherHub" => events = read_hub(&mut json)?,
            "CurrentIndex" => index = Some(json.number()?),
            "Stats" => stats = read_stats(&mut json)?,
            "Quorate" => identity = bytes(json.string()?),
            "QuorateHex" => identity = json.hex()?.into(),
            _ => json.skip()?,
        }
    }
    json.end()?;
    let tree = tree.ok_or_else(|| json.malformed("wants the root"))?;
    let index = index.filter(|index| *index <= MAX_INDEX);
    let index = index.ok_or_else(|| json.malformed("wants the current index"))?;
    let mut image = Image::new(tree, index, history(index, events), stats);
    image.state_mut().identity = identity;
    Ok(image)
}

/// The history of a store at `index`: the longest unbroken run of events that ends there. etcd's
/// own never has a gap; behind one, nobody could be told what they missed.
fn history(index: u64, mut events: Vec<Arc<Event>>) -> History {
    events.sort_by_key(|event| core::cmp::Reverse(event.index));
    let run = events.iter().zip((1..=index).rev().take(CAPACITY as usize));
    let run = run.take_while(|(event, wanted)| event.index == *wanted).count();
    let mut history = History::after(index - run as u64);
    events.truncate(run);
    for event in events.into_iter().rev() {
        history.push(event);
    }
    history
}

/// A node of which not all was read yet.
struct Open<'a> {
    /// Its name in the directory around it.
    name: Cow<'a, str>,
    node: Node,
    /// Its children so far, if it is a directory.
    children: Option<Nodes>,
    /// Whether its next member is its first.
    first: bool,
    /// Whether its children are being read.
    within: bool,
}

impl<'a> Open<'a> {
    fn new(name: Cow<'a, str>) -> Self {
        let content = Content::File(Bytes::new());
        let node = Node { created: 0, modified: 0, expires: None, content };
        Self { name, node, children: None, first: true, within: false }
    }
}

fn read_tree(json: &mut Reader<'_>) -> Result<Tree, Malformed> {
    let mut builder = Builder::new();
    let mut open: Vec<Open> = Vec::new();
    json.take(b'{', "wants a node")?;
    let mut top = Open::new(Cow::Borrowed(""));
    loop {
        let name = json.member(core::mem::take(&mut top.first))?;
        match name {
            Some(name) if top.within => {
                if matches!(&*name, "" | "." | "..") || name.contains('/') {
                    return Err(json.malformed("wants the name of a key"));
                }
                json.take(b'{', "wants a node")?;
                open.push(core::mem::replace(&mut top, Open::new(name)));
            }
            Some(name) => read_member(json, &name, &mut top)?,
            None if top.within => top.within = false,
            None => {
                if let Some(children) = top.children {
                    top.node.content = builder.directory(children);
                }
                let Some(parent) = open.pop() else {
                    let root = builder.finish(top.node);
                    return root.ok_or_else(|| json.malformed("wants a root directory"));
                };
                let (name, node) = (top.name, top.node);
                top = parent;
                let siblings = top.children.as_mut().expect("only directories have children");
                if let Some(twin) = siblings.insert(&name, node) {
                    builder.discard(&twin);
                }
            }
        }
    }
}

/// Reads a member of a node other than its children, of which only the beginning is read.
fn read_member(json: &mut Reader<'_>, name: &str, top: &mut Open<'_>) -> Result<(), Malformed> {
    match name {
        "CreatedIndex" if planted!(LoseCreatedIndex) => top.node.created = json.number()?.min(1),
        "CreatedIndex" => top.node.created = json.number()?,
        "ModifiedIndex" => top.node.modified = json.number()?,
        "ExpireTime" => top.node.expires = read_expiry(json)?,
        // In hexadecimal it is told once more where this is not all of it. That comes second.
        "Value" => top.node.content = Content::File(bytes(json.string()?)),
        "ValueHex" => top.node.content = Content::File(json.hex()?.into()),
        "Children" if !json.takes_null() => {
            json.take(b'{', "wants children or null")?;
            if top.children.is_some() {
                return Err(json.malformed("has children twice"));
            }
            top.children = Some(Nodes::new());
            (top.within, top.first) = (true, true);
        }
        "Children" => {}
        _ => json.skip()?,
    }
    Ok(())
}

fn read_expiry(json: &mut Reader<'_>) -> Result<Option<i64>, Malformed> {
    let text = json.string()?;
    if text == NEVER {
        return Ok(None);
    }
    let time = rfc3339::parse(&text);
    time.map(Some).ok_or_else(|| json.malformed("wants a time between 1678 and 2262"))
}

fn bytes(text: Cow<'_, str>) -> Bytes {
    match text {
        Cow::Borrowed(text) => Bytes::copy_from_slice(text.as_bytes()),
        Cow::Owned(text) => text.into(),
    }
}

/// Takes the members of an object one by one. `read` reads those that it knows and says whether
/// it did.
fn members(
    json: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>, &str) -> Result<bool, Malformed>,
) -> Result<(), Malformed> {
    json.take(b'{', "wants an object")?;
    let mut first = true;
    while let Some(name) = json.member(core::mem::take(&mut first))? {
        if !read(json, &name)? {
            json.skip()?;
        }
    }
    Ok(())
}

/// The events of the history that is buried in etcd's hub.
fn read_hub(json: &mut Reader<'_>) -> Result<Vec<Arc<Event>>, Malformed> {
    let mut events = Vec::new();
    members(json, |json, name| {
        if name != "EventHistory" {
            return Ok(false);
        }
        members(json, |json, name| {
            if name != "Queue" {
                return Ok(false);
            }
            members(json, |json, name| {
                if name != "Events" {
                    return Ok(false);
                }
                events = read_events(json)?;
                Ok(true)
            })?;
            Ok(true)
        })?;
        Ok(true)
    })?;
    Ok(events)
}

fn read_events(json: &mut Reader<'_>) -> Result<Vec<Arc<Event>>, Malformed> {
    let mut events = Vec::new();
    json.take(b'[', "wants an array of events")?;
    let mut first = true;
    while json.item(core::mem::take(&mut first))? {
        if !json.takes_null() {
            events.push(Arc::new(read_event(json)?));
        }
    }
    Ok(events)
}

fn read_event(json: &mut Reader<'_>) -> Result<Event, Malformed> {
    let (mut action, mut node, mut prev, mut refresh) = (None, None, None, false);
    members(json, |json, name| {
        match name {
            "action" => action = Action::by_name(&json.string()?),
            "node" => node = Some(read_view(json)?),
            "prevNode" if json.takes_null() => prev = None,
            "prevNode" => prev = Some(read_view(json)?),
            "refresh" => refresh = json.boolean()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let action = action.ok_or_else(|| json.malformed("wants an action that is known"))?;
    let node = node.ok_or_else(|| json.malformed("wants an event with a node"))?;
    Ok(Event { action, index: node.modified_index, node, prev, refresh })
}

fn read_view(json: &mut Reader<'_>) -> Result<NodeView, Malformed> {
    let mut view = NodeView {
        path: String::new(),
        value: None,
        dir: false,
        expiration: None,
        nodes: Vec::new(),
        modified_index: 0,
        created_index: 0,
    };
    members(json, |json, name| {
        match name {
            "key" => view.path = json.string()?.into_owned(),
            "value" => view.value = Some(bytes(json.string()?)),
            "valueHex" => view.value = Some(json.hex()?.into()),
            "dir" => view.dir = json.boolean()?,
            "expiration" => view.expiration = read_expiry(json)?,
            "modifiedIndex" => view.modified_index = json.number()?,
            "createdIndex" => view.created_index = json.number()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(view)
}

fn read_stats(json: &mut Reader<'_>) -> Result<Stats, Malformed> {
    let mut stats = Stats::default();
    members(json, |json, name| {
        let Some(counter) = stats.by_name(name) else { return Ok(false) };
        *counter = json.number()?;
        Ok(true)
    })?;
    Ok(stats)
}
