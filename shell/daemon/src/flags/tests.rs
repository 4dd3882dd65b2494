use std::ffi::OsString;

use super::*;

fn os(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

fn with(args: &[&str], environment: &[(&str, &str)]) -> Result<Parsed, Refused> {
    let environment = environment.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)));
    parse(os(args), environment.collect::<Vec<_>>())
}

fn given(args: &[&str]) -> Result<Parsed, Refused> {
    with(args, &[])
}

#[test]
fn dashes_and_equal_signs_are_all_the_same() {
    for args in [
        &["-name", "infra0"][..],
        &["--name", "infra0"],
        &["-name=infra0"],
        &["--name=infra0"],
        &["-name", "other", "--name=infra0"],
        &["-name=other", "-name", "infra0"],
    ] {
        let parsed = given(args).unwrap();
        assert_eq!(parsed.text("name"), Some("infra0"), "{args:?}");
        assert_eq!(parsed.text("data-dir"), None);
        assert_eq!(parsed.command, Command::Serve);
    }
}

#[test]
fn what_follows_a_flag_is_its_value_whatever_it_looks_like() {
    let list = "infra0=http://10.0.1.10:2380,infra1=http://10.0.1.11:2380";
    let parsed = given(&["-initial-cluster", list, "-name", "-data-dir"]).unwrap();
    assert_eq!(parsed.text("initial-cluster"), Some(list));
    assert_eq!(parsed.text("name"), Some("-data-dir"));
    assert_eq!(given(&["-initial-cluster=a=b"]).unwrap().text("initial-cluster"), Some("a=b"));
    assert_eq!(given(&["-data-dir="]).unwrap().text("data-dir"), Some(""));
}

#[test]
fn refusals_say_what_and_have_their_status() {
    let table: [(&[&str], u8, &str); 10] = [
        (&["-foo"], 2, "flag provided but not defined: -foo"),
        (&["--foo=1"], 2, "flag provided but not defined: -foo"),
        (&["-name"], 2, "flag needs an argument: -name"),
        (&["-log-format", "xml"], 2, "invalid value \"xml\" for flag -log-format: invalid value"),
        (
            &["-initial-cluster-state", "foo"],
            2,
            "invalid value \"foo\" for flag -initial-cluster-state: invalid value",
        ),
        (
            &["-election-timeout", "x"],
            2,
            "invalid value \"x\" for flag -election-timeout: parse error",
        ),
        (&["serve"], 1, "error verifying flags, 'serve' is not a valid flag"),
        (&["-name", "a", "b"], 1, "error verifying flags, 'b' is not a valid flag"),
        (&["--"], 1, "error verifying flags, '--' is not a valid flag"),
        (&["dev", "-name", "a"], 2, "flag provided but not defined: -name"),
    ];
    for (args, code, message) in table {
        let refused = given(args).unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (code, message), "{args:?}");
    }
}

#[test]
fn every_flag_has_a_twin_in_the_environment() {
    for flag in SERVE_FLAGS.iter().flat_map(|group| group.iter()) {
        let value = match flag.name {
            "log-format" => "json",
            "initial-cluster-state" => "existing",
            "initial-cluster-form" => "majority",
            name if name.ends_with("urls") => "http://10.0.1.10:1",
            _ => "7",
        };
        let variable = flag.variable();
        let parsed = with(&[], &[(&variable, value)]).unwrap();
        assert_eq!(parsed.text(flag.name), Some(value), "{variable}");
        assert!(parsed.notices.is_empty());
    }
}

#[test]
fn a_flag_wins_over_its_variable_with_one_line() {
    let parsed = with(&["-name", "flag"], &[("ETCD_NAME", "variable")]).unwrap();
    assert_eq!(parsed.text("name"), Some("flag"));
    assert_eq!(parsed.notices, ["ETCD_NAME is ignored: the flag -name is given"]);
}

#[test]
fn unknown_variables_are_named_once() {
    let environment = [("ETCD_ZZ", "1"), ("PATH", "/bin"), ("ETCD_AA", "2"), ("ETCD_NAME", "")];
    let parsed = with(&[], &environment).unwrap();
    assert_eq!(parsed.notices, ["unknown variables in the environment: ETCD_AA, ETCD_ZZ"]);
    assert_eq!(parsed.text("name"), None, "an empty variable says nothing");
    let refused = with(&[], &[("ETCD_SNAPSHOT_COUNT", "many")]).unwrap_err();
    assert_eq!(refused.code, 2);
    assert_eq!(refused.message, "invalid value \"many\" for flag -snapshot-count: parse error");
}

#[test]
fn the_version_says_ours_first() {
    for args in [&["--version"][..], &["-version"], &["-name", "a", "-version"]] {
        let Command::Version(text) = given(args).unwrap().command else { panic!("{args:?}") };
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines, [concat!("quorate ", env!("CARGO_PKG_VERSION")), "etcd API 3.4.23"]);
    }
}

#[test]
fn the_help_lists_every_flag_under_its_heading() {
    let Command::Help(text) = given(&["-help"]).unwrap().command else { panic!("no help") };
    for flag in SERVE_FLAGS.iter().flat_map(|group| group.iter()) {
        assert!(text.contains(&format!("--{} <{}>", flag.name, flag.value)), "{}", flag.name);
        assert!(text.contains(flag.group.heading()));
    }
    let Command::Help(text) = given(&["dev", "--help"]).unwrap().command else { panic!("no help") };
    assert!(text.contains("--dir <DIR>") && !text.contains("--name"));
}

#[test]
fn dev_takes_its_own_flags() {
    let parsed = with(&["dev", "-dir", "x"], &[("ETCD_NAME", "infra0")]).unwrap();
    assert_eq!(parsed.command, Command::Dev);
    assert_eq!(parsed.text("dir"), Some("x"));
    assert!(parsed.notices.is_empty(), "what members read is known here");
}

#[test]
fn the_settings_are_what_was_given() {
    let parsed = with(&["-name", "a", "-initial-cluster", "%%"], &[("ETCD_DATA_DIR", "d")]);
    let settings = parsed.unwrap().settings();
    assert_eq!(settings.name.as_deref(), Some("a"));
    assert_eq!(settings.initial_cluster.as_deref(), Some("%%"));
    assert_eq!(settings.data_dir.as_deref(), Some("d"));
    assert_eq!(settings.listen_peer_urls, None);
}
