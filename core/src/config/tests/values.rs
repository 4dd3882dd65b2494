//! Values by themselves.

use std::format;

use proptest::prelude::*;

use super::*;

#[test]
fn values_that_are_none_are_errors_of_syntax() {
    let table = [
        ("election-timeout", "x", "parse error"),
        ("election-timeout", "", "parse error"),
        ("heartbeat-interval", "-1", "parse error"),
        ("snapshot-count", "99999999999999999999", "value out of range"),
        ("listen-peer-urls", "", "URL scheme must be http or https: "),
        ("advertise-client-urls", "http://h:1,", "URL scheme must be http or https: "),
        ("proxy", "foo", "invalid value"),
        ("log-format", "xml", "invalid value"),
    ];
    for (name, value, cause) in table {
        let refusal = validate(flag(name, value)).unwrap_err();
        assert_eq!(refusal.message, format!("invalid value {value:?} for flag -{name}: {cause}"));
        assert_eq!(refusal.code(), 2);
        assert!(!refusal.hints.is_empty());
        let refusal = validate(variable_of(name, value)).unwrap_err();
        let expected = format!("invalid value {value:?} for {}: {cause}", variable(name));
        assert_eq!((refusal.message.as_str(), refusal.code()), (expected.as_str(), 1));
    }
}

#[test]
fn booleans_are_go_s() {
    let yes = ["1", "t", "T", "true", "TRUE", "True"];
    for value in yes {
        assert!(validate(flag("force-new-cluster", value)).unwrap().force_new_cluster);
    }
    for value in ["0", "f", "F", "false", "FALSE", "False"] {
        assert!(!validate(flag("force-new-cluster", value)).unwrap().force_new_cluster);
    }
    for value in ["", "yes", "tRUE", "2", " true"] {
        let refusal = validate(flag("force-new-cluster", value)).unwrap_err();
        let expected =
            format!("invalid boolean value {value:?} for -force-new-cluster: parse error");
        assert_eq!((refusal.message.as_str(), refusal.code()), (expected.as_str(), 2));
    }
}

#[test]
fn discovery_urls_have_a_host_and_may_have_a_path() {
    for good in ["https://discovery.etcd.io/3e86", "HTTP://h:1/v2/keys/x?a", "http://u:p@h/"] {
        assert_eq!(Grammar::Service.check(good), Ok(()), "{good}");
    }
    for bad in ["", "foo", "ftp://h/t", "http:h/t", "http:///t", "http://", "http://h/a b"] {
        assert!(Grammar::Service.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn origins_have_a_scheme_and_a_host_and_no_path() {
    for good in ["", "*", "http://a.test", "https://a.test:1, http://[::1]:2,", "app://x"] {
        assert_eq!(Grammar::Origins.check(good), Ok(()), "{good}");
    }
    for bad in ["a.test", "http://", "://a", "http://a/", "http://a/b", "http://u@a", "*,x"] {
        assert!(Grammar::Origins.check(bad).is_err(), "{bad}");
    }
    let config = validate(flag("cors", "http://a.test, http://b.test")).unwrap();
    assert_eq!(config.gate.origins, ["http://a.test", "http://b.test"]);
    assert_eq!(config.gate.hosts, ["*"]);
}

#[test]
fn limits_let_somebody_in() {
    let limits = validate(flag("max-url-bytes", "100")).unwrap().limits;
    assert_eq!(limits, Limits { url_bytes: 100, ..Limits::default() });
    for (name, value, least) in [
        ("max-client-connections", "0", "1"),
        ("max-header-bytes", "8191", "8192"),
        ("header-timeout", "0", "1"),
    ] {
        let refusal = validate(flag(name, value)).unwrap_err();
        let expected = format!("error verifying flags, -{name} should be at least {least}");
        assert!(refusal.message.starts_with(&expected), "{}", refusal.message);
    }
}

#[test]
fn domains_consist_of_labels() {
    let long = format!("{}.com", "a".repeat(64));
    for good in ["example.com", "example.com.", "a", "_x.y-z.1", &"a.".repeat(126)] {
        assert_eq!(Grammar::Domain.check(good), Ok(()), "{good}");
    }
    for bad in ["", ".", "a..b", "http://a", "a b", "%%%", &long, &"a.".repeat(128)] {
        assert!(Grammar::Domain.check(bad).is_err(), "{bad}");
    }
}

fn some_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        "(http|https|ftp)?(://)?[a-c0-9.:%@/?\\[\\]]{0,20}",
        "[0-9]{0,22}",
        Just("true".to_string()),
        Just("existing".to_string()),
        "[a-c]=http://h:[0-9]{1,3}(,[a-c]=http://h:[0-9]{1,3}){0,3}",
    ]
}

proptest! {
    /// Nothing makes the checks panic, and everything that they refuse has a remedy.
    #[test]
    fn any_settings_are_taken_or_refused_with_a_remedy(
        given in proptest::collection::vec(
            (proptest::sample::select(flags::all().collect::<Vec<_>>()), some_value(), any::<bool>()),
            0..6,
        ),
    ) {
        let mut settings = Settings::default();
        for (flag, text, environment) in given {
            let source = if environment { Source::Environment } else { Source::Flag };
            settings.set(flag.name, Given { text, source });
        }
        let judged = validate(settings).and_then(|config| config.bootstrap());
        if let Err(refusal) = judged {
            prop_assert!(!refusal.hints.is_empty(), "{refusal:?}");
        }
    }
}
