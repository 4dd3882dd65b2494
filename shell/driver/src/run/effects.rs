//! Carrying out what the node asks for.

use std::future::Future;
use std::sync::Arc;

use quorate_core::disk::Op;
use quorate_core::dns::Query;
use quorate_core::http::Call;
use quorate_core::node::{CallId, Exit, Input, LinkEvent, ListenError, Output, Task};
use quorate_core::raft::Message;
use quorate_core::time::Now;
use quorate_core::tls::Role;
use quorate_core::url::Url;

use super::Shared;
use super::inbox::{Ask, Batch};
use super::replies::Replies;
use crate::counted::Counted;
use crate::http::{self, Doors};
use crate::life::Life;
use crate::peer::Links;
use crate::platform::{Disk as _, Platform};
use crate::published::Published;
use crate::{client, log, outcall, peer};

/// Everything outside the node that its outputs reach.
pub(super) struct Effects<P: Platform> {
    platform: P,
    life: Life,
    shared: Shared,
    replies: Replies,
    links: Links<P>,
    disk: P::Disk,
    ops: Vec<Op>,
    news: Vec<Input>,
}

impl<P: Platform> Effects<P> {
    pub(super) fn new(platform: P, life: Life, shared: Shared, disk: P::Disk) -> Self {
        let links = Links::new(platform.clone(), life.clone(), shared.clone());
        let replies = Replies::default();
        let (ops, news) = (Vec::new(), Vec::new());
        Self { platform, life, shared, replies, links, disk, ops, news }
    }

    pub(super) fn into_disk(self) -> P::Disk {
        self.disk
    }

    /// Hands over what came of carrying out outputs, and then a batch: completions first, then the
    /// peers, then the clients. Clients that are gone are left out.
    pub(super) fn admit(&mut self, now: Now, batch: &mut Batch, mut handle: impl FnMut(Input)) {
        let counted = &self.shared.counted;
        for input in self.news.drain(..) {
            count(counted, now, &input);
            handle(input);
        }
        for input in batch.control.drain(..) {
            // A client that has its answer is gone for the node as well.
            let stale = matches!(input, Input::Gone { id } if !self.replies.forget(id));
            if !stale {
                count(counted, now, &input);
                handle(input);
            }
        }
        for (message, said) in batch.peers.drain(..) {
            counted.received(now, &message);
            handle(Input::Peer { message, said });
        }
        for Ask { id, request, reply } in batch.clients.drain(..) {
            if self.replies.admit(id, reply) {
                handle(Input::Client { id, request });
            }
        }
    }

    /// Whether carrying out outputs has brought inputs.
    pub(super) const fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Whether parts of answers wait for the next turn.
    pub(super) fn has_late(&self) -> bool {
        self.replies.has_late()
    }

    /// Carries out all outputs in order; ends with the exit if one of them is the halt. The disk
    /// gets its operations in one batch at the end, and nothing here waits for them.
    pub(super) fn perform(&mut self, now: Now, outputs: &mut Vec<Output>) -> Option<Exit> {
        let mut exit = None;
        self.replies.begin_turn(&mut self.news);
        for output in outputs.drain(..) {
            match output {
                Output::Halt(halt) => {
                    exit = Some(halt);
                    break;
                }
                other => self.carry_out(now, other),
            }
        }
        if !self.ops.is_empty() {
            self.disk.submit(std::mem::take(&mut self.ops));
        }
        if exit.is_some() {
            self.replies.flush();
        }
        exit
    }

    fn carry_out(&mut self, now: Now, output: Output) {
        match output {
            Output::Send(message) => {
                self.shared.counted.sent(now, &message);
                self.send(message);
            }
            Output::Reply { id, response, last } => {
                self.news.extend(self.replies.pass(id, *response, last));
            }
            Output::Disk(op) => {
                self.shared.counted.began(now, &op);
                self.ops.push(op);
            }
            Output::Http { call, request } => self.call(call, request),
            Output::Dns { call, query } => self.look_up(call, query),
            Output::Compute { call, task } => self.compute(call, task),
            Output::Listen { peer, client } => self.listen(peer, client),
            Output::Peers(peers) => self.links.set(peers),
            Output::Route(routes) => self.shared.published.route(routes),
            Output::Publish(view) => self.shared.published.publish(view),
            Output::Note(note) => {
                self.shared.counted.note(now, &note);
                log::note(&note);
            }
            // `perform` ends at it.
            Output::Halt(_) => {}
        }
    }

