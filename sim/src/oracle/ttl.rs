//! A key lives as long as was asked, by the clocks of two members: the one that stamped the
//! request, and the leader that swept. It never ends earlier than that, and never by the clock of
//! any other member.
//!
//! Three things together make the promise, each of which is looked at here. The expiry that a
//! member writes into the log is its own wall clock, at a moment between question and answer, and
//! the time asked for. Nothing expires but by a SYNC entry of the log, in the same step on every
//! member, whose time has come to the expiry. And the time of a SYNC was on the wall clock of the
//! leader of its term.

use std::collections::BTreeMap;

use quorate_core::raft::{Entry, EntryKind};
use quorate_core::store::{Action, Event};
use quorate_core::wire::request::{Method, Request};

use super::{Kind, Violation};
use crate::machine::Machine;

const NAME: &str = "ttl";

/// The wall clocks of all members, and who led when.
#[derive(Debug)]
pub struct Ttl {
    /// Of each member: from which true time on its wall clock was ahead of it by how much.
    clocks: Vec<Vec<(u64, i64)>>,
    /// Who leads in a term, and since when.
    leaders: BTreeMap<u64, (usize, u64)>,
}

impl Ttl {
    pub(super) fn new(members: usize) -> Self {
        Self { clocks: vec![Vec::new(); members], leaders: BTreeMap::new() }
    }

    /// From the true time `at` on a member's wall clock, in Unix nanoseconds, is `ahead` of it.
    pub fn clock_is_ahead(&mut self, node: usize, at: u64, ahead: i64) {
        self.clocks[node].push((at, ahead));
    }

    /// A member leads from the true time `at` on.
    pub(super) fn leads(&mut self, node: usize, term: u64, at: u64) {
        self.leaders.entry(term).or_insert((node, at));
    }

    /// The least and the most that a member's wall clock can have shown between two true times.
    fn shown(&self, node: usize, from: u64, to: u64) -> (i64, i64) {
        let clock = &self.clocks[node];
        let first = clock.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let within = clock[first..].iter().take_while(|(at, _)| *at <= to).map(|(_, ahead)| *ahead);
        let least = within.clone().min().unwrap_or(0).saturating_add_unsigned(from);
        (least, within.max().unwrap_or(0).saturating_add_unsigned(to))
    }

    /// A member answered a write that asked for so many seconds, in a request that was made and
    /// answered at these true times.
    ///
    /// # Errors
    /// If the expiry that it gave the key is not that long after a time on its wall clock.
    pub(super) fn stamped(
        &self,
        node: usize,
        ttl_s: u64,
        (called, answered): (u64, u64),
        event: &Event,
    ) -> Result<(), Violation> {
        let (least, most) = self.shown(node, called, answered);
        let ttl = ttl_s as i64 * 1_000_000_000;
        let expiry = event.node.expiration;
        if expiry.is_some_and(|expiry| (least + ttl..=most + ttl).contains(&expiry)) {
            return Ok(());
        }
        let detail = format!(
            "{} was to live {ttl_s} s from {least} to {most}, and expires at {expiry:?}",
            event.node.path
        );
        Err(violation(node, event.index, detail))
    }

    /// A member applied the entries behind `from` up to `last`, and on the way came to the store
    /// index `reached`; something expired at `first` or later.
    ///
    /// # Errors
    /// If something expired without a SYNC among the entries, before its time, or at a time that
    /// was not on the leader's clock.
    pub(super) fn expired<M: Machine>(
        &self,
        node: usize,
        now: u64,
        (from, last): (u64, u64),
        (first, reached): (u64, u64),
        machine: &M,
    ) -> Result<(), Violation> {
        if machine.base().index >= last {
            // A snapshot of the leader: the step was taken elsewhere.
            return Ok(());
        }
        let mut swept = None;
        for index in from.max(machine.base().index) + 1..=last {
            let Some((entry, time)) = machine.entry(index).and_then(sweep) else { continue };
            swept = swept.max(Some(time));
            if let Some((leader, since)) = self.leaders.get(&entry.term) {
                let (_, most) = self.shown(*leader, *since, now);
                if time > most {
                    let detail =
                        format!("a sweep of time {time}, node {leader} had {most} at the most");
                    return Err(violation(node, index, detail));
                }
            }
        }
        let history = machine.history();
        let events = (first..=reached).filter_map(|index| history?.event(index));
        for event in events.filter(|event| event.action == Action::Expire) {
            let expiry = event.prev.as_ref().and_then(|prev| prev.expiration);
            if swept.is_none() || expiry > swept || expiry.is_none() {
                let detail =
                    format!("{} ends, expiry {expiry:?}, sweep {swept:?}", event.node.path);
                return Err(violation(node, event.index, detail));
            }
        }
        Ok(())
    }
}

/// The time of an entry that lets keys expire.
fn sweep(entry: &Entry) -> Option<(&Entry, i64)> {
    if entry.kind != EntryKind::Normal || entry.data.is_empty() {
        return None;
    }
    let request = Request::decode(entry.data.clone()).ok()?;
    (request.method == Method::Sync).then_some((entry, request.time))
}

fn violation(node: usize, index: u64, detail: String) -> Violation {
    Violation { kind: Kind::Safety, oracle: NAME, node: Some(node), index: Some(index), detail }
}

#[cfg(test)]
mod tests;
