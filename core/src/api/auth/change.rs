//! Changes of users and roles, step by step.
//!
//! A change is more than one write: directories may have to be made, a password to be hashed, and
//! what is written follows from what is there. So a change is a small machine that says what is to
//! be done next and is told what came of it. It begins with a read through the log, so that it
//! builds on everything that was acknowledged at any member. Every write names the version that it
//! replaces; where somebody else was quicker the change begins anew, and nothing is lost, as it can
//! be with etcd.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;

use bytes::Bytes;

use super::{Target, failure, no_role, no_user};
use crate::api::reply;
use crate::api::request::{KeysRequest, Verb};
use crate::api::response::Response;
use crate::auth::{self, Auth, GUEST, ROOT_NAME, Role, RoleForm, User, UserForm};
use crate::http::{Method, Reply};
use crate::node::Task;
use crate::store::Code;
use crate::view::View;

/// How often it begins anew because somebody else was quicker.
const TRIES: u32 = 16;

/// A change under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    wanted: Wanted,
    salt: [u8; 32],
    /// The hash of the password, once it is computed.
    hash: Option<String>,
    /// What is still to be written, and the answer when it is.
    writes: VecDeque<KeysRequest>,
    answer: Option<Reply>,
    tries: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Enable,
    Disable,
    PutUser(UserForm),
    DeleteUser(String),
    PutRole(RoleForm),
    DeleteRole(String),
}

/// What is to be done next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Have the node carry this out, then [`Change::answered`].
    Ask(KeysRequest),
    /// Compute this, then [`Change::hashed`].
    Compute(Task),
    /// Answer this; the change has ended.
    Answer(Reply),
}

impl Change {
    /// What a request wants.
    ///
    /// # Errors
    /// The answer to a body that is none.
    pub(super) fn read(
        method: Method,
        target: &Target,
        body: &[u8],
        salt: [u8; 32],
    ) -> Result<Self, Reply> {
        let puts = method == Method::Put;
        let wanted = match target {
            Target::Enable if puts => Wanted::Enable,
            Target::Enable => Wanted::Disable,
            Target::User(name) if puts => Wanted::PutUser(user_form(name, body)?),
            Target::User(name) => Wanted::DeleteUser(name.clone()),
            Target::Role(name) if puts => Wanted::PutRole(role_form(name, body)?),
            Target::Role(name) => Wanted::DeleteRole(name.clone()),
            Target::Users | Target::Roles => {
                return Err(reply::method_not_allowed(&[Method::Get]));
            }
        };
        let (writes, tries) = (VecDeque::new(), 0);
        Ok(Self { wanted, salt, hash: None, writes, answer: None, tries })
    }

    /// The first step.
    pub fn begin(&self) -> Step {
        Step::Ask(KeysRequest { quorum: true, ..KeysRequest::new(Verb::Get, auth::ENABLED) })
    }

    /// The node has carried out what the last step asked for; `view` is not older than its answer.
    pub fn answered(&mut self, response: &Response, view: &View) -> Step {
        let step = match response {
            // The read at the beginning, and whatever it found.
            Response::Keys { .. } if self.answer.is_none() => self.plan(&view.auth),
            Response::Keys { result: Ok(_), .. } => self.go_on(),
            // What has to be there before the last write may have been made by somebody else.
            Response::Keys { result: Err(error), .. }
                if error.code == Code::KeyExists && self.writes.len() > 1 =>
            {
                self.go_on()
            }
            Response::Keys { .. } if self.tries < TRIES => {
                self.tries += 1;
                self.plan(&view.auth)
            }
            // etcd has the same words for everything that it cannot help.
            _ => Step::Answer(reply::message(500, "Internal Server Error")),
        };
        match step {
            Step::Answer(answer) => Step::Answer(reply::with_cluster(answer, view.cluster_id)),
            other => other,
        }
    }

