//! Giving a backup of this member, as a stream.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Response;
use quorate_core::api::read::admit;
use quorate_core::api::{self, KeysRequest, Request, Verb};
use quorate_core::backup::{self, Head as Label, Pieces};
use quorate_core::http::{Head, Reply};
use quorate_core::member::record::MEMBERS;
use quorate_core::node::{Computed, Task};
use tokio::sync::OwnedSemaphorePermit;
use tracing::info;

use super::convert::answer;
use super::port::Port;
use crate::http::{Body, Broken, Parts};
use crate::platform::{Caller, Platform};

/// Backups that are taken at a time: each holds a dump of the store.
pub(super) const AT_A_TIME: usize = 1;

/// A backup as parts of a body.
struct BackupBody {
    pieces: Pieces,
    _room: OwnedSemaphorePermit,
}

impl Parts for BackupBody {
    fn poll_part(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        Poll::Ready(self.pieces.next().map(Ok))
    }
}

impl<P: Platform> Port<P> {
    /// `/quorate/backup`: what this member has applied, at the earliest all that was acknowledged
    /// when it was asked.
    pub(super) async fn backup(
        &self,
        head: &Head,
        caller: &Caller,
    ) -> Result<Response<Body>, Reply> {
        self.only_root(head, caller, admit).await?;
        let room = Arc::clone(&self.backups).try_acquire_owned().map_err(|_| backup::busy())?;
        if !backup::is_local(head) {
            let through_the_log =
                KeysRequest { quorum: true, ..KeysRequest::new(Verb::Get, MEMBERS) };
            let answered = self.ask(Request::Keys(through_the_log)).await;
            if matches!(answered, api::Response::Failed(_)) {
                return Err(self.whole(&answered, self.cluster(), false));
            }
        }
        let view = self.view(admit).await?;
        let task = Task::Encode(view.store.clone());
        let Computed::Encoded(dump) = self.platform.compute(task).await else {
            return Err(backup::busy());
        };
        let taken = self.platform.now().wall;
        let label = Label::of(&view, dump.len(), self.platform.entropy(), taken);
        let label = label.ok_or_else(backup::busy)?;
        let to = caller.address.map(|address| address.to_string()).unwrap_or_default();
        info!(to, "gives {label}");
        let pieces = Pieces::new(label, dump);
        Ok(answer(
            200,
            backup::headers(),
            Body::Parts(Box::new(BackupBody { pieces, _room: room })),
        ))
    }
}
