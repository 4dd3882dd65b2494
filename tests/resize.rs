//! A cluster grows and shrinks under a writer: 1, 3, 5, 3, 1 members and back, the leader removed
//! among them, and nothing that was acknowledged is lost.
//!
//! `QUORATE_RESIZE_ROUNDS` is how many times; `QUORATE_RESIZE_KILLS=1` kills the leader and another
//! member with SIGKILL at each size too, and starts them again. The longest time in which no write
//! was acknowledged is printed apart for planned steps, after SIGKILL and after a restart, in
//! election timeouts; `QUORATE_RESIZE_GAPS=1` holds it to three of them after a SIGKILL and one
//! otherwise.

mod support;

use std::fs;

use support::chance::number;
use support::cluster::{Cluster, name};
use support::pulse::{Cause, Gaps, Pulse};
use support::wait::{wait_for, wait_until};
use support::writer::{ACKED, Writer};

const MOST: usize = 5;

fn member_id(cluster: &Cluster, asked: usize, member: usize) -> Option<String> {
    let listed = cluster.client.get(&cluster.url(asked, "/v2/members")).ok()?;
    let (listed, url) = (listed.at("/members"), cluster.peer_url(member));
    let found = listed.as_array()?.iter().find(|other| other["peerURLs"][0] == url.as_str())?;
    Some(found["id"].as_str()?.to_owned())
}

fn learners(cluster: &Cluster, asked: usize) -> Option<usize> {
    let listed = cluster.client.get(&format!("{}/members", cluster.peer_url(asked))).ok()?;
    Some(listed.body.matches("\"isLearner\":true").count())
}

fn grow(cluster: &mut Cluster, members: &mut Vec<usize>) {
    let new = (0..MOST).find(|member| !members.contains(member)).expect("there is room");
    let body = format!("{{\"peerURLs\":[\"{}\"]}}", cluster.peer_url(new));
    wait_for("it is added", || {
        let asked = members[0];
        let answer = cluster.client.post_json(&cluster.url(asked, "/v2/members"), &body).ok()?;
        matches!(answer.status, 201 | 409).then_some(())
    });
    members.push(new);
    let mut command = cluster.command(new);
    let list = cluster.list_of(members);
    command.args(["-initial-cluster", &list, "-initial-cluster-state", "existing"]);
    cluster.start_as(new, command);
    cluster.await_member(new);
    wait_until("it votes", || learners(cluster, members[0]) == Some(0));
}

/// One of the members: the one that leads, or one that follows.
fn pick(cluster: &Cluster, members: &[usize], leader: bool) -> usize {
    wait_for("there is a leader", || {
        let answer = cluster.client.get(&cluster.url(members[0], "/v2/members/leader")).ok()?;
        let leads = answer.at("/name");
        let leads = members.iter().find(|member| leads == name(**member).as_str())?;
        if leader {
            return Some(*leads);
        }
        members.iter().find(|member| *member != leads).copied()
    })
}

/// Removes the leader, or one that follows.
fn shrink(cluster: &mut Cluster, members: &mut Vec<usize>, leader: bool) {
    let old = pick(cluster, members, leader);
    members.retain(|member| *member != old);
    let id = wait_for("it is listed", || member_id(cluster, members[0], old));
    wait_for("it is removed", || {
        let url = cluster.url(members[0], &format!("/v2/members/{id}"));
        let answer = cluster.client.delete(&url).ok()?;
        matches!(answer.status, 204 | 410).then_some(())
    });
    assert_eq!(cluster.process(old).wait().code(), Some(0), "it ends by itself");
    cluster.forget(old);
    fs::remove_dir_all(cluster.data_dir(old)).expect("its directory is removed");
}

/// Kills the leader, or one that follows, and starts it again.
fn kill(cluster: &mut Cluster, members: &[usize], leader: bool, pulse: &Pulse, gaps: &mut Gaps) {
    let killed = pick(cluster, members, leader);
    let step = if leader { "the leader" } else { "a follower" };
    cluster.kill(killed);
    gaps.note(Cause::Sigkill, step, pulse.take());
    cluster.start(killed);
    cluster.await_member(killed);
    gaps.note(Cause::Restart, step, pulse.take());
}

#[test]
fn growing_and_shrinking_loses_nothing() {
    let rounds = number("QUORATE_RESIZE_ROUNDS").unwrap_or(1);
    let kills = number("QUORATE_RESIZE_KILLS").is_some_and(|kills| kills > 0);
    let mut cluster = Cluster::new(MOST).listing(&[0]);
    cluster.start(0);
    cluster.await_member(0);
    let writer = Writer::start(&cluster.client_urls());
    let pulse = Pulse::start(cluster.client_urls());
    let (mut members, mut gaps) = (vec![0], Gaps::default());
    pulse.take();
    for _ in 0..rounds {
        for size in [3, 5, 3, 1] {
            while members.len() < size {
                grow(&mut cluster, &mut members);
                gaps.note(Cause::Planned, "addition", pulse.take());
            }
            while members.len() > size {
                let leader = members.len().is_multiple_of(2);
                shrink(&mut cluster, &mut members, leader);
                let step = if leader { "removal of the leader" } else { "removal of a follower" };
                gaps.note(Cause::Planned, step, pulse.take());
            }
            if kills && members.len() > 1 {
                for leader in [true, false] {
                    kill(&mut cluster, &members, leader, &pulse, &mut gaps);
                }
            }
        }
    }
    pulse.stop();
    let acknowledged = writer.stop();
    gaps.print();
    println!("{} writes were acknowledged", acknowledged.len());
    let all = format!("{ACKED}?recursive=true&quorum=true");
    let listing = cluster.get_local(members[0], &all);
    acknowledged.assert_kept(&listing);
    if number("QUORATE_RESIZE_GAPS").is_some_and(|held| held > 0) {
        gaps.hold();
    }
}