    /// The password is hashed.
    pub fn hashed(&mut self, hash: String, view: &View) -> Step {
        self.hash = Some(hash);
        match self.plan(&view.auth) {
            Step::Answer(answer) => Step::Answer(reply::with_cluster(answer, view.cluster_id)),
            other => other,
        }
    }

    fn go_on(&mut self) -> Step {
        self.writes.pop_front();
        self.next()
    }

    fn next(&self) -> Step {
        match self.writes.front() {
            Some(write) => Step::Ask(write.clone()),
            None => Step::Answer(self.answer.clone().expect("what is written has an answer")),
        }
    }

    /// Works out from what is there what is to be written.
    fn plan(&mut self, auth: &Auth) -> Step {
        if let Wanted::PutUser(form) = &self.wanted
            && !form.password.is_empty()
            && self.hash.is_none()
        {
            let (password, mut salt) = (form.password.clone(), [0; 16]);
            salt.copy_from_slice(&self.salt[..16]);
            return Step::Compute(Task::HashPassword { password, salt });
        }
        match self.planned(auth) {
            Err(refused) => Step::Answer(refused),
            Ok((writes, answer)) => {
                self.writes = directories(auth).chain(writes).collect();
                self.answer = Some(answer);
                self.next()
            }
        }
    }

    fn planned(&self, auth: &Auth) -> Result<(VecDeque<KeysRequest>, Reply), Reply> {
        let empty = || reply::json(200, Bytes::new());
        let one = |write| VecDeque::from([write]);
        match &self.wanted {
            Wanted::Enable if auth.enabled => Err(failure(409, "already enabled")),
            Wanted::Enable if auth.user(ROOT_NAME).is_none() => {
                Err(failure(409, "No root user available, please create one"))
            }
            Wanted::Enable => {
                let guest = auth.role(GUEST).is_none().then(|| create_role(&Role::all(GUEST)));
                Ok((guest.into_iter().chain([enable(auth, true)]).collect(), empty()))
            }
            Wanted::Disable if !auth.enabled => Err(failure(409, "already disabled")),
            Wanted::Disable => Ok((one(enable(auth, false)), empty())),
            Wanted::PutUser(form) => {
                let (user, write, status) = self.put_user(form, auth)?;
                Ok((one(write), reply::json(status, user.shown())))
            }
            Wanted::DeleteUser(name) if name == ROOT_NAME && auth.enabled => {
                Err(failure(403, "Cannot delete root user while auth is enabled."))
            }
            Wanted::DeleteUser(name) if auth.user(name).is_none() => {
                Err(failure(404, &format!("User {name} does not exist")))
            }
            Wanted::DeleteUser(name) => {
                Ok((one(KeysRequest::new(Verb::Delete, path(auth::USERS, name))), empty()))
            }
            Wanted::PutRole(form) => {
                let (role, write, status) = put_role(form, auth)?;
                let mut body = crate::api::json::Writer::default();
                role.write(&mut body);
                Ok((one(write), reply::json(status, body.finish_line())))
            }
            Wanted::DeleteRole(name) if name == ROOT_NAME => Err(root_role()),
            Wanted::DeleteRole(name) if !auth.roles.contains_key(name) => {
                Err(failure(404, &format!("Role {name} doesn't exist.")))
            }
            Wanted::DeleteRole(name) => {
                Ok((one(KeysRequest::new(Verb::Delete, path(auth::ROLES, name))), empty()))
            }
        }
    }

