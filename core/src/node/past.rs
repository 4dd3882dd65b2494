//! What this member may have lost of its own past.
//!
//! Its data directory may have been replaced by an older copy of itself, or cut. It cannot tell
//! that by itself, but the others remember when it was started and how far it had gone along, and
//! say so with everything that they send. Until it has heard them, or an election timeout has
//! passed, it promises nothing. Once it has heard that it lacks something it does not count
//! ([`Standing::Behind`]) until what it has then proposed comes back to it; that is durable, or
//! another start would forget it. Whoever tells later of a start before that tells nothing new; how
//! far it had gone along is compared all the same.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::effects::Effects;
use super::output::Output;
use super::running::Running;
use crate::boot::identity::Identity;
use crate::disk::{DiskErrorKind, Done, Replace};
use crate::id::MemberId;
use crate::member::boots::{Acked, Boots, Evidence};
use crate::member::identity::{Incarnation, Said};
use crate::note::Note;
use crate::raft::{Body, Message, Standing};
use crate::time::{Duration, Instant};

/// How long to wait for space on the disk.
const RETRY: Duration = Duration::from_secs(1);

/// Who this member is, and how it stands with those who remember it.
#[derive(Debug)]
pub(super) struct Past {
    identity: Identity,
    /// How far it had gone by its log when it was started, or was brought back.
    began: Acked,
    /// How far it has gone along with each of the others since.
    since: BTreeMap<MemberId, Acked>,
    /// Those that were heard in this process.
    heard: BTreeSet<MemberId>,
    /// When it goes on without those that it has not heard.
    sure_at: Instant,
    file: File,
    /// The starts of the directory as far as they are durable. Before that nobody may hear of them.
    introduced: Option<Boots>,
    /// When a write that found no space is tried again.
    retry_at: Instant,
}

#[derive(Debug)]
enum File {
    /// It holds the identity as it is.
    Saved,
    /// It does not.
    Due,
    /// It is being written. The identity may have changed since.
    Writing(Replace, Identity),
}

/// How far the sender of a message goes along with the receiver.
pub(super) const fn promise(message: &Message) -> Option<Acked> {
    let term = message.term;
    match message.body {
        Body::VoteResponse { pre: false, granted: true } => Some(Acked { term, index: 0 }),
        Body::Appended { index } => Some(Acked { term, index }),
        _ => None,
    }
}

impl Past {
    /// `saved` says whether the identity is durable.
    pub(super) fn new(identity: Identity, began: Acked, sure_at: Instant, saved: bool) -> Self {
        let file = if saved { File::Saved } else { File::Due };
        let (since, heard, retry_at) = (BTreeMap::new(), BTreeSet::new(), Instant::default());
        let introduced = saved.then_some(identity.boots);
        Self { identity, began, since, heard, sure_at, file, introduced, retry_at }
    }

    /// Whose directory this is.
    pub(super) const fn incarnation(&self) -> Incarnation {
        self.identity.incarnation
    }

    /// The starts that others may hear of, once there are any.
    pub(super) const fn introduced(&self) -> Option<Boots> {
        self.introduced
    }

    /// Whether everything that was learned of the past is durable.
    const fn is_saved(&self) -> bool {
        matches!(self.file, File::Saved)
    }

    /// When something has to be written that found no space.
    pub(super) fn deadline(&self) -> Option<Instant> {
        matches!(self.file, File::Due).then_some(self.retry_at)
    }

    fn change(&mut self, identity: Identity) {
        self.identity = identity;
        if !matches!(self.file, File::Writing(..)) {
            self.file = File::Due;
        }
    }

    /// This member has made a message. Another may remember what it promises.
    pub(super) fn promises(&mut self, message: &Message) {
        if let Some(acked) = promise(message) {
            let since = self.since.entry(message.to).or_default();
            *since = acked.max(*since);
        }
    }

    /// What it lacks of what `peer` remembers.
    fn lacks(&self, peer: MemberId, Evidence { boot, acked }: Evidence) -> Option<String> {
        let boots: &Boots = &self.identity.boots;
        if !boots.holds(boot) {
            return Some(format!("its start number {} is not known here", boot.number));
        }
        // Who has met this very start may remember what was promised to it in this one, or still
        // what was in an earlier one. So may one that knows no start.
        let since = self.since.get(&peer).copied().unwrap_or_default();
        let met = [boots.last().id, 0].contains(&boot.id);
        let own = if met { self.began.max(since) } else { self.began };
        if acked.term > own.term {
            Some(format!("it took part in term {}, and here is term {}", acked.term, own.term))
        } else if acked.term == own.term && acked.index > own.index {
            let (theirs, own) = (acked.index, own.index);
            Some(format!("it has acknowledged {theirs} in its log, which ends at {own} here"))
        } else {
            None
        }
    }
}

