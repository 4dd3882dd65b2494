//! Members whose data directories were exchanged.

use std::fs;

use crate::support::cluster::{Cluster, contents, name};
use crate::support::membership::{id_of, listed};
use crate::support::refusal::Ended;
use crate::support::wait::wait_until;

/// The two whose directories are exchanged, each with the other one.
const EXCHANGED: [[usize; 2]; 2] = [[1, 2], [2, 1]];

fn exchange(cluster: &Cluster) {
    let aside = cluster.dir().join("aside");
    for (from, to) in [
        (cluster.data_dir(1), aside.clone()),
        (cluster.data_dir(2), cluster.data_dir(1)),
        (aside, cluster.data_dir(2)),
    ] {
        fs::rename(from, to).expect("a directory is renamed");
    }
}

/// Each would take part as the other one, at the wrong place.
#[test]
fn exchanged_directories_are_refused_by_name() {
    let mut cluster = Cluster::started(3);
    wait_until("all know all by name", || {
        (0..3).all(|asked| listed(&cluster, asked).iter().all(|member| member["name"] != ""))
    });
    for member in 0..3 {
        cluster.put(member, &format!("/kept{member}"), "yes");
    }
    let ids: Vec<String> = (0..3).map(|member| id_of(&cluster, 0, member)).collect();
    assert_eq!(cluster.terminate(1).code(), Some(0));
    cluster.kill(2);
    exchange(&cluster);
    let before = EXCHANGED.map(|[member, _]| contents(&cluster.data_dir(member)));
    for [member, _] in EXCHANGED {
        cluster.start(member);
    }
    for [member, other] in EXCHANGED {
        let status = cluster.process(member).wait().code();
        let ended = Ended { status, output: cluster.process(member).log() };
        let (dir, own, theirs) = (cluster.data_dir(member), &ids[member], &ids[other]);
        let (member_name, other_name) = (name(member), name(other));
        ended.assert_refused(
            1,
            &format!(
                "the data directory {} is that of member {other_name} ({theirs}), and -name \
                 {member_name} is that of member {own}",
                dir.display()
            ),
        );
        let hints = ended.hints().join("\n");
        for way_out in [
            "start each of them on its own",
            &format!("start it with -name {other_name}"),
            &format!("remove {own} from the cluster and add it again"),
        ] {
            assert!(hints.contains(way_out), "{way_out}: {hints}");
        }
        cluster.forget(member);
    }
    let after = EXCHANGED.map(|[member, _]| contents(&cluster.data_dir(member)));
    assert!(after == before, "a refused start has changed the files");
    assert!(cluster.process(0).runs());
    assert_eq!(cluster.get_local(0, "/kept2").ok().at("/node/value"), "yes");
    let alone = cluster.client.put(&cluster.url(0, "/v2/keys/alone"), "value=1");
    assert!(alone.is_ok_and(|answer| answer.status >= 500), "there is no quorum");

    exchange(&cluster);
    cluster.start_all();
    cluster.await_ready();
    for (member, id) in ids.iter().enumerate() {
        cluster.put(member, &format!("/after{member}"), "yes");
        assert_eq!(id_of(&cluster, 0, member), *id);
        assert_eq!(cluster.get_quorum(member, "/kept0").ok().at("/node/value"), "yes");
    }
    cluster.await_equal("/");
}
