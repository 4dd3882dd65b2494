//! The platform's clock in hyper's terms.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt;

use crate::platform::Platform;

/// Lets hyper measure its timeouts.
pub(crate) struct HyperTimer<P>(pub(crate) P);

struct HyperSleep<F>(Pin<Box<F>>);

impl<F: Future<Output = ()>> Future for HyperSleep<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl<F: Future<Output = ()> + Send + Sync> rt::Sleep for HyperSleep<F> {}

impl<P: Platform> rt::Timer for HyperTimer<P> {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(HyperSleep(Box::pin(self.0.sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }
}
