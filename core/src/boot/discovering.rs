//! The part that a discovery service has in a start.
//!
//! First only questions are asked, so that a wrong token, or one that is used up, leaves no trace.
//! Once there is a place for this member the ports are bound, the directory gets an identity and
//! the record of what is about to be registered; then it registers, and waits for the others.

use alloc::boxed::Box;
use alloc::string::String;

use super::agreed::Agreed;
use super::disk_state::REGISTRATION;
use super::list::InitialCluster;
use super::refusals;
use crate::config::{Config, Discovery, Fallback, Form, Members, not_supported};
use crate::discovery::{Client, Registration, Verdict};
use crate::disk::{DiskErrorKind, Done, Found, Op, Replace, Ticket};
use crate::error::Refusal;
use crate::http::Answer;
use crate::node::{CallId, Effects, Output};
use crate::note::Note;
use crate::rng::Rng;
use crate::time::Instant;

/// A member that gets to know the others.
#[derive(Debug)]
pub(super) struct Discovering {
    form: Form,
    fallback: Fallback,
    own: InitialCluster,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The record of an earlier registration is read.
    Reading(Ticket, Discovery, Rng),
    /// The service is asked.
    Asking(Client),
    /// What is about to be registered is recorded.
    Recording(Replace, Client),
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Wait.
    Pending(Box<Discovering>),
    /// Bind the ports and give the directory an identity; then call [`Discovering::register`].
    Register(Box<Discovering>),
    /// Form this cluster.
    Agreed(Agreed),
    /// There is no place for this member: be a proxy of this cluster.
    Proxy(InitialCluster),
}

impl Discovering {
    /// Reads what the flags hold, and begins.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn begin(config: &Config, rng: Rng, fx: &mut Effects<'_>) -> Result<Self, Refusal> {
        let first = config.bootstrap()?;
        let Members::Discovery(discovery) = first.members else {
            return Err(not_supported("a discovery without a token"));
        };
        let own = InitialCluster::alone(&config.name, &first.advertise_peer_urls);
        let ticket = fx.script.ticket();
        fx.script.push(Op::Read { path: REGISTRATION.into(), ticket });
        let (form, fallback) = (first.form, discovery.fallback);
        Ok(Self { form, fallback, own, step: Step::Reading(ticket, discovery, rng) })
    }

    /// A disk operation has ended.
    ///
    /// # Errors
    /// The disk failed, or what it holds cannot be relied on.
    pub(super) fn disk(
        mut self: Box<Self>,
        config: &Config,
        now: Instant,
        done: Done,
        fx: &mut Effects<'_>,
    ) -> Result<Outcome, Refusal> {
        self.step = match self.step {
            Step::Reading(ticket, discovery, rng) if ticket == done.ticket => {
                let recorded = match done.result {
                    Ok(Found::Bytes(file)) => Some(Registration::decode(&file)?),
                    Err(error) if error.kind != DiskErrorKind::NotFound => {
                        return Err(refusals::disk(&config.data_dir, &error));
                    }
                    _ => None,
                };
                let Discovery { token, via, .. } = discovery;
                let client = Client::new(token, via, config.data_dir.clone(), rng, now);
                Step::Asking(client.member(&self.own, recorded)?)
            }
            Step::Recording(mut file, mut client) => {
                done.result.map_err(|error| refusals::disk(&config.data_dir, &error))?;
                if file.done(done.ticket, fx.script) {
                    client.register(now);
                    Step::Asking(client)
                } else {
                    Step::Recording(file, client)
                }
            }
            step => step,
        };
        Ok(Outcome::Pending(self))
    }

    /// The ports are bound, and the directory has an identity: records what is about to be
    /// registered, and registers it.
    pub(super) fn register(mut self: Box<Self>, now: Instant, fx: &mut Effects<'_>) -> Box<Self> {
        self.step = match self.step {
            Step::Asking(mut client) => match client.to_record() {
                Some(registration) => Step::Recording(registration.write(fx.script), client),
                None => {
                    client.register(now);
                    Step::Asking(client)
                }
            },
            step => step,
        };
        self
    }

    /// Time has passed.
    pub(super) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) {
        let Step::Asking(client) = &mut self.step else { return };
        if let Some((call, request)) = client.ask(now, || fx.call()) {
            fx.out.push(Output::Http { call, request });
        }
    }

    /// When it has to be woken.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Asking(client) => client.deadline(),
            Step::Reading(..) | Step::Recording(..) => None,
        }
    }

    /// A call has ended.
    ///
    /// # Errors
    /// There is no way into the cluster of this token.
    pub(super) fn answered(
        mut self: Box<Self>,
        config: &Config,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Result<Outcome, Refusal> {
        let Step::Asking(client) = &mut self.step else { return Ok(Outcome::Pending(self)) };
        let verdict = client.answered(now, call, result);
        client.news().into_iter().for_each(|note| fx.note(note));
        match verdict {
            Verdict::Wait => Ok(Outcome::Pending(self)),
            Verdict::Register => Ok(Outcome::Register(self)),
            Verdict::Complete(list) => {
                let token = client.token().as_str().into();
                Agreed::new(list, token, self.form, &config.name).map(Outcome::Agreed)
            }
            Verdict::Full(_, refusal) if self.fallback == Fallback::Exit => Err(refusal),
            Verdict::Full(list, _) => {
                fx.note(Note::DiscoveryFull);
                Ok(Outcome::Proxy(list))
            }
            Verdict::Refuse(refusal) => {
                if client.record_is_wrong() {
                    fx.script.push(Op::Remove { path: REGISTRATION.into() });
                }
                Err(refusal)
            }
        }
    }
}
