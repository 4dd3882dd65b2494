//! The answers to what is too much, or takes too long.

use alloc::borrow::ToOwned as _;
use alloc::format;

use super::reply;
use crate::http::Reply;

/// The path and query of a request have more bytes than `limit`.
pub fn url_too_long(limit: usize) -> Reply {
    let hint = "hint: give parameters in the body; -max-url-bytes sets the limit";
    reply::text(414, format!("path and query have more than {limit} bytes\n{hint}\n"))
}

/// The body of a request has more bytes than `limit`. Who still sends it is not listened to.
pub fn body_too_long(limit: usize) -> Reply {
    closing(reply::text(413, format!("the body has more than {limit} bytes\n")))
}

/// The body of a request does not come in time.
pub fn body_is_late() -> Reply {
    let hint = "hint: -body-timeout sets how long it may take";
    closing(reply::text(408, format!("the body did not come in time\n{hint}\n")))
}

fn closing(mut reply: Reply) -> Reply {
    reply.headers.push(("Connection", "close".to_owned()));
    reply
}
