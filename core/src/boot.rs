//! From nothing to a member that takes part: how a start is decided and carried out.
//!
//! ```text
//!   look ─▶ decide ─▶ settle the list ─▶ listen ─▶ lock ─▶ look again ─▶ decide again ─▶ identity
//!                                                                                          │
//!                     ┌──────────── restart ◀──────────────────────────────────────────────┤
//!                     ▼                                                                    ▼ form
//!        read log and snapshots                                     ask the others ─▶ first log
//!                     └──────────────────▶ Booted ◀────────────────────────────────────────┘
//! ```
//!
//! Nothing is made or touched before the list is settled and the ports are bound, so that a wrong
//! flag leaves no trace. Where a discovery service has the list, it is settled behind the identity,
//! with the registration of this member, and only asked for before.

mod agreed;
mod discovering;
pub mod disk_state;
mod enroll;
mod first_log;
mod force;
pub mod forming;
pub mod identity;
mod join;
pub mod list;
mod look;
mod progress;
mod refusals;
mod restore;
mod settle;
pub(crate) mod srv;
mod stage;
mod steps;
pub mod table;
mod told;
mod versions;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::config::Config;
use crate::disk::{DiskError, DiskErrorKind, Done, Found, Op, Ticket};
use crate::dns;
use crate::error::Refusal;
use crate::http::Answer;
use crate::id::MemberId;
use crate::member::Member;
use crate::node::{CallId, Effects, ListenError, Output};
use crate::note::Note;
use crate::time::Instant;
use crate::wal::Owner;
use first_log::FirstLog;
use force::Forcing;
use identity::{Identity, Incarnation};
use look::Look;
pub(crate) use progress::{Booted, Progress, Restored};
pub(crate) use refusals::disk as unusable_directory;
use restore::Outcome;
use srv::{Renewal, Search};
use stage::{Course, Stage};
use table::Plan;

/// A start under way.
#[derive(Debug)]
pub(crate) struct Boot {
    config: Arc<Config>,
    seed: [u8; 32],
    stage: Stage,
    /// Whether the ports are bound and the data directory is locked.
    bound: bool,
    identity: Option<Identity>,
    /// Where the list comes from DNS.
    renewal: Option<Box<Renewal>>,
    /// Segments of an earlier start, with nothing in them. They go when this one writes something:
    /// until then it may be refused.
    blank: Vec<Arc<str>>,
}

impl Boot {
    /// A start that has not begun. `seed` feeds the jitter of its pauses.
    pub(crate) const fn new(config: Arc<Config>, seed: [u8; 32]) -> Self {
        let (stage, bound, identity, renewal) = (Stage::Idle, false, None, None);
        Self { config, seed, stage, bound, identity, renewal, blank: Vec::new() }
    }

