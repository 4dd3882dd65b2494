//! `/health`

use super::reply;
use crate::http::Reply;
use crate::view::View;

/// Healthy is a member that knows a leader.
pub(crate) fn reply(view: &View) -> Reply {
    said(view.leader.is_some())
}

/// The answer of who is healthy, or is not.
pub(crate) fn said(healthy: bool) -> Reply {
    if healthy {
        reply::text(200, r#"{"health":"true"}"#)
    } else {
        reply::failure(503, "{\"health\":\"false\"}\n")
    }
}
