//! Sleeping on the agenda of the world.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::agenda::Key;
use super::event::Event;
use super::state::World;

/// Ends at a moment of true time. It is planned once and taken back when it is dropped, so that a
/// long timeout costs nothing after its purpose is over.
pub(super) struct Sleep {
    world: World,
    until: u64,
    planned: Option<Key>,
}

impl Sleep {
    /// Sleeps for some nanoseconds.
    pub(super) fn new(world: World, nanos: u64) -> Self {
        let until = world.lock().now().saturating_add(nanos);
        Self { world, until, planned: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { world, until, planned } = &mut *self;
        let mut state = world.lock();
        if let Some(key) = planned.take() {
            state.agenda.cancel(key);
        }
        if state.now() >= *until {
            return Poll::Ready(());
        }
        *planned = Some(state.agenda.push(*until, Event::Wake(cx.waker().clone())));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.planned.take() {
            self.world.lock().agenda.cancel(key);
        }
    }
}
