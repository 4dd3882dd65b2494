//! Who the peers are: the data directory of each, and whether all members are Quorate.
//!
//! A peer is known by the incarnation of its data directory from the first contact on. That is made
//! durable before anything that the peer says counts: a member whose directory was wiped has lost
//! what it voted and acknowledged, and must not take part under its old ID. Until then its messages
//! wait.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::effects::Effects;
use super::output::Exit;
use super::running::Running;
use crate::boot::disk_state::PEERS;
use crate::disk::{DiskErrorKind, Done, Found, Op, Replace, Script, SmallFile, Ticket};
use crate::error::Refusal;
use crate::id::MemberId;
use crate::member::identity::{Incarnation, Nonce, Said};
use crate::note::Note;
use crate::raft::{Body, Message};
use crate::time::Instant;
use crate::wire::request::{Method, Request};

const FILE: SmallFile = SmallFile { path: PEERS, magic: b"QUORPEER", version: 1 };

/// The ID and the incarnation of a peer in the file, in bytes.
const RECORD: usize = 8 + 16;

/// Messages that wait for their senders to be known; more are lost, as any message may be.
const MAX_HELD: usize = 256;

/// Refusals that are remembered, so that each is said once.
const MAX_REFUSALS: usize = 64;

/// What is known of the peers.
#[derive(Debug)]
pub(super) struct Kin {
    /// Durably known.
    known: Arc<BTreeMap<MemberId, Incarnation>>,
    /// What the file will hold, if that is more.
    wanted: BTreeMap<MemberId, Incarnation>,
    file: File,
    /// Those that have said in this process that they are Quorate.
    quorate: BTreeSet<MemberId>,
    /// Those that have not.
    others: BTreeSet<MemberId>,
    /// The term in which the switch was proposed.
    proposed: Option<u64>,
    /// Messages of peers that are not known durably yet.
    held: VecDeque<(Message, Said)>,
    refused: BTreeMap<MemberId, String>,
    /// The peers that know this member by another directory.
    strangers: BTreeSet<MemberId>,
}

#[derive(Debug)]
enum File {
    Reading(Ticket),
    Idle,
    Writing(Replace, BTreeMap<MemberId, Incarnation>),
}

/// What is to be done with a message.
enum Judged {
    Taken,
    /// The peer is not known durably yet.
    Early,
    Refused(String),
}

impl Kin {
    /// Reads what was known before. Of those in `met` is known already who they are.
    pub(super) fn begin(met: BTreeMap<MemberId, Incarnation>, script: &mut Script) -> Self {
        let ticket = script.ticket();
        script.push(Op::Read { path: PEERS.into(), ticket });
        Self {
            known: Arc::default(),
            wanted: met,
            file: File::Reading(ticket),
            quorate: BTreeSet::new(),
            others: BTreeSet::new(),
            proposed: None,
            held: VecDeque::new(),
            refused: BTreeMap::new(),
            strangers: BTreeSet::new(),
        }
    }

    pub(super) const fn known(&self) -> &Arc<BTreeMap<MemberId, Incarnation>> {
        &self.known
    }

    fn judge(&mut self, from: MemberId, said: Said, own: Option<Nonce>) -> Judged {
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
        match self.known.get(&from) {
            Some(known) if *known != incarnation => Judged::Refused(format!(
                "it has another data directory than before: {incarnation}, and not {known}"
            )),
            Some(_) => {
                self.quorate.insert(from);
                Judged::Taken
            }
            None => {
                self.wanted.entry(from).or_insert(incarnation);
                Judged::Early
            }
        }
    }

    /// Whether this refusal is worth saying: once for a peer and cause.
    fn says(&mut self, from: MemberId, cause: &str) -> bool {
        if self.refused.get(&from).is_some_and(|said| said == cause) {
            return false;
        }
        if self.refused.len() >= MAX_REFUSALS {
            self.refused.clear();
        }
        self.refused.insert(from, cause.into());
        true
    }

    /// Writes down whom it has come to know. Of those that were removed nothing is kept.
    fn write(&mut self, removed: &BTreeSet<MemberId>, script: &mut Script) {
        if !matches!(self.file, File::Idle) {
            return;
        }
        self.wanted.retain(|peer, _| !removed.contains(peer));
        if self.wanted.keys().all(|peer| self.known.contains_key(peer)) {
            return;
        }
        let mut content = Vec::with_capacity(self.wanted.len() * RECORD);
        for (peer, incarnation) in &self.wanted {
            content.extend_from_slice(&peer.0.to_le_bytes());
            content.extend_from_slice(&incarnation.bytes());
        }
        self.file = File::Writing(FILE.write(&content, script), self.wanted.clone());
    }
}

