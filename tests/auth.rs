//! Users, roles and permissions, at every member of a cluster.

use std::collections::BTreeMap;
use std::thread;

use crate::backup::{backup, restored};
use crate::support::client::Answer;
use crate::support::cluster::Cluster;
use crate::support::wait::wait_until;

/// `Basic` with name and password in base64.
const ROOT: &str = "Basic cm9vdDpwdw=="; // root:pw
const ROOT_NEW: &str = "Basic cm9vdDpuZXc="; // root:new
const BOB: &str = "Basic Ym9iOnB3"; // bob:pw

fn ask(
    cluster: &Cluster,
    member: usize,
    who: Option<&str>,
    (method, path, body): (&str, &str, &str),
) -> Answer {
    let who = who.map(|who| ("Authorization".to_owned(), who.to_owned()));
    let form = ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    let headers: BTreeMap<_, _> = who.into_iter().chain([form]).collect();
    let body = (method == "PUT").then_some(body);
    let answer = cluster.client.request(method, &cluster.url(member, path), &headers, body);
    answer.expect("answered")
}

/// Three members, with `root` and a user `bob` who may read and write below `/bob`, and nobody else
/// may do anything.
fn guarded() -> Cluster {
    let cluster = Cluster::started(3);
    wait_until("the version of the cluster is decided", || {
        !cluster.client.get(&cluster.url(0, "/version")).expect("answered").body.contains("not_")
    });
    let role = r#"{"role":"bob","permissions":{"kv":{"read":["/bob*"],"write":["/bob*"]}}}"#;
    for (member, path, body) in [
        (0, "/v2/auth/users/root", r#"{"user":"root","password":"pw"}"#),
        (1, "/v2/auth/roles/bob", role),
        (2, "/v2/auth/users/bob", r#"{"user":"bob","password":"pw","roles":["bob"]}"#),
        (0, "/v2/auth/enable", ""),
    ] {
        let answer = ask(&cluster, member, None, ("PUT", path, body));
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    }
    let answer = ask(&cluster, 1, Some(ROOT), ("DELETE", "/v2/auth/roles/guest", ""));
    assert_eq!(answer.status, 200, "{answer:?}");
    for member in 0..3 {
        wait_until("guests are locked out at every member", || {
            ask(&cluster, member, None, ("GET", "/v2/keys/", "")).status == 401
        });
    }
    cluster
}

#[test]
fn every_member_asks_who_it_is() {
    let cluster = guarded();
    for member in 0..3 {
        let status = |who, request| ask(&cluster, member, who, request).status;
        let write = ("PUT", "/v2/keys/bob/a", "value=1");
        assert_eq!(status(None, write), 401);
        assert!(matches!(status(Some(BOB), write), 200 | 201));
        assert_eq!(status(Some(BOB), ("GET", "/v2/keys/bob/a", "")), 200);
        assert_eq!(status(Some(BOB), ("GET", "/v2/keys/other", "")), 401);
        assert_eq!(status(Some("Basic Ym9iOmJhZA=="), write), 401, "a wrong password");
        assert_eq!(status(Some(BOB), ("GET", "/v2/keys/other?wait=true", "")), 401);
        assert_eq!(status(Some(ROOT), ("GET", "/v2/keys/other", "")), 404);
        // What is about the cluster, and about the member itself.
        let log = ("PUT", "/config/local/log", r#"{"Level":"INFO"}"#);
        for (who, wanted) in [(None, 401), (Some(BOB), 401), (Some(ROOT), 204)] {
            assert_eq!(status(who, log), wanted, "{who:?}");
        }
        assert_eq!(status(Some(BOB), ("DELETE", "/v2/members/1", "")), 401);
        assert_eq!(status(Some(ROOT), ("DELETE", "/v2/members/1", "")), 404);
        assert_eq!(status(None, ("GET", "/v2/members", "")), 200);
        assert_eq!(status(None, ("GET", "/health", "")), 200);
    }
}

/// Verified passwords are remembered, but never longer than they are valid.
#[test]
fn a_password_that_was_changed_is_refused_everywhere() {
    let cluster = guarded();
    let users = ("GET", "/v2/auth/users", "");
    for member in 0..3 {
        assert_eq!(ask(&cluster, member, Some(ROOT), users).status, 200);
    }
    let change = ("PUT", "/v2/auth/users/root", r#"{"user":"root","password":"new"}"#);
    assert_eq!(ask(&cluster, 0, Some(ROOT), change).status, 200);
    assert_eq!(ask(&cluster, 0, Some(ROOT), users).status, 401, "at once where it was changed");
    for member in 0..3 {
        wait_until("the new password counts at every member", || {
            ask(&cluster, member, Some(ROOT_NEW), users).status == 200
        });
        assert_eq!(ask(&cluster, member, Some(ROOT), users).status, 401);
    }
    let delete = ("DELETE", "/v2/auth/users/bob", "");
    let read = ("GET", "/v2/keys/bob/a", "");
    assert_eq!(ask(&cluster, 2, Some(BOB), read).status, 404);
    assert_eq!(ask(&cluster, 2, Some(ROOT_NEW), delete).status, 200);
    assert_eq!(ask(&cluster, 2, Some(BOB), read).status, 401);
}

/// A member that was down asks too, from its first answer on.
#[test]
fn a_restart_does_not_open_the_door() {
    let mut cluster = guarded();
    cluster.kill_all();
    cluster.start_all();
    for member in 0..3 {
        wait_until("it answers", || {
            let answer = cluster.client.get(&cluster.url(member, "/v2/keys/"));
            let Ok(answer) = answer else { return false };
            assert!(answer.status >= 401, "{answer:?}");
            answer.status == 401
        });
    }
}

/// Wrong passwords cost a hash each. However many are tried, others are served, and the excess is
/// told so.
#[test]
fn guessing_is_bounded() {
    let cluster = guarded();
    let tries: Vec<u16> = thread::scope(|scope| {
        let guess = || ask(&cluster, 0, Some("Basic Ym9iOmJhZA=="), ("GET", "/v2/keys/bob", ""));
        let tries: Vec<_> = (0..150).map(|_| scope.spawn(guess)).collect();
        let (read, began) = (("GET", "/v2/keys/bob", ""), tries.len());
        // A password that was verified before needs no hash.
        assert!(began > 0 && ask(&cluster, 1, Some(BOB), read).status == 404);
        tries.into_iter().map(|guess| guess.join().expect("answered").status).collect()
    });
    assert!(tries.iter().all(|status| matches!(status, 401 | 503)), "{tries:?}");
    assert!(tries.contains(&503), "{tries:?}");
    assert!(tries.contains(&401), "{tries:?}");
}

/// The hashes of passwords are part of a backup, and so is that they are asked for.
#[test]
fn only_root_takes_backups_and_users_come_back_with_them() {
    let cluster = guarded();
    let file = cluster.dir().join("backup");
    let as_user = |user: &str| cluster.url(0, "").replace("://", &format!("://{user}"));
    for (user, path) in [("", "/quorate/backup"), ("", "/quorate/backup?local=true")] {
        let status = ask(&cluster, 0, None, ("GET", path, "")).status;
        assert_eq!(status, 401, "{user} {path}");
    }
    for user in ["", "bob:pw@", "root:wrong@"] {
        let output = backup(&as_user(user), &file, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("only root may take a backup"), "{output:?}");
    }
    let output = backup(&as_user("root:pw@"), &file, &[]);
    assert!(output.status.success(), "{output:?}");

    let mut new = Cluster::new(1);
    restored(&new, 0, &file);
    new.start_all();
    wait_until("it is ready", || new.process(0).log().contains("ready to serve client requests"));
    assert_eq!(ask(&new, 0, Some(ROOT), ("GET", "/v2/keys/", "")).status, 200);
    assert_eq!(ask(&new, 0, None, ("GET", "/v2/keys/", "")).status, 401);
    assert_eq!(ask(&new, 0, Some(BOB), ("PUT", "/v2/keys/bob/x", "value=1")).status, 201);
}
