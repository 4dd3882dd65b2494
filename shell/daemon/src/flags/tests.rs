use super::*;

fn os(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

fn with(args: &[&str], environment: &[(&str, &str)]) -> Result<Parsed, Refusal> {
    let environment = environment.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)));
    parse(os(args), environment.collect::<Vec<_>>())
}

fn given(args: &[&str]) -> Result<Parsed, Refusal> {
    with(args, &[])
}

fn said(args: &[&str]) -> String {
    let Command::Say(text) = given(args).unwrap().command else { panic!("{args:?}") };
    text
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
        &["-name=infra0", "--"],
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
    assert_eq!(given(&["-name", "--"]).unwrap().text("name"), Some("--"));
}

#[test]
fn booleans_have_their_value_behind_the_equal_sign_or_none() {
    for (args, value) in [
        (&["-debug"][..], "true"),
        (&["--debug=false"], "false"),
        (&["-debug=1", "-debug=maybe"], "maybe"),
        (&["-debug=false", "-debug"], "true"),
    ] {
        assert_eq!(given(args).unwrap().text("debug"), Some(value), "{args:?}");
    }
    // Of 0.4, whose flags are all of that kind.
    let parsed = given(&["-snapshot", "-v", "-cluster-active-size=3", "-name", "a"]).unwrap();
    assert_eq!(parsed.text("name"), Some("a"));
    assert_eq!(parsed.notices.len(), 3);
    assert_eq!(parsed.notices[1], "flag \"-snapshot\" is no longer supported - ignoring.");
    let refusal = given(&["-debug", "false"]).unwrap_err();
    assert_eq!(refusal.message, "error verifying flags, 'false' is not a valid flag");
}

#[test]
fn refusals_say_what_and_have_their_status() {
    let table: [(&[&str], u8, &str); 12] = [
        (&["-foo"], 2, "flag provided but not defined: -foo"),
        (&["--foo=1"], 2, "flag provided but not defined: -foo"),
        (&["-name"], 2, "flag needs an argument: -name"),
        (&["---name", "x"], 2, "bad flag syntax: ---name"),
        (&["-=x"], 2, "bad flag syntax: -=x"),
        (&["serve"], 1, "error verifying flags, 'serve' is not a valid flag"),
        (&["-name", "a", "b"], 1, "error verifying flags, 'b' is not a valid flag"),
        (&["-"], 1, "error verifying flags, '-' is not a valid flag"),
        (&["--", "-name"], 1, "error verifying flags, '-name' is not a valid flag"),
        (&["", "-name"], 1, "error verifying flags, '' is not a valid flag"),
        (&["dev", "-name", "a"], 2, "flag provided but not defined: -name"),
        (&["completions", "tcsh"], 2, "'quorate completions' needs the name of a shell"),
    ];
    for (args, code, message) in table {
        let refusal = given(args).unwrap_err();
        assert_eq!((refusal.code(), refusal.message.as_str()), (code, message), "{args:?}");
        assert!(!refusal.hints.is_empty());
    }
}

#[test]
fn every_flag_has_a_twin_in_the_environment() {
    for flag in flags::all().filter(|flag| flag.scope != Scope::Program) {
        let variable = quorate_core::config::variable(flag.name);
        let parsed = with(&[], &[(&variable, "7")]).unwrap();
        let expected = Given { text: "7".into(), source: Source::Environment };
        assert_eq!(parsed.settings.given(flag.name), Some(&expected), "{variable}");
        assert_eq!(parsed.notices.is_empty(), flag.scope != Scope::Ignored);
    }
}

#[test]
fn what_has_no_effect_is_said() {
    let without = given(&["-enable-pprof=false"]).unwrap();
    assert_eq!(without.notices, [""; 0]);
    let with = given(&["-enable-pprof"]).unwrap();
    assert_eq!(with.notices.len(), 1);
    assert!(with.notices[0].starts_with("-enable-pprof has no effect: "), "{with:?}");
}

#[test]
fn a_flag_wins_over_its_variable_with_one_line() {
    let parsed = with(&["-name", "flag"], &[("ETCD_NAME", "variable")]).unwrap();
    assert_eq!(parsed.text("name"), Some("flag"));
    assert_eq!(parsed.notices, ["ETCD_NAME is ignored: the flag -name is given"]);
}

#[test]
fn unknown_variables_are_named_once() {
    let environment = [
        ("ETCD_ZZ", "1"),
        ("PATH", "/bin"),
        ("ETCD_AA", "2"),
        ("ETCD_NAME", ""),
        ("ETCD_VERSION", "v3.4"),
    ];
    let parsed = with(&[], &environment).unwrap();
    let expected = "unknown variables in the environment: ETCD_AA, ETCD_VERSION, ETCD_ZZ";
    assert_eq!(parsed.notices, [expected]);
    assert_eq!(parsed.text("name"), None, "an empty variable says nothing");
}

