//! A value that changes, and tasks that wait until it is as they want it.
//!
//! The tasks are woken in the order in which they began to wait. tokio's `watch` draws their order
//! from a generator that no seed reaches, so that no simulation could be repeated with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The end that changes the value.
#[derive(Debug)]
pub(crate) struct Changer<T>(Arc<Watched<T>>);

/// The end that waits.
#[derive(Debug)]
pub(crate) struct Watcher<T>(Arc<Watched<T>>);

#[derive(Debug)]
struct Watched<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    value: T,
    last: bool,
}

/// A value and those who wait for it.
pub(crate) fn watched<T>(value: T) -> (Changer<T>, Watcher<T>) {
    let state = Mutex::new(State { value, last: false });
    let watched = Arc::new(Watched { state, changed: Notify::new() });
    (Changer(Arc::clone(&watched)), Watcher(watched))
}

impl<T: Clone + PartialEq> Changer<T> {
    /// Changes the value. Nobody is woken if it is the same.
    pub(crate) fn set(&self, value: T) {
        let mut state = self.0.lock();
        if state.value != value {
            state.value = value;
            drop(state);
            self.0.changed.notify_waiters();
        }
    }

    /// An end that waits.
    pub(crate) fn watcher(&self) -> Watcher<T> {
        Watcher(Arc::clone(&self.0))
    }
}

impl<T> Drop for Changer<T> {
    /// The value will never change again, and nobody needs to wait for that.
    fn drop(&mut self) {
        self.0.lock().last = true;
        self.0.changed.notify_waiters();
    }
}

impl<T: Clone> Watcher<T> {
    /// The value as of now.
    pub(crate) fn get(&self) -> T {
        self.0.lock().value.clone()
    }

    /// Ends when `holds` is true of the value, or it can change no more.
    pub(crate) async fn until(&self, holds: impl Fn(&T) -> bool) {
        loop {
            // Made before the look, so that no change falls in between.
            let changed = self.0.changed.notified();
            {
                let state = self.0.lock();
                if state.last || holds(&state.value) {
                    return;
                }
            }
            changed.await;
        }
    }

    /// Ends when the value can change no more.
    pub(crate) async fn last(&self) {
        self.until(|_| false).await;
    }
}

impl<T> Clone for Watcher<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Watched<T> {
    /// No code panics while it holds this lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use super::*;

    /// Writes down when it was woken.
    struct Turn {
        turns: Arc<AtomicUsize>,
        mine: AtomicUsize,
    }

    impl Wake for Turn {
        fn wake(self: Arc<Self>) {
            self.mine.store(1 + self.turns.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
        }
    }

    #[test]
    fn whoever_waited_first_is_woken_first() {
        let (changer, watcher) = watched(0);
        let turns = Arc::new(AtomicUsize::new(0));
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(watcher.until(|v| *v == 1))).collect();
        let wakers: Vec<_> = (0..20)
            .map(|_| Arc::new(Turn { turns: Arc::clone(&turns), mine: AtomicUsize::new(0) }))
            .collect();
        for (task, waker) in waiting.iter_mut().zip(&wakers) {
            let waker = Waker::from(Arc::clone(waker));
            assert_eq!(task.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
        }
        changer.set(0);
        assert_eq!(turns.load(Ordering::SeqCst), 0, "the value is the same");
        changer.set(1);
        let order: Vec<_> = wakers.iter().map(|waker| waker.mine.load(Ordering::SeqCst)).collect();
        assert_eq!(order, (1..=20).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_waits_for_what_can_change_no_more() {
        let (changer, watcher) = watched(0);
        let mut cx = Context::from_waker(Waker::noop());
        let mut last = Box::pin(watcher.last());
        assert!(last.as_mut().poll(&mut cx).is_pending());
        changer.set(7);
        assert!(last.as_mut().poll(&mut cx).is_pending());
        assert_eq!(changer.watcher().get(), 7);
        drop(changer);
        assert!(last.as_mut().poll(&mut cx).is_ready());
    }
}
