//! Who somebody says to be, and whether that is enough.

use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Access, Auth};
use crate::http::Head;

/// Whether somebody may do what they ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They may.
    Granted,
    /// They may not.
    Refused,
    /// It depends on a password, which has to be verified.
    Password {
        /// Who they say to be.
        user: String,
        /// What they gave.
        password: String,
        /// The hash that is stored.
        hash: String,
        /// Whether they may if it is the right one.
        granted: bool,
    },
}

/// Judges a request. `common_name` is that of the client's certificate, where one was demanded and
/// verified: it counts where the request itself says nothing, and where it names no user the
/// client is a guest.
pub fn judge(auth: &Auth, head: &Head, common_name: Option<&str>, access: Access<'_>) -> Verdict {
    let granted = |granted| if granted { Verdict::Granted } else { Verdict::Refused };
    if !auth.enabled {
        return Verdict::Granted;
    }
    let header = head.header("authorization").unwrap_or_default();
    if header.is_empty() {
        return granted(match common_name.and_then(|name| auth.user(name)) {
            Some(user) => auth.allows(user, access),
            None => auth.allows_guests(access),
        });
    }
    let Some((name, password)) = basic(header) else { return Verdict::Refused };
    let Some(user) = auth.user(&name) else { return Verdict::Refused };
    Verdict::Password {
        granted: auth.allows(user, access),
        user: name,
        password,
        hash: user.password.clone(),
    }
}

/// The name and password of a header `Basic …`.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.into(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_authentication() {
        let pair = |name: &str, password: &str| Some((name.into(), password.into()));
        for (header, read) in [
            ("Basic cm9vdDpyb290cHc=", pair("root", "rootpw")),
            ("basic YTpiOmM=", pair("a", "b:c")),
            ("BASIC YTo=", pair("a", "")),
            ("Basic YQ==", None),
            ("Basic !", None),
            ("Basic", None),
            ("Bearer abc", None),
        ] {
            assert_eq!(basic(header), read, "{header}");
        }
    }
}
