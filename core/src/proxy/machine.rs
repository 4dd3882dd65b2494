//! A proxy as a state machine.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::endpoints::{Endpoints, leads_here};
use super::members::{Asking, Heard};
use super::record;
use super::routes::Routes;
use super::source::{Found as Looked, Source, urls};
use crate::boot::disk_state::PROXY;
use crate::boot::list::InitialCluster;
use crate::config::{Config, Mode};
use crate::disk::{DiskError, DiskErrorKind, Done, Found, Op, Replace, Ticket};
use crate::dns;
use crate::error::Refusal;
use crate::http::Answer;
use crate::member::Member;
use crate::node::{CallId, Effects, Exit, Output};
use crate::note::Note;
use crate::rng::{Rng, Stream};
use crate::time::Instant;
use crate::url::Url;

/// A process that forwards to a cluster. Its client port is bound, and its directory locked.
#[derive(Debug)]
pub(crate) struct Proxy {
    config: Arc<Config>,
    seed: [u8; 32],
    rng: Rng,
    record: Record,
    source: Source,
    asking: Option<Asking>,
    endpoints: Endpoints,
    routes: Routes,
    /// Whether it was said that nobody answers.
    silent: bool,
    /// How it ends, once it does.
    pub(crate) exit: Option<Exit>,
}

/// What the data directory says about the proxy.
#[derive(Debug)]
enum Record {
    /// It is read. These are known already.
    Reading(Ticket, Vec<Url>),
    /// There is none, since no member is known.
    Absent,
    /// It gets this content.
    Writing(Replace, Vec<Url>),
    /// It has this content.
    Written(Vec<Url>),
}

impl Proxy {
    /// Begins, with the members that are known: those for which there was no place, or none.
    pub(crate) fn new(
        config: Arc<Config>,
        seed: [u8; 32],
        members: &InitialCluster,
        fx: &mut Effects<'_>,
    ) -> Self {
        let ticket = fx.script.ticket();
        fx.script.push(Op::Read { path: PROXY.into(), ticket });
        let mut proxying = config.proxying;
        if proxying.mode == Mode::Off {
            proxying.mode = Mode::On;
        }
        let routes = Routes { proxying, available: Vec::new(), down: Vec::new() };
        fx.out.push(Output::Route(Arc::new(routes.clone())));
        Self {
            rng: Rng::new(seed, Stream::Proxy),
            record: Record::Reading(ticket, urls(members)),
            source: Source::Nothing,
            asking: None,
            endpoints: Endpoints::default(),
            routes,
            silent: false,
            exit: None,
            config,
            seed,
        }
    }