    fn send(&mut self, message: Message) {
        let peer = message.to;
        if let Err(event) = self.links.send(message) {
            self.news.push(Input::Link { peer, event });
        }
    }

    fn call(&self, call: CallId, request: Call) {
        let (platform, life) = (self.platform.clone(), self.life.clone());
        self.report(async move {
            let result = outcall::call(&platform, &life, request).await;
            Input::Http { call, result }
        });
    }

    fn look_up(&self, call: CallId, query: Query) {
        let platform = self.platform.clone();
        self.report(async move { Input::Dns { call, answer: platform.resolve(query).await } });
    }

    fn compute(&self, call: CallId, task: Task) {
        let platform = self.platform.clone();
        self.report(async move { Input::Computed { call, result: platform.compute(task).await } });
    }

    fn listen(&self, peer: Vec<Url>, client: Vec<Url>) {
        let (platform, life) = (self.platform.clone(), self.life.clone());
        let peer_port = self.links.port();
        let published = Arc::clone(&self.shared.published);
        let client_port = client::Port::new(platform.clone(), life.clone(), self.shared.clone());
        if let Some(desk) = client_port.desk().cloned() {
            let sweep = desk.sweep(self.platform.clone(), client_port.clone());
            self.life.spawn(&self.platform, sweep);
        }
        self.report(async move {
            let (peer, client) = ((peer, peer_port), (client, client_port));
            let result = listen(&platform, &life, &published, peer, client).await;
            Input::Listening { result }
        });
    }

    /// Runs a task whose end is an input.
    fn report(&self, task: impl Future<Output = Input> + Send + 'static) {
        let control = self.shared.mailbox.control.clone();
        self.life.spawn(&self.platform, async move {
            // Nobody listens once the node has halted.
            let _ = control.send(task.await);
        });
    }
}

/// Counts what an input says of the disk or of a peer.
fn count(counted: &Counted, now: Now, input: &Input) {
    match input {
        Input::Disk(done) => counted.ended(now, done),
        Input::Link { peer, event: LinkEvent::Unreachable } => counted.lost(*peer),
        _ => {}
    }
}

/// Binds everything before anything is served, so that a port that is taken is found first. The
/// addresses for peers are free again once this turns out to be a proxy.
async fn listen<P: Platform>(
    platform: &P,
    life: &Life,
    published: &Arc<Published>,
    (peer_urls, peer_port): (Vec<Url>, peer::Port<P>),
    (client_urls, client_port): (Vec<Url>, client::Port<P>),
) -> Result<(), ListenError> {
    let peers = bind(platform, &peer_urls, Role::Peer).await?;
    let clients = bind(platform, &client_urls, Role::Client).await?;
    let doors = Doors::new(peer::DOOR);
    for listener in peers {
        let serve = http::listen(
            platform.clone(),
            life.clone(),
            listener,
            doors.clone(),
            peer_port.clone(),
        );
        let published = Arc::clone(published);
        life.spawn(platform, async move {
            tokio::select! {
                biased;
                () = serve => {}
                () = published.forwards() => {}
            }
        });
    }
    let doors = Doors::new(client_port.door());
    for listener in clients {
        let serve = http::listen(
            platform.clone(),
            life.clone(),
            listener,
            doors.clone(),
            client_port.clone(),
        );
        life.spawn(platform, serve);
    }
    Ok(())
}

/// Binds all of `urls`.
pub(crate) async fn bind<P: Platform>(
    platform: &P,
    urls: &[Url],
    role: Role,
) -> Result<Vec<P::Listener>, ListenError> {
    let mut bound = Vec::new();
    for url in urls {
        bound.extend(platform.bind(url, role).await?);
    }
    Ok(bound)
}
