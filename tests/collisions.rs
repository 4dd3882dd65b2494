//! Changes of the membership that several clients ask for at the same moment, at different members.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use crate::support::client::Answer;
use crate::support::cluster::Cluster;
use crate::support::membership::{id_of, listed};
use crate::support::wait::wait_until;
use serde_json::Value;

/// Those that collide wait for each other, and each of them is answered.
#[test]
fn changes_at_the_same_moment_are_all_carried_out() {
    let cluster = Cluster::started(3);
    let ids: Vec<String> = (0..3).map(|member| id_of(&cluster, 0, member)).collect();
    thread::scope(|scope| {
        for round in 0..9_usize {
            let (cluster, id) = (&cluster, &ids[round % 3]);
            scope.spawn(move || {
                let own = cluster.peer_url(round % 3);
                let body =
                    format!("{{\"peerURLs\":[\"{own}\",\"http://127.0.0.1:{}\"]}}", 10 + round);
                let url = cluster.url(round / 3, &format!("/v2/members/{id}"));
                let answer = cluster.client.put_json(&url, &body).expect("answered");
                assert_eq!(answer.status, 204, "{answer:?}");
            });
        }
    });
}

/// What one of the clients asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ask {
    /// The addition of a member with this URL.
    Add(String),
    /// The removal of the member with this ID.
    Remove(String),
}

/// Asks these members for all of it at once. None goes without an answer, and an answer that says
/// that it was not done says why.
fn ask_at_once(cluster: &Cluster, members: &[usize], asks: &[Ask]) -> Vec<Answer> {
    thread::scope(|scope| {
        let ask = |(ask, member): (&Ask, &usize)| {
            let (url, ask) = (cluster.url(*member, "/v2/members"), ask.clone());
            scope.spawn(move || {
                let (answer, expected) = match &ask {
                    Ask::Add(peer) => {
                        let body = format!("{{\"peerURLs\":[\"{peer}\"]}}");
                        (cluster.client.post_json(&url, &body), [201, 409, 500])
                    }
                    Ask::Remove(id) => {
                        (cluster.client.delete(&format!("{url}/{id}")), [204, 410, 500])
                    }
                };
                let answer = answer.unwrap_or_else(|error| panic!("{ask:?} at {url}: {error}"));
                assert!(expected.contains(&answer.status), "{ask:?}: {answer:?}");
                let says_why = answer.header("X-Quorate-Cause").is_some();
                assert_eq!(says_why, answer.status == 500, "{ask:?}: {answer:?}");
                answer
            })
        };
        let asked: Vec<_> = asks.iter().zip(members.iter().cycle()).map(ask).collect();
        asked.into_iter().map(|thread| thread.join().expect("it is answered")).collect()
    })
}

/// The members, going by the answers alone.
struct Members {
    /// The URL of each, by its ID.
    there: BTreeMap<String, String>,
    /// URLs of which no answer says whether a member has them.
    unknown: BTreeSet<String>,
}

impl Members {
    fn learn(&mut self, asks: &[Ask], answers: &[Answer]) {
        for ask in asks {
            let same = || asks.iter().zip(answers).filter(|(other, _)| *other == ask);
            let count = |status| same().filter(|(_, answer)| answer.status == status).count();
            let (done, too_late) = match ask {
                Ask::Add(_) => (count(201), count(409)),
                Ask::Remove(_) => (count(204), count(410)),
            };
            assert!(done <= 1, "it was done twice: {ask:?}");
            assert!(too_late == 0 || done + count(500) > 0, "nobody has done it: {ask:?}");
            match ask {
                Ask::Add(url) => match same().find(|(_, answer)| answer.status == 201) {
                    Some((_, answer)) => {
                        let id = answer.at("/id").as_str().expect("an ID").to_owned();
                        self.there.insert(id, url.clone());
                    }
                    None => drop(self.unknown.insert(url.clone())),
                },
                Ask::Remove(id) => {
                    let url = self.there.remove(id);
                    self.unknown.extend(url.filter(|_| done + too_late == 0));
                }
            }
        }
    }

    /// Waits until a member lists just these.
    fn await_at(&self, cluster: &Cluster, asked: usize) {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        wait_until("the list is what was answered", || {
            let listed = listed(cluster, asked);
            let pairs =
                listed.iter().map(|member| (text(&member["id"]), text(&member["peerURLs"][0])));
            let known = pairs.filter(|(_, url)| !self.unknown.contains(url));
            known.collect::<BTreeMap<_, _>>() == self.there
        });
    }
}

/// Additions, and the removals of what was added in the round before, some of them twice.
fn changes(members: &Members, own: &BTreeMap<String, String>, round: usize) -> Vec<Ask> {
    let added = members.there.keys().filter(|id| !own.contains_key(*id));
    let removals = added.cloned().map(Ask::Remove);
    let url = |number| format!("http://127.0.0.1:{}", 10 * round + number);
    let additions = (0..4).map(url).map(Ask::Add);
    let mut asks: Vec<Ask> = removals.chain(additions).collect();
    let twice = [asks.first().cloned(), asks.last().cloned()];
    asks.extend(twice.into_iter().flatten());
    asks
}

/// In the end they collide even with the removal of the leader.
#[test]
fn additions_and_removals_at_the_same_moment_are_none_of_them_lost() {
    const ALL: [usize; 3] = [0, 1, 2];
    let mut cluster = Cluster::started(3);
    let own: BTreeMap<String, String> =
        ALL.map(|member| (id_of(&cluster, 0, member), cluster.peer_url(member))).into();
    let mut members = Members { there: own.clone(), unknown: BTreeSet::new() };
    for round in 1..4 {
        let asks = changes(&members, &own, round);
        members.learn(&asks, &ask_at_once(&cluster, &ALL, &asks));
        ALL.iter().for_each(|asked| members.await_at(&cluster, *asked));
    }
    let leader = cluster.leader();
    let others: Vec<usize> = ALL.into_iter().filter(|member| *member != leader).collect();
    let mut asks = changes(&members, &own, 4);
    let gone = Ask::Remove(id_of(&cluster, leader, leader));
    asks.splice(2..2, [gone.clone(), gone]);
    members.learn(&asks, &ask_at_once(&cluster, &others, &asks));
    assert_eq!(cluster.process(leader).wait().code(), Some(0));
    cluster.forget(leader);
    for asked in others {
        members.await_at(&cluster, asked);
        cluster.put(asked, "/after", "1");
    }
}
