//! The toy's start, and its file.

use quorate_core::Output;
use quorate_core::disk::{Done, Found, Op, Ticket};
use quorate_core::id::ClusterId;
use quorate_core::note::Note;
use quorate_core::raft::Message;

use super::{
    Boot, FORGETS_VOTE, Role, SENDS_BEFORE_SYNC, TRUSTS_UNSYNCED_FILE, Toy, log, log_path,
};

impl Toy {
    pub(super) fn boot_begin(&mut self) {
        self.boot = Boot::Listing;
        let ticket = self.script.ticket();
        self.script.push(Op::List { path: "".into(), ticket });
    }

    pub(super) fn boot_step(&mut self, done: Done, out: &mut Vec<Output>) {
        match (&self.boot, done.result) {
            (Boot::Listing, Ok(Found::Entries(entries))) => {
                let (file, ticket) = (self.script.file(), self.script.ticket());
                self.file = file;
                let path = log_path();
                if entries.is_empty() {
                    self.script.push(Op::Create { file, path });
                    self.script.push(Op::SyncDir { path: "".into(), ticket });
                    self.boot = Boot::Syncing(false);
                } else {
                    self.script.push(Op::Open { file, path: path.clone() });
                    self.script.push(Op::Read { path, ticket });
                    self.boot = Boot::Reading;
                }
            }
            (Boot::Reading, Ok(Found::Bytes(bytes))) => {
                (self.term, self.vote, self.entries, self.end) = log::replay(&bytes);
                self.hard_written = (self.term, self.vote);
                (self.durable, self.written) = (Self::last(self), Self::last(self));
                let (file, ticket) = (self.file, self.script.ticket());
                if self.fault == TRUSTS_UNSYNCED_FILE {
                    self.boot_end(true, out);
                    return;
                }
                self.script.push(Op::Truncate { file, len: self.end });
                self.script.push(Op::Sync { file, ticket });
                let ticket = self.script.ticket();
                self.script.push(Op::SyncDir { path: "".into(), ticket });
                self.boot = Boot::Syncing(true);
            }
            // A restart waits for two syncs, and the second one ends last.
            (Boot::Syncing(true), _) if self.syncs.is_empty() => {
                self.syncs.push((Ticket(0), 0, Vec::new()));
            }
            (Boot::Syncing(restart), _) => {
                let restart = *restart && self.term > 0;
                self.boot_end(restart, out);
            }
            (boot, found) => panic!("{boot:?} met {found:?}"),
        }
    }

    fn boot_end(&mut self, restart: bool, out: &mut Vec<Output>) {
        self.syncs.clear();
        self.boot = Boot::Running;
        out.push(Output::Note(Note::BootDecided {
            member: self.id,
            cluster: ClusterId(1),
            restart,
        }));
        out.push(Output::Peers(self.others.clone()));
        out.push(Output::Listen { peer: Vec::new(), client: Vec::new() });
        self.reset_election();
    }

    /// Writes what is new; what was said meanwhile goes out once it is durable.
    pub(super) fn flush(&mut self, out: &mut Vec<Output>) {
        let mut bytes = Vec::new();
        if self.hard_written != (self.term, self.vote) {
            self.hard_written = (self.term, self.vote);
            if self.fault != FORGETS_VOTE {
                log::record(&mut bytes, self.term, 0, &self.vote.0.to_le_bytes());
            }
        }
        for entry in &self.entries[self.written as usize..] {
            log::record(&mut bytes, entry.term, entry.index, &entry.data);
        }
        self.written = Self::last(self);
        let messages = std::mem::take(&mut self.messages);
        if !bytes.is_empty() {
            let (at, file, ticket) = (self.end, self.file, self.script.ticket());
            self.end += bytes.len() as u64;
            self.script.push(Op::Write { file, at, bytes: bytes.into() });
            self.script.push(Op::Sync { file, ticket });
            self.syncs.push((ticket, self.written, Vec::new()));
        }
        match self.syncs.last_mut() {
            Some((_, _, held)) if self.fault != SENDS_BEFORE_SYNC => held.extend(messages),
            _ => out.extend(messages.into_iter().map(Output::Send)),
        }
    }

    pub(super) fn synced(&mut self, ticket: Ticket, out: &mut Vec<Output>) {
        while self.syncs.first().is_some_and(|(first, _, _)| *first <= ticket) {
            let (_, index, held): (_, _, Vec<Message>) = self.syncs.remove(0);
            self.durable = self.durable.max(index.min(Self::last(self)));
            out.extend(held.into_iter().map(Output::Send));
        }
        if self.others.is_empty()
            && matches!(self.role, Role::Candidate(_))
            && self.syncs.is_empty()
        {
            // Its own vote is all that it needs, and is durable now.
            self.lead(out);
        }
        self.advance(out);
    }
}
