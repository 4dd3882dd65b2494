use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Form, Name};
use crate::http::{Head, Method};

const FORM: &str = "application/x-www-form-urlencoded";

fn head(method: Method, query: &str, content_type: Option<&str>) -> Head {
    let headers = content_type.map(|t| ("content-type".to_string(), t.to_string()));
    Head {
        method,
        path: "/v2/keys/k".to_string(),
        query: query.to_string(),
        headers: headers.into_iter().collect(),
    }
}

fn query_error(query: &str) -> String {
    Form::read(&head(Method::Get, query, None), b"").unwrap_err()
}

#[test]
fn the_first_value_counts_and_the_body_comes_first() {
    let head = head(Method::Put, "value=query&ttl=1&dir", Some(FORM));
    let form = Form::read(&head, b"value=a+%62&value=2&&=x&other=%26").unwrap();
    assert_eq!(form.value(Name::Value).unwrap(), "a b");
    assert_eq!(form.value(Name::Ttl).unwrap(), "1");
    assert_eq!(form.value(Name::Dir).unwrap(), "");
    assert_eq!(form.value(Name::Wait), None);
}

#[test]
fn names_find_their_own_place() {
    for name in Name::ALL {
        let query = alloc::format!("{}=x", name.as_str());
        let form = Form::read(&head(Method::Get, &query, None), b"").unwrap();
        let given: Vec<_> = Name::ALL.into_iter().filter(|n| form.value(*n).is_some()).collect();
        assert_eq!(given, [name]);
    }
}

#[test]
fn only_forms_of_put_and_post_are_read() {
    for (method, content_type, counts) in [
        (Method::Put, Some(FORM), true),
        (Method::Post, Some(FORM), true),
        (Method::Delete, Some(FORM), false),
        (Method::Get, Some(FORM), false),
        (Method::Put, Some("text/plain"), false),
        (Method::Put, Some(""), false),
        (Method::Put, None, false),
    ] {
        let head = head(method, "", content_type);
        let form = Form::read(&head, b"value=x").unwrap();
        assert_eq!(form.value(Name::Value).is_some(), counts);
        assert_eq!(super::has_body(&head), counts);
    }
}

#[test]
fn malformed_pairs_are_refused_in_the_words_of_go() {
    for (query, error) in [
        ("a=%zz", r#"invalid URL escape "%zz""#),
        ("a=%", r#"invalid URL escape "%""#),
        ("a=%4&b=1", r#"invalid URL escape "%4""#),
        ("%+1=b", r#"invalid URL escape "%+1""#),
        ("a=1&b=%\"\\x", r#"invalid URL escape "%\"\\""#),
        ("a=%\u{7}\tx", r#"invalid URL escape "%\a\t""#),
        ("a=%é", r#"invalid URL escape "%é""#),
        ("a=%x☃", r#"invalid URL escape "%x\xe2""#),
        ("a=%zz&b;c", "invalid semicolon separator in query"),
    ] {
        assert_eq!(query_error(query), error, "{query}");
    }
}

#[test]
fn the_body_is_judged_before_the_query() {
    let error = |content_type, body: &[u8]| {
        Form::read(&head(Method::Put, "a;b", Some(content_type)), body).unwrap_err()
    };
    assert_eq!(error(FORM, b"a=%zz"), r#"invalid URL escape "%zz""#);
    assert_eq!(error(FORM, b"a=1"), "invalid semicolon separator in query");
    assert_eq!(error("a/b; c", b"a=1"), "mime: invalid media parameter");
}

proptest! {
    #[test]
    fn never_panics(query in "[a%;=&+z\"é0-9]{0,16}", body in prop::collection::vec(any::<u8>(), 0..32)) {
        let _ = Form::read(&head(Method::Put, &query, Some(FORM)), &body);
    }

    #[test]
    fn values_come_back(value in prop::collection::vec(any::<u8>(), 0..32)) {
        let body: String = form_urlencoded::byte_serialize(&value).collect();
        let body = alloc::format!("value={body}");
        let form = Form::read(&head(Method::Put, "", Some(FORM)), body.as_bytes()).unwrap();
        prop_assert_eq!(form.value(Name::Value).unwrap(), &value);
    }
}
