//! The core's node as a machine of this world.

use std::collections::BTreeSet;

use quorate_core::api::{KeysRequest, Response, peer, read};
use quorate_core::http::{Answer, Call, Head, Reply};
use quorate_core::id::MemberId;
use quorate_core::node::{Inspection, Timer};
use quorate_core::raft::{Entry, Log, LogId, Message};
use quorate_core::store::History;
use quorate_core::time::{Instant, Now, Wall};
use quorate_core::view::View;
use quorate_core::wire::message::{Received, decode_message, encode_message};
use quorate_core::{Config, Input, Node, Output};

use crate::machine::{Machine, Served, Shown, Standing};

fn log(node: &Node) -> Option<&Log> {
    node.inspect().map(|Inspection { raft, .. }| raft.log())
}

fn answer(reply: Reply) -> Answer {
    let headers = reply.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value));
    Answer { status: reply.status, headers: headers.collect(), body: reply.body }
}

impl Machine for Node {
    fn new(config: Config, seed: [u8; 32], now: Now) -> Self {
        Self::new(config, seed, now)
    }

    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        self.handle(now, input, out);
    }

    fn deadline(&self) -> Option<(Instant, Timer)> {
        self.deadline()
    }

    fn read(&self, view: Option<&View>, request: &KeysRequest) -> Option<Shown> {
        let view = view.filter(|view| read::admit(view))?;
        let read = read::Read { path: request.path.clone(), recursive: request.recursive };
        match read.answer(view) {
            Response::Keys { result, stamp } => Some(Shown { result, stamp }),
            other => unreachable!("a read is answered with a node or an error, not {other:?}"),
        }
    }

    fn serve(view: &View, call: &Call) -> Option<Served> {
        let (_, rest) = call.url.split_once("://")?;
        let (_, target) = rest.split_once('/')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let head = Head {
            method: call.method,
            path: format!("/{path}"),
            query: query.to_owned(),
            headers: call.headers.clone(),
        };
        if peer::wants_confirmation(&head, view) {
            return Some(Served::Confirm);
        }
        peer::answer(&head, view, Wall::default()).map(|reply| Served::Answer(answer(reply)))
    }

    fn confirmed(view: &View, answered: &Response) -> Answer {
        answer(peer::confirmed(view, answered))
    }

    fn recode(message: Message) -> Message {
        match decode_message(encode_message(&message)) {
            Ok(Received::Message(decoded)) => decoded,
            other => panic!("the wire makes {other:?} of {message:?}"),
        }
    }

    fn has_log(&self) -> bool {
        self.inspect().is_some()
    }

    fn base(&self) -> LogId {
        log(self).map(Log::base).unwrap_or_default()
    }

    fn last(&self) -> LogId {
        log(self).map(Log::last).unwrap_or_default()
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        log(self)?.get(index)
    }

    fn standing(&self) -> Option<Standing> {
        self.inspect().map(|Inspection { raft, .. }| Standing {
            term: raft.term(),
            vote: raft.hard_state().vote,
            leads: raft.leads(),
            durable: raft.log().durable(),
            commit: raft.commit(),
            applied: raft.applied_index(),
        })
    }

    fn voters(&self) -> Option<&BTreeSet<MemberId>> {
        self.inspect().map(|Inspection { raft, .. }| &raft.conf().voters)
    }

    fn history(&self) -> Option<&History> {
        self.inspect().map(|inside| inside.store.history())
    }

    fn store_digest(&self) -> u64 {
        self.inspect().map_or(0, |inside| inside.store.digest())
    }
}