    /// Time has passed.
    pub(crate) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) {
        self.source.wake(now, fx);
        let asked = self.asking.as_mut().and_then(|asking| asking.ask(now, || fx.call()));
        let looked = self.source.ask(now, || fx.call());
        let calls = asked.into_iter().chain(looked);
        fx.out.extend(calls.map(|(call, request)| Output::Http { call, request }));
        if self.endpoints.revive(now) {
            self.publish(fx);
        }
    }

    /// When it has to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let asking = self.asking.as_ref().and_then(Asking::deadline);
        let deadlines = [asking, self.source.deadline(), self.endpoints.next_revival()];
        deadlines.into_iter().flatten().min()
    }

    /// A disk operation has ended.
    pub(crate) fn disk(&mut self, now: Instant, done: Done, fx: &mut Effects<'_>) {
        let ended = match core::mem::replace(&mut self.record, Record::Absent) {
            Record::Reading(ticket, told) if ticket == done.ticket => {
                self.read(now, done.result, told, fx)
            }
            Record::Writing(mut file, content) => match done.result {
                Ok(_) if file.done(done.ticket, fx.script) => {
                    self.record = Record::Written(content);
                    self.write(fx);
                    Ok(())
                }
                Ok(_) => {
                    self.record = Record::Writing(file, content);
                    Ok(())
                }
                Err(error) => Err(self.unusable(&error)),
            },
            record => {
                self.record = record;
                Ok(())
            }
        };
        if let Err(refusal) = ended {
            self.exit = Some(Exit::Refused(refusal));
        }
    }

    fn read(
        &mut self,
        now: Instant,
        result: Result<Found, DiskError>,
        told: Vec<Url>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        match result {
            Ok(Found::Bytes(file)) => {
                let known = record::decode(&file)?;
                self.record = Record::Written(known.clone());
                // It goes by what the directory has; whatever the flags say can only help.
                self.source = Source::read(&self.config).unwrap_or(Source::Nothing);
                fx.note(Note::ProxyAgain { data_dir: self.config.data_dir.clone() });
                self.ask_from_now_on(now, known);
                Ok(())
            }
            Err(error) if error.kind != DiskErrorKind::NotFound => Err(self.unusable(&error)),
            _ => {
                self.source = Source::read(&self.config)?;
                let rng = Rng::new(self.seed, Stream::Boot);
                let known = if told.is_empty() {
                    self.source.look(&self.config, now, rng, fx)
                } else {
                    Some(told)
                };
                if let Some(known) = known {
                    self.found(now, known, fx);
                }
                Ok(())
            }
        }
    }

    /// Members were found outside of the cluster.
    fn found(&mut self, now: Instant, peers: Vec<Url>, fx: &mut Effects<'_>) {
        fx.note(Note::ProxyPeers { peers: peers.clone() });
        match &mut self.asking {
            Some(asking) => asking.add(peers, now),
            None => self.ask_from_now_on(now, peers),
        }
        self.write(fx);
    }

    fn ask_from_now_on(&mut self, now: Instant, peers: Vec<Url>) {
        let interval = self.config.proxying.refresh_interval;
        self.asking = Some(Asking::new(peers, interval, now));
    }

    /// Keeps in the data directory whom it asks.
    fn write(&mut self, fx: &mut Effects<'_>) {
        let Some(asking) = &self.asking else { return };
        let peers = asking.peers();
        let same = match &self.record {
            Record::Written(content) => sorted(content) == sorted(peers),
            Record::Absent => false,
            // What has changed meanwhile is written behind it.
            Record::Reading(..) | Record::Writing(..) => true,
        };
        if !same {
            self.record = Record::Writing(record::write(peers, fx.script), peers.to_vec());
        }
    }

    /// A call has ended.
    pub(crate) fn http(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) {
        if let Some(asking) = self.asking.as_mut().filter(|asking| asking.owns(call)) {
            let urgent = self.endpoints.all_down();
            let heard = asking.answered(now, call, result, urgent);
            return self.heard(now, heard, fx);
        }
        let looked = self.source.answered(now, call, result, |note| fx.note(note));
        self.looked(now, looked, fx);
    }

    /// A look-up has ended.
    pub(crate) fn dns(
        &mut self,
        now: Instant,
        call: CallId,
        answer: dns::Answer,
        fx: &mut Effects<'_>,
    ) {
        let looked = self.source.looked_up(now, call, answer, fx);
        self.looked(now, looked, fx);
    }

    fn looked(&mut self, now: Instant, looked: Looked, fx: &mut Effects<'_>) {
        match looked {
            Looked::Nothing => {}
            Looked::Peers(peers) => self.found(now, peers, fx),
            // A proxy that has served before goes on asking whom it knows.
            Looked::Refused(_) if self.asking.is_some() => {}
            Looked::Refused(refusal) => self.exit = Some(Exit::Refused(refusal)),
        }
    }

    fn heard(&mut self, now: Instant, heard: Heard, fx: &mut Effects<'_>) {
        match heard {
            Heard::Nothing => {}
            Heard::Members(members) => {
                self.silent = false;
                let found = self.client_urls(&members);
                if self.endpoints.set(found.clone(), &mut self.rng) {
                    fx.note(Note::ProxyEndpoints { found });
                }
                self.publish(fx);
                self.write(fx);
            }
            Heard::Nobody(cause) => {
                if !self.silent {
                    self.silent = true;
                    fx.note(Note::ProxySilence { cause });
                }
                let rng = Rng::new(self.seed, Stream::Boot);
                if self.endpoints.all_down()
                    && let Some(peers) = self.source.look(&self.config, now, rng, fx)
                    && let Some(asking) = &mut self.asking
                {
                    asking.add(peers, now);
                }
            }
        }
    }

    fn client_urls(&self, members: &[Member]) -> Vec<Url> {
        let texts = members.iter().flat_map(|member| &member.client_urls);
        texts
            .filter_map(|text| Url::parse(text).ok())
            .filter(|url| !leads_here(url, &self.config.listen_client_urls))
            .collect()
    }

    /// A request could not be forwarded to a member.
    pub(crate) fn failed(&mut self, now: Instant, url: &Url, fx: &mut Effects<'_>) {
        if self.endpoints.failed(url, now, self.config.proxying.failure_wait) {
            self.publish(fx);
        }
        if self.endpoints.all_down()
            && let Some(asking) = &mut self.asking
        {
            asking.soon(now);
        }
    }

    fn publish(&mut self, fx: &mut Effects<'_>) {
        let (available, down) = self.endpoints.split();
        let routes = Routes { proxying: self.routes.proxying, available, down };
        if routes != self.routes {
            self.routes = routes;
            fx.out.push(Output::Route(Arc::new(self.routes.clone())));
        }
    }

    fn unusable(&self, error: &DiskError) -> Refusal {
        crate::boot::unusable_directory(&self.config.data_dir, error)
    }
}

fn sorted(urls: &[Url]) -> Vec<&Url> {
    let mut urls: Vec<&Url> = urls.iter().collect();
    urls.sort_unstable();
    urls
}
