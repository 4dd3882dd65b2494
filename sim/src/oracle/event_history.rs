//! All members make the same change at the same store index.
//!
//! What the first member to get there made of an index is the true event of it. The oracles of
//! watches and plain reads compare with this sequence.

use std::sync::Arc;

use quorate_core::store::{Action, Event, History};

use super::Violation;

const NAME: &str = "event_history";

/// The true events of a run.
#[derive(Debug)]
pub struct EventHistory {
    /// The event of each store index, from 1 on; absent where no member showed it in time.
    events: Vec<Option<Arc<Event>>>,
    /// Up to which index each member's events were compared.
    compared: Vec<u64>,
}

/// Whether a change is to be told to a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// It must be.
    Must,
    /// It may be: etcd's rules for past events are wider than those for live ones, and whether
    /// something was below a directory that ended is not known here.
    May,
    /// It must not be.
    No,
}

impl EventHistory {
    pub(super) fn new(members: usize) -> Self {
        Self { events: Vec::new(), compared: vec![0; members] }
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.compared.swap(a, b);
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.compared[node] = 0;
    }

    /// The highest store index that any member came to.
    pub const fn last(&self) -> u64 {
        self.events.len() as u64
    }

    /// The true event of a store index, if it is known.
    pub fn event(&self, index: u64) -> Option<&Event> {
        let at = usize::try_from(index.checked_sub(1)?).ok()?;
        self.events.get(at)?.as_deref()
    }

    /// A member came to a store index. Says from where on to look for what expired on the way
    /// there, if anything did.
    ///
    /// # Errors
    /// If one of its changes is another than that of the member that was there first.
    pub(super) fn applied(
        &mut self,
        node: usize,
        store_index: u64,
        history: &History,
    ) -> Result<Option<u64>, Violation> {
        let from = self.compared[node].max(history.start() - 1);
        let mut expired = None;
        for index in from + 1..=store_index {
            let Some(event) = history.event(index) else { continue };
            if event.action == Action::Expire {
                expired = expired.or(Some(index));
            }
            self.compare(node, index, event)?;
        }
        self.compared[node] = self.compared[node].max(store_index);
        Ok(expired)
    }

    fn compare(&mut self, node: usize, index: u64, event: &Arc<Event>) -> Result<(), Violation> {
        let at = index as usize - 1;
        if self.events.len() <= at {
            self.events.resize(at + 1, None);
        }
        match &self.events[at] {
            Some(known) if **known != **event => {
                let detail = format!("{event:?} here, and {known:?} elsewhere");
                Err(Violation::safety(NAME, node, detail).at(index))
            }
            Some(_) => Ok(()),
            None => {
                self.events[at] = Some(event.clone());
                Ok(())
            }
        }
    }
}

/// Whether `event` concerns one who watches `path`, `recursive` or not.
pub fn concern(event: &Event, path: &str, recursive: bool) -> Concern {
    let changed = event.node.path.as_str();
    if event.refresh {
        return Concern::No;
    }
    let below = changed.strip_prefix(path).filter(|rest| rest.starts_with('/'));
    match below {
        Some(rest) if recursive && rest.contains("/_") => Concern::May,
        Some(_) if recursive => Concern::Must,
        _ if changed == path => Concern::Must,
        _ => {
            let ended = matches!(event.action, Action::Delete | Action::Expire) && event.node.dir;
            let above = ended && path.starts_with(changed);
            if above { Concern::May } else { Concern::No }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quorate_core::store::{Command, Method, Store};

    use super::*;

    /// A store to which these values were written.
    fn store(values: &[&'static str]) -> Store {
        let mut store = Store::new();
        for value in values {
            let value = Bytes::from_static(value.as_bytes());
            store.apply(&Command { value, ..Command::new(Method::Put, "/1/a") });
        }
        store
    }

    fn applied(events: &mut EventHistory, node: usize, store: &Store) -> Result<(), Violation> {
        let image = store.as_image();
        events.applied(node, image.index(), image.history()).map(|_| ())
    }

    #[test]
    fn a_change_that_differs_is_found_in_whatever_steps_it_came() {
        let mut events = EventHistory::new(3);
        assert_eq!(applied(&mut events, 0, &store(&["x"])), Ok(()));
        assert_eq!(applied(&mut events, 0, &store(&["x", "y", "z"])), Ok(()));
        assert_eq!(applied(&mut events, 1, &store(&["x", "y", "z"])), Ok(()));
        assert_eq!(applied(&mut events, 2, &store(&["x", "y"])), Ok(()));
        assert!(applied(&mut events, 2, &store(&["x", "y", "y"])).is_err());
    }

    #[test]
    fn what_happened_above_or_beside_a_key_concerns_only_some() {
        let store = store(&["x"]);
        let event = store.as_image().history().event(1).expect("it was written");
        let concerns = |path, recursive| concern(event, path, recursive);
        assert_eq!(concerns("/1/a", false), Concern::Must);
        assert_eq!(concerns("/1", true), Concern::Must);
        assert_eq!(concerns("/1", false), Concern::No);
        assert_eq!(concerns("/1/ab", true), Concern::No);
        assert_eq!(concerns("/1/a/b", true), Concern::No);
    }
}
