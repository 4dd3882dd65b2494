//! What the tests of several resources start from.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec;

use super::response::Stamp;
use crate::http::{Head, Method, Reply};
use crate::id::{ClusterId, MemberId};
use crate::member::identity::Said;
use crate::member::{Cluster, Member};
use crate::store::Store;
use crate::url::Url;
use crate::view::View;
use crate::wire::version::Personality;

pub(crate) const MEMBER: MemberId = MemberId(0x8211_f1d0_f64f_3269);
pub(crate) const CLUSTER: ClusterId = ClusterId(0xef37_ad9d_c622_a7c4);

/// A member named `n1` that leads a cluster of its own.
pub(crate) fn view() -> View {
    let member = Member {
        id: MEMBER,
        name: "n1".to_string(),
        peer_urls: vec![Url::parse("http://127.0.0.1:2380").unwrap()],
        client_urls: vec!["http://127.0.0.1:2379".to_string()],
        learner: false,
    };
    let members = BTreeMap::from([(MEMBER, member)]);
    let version = Some("3.4.0".to_string());
    View {
        personality: Personality::V3_4,
        member: Some(MEMBER),
        cluster_id: Some(CLUSTER),
        said: Said::default(),
        peers: Arc::default(),
        formed: true,
        unlisted: BTreeSet::new(),
        ready: true,
        cluster: Arc::new(Cluster { members, version, ..Cluster::default() }),
        auth: Arc::default(),
        store: Store::new().image(),
        stamp: Stamp { store_index: 3, raft_index: 4, raft_term: 2 },
        applied: 4,
        term: 2,
        leader: Some(MEMBER),
    }
}

/// The same view with another cluster.
pub(crate) fn with_cluster(view: &View, change: impl FnOnce(&mut Cluster)) -> View {
    let mut cluster = Cluster::clone(&view.cluster);
    change(&mut cluster);
    View { cluster: Arc::new(cluster), ..view.clone() }
}

/// A request without headers.
pub(crate) fn head(method: Method, target: &str) -> Head {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Head { method, path: path.to_string(), query: query.to_string(), headers: vec![] }
}

/// The body of a reply as text.
pub(crate) fn text(reply: &Reply) -> &str {
    str::from_utf8(&reply.body).unwrap()
}

/// A header of a reply.
pub(crate) fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let same = |given: &&str| given.eq_ignore_ascii_case(name);
    reply.headers.iter().find(|(given, _)| same(given)).map(|(_, value)| value.as_str())
}
