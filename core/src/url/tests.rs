use std::string::ToString;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn text_of(input: &str) -> String {
    Url::parse(input).map_or_else(|error| error.to_string(), |url| url.as_str().to_string())
}

#[test]
fn the_text_is_the_one_that_etcd_hashes() {
    let table = [
        ("http://10.0.1.10:2380", "http://10.0.1.10:2380"),
        ("  http://10.0.1.10:2380\t", "http://10.0.1.10:2380"),
        ("HTTP://10.0.1.10:2380", "http://10.0.1.10:2380"),
        ("hTTps://Infra0.Example.COM:02380", "https://Infra0.Example.COM:02380"),
        ("http://infra0.example.com.:1", "http://infra0.example.com.:1"),
        ("http://[2001:DB8::10]:2380", "http://[2001:DB8::10]:2380"),
        ("http://[fe80::1%25eth0]:2380", "http://[fe80::1%25eth0]:2380"),
        ("http://:2380", "http://:2380"),
        ("http://a:b@h:1?x=1", "http://a:b@h:1?x=1"),
        ("http://h:1?", "http://h:1?"),
        ("http://h:1#", "http://h:1"),
        ("http://h:1#f", "http://h:1#f"),
        ("http://bücher:1", "http://b%C3%BCcher:1"),
        ("http://b%C3%BCcher:1", "http://b%C3%BCcher:1"),
    ];
    for (input, text) in table {
        assert_eq!(text_of(input), text, "{input}");
    }
}

#[test]
fn errors_are_in_the_words_of_etcd() {
    let scheme = "URL scheme must be http or https: ";
    let host_port = "URL address does not have the form \"host:port\": ";
    let path = "URL must not contain a path: ";
    let colon = ": first path segment in URL cannot contain colon";
    let table = [
        (scheme, "", ""),
        (scheme, "foo", ""),
        (scheme, "ftp://127.0.1.10:21380", ""),
        (scheme, "unix://127.0.1.10:21380", ""),
        (scheme, "localhost:2380", ""),
        (scheme, "http//h:1", ""),
        (host_port, "http://127.0.1.10", ""),
        (host_port, "http://127.0.1.10:", ""),
        (host_port, "http:10.0.0.1:2380", ""),
        (host_port, "http:///", ""),
        (host_port, "http://", ""),
        (host_port, "http://[::1]", ""),
        (host_port, "http://::1:21380", ""),
        (host_port, "http://127.0.1.10:21380&b=http://127.0.1.11:21380", ""),
        (host_port, "http://127.0.1.10:21380;b=http://127.0.1.11:21380", ""),
        (path, "http://127.0.1.10:21380/", ""),
        (path, "http://127.0.1.10:21380/p", ""),
        ("parse \"127.0.1.10:21380\"", "", colon),
    ];
    for (before, input, after) in table {
        if after.is_empty() {
            assert_eq!(text_of(input), format!("{before}{input}"));
        }
    }
    assert_eq!(text_of("127.0.1.10:21380"), format!("parse \"127.0.1.10:21380\"{colon}"));
    assert_eq!(text_of(":1"), "parse \":1\": missing protocol scheme");
    for bad in ["abc", "1x", "-1", "+1"] {
        assert_eq!(
            text_of(&format!("http://127.0.1.10:{bad}")),
            format!("parse \"http://127.0.1.10:{bad}\": invalid port \":{bad}\" after host")
        );
    }
    assert_eq!(
        text_of("http://h:99999"),
        "parse \"http://h:99999\": invalid port \":99999\" after host"
    );
    for bad in ["http://[foo]:1", "http://[::1:1", "http://a b:1", "http://a%41:1", "http://%:1"] {
        assert!(text_of(bad).starts_with("parse "), "{bad}: {}", text_of(bad));
    }
}

#[test]
fn lists_are_sorted_and_have_no_empty_pieces() {
    let list = Url::parse_list("http://h:2380, http://h:10380,http://h:380").unwrap();
    let texts: Vec<&str> = list.iter().map(Url::as_str).collect();
    assert_eq!(texts, ["http://h:10380", "http://h:2380", "http://h:380"]);
    assert_eq!(
        Url::parse_list("http://h:1,").unwrap_err().to_string(),
        "URL scheme must be http or https: "
    );
}

#[test]
fn equal_places_have_one_canonical_form() {
    let groups: &[&[&str]] = &[
        &["http://Infra0.Example.COM:2380", "HTTP://infra0.example.com:02380"],
        &["http://[2001:DB8:0:0::10]:2380", "http://[2001:db8::10]:2380"],
        &["https://[2001:db8::10]:2380"],
        &["http://[fe80::1%25eth0]:1"],
        &["http://[fe80::1]:1"],
        &["http://a@h:1"],
        &["http://h:1"],
        &["http://h:1?x=1"],
    ];
    let forms: Vec<Vec<String>> = groups
        .iter()
        .map(|group| group.iter().map(|text| Url::parse(text).unwrap().canonical()).collect())
        .collect();
    for (i, group) in forms.iter().enumerate() {
        assert!(group.iter().all(|form| form == &group[0]), "{group:?}");
        assert!(forms[i + 1..].iter().all(|other| other[0] != group[0]), "{group:?}");
    }
    assert_eq!(forms[1][0], "http://[2001:db8::10]:2380");
    assert_eq!(forms[7][0], "http://h:1?x=1");
}

#[test]
fn unspecified_addresses_are_told_from_others() {
    for yes in ["http://0.0.0.0:1", "http://[::]:1", "http://[0:0::0]:1", "http://:1"] {
        assert!(Url::parse(yes).unwrap().is_unspecified(), "{yes}");
    }
    for no in ["http://127.0.0.1:1", "http://[::1]:1", "http://h:1", "http://0.0.0.1:1"] {
        assert!(!Url::parse(no).unwrap().is_unspecified(), "{no}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        let _ = Url::parse(&text);
    }

    #[test]
    fn what_was_read_reads_the_same_again(
        text in "(http|HTTPS)://([a@]{0,2})([a-c.%C3BCé\\[\\]:]{0,8}):[0-9]{0,5}[/?#a]{0,3}"
    ) {
        if let Ok(url) = Url::parse(&text) {
            let again = Url::parse(url.as_str()).unwrap();
            prop_assert_eq!(again.canonical(), url.canonical());
            prop_assert_eq!(again, url);
        }
    }
}

#[test]
fn loopback_is_this_machine_alone() {
    for (text, loopback) in [
        ("http://127.0.0.1:1", true),
        ("http://127.9.9.9:1", true),
        ("http://[::1]:1", true),
        ("http://[::ffff:127.0.0.1]:1", true),
        ("http://LOCALHOST:1", true),
        ("http://10.0.1.10:1", false),
        ("http://0.0.0.0:1", false),
        ("http://:1", false),
        ("http://localhost.example.com:1", false),
    ] {
        assert_eq!(Url::parse(text).unwrap().is_loopback(), loopback, "{text}");
    }
}
