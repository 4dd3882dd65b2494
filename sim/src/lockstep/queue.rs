//! The heap of events.
//!
//! The heap itself holds only times and places; the events lie still in a slab, because moving
//! them at every sift would cost more than handling them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many bits the place of an event takes.
const PLACE_BITS: u32 = 24;

/// Events by time, and by order of their making at one time.
#[derive(Debug)]
pub(super) struct Queue<E> {
    /// The time, the number of the event and its place in the slab, as one number that is compared
    /// at once.
    heap: BinaryHeap<Reverse<u128>>,
    slab: Vec<Option<E>>,
    free: Vec<u32>,
    made: u64,
}

impl<E> Queue<E> {
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), slab: Vec::new(), free: Vec::new(), made: 0 }
    }

    pub(super) fn push(&mut self, time: u64, event: E) {
        let place = match self.free.pop() {
            Some(place) => {
                self.slab[place as usize] = Some(event);
                place
            }
            None => {
                self.slab.push(Some(event));
                self.slab.len() as u32 - 1
            }
        };
        assert!(place < 1 << PLACE_BITS, "far fewer events wait at a time");
        self.made += 1;
        let when = u128::from(time) << 64 | u128::from(self.made << PLACE_BITS);
        self.heap.push(Reverse(when | u128::from(place)));
    }

    pub(super) fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse(key) = self.heap.pop()?;
        let place = key as u32 % (1 << PLACE_BITS);
        self.free.push(place);
        self.slab[place as usize].take().map(|event| ((key >> 64) as u64, event))
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[test]
    fn events_come_by_time_then_by_order() {
        let mut queue = Queue::new();
        for (time, name) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            queue.push(time, name);
        }
        let mut order = Vec::new();
        while let Some((_, name)) = queue.pop() {
            if name == 'b' {
                queue.push(5, 'e');
            }
            order.push(name);
        }
        assert_eq!(order, ['a', 'b', 'c', 'd', 'e']);
    }
}
