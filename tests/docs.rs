//! Documents that say what the code does: written from it, and stale as soon as it changes.

use crate::support::generated::assert_generated;
use quorate_core::boot::table::{COLUMNS, Cell, Column, ROWS, Row, cell};

#[test]
fn the_boot_table_is_the_one_in_the_code() {
    let mut text = String::from("| data directory |");
    text.extend(COLUMNS.map(|column| format!(" {} |", asked(column))));
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(COLUMNS.len()));
    for row in ROWS {
        text.push_str(&format!("\n| {} |", found(row)));
        text.extend(COLUMNS.map(|column| format!(" {} |", follows(cell(row, column)))));
    }
    assert_generated("bootstrap.md", "boot-table", &text);
}

const fn found(row: Row) -> &'static str {
    match row {
        Row::Empty => "empty",
        Row::BesideEtcd => "empty, etcd's beside",
        Row::Member => "a member",
        Row::Proxy => "a proxy",
        Row::Etcd => "etcd's",
        Row::Foreign => "foreign",
    }
}

const fn asked(column: Column) -> &'static str {
    match column {
        Column::New => "state `new`",
        Column::Existing => "state `existing`",
        Column::Auto => "state `auto`",
        Column::Discovery => "`-discovery`",
        Column::Srv => "`-discovery-srv`",
        Column::Unreadable => "malformed or conflicting",
        Column::Proxy => "`-proxy`",
        Column::ForceNewCluster => "`-force-new-cluster`",
    }
}

const fn follows(cell: Cell) -> &'static str {
    match cell {
        Cell::Form => "**form**",
        Cell::Join => "**join**",
        Cell::FormOrJoin => "**form** or **join**",
        Cell::Discover => "**discover**",
        Cell::LookUp => "**look up**, then form or join",
        Cell::Proxy => "**proxy**",
        Cell::Restart => "**restart**",
        Cell::Force => "**restart** alone",
        Cell::RefuseFlags => "refuse: says what is wrong",
        Cell::RefuseNoData => "refuse: no data",
        Cell::RefuseBeside => "refuse: choose",
        Cell::RefuseEtcd => "refuse: etcd's data",
        Cell::RefuseForeign => "refuse: not ours",
    }
}
