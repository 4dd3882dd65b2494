use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::*;
use crate::store::{Command, Method, Store};

fn permissions(json: &str) -> Permissions {
    serde_json::from_str(json).unwrap()
}

#[test]
fn patterns() {
    let some = permissions(r#"{"kv":{"read":["/app/*","/one"],"write":["/w*",""]}}"#);
    for (key, recursive, write, allowed) in [
        ("/app/x", false, false, true),
        ("/app/", false, false, true),
        ("/app", false, false, false),
        ("/app/x", true, false, true),
        ("/app", true, false, false),
        ("/one", false, false, true),
        ("/one", true, false, false),
        ("/one/x", false, false, false),
        ("/app/x", false, true, false),
        ("/wide", false, true, true),
        ("/w", true, true, true),
        ("", false, true, true),
        ("", true, true, false),
    ] {
        assert_eq!(some.allow(key, recursive, write), allowed, "{key} {recursive} {write}");
    }
    let all = permissions(r#"{"kv":{"read":["*"]}}"#);
    assert!(all.allow("", true, false) && !all.allow("/a", false, true));
    assert!(!permissions("{}").allow("/a", false, false));
}

fn stored(records: &[(&str, &str)]) -> Auth {
    let mut store = Store::new();
    for (path, value) in records {
        let mut command = Command::new(Method::Put, *path);
        command.value = value.as_bytes().to_vec().into();
        store.apply(&command).result.unwrap().unwrap();
    }
    Auth::from_image(store.as_image())
}

#[test]
fn what_etcd_has_stored_is_read() {
    assert_eq!(stored(&[]), Auth::default());
    let auth = stored(&[
        ("/2/enabled", "true"),
        ("/2/users/root", r#"{"user":"root","password":"$2a$10$x","roles":["root"]}"#),
        ("/2/users/_bob", r#"{"user":"_bob","password":"h","roles":["app","gone"]}"#),
        ("/2/users/plain", r#"{"user":"plain","password":"h","roles":null,"more":1}"#),
        ("/2/users/broken", "{"),
        ("/2/roles/app", r#"{"role":"app","permissions":{"kv":{"read":["/a*"],"write":null}}}"#),
    ]);
    assert!(auth.enabled && auth.enabled_index == 1);
    assert_eq!(auth.directories, [true; 3]);
    assert!(auth.user("broken").is_none());
    assert_eq!(auth.user("plain").map(|user| user.roles.clone()), Some(None));
    let keys = |write| Access::Keys { key: "/ab", recursive: false, write };
    let [root, bob, plain] = ["root", "_bob", "plain"].map(|name| auth.user(name).unwrap());
    assert!(auth.allows(root, keys(true)) && auth.allows(root, Access::Root));
    assert!(auth.allows(bob, keys(false)) && !auth.allows(bob, keys(true)));
    assert!(!auth.allows(bob, Access::Root) && !auth.allows(plain, keys(false)));
    assert!(!auth.allows_guests(keys(false)), "the role is missing");
}

#[test]
fn guests_read_recursively_what_they_may_read() {
    let auth = stored(&[
        ("/2/enabled", "true"),
        ("/2/roles/guest", r#"{"role":"guest","permissions":{"kv":{"read":["/one"]}}}"#),
    ]);
    let keys = |write| Access::Keys { key: "/one", recursive: true, write };
    assert!(auth.allows_guests(keys(false)));
    assert!(!auth.allows_guests(keys(true)) && !auth.allows_guests(Access::Root));
}

#[test]
fn records_are_written_as_etcd_writes_them() {
    let user = r#"{"user":"a","password":"$2a$10$x","roles":["r"]}"#;
    assert_eq!(User::decode(user.as_bytes()).unwrap().encode(), user);
    let none = r#"{"user":"a\u003c","password":"h","roles":null}"#;
    assert_eq!(User::decode(none.as_bytes()).unwrap().encode(), none);
    let role = r#"{"role":"r","permissions":{"kv":{"read":["/a"],"write":null}}}"#;
    assert_eq!(Role::decode(role.as_bytes()).unwrap().encode(), role);
}

#[test]
fn a_certificate_counts_where_the_request_says_nothing() {
    let auth = stored(&[
        ("/2/enabled", "true"),
        ("/2/users/bob", r#"{"user":"bob","password":"h","roles":["app"]}"#),
        ("/2/roles/app", r#"{"role":"app","permissions":{"kv":{"read":["/a"]}}}"#),
        ("/2/roles/guest", r#"{"role":"guest","permissions":{"kv":{"read":["/g"]}}}"#),
    ]);
    let judged = |header: Option<&str>, name, key| {
        let header = header.map(|value| ("authorization".to_string(), value.to_string()));
        let head = crate::http::Head {
            method: crate::http::Method::Get,
            path: "/v2/keys/a".to_string(),
            query: "".to_string(),
            headers: header.into_iter().collect::<Vec<_>>(),
        };
        judge(&auth, &head, name, Access::Keys { key, recursive: false, write: false })
    };
    for (name, key, verdict) in [
        (Some("bob"), "/a", Verdict::Granted),
        (Some("bob"), "/g", Verdict::Refused),
        (Some("nobody"), "/g", Verdict::Granted),
        (Some("nobody"), "/a", Verdict::Refused),
        (None, "/g", Verdict::Granted),
        (None, "/a", Verdict::Refused),
    ] {
        assert_eq!(judged(None, name, key), verdict, "{name:?} {key}");
        assert_eq!(judged(Some(""), name, key), verdict, "an empty header says nothing");
    }
    assert_eq!(judged(Some("Bearer x"), Some("bob"), "/a"), Verdict::Refused);
    let Verdict::Password { user, granted, .. } = judged(Some("Basic Ym9iOnB3"), None, "/a") else {
        panic!("the password has to be verified");
    };
    assert_eq!((user.as_str(), granted), ("bob", true));
}
