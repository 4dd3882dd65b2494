//! Forwarding requests to members, in place of answering them.
//!
//! Which members are tried, and whether a request may go to another one, is decided by
//! [`quorate_core::proxy`]; the bodies are piped through here as they come.

mod pipe;

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use quorate_core::http::Head;
use quorate_core::node::Input;
use quorate_core::proxy::{
    Decision, FORWARDED_FOR, Routes, forwarded_for, may_ask_another, passes_on,
};
use quorate_core::tls::Role;
use quorate_core::url::Url;
use tracing::debug;

use crate::client::convert::response;
use crate::http::{Body, Connection, authority};
use crate::life::Life;
use crate::platform::{Caller, Endpoint, Platform};
use crate::run::Mailbox;
use pipe::{Pipe, Stall};

/// Forwards requests.
#[derive(Clone)]
pub(crate) struct Forwarder<P: Platform> {
    pub(crate) platform: P,
    pub(crate) life: Life,
    pub(crate) mailbox: Mailbox,
}

/// What came of one member.
enum Tried {
    Answered(Response<Body>),
    /// It could not be connected to: the request is still here.
    NotSent(Request<Body>),
    /// It broke off, or took too long; the request is gone.
    Lost,
}

impl<P: Platform> Forwarder<P> {
    /// Answers a request of a client with what a member answers.
    pub(crate) async fn forward(
        &self,
        routes: &Arc<Routes>,
        head: &Head,
        caller: &Caller,
        mut parts: Parts,
        body: Incoming,
    ) -> Response<Body> {
        let urls = match routes.decide(head) {
            Decision::Answer(reply) => return response(reply),
            Decision::Forward(urls) => urls,
        };
        say_for_whom(&mut parts.headers, caller);
        let has_body = !body.is_end_stream();
        let again = may_ask_another(head.method, has_body);
        let stall = Stall::default();
        let body = Pipe::new(self.platform.clone(), body, routes.proxying.read_timeout);
        let mut request = Some(request(&parts, body.watched(&stall)));
        let mut tried = 0;
        for url in &urls {
            let Some(asked) = request.take().or_else(|| again.then(|| self.again(&parts))) else {
                break;
            };
            tried += 1;
            match self.attempt(routes, url, asked, &stall).await {
                Tried::Answered(answer) => return answer,
                Tried::NotSent(unsent) => request = Some(unsent),
                Tried::Lost => {}
            }
            let _ = self.mailbox.control.send(Input::EndpointFailed { endpoint: url.clone() });
        }
        response(Routes::nobody_answered(tried))
    }

    /// The request once more; it had no body.
    fn again(&self, parts: &Parts) -> Request<Body> {
        request(parts, Body::empty())
    }

    async fn attempt(
        &self,
        routes: &Routes,
        url: &Url,
        mut request: Request<Body>,
        stall: &Stall,
    ) -> Tried {
        let limits = routes.proxying;
        let endpoint = Endpoint::of(url, Role::Peer);
        let host = HeaderValue::try_from(authority(url.host(), url.port()));
        let connected =
            Connection::open(&self.platform, &self.life, &endpoint, limits.dial_timeout).await;
        let (Ok(mut connection), Ok(host)) = (connected, host) else {
            debug!(%url, "cannot connect to a member");
            return Tried::NotSent(request);
        };
        request.headers_mut().insert(HOST, host);
        let late = async {
            match limits.read_timeout {
                Some(timeout) => self.platform.sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            biased;
            answered = connection.send(request) => answered,
            () = stall.lasts(&self.platform, limits.write_timeout) => {
                Err("the request could not be sent in time".to_owned())
            }
            () = late => Err("no answer came in time".to_owned()),
        };
        match answered {
            Ok(answer) => Tried::Answered(self.pass_back(routes, answer, connection)),
            Err(cause) => {
                debug!(%url, cause, "a member gave no answer");
                Tried::Lost
            }
        }
    }

    fn pass_back(
        &self,
        routes: &Routes,
        answer: Response<Incoming>,
        connection: Connection,
    ) -> Response<Body> {
        let (parts, body) = answer.into_parts();
        let pipe = Pipe::new(self.platform.clone(), body, routes.proxying.read_timeout);
        let mut response = Response::new(pipe.over(connection));
        *response.status_mut() = parts.status;
        *response.headers_mut() = passed_on(&parts.headers);
        response
    }
}

fn request(parts: &Parts, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    if let Some(path) = parts.uri.path_and_query() {
        *request.uri_mut() = path.clone().into();
    }
    *request.headers_mut() = passed_on(&parts.headers);
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    request
}

fn say_for_whom(headers: &mut HeaderMap, caller: &Caller) {
    let Some(client) = caller.address else { return };
    let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    if let Ok(value) = HeaderValue::try_from(forwarded_for(before, client)) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// The headers that go on.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let connection = || headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut passed = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if passes_on(name.as_str(), connection()) {
            passed.append(name, value.clone());
        }
    }
    passed
}