    fn put_user(&self, form: &UserForm, auth: &Auth) -> Result<(User, KeysRequest, u16), Reply> {
        let old = auth.users.get(&form.user);
        let path = path(auth::USERS, &form.user);
        if form.changes_roles() && form.has_roles() {
            return Err(reply::message(400, "User JSON contains both roles and grant/revoke"));
        }
        match old {
            Some(_) if form.has_roles() => {
                Err(failure(409, &format!("User {} already exists.", form.user)))
            }
            Some(old) => {
                let merged = form.merged(&old.value, self.hash.clone());
                let user = merged.map_err(|(status, words)| failure(status, &words))?;
                if user == old.value {
                    let words = "User not updated. Use grant/revoke/password to update the user.";
                    return Err(failure(400, words));
                }
                let write = replace(&path, user.encode(), old.index);
                Ok((user, write, 200))
            }
            None if form.changes_roles() => Err(no_user(&form.user)),
            None => {
                let Some(hash) = self.hash.clone() else {
                    let words = "Cannot create user {} with an empty password";
                    return Err(failure(400, &words.replace("{}", &form.user)));
                };
                let user = form.made(hash);
                let write = create(&path, user.encode());
                Ok((user, write, if form.has_roles() { 200 } else { 201 }))
            }
        }
    }
}

fn put_role(form: &RoleForm, auth: &Auth) -> Result<(Role, KeysRequest, u16), Reply> {
    let old = auth.roles.get(&form.role);
    if form.changes() && form.has_permissions() {
        return Err(reply::message(400, "Role JSON contains both permissions and grant/revoke"));
    }
    match old {
        _ if form.role == ROOT_NAME => Err(root_role()),
        None if form.changes() => Err(no_role(&form.role)),
        None => {
            let role = form.made();
            let write = create_role(&role);
            Ok((role, write, 201))
        }
        Some(_) if !form.changes() => {
            Err(failure(409, &format!("Role {} already exists.", form.role)))
        }
        Some(old) => {
            let role = form.merged(&old.value);
            let role = role.map_err(|(status, words)| failure(status, &words))?;
            if role == old.value {
                let words = "Role not updated. Use grant/revoke to update the role.";
                return Err(failure(400, words));
            }
            let write = replace(&path(auth::ROLES, &form.role), role.encode(), old.index);
            Ok((role, write, 200))
        }
    }
}

fn root_role() -> Reply {
    failure(403, "Cannot modify role root: is root role.")
}

fn user_form(name: &str, body: &[u8]) -> Result<UserForm, Reply> {
    let form = UserForm::decode(body).ok_or_else(no_json)?;
    if form.user == name {
        Ok(form)
    } else {
        Err(reply::message(400, "User JSON name does not match the name in the URL"))
    }
}

fn role_form(name: &str, body: &[u8]) -> Result<RoleForm, Reply> {
    let form = RoleForm::decode(body).ok_or_else(no_json)?;
    if form.role == name {
        Ok(form)
    } else {
        Err(reply::message(400, "Role JSON name does not match the name in the URL"))
    }
}

fn no_json() -> Reply {
    reply::message(400, "Invalid JSON in request body.")
}

fn path(directory: &str, name: &str) -> String {
    format!("{directory}/{name}")
}

fn create(path: &str, value: Bytes) -> KeysRequest {
    KeysRequest { value, prev_exist: Some(false), ..KeysRequest::new(Verb::Put, path) }
}

fn replace(path: &str, value: Bytes, prev_index: u64) -> KeysRequest {
    KeysRequest { value, prev_exist: Some(true), prev_index, ..KeysRequest::new(Verb::Put, path) }
}

fn create_role(role: &Role) -> KeysRequest {
    create(&path(auth::ROLES, &role.role), role.encode())
}

fn enable(auth: &Auth, enabled: bool) -> KeysRequest {
    let value = if enabled { "true" } else { "false" };
    replace(auth::ENABLED, Bytes::from_static(value.as_bytes()), auth.enabled_index)
}

/// What etcd makes before its first write.
fn directories(auth: &Auth) -> impl Iterator<Item = KeysRequest> {
    let paths = [auth::ROOT, auth::USERS, auth::ROLES].into_iter().zip(auth.directories);
    let missing = paths.filter(|(_, there)| !there);
    let directory = |(path, _): (&str, _)| KeysRequest { dir: true, ..create(path, Bytes::new()) };
    let enabled =
        (auth.enabled_index == 0).then(|| create(auth::ENABLED, Bytes::from_static(b"false")));
    missing.map(directory).chain(enabled)
}

#[cfg(test)]
mod tests;
