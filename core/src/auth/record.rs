//! Users and roles as JSON: as they are stored, and as a client gives them.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use serde::Deserialize;

use super::ROOT_NAME;
use crate::api::json::{Fields, Writer};

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct User {
    /// The name.
    pub user: String,
    /// The hash of the password.
    pub password: String,
    /// The roles; `null` and none are told apart as etcd does, which shows what was stored.
    pub roles: Option<Vec<String>>,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Role {
    /// The name.
    pub role: String,
    /// What it permits.
    pub permissions: Permissions,
}

/// What is permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Permissions {
    kv: Kv,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Kv {
    read: Option<Vec<String>>,
    write: Option<Vec<String>>,
}

/// What a client gives for a user: a whole one, or changes of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserForm {
    /// The name.
    pub user: String,
    /// The password, in clear.
    pub password: String,
    roles: Option<Vec<String>>,
    grant: Option<Vec<String>>,
    revoke: Option<Vec<String>>,
}

/// What a client gives for a role: a whole one, or changes of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RoleForm {
    /// The name.
    pub role: String,
    permissions: Option<Permissions>,
    grant: Option<Permissions>,
    revoke: Option<Permissions>,
}

/// Reads one JSON value and, as Go does, does not look at what follows it.
fn decode<'a, T: Deserialize<'a> + Default>(text: &'a [u8]) -> Option<T> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    Option::<T>::deserialize(&mut reader).ok().map(Option::unwrap_or_default)
}

impl User {
    pub(super) fn decode(text: &[u8]) -> Option<Self> {
        decode(text)
    }

    /// As it is stored.
    pub(crate) fn encode(&self) -> Bytes {
        self.json(true).finish()
    }

    /// As clients see it: without the password.
    pub(crate) fn shown(&self) -> Bytes {
        self.json(false).finish_line()
    }

    fn json(&self, password: bool) -> Writer {
        let mut text = Writer::default();
        text.object(|fields| {
            fields.string("user", self.user.as_bytes());
            if password && !self.password.is_empty() {
                fields.string("password", self.password.as_bytes());
            }
            nullable(fields, "roles", self.roles.as_deref());
        });
        text
    }
}

impl Role {
    /// A role that permits everything.
    pub(crate) fn all(name: &str) -> Self {
        let all = || Some(Vec::from(["/*".to_owned()]));
        let permissions = Permissions { kv: Kv { read: all(), write: all() } };
        Self { role: name.to_owned(), permissions }
    }

    pub(super) fn decode(text: &[u8]) -> Option<Self> {
        decode(text)
    }

    /// As it is stored.
    pub(crate) fn encode(&self) -> Bytes {
        let mut text = Writer::default();
        self.write(&mut text);
        text.finish()
    }

    /// As clients see it.
    pub(crate) fn write(&self, text: &mut Writer) {
        let Kv { read, write } = &self.permissions.kv;
        text.object(|fields| {
            fields.string("role", self.role.as_bytes());
            fields.value("permissions", |text| {
                text.object(|fields| {
                    fields.value("kv", |text| {
                        text.object(|fields| {
                            nullable(fields, "read", read.as_deref());
                            nullable(fields, "write", write.as_deref());
                        });
                    });
                });
            });
        });
    }
}

/// A list, or `null`.
fn nullable(fields: &mut Fields<'_>, name: &str, list: Option<&[String]>) {
    match list {
        Some(list) => fields.strings(name, list.iter().map(String::as_str)),
        None => fields.null(name),
    }
}

impl Permissions {
    /// Whether a key may be read or written. A pattern that ends in `*` means all keys that begin
    /// so, another one key; where everything below a key is meant too, only the former count.
    pub(super) fn allow(&self, key: &str, recursive: bool, write: bool) -> bool {
        let patterns = if write { &self.kv.write } else { &self.kv.read };
        patterns.iter().flatten().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix),
            None => !recursive && key == pattern,
        })
    }

    fn is_empty(&self) -> bool {
        [&self.kv.read, &self.kv.write].into_iter().flatten().all(Vec::is_empty)
    }
}

