//! The steps of a start: what each outcome leads to.
//!
//! [`Boot`](super::Boot) takes what has happened and hands it to the stage that waits for it; here is
//! decided what comes next.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::agreed::Agreed;
use super::discovering::{Discovering, Outcome as Discovered};
use super::disk_state::DiskState;
use super::enroll::{Enroll, Enrolled};
use super::first_log::FirstLog;
use super::forming::{Forming, Verdict};
use super::identity::Identity;
use super::join::{Join, Standing};
use super::list::InitialCluster;
use super::progress::{Booted, Progress};
use super::restore::Restore;
use super::settle::{Settled, Settling};
use super::srv::{Listed, Renewal, Search, Srv};
use super::stage::{Course, Stage};
use super::table::Plan;
use super::{Boot, disk_state, restore, settle, table, told};
use crate::config::{Config, Form, State};
use crate::disk::{Op, Script};
use crate::error::Refusal;
use crate::node::{Effects, Output, write_met};
use crate::note::Note;
use crate::rng::{Rng, Stream};
use crate::time::Instant;
use crate::url::{Scheme, Url};
use crate::wal::Owner;

impl Boot {
    /// Decides by what stands in the directory. As long as nothing is bound nothing was touched,
    /// and a refusal leaves it so.
    pub(super) fn decide(
        &mut self,
        now: Instant,
        disk: &DiskState,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        match table::decide(disk, &self.config)? {
            Plan::Restart => self.go_on(now, Course::Restart, fx),
            Plan::Form => {
                let settled = Settling::begin(&self.config, fx)?;
                self.settle(now, settled, fx)
            }
            Plan::Join if !self.config.endpoints.is_empty() => {
                let (name, endpoints) = (&self.config.name, self.config.endpoints.clone());
                let urls = self.config.bootstrap()?.advertise_peer_urls;
                let enroll = Enroll::begin(name, urls, endpoints, self.config.replaces, fx)?;
                self.enroll(now, Enrolled::Waiting(enroll), fx)
            }
            Plan::Join => {
                let list = settle::list_to_join(&self.config)?;
                let standing = Join::begin(&self.config, list, &self.config.name, fx)?;
                self.join(now, standing, fx)
            }
            Plan::Proxy => self.go_on(now, Course::Proxy(InitialCluster::default()), fx),
            Plan::Discover => {
                let rng = Rng::new(self.seed, Stream::Boot);
                let discovering = Discovering::begin(&self.config, rng, fx)?;
                self.stage = Stage::Discovering(Box::new(discovering));
                Ok(())
            }
            Plan::LookUp => {
                if let Some((asked, urls)) = settle::to_look_up(&self.config)? {
                    let name = &self.config.name;
                    self.renewal = Some(Box::new(Renewal::new(&asked, name, &urls)));
                    let srv = Srv::begin(name, asked, urls, now, fx);
                    self.stage = Stage::Searching(Box::new(srv));
                }
                Ok(())
            }
        }
    }

    pub(super) fn settle(
        &mut self,
        now: Instant,
        settled: Settled,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        match settled {
            Settled::Agreed(agreed) => self.go_on(now, Course::Form(agreed), fx),
            Settled::Waiting(settling) => {
                self.stage = Stage::Settling(settling);
                Ok(())
            }
        }
    }

    pub(super) fn search(
        &mut self,
        now: Instant,
        search: Search,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let Listed { list, own, state } = match search {
            Search::Listed(listed) => listed,
            Search::Waiting(srv) => {
                self.stage = Stage::Searching(srv);
                return Ok(());
            }
        };
        if state == State::Existing {
            let standing = Join::begin(&self.config, list, &own, fx)?;
            return self.join(now, standing, fx);
        }
        let first = self.config.bootstrap()?;
        let mut agreed = Agreed::new(list, first.token, first.form, &own)?;
        if state == State::Auto {
            agreed.let_join();
        }
        self.go_on(now, Course::Form(agreed), fx)
    }

    pub(super) fn enroll(
        &mut self,
        now: Instant,
        enrolled: Enrolled,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        match enrolled {
            Enrolled::Waiting(enroll) => {
                self.stage = Stage::Enrolling(enroll);
                Ok(())
            }
            Enrolled::Added(list) => {
                let standing = Join::begin(&self.config, list, &self.config.name, fx)?;
                self.join(now, standing, fx)
            }
        }
    }

    pub(super) fn join(
        &mut self,
        now: Instant,
        standing: Standing,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        match standing {
            Standing::Joined(joined) => self.go_on(now, Course::Join(joined), fx),
            Standing::Waiting(join) => {
                self.stage = Stage::Joining(join);
                Ok(())
            }
        }
    }

    pub(super) fn discovered(
        &mut self,
        now: Instant,
        outcome: Discovered,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let course = match outcome {
            Discovered::Pending(discovering) => {
                self.stage = Stage::Discovering(discovering);
                return Ok(());
            }
            Discovered::Register(discovering) => Course::Discover(discovering),
            Discovered::Agreed(agreed) => Course::Form(agreed),
            Discovered::Proxy(members) => Course::Proxy(members),
        };
        self.go_on(now, course, fx)
    }