    /// Time has passed.
    pub(crate) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) -> Progress {
        match &mut self.stage {
            Stage::Idle => self.stage = Stage::Looking(Look::begin(fx.script)),
            Stage::Forming(agreed, forming) => {
                if let Some(renewal) = &mut self.renewal {
                    let renewed = renewal.wake(now, agreed.list(), &forming.differences(), fx);
                    if let Err(refusal) = renewed {
                        return refusal.into();
                    }
                }
                let due = forming.ask(now, || fx.call());
                fx.out
                    .extend(due.into_iter().map(|(call, request)| Output::Http { call, request }));
                if let Some(waiting) = forming.report(now) {
                    fx.note(waiting);
                }
            }
            Stage::Joining(join) => join.wake(now, fx),
            Stage::Discovering(discovering) => discovering.wake(now, fx),
            Stage::Searching(srv) => srv.wake(now, fx),
            _ => {}
        }
        Progress::Pending
    }

    /// When it has to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let renewal = match (&self.stage, &self.renewal) {
            (Stage::Forming(..), Some(renewal)) => renewal.deadline(),
            _ => None,
        };
        self.stage.deadline().into_iter().chain(renewal).min()
    }

    /// Who this member is, once it tells others.
    pub(crate) fn owner(&self) -> Option<Owner> {
        self.stage.owner()
    }

    /// The incarnation, once it is durable.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.identity.map(|identity| identity.incarnation)
    }

    /// The members of the list, while the cluster is being formed.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.stage.members()
    }

    /// A member of the same cluster has spoken to this one.
    pub(crate) fn spoken_to(&mut self, by: MemberId) {
        if let Stage::Forming(_, forming) = &mut self.stage {
            forming.spoken_to(by);
        }
    }

    /// Who has spoken to this member while it asks, and is not on the list.
    pub(crate) fn unlisted(&self) -> BTreeSet<MemberId> {
        match &self.stage {
            Stage::Forming(_, forming) => forming.unlisted().clone(),
            _ => BTreeSet::new(),
        }
    }

    /// Whether there is a cluster as far as this member knows: it joins one, or makes the first log
    /// of one, which may be durable by now.
    pub(crate) const fn has_cluster(&self) -> bool {
        matches!(self.stage, Stage::WritingTold(..) | Stage::Creating(_))
    }

    /// A disk operation has ended.
    pub(crate) fn disk(&mut self, now: Instant, done: Done, fx: &mut Effects<'_>) -> Progress {
        self.take_disk(now, done, fx).unwrap_or_else(Progress::Refused)
    }

    fn take_disk(
        &mut self,
        now: Instant,
        done: Done,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Creating(mut first) => {
                if first.disk(&self.config, &done, fx.script)? {
                    fx.note(if first.joined() { Note::Joined } else { Note::Formed });
                    return Ok(Progress::Done(Box::new(first.booted(fx.script))));
                }
                self.stage = Stage::Creating(first);
            }
            Stage::Restoring(mut restore) => match restore.disk(done, fx.script)? {
                None => self.stage = Stage::Restoring(restore),
                Some(Outcome::Member(ended)) if self.config.force_new_cluster => {
                    self.told_restart(&ended, fx);
                    let forcing = Forcing::begin(&self.config, *ended, fx.script)?;
                    fx.note(Note::Forced { removed: forcing.removed().to_vec() });
                    self.stage = Stage::Forcing(Box::new(forcing));
                }
                Some(Outcome::Member(ended)) => return Ok(self.restored(*ended, fx)),
                Some(Outcome::Blank(segments)) => self.start_over(now, segments, fx)?,
            },
            Stage::Forcing(mut forcing) => {
                if forcing.disk(&self.config, &done, fx.script)?
                    && let Some(identity) = self.identity
                {
                    return Ok(Progress::Done(Box::new(forcing.booted(identity))));
                }
                self.stage = Stage::Forcing(forcing);
            }
            Stage::ReadingIdentity(ticket, course) if ticket == done.ticket => {
                self.identity_read(now, course, done.result, fx)?;
            }
            Stage::Discovering(discovering) => {
                let outcome = discovering.disk(&self.config, now, done, fx)?;
                self.discovered(now, outcome, fx)?;
            }
            stage => {
                let found = done.result.map_err(|error| self.disk_refusal(&error))?;
                self.found(now, stage, done.ticket, found, fx)?;
            }
        }
        Ok(self.progress(Ok(())))
    }

    /// How the start stands, after a step that went well or did not.
    fn progress(&mut self, step: Result<(), Refusal>) -> Progress {
        match (step, &mut self.stage) {
            (Err(refusal), _) => Progress::Refused(refusal),
            (Ok(()), Stage::Proxying(members)) => Progress::Proxy(core::mem::take(members)),
            (Ok(()), _) => Progress::Pending,
        }
    }

    fn found(
        &mut self,
        now: Instant,
        stage: Stage,
        ticket: Ticket,
        found: Found,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        self.stage = match stage {
            Stage::Looking(mut look) => {
                let Some(disk) = look.take(ticket, found) else {
                    self.stage = Stage::Looking(look);
                    return Ok(());
                };
                return self.decide(now, &disk, fx);
            }
            Stage::Locking(lock, course) if lock == ticket => {
                self.bound = true;
                Stage::LookingAgain(Look::begin(fx.script), course)
            }
            Stage::LookingAgain(mut look, course) => match look.take(ticket, found) {
                None => Stage::LookingAgain(look, course),
                Some(disk) => match (table::decide(&disk, &self.config)?, course) {
                    (Plan::Form | Plan::LookUp, course @ Course::Form(_))
                    | (
                        Plan::Discover,
                        course @ (Course::Form(_) | Course::Discover(_) | Course::Proxy(_)),
                    )
                    | (Plan::Proxy, course @ Course::Proxy(_))
                    | (Plan::Join | Plan::LookUp, course @ Course::Join(_)) => {
                        return self.go_on(now, course, fx);
                    }
                    // As before, or another process had it in between.
                    _ => return self.decide(now, &disk, fx),
                },
            },
            Stage::WritingIdentity(mut file, identity, course) => {
                if file.done(ticket, fx.script) {
                    self.identity = Some(identity);
                    return self.go_on(now, course, fx);
                }
                Stage::WritingIdentity(file, identity, course)
            }
            Stage::WritingTold(mut file, identity, joined) => {
                if file.done(ticket, fx.script) {
                    let first = FirstLog::joining(&self.config, joined, identity, fx.script);
                    Stage::Creating(Box::new(first))
                } else {
                    Stage::WritingTold(file, identity, joined)
                }
            }
            Stage::WritingMet(mut file, agreed) => match self.identity {
                // The first one to hear of all others is hardly ever the one that is to campaign;
                // and where there is a leader already, asking first disturbs nobody.
                Some(identity) if file.done(ticket, fx.script) => {
                    let first = FirstLog::begin(&self.config, &agreed, identity, true, fx.script);
                    Stage::Creating(Box::new(first))
                }
                _ => Stage::WritingMet(file, agreed),
            },
            stage => stage,
        };
        Ok(())
    }

    /// A look-up has ended.
    pub(crate) fn dns(
        &mut self,
        now: Instant,
        call: CallId,
        answer: dns::Answer,
        fx: &mut Effects<'_>,
    ) -> Progress {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Settling(settling) => settling
                .answered(call, answer)
                .and_then(|settled| self.settle(now, settled, fx))
                .map_or_else(Progress::Refused, Progress::from),
            Stage::Joining(join) => join
                .looked_up(now, call, answer, fx)
                .and_then(|standing| self.join(now, standing, fx))
                .map_or_else(Progress::Refused, Progress::from),
            Stage::Searching(srv) => srv
                .looked_up(now, call, answer, fx)
                .and_then(|search| self.search(now, search, fx))
                .map_or_else(Progress::Refused, Progress::from),
            Stage::Forming(agreed, forming) => {
                let renewal = self.renewal.as_mut();
                match renewal.and_then(|renewal| renewal.looked_up(now, call, answer, fx)) {
                    Some(listed) if listed.list != *agreed.list() => self
                        .search(now, Search::Listed(listed), fx)
                        .map_or_else(Progress::Refused, Progress::from),
                    _ => {
                        self.stage = Stage::Forming(agreed, forming);
                        Progress::Pending
                    }
                }
            }
            stage => {
                self.stage = stage;
                Progress::Pending
            }
        }
    }

    /// The listeners are bound, or not.
    pub(crate) fn listening(
        &mut self,
        result: Result<(), ListenError>,
        fx: &mut Effects<'_>,
    ) -> Progress {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Listening(course) => {
                if let Err(error) = result {
                    return Refusal::from(error).into();
                }
                let ticket = fx.script.ticket();
                fx.script.push(Op::Lock { ticket });
                self.stage = Stage::Locking(ticket, course);
            }
            stage => self.stage = stage,
        }
        Progress::Pending
    }

    fn identity_read(
        &mut self,
        now: Instant,
        course: Course,
        result: Result<Found, DiskError>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let known = match result {
            Ok(Found::Bytes(file)) => Some(file),
            Err(error) if error.kind != DiskErrorKind::NotFound => {
                return Err(self.disk_refusal(&error));
            }
            _ => None,
        };
        if matches!(course, Course::Restart) && known.is_none() {
            return Err(refusals::no_identity(&self.config.data_dir));
        }
        // An earlier attempt may have got that far: it is still the same directory.
        let identity = Identity::next(known.as_deref(), &self.config.entropy)?;
        if matches!(course, Course::Restart) {
            // A start that is refused changes nothing: it is written when the member runs.
            self.identity = Some(identity);
            return self.go_on(now, course, fx);
        }
        self.remove_blank(fx.script);
        self.stage = Stage::WritingIdentity(identity.write(fx.script), identity, course);
        Ok(())
    }

    /// A call has ended.
    pub(crate) fn http(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Progress {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Forming(agreed, mut forming) => {
                let verdict = forming.answered(now, call, result);
                self.asked(now, agreed, forming, verdict, fx)
                    .map_or_else(Progress::Refused, Progress::from)
            }
            Stage::Joining(join) => join
                .answered(now, call, result, fx)
                .and_then(|standing| self.join(now, standing, fx))
                .map_or_else(Progress::Refused, Progress::from),
            Stage::Enrolling(enroll) => {
                let enrolled = enroll.answered(call, result, fx);
                let step = enrolled.and_then(|enrolled| self.enroll(now, enrolled, fx));
                self.progress(step)
            }
            Stage::Discovering(discovering) => {
                let outcome = discovering.answered(&self.config, now, call, result, fx);
                let step = outcome.and_then(|outcome| self.discovered(now, outcome, fx));
                self.progress(step)
            }
            stage => {
                self.stage = stage;
                Progress::Pending
            }
        }
    }

    fn disk_refusal(&self, error: &DiskError) -> Refusal {
        refusals::disk(&self.config.data_dir, error)
    }
}
