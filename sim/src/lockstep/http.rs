//! What nodes ask of other servers, and of the name service.

use quorate_core::api::{Request, Response};
use quorate_core::dns::Query;
use quorate_core::http::{Answer, Call};
use quorate_core::node::{CallId, Input, LinkEvent};
use quorate_core::url::Url;

use super::event::{Event, Process, To};
use super::world::{MS, World};
use crate::machine::{Machine, Served as At};
use crate::members::{DISCOVERY, host_number};
use crate::outside::discovery::Served;

fn is_discovery(request: &Call) -> bool {
    request.url.split('/').nth(2).is_some_and(|place| place.starts_with(DISCOVERY))
}

/// Whether somebody is asked for the members.
fn asks_members(request: &Call) -> bool {
    request.url.split('?').next().is_some_and(|url| url.ends_with("/members"))
}

/// How long a resolver tries, in nanoseconds.
const RESOLVER_TIMEOUT: u64 = 5000 * MS;

impl<M: Machine> World<M> {
    /// A node makes a call.
    pub(super) fn call(&mut self, process: Process, call: CallId, request: Call) {
        let members = self.hosts.len();
        let base = request.url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let to = Url::parse(&base).ok().and_then(|url| host_number(url.host(), members));
        let (wait, _) = self.network.delay(&mut self.chances.network);
        if asks_members(&request) {
            self.oracles.asks_members(process.host, call);
        } else if request.url.ends_with("/version") {
            self.oracles.asks_version(process.host);
        }
        let request = Box::new(request);
        self.queue.push(self.time + wait, Event::Call { from: process, to, call, request });
    }

    /// A call reaches the server that it is for, or fails on the way there or back.
    pub(super) fn serve_call(
        &mut self,
        from: Process,
        to: Option<usize>,
        call: CallId,
        request: &Call,
    ) {
        let (wait, _) = self.network.delay(&mut self.chances.network);
        let timeout = u64::try_from(request.timeout.as_nanos()).unwrap_or(u64::MAX / 4);
        let lost = self.loses_call();
        let cut = to.is_some_and(|to| self.network.is_cut(from.host, to))
            || to.is_some_and(|to| self.network.is_cut(to, from.host));
        let breaks = lost && is_discovery(request) && wait <= timeout;
        let (result, wait) = if breaks && self.chances.network.coin() {
            self.stats.http_failed += 1;
            (Err("connection reset".to_owned()), wait)
        } else if lost || cut || wait > timeout {
            self.stats.http_failed += 1;
            (Err("timed out".to_owned()), timeout)
        } else if is_discovery(request) {
            return self.discover(from, call, request, wait);
        } else {
            match self.serve_at(from, to, call, request) {
                Err(cause) => (Err(cause), wait),
                Ok(At::Answer(answer)) => (Ok(answer), wait),
                // A node that was answered before hears nothing of this.
                Ok(At::Confirm) => (Err("timed out".to_owned()), timeout),
            }
        };
        let input = Box::new(Input::Http { call, result });
        self.queue.push(self.time + wait, Event::Input(from, input));
    }

    fn loses_call(&mut self) -> bool {
        self.healthy.is_none() && self.chances.network.hit(self.options.http_fail_ppm)
    }

    /// A call reaches the discovery service.
    fn discover(&mut self, from: Process, call: CallId, request: &Call, wait: u64) {
        let timeout = u64::try_from(request.timeout.as_nanos()).unwrap_or(u64::MAX / 4);
        let loses = self.loses_call();
        let answered = match self.discovery.serve(request) {
            Served::Answered(..) if loses => Some((Err("timed out".to_owned()), timeout)),
            Served::Answered(answer, late_ms) if wait + late_ms * MS <= timeout => {
                Some((Ok(answer), wait + late_ms * MS))
            }
            Served::Answered(..) | Served::Lost => Some((Err("timed out".to_owned()), timeout)),
            Served::Waits(number) => {
                self.polls.insert(number, (from, call));
                // A node that was answered before hears nothing of this.
                Some((Err("timed out".to_owned()), timeout))
            }
        };
        let woken = self.discovery.woken().into_iter().filter_map(|(number, answer)| {
            self.polls.remove(&number).map(|(from, call)| (from, call, Ok(answer), wait))
        });
        let ends = woken.chain(answered.map(|(result, wait)| (from, call, result, wait)));
        for (process, call, result, wait) in ends {
            let input = Box::new(Input::Http { call, result });
            self.queue.push(self.time + wait, Event::Input(process, input));
        }
    }

