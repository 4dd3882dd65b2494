//! Entries without number, for members that are to miss them.

use std::thread;

use super::client::{Answer, Client, NoAnswer};
use super::cluster::Cluster;
use super::wait::wait_until;

/// More than a leader keeps for followers that lag: a follower that misses so many gets a snapshot.
const LAG: usize = 5_600;
/// How many clients send requests at the same time.
pub(crate) const CLIENTS: usize = 32;

/// Has clients send requests to members until more has gone through the log than a leader keeps. What
/// is sent is given by the URL of the member, the number of the client and that of the request.
pub(crate) fn fill_log(
    cluster: &Cluster,
    members: [usize; 2],
    send: impl Fn(&Client, &str, usize, usize) -> Result<Answer, NoAnswer> + Sync,
) {
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (url, send) = (cluster.url(members[number % 2], ""), &send);
            scope.spawn(move || {
                let client = Client::keeping_connections();
                for round in 0..LAG.div_ceil(CLIENTS) {
                    wait_until("the request is carried out", || {
                        let answer = send(&client, &url, number, round);
                        answer.expect("nobody is killed meanwhile").status < 500
                    });
                }
            });
        }
    });
}
