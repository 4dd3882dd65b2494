//! From nothing to a member that takes part: how a start is decided and carried out.
//!
//! ```text
//!   look ─▶ decide ─▶ settle the list ─▶ listen ─▶ lock ─▶ look again ─▶ decide again
//!                                                                │
//!                     ┌──────────── restart ◀────────────────────┤
//!                     ▼                                          ▼ form
//!        read log and snapshots             identity ─▶ ask the others ─▶ first log
//!                     └──────────────────▶ Booted ◀──────────────┘
//! ```
//!
//! Nothing is made or touched before the list is settled and the ports are bound, so that a wrong
//! flag leaves no trace.

pub mod disk_state;
pub mod forming;
pub mod identity;
pub mod list;
mod look;
mod refusals;
mod restore;
mod settle;
pub mod table;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::config::{Config, Form, refuse_https};
use crate::disk::{DiskError, DiskErrorKind, Done, Found, Op, Ticket};
use crate::error::Refusal;
use crate::http::Answer;
use crate::member::Member;
use crate::node::{CallId, Effects, Output};
use crate::note::Note;
use crate::raft::{Log, LogId};
use crate::snap::Shelf;
use crate::store::Image;
use crate::time::Instant;
use crate::wal::{self, HardState, Owner, Wal};
use disk_state::DiskState;
use forming::{Forming, Verdict};
use identity::Incarnation;
use look::Look;
use restore::{Outcome, Restore};
use settle::{Agreed, Settling};
use table::Plan;

/// A start under way.
#[derive(Debug)]
pub(crate) struct Boot {
    config: Arc<Config>,
    stage: Stage,
    incarnation: Option<Incarnation>,
}

/// A start that has come to its end.
#[derive(Debug)]
pub(crate) struct Booted {
    pub(crate) owner: Owner,
    pub(crate) incarnation: Incarnation,
    pub(crate) wal: Wal,
    pub(crate) shelf: Shelf,
    pub(crate) hard: HardState,
    pub(crate) log: Log,
    /// The state as of `applied`: that of the snapshot, if there is one.
    pub(crate) snapshot: Option<Restored>,
    /// Whether this member may campaign at once: the cluster is new, and it is the one that was
    /// agreed on to do so.
    pub(crate) campaign: bool,
}

/// A snapshot that was read back.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) last: LogId,
    pub(crate) conf: crate::raft::ConfState,
    pub(crate) image: Image,
}

#[derive(Debug)]
enum Stage {
    /// Before the first wake.
    Idle,
    Looking(Look),
    /// The URLs are compared by address.
    Settling(Settling),
    Listening,
    Locking(Ticket),
    LookingAgain(Look),
    /// The file is read, if it is there from an earlier attempt.
    ReadingIdentity(Ticket, Plan),
    WritingIdentity(BTreeSet<Ticket>, Incarnation),
    Forming(Forming),
    Creating(Box<First>),
    Restoring(Box<Restore>),
    /// It was refused, or given away as [`Booted`].
    Over,
}

/// The first log of a new member, on its way to the disk.
#[derive(Debug)]
struct First {
    wal: Wal,
    ticket: Ticket,
    owner: Owner,
    hard: HardState,
    log: Log,
    campaign: bool,
}

/// How a start stands.
#[derive(Debug)]
pub(crate) enum Progress {
    Pending,
    Done(Box<Booted>),
    Refused(Refusal),
}

impl From<Refusal> for Progress {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Boot {
    pub(crate) const fn new(config: Arc<Config>) -> Self {
        Self { config, stage: Stage::Idle, incarnation: None }
    }

    /// Time has passed.
    pub(crate) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) -> Progress {
        match &mut self.stage {
            Stage::Idle => self.stage = Stage::Looking(Look::begin(fx.script)),
            Stage::Forming(forming) => {
                let due = forming.ask(now, || fx.call());
                fx.out
                    .extend(due.into_iter().map(|(call, request)| Output::Http { call, request }));
                if let Some(missing) = forming.report(now) {
                    fx.note(Note::WaitingToForm { missing });
                }
            }
            _ => {}
        }
        Progress::Pending
    }

