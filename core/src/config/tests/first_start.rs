//! What only counts as long as there is no data.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;

fn refusal(settings: Settings) -> Refusal {
    let refusal = validate(settings).unwrap().bootstrap().unwrap_err();
    assert!(!refusal.hints.is_empty(), "{refusal:?}");
    refusal
}

fn members(settings: Settings) -> Members {
    validate(settings).unwrap().bootstrap().unwrap().members
}

#[test]
fn the_default_list_follows_name_and_advertised_urls() {
    let settings = flag("name", "n").flag("initial-advertise-peer-urls", "http://b:1, http://a:1");
    assert_eq!(members(settings), Members::New("n=http://a:1,n=http://b:1".into()));
}

#[test]
fn the_list_comes_from_one_place() {
    let existing = flag("initial-cluster-state", "existing").flag("initial-cluster", "a=b");
    assert_eq!(members(existing), Members::Existing("a=b".into()));
    assert_eq!(members(flag("initial-cluster", "%%%")), Members::New("%%%".into()));
    let discovery = Discovery {
        token: Token::parse("http://d/t").unwrap(),
        via: None,
        fallback: Fallback::Proxy,
    };
    assert_eq!(members(flag("discovery", "http://d/t")), Members::Discovery(discovery));
    let srv = |state, patience| {
        let domain = "e.com".into();
        Members::Srv(Srv { domain, state, patience: Duration::from_millis(patience) })
    };
    let asked = flag("discovery-srv", "e.com");
    assert_eq!(members(asked.clone()), srv(State::New, 60_000));
    let auto = asked.clone().flag("initial-cluster-state", "auto");
    assert_eq!(members(auto), srv(State::Auto, 60_000));
    let asked = asked.flag("initial-cluster-state", "existing").flag("discovery-srv-timeout", "1");
    assert_eq!(members(asked), srv(State::Existing, 1));
}

#[test]
fn what_belongs_to_a_discovery_is_read_with_it() {
    let given = |proxy: &str| {
        let settings = flag("discovery", "http://d/t").flag("discovery-fallback", "exit");
        settings.flag("discovery-proxy", proxy)
    };
    for (proxy, host, port, credentials) in [
        ("10.0.0.1:3128", "10.0.0.1", 3128, None),
        ("http://u:p@proxy.example", "proxy.example", 80, Some("Basic dTpw")),
    ] {
        let Members::Discovery(discovery) = members(given(proxy)) else { panic!("{proxy}") };
        let via = discovery.via.unwrap();
        assert_eq!((via.host.as_str(), via.port), (host, port));
        assert_eq!(via.credentials.as_deref(), credentials);
        assert_eq!(discovery.fallback, Fallback::Exit);
    }
    let refusal = refusal(given(":%zz"));
    assert!(refusal.message.starts_with("invalid proxy address \":%zz\": "), "{refusal:?}");
    // It says nothing by itself.
    let alone = flag("discovery-proxy", ":%zz");
    assert!(validate(alone).unwrap().bootstrap().is_ok());
}

/// Every two of them, and all three.
#[test]
fn conflicting_sources_are_refused_with_both_sides() {
    let all = [
        ("initial-cluster", "a=http://h:1"),
        ("discovery", "https://d/t"),
        ("discovery-srv", "e.com"),
    ];
    for left_out in 0..=all.len() {
        let given: Vec<_> = all
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != left_out)
            .map(|(_, given)| given)
            .collect();
        let settings =
            given.iter().fold(Settings::default(), |settings, (f, v)| settings.flag(f, *v));
        let refusal = refusal(settings);
        assert_eq!(
            refusal.message,
            "error verifying flags, multiple discovery or bootstrap flags are set. Choose one of \
             \"initial-cluster\", \"discovery\" or \"discovery-srv\""
        );
        assert!(given.iter().all(|(f, v)| refusal.hints[0].contains(&format!("-{f} is {v}"))));
        assert_eq!(refusal.code(), 1);
    }
    let mut settings = variable_of("initial-cluster", "a=http://h:1");
    settings = settings.flag("discovery", "http://d/t");
    assert!(refusal(settings).hints[0].starts_with("ETCD_INITIAL_CLUSTER is a=http://h:1"));
}

#[test]
fn a_token_forms_new_clusters_only() {
    let refusal =
        refusal(flag("discovery", "http://d/t").flag("initial-cluster-state", "existing"));
    assert_eq!(
        refusal.message,
        "discovery URL should not be set when joining existing initial cluster"
    );
}

const MALFORMED: [(&str, &str, &str); 10] = [
    ("initial-cluster-state", "%%%", "invalid value"),
    ("initial-cluster-state", "", "invalid value"),
    ("initial-cluster-form", "most", "invalid value"),
    ("initial-advertise-peer-urls", "", "URL scheme must be http or https: "),
    ("initial-advertise-peer-urls", "%%%", "URL scheme must be http or https: %%%"),
    ("discovery", "%%%", "URL scheme must be http or https: %%%"),
    ("discovery-srv", "%%%", "not a domain name"),
    ("discovery-srv-resolver", "localhost:53", "address localhost:53: it is not IP:PORT"),
    ("discovery-srv-timeout", "1s", "parse error"),
    ("discovery-fallback", "%%%", "invalid value"),
];

#[test]
fn malformed_values_are_judged_when_they_are_needed() {
    for (name, value, cause) in MALFORMED {
        let refused = refusal(flag(name, value));
        let expected = format!("invalid value {value:?} for flag -{name}: {cause}");
        assert_eq!((refused.message, refused.syntax), (expected, true));
        let refused = refusal(variable_of(name, value));
        let expected = format!("invalid value {value:?} for {}: {cause}", variable(name));
        assert_eq!((refused.message, refused.syntax), (expected, false));
    }
}

#[test]
fn a_member_with_data_is_told_what_it_ignores() {
    let all = ["initial-", "discovery"].map(|prefix| {
        flags::all().map(|flag| flag.name).filter(move |name| name.starts_with(prefix))
    });
    let mut settings = flag("name", "n").flag("proxy", "on");
    for name in all.into_iter().flatten() {
        settings = settings.flag(name, "%%%");
    }
    let config = validate(settings).unwrap();
    let ignored: Vec<&str> = config.ignored_with_data().collect();
    let expected: Vec<&str> = [
        "discovery",
        "discovery-ca-file",
        "discovery-fallback",
        "discovery-proxy",
        "discovery-srv",
        "discovery-srv-resolver",
        "discovery-srv-timeout",
        "initial-advertise-peer-urls",
        "initial-cluster",
        "initial-cluster-form",
        "initial-cluster-state",
        "initial-cluster-token",
        "proxy",
    ]
    .into();
    assert_eq!(ignored, expected);
    let _: String = config.bootstrap().unwrap_err().message;
}
