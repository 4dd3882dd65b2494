//! `/v2/machines`: where clients can connect.

use alloc::vec::Vec;

use super::reply;
use crate::http::Reply;
use crate::view::View;

/// The client URLs of all members as text, sorted.
pub(crate) fn list(view: &View) -> Reply {
    let members = view.cluster.members.values();
    let mut urls: Vec<&str> =
        members.flat_map(|member| &member.client_urls).map(|url| url.as_str()).collect();
    urls.sort_unstable();
    reply::text(200, urls.join(", "))
}
