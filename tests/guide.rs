//! The Clustering Guide, sentence by sentence: each is held by a test, or waits for a feature.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::generated::{assert_generated, defined_tests};

/// The guide as it was published.
const GUIDE: &str = include_str!("data/clustering-guide.txt");
/// What holds each of its items, in its order: an item behind `> `, and behind `= ` the names of
/// tests, or `open: ` and the feature that it waits for, or `heading` where nothing is said that
/// could be held.
const HELD: &str = include_str!("data/guide-conformance.txt");

#[test]
fn every_sentence_of_the_guide_is_held_or_waits() {
    let items = items(GUIDE);
    let held = held(HELD);
    for (number, item) in items.iter().enumerate() {
        let known = held.get(number).map(|(known, _)| *known);
        assert_eq!(known, Some(item.as_str()), "nothing says what holds this item of the guide");
    }
    assert_eq!(held.len(), items.len(), "more is held than the guide says");
    let tests = defined_tests();
    for (item, by) in &held {
        check(item, by, &tests);
    }
    assert_generated("guide-conformance.md", "guide", &render(&held));
}

fn check(item: &str, by: &str, tests: &BTreeSet<String>) {
    if by.strip_prefix("open: ").is_some_and(|feature| !feature.is_empty()) {
        return;
    }
    if by == "heading" {
        assert!(!item.starts_with("$ ") && !item.ends_with('.'), "{item:?} says something");
        return;
    }
    for test in by.split(", ") {
        assert!(tests.contains(test), "{item:?} is held by {test}, and there is no such test");
    }
}

/// Pairs of an item and what holds it.
fn held(text: &str) -> Vec<(&str, &str)> {
    let mut lines = text.lines();
    let mut pairs = Vec::new();
    while let Some(item) = lines.next() {
        let item = item.strip_prefix("> ").unwrap_or_else(|| panic!("{item:?} is no item"));
        let by = lines.next().and_then(|line| line.strip_prefix("= "));
        pairs.push((item, by.unwrap_or_else(|| panic!("nothing holds {item:?}"))));
    }
    pairs
}

/// The headings, sentences, commands, outputs and rows of tables of the guide. A command goes on
/// while its lines end in a backslash; blanks are one each.
fn items(guide: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut lines = guide.lines().map(str::trim).skip_while(|line| *line != "Clustering Guide");
    while let Some(line) = lines.next() {
        let is_rule = line.chars().all(|c| "|- ".contains(c));
        if is_rule {
            continue;
        }
        if is_verbatim(line) {
            let mut whole = line.to_owned();
            while let Some(begun) = whole.strip_suffix('\\') {
                whole = format!("{begun} {}", lines.next().unwrap_or_default());
            }
            items.push(one_blank(&whole));
        } else {
            items.extend(sentences(line).into_iter().map(one_blank));
        }
    }
    items
}

/// Whether it is a command, what one prints, or a row of a table, in which dots end nothing.
fn is_verbatim(line: &str) -> bool {
    let is_flag = line.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    let starts = ["$ ", "ETCD_", "|", "etcd: ", "etcdserver: "];
    is_flag
        || line.contains(". 300")
        || line.contains(".\t300")
        || starts.iter().any(|start| line.starts_with(start))
}

/// A sentence ends where a capital letter follows.
fn sentences(line: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (at, mark) in line.match_indices(['.', ':']) {
        let rest = &line[at + mark.len()..];
        let next = rest.trim_start_matches(' ');
        if next.len() < rest.len() && next.starts_with(char::is_uppercase) {
            sentences.push(&line[begin..=at]);
            begin = line.len() - next.len();
        }
    }
    sentences.push(&line[begin..]);
    sentences
}

fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn render(held: &[(&str, &str)]) -> String {
    let open = held.iter().filter(|(_, by)| by.starts_with("open: ")).count();
    let headings = held.iter().filter(|(_, by)| *by == "heading").count();
    let mut text = format!(
        "Of {} sentences, commands and outputs {} are held by tests, and {open} wait for a \
         feature.\n\n| the guide | held by |\n|---|---|\n",
        held.len() - headings,
        held.len() - headings - open,
    );
    for (item, by) in held {
        let by = match *by {
            "heading" => String::new(),
            by if by.starts_with("open: ") => format!("*{by}*"),
            by => by.split(", ").map(|test| format!("`{test}`")).collect::<Vec<_>>().join(", "),
        };
        let item = item.trim_matches(['|', ' ']).replace('|', "\\|");
        let item = match (by.as_str(), is_code(&item)) {
            ("", _) => format!("**{item}**"),
            (_, true) => format!("`{item}`"),
            (_, false) => item,
        };
        let _ = writeln!(text, "| {item} | {by} |");
    }
    text
}

fn is_code(item: &str) -> bool {
    !item.contains("\\|") && is_verbatim(item)
}
