//! The model of a discovery service behind HTTP, on the machine of the clients, which is never
//! struck. What goes wrong with it goes wrong in the model, or with single calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use quorate_core::http::{Answer, Call, Method};
use quorate_core::tls::Role;
use quorate_shell::http::Io;
use quorate_shell::{Listener as _, Pending as _, Platform as _};
use tokio::sync::Notify;

use super::super::platform::Simulated;
use super::super::sleep::Sleep;
use super::super::state::{MS, State, World};
use super::super::tcp::Bound;
use crate::members::CLIENT_PORT;
use crate::outside::discovery::{Discovery, Served};

/// The model, and what HTTP needs besides.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) discovery: Discovery,
    /// Answers to calls that waited, by the model's numbers for them.
    woken: BTreeMap<u64, Answer>,
    /// Told when there are new ones.
    news: Arc<Notify>,
}

impl Model {
    pub(super) fn new(discovery: Discovery) -> Self {
        Self { discovery, woken: BTreeMap::new(), news: Arc::default() }
    }
}

/// A call of which its caller hears nothing.
#[derive(Debug, thiserror::Error)]
#[error("the call is lost")]
struct Lost;

/// Serves whoever calls.
pub(super) async fn serve(platform: Simulated) {
    let bound = Bound::new(&platform.world, platform.process, CLIENT_PORT, false);
    let Some(mut port) = bound else { return };
    while let Ok(accepted) = port.accept().await {
        let Ok((stream, _)) = accepted.establish().await else { continue };
        let world = platform.world.clone();
        let answer = service_fn(move |request| answer(world.clone(), request));
        platform.spawn(async move {
            // Whoever called notices what becomes of the connection.
            let _ = http1::Builder::new().serve_connection(Io::new(stream), answer).await;
        });
    }
}

async fn answer(world: World, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let method = match head.method {
        hyper::Method::GET => Method::Get,
        hyper::Method::PUT => Method::Put,
        _ => Method::Other,
    };
    let call = Call {
        method,
        url: head.uri.to_string(),
        headers: Vec::new(),
        body,
        timeout: Duration::MAX,
        role: Role::Public,
        via: None,
    };
    let served = world.lock().serve(&call)?;
    let answer = match served {
        Served::Answered(answer, late_ms) => {
            Sleep::new(world.clone(), late_ms * MS).await;
            answer
        }
        Served::Lost => std::future::pending().await,
        Served::Waits(number) => wait(&world, number).await,
    };
    let response = response(answer);
    if world.lock().loses_call() { Err(Lost) } else { Ok(response) }
}

async fn wait(world: &World, number: u64) -> Answer {
    let news = Arc::clone(&world.lock().service.model.news);
    loop {
        let mut told = std::pin::pin!(news.notified());
        told.as_mut().enable();
        if let Some(answer) = world.lock().service.model.woken.remove(&number) {
            return answer;
        }
        told.await;
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status of the model");
    for (name, value) in answer.headers {
        let name = HeaderName::try_from(name).expect("a name of the model");
        let value = HeaderValue::try_from(value).expect("a value of the model");
        response.headers_mut().append(name, value);
    }
    response
}

impl State {
    /// A call reaches the service, or is lost on its way.
    fn serve(&mut self, call: &Call) -> Result<Served, Lost> {
        if self.loses_call() {
            return Err(Lost);
        }
        let Model { discovery, woken, news } = &mut self.service.model;
        let served = discovery.serve(call);
        let ready = discovery.woken();
        if !ready.is_empty() {
            woken.extend(ready);
            news.notify_waiters();
        }
        Ok(served)
    }

    fn loses_call(&mut self) -> bool {
        let lost = self.healthy.is_none() && self.chances.network.hit(self.options().http_fail_ppm);
        self.stats.http_failed += u64::from(lost);
        lost
    }
}
