//! Plain reads of `/v2/keys`, which are answered from the published view.

use alloc::string::String;

use super::response::Response;
use crate::view::View;

/// A read that does not go through the log, and may be stale. Children are always listed in order,
/// so `sorted` has no place here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The full store path.
    pub path: String,
    /// Whether everything below the path is listed.
    pub recursive: bool,
}

impl Read {
    /// What the store of the view says, with the stamp of the same view.
    pub fn answer(&self, view: &View) -> Response {
        let result = view.store.read(&self.path, self.recursive);
        Response::Keys { result, stamp: view.stamp }
    }
}

/// Whether plain reads are answered. Until then they wait: a member that was started again must
/// not show less than it has shown before.
pub const fn admit(view: &View) -> bool {
    view.ready
}
