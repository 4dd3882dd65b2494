//! The front door of the client port: which resource a request is about.

use alloc::string::String;

use super::auth;
use super::form;
use super::health;
use super::keys::Target;
use super::machines;
use super::members::{self, change};
use super::path;
use super::progress;
use super::reply;
use super::stats;
use super::version;
use crate::backup::ask as backup;
use crate::http::{Head, Method, Reply};
use crate::view::View;

/// What is to be done about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Answer this.
    Reply(Reply),
    /// Read the body if the target says so, then [`keys::parse`](super::keys::parse).
    Keys(Target),
    /// Read the body if the target says so, then [`change::parse`].
    Members(change::Target),
    /// Answer [`Resource::reply`]; the body does not matter.
    Resource(Resource),
    /// Read the body if the target says so, then [`auth::parse`].
    Auth(auth::Target),
    /// Answer [`stats::Resource::reply`].
    Stats(stats::Resource),
    /// Read the body, then [`log_level::parse`](super::log_level::parse).
    LogLevel,
    /// Answer [`variables::reply`](super::variables::reply).
    Variables,
    /// Answer what is measured, as text for Prometheus.
    Metrics,
    /// Answer [`progress::reply`].
    Progress,
    /// Answer a [backup](crate::backup), to root only.
    Backup,
}

/// A resource that is answered from the view alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `GET /v2/members`
    Members,
    /// `GET /v2/members/leader`
    Leader,
    /// `GET /v2/members/` and anything else
    UnknownMember,
    /// `PUT` and `DELETE /v2/members`, which lack an ID
    NoMember,
    /// `/v2/machines`
    Machines,
    /// `/version`
    Version,
    /// `/health`
    Health,
}

impl Resource {
    /// The answer.
    pub fn reply(self, view: &View) -> Reply {
        match self {
            Self::Members => members::list(view),
            Self::Leader => members::leader(view),
            Self::UnknownMember => members::unknown(view),
            Self::NoMember => members::without_id(view),
            Self::Machines => machines::list(view),
            Self::Version => version::reply(view),
            Self::Health => health::reply(view),
        }
    }
}

/// Finds out what a request to the client port is about, from its method and path alone.
///
/// Paths are judged after decoding. One that is not clean is redirected to where it leads.
pub fn route(head: &Head) -> Route {
    let Ok(path) = path::decode(head.path.as_bytes()) else {
        return Route::Reply(reply::text(400, "400 Bad Request"));
    };
    if head.method == Method::Options {
        return Route::Reply(Reply { status: 200, headers: [].into(), body: [].as_slice().into() });
    }
    if let Some(clean) = path::clean(&path) {
        return Route::Reply(redirect(head, &clean));
    }
    if let Some(key) = below(&path, b"/v2/keys") {
        return keys(head, key);
    }
    if let Some(id) = below(&path, b"/v2/members") {
        return members(head.method, id);
    }
    if let Some(rest) = below(&path, b"/v2/auth") {
        return match auth::Target::find(rest) {
            Ok((target, allowed)) => only(head.method, allowed, Route::Auth(target)),
            Err(refused) => Route::Reply(refused),
        };
    }
    match &*path {
        b"/v2/machines" => {
            only(head.method, &[Method::Get, Method::Head], Route::Resource(Resource::Machines))
        }
        b"/version" => only(head.method, &[Method::Get], Route::Resource(Resource::Version)),
        b"/v2/stats/self" => only(head.method, &[Method::Get], Route::Stats(stats::Resource::Own)),
        b"/v2/stats/leader" => {
            only(head.method, &[Method::Get], Route::Stats(stats::Resource::Leader))
        }
        b"/v2/stats/store" => {
            only(head.method, &[Method::Get], Route::Stats(stats::Resource::Store))
        }
        b"/config/local/log" => only(head.method, &[Method::Put], Route::LogLevel),
        b"/debug/vars" => only(head.method, &[Method::Get], Route::Variables),
        b"/metrics" => only(head.method, &[Method::Get, Method::Head], Route::Metrics),
        b"/health" => only(head.method, &[Method::Get], Route::Resource(Resource::Health)),
        path if path == progress::PATH.as_bytes() => {
            only(head.method, &[Method::Get], Route::Progress)
        }
        path if path == backup::PATH.as_bytes() => only(head.method, &[Method::Get], Route::Backup),
        _ => Route::Reply(reply::not_found()),
    }
}

fn redirect(head: &Head, clean: &[u8]) -> Reply {
    let mut location: String = path::encode(clean);
    if !head.query.is_empty() {
        location.push('?');
        location.push_str(&head.query);
    }
    reply::moved(head.method, &location)
}

fn keys(head: &Head, key: &[u8]) -> Route {
    const ALLOWED: [Method; 5] =
        [Method::Head, Method::Get, Method::Put, Method::Post, Method::Delete];
    if !ALLOWED.contains(&head.method) {
        return Route::Reply(reply::method_not_allowed(&ALLOWED));
    }
    Route::Keys(Target::new(key, form::has_body(head)))
}

fn members(method: Method, id: &[u8]) -> Route {
    const ALLOWED: [Method; 4] = [Method::Get, Method::Post, Method::Delete, Method::Put];
    if !ALLOWED.contains(&method) {
        return Route::Reply(reply::method_not_allowed(&ALLOWED));
    }
    match (method, id) {
        (Method::Get, b"" | b"/") => Route::Resource(Resource::Members),
        (Method::Get, b"/leader") => Route::Resource(Resource::Leader),
        (Method::Get, _) => Route::Resource(Resource::UnknownMember),
        (Method::Put | Method::Delete, b"" | b"/") => Route::Resource(Resource::NoMember),
        _ => {
            let id = id.strip_prefix(b"/").unwrap_or(id);
            change::Target::new(method, id)
                .map_or_else(|| Route::Reply(reply::not_found()), Route::Members)
        }
    }
}

fn only(method: Method, allowed: &[Method], route: Route) -> Route {
    if allowed.contains(&method) { route } else { Route::Reply(reply::method_not_allowed(allowed)) }
}

/// What follows `root` in the path: nothing, or something that begins with a slash.
fn below<'a>(path: &'a [u8], root: &[u8]) -> Option<&'a [u8]> {
    path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests;
