use alloc::string::String;
use alloc::vec;

use super::*;
use crate::config::Settings;

/// A directory for each row.
fn disk(row: Row) -> DiskState {
    match row {
        Row::Empty | Row::BesideEtcd => DiskState::Empty,
        Row::Member => DiskState::Member,
        Row::Proxy => DiskState::Proxy,
        Row::Etcd => DiskState::Etcd(vec!["member".into()]),
        Row::Foreign => DiskState::Foreign(vec!["notes.txt".into()]),
    }
}

/// Flags for each column.
fn flags(column: Column) -> Settings {
    let settings = Settings::default();
    match column {
        Column::New => settings,
        Column::Existing => settings.flag("initial-cluster-state", "existing"),
        Column::Auto => settings.flag("initial-cluster-state", "auto"),
        Column::Discovery => settings.flag("discovery", "https://discovery.etcd.io/token"),
        Column::Srv => settings.flag("discovery-srv", "example.com"),
        Column::Unreadable => settings.flag("initial-cluster-state", "%%%"),
        Column::Proxy => settings.flag("proxy", "on"),
        Column::ForceNewCluster => settings.flag("force-new-cluster", "true"),
    }
}

fn config(row: Row, mut settings: Settings) -> Config {
    if row == Row::BesideEtcd {
        settings.etcd_dir_found("default.etcd".into());
    }
    Config::validate(settings, [0; 32]).unwrap()
}

/// What the words of an outcome begin with, for each cell.
fn words(cell: Cell, column: Column) -> &'static str {
    match (cell, column) {
        (Cell::Form | Cell::FormOrJoin, _) => "Form",
        (Cell::Join, _) => "Join",
        (Cell::Discover, _) => "Discover",
        (Cell::LookUp, _) => "LookUp",
        (Cell::Proxy, _) => "Proxy",
        (Cell::Restart | Cell::Force, _) => "Restart",
        (Cell::RefuseFlags, _) => "invalid value \"%%%\" for flag -initial-cluster-state",
        (Cell::RefuseNoData, _) => "-force-new-cluster needs the data of a member",
        (Cell::RefuseBeside, _) => "no -data-dir is given, and beside the default default.quorate",
        (Cell::RefuseEtcd, _) => "the data directory default.quorate was written by etcd",
        (Cell::RefuseForeign, _) => "the data directory default.quorate holds files that are not",
    }
}

fn outcome(row: Row, settings: Settings) -> String {
    match decide(&disk(row), &config(row, settings)) {
        Ok(plan) => std::format!("{plan:?}"),
        Err(refusal) => {
            assert!(!refusal.hints.is_empty(), "{refusal:?}");
            refusal.message
        }
    }
}

#[test]
fn every_cell_does_what_it_says() {
    for row in ROWS {
        for column in COLUMNS {
            let outcome = outcome(row, flags(column));
            let words = words(cell(row, column), column);
            assert!(outcome.starts_with(words), "{row:?} {column:?}: {outcome}");
        }
    }
}

/// Each column is where it is told to be, and every cell is reached through its own names.
#[test]
fn rows_and_columns_stand_in_their_order() {
    assert!(ROWS.iter().enumerate().all(|(i, row)| *row as usize == i));
    assert!(COLUMNS.iter().enumerate().all(|(i, column)| *column as usize == i));
}

#[test]
fn a_member_with_data_starts_whatever_the_flags_of_the_first_start_say() {
    let mut all = Settings::default();
    for flag in crate::config::flags::all() {
        if flag.name.starts_with("initial-") || flag.name.starts_with("discovery") {
            all = all.flag(flag.name, "%%%");
            assert_eq!(outcome(Row::Member, Settings::default().flag(flag.name, "%%%")), "Restart");
        }
    }
    assert_eq!(outcome(Row::Member, all.flag("peer-addr", "h:1")), "Restart");
}

#[test]
fn where_several_things_are_asked_for_the_last_column_counts() {
    let both = flags(Column::Unreadable).flag("proxy", "on");
    assert!(outcome(Row::Empty, both.clone()).starts_with("invalid value \"%%%\""));
    assert_eq!(outcome(Row::Proxy, both.clone()), "Proxy");
    let all = both.flag("force-new-cluster", "true");
    assert!(outcome(Row::Empty, all).starts_with("-force-new-cluster needs"));
}

#[test]
fn refusals_name_what_was_found() {
    for (row, found) in [(Row::Etcd, "member"), (Row::Foreign, "notes.txt")] {
        let refusal = decide(&disk(row), &config(row, Settings::default())).unwrap_err();
        assert!(refusal.hints[0].contains(found), "{refusal:?}");
    }
    let refusal = decide(&DiskState::Empty, &config(Row::BesideEtcd, Settings::default()));
    let hints = refusal.unwrap_err().hints.join("\n");
    assert!(hints.contains("-data-dir default.quorate") && hints.contains("default.etcd"));
}
