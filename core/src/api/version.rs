//! `/version`, on both ports.

use super::json::Writer;
use super::reply;
use crate::http::Reply;
use crate::view::View;
use crate::wire::version::NOT_DECIDED;

/// The release of etcd whose behaviour this server has, and by which peers and clients judge what
/// it can do; and, once it was decided, of the cluster.
pub(crate) fn reply(view: &View) -> Reply {
    let cluster = view.cluster.version.as_deref().unwrap_or(NOT_DECIDED);
    let mut body = Writer::default();
    body.object(|fields| {
        fields.plain_string("etcdserver", view.personality.server);
        fields.string("etcdcluster", cluster.as_bytes());
    });
    reply::json(200, body.finish())
}
