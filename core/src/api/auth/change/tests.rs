use super::*;
use crate::api::auth::{Parsed, parse};
use crate::api::fixture::{head, text, view};
use crate::api::response::Stamp;
use crate::store::{Command, Method as Op, Store};

/// A cluster of one whose log is instant.
struct Server {
    store: Store,
    /// What somebody else writes just before the next write.
    meanwhile: Option<(&'static str, &'static str)>,
}

impl Server {
    fn view(&self) -> View {
        let auth = Auth::from_image(self.store.as_image());
        View { store: self.store.image(), auth: auth.into(), ..view() }
    }

    fn apply(&mut self, request: &KeysRequest) -> Response {
        let method = match request.verb {
            Verb::Get => Op::Qget,
            Verb::Delete => Op::Delete,
            _ => Op::Put,
        };
        if method == Op::Put
            && !request.dir
            && let Some((path, value)) = self.meanwhile.take()
        {
            let mut command = Command::new(Op::Put, path);
            command.value = Bytes::from_static(value.as_bytes());
            self.store.apply(&command);
        }
        let mut command = Command::new(method, &*request.path);
        command.value = request.value.clone();
        command.dir = request.dir;
        command.prev_exist = request.prev_exist;
        command.prev_index = request.prev_index;
        let result = self.store.apply(&command).result.unwrap();
        Response::Keys { result, stamp: Stamp::default() }
    }

    fn ask(&mut self, method: Method, path: &str, body: &str) -> Reply {
        let (target, _) = Target::find(path.as_bytes()).unwrap();
        let head = head(method, path);
        let mut change = match parse(&head, &target, body.as_bytes(), &self.view(), [3; 32]) {
            Parsed::Read(reply) => return reply,
            Parsed::Change(change) => change,
        };
        let mut step = change.begin();
        for _ in 0..100 {
            step = match step {
                Step::Answer(reply) => return reply,
                Step::Ask(request) => {
                    let answered = self.apply(&request);
                    change.answered(&answered, &self.view())
                }
                Step::Compute(Task::HashPassword { password, .. }) => {
                    change.hashed(format!("hash of {password}"), &self.view())
                }
                Step::Compute(other) => panic!("{other:?}"),
            };
        }
        panic!("it does not end");
    }

    fn put(&mut self, path: &str, body: &str) -> (u16, String) {
        let reply = self.ask(Method::Put, path, body);
        (reply.status, text(&reply).trim_end().into())
    }
}

fn server() -> Server {
    Server { store: Store::new(), meanwhile: None }
}

#[test]
fn the_first_write_makes_what_etcd_makes() {
    let mut server = server();
    assert_eq!(server.put("/users/a", r#"{"user":"a","password":"pw"}"#).0, 201);
    assert_eq!(server.store.as_image().index(), 5, "three directories, a flag and a user");
    let (value, _) = server.store.as_image().file("/2/users/a").unwrap();
    assert_eq!(value, r#"{"user":"a","password":"hash of pw","roles":null}"#);
    assert_eq!(server.put("/roles/r", r#"{"role":"r"}"#).0, 201);
    assert_eq!(server.store.as_image().index(), 6);
}

#[test]
fn nobody_s_change_is_lost() {
    let mut server = server();
    server.put("/roles/r", r#"{"role":"r","permissions":{"kv":{"read":["/a"]}}}"#);
    let other = r#"{"role":"r","permissions":{"kv":{"read":["/a","/b"],"write":[]}}}"#;
    server.meanwhile = Some(("/2/roles/r", other));
    let granted = server.put("/roles/r", r#"{"role":"r","grant":{"kv":{"read":["/c"]}}}"#);
    let both = r#"{"role":"r","permissions":{"kv":{"read":["/a","/b","/c"],"write":[]}}}"#;
    assert_eq!(granted, (200, both.into()));
}

#[test]
fn who_comes_second_is_told_so() {
    let mut server = server();
    server.put("/roles/x", r#"{"role":"x"}"#);
    server.meanwhile = Some(("/2/users/a", r#"{"user":"a","password":"h","roles":["x"]}"#));
    let created = server.put("/users/a", r#"{"user":"a","password":"pw","roles":["x"]}"#);
    assert_eq!(created, (409, r#"{"message":"auth: User a already exists."}"#.into()));
    server.meanwhile = Some(("/2/users/a", r#"{"user":"a","password":"h","roles":["x","y"]}"#));
    let granted = server.put("/users/a", r#"{"user":"a","grant":["y"]}"#);
    let words = r#"{"message":"auth: Granting duplicate role y for user a"}"#;
    assert_eq!(granted, (409, words.into()));
}

#[test]
fn directories_that_somebody_else_makes_are_good_enough() {
    let mut server = server();
    // With a key come the directories above it.
    server.meanwhile = Some(("/2/roles/other", r#"{"role":"other"}"#));
    assert_eq!(server.put("/roles/r", r#"{"role":"r"}"#).0, 201);
    let auth = Auth::from_image(server.store.as_image());
    assert!(auth.role("r").is_some() && auth.role("other").is_some() && !auth.enabled);
}

#[test]
fn enabling_makes_the_guest_and_needs_a_root() {
    let mut server = server();
    assert_eq!(server.ask(Method::Put, "/enable", "").status, 409);
    server.put("/users/root", r#"{"user":"root","password":"pw"}"#);
    let enabled = server.ask(Method::Put, "/enable", "");
    assert_eq!((enabled.status, text(&enabled)), (200, ""));
    let auth = Auth::from_image(server.store.as_image());
    assert!(auth.enabled && auth.role(GUEST).is_some());
    assert_eq!(server.ask(Method::Put, "/enable", "").status, 409);
    assert_eq!(server.ask(Method::Delete, "/users/root", "").status, 403);
    assert_eq!(server.ask(Method::Delete, "/enable", "").status, 200);
    assert_eq!(server.ask(Method::Delete, "/users/root", "").status, 200);
}

#[test]
fn what_cannot_be_written_is_given_up() {
    let mut server = server();
    let mut command = Command::new(Op::Put, "/2/users");
    command.value = Bytes::from_static(b"a file");
    server.store.apply(&command);
    let refused = server.put("/users/a", r#"{"user":"a","password":"pw"}"#);
    assert_eq!(refused, (500, r#"{"message":"Internal Server Error"}"#.into()));
}

#[test]
fn failures_of_the_log_are_told() {
    let mut change =
        Change::read(Method::Put, &Target::Enable, b"", [0; 32]).expect("it needs no body");
    let late = Response::Failed(crate::api::Failure::TimedOut);
    let Step::Answer(reply) = change.answered(&late, &view()) else { panic!("it has ended") };
    assert_eq!(reply.status, 500);
}