fn is_empty<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

/// Why a change is none: the status and, behind `auth: `, the words.
pub(crate) type Refused = (u16, String);

impl UserForm {
    /// Reads the body of a request.
    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        decode(text)
    }

    /// Whether it grants or revokes roles.
    pub(crate) fn changes_roles(&self) -> bool {
        !is_empty(&self.grant) || !is_empty(&self.revoke)
    }

    /// Whether it says which roles the user has.
    pub(crate) fn has_roles(&self) -> bool {
        !is_empty(&self.roles)
    }

    /// The user that it makes. `root` has the role of that name, whatever is said.
    pub(crate) fn made(&self, hash: String) -> User {
        let mut roles = self.roles.clone();
        if self.user == ROOT_NAME && !roles.iter().flatten().any(|role| role == ROOT_NAME) {
            roles.get_or_insert_default().push(ROOT_NAME.to_owned());
        }
        User { user: self.user.clone(), password: hash, roles }
    }

    /// What it makes of a user. `hash` is that of the password, if one was given.
    pub(crate) fn merged(&self, old: &User, hash: Option<String>) -> Result<User, Refused> {
        let mut roles: BTreeSet<String> = old.roles.iter().flatten().cloned().collect();
        let user = &self.user;
        for role in self.grant.iter().flatten() {
            if !roles.insert(role.clone()) {
                return Err((409, format!("Granting duplicate role {role} for user {user}")));
            }
        }
        for role in self.revoke.iter().flatten() {
            if !roles.remove(role) {
                return Err((409, format!("Revoking ungranted role {role} for user {user}")));
            }
        }
        let password = hash.unwrap_or_else(|| old.password.clone());
        Ok(User { user: user.clone(), password, roles: Some(roles.into_iter().collect()) })
    }
}

impl RoleForm {
    /// Reads the body of a request.
    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        decode(text)
    }

    /// Whether it grants or revokes permissions.
    pub(crate) fn changes(&self) -> bool {
        [&self.grant, &self.revoke].into_iter().flatten().any(|part| !part.is_empty())
    }

    /// Whether it says what the role permits.
    pub(crate) fn has_permissions(&self) -> bool {
        self.permissions.as_ref().is_some_and(|permissions| !permissions.is_empty())
    }

    /// The role that it makes.
    pub(crate) fn made(&self) -> Role {
        let permissions = self.permissions.clone().unwrap_or_default();
        Role { role: self.role.clone(), permissions }
    }

    /// What it makes of a role.
    pub(crate) fn merged(&self, old: &Role) -> Result<Role, Refused> {
        let Kv { mut read, mut write } = old.permissions.kv.clone();
        if let Some(Permissions { kv }) = &self.grant {
            read = Some(granted("read", read, &kv.read)?);
            write = Some(granted("write", write, &kv.write)?);
        }
        if let Some(Permissions { kv }) = &self.revoke {
            read = Some(revoked(read, &kv.read));
            write = Some(revoked(write, &kv.write));
        }
        let permissions = Permissions { kv: Kv { read, write } };
        Ok(Role { role: old.role.clone(), permissions })
    }
}

type List = Option<Vec<String>>;

fn granted(kind: &str, old: List, more: &List) -> Result<Vec<String>, Refused> {
    let mut all: BTreeSet<String> = old.into_iter().flatten().collect();
    for pattern in more.iter().flatten() {
        if !all.insert(pattern.clone()) {
            return Err((409, format!("Granting duplicate {kind} permission {pattern}")));
        }
    }
    Ok(all.into_iter().collect())
}

/// What is revoked without having been granted is ignored, as in etcd.
fn revoked(old: List, less: &List) -> Vec<String> {
    let mut all: BTreeSet<String> = old.into_iter().flatten().collect();
    for pattern in less.iter().flatten() {
        all.remove(pattern);
    }
    all.into_iter().collect()
}
