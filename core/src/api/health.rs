//! `/health`

use super::reply;
use crate::http::Reply;
use crate::view::View;

/// Healthy is a member that knows a leader.
pub(crate) fn reply(view: &View) -> Reply {
    if view.leader.is_some() {
        reply::text(200, r#"{"health":"true"}"#)
    } else {
        reply::failure(503, "{\"health\":\"false\"}\n")
    }
}
