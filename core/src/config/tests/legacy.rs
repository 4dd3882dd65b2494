//! The table of the guide: the flags of 0.4.

use std::format;

use super::*;

/// Each row with a value for either side.
const ROWS: [(&str, &str); 4] = [
    ("peer-addr", "initial-advertise-peer-urls"),
    ("addr", "advertise-client-urls"),
    ("peer-bind-addr", "listen-peer-urls"),
    ("bind-addr", "listen-client-urls"),
];

fn effective(settings: &Settings, flag: &str) -> String {
    settings.effective(flag).0
}

#[test]
fn addresses_of_0_4_are_https_where_that_side_has_a_certificate() {
    for (old, new) in ROWS {
        let side = if new.contains("peer") { "peer-" } else { "" };
        let settings = flag(old, "10.0.1.10:1").flag(&format!("{side}cert-file"), "c");
        assert_eq!(effective(&settings, new), "https://10.0.1.10:1", "{old}");
    }
    let other_side = flag("addr", "10.0.1.10:1").flag("peer-cert-file", "c");
    assert_eq!(effective(&other_side, "advertise-client-urls"), "http://10.0.1.10:1");
}

#[test]
fn each_old_flag_is_the_only_value_of_the_new_one() {
    for (old, new) in ROWS {
        for (address, url) in [
            ("10.0.1.10:7001", "http://10.0.1.10:7001"),
            ("infra0.example.com:7001", "http://infra0.example.com:7001"),
            ("[2001:db8::1]:7001", "http://[2001:db8::1]:7001"),
        ] {
            let settings = flag(old, address);
            assert_eq!(effective(&settings, new), url, "{old}");
            validate(settings).unwrap().bootstrap().unwrap();
        }
    }
}

#[test]
fn old_and_new_of_one_row_exclude_each_other() {
    for (old, new) in ROWS {
        for settings in [
            flag(old, "10.0.1.10:1").flag(new, "http://10.0.1.10:1"),
            variable_of(old, "10.0.1.10:1").flag(new, "http://10.0.1.10:1"),
        ] {
            let settings = match new {
                "listen-client-urls" => settings.flag("advertise-client-urls", "http://h:1"),
                _ => settings,
            };
            let refusal = match validate(settings) {
                Err(refusal) => refusal,
                // As all that is for the first start, this is judged only then.
                Ok(config) => config.bootstrap().unwrap_err(),
            };
            let expected =
                format!("error verifying flags, Set only one of flags -{new} and -{old}.");
            assert_eq!((refusal.message.as_str(), refusal.code()), (expected.as_str(), 1));
            assert!(refusal.hints[0].contains("http://10.0.1.10:1"), "{refusal:?}");
        }
    }
}

#[test]
fn an_advertised_address_alone_is_listened_on_and_yields_to_everything_explicit() {
    for (old, bind, listen) in [
        ("peer-addr", "peer-bind-addr", "listen-peer-urls"),
        ("addr", "bind-addr", "listen-client-urls"),
    ] {
        let settings = flag(old, "10.0.1.10:7001");
        assert_eq!(effective(&settings, listen), "http://:7001");
        let bound = settings.clone().flag(bind, "10.0.1.11:1");
        assert_eq!(effective(&bound, listen), "http://10.0.1.11:1");
        let explicit = settings.flag(listen, "http://10.0.1.12:2");
        assert_eq!(effective(&explicit, listen), "http://10.0.1.12:2");
        validate(explicit).unwrap().bootstrap().unwrap();
    }
}

#[test]
fn addresses_are_no_urls() {
    let table = [
        ("10.0.1.10", "address 10.0.1.10: missing port in address"),
        ("a:1,b:1", "address a:1,b:1: it is one address, and not a list"),
        ("http://10.0.1.10:1", "address http://10.0.1.10:1: too many colons in address"),
        ("2001:db8::1:1", "address 2001:db8::1:1: too many colons in address"),
        (":1", "bad IP in address specification"),
        ("a@h:1", "address a@h:1: it is not HOST:PORT"),
        ("h:1?x", "address h:1?x: it is not HOST:PORT"),
        ("h:1/", "URL must not contain a path: http://h:1/"),
        ("h:x", "parse \"http://h:x\": invalid port \":x\" after host"),
        ("", "address : missing port in address"),
    ];
    for (old, _) in ROWS {
        for (value, cause) in table {
            let refusal = validate(flag(old, value)).unwrap_err();
            assert_eq!(
                refusal.message,
                format!("invalid value {value:?} for flag -{old}: {cause}")
            );
            assert_eq!(refusal.code(), 2);
        }
    }
}

#[test]
fn the_flags_that_are_gone_point_to_their_successor() {
    for name in ["peers", "peers-file"] {
        let refusal = validate(flag(name, "10.0.1.10:7001,10.0.1.11:7001")).unwrap_err();
        let gone = format!("flag \"-{name}\" is no longer supported.");
        let expected =
            format!("invalid value \"10.0.1.10:7001,10.0.1.11:7001\" for flag -{name}: {gone}");
        assert_eq!((refusal.message, refusal.syntax), (expected, true));
        assert!(refusal.hints[0].contains("-initial-cluster"));
        let refusal = validate(variable_of(name, "x")).unwrap_err();
        assert_eq!(refusal.code(), 1);
        assert!(refusal.message.ends_with(&gone), "{refusal:?}");
    }
}

#[test]
fn the_flags_that_mean_nothing_any_more_stop_nobody() {
    let ignored: Vec<_> = flags::all().filter(|flag| flag.scope == Scope::Ignored).collect();
    assert_eq!(ignored.len(), 13);
    for flag in ignored {
        assert_eq!(message(self::flag(flag.name, "%%%")), "", "{}", flag.name);
    }
}