fn decode(file: &[u8]) -> Result<BTreeMap<MemberId, Incarnation>, Refusal> {
    let content = FILE.decode(file)?;
    let (records, rest) = content.as_chunks::<RECORD>();
    if !rest.is_empty() {
        return Err(FILE.damaged());
    }
    let read = |record: &[u8; RECORD]| {
        let (id, incarnation) = record.split_first_chunk::<8>()?;
        let incarnation = Incarnation::from_bytes(incarnation.try_into().ok()?);
        Some((MemberId(u64::from_le_bytes(*id)), incarnation))
    };
    records.iter().map(read).collect::<Option<_>>().ok_or_else(|| FILE.damaged())
}

impl Running {
    /// The message, if what its sender says counts now. It may wait for that; if it is refused, and
    /// that is news, a note says why.
    pub(super) fn admit(
        &mut self,
        message: Message,
        said: Said,
        fx: &mut Effects<'_>,
    ) -> Option<Message> {
        match self.kin.judge(message.from, said, self.cluster.nonce) {
            Judged::Taken => return Some(message),
            Judged::Early => {
                let small = !matches!(message.body, Body::Snapshot(_));
                if small && self.kin.held.len() < MAX_HELD {
                    self.kin.held.push_back((message, said));
                }
            }
            Judged::Refused(cause) => self.refuse_peer(message.from, cause, fx),
        }
        None
    }

    /// A peer says who it is. Followers hear nothing else of each other.
    pub(super) fn meet(&mut self, peer: MemberId, said: Said, fx: &mut Effects<'_>) {
        if let Judged::Refused(cause) = self.kin.judge(peer, said, self.cluster.nonce) {
            self.refuse_peer(peer, cause, fx);
        }
    }

    /// Says why a peer is refused, once.
    pub(super) fn refuse_peer(&mut self, from: MemberId, cause: String, fx: &mut Effects<'_>) {
        if self.kin.says(from, &cause) {
            fx.note(Note::PeerRefused { peer: Some(from), cause });
        }
    }

    /// The end of a disk operation. Says whether it was one of the file of the peers.
    pub(super) fn peers_file(&mut self, now: Instant, done: &Done, fx: &mut Effects<'_>) -> bool {
        let before = self.kin.known.clone();
        let reading = matches!(self.kin.file, File::Reading(_));
        let ours = self.take_peers_file(done, fx);
        if ours && (reading || !Arc::ptr_eq(&before, &self.kin.known)) {
            self.changed = true;
            for (message, said) in core::mem::take(&mut self.kin.held) {
                self.take_message(now, message, said, fx);
            }
        }
        ours
    }

    fn take_peers_file(&mut self, done: &Done, fx: &mut Effects<'_>) -> bool {
        match core::mem::replace(&mut self.kin.file, File::Idle) {
            File::Reading(ticket) if ticket == done.ticket => {
                match &done.result {
                    Ok(Found::Bytes(file)) => match decode(file) {
                        Ok(known) => {
                            self.kin.wanted.extend(&known);
                            self.kin.known = Arc::new(known);
                        }
                        Err(refusal) => self.exit = Some(Exit::Refused(refusal)),
                    },
                    Err(error) if error.kind != DiskErrorKind::NotFound => {
                        self.fault("reading the file of the peers failed", error);
                    }
                    _ => {}
                }
                true
            }
            File::Writing(mut replace, content) => {
                let ours = replace.owns(done.ticket);
                match &done.result {
                    Err(error) if ours && error.kind == DiskErrorKind::NoSpace => {
                        // It is tried again with the next message of a peer.
                        self.kin.wanted = BTreeMap::clone(&self.kin.known);
                    }
                    Err(error) if ours => self.fault("writing the file of the peers failed", error),
                    _ if replace.done(done.ticket, fx.script) => {
                        self.kin.known = Arc::new(content);
                    }
                    _ => self.kin.file = File::Writing(replace, content),
                }
                ours
            }
            file => {
                self.kin.file = file;
                false
            }
        }
    }

    /// Makes durable whom it has come to know.
    pub(super) fn write_peers(&mut self, fx: &mut Effects<'_>) {
        self.kin.write(&self.cluster.removed, fx.script);
    }

    /// A leader that has heard from every member that it is Quorate writes that into the log, with
    /// a nonce for the cluster. It holds for ever.
    pub(super) fn propose_switch(&mut self) {
        let term = self.raft.term();
        if self.cluster.nonce.is_some() || self.kin.proposed == Some(term) {
            return;
        }
        let own = self.owner.member;
        let says = |id: MemberId| id == own || self.kin.quorate.contains(&id);
        if !self.cluster.iter().all(|member| says(member.id)) {
            return;
        }
        let id = self.clients.fresh_id();
        let value = format!("{}", Nonce::new(&self.config.entropy));
        let request = Request { value: value.into(), ..Request::new(id, Method::Quorate, NONCE) };
        if self.propose_own(request.encode()) {
            self.kin.proposed = Some(term);
        }
    }