impl Running {
    /// How this member stands when it is started. `fresh` says that it has just made its log.
    pub(super) fn begin_standing(&mut self, now: Instant, fresh: bool, fx: &mut Effects<'_>) {
        let identity = self.past.identity;
        let voters = &self.raft.conf().voters;
        let alone = voters.len() == 1 && voters.contains(&self.owner.member);
        let standing = match identity.behind {
            // Nobody is left who could have been promised anything.
            true if alone => {
                self.past.change(Identity { behind: false, ..identity });
                Standing::Sound
            }
            true => {
                let cause = "the leader had not brought it back when it ended".into();
                fx.note(Note::Behind { cause });
                Standing::Behind
            }
            false if fresh || alone => Standing::Sound,
            false => Standing::Unsure,
        };
        self.raft.set_standing(now, standing);
    }

    /// A peer was heard, and what it remembers of this member.
    pub(super) fn hear(&mut self, now: Instant, peer: MemberId, said: Said, fx: &mut Effects<'_>) {
        self.past.heard.insert(peer);
        // Who met another directory under this member's name remembers that one.
        let own = self.past.identity.incarnation;
        let known = said.evidence.filter(|known| known.incarnation == own);
        let Some(evidence) = known.map(|known| known.past) else { return };
        let Some(cause) = self.past.lacks(peer, evidence) else { return };
        let identity = self.past.identity;
        if !identity.boots.holds(evidence.boot) {
            let boots = identity.boots.with(evidence.boot);
            self.past.change(Identity { boots, ..identity });
        }
        self.fall_behind(now, format!("member {peer} remembers that {cause}"), fx);
    }

    /// A leader that says of an entry that this member has it knows that from this member.
    pub(super) fn hear_leader(&mut self, now: Instant, message: &Message, fx: &mut Effects<'_>) {
        let Body::Heartbeat { commit, .. } = message.body else { return };
        let last = self.raft.log().last().index;
        let planted = planted!(CommitOutOfRange);
        if message.term >= self.raft.term() && commit > last && !planted {
            let from = message.from;
            let cause =
                format!("leader {from} says that {commit} is here, and the log ends at {last}");
            self.fall_behind(now, cause, fx);
        }
    }

    fn fall_behind(&mut self, now: Instant, cause: String, fx: &mut Effects<'_>) {
        if self.raft.standing() == Standing::Behind {
            return;
        }
        let identity = self.past.identity;
        self.past.change(Identity { behind: true, ..identity });
        self.raft.set_standing(now, Standing::Behind);
        // Promises may wait for the disk that it would not give any more.
        self.durability.drop_held();
        // It may have shown more than it holds.
        self.ready = false;
        self.duties.publish_anew(now);
        self.changed = true;
        fx.note(Note::Behind { cause });
    }

    /// Whoever could tell of a loss was heard, or has had the time to.
    pub(super) fn become_sure(&mut self, now: Instant) {
        if self.raft.standing() != Standing::Unsure {
            return;
        }
        let own = self.owner.member;
        let mut others = self.raft.conf().voters.iter().filter(|id| **id != own).peekable();
        let known = others.peek().is_some();
        if now >= self.past.sure_at || known && others.all(|id| self.past.heard.contains(id)) {
            self.raft.set_standing(now, Standing::Sound);
        }
    }

    /// What this member has proposed since it was started, or found to be behind, has come back.
    pub(super) fn is_brought_back(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if self.raft.standing() != Standing::Behind {
            return;
        }
        let identity = self.past.identity;
        // It keeps its promises again, those of starts that it has not heard of as well.
        let boots = identity.boots.settled();
        self.past.change(Identity { behind: false, boots, ..identity });
        self.past.began = Acked::by_log(self.raft.term(), self.raft.log().last());
        self.past.since.clear();
        self.raft.set_standing(now, Standing::Sound);
        fx.note(Note::BroughtBack);
    }