#[test]
fn the_version_says_ours_first() {
    for args in [&["--version"][..], &["-version"], &["-name", "a", "-version=t"]] {
        let lines: Vec<_> = said(args).lines().map(str::to_owned).collect();
        assert_eq!(lines, [concat!("quorate ", env!("CARGO_PKG_VERSION")), "etcd API 3.4.23"]);
    }
    assert_eq!(given(&["-version=false"]).unwrap().command, Command::Serve);
    assert!(given(&["-version", "-foo"]).is_err(), "the rest is read all the same");
}

#[test]
fn the_help_lists_every_flag_under_its_heading() {
    for args in [&["-help"][..], &["--help"], &["-h"], &["-name", "a", "-h"]] {
        let text = said(args);
        for (group, flags) in flags::FLAGS {
            let from = text.find(&format!("{}:", group.heading())).expect("a heading");
            for flag in flags {
                let at = text[from..].find(&format!("--{}", flag.name));
                assert!(at.is_some(), "{} below {}", flag.name, group.heading());
            }
        }
    }
    let text = said(&["dev", "--help"]);
    assert!(text.contains("--dir <DIR>") && !text.contains("--name"));
}

#[test]
fn completions_and_the_manual_page_know_every_flag() {
    for shell in command::SHELLS {
        let text = said(&["completions", &shell.to_string()]);
        for flag in flags::all() {
            assert!(text.contains(flag.name), "{} for {shell}", flag.name);
        }
    }
    let page = said(&["man"]);
    assert!(page.contains(".TH quorate"), "{}", &page[..200]);
    for flag in flags::all() {
        let name = flag.name.replace('-', "\\-");
        assert!(page.contains(&format!("\\-\\-{name}")), "{name}");
    }
}

#[test]
fn dev_takes_its_own_flags() {
    let environment = [("ETCD_NAME", "infra0"), ("ETCD_LOG_FORMAT", "json")];
    let parsed = with(&["dev", "-dir", "x", "-debug"], &environment).unwrap();
    assert_eq!(parsed.command, Command::Dev);
    assert_eq!(parsed.own("dir"), Some("x"));
    assert!(parsed.is_set("debug"));
    assert_eq!(parsed.text("log-format"), Some("json"));
    assert_eq!(parsed.text("name"), None);
    assert!(parsed.notices.is_empty(), "what members read is known here");
}

#[test]
fn the_settings_can_be_printed_in_two_forms() {
    for (args, json) in [
        (&["-print-config"][..], false),
        (&["--print-config=text"], false),
        (&["-print-config=json"], true),
    ] {
        assert_eq!(given(args).unwrap().command, Command::PrintConfig { json }, "{args:?}");
    }
    let parsed = with(
        &["-name", "a", "-peer-addr", "10.0.1.10:7001", "-discovery", "https://u:p@d.io/3e86b599"],
        &[("ETCD_INITIAL_CLUSTER_TOKEN", "t")],
    )
    .unwrap();
    let text = print_config(&parsed.settings, false);
    for line in [
        "Member flags:",
        "  name = \"a\" (flag)",
        "  data-dir = \"a.quorate\" (derived from -name)",
        "  listen-peer-urls = \"http://:7001\" (derived from -peer-addr)",
        "  initial-cluster-token = \"t\" (ETCD_INITIAL_CLUSTER_TOKEN)",
        "  election-timeout = \"1000\" (default)",
        "  discovery = \"https://***@d.io/3e86***\" (flag)",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in {text}");
    }
    assert!(!text.contains("u:p") && !text.contains("bind-addr") && !text.contains("peers-file"));
    let json: serde_json::Value =
        serde_json::from_str(&print_config(&parsed.settings, true)).unwrap();
    assert_eq!(json["name"]["origin"], "flag");
    assert_eq!(json["data-dir"]["from"], "name");
    assert_eq!(json["initial-cluster-token"]["variable"], "ETCD_INITIAL_CLUSTER_TOKEN");
    assert_eq!(json["discovery"]["value"], "https://***@d.io/3e86***");
}

#[test]
fn the_command_line_that_is_shown_has_no_secrets() {
    let discovery = "-discovery=https://u:p@d.io/3e86abcdef";
    let parsed = with(&["-name", "a", discovery], &[("ETCD_DATA_DIR", "d")]);
    let shown = command_line(&parsed.unwrap().settings);
    assert_eq!(shown, ["quorate", "-discovery=https://***@d.io/3e86***", "-name=a"]);
}
