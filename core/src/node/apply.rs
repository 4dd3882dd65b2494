//! Carrying out what was agreed on.
//!
//! Entries reach the state machine in log order, once committed and durable here. Each of them has
//! the same effect on every member, whoever proposed it; only the member that did has somebody to
//! answer.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;

use bytes::Bytes;

use super::Effects;
use super::output::{Exit, Output};
use super::running::Running;
use crate::api::{Confirmed, Failure, Response};
use crate::auth::{self, Auth};
use crate::error::Refusal;
use crate::member::record::Meaning;
use crate::note::Note;
use crate::raft::{Entry, EntryKind};
use crate::store::{Change, Command, Event};
use crate::time::Now;
use crate::wire::conf_change::ConfChange;
use crate::wire::request::{Method, Request};

/// Bytes of entries that are applied in one go, before anybody else gets a turn.
const BYTES_AT_ONCE: usize = 4 << 20;

impl Running {
    /// Applies everything that can be applied.
    pub(super) fn apply_all(&mut self, now: Now, fx: &mut Effects<'_>) {
        while self.exit.is_none() && self.apply_some(now, fx) {}
    }

    /// Applies some of what can be applied. Says whether there was anything.
    pub(super) fn apply_some(&mut self, now: Now, fx: &mut Effects<'_>) -> bool {
        let entries = self.raft.to_apply(BYTES_AT_ONCE);
        let Some(last) = entries.last().map(Entry::id) else { return false };
        for entry in entries {
            self.raft.applied(entry.index);
            self.applied_term = entry.term;
            self.apply_entry(entry, now, fx);
            if self.exit.is_some() {
                return true;
            }
        }
        self.changed = true;
        fx.note(Note::Applied { last, store_index: self.store.as_image().index() });
        true
    }

    fn apply_entry(&mut self, entry: Entry, now: Now, fx: &mut Effects<'_>) {
        match entry.kind {
            // The no-op of a new leader, or a refused change.
            EntryKind::Normal if entry.data.is_empty() => {}
            EntryKind::Normal => match Request::decode(entry.data) {
                Ok(request) => self.apply_request(now, request, fx),
                Err(error) => self.refuse(entry.index, &format!("{error}")),
            },
            EntryKind::ConfChange => match ConfChange::decode(entry.data) {
                Ok(change) => self.apply_change(&change, now, fx),
                Err(error) => self.refuse(entry.index, &format!("{error}")),
            },
        }
    }

    /// An entry that cannot be carried out must not be skipped: from there on this member would
    /// differ from the others without anybody noticing.
    fn refuse(&mut self, index: u64, cause: &str) {
        let refusal = Refusal::new(format!("cannot carry out entry {index} of the log: {cause}"))
            .hint("only requests of the v2 API can be carried out; nothing behind it was applied")
            .hint("was something written with the v3 API?");
        self.exit = Some(Exit::Fault(refusal));
    }

    fn apply_request(&mut self, now: Now, request: Request, fx: &mut Effects<'_>) {
        let id = request.id;
        if request.method == Method::Quorate {
            return self.apply_switch(&request, fx);
        }
        let Some(method) = method_of(&request.method) else {
            if let Method::Unknown(word) = request.method {
                self.answer(id, Response::Failed(Failure::UnknownMethod(word)));
            }
            return;
        };
        let meaning = match method {
            crate::store::Method::Put => self.cluster.meaning(&request.path),
            _ => Meaning::None,
        };
        if meaning == Meaning::Stale {
            return;
        }
        let command = command(method, request);
        let applied = self.store.apply(&command);
        applied.changes.iter().for_each(|change| self.tell(change));
        if applied.result.as_ref().is_some_and(Result::is_ok) {
            self.take_meaning(&meaning, (now, id), &command.value, fx);
        }
        if let Some(result) = applied.result {
            let stamp = self.stamp();
            self.answer(id, Response::Keys { result, stamp });
        }
    }

    /// What a write to the cluster's own records means beyond the write.
    fn take_meaning(
        &mut self,
        meaning: &Meaning,
        (now, id): (Now, u64),
        value: &Bytes,
        fx: &mut Effects<'_>,
    ) {
        match *meaning {
            Meaning::Published(member) => {
                let cluster = Arc::make_mut(&mut self.cluster);
                cluster.publish(member, value);
                let name = cluster.members.get(&member).map(|m| m.name.clone());
                fx.note(Note::Published { member, name: name.unwrap_or_default() });
                if self.duties.published(id) {
                    // What this member proposed since its start has come back: so has everything
                    // that was committed before.
                    if !core::mem::replace(&mut self.ready, true) {
                        fx.note(Note::Ready);
                    }
                    self.is_brought_back(now.mono, fx);
                }
            }
            Meaning::Version => {
                let version = alloc::string::String::from_utf8_lossy(value).into_owned();
                Arc::make_mut(&mut self.cluster).version = Some(version.clone());
                fx.note(Note::ClusterVersion { version });
            }
            Meaning::Stale | Meaning::None => {}
        }
    }

    fn apply_change(&mut self, change: &ConfChange, now: Now, fx: &mut Effects<'_>) {
        match Arc::make_mut(&mut self.cluster).carry_out(change, &mut self.store) {
            Ok(carried) => {
                carried.writes.iter().for_each(|write| self.tell(write));
                carried.raft.into_iter().for_each(|change| self.raft.change_conf(change));
                self.answer_change(change.id, Ok(()));
                if self.cluster.removed.contains(&self.owner.member) {
                    self.stop.removed(now.mono);
                }
            }
            Err(refused) => {
                self.answer_change(change.id, Err(&refused));
                fx.note(Note::ChangeRefused { member: change.node, cause: format!("{refused}") });
            }
        }
    }

    /// Tells the watchers of a change, and takes note of what it says about who may do what.
    fn tell(&mut self, change: &Change) {
        if auth::concerns(&change.event().node.path) {
            self.auth = Arc::new(Auth::from_image(self.store.as_image()));
        }
        let replies = &mut self.replies;
        self.hub.notify(change, |id, event: &Event, last| {
            let response = Box::new(Response::Event(event.clone()));
            replies.push(Output::Reply { id, response, last });
        });
    }

    /// Answers whoever waits here for the request.
    fn answer(&mut self, id: u64, response: Response) {
        if let Some(waiting) = self.clients.take(id) {
            let confirmed = Response::Confirmed(Confirmed::Quorum);
            let response = if waiting.confirms { confirmed } else { response };
            self.reply(waiting.client, response, true);
        }
    }
}

fn method_of(method: &Method) -> Option<crate::store::Method> {
    Some(match method {
        Method::Put => crate::store::Method::Put,
        Method::Post => crate::store::Method::Post,
        Method::Delete => crate::store::Method::Delete,
        Method::Qget => crate::store::Method::Qget,
        Method::Sync => crate::store::Method::Sync,
        Method::Quorate | Method::Unknown(_) => return None,
    })
}

fn command(method: crate::store::Method, request: Request) -> Command {
    Command {
        value: request.value,
        dir: request.dir,
        prev_value: request.prev_value,
        prev_index: request.prev_index,
        prev_exist: request.prev_exist,
        expiration: request.expiration,
        recursive: request.recursive,
        sorted: request.sorted,
        refresh: request.refresh,
        time: request.time,
        ..Command::new(method, request.path)
    }
}