    /// Whether what this member says may leave: that it was started has to be durable first, and
    /// that it is behind.
    pub(super) fn may_speak(&self) -> bool {
        let behind = self.raft.standing() == Standing::Behind;
        self.past.introduced.is_some() && (!behind || self.past.is_saved())
    }

    /// Makes durable what was learned.
    pub(super) fn write_identity(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if matches!(self.past.file, File::Due) && now >= self.past.retry_at {
            let identity = self.past.identity;
            self.past.file = File::Writing(identity.write(fx.script), identity);
        }
    }

    /// The end of a disk operation. Says whether it was one of the file of the identity.
    pub(super) fn identity_file(
        &mut self,
        now: Instant,
        done: &Done,
        fx: &mut Effects<'_>,
    ) -> bool {
        if !matches!(&self.past.file, File::Writing(replace, _) if replace.owns(done.ticket)) {
            return false;
        }
        let File::Writing(mut replace, content) =
            core::mem::replace(&mut self.past.file, File::Due)
        else {
            unreachable!("it is being written");
        };
        self.past.file = match &done.result {
            Err(error) if error.kind == DiskErrorKind::NoSpace => {
                self.past.retry_at = now + RETRY;
                File::Due
            }
            Err(error) => {
                self.fault("writing the identity failed", error);
                File::Due
            }
            _ if !replace.done(done.ticket, fx.script) => File::Writing(replace, content),
            _ if content != self.past.identity => File::Due,
            _ => {
                let before = self.past.introduced.replace(content.boots);
                if before.is_some_and(|before| before != content.boots) {
                    self.introduce_again(fx);
                }
                File::Saved
            }
        };
        true
    }

    /// The others know this member by what it said when they connected: they have to do it again.
    fn introduce_again(&mut self, fx: &mut Effects<'_>) {
        self.changed = true;
        self.peers = Vec::new();
        self.announced = None;
        fx.out.push(Output::Peers(Vec::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::boots::Boot;
    use crate::raft::LogId;

    const PEER: MemberId = MemberId(2);

    fn past(starts: u8, began: Acked) -> Past {
        let mut identity = Identity::next(None, &[0; 32]).unwrap();
        for byte in 1..starts {
            identity.boots = identity.boots.next(&[byte; 32]);
        }
        Past::new(identity, began, Instant::from_nanos(0), true)
    }

    #[test]
    fn a_tail_of_an_earlier_leader_is_nothing_that_was_acknowledged_since() {
        let log = |term, index| Acked::by_log(5, LogId { term, index });
        let own = past(3, log(4, 177));
        let evidence = |term, index| {
            let acked = Acked { term, index };
            own.lacks(PEER, Evidence { boot: own.identity.boots.last(), acked })
        };
        assert_eq!(evidence(4, 900), None, "a later leader may have cut that off");
        assert_eq!(evidence(5, 0), None, "it has the term of its vote");
        assert!(evidence(5, 175).is_some(), "entry 175 is of term 5 there");
        assert_eq!(log(5, 177), Acked { term: 5, index: 177 });
    }

    #[test]
    fn what_others_remember_is_compared_with_what_is_here() {
        let acked = |term, index| Acked { term, index };
        let past_of = |starts| past(starts, acked(5, 100));
        let (old, mut own) = (past_of(2), past_of(3));
        let appended = |to, term, index| {
            let body = Body::Appended { index };
            Message { from: MemberId(1), to, term, body }
        };
        own.promises(&appended(PEER, 7, 120));
        own.promises(&appended(MemberId(3), 9, 0));
        let before = old.identity.boots.last();
        let table = [
            (before, acked(5, 100), false),
            (before, acked(4, 900), false),
            (before, acked(5, 101), true),
            (before, acked(6, 0), true),
            (own.identity.boots.last(), acked(7, 120), false),
            (own.identity.boots.last(), acked(7, 121), true),
            // It has come to a higher term since, but has not promised that much to this one.
            (own.identity.boots.last(), acked(8, 1), true),
            (past_of(4).identity.boots.last(), acked(0, 0), true),
            (Boot::default(), acked(0, 0), false),
            (Boot::default(), acked(7, 120), false),
            (Boot::default(), acked(7, 121), true),
        ];
        for (boot, acked, lacks) in table {
            let found = own.lacks(PEER, Evidence { boot, acked });
            assert_eq!(found.is_some(), lacks, "{boot:?} {acked:?}: {found:?}");
        }
    }
}