    /// When it has to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Idle => Some(Instant::default()),
            Stage::Forming(forming) => forming.deadline(),
            _ => None,
        }
    }

    /// Who this member is, once that is decided.
    pub(crate) fn owner(&self) -> Option<Owner> {
        match &self.stage {
            Stage::Forming(forming) => Some(forming.owner()),
            Stage::Creating(first) => Some(first.owner),
            _ => None,
        }
    }

    /// The incarnation, once it is durable.
    pub(crate) const fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// The members of the list, while the cluster is being formed.
    pub(crate) fn members(&self) -> Vec<Member> {
        match (&self.stage, Agreed::read(&self.config)) {
            (Stage::Forming(_) | Stage::Creating(_), Ok(agreed)) => {
                agreed.list.members(&agreed.token)
            }
            _ => Vec::new(),
        }
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
        match &mut self.stage {
            Stage::Creating(first) => match first.wal.handle(&done, fx.script) {
                wal::Event::Durable(ticket) if ticket == first.ticket => Ok(self.created(fx)),
                wal::Event::Fault(error) => Err(self.disk_refusal(&error)),
                _ => match first.wal.full().cloned() {
                    Some(error) => Err(self.disk_refusal(&error)),
                    None => Ok(Progress::Pending),
                },
            },
            Stage::Restoring(restore) => match restore.disk(done, fx.script)? {
                None => Ok(Progress::Pending),
                Some(Outcome::Member(ended)) => Ok(self.restored(*ended, fx)),
                Some(Outcome::Blank(segments)) => {
                    self.start_over(now, segments, fx)?;
                    Ok(Progress::Pending)
                }
            },
            Stage::ReadingIdentity(ticket, plan) if *ticket == done.ticket => {
                let plan = *plan;
                self.identity_read(now, plan, done.result, fx)?;
                Ok(Progress::Pending)
            }
            _ => {
                let found = done.result.map_err(|error| self.disk_refusal(&error))?;
                self.found(now, done.ticket, found, fx)?;
                Ok(Progress::Pending)
            }
        }
    }

    fn found(
        &mut self,
        now: Instant,
        ticket: Ticket,
        found: Found,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        match &mut self.stage {
            Stage::Looking(look) => {
                if let Some(disk) = look.take(ticket, found) {
                    self.decide_first(&disk, fx)?;
                }
            }
            Stage::Locking(lock) if *lock == ticket => {
                self.stage = Stage::LookingAgain(Look::begin(fx.script));
            }
            Stage::LookingAgain(look) => {
                if let Some(disk) = look.take(ticket, found) {
                    let plan = table::decide(&disk, &self.config)?;
                    let ticket = fx.script.ticket();
                    fx.script.push(Op::Read { path: disk_state::IDENTITY.into(), ticket });
                    self.stage = Stage::ReadingIdentity(ticket, plan);
                }
            }
            Stage::WritingIdentity(tickets, incarnation) => {
                tickets.remove(&ticket);
                if tickets.is_empty() {
                    self.incarnation = Some(*incarnation);
                    self.form(now, fx)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The first decision: nothing was touched yet, and a refusal leaves it so.
    fn decide_first(&mut self, disk: &DiskState, fx: &mut Effects<'_>) -> Result<(), Refusal> {
        match table::decide(disk, &self.config)? {
            Plan::Restart => self.listen(fx)?,
            Plan::Form => self.settle_list(fx)?,
        }
        Ok(())
    }

    fn settle_list(&mut self, fx: &mut Effects<'_>) -> Result<(), Refusal> {
        match Settling::begin(&self.config, fx)? {
            Some(settling) => self.stage = Stage::Settling(settling),
            None => self.listen(fx)?,
        }
        Ok(())
    }

    /// A look-up has ended.
    pub(crate) fn dns(
        &mut self,
        call: CallId,
        result: Result<Vec<String>, String>,
        fx: &mut Effects<'_>,
    ) -> Progress {
        let Stage::Settling(settling) = &mut self.stage else { return Progress::Pending };
        let settled = settling.answered(&self.config, call, result);
        match settled.and_then(|settled| if settled { self.listen(fx) } else { Ok(()) }) {
            Ok(()) => Progress::Pending,
            Err(refusal) => refusal.into(),
        }
    }

    fn listen(&mut self, fx: &mut Effects<'_>) -> Result<(), Refusal> {
        refuse_https("listen-peer-urls", &self.config.listen_peer_urls)?;
        refuse_https("listen-client-urls", &self.config.listen_client_urls)?;
        refuse_https("advertise-client-urls", &self.config.advertise_client_urls)?;
        fx.out.push(Output::Listen {
            peer: self.config.listen_peer_urls.clone(),
            client: self.config.listen_client_urls.clone(),
        });
        self.stage = Stage::Listening;
        Ok(())
    }

    /// The listeners are bound, or not.
    pub(crate) fn listening(
        &mut self,
        result: Result<(), String>,
        fx: &mut Effects<'_>,
    ) -> Progress {
        if !matches!(self.stage, Stage::Listening) {
            return Progress::Pending;
        }
        if let Err(cause) = result {
            return refusals::port(cause).into();
        }
        let ticket = fx.script.ticket();
        fx.script.push(Op::Lock { ticket });
        self.stage = Stage::Locking(ticket);
        Progress::Pending
    }

    fn identity_read(
        &mut self,
        now: Instant,
        plan: Plan,
        result: Result<Found, DiskError>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let known = match result {
            Ok(Found::Bytes(file)) => Some(Incarnation::decode(&file)?),
            Err(error) if error.kind != DiskErrorKind::NotFound => {
                return Err(self.disk_refusal(&error));
            }
            _ => None,
        };
        match (plan, known) {
            (Plan::Restart, Some(incarnation)) => {
                self.incarnation = Some(incarnation);
                self.stage = Stage::Restoring(Box::new(Restore::begin(&self.config, fx.script)));
            }
            (Plan::Restart, None) => {
                return Err(refusals::no_identity(&self.config.data_dir));
            }
            // An earlier attempt got that far: it is still the same directory.
            (Plan::Form, Some(incarnation)) => {
                self.incarnation = Some(incarnation);
                self.form(now, fx)?;
            }
            (Plan::Form, None) => {
                let incarnation = Incarnation::new(&self.config.entropy);
                self.stage = Stage::WritingIdentity(incarnation.write(fx.script), incarnation);
            }
        }
        Ok(())
    }

    /// An earlier start was cut off before its log held anything: this one begins where that did.
    fn start_over(
        &mut self,
        now: Instant,
        segments: Vec<Arc<str>>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        table::decide(&DiskState::Empty, &self.config)?;
        fx.script.extend(segments.into_iter().map(|path| Op::Remove { path }));
        self.form(now, fx)
    }

    /// The directory has an identity: ask the others, or begin.
    fn form(&mut self, now: Instant, fx: &mut Effects<'_>) -> Result<(), Refusal> {
        let agreed = Agreed::read(&self.config)?;
        let (list, token) = (&agreed.list, agreed.token.as_str());
        list.check(&self.config.name, token)?;
        let members = list.members(token);
        let (cluster, own) = (list.cluster_id(token), list.member_id(&self.config.name, token));
        let own = own.and_then(|own| members.iter().find(|member| member.id == own).cloned());
        let Some(own) = own else { return list.require(&self.config.name).map(|_| ()) };
        fx.note(Note::BootDecided { member: own.id, cluster, restart: false });
        let owner = Owner { member: own.id, cluster };
        let forming = Forming::new(own, members, cluster, self.config.data_dir.clone(), now);
        let alone = forming.verdict() == Verdict::Form;
        if alone || agreed.form == Form::Majority {
            // Without asking it is not known whether others do the same: the timers decide.
            self.create(owner, &agreed, alone, fx);
        } else {
            self.stage = Stage::Forming(forming);
        }
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
        let Stage::Forming(forming) = &mut self.stage else { return Progress::Pending };
        let owner = forming.owner();
        match forming.answered(now, call, result) {
            Verdict::Wait => return Progress::Pending,
            Verdict::Refuse(refusal) => return refusal.into(),
            // The first one to hear of all others is hardly ever the one that is to campaign; and
            // where there is a leader already, asking first disturbs nobody.
            Verdict::Form | Verdict::Late => {}
        };
        match Agreed::read(&self.config) {
            Ok(agreed) => self.create(owner, &agreed, true, fx),
            Err(refusal) => return refusal.into(),
        }
        Progress::Pending
    }

    /// Writes the first log.
    fn create(&mut self, owner: Owner, agreed: &Agreed, asked: bool, fx: &mut Effects<'_>) {
        let Agreed { list, token, .. } = agreed;
        let entries = list.bootstrap_entries(token);
        let hard = HardState { term: 1, vote: None, commit: entries.len() as u64 };
        let lowest = list.members(token).iter().map(|member| member.id).min();
        let campaign = asked && lowest == Some(owner.member);
        let mut wal = Wal::create(
            owner,
            self.config.wal_entropy(),
            self.config.wal_segment_bytes,
            HardState::default(),
            LogId::default(),
            fx.script,
        );
        let batch = wal::Batch { hard_state: Some(hard), entries: &entries, mark: None };
        let ticket = wal.append(&batch, fx.script);
        let log = Log::new(LogId::default(), entries);
        self.stage = Stage::Creating(Box::new(First { wal, ticket, owner, hard, log, campaign }));
    }

    fn created(&mut self, fx: &mut Effects<'_>) -> Progress {
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        let (Stage::Creating(first), Some(incarnation)) = (stage, self.incarnation) else {
            return Progress::Pending;
        };
        fx.note(Note::Formed);
        let First { wal, owner, hard, log, campaign, .. } = *first;
        let shelf = Shelf::new(&[], &[], fx.script);
        Progress::Done(Box::new(Booted {
            owner,
            incarnation,
            wal,
            shelf,
            hard,
            log,
            snapshot: None,
            campaign,
        }))
    }

    fn restored(&mut self, restored: restore::Ended, fx: &mut Effects<'_>) -> Progress {
        let Some(incarnation) = self.incarnation else { return Progress::Pending };
        self.stage = Stage::Over;
        let restore::Ended { owner, wal, shelf, hard, log, snapshot, notes } = restored;
        let Owner { member, cluster } = owner;
        fx.note(Note::BootDecided { member, cluster, restart: true });
        for flag in self.config.ignored_with_data() {
            let data_dir = self.config.data_dir.clone();
            fx.note(Note::FlagIgnored { flag, data_dir });
        }
        notes.into_iter().for_each(|note| fx.note(note));
        Progress::Done(Box::new(Booted {
            owner,
            incarnation,
            wal,
            shelf,
            hard,
            log,
            snapshot,
            campaign: false,
        }))
    }

    fn disk_refusal(&self, error: &DiskError) -> Refusal {
        refusals::disk(&self.config.data_dir, error)
    }
}
