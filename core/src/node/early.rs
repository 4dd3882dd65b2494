//! Clients that ask before the member has started.
//!
//! Their requests wait, as they would wait for a leader, and run out of time as any others.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::sync::Arc;

use super::effects::Effects;
use super::input::ClientId;
use super::output::Output;
use super::{running, view_before_start};
use crate::api::{Failure, Request, Response};
use crate::boot::Boot;
use crate::config::Config;
use crate::id::MemberId;
use crate::member::identity::Incarnation;
use crate::time::{Duration, Instant};
use crate::wal::Owner;

/// Requests that may wait; more are refused.
const MAX_WAITING: usize = 1024;

/// Requests that wait for the start, and what readers were shown last.
#[derive(Debug)]
pub(super) struct Early {
    timeout: Duration,
    waiting: VecDeque<(Instant, ClientId, Request)>,
    shown: Option<Shown>,
}

/// What of a start readers were shown.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    owner: Option<Owner>,
    incarnation: Option<Incarnation>,
    formed: bool,
    unlisted: BTreeSet<MemberId>,
}

impl Early {
    pub(super) fn new(config: &Config) -> Self {
        let timeout = running::request_timeout(config);
        Self { timeout, waiting: VecDeque::new(), shown: None }
    }

    pub(super) fn add(
        &mut self,
        now: Instant,
        id: ClientId,
        request: Request,
        fx: &mut Effects<'_>,
    ) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((now + self.timeout, id, request));
        } else {
            fail(id, Failure::TooManyRequests, fx);
        }
    }

    pub(super) fn gone(&mut self, client: ClientId) {
        self.waiting.retain(|(_, id, _)| *id != client);
    }

    pub(super) fn expire(&mut self, now: Instant, fx: &mut Effects<'_>) {
        while let Some((_, id, _)) = self.waiting.pop_front_if(|(until, ..)| *until <= now) {
            fail(id, Failure::TimedOut, fx);
        }
    }

    /// When the next one runs out of time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|(until, ..)| *until)
    }

    /// Nothing will start.
    pub(super) fn dismiss(&mut self, fx: &mut Effects<'_>) {
        self.waiting.drain(..).for_each(|(_, id, _)| fail(id, Failure::Stopping, fx));
    }

    /// The member has started.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (ClientId, Request)> + '_ {
        self.waiting.drain(..).map(|(_, id, request)| (id, request))
    }

    /// Shows readers, among them the other members that ask before forming, who this is.
    pub(super) fn publish(&mut self, boot: &Boot, fx: &mut Effects<'_>) {
        let shown = Some(Shown {
            owner: boot.owner(),
            incarnation: boot.incarnation(),
            formed: boot.has_cluster(),
            unlisted: boot.unlisted(),
        });
        if self.shown != shown {
            self.shown = shown;
            fx.out.push(Output::Publish(Arc::new(view_before_start(boot))));
        }
    }
}

/// There will be no member that could take the request.
pub(super) fn dismiss(id: ClientId, fx: &mut Effects<'_>) {
    fail(id, Failure::Stopping, fx);
}

fn fail(id: ClientId, failure: Failure, fx: &mut Effects<'_>) {
    let response = Box::new(Response::Failed(failure));
    fx.out.push(Output::Reply { id, response, last: true });
}