    /// Whether there is a member of etcd, as far as this one can tell: a follower hears from its
    /// leader only.
    pub(super) fn is_mixed(&self) -> bool {
        self.cluster.iter().any(|member| self.kin.others.contains(&member.id))
    }

    /// Something that only members of Quorate say was agreed on.
    pub(super) fn apply_switch(&mut self, request: &Request, fx: &mut Effects<'_>) {
        let cluster = Arc::make_mut(&mut self.cluster);
        if request.path == NONCE && cluster.switch(&request.value, &mut self.store) {
            fx.note(Note::AllQuorate);
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

/// What a request of method `QUORATE` is about.
const NONCE: &str = "nonce";

#[cfg(test)]
mod tests {
    use super::*;

    fn incarnation(byte: u8) -> Incarnation {
        Incarnation::new(&[byte; 32])
    }

    fn said(byte: u8) -> Said {
        Said { incarnation: Some(incarnation(byte)), ..Said::default() }
    }

    fn idle(known: &[(u64, u8)]) -> Kin {
        let mut kin = Kin::begin(BTreeMap::new(), &mut Script::default());
        kin.file = File::Idle;
        kin.known =
            Arc::new(known.iter().map(|(id, byte)| (MemberId(*id), incarnation(*byte))).collect());
        kin.wanted = BTreeMap::clone(&kin.known);
        kin
    }

    #[test]
    fn nothing_counts_before_it_is_known_who_said_it() {
        let mut kin = Kin::begin(BTreeMap::new(), &mut Script::default());
        assert!(matches!(kin.judge(MemberId(1), said(1), None), Judged::Early));
        let mut kin = idle(&[]);
        assert!(matches!(kin.judge(MemberId(1), said(1), None), Judged::Early));
        assert!(kin.quorate.is_empty());
        let mut script = Script::default();
        kin.write(&BTreeSet::new(), &mut script);
        assert!(matches!(&kin.file, File::Writing(_, content) if content.len() == 1));
        assert!(matches!(kin.judge(MemberId(1), said(1), None), Judged::Early));
    }

    #[test]
    fn another_directory_does_not_count() {
        let mut kin = idle(&[(1, 1)]);
        assert!(matches!(kin.judge(MemberId(1), said(1), None), Judged::Taken));
        assert!(matches!(kin.judge(MemberId(1), said(2), None), Judged::Refused(_)));
        // The first contact counts, also while it is being written.
        assert!(matches!(kin.judge(MemberId(2), said(2), None), Judged::Early));
        assert!(matches!(kin.judge(MemberId(2), said(3), None), Judged::Early));
        assert_eq!(kin.wanted[&MemberId(2)], incarnation(2));
    }

    #[test]
    fn members_of_etcd_and_of_other_clusters() {
        let mut kin = idle(&[(1, 1)]);
        let (own, other) = (Nonce::new(&[1; 32]), Nonce::new(&[2; 32]));
        assert!(matches!(kin.judge(MemberId(3), Said::default(), None), Judged::Taken));
        assert!(matches!(kin.judge(MemberId(3), Said::default(), Some(own)), Judged::Refused(_)));
        let of = |nonce| Said { nonce: Some(nonce), ..said(1) };
        assert!(matches!(kin.judge(MemberId(1), of(other), Some(own)), Judged::Refused(_)));
        assert!(matches!(kin.judge(MemberId(1), of(own), Some(own)), Judged::Taken));
        assert!(matches!(kin.judge(MemberId(1), of(other), None), Judged::Taken));
    }

    #[test]
    fn a_refusal_is_said_once() {
        let mut kin = idle(&[]);
        assert!(kin.says(MemberId(1), "a"));
        assert!(!kin.says(MemberId(1), "a"));
        assert!(kin.says(MemberId(1), "b") && kin.says(MemberId(2), "a"));
    }

    #[test]
    fn the_file_is_read_as_it_was_written() {
        let mut kin = idle(&[]);
        kin.wanted = [(MemberId(1), incarnation(1)), (MemberId(u64::MAX), incarnation(2))].into();
        let content: Vec<u8> = kin
            .wanted
            .iter()
            .flat_map(|(id, known)| id.0.to_le_bytes().into_iter().chain(known.bytes()))
            .collect();
        assert_eq!(decode(&FILE.encode(&content)), Ok(kin.wanted));
        assert!(decode(&FILE.encode(&content[1..])).is_err());
        assert!(decode(b"").is_err());
    }
}