    /// Takes the next step that the course needs.
    pub(super) fn go_on(
        &mut self,
        now: Instant,
        course: Course,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        if !self.bound {
            return self.listen(course, fx);
        }
        if let Course::Proxy(members) = course {
            self.remove_blank(fx.script);
            self.stage = Stage::Proxying(members);
            return Ok(());
        }
        let Some(identity) = self.identity else {
            let ticket = fx.script.ticket();
            fx.script.push(Op::Read { path: disk_state::IDENTITY.into(), ticket });
            self.stage = Stage::ReadingIdentity(ticket, course);
            return Ok(());
        };
        self.stage = match course {
            Course::Restart => Stage::Restoring(Box::new(Restore::begin(&self.config, fx.script))),
            Course::Form(agreed) => self.form(now, agreed, identity, fx),
            Course::Join(joined) => {
                let joined = joined.unless_known(identity, &self.config)?;
                let Owner { member, cluster } = joined.owner;
                fx.note(Note::BootDecided { member, cluster, restart: false });
                let file = told::write(&joined.members, fx.script);
                Stage::WritingTold(file, identity, joined)
            }
            Course::Discover(discovering) => Stage::Discovering(discovering.register(now, fx)),
            Course::Proxy(members) => Stage::Proxying(members),
        };
        Ok(())
    }

    pub(super) fn listen(&mut self, course: Course, fx: &mut Effects<'_>) -> Result<(), Refusal> {
        let Config { listen_peer_urls: peer, listen_client_urls: client, security, .. } =
            &*self.config;
        security.check_listeners(peer, client)?;
        for (flag, url) in security.unused(peer, client) {
            fx.note(Note::CertificateUnused { flag, url: url.clone() });
        }
        // A proxy has no peers.
        let peer = if matches!(course, Course::Proxy(_)) { Vec::new() } else { peer.clone() };
        let plain = |url: &&Url| url.scheme() == Scheme::Http && !url.is_loopback();
        for url in peer.iter().filter(plain).filter(|_| !course.is_alone()) {
            fx.note(Note::PlainPeers { url: url.clone() });
        }
        fx.out.push(Output::Listen { peer, client: client.clone() });
        self.stage = Stage::Listening(course);
        Ok(())
    }

    /// An earlier start was cut off before its log held anything: this one begins where that did.
    pub(super) fn start_over(
        &mut self,
        now: Instant,
        segments: Vec<Arc<str>>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        self.identity = None;
        self.blank = segments;
        self.decide(now, &DiskState::Empty, fx)
    }

    /// From here on this start writes: what an earlier one has left with nothing in it goes first.
    pub(super) fn remove_blank(&mut self, script: &mut Script) {
        script.extend(self.blank.drain(..).map(|path| Op::Remove { path }));
    }

    /// The directory has an identity: ask the others, or begin.
    pub(super) fn form(
        &self,
        now: Instant,
        agreed: Agreed,
        identity: Identity,
        fx: &mut Effects<'_>,
    ) -> Stage {
        let Owner { member, cluster } = agreed.owner();
        fx.note(Note::BootDecided { member, cluster, restart: false });
        let (own, here) =
            (agreed.own().clone(), (self.config.data_dir.clone(), identity.incarnation));
        let looked_up = self.renewal.as_ref().map(|_| agreed.token().into());
        let forming = Forming::new(own, agreed.members(), cluster, here, now)
            .or_join(agreed.may_join())
            .looked_up(looked_up);
        let alone = forming.verdict(now) == Verdict::Form;
        if alone || agreed.form() == Form::Majority && !agreed.may_join() {
            // Without asking it is not known whether others do the same: the timers decide.
            let first = FirstLog::begin(&self.config, &agreed, identity, alone, fx.script);
            return Stage::Creating(Box::new(first));
        }
        Stage::Forming(agreed, forming)
    }

    /// Another member has answered.
    pub(super) fn asked(
        &mut self,
        now: Instant,
        agreed: Agreed,
        forming: Forming,
        verdict: Verdict,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        self.stage = match (verdict, self.identity) {
            (Verdict::Refuse(refusal), _) => return Err(refusal),
            (Verdict::Join(joined), _) => Stage::Joining(Join::found(&self.config, joined, fx)),
            (Verdict::Earlier(list), Some(identity)) => {
                self.form(now, agreed.with(list)?, identity, fx)
            }
            (Verdict::Form | Verdict::Late, Some(_)) => {
                Stage::WritingMet(write_met(forming.met(), fx.script), agreed)
            }
            _ => Stage::Forming(agreed, forming),
        };
        Ok(())
    }

    pub(super) fn restored(&self, restored: restore::Ended, fx: &mut Effects<'_>) -> Progress {
        let Some(identity) = self.identity else { return Progress::Pending };
        self.told_restart(&restored, fx);
        let restore::Ended { owner, wal, shelf, hard, log, snapshot, told, .. } = restored;
        let (fresh, campaign) = (false, false);
        let booted =
            Booted { owner, identity, fresh, wal, shelf, hard, log, snapshot, campaign, told };
        Progress::Done(Box::new(booted))
    }

    /// Tells what was found, and what it makes of the flags.
    pub(super) fn told_restart(&self, found: &restore::Ended, fx: &mut Effects<'_>) {
        let Owner { member, cluster } = found.owner;
        fx.note(Note::BootDecided { member, cluster, restart: true });
        for flag in self.config.ignored_with_data() {
            let data_dir = self.config.data_dir.clone();
            fx.note(Note::FlagIgnored { flag, data_dir });
        }
        found.notes.iter().for_each(|note| fx.note(note.clone()));
    }
}
