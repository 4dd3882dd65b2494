//! Who may do what: users, roles, and the permissions of roles.
//!
//! All of it stands where etcd has it, below `/2` of the store, so that it is replicated, snapshotted
//! and understood by etcd members like any key. [`Auth`] is what a member has read of it; readers
//! get it with the view and ask it without touching the store.

mod claim;
pub mod password;
mod record;
mod verified;

use alloc::collections::BTreeMap;
use alloc::string::String;

pub use claim::{Verdict, judge};
pub use record::{Permissions, Role, RoleForm, User, UserForm};
pub use verified::Verified;

use crate::store::Image;

/// Where it all is.
pub(crate) const ROOT: &str = "/2";
/// The directory of users.
pub(crate) const USERS: &str = "/2/users";
/// The directory of roles.
pub(crate) const ROLES: &str = "/2/roles";
/// `true` or `false`
pub(crate) const ENABLED: &str = "/2/enabled";

/// The user that may do everything, and the role that says so. The role is not stored.
pub const ROOT_NAME: &str = "root";
/// The role of those who say nothing about themselves.
pub const GUEST: &str = "guest";

/// Users and roles, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// Whether anybody is asked who they are.
    pub enabled: bool,
    pub(crate) users: BTreeMap<String, Stored<User>>,
    pub(crate) roles: BTreeMap<String, Stored<Role>>,
    /// The modified index of [`ENABLED`]; 0 where it was never written.
    pub(crate) enabled_index: u64,
    /// Which of the directories are there: [`ROOT`], [`USERS`] and [`ROLES`].
    pub(crate) directories: [bool; 3],
}

/// Something that was read, and the modified index of what it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored<T> {
    pub(crate) value: T,
    pub(crate) index: u64,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access<'a> {
    /// Change users, roles or members.
    Root,
    /// Read or write keys.
    Keys {
        /// The key as it stands in the path, decoded and not cleaned.
        key: &'a str,
        /// Whether everything below is meant too.
        recursive: bool,
        /// Whether it writes.
        write: bool,
    },
}

impl Auth {
    /// What the store says. A record that cannot be read is as good as absent.
    pub fn from_image(image: &Image) -> Self {
        let enabled = image.file(ENABLED);
        Self {
            enabled: enabled.is_some_and(|(value, _)| &**value == b"true"),
            users: read(image, USERS, User::decode),
            roles: read(image, ROLES, Role::decode),
            enabled_index: enabled.map_or(0, |(_, index)| index),
            directories: [ROOT, USERS, ROLES].map(|path| image.has_directory(path)),
        }
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name).map(|stored| &stored.value)
    }

    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<Role> {
        if name == ROOT_NAME {
            return Some(Role::all(ROOT_NAME));
        }
        self.roles.get(name).map(|stored| stored.value.clone())
    }

    /// Whether a user may do this. Roles that are gone count for nothing.
    pub fn allows(&self, user: &User, access: Access<'_>) -> bool {
        let mut roles = user.roles.iter().flatten();
        match access {
            Access::Root => roles.any(|role| role == ROOT_NAME),
            Access::Keys { key, recursive, write } => roles.any(|role| {
                role == ROOT_NAME
                    || self
                        .roles
                        .get(role)
                        .is_some_and(|role| role.value.permissions.allow(key, recursive, write))
            }),
        }
    }

    /// Whether those who say nothing about themselves may do this. As in etcd the patterns count
    /// for them as if nothing below the key was meant.
    pub fn allows_guests(&self, access: Access<'_>) -> bool {
        let Access::Keys { key, write, .. } = access else { return false };
        let guest = self.roles.get(GUEST);
        guest.is_some_and(|role| role.value.permissions.allow(key, false, write))
    }
}

/// Whether a path of the store is part of it.
pub(crate) fn concerns(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn read<T>(
    image: &Image,
    directory: &str,
    decode: impl Fn(&[u8]) -> Option<T>,
) -> BTreeMap<String, Stored<T>> {
    let read = |(name, value, index): (&str, &[u8], u64)| {
        Some((name.into(), Stored { value: decode(value)?, index }))
    };
    image.files(directory).filter_map(read).collect()
}

#[cfg(test)]
mod tests;
