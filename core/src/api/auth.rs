//! `/v2/auth`: users, roles, and whether they count.

pub mod change;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::json::Writer;
use super::reply;
use crate::auth::{Access, Auth, ROOT_NAME, Role, User};
use crate::http::{Head, Method, Reply};
use crate::view::View;

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 1 << 20;

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `/v2/auth/enable`
    Enable,
    /// `/v2/auth/users`
    Users,
    /// `/v2/auth/users/…`
    User(String),
    /// `/v2/auth/roles`
    Roles,
    /// `/v2/auth/roles/…`
    Role(String),
}

/// What is to be done about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Answer this.
    Read(Reply),
    /// Carry this out, step by step.
    Change(Box<change::Change>),
}

impl Target {
    /// What the path behind `/v2/auth` is about, and with which methods.
    ///
    /// # Errors
    /// The answer to a path that is about nothing.
    pub(crate) fn find(path: &[u8]) -> Result<(Self, &'static [Method]), Reply> {
        const READ: &[Method] = &[Method::Get];
        const ALL: &[Method] = &[Method::Get, Method::Put, Method::Delete];
        let path = str::from_utf8(path).map_err(|_| reply::not_found())?;
        let (list, make): (_, fn(String) -> Self) = match path.split('/').nth(1) {
            Some("enable") if path == "/enable" => return Ok((Self::Enable, ALL)),
            Some("users") => (Self::Users, Self::User),
            Some("roles") => (Self::Roles, Self::Role),
            _ => return Err(reply::not_found()),
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        match *path.split('/').collect::<Vec<_>>() {
            [_, _] => Ok((list, READ)),
            [_, _, name] => Ok((make(name.into()), ALL)),
            _ => Err(reply::message(400, "Invalid path")),
        }
    }

    /// What the client has to be allowed to do; nothing where everybody may ask.
    pub fn access(&self, method: Method) -> Option<Access<'static>> {
        (*self != Self::Enable || method != Method::Get).then_some(Access::Root)
    }

    /// Whether the body has to be read, up to [`BODY_LIMIT`] bytes.
    pub fn reads_body(&self, method: Method) -> bool {
        method == Method::Put && matches!(self, Self::User(_) | Self::Role(_))
    }
}

/// The answer to who is not allowed to do what they ask for, where it is about no key.
pub fn refused() -> Reply {
    reply::message(401, "Insufficient credentials")
}

/// The answer when so many passwords wait to be verified that no further one is taken.
pub fn busy() -> Reply {
    reply::message(503, "too many passwords wait to be verified")
}

/// Reads a request. `salt` are random bytes of the platform's entropy.
pub fn parse(head: &Head, target: &Target, body: &[u8], view: &View, salt: [u8; 32]) -> Parsed {
    if view.cluster.version.is_none() {
        let words = "Not capable of accessing auth feature during rolling upgrades.";
        return Parsed::Read(reply::message(500, words));
    }
    if head.method == Method::Get {
        return Parsed::Read(reply::with_cluster(read(target, &view.auth), view.cluster_id));
    }
    match change::Change::read(head.method, target, body, salt) {
        Ok(change) => Parsed::Change(Box::new(change)),
        Err(refused) => Parsed::Read(reply::with_cluster(refused, view.cluster_id)),
    }
}

fn read(target: &Target, auth: &Auth) -> Reply {
    let mut body = Writer::default();
    match target {
        Target::Enable => body.object(|fields| fields.bool("enabled", auth.enabled)),
        Target::Users => body.object(|fields| {
            let users = auth.users.values().map(|stored| &stored.value);
            match auth.users.is_empty() {
                true => fields.null("users"),
                false => fields.value("users", |w| w.array(users, |w, user| listed(w, user, auth))),
            }
        }),
        Target::User(name) => {
            let Some(user) = auth.user(name) else { return no_user(name) };
            let mut roles = user.roles.iter().flatten();
            if let Some(gone) = roles.find(|role| auth.role(role).is_none()) {
                return no_role(gone);
            }
            listed(&mut body, user, auth);
        }
        Target::Roles => {
            let mut names: Vec<&str> = auth.roles.keys().map(String::as_str).collect();
            names.push(ROOT_NAME);
            names.sort_unstable();
            let roles = names.into_iter().filter_map(|name| auth.role(name));
            body.object(|fields| {
                fields.value("roles", |w| w.array(roles, |w, role: Role| role.write(w)));
            });
        }
        Target::Role(name) => {
            let Some(role) = auth.role(name) else { return no_role(name) };
            role.write(&mut body);
        }
    }
    reply::json(200, body.finish_line())
}

/// A user with whole roles; those that are gone are left out.
fn listed(writer: &mut Writer, user: &User, auth: &Auth) {
    let roles = user.roles.iter().flatten().filter_map(|name| auth.role(name));
    let roles: Vec<Role> = roles.collect();
    writer.object(|fields| {
        fields.string("user", user.user.as_bytes());
        if !roles.is_empty() {
            fields.value("roles", |w| w.array(&roles, |w, role| role.write(w)));
        }
    });
}

/// A failure in the words of etcd's store of users.
fn failure(status: u16, words: &str) -> Reply {
    reply::message(status, &alloc::format!("auth: {words}"))
}

fn no_user(name: &str) -> Reply {
    failure(404, &alloc::format!("User {name} does not exist."))
}

fn no_role(name: &str) -> Reply {
    failure(404, &alloc::format!("Role {name} does not exist."))
}
