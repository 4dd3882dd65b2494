use alloc::borrow::ToOwned as _;
use alloc::vec;

use super::*;

const TOKEN: &str = "3e86b59982e49066c5d813af1c2e2579cbf573de";

fn asked(method: Method, url: &str, body: &str) -> Ask {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let head = Head { method, path: path.to_owned(), query: query.to_owned(), headers: vec![] };
    read(&head, body.as_bytes())
}

fn status(ask: Ask) -> u16 {
    match ask {
        Ask::Answer(reply) => reply.status,
        other => panic!("it is done: {other:?}"),
    }
}

#[test]
fn new_tokens_have_a_size_from_1() {
    assert_eq!(asked(Method::Get, "/new", ""), Ask::New { size: 3 });
    assert_eq!(asked(Method::Get, "/new?size=5", ""), Ask::New { size: 5 });
    for bad in ["0", "-1", "abc", "", "3.5", "%203", "1001", "99999999999999999999"] {
        assert_eq!(status(asked(Method::Get, &format!("/new?size={bad}"), "")), 400, "{bad}");
    }
    assert_eq!(status(asked(Method::Put, "/new", "")), 405);
}

#[test]
fn a_token_is_read_waited_for_and_registered_with() {
    let path = format!("/1/_etcd/registry/{TOKEN}");
    let what =
        |method, rest: &str, body: &str| match asked(method, &format!("/{TOKEN}{rest}"), body) {
            Ask::Token { token, what } if token == TOKEN => what,
            other => panic!("{rest}: {other:?}"),
        };
    let read = |rest: &str| Of::Read(Read { path: format!("{path}{rest}"), recursive: false });
    assert_eq!(what(Method::Get, "?quorum=true&recursive=true", ""), read(""));
    assert_eq!(what(Method::Get, "/", ""), read(""));
    assert_eq!(what(Method::Get, "/_config/size?quorum=true", ""), read("/_config/size"));
    assert_eq!(what(Method::Get, "/1f", ""), read("/1f"));
    let wait = WatchRequest { path: path.clone(), recursive: true, stream: false, since: 7 };
    assert_eq!(
        what(Method::Get, "?wait=true&recursive=true&stream=true&waitIndex=7", ""),
        Of::Wait(wait)
    );
    let registered = what(Method::Put, "/1f?prevExist=false", "value=a%3Dhttp%3A%2F%2Fa%3A1");
    let Of::Register(request) = registered else { panic!("{registered:?}") };
    assert_eq!((request.path, &request.value[..]), (format!("{path}/1f"), &b"a=http://a:1"[..]));
    assert_eq!(request.prev_exist, Some(false));
    let browser = Head {
        method: Method::Get,
        path: format!("/{TOKEN}"),
        query: String::new(),
        headers: vec![("accept".to_owned(), "text/html,application/xml;q=0.9".to_owned())],
    };
    assert!(matches!(super::read(&browser, b""), Ask::Token { what: Of::Page, .. }));
}

#[test]
fn everything_else_is_refused() {
    let good = "value=a%3Dhttp%3A%2F%2Fa%3A1";
    for (method, rest) in [
        (Method::Put, ""),
        (Method::Put, "/_config/size?prevExist=false"),
        (Method::Put, "/_config?prevExist=false"),
        (Method::Put, "/1f"),
        (Method::Put, "/1f?prevExist=true"),
        (Method::Put, "/1f/2?prevExist=false"),
        (Method::Put, "/1f%2f2?prevExist=false"),
        (Method::Put, "/..?prevExist=false"),
        (Method::Put, "/%2e%2e?prevExist=false"),
        (Method::Put, "/g?prevExist=false"),
        (Method::Put, "/00000000000000001?prevExist=false"),
        (Method::Delete, "?recursive=true"),
        (Method::Delete, "/1f"),
        (Method::Post, ""),
        (Method::Head, ""),
        (Method::Options, ""),
        (Method::Other, ""),
    ] {
        assert_eq!(
            status(asked(method, &format!("/{TOKEN}{rest}"), good)),
            405,
            "{method:?} {rest}"
        );
    }
    for path in ["/", "", "/v2/keys/", "/..", "/x", "/3E86b59982e49066c5d813af1c2e2579cbf573de"] {
        assert_eq!(status(asked(Method::Get, path, "")), 404, "{path}");
    }
    for rest in ["/..", "/%2e%2e", "/../new", "/_config", "/_config/other", "/1f/", "//", "/%00"] {
        let ask = asked(Method::Get, &format!("/{TOKEN}{rest}"), "");
        if rest != "/1f/" {
            assert_eq!(status(ask), 404, "{rest}");
        }
    }
    assert_eq!(status(asked(Method::Get, "/%zz", "")), 400);
}

#[test]
fn only_registrations_are_registered() {
    let long = format!("value=a%3Dhttp://a:1,a%3Dhttp://{}:1", "b".repeat(VALUE_LIMIT));
    let longer = format!("value={}", "b".repeat(BODY_LIMIT));
    for (body, expected) in [
        ("", 400),
        ("value=", 400),
        ("value=foo", 400),
        ("other=a%3Dhttp://a:1", 400),
        ("value=a%3Dhttp://a:1,b%3Dhttp://b:1", 400),
        ("value=a%3Dftp://a:1", 400),
        ("value=a%0a%3Dhttp://a:1", 400),
        (&long, 400),
        (&longer, 413),
    ] {
        let ask = asked(Method::Put, &format!("/{TOKEN}/1f?prevExist=false"), body);
        assert_eq!(status(ask), expected, "{body:.40}");
    }
}

#[test]
fn tokens_are_made_of_160_random_bits() {
    let token = token(&[0xab; 32]);
    assert!(is_token(&token) && token.len() == 40);
    let rules = Rules { public_url: "https://d".to_owned(), token_ttl: Duration::from_secs(60) };
    let [activity, size] = make(&token, 5, &rules);
    assert_eq!(activity.path, format!("/1/_etcd/activity/{token}"));
    assert_eq!(activity.ttl_s, Some(60));
    assert_eq!(
        (size.path, &size.value[..]),
        (format!("/1/_etcd/registry/{token}/_config/size"), &b"5"[..])
    );
    assert_eq!(made(&token, &rules).body, format!("https://d/{token}"));
}
