//! Patroni keeps a PostgreSQL cluster by what it writes through the v2 API.
//!
//! `QUORATE_PATRONI_FAILOVERS` is how often the machine of the primary and a member are killed.

mod support;

use support::chance::number;
use support::cluster::Cluster;
use support::left_out;
use support::postgres::{self, Servers};
use support::wait::{wait_for, wait_until};

const FAILOVERS: u64 = 1;

#[test]
fn patroni_fails_over_while_a_member_dies() {
    let programs = match postgres::installed() {
        Ok(programs) => programs,
        Err(why) => return left_out("Patroni", why),
    };
    let mut cluster = Cluster::started(3);
    let mut servers = Servers::new(&cluster, programs, 2);
    servers.start(0);
    servers.start(1);
    let mut primary = servers.await_primary();
    servers.await_replica(1 - primary);
    run(&servers, primary, "CREATE TABLE IF NOT EXISTS kept (number int PRIMARY KEY)");
    run(&servers, primary, &insert(0));
    await_rows(&servers, 1 - primary, 1);
    let failovers = number("QUORATE_PATRONI_FAILOVERS").unwrap_or(FAILOVERS);
    for failover in 1..=failovers {
        // In turn the leader, which answers for the others, and one that follows.
        let leader = cluster.leader();
        let member = if failover % 2 == 1 { leader } else { (leader + 1) % cluster.size() };
        let (dead, heir) = (primary, 1 - primary);
        servers.kill(dead);
        cluster.kill(member);
        primary = servers.await_primary();
        assert_eq!(primary, heir, "who is dead cannot be the primary");
        assert_eq!(holder(&cluster), postgres::name(heir));
        await_rows(&servers, primary, failover);
        run(&servers, primary, &insert(failover));
        cluster.start(member);
        cluster.await_member(member);
        servers.start(dead);
        servers.await_replica(dead);
        await_rows(&servers, dead, failover + 1);
        assert_eq!(servers.await_primary(), primary, "who comes back follows");
    }
}

/// Who holds the leader's key, as most members know it.
fn holder(cluster: &Cluster) -> String {
    let answer = cluster.get_quorum(cluster.running()[0], "/service/soak/leader").ok();
    answer.at("/node/value").as_str().expect("a value").to_owned()
}

/// Carries a statement out that may be carried out again: a primary that has just become one takes no
/// writes yet.
fn run(servers: &Servers, server: usize, statement: &str) {
    wait_for("the statement is carried out", || servers.sql(server, statement));
}

fn await_rows(servers: &Servers, server: usize, rows: u64) {
    wait_until("all rows are there", || {
        servers.sql(server, "SELECT count(*) FROM kept") == Some(rows.to_string())
    });
}

fn insert(number: u64) -> String {
    format!("INSERT INTO kept VALUES ({number}) ON CONFLICT DO NOTHING")
}
