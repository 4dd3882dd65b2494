use quorate_core::Node;
use serde_json::Value;

use super::html;
use crate::oracle::Violation;
use crate::report::Report;
use crate::runner;
use crate::scenario::Scenario;

const BEGIN: &str = "<script type=\"application/json\" id=\"data\">";

fn report() -> Report {
    let mut scenario = Scenario::draw(3);
    scenario.options.safety_ms = 10_000;
    runner::run::<Node>(&scenario, true)
}

/// The data that lies in the page.
fn data(html: &str) -> Value {
    let (_, rest) = html.split_once(BEGIN).expect("the data begins");
    let (json, _) = rest.split_once("</script>").expect("the data ends");
    serde_json::from_str(json).expect("JSON")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} in {value}"))
}

#[test]
fn the_page_stands_alone_and_has_all_that_its_script_asks_for() {
    let html = html("lockstep", &report());
    for outside in ["src=", "href=", "url(", "@import", "fetch(", "XMLHttpRequest"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let asked: Vec<&str> =
        html.split("$(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(asked.len() > 10, "{asked:?}");
    for id in asked {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for filled in ["/*data*/", "/*style*/", "/*script*/"] {
        assert!(!html.contains(filled), "{filled}");
    }
    for kind in ["html", "head", "style", "body", "script", "canvas", "table", "nav", "header"] {
        let (begin, end) = (format!("<{kind}"), format!("</{kind}>"));
        let begins = html.matches(&begin).filter(|_| true).count();
        assert!(begins >= html.matches(&end).count() && html.contains(&end), "{kind}");
    }
}

#[test]
fn nothing_in_the_data_becomes_markup() {
    let mut report = report();
    let evil = "</script><script>alert(1)</script><!-- /*style*/ \u{2028}&\"'";
    report.violation = Some((9_000_000_000, Violation::safety("oracle", 1, evil.to_owned())));
    let html = html("</title>", &report);
    assert!(!html.contains("alert(1)</script>"));
    assert_eq!(html.matches("<script").count(), 2);
    let data = data(&html);
    let text = data["violation"]["text"].as_str().expect("words");
    assert_eq!(text, format!("oracle at node 1: {evil}"));
    assert_eq!((&data["violation"]["at"], &data["world"]), (&9_000_000.into(), &"</title>".into()));
}

#[test]
fn a_run_is_drawn_whole() {
    let report = report();
    assert_eq!(report.violation, None);
    let data = data(&html("lockstep", &report));
    let members = list(&data, "members");
    assert_eq!(members.len() as u64, report.scenario.options.hosts() as u64);
    let count = |name: &str| members.iter().map(|m| list(m, name).len() as u64).sum::<u64>();
    assert_eq!(count("leads"), report.stats.leaders);
    assert!(count("spans") > report.stats.restarts);
    assert!(count("applied") > 100 && count("committed") > 100);
    let words = list(&data, "words").len() as u64;
    let messages = list(&data, "messages");
    let arrived = messages.iter().filter(|m| m[5] == false).count() as u64;
    assert_eq!(arrived, report.stats.delivered);
    assert!(messages.iter().all(|m| m[6].as_u64().is_some_and(|number| number < words)));
    assert!(messages.iter().all(|m| m[3].as_u64() <= m[4].as_u64()));
    let operations = list(&data, "clients").iter().flat_map(|c| c.as_array().expect("a list"));
    let done = operations.filter(|operation| operation[2] == "done").count() as u64;
    assert!(done > report.stats.acknowledged, "{done}");
}
