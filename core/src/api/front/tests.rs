use alloc::string::String;

use proptest::prelude::*;

use super::{Resource, Route, route};
use crate::api::fixture::{head, header, text};
use crate::http::{Method, Reply};

fn answered(method: Method, target: &str) -> Reply {
    match route(&head(method, target)) {
        Route::Reply(reply) => reply,
        other => panic!("{target} leads to {other:?}"),
    }
}

#[test]
fn resources_are_found() {
    for (method, path, resource) in [
        (Method::Get, "/v2/members", Resource::Members),
        (Method::Get, "/v2/members/", Resource::Members),
        (Method::Get, "/v2/members/leader", Resource::Leader),
        (Method::Get, "/v2/members/leader/", Resource::UnknownMember),
        (Method::Put, "/v2/members/", Resource::NoMember),
        (Method::Delete, "/v2/members", Resource::NoMember),
        (Method::Head, "/v2/machines", Resource::Machines),
        (Method::Get, "/%76ersion", Resource::Version),
        (Method::Get, "/health?exclude=NOSPACE", Resource::Health),
    ] {
        assert_eq!(route(&head(method, path)), Route::Resource(resource), "{path}");
    }
}

#[test]
fn what_is_absent_is_not_found() {
    for (method, path) in [
        (Method::Get, "/"),
        (Method::Get, "/v2/keysx"),
        (Method::Get, "/V2/keys"),
        (Method::Get, "/version/"),
        (Method::Get, "/v2/stats"),
        (Method::Get, "/v2/auth"),
        (Method::Get, "/v2/auth/"),
        (Method::Get, "/v2/auth/enable/"),
        (Method::Get, "/v2/auth/nothing"),
        (Method::Get, "/debug/pprof"),
    ] {
        let reply = answered(method, path);
        assert_eq!((reply.status, text(&reply)), (404, "404 page not found\n"), "{path}");
    }
}

#[test]
fn other_methods_are_told_what_is_allowed() {
    for (method, path, allowed) in [
        (Method::Other, "/v2/keys/a", "HEAD,GET,PUT,POST,DELETE"),
        (Method::Head, "/v2/members", "GET,POST,DELETE,PUT"),
        (Method::Put, "/v2/machines", "GET,HEAD"),
        (Method::Head, "/version", "GET"),
        (Method::Post, "/health", "GET"),
    ] {
        let reply = answered(method, path);
        assert_eq!(reply.status, 405);
        assert_eq!(header(&reply, "Allow"), Some(allowed));
    }
}

#[test]
fn options_is_fine_anywhere() {
    for path in ["/v2/keys//a", "/nothing", "*"] {
        let reply = answered(Method::Options, path);
        assert_eq!((reply.status, reply.headers.len(), reply.body.len()), (200, 0, 0));
    }
}

#[test]
fn a_path_that_cannot_be_decoded_is_a_bad_request() {
    for method in [Method::Get, Method::Options] {
        assert_eq!(answered(method, "/v2/keys/%zz").status, 400);
    }
}

#[test]
fn redirects_keep_the_query_and_are_escaped() {
    let reply = answered(Method::Get, "/v2/keys//a%20b%3F%C3%A9/?x=%2F&y=é<'\">");
    assert_eq!(reply.status, 301);
    let location = "/v2/keys/a%20b%3F%C3%A9/?x=%2F&y=%C3%A9<'\">";
    assert_eq!(header(&reply, "Location"), Some(location));
    let link = "<a href=\"/v2/keys/a%20b%3F%C3%A9/?x=%2F&amp;y=é&lt;&#39;&#34;&gt;\">\
                Moved Permanently</a>.\n\n";
    assert_eq!(text(&reply), link);

    let reply = answered(Method::Head, "/v2/keys/./a");
    assert_eq!(header(&reply, "Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(text(&reply), "");
    let reply = answered(Method::Delete, "/v2/keys/./a");
    assert_eq!(header(&reply, "Content-Type"), None);
}

#[test]
fn only_forms_are_to_be_read() {
    for (method, content_type, reads_body) in [
        (Method::Put, "application/x-www-form-urlencoded", true),
        (Method::Put, "application/json", false),
        (Method::Get, "application/x-www-form-urlencoded", false),
    ] {
        let mut head = head(method, "/v2/keys/a");
        head.headers.push(("content-type".into(), content_type.into()));
        let Route::Keys(target) = route(&head) else { panic!("a key is a key") };
        assert_eq!(target.reads_body, reads_body);
    }
}

proptest! {
    #[test]
    fn redirects_lead_somewhere(path in "(/v2/keys)?[/.%2eF5a?é ]{0,12}", query in "[a?/.]{0,4}") {
        let mut request = head(Method::Get, "");
        request.path = path;
        request.query = query.clone();
        if let Route::Reply(Reply { status: 301, headers, .. }) = route(&request) {
            let next = head(Method::Get, &headers[0].1);
            prop_assert_eq!(&next.query, &query);
            let route = route(&next);
            let again = matches!(route, Route::Reply(Reply { status: 301 | 400, .. }));
            prop_assert!(!again, "{} leads to {:?}", next.path, route);
        }
    }

    #[test]
    fn never_panics(path in any::<String>(), query in any::<String>()) {
        for method in [Method::Get, Method::Put, Method::Other] {
            let mut request = head(method, "");
            request.path = path.clone();
            request.query = query.clone();
            let _ = route(&request);
        }
    }
}