    fn serve_at(
        &mut self,
        from: Process,
        to: Option<usize>,
        call: CallId,
        request: &Call,
    ) -> Result<At, String> {
        let to = to.ok_or("no such host")?;
        match self.hosts[to].running.as_ref().filter(|running| running.listening) {
            None => return Err("connection refused".to_owned()),
            Some(running) if running.paused.is_some() => return Err("timed out".to_owned()),
            Some(_) => self.shake_hands(from.host, to)?,
        }
        let running = self.hosts[to].running.as_ref();
        let view = running.and_then(|running| running.view.as_ref()).ok_or("connection reset")?;
        let absent = Answer { status: 404, headers: Vec::new(), body: bytes::Bytes::new() };
        let served = M::serve(view, request).unwrap_or(At::Answer(absent));
        if matches!(served, At::Confirm) {
            self.confirm(to, from, call);
        } else if asks_members(request) && self.current(from.host) == Some(from) {
            self.oracles.said_members(from.host, call, view);
        }
        Ok(served)
    }

    /// A member has a quorum confirm what it answers.
    fn confirm(&mut self, to: usize, from: Process, call: CallId) {
        let (id, asked) = (self.next_request(), self.current(to));
        if let Some(process) = asked
            && let Some(running) = self.hosts[to].process(process)
        {
            running.questions.insert(id, (from, call));
            self.input(process, Input::Client { id, request: Request::Confirm });
        }
    }

    /// A quorum has confirmed the answer of a member, or has not.
    pub(super) fn confirmed(&mut self, from: Process, call: CallId, by: Process, said: &Response) {
        let Some(view) = self.hosts[by.host].process(by).and_then(|r| r.view.clone()) else {
            return;
        };
        if self.current(from.host) == Some(from) {
            self.oracles.said_members(from.host, call, &view);
        }
        let (wait, _) = self.network.delay(&mut self.chances.network);
        let (lost, cut) = (self.loses_call(), self.network.is_cut(by.host, from.host));
        if !lost && !cut {
            let input = Box::new(Input::Http { call, result: Ok(M::confirmed(&view, said)) });
            self.queue.push(self.time + wait, Event::Input(from, input));
        }
    }

    /// A node looks up a name.
    pub(super) fn look_up(&mut self, process: Process, call: CallId, query: &Query) {
        let (answer, wrong) = self.dns.answer(process.host, query);
        if let Some(running) = self.hosts[process.host].process(process) {
            running.reasons.looked_up(wrong);
        }
        self.stats.names_wrong += u64::from(wrong);
        let (delay, _) = self.network.delay(&mut self.chances.network);
        let wait = if self.dns.is_silent(process.host) { RESOLVER_TIMEOUT } else { delay };
        let input = Box::new(Input::Dns { call, answer });
        self.queue.push(self.time + wait, Event::Input(process, input));
    }

    /// Whoever is connected to is told who has done so.
    fn meet(&mut self, met: Process, by: Process) {
        let (Some(peer), Some(own)) = (self.places[by.host].member, self.places[met.host].member)
        else {
            return;
        };
        let said = self.said(by, own);
        self.input(met, Input::Met { peer, said });
    }

    /// News of a connection reaches the node, if it still has that peer.
    pub(super) fn link_news(&mut self, process: Process, to: To, event: LinkEvent) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let peer = to.peer;
        if running.link(to).is_some() {
            self.input(process, Input::Link { peer, event });
            // Only in answer to who is meant can anybody say who it is.
            if event == LinkEvent::Connected
                && self.places[to.host].member == Some(peer)
                && let Some(met) = self.current(to.host)
            {
                if let Some(own) = self.places[process.host].member {
                    let said = self.said(met, own);
                    self.input(process, Input::Met { peer, said });
                }
                self.meet(met, process);
            }
        }
    }
}
