//! Who the peers are: the data directory of each, and its past.
//!
//! A peer is known by the incarnation of its data directory from the first contact on. That is made
//! durable before anything that the peer says counts: a member whose directory was wiped has lost
//! what it voted and acknowledged, and must not take part under its old ID. Until then its messages
//! wait.
//!
//! Beyond that it is remembered when the peer was started last, and how far it had gone along; that
//! is written from time to time only. A peer whose directory does not know of that start is an older
//! copy: it is told so with everything that is said to it, and nothing that it says counts until it
//! has taken that in.

mod file;
mod refusals;
mod switch;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::effects::Effects;
use super::output::Exit;
use super::past::promise;
use super::running::Running;
use crate::disk::Script;
use crate::error::Refusal;
use crate::id::MemberId;
use crate::member::boots::{Acked, Boot, Boots, Evidence, Known};
use crate::member::identity::{Nonce, Said};
use crate::note::Note;
use crate::raft::{Body, Message};
use crate::time::{Duration, Instant};
pub(crate) use file::write_met;
use file::{File, Peers};
use refusals::Refusals;

/// Messages that wait for their senders to be known; more are lost, as any message may be.
const MAX_HELD: usize = 256;

/// How long what is remembered of a peer may be newer than what is written.
const LAZY: Duration = Duration::from_secs(5);

/// What is known of the peers.
#[derive(Debug)]
pub(super) struct Kin {
    /// Those whose incarnations are durable.
    known: Arc<Peers>,
    /// First contacts that are not durable yet.
    new: Peers,
    file: File,
    /// When what was remembered since has to be written.
    write_due: Option<Instant>,
    /// Those that have said in this process that they are Quorate.
    quorate: BTreeSet<MemberId>,
    /// Those that have not.
    others: BTreeSet<MemberId>,
    /// The term in which the switch was proposed.
    proposed: Option<u64>,
    /// Messages of peers that are not known durably yet.
    held: VecDeque<(Message, Said)>,
    refusals: Refusals,
    /// The peers that know this member by another directory.
    strangers: BTreeSet<MemberId>,
}

/// What is to be done with a message.
enum Judged {
    Taken,
    /// The peer is not known durably yet.
    Early,
    /// It does not know of a start of its own: an old message, or of an older copy.
    Forgetful,
    Refused(String),
}

impl Kin {
    /// Reads what was known before.
    pub(super) fn begin(script: &mut Script) -> Self {
        Self {
            known: Arc::default(),
            new: Peers::new(),
            file: File::read(script),
            write_due: None,
            quorate: BTreeSet::new(),
            others: BTreeSet::new(),
            proposed: None,
            held: VecDeque::new(),
            refusals: Refusals::default(),
            strangers: BTreeSet::new(),
        }
    }

    pub(super) const fn known(&self) -> &Arc<Peers> {
        &self.known
    }

    /// Whether what was known before this start is there.
    pub(super) const fn is_read(&self) -> bool {
        !matches!(self.file, File::Reading(_))
    }

    /// When something has to be written.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.file {
            File::Idle => self.write_due,
            File::Reading(_) | File::Writing(..) => None,
        }
    }

    fn judge(&mut self, now: Instant, from: MemberId, said: Said, own: Option<Nonce>) -> Judged {
        if matches!(self.file, File::Reading(_)) {
            return Judged::Early;
        }
        let Some(incarnation) = said.incarnation else {
            return match own {
                Some(_) => Judged::Refused(
                    "it is no member of Quorate, and all members of this cluster are".into(),
                ),
                None => {
                    self.others.insert(from);
                    Judged::Taken
                }
            };
        };
        self.others.remove(&from);
        if let (Some(own), Some(theirs)) = (own, said.nonce)
            && own != theirs
        {
            return Judged::Refused(format!(
                "it is of another cluster with the same list and token: {theirs}, and not {own}"
            ));
        }
        let Some(known) = self.known.get(&from) else {
            let past = Evidence { boot: last(said.boots), acked: Acked::default() };
            let met = Known { incarnation, past };
            if planted!(MeetBeforeSync) {
                Arc::make_mut(&mut self.known).insert(from, met);
                self.write_due = self.write_due.or(Some(now + LAZY));
                return Judged::Taken;
            }
            self.new.entry(from).or_insert(met);
            return Judged::Early;
        };
        if known.incarnation != incarnation {
            let known = known.incarnation;
            return Judged::Refused(format!(
                "it has another data directory than before: {incarnation}, and not {known}"
            ));
        }
        let before = known.past.boot;
        if said.boots.is_some_and(|boots| !boots.holds(before)) {
            return Judged::Forgetful;
        }
        if said.boots.is_some_and(|boots| boots.last() != before) {
            self.remember(now, from, |past| past.boot = last(said.boots));
        }
        self.quorate.insert(from);
        Judged::Taken
    }

    /// Takes something in that is written later.
    fn remember(&mut self, now: Instant, peer: MemberId, change: impl FnOnce(&mut Evidence)) {
        if let Some(known) = Arc::make_mut(&mut self.known).get_mut(&peer) {
            change(&mut known.past);
            self.write_due = self.write_due.or(Some(now + LAZY));
        }
    }

    /// A peer has gone along that far.
    fn acknowledged(&mut self, now: Instant, peer: MemberId, acked: Acked) {
        if self.known.get(&peer).is_some_and(|known| known.past.acked < acked) {
            self.remember(now, peer, |past| past.acked = acked);
        }
    }

    /// The last term in which a peer went along.
    fn last_term(&self, peer: MemberId) -> Option<u64> {
        self.known.get(&peer).map(|known| known.past.acked.term)
    }

    /// Writes down whom it has come to know, at once, and what it remembers, when it is time. Of
    /// those that were removed nothing is kept.
    fn write(&mut self, now: Instant, removed: &BTreeSet<MemberId>, script: &mut Script) {
        self.new.retain(|peer, _| !removed.contains(peer));
        let due = self.write_due.is_some_and(|due| due <= now);
        if !matches!(self.file, File::Idle) || self.new.is_empty() && !due {
            return;
        }
        self.write_due = None;
        let all = self.known.iter().chain(&self.new).filter(|(peer, _)| !removed.contains(peer));
        let peers = all.map(|(peer, known)| (*peer, *known)).collect();
        self.file = File::write(peers, script);
    }

    /// The file was written. Says whether somebody is known by it who was not before.
    fn written(&mut self, content: &Peers) -> bool {
        let before = self.known.len();
        for peer in content.keys() {
            if let Some(known) = self.new.remove(peer) {
                Arc::make_mut(&mut self.known).insert(*peer, known);
            }
        }
        self.known.len() > before
    }
}

