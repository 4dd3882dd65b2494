//! The heap of events.
//!
//! The heap itself holds only times and places; the events lie still in a slab, because moving
//! them at every sift would cost more than handling them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events by time, and by order of their making at one time.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    slab: Vec<Option<E>>,
    free: Vec<usize>,
    made: u64,
}

impl<E> Queue<E> {
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), slab: Vec::new(), free: Vec::new(), made: 0 }
    }

    pub(super) fn push(&mut self, time: u64, event: E) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slab.push(None);
            self.slab.len() - 1
        });
        self.slab[place] = Some(event);
        self.made += 1;
        self.heap.push(Reverse((time, self.made, place)));
    }

    pub(super) fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse((time, _, place)) = self.heap.pop()?;
        self.free.push(place);
        self.slab[place].take().map(|event| (time, event))
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