fn last(boots: Option<Boots>) -> Boot {
    boots.map(|boots| boots.last()).unwrap_or_default()
}

impl Running {
    /// The message, if what its sender says counts now. It may wait for that; if it is refused, and
    /// that is news, a note says why.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        message: Message,
        said: Said,
        fx: &mut Effects<'_>,
    ) -> Option<Message> {
        match self.kin.judge(now, message.from, said, self.cluster.nonce) {
            Judged::Taken => {
                self.hear(now, message.from, said, fx);
                self.note_promise(now, &message);
                return Some(message);
            }
            Judged::Early => {
                let small = !matches!(message.body, Body::Snapshot(_));
                if small && self.kin.held.len() < MAX_HELD {
                    self.kin.held.push_back((message, said));
                }
            }
            Judged::Forgetful => self.hear(now, message.from, said, fx),
            Judged::Refused(cause) => self.refuse_peer(now, message.from, cause, fx),
        }
        None
    }

    /// A peer says who it is. Followers hear nothing else of each other.
    pub(super) fn meet(&mut self, now: Instant, peer: MemberId, said: Said, fx: &mut Effects<'_>) {
        if peer == self.owner.member || self.cluster.removed.contains(&peer) {
            return;
        }
        // It may have been started anew, and is to be told what is remembered of it by now.
        self.changed = true;
        match self.kin.judge(now, peer, said, self.cluster.nonce) {
            Judged::Refused(cause) => self.refuse_peer(now, peer, cause, fx),
            Judged::Taken | Judged::Early | Judged::Forgetful => self.hear(now, peer, said, fx),
        }
    }

    /// Remembers what a peer has promised.
    fn note_promise(&mut self, now: Instant, message: &Message) {
        let Some(acked) = promise(message) else { return };
        let term = self.raft.term();
        // An answer to somebody else, or of another time, is not about this log. With an entry of an
        // earlier term nothing is acknowledged that counts.
        let ours = self.raft.leads() && acked.term == term;
        let counts = ours && self.raft.log().term_at(acked.index) == Some(term);
        if matches!(message.body, Body::Appended { .. }) && !counts {
            return;
        }
        // Of an earlier term its log may hold other entries, and more of them.
        self.changed |= self.kin.last_term(message.from).is_some_and(|before| before < acked.term);
        self.kin.acknowledged(now, message.from, acked);
    }

    /// Says why a peer is refused, once.
    pub(super) fn refuse_peer(
        &mut self,
        now: Instant,
        from: MemberId,
        cause: String,
        fx: &mut Effects<'_>,
    ) {
        if self.kin.refusals.says(now, from, &cause) {
            fx.note(Note::PeerRefused { peer: Some(from), cause });
        }
    }

    /// A peer knows this member by another data directory. One may be mistaken, as it may have met
    /// a copy first; but not a majority of the others.
    pub(super) fn is_replaced(&mut self, peer: MemberId) {
        self.kin.strangers.insert(peer);
        let own = self.owner.member;
        let others = || self.known_cluster().iter().filter(|m| m.id != own && !m.learner);
        let agree = others().filter(|member| self.kin.strangers.contains(&member.id)).count();
        if agree * 2 <= others().count() {
            return;
        }
        let (name, dir) = (&self.config.name, &self.config.data_dir);
        let refusal = Refusal::new(format!("member {own} is known by another data directory"))
            .hint(format!(
                "the other members of cluster {} knew {name} before it was started on {dir}; \
                     what it acknowledged then is not there",
                self.owner.cluster
            ))
            .hint("if the directory is only elsewhere, start with that -data-dir")
            .hint(
                "if its data is lost, remove the member from the cluster and add it again, \
                     then start it with an empty directory and -initial-cluster-state existing",
            );
        self.exit = Some(Exit::Refused(refusal));
    }
}

#[cfg(test)]
mod tests;
