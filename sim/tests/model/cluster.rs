//! The cluster: all members, and every message that was ever sent.
//!
//! A message stays where it is after it was delivered, and may be delivered again or never: so loss,
//! repetition and every order are covered without a step of their own. A member that is down is one
//! to which nothing happens, so that a crash and the start after it are one step.

use std::collections::BTreeSet;

use quorate_core::id::MemberId;
use quorate_core::raft::{Conf, EntryKind, Message};
use stateright::{Model, Property};

use crate::dead::is_dead;
use crate::invariant::{
    self, Broken, DURABILITY, ELECTION_SAFETY, LEADER_COMPLETENESS, LOG_MATCHING, NO_PANIC,
    QUORUM_DURABILITY, STATE_MACHINE_SAFETY,
};
use crate::member::Member;
use crate::scope::{Scope, position};
use crate::table::{Key, Stimulus, Table, Transition};

/// A scope to be explored.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) scope: Scope,
    pub(crate) table: Table,
}

/// A state of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    places: Vec<Place>,
    /// Entries proposed so far.
    proposed: u8,
    /// Whether the change of the membership was proposed.
    changed: bool,
    /// Who won which term, counted from the first that can be won.
    leaders: Vec<Option<u8>>,
    /// What is committed.
    ledger: Vec<Committed>,
    /// The first invariant that does not hold.
    pub(crate) broken: Option<Broken>,
}

/// A member, and what is on its way to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    member: Key,
    /// Ascending.
    inbox: Vec<Key>,
}

/// A committed entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Committed {
    term: u64,
    kind: EntryKind,
    data: u8,
    /// The term in which it was committed.
    within: u64,
}

/// Something happens to one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    at: usize,
    stimulus: Stimulus,
}

impl Cluster {
    /// The scope, unexplored.
    pub(crate) fn new(scope: Scope) -> Self {
        Self { scope, table: Table::new() }
    }

    fn members<'a>(&'a self, state: &State) -> Vec<&'a Member> {
        state.places.iter().map(|place| self.table.member(place.member)).collect()
    }

    /// An action in words.
    pub(crate) fn describe(&self, action: Action) -> String {
        let Action { at, stimulus } = action;
        match stimulus {
            Stimulus::Deliver(key) => {
                let Message { from, term, body, .. } = self.table.message(key);
                format!("{} takes from {} in term {term}: {body:?}", at + 1, from.0)
            }
            other => format!("{}: {other:?}", at + 1),
        }
    }

    fn judge(&self, state: &mut State, at: usize, transition: &Transition) -> Result<(), Broken> {
        let members = self.members(state);
        let member = members[at];
        if let Some(broken) = &transition.broken {
            self.heed(Err(broken.clone()))?;
        }
        self.heed(elected(state, at, member, &self.scope))?;
        for (index, voters) in &transition.commits {
            if let Some(id) = member.raft.log().get(*index).map(|entry| entry.id())
                && member.raft.leads()
            {
                let disk = |at: usize| &members[at].disk;
                self.heed(invariant::quorum_durability(id, voters, disk))?;
            }
        }
        self.heed(committed(state, member))?;
        for other in members {
            self.heed(invariant::log_matching(member, other))?;
            self.heed(complete(state, other))?;
        }
        Ok(())
    }

    /// Forgets the messages that make no difference any more.
    fn bury(&self, state: &mut State) {
        let members = self.members(state);
        let last_term = self.scope.last_term();
        for (place, receiver) in state.places.iter_mut().zip(&members) {
            place.inbox.retain(|key| {
                let message = self.table.message(*key);
                let sender = members[position(message.from)];
                !is_dead(message, sender, receiver, last_term)
            });
        }
    }

    /// Passes on what the scope is about.
    fn heed(&self, result: Result<(), Broken>) -> Result<(), Broken> {
        match result {
            Err((name, _)) if self.scope.only.is_some_and(|only| only != name) => Ok(()),
            other => other,
        }
    }
}

/// Notes that a member leads.
fn elected(state: &mut State, at: usize, member: &Member, scope: &Scope) -> Result<(), Broken> {
    if !member.raft.leads() {
        return Ok(());
    }
    let term = member.raft.term();
    let place = usize::try_from(term - scope.first_term()).expect("terms are few");
    if state.leaders.len() <= place {
        state.leaders.resize(place + 1, None);
    }
    let own = u8::try_from(at).expect("members are few");
    let winner = *state.leaders[place].get_or_insert(own);
    if winner == own {
        return Ok(());
    }
    let detail = format!("{} and {} lead in term {term}", winner + 1, own + 1);
    Err((ELECTION_SAFETY, detail))
}

/// Compares what a member has committed with the ledger, or adds to that.
fn committed(state: &mut State, member: &Member) -> Result<(), Broken> {
    let (log, commit) = (member.raft.log(), member.raft.commit());
    let within = log.term_at(commit).unwrap_or(0);
    for index in 1..=commit {
        let Some(entry) = log.get(index) else {
            let detail = format!("{index} is committed, but not there");
            return Err((STATE_MACHINE_SAFETY, detail));
        };
        let data = entry.data.first().copied().unwrap_or(0);
        let new = Committed { term: entry.term, kind: entry.kind, data, within };
        match state.ledger.get(usize::try_from(index - 1).expect("entries are few")) {
            None if member.raft.leads() => state.ledger.push(new),
            None => {
                let detail = format!("no leader has committed {:?}", entry.id());
                return Err((STATE_MACHINE_SAFETY, detail));
            }
            Some(known) if Committed { within: known.within, ..new.clone() } != *known => {
                let detail = format!("{index} is {new:?} here and {known:?} elsewhere");
                return Err((STATE_MACHINE_SAFETY, detail));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// A leader has everything that was committed before its term.
fn complete(state: &State, member: &Member) -> Result<(), Broken> {
    if !member.raft.leads() {
        return Ok(());
    }
    let term = member.raft.term();
    for (index, known) in (1..).zip(&state.ledger).filter(|(_, known)| known.within < term) {
        let own = member.raft.log().term_at(index);
        if own != Some(known.term) {
            let id = member.raft.id().0;
            let detail = format!("{id} leads term {term} with {own:?} at {index}, not {known:?}");
            return Err((LEADER_COMPLETENESS, detail));
        }
    }
    Ok(())
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let place = |at| {
            let member = self.table.add(Member::new(at, &self.scope));
            Place { member, inbox: Vec::new() }
        };
        vec![State {
            places: (0..self.scope.logs.len()).map(place).collect(),
            proposed: 0,
            changed: false,
            leaders: Vec::new(),
            ledger: Vec::new(),
            broken: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        let scope = &self.scope;
        // As long as nobody has moved, it makes no difference who does.
        let untouched = scope.is_symmetric()
            && state.places.iter().all(|place| place.inbox.is_empty())
            && self
                .members(state)
                .iter()
                .all(|member| member.raft.term() == scope.first_term() && !member.raft.campaigns());
        for (at, place) in state.places.iter().enumerate() {
            let mut may = |stimulus| actions.push(Action { at, stimulus });
            place.inbox.iter().for_each(|key| may(Stimulus::Deliver(*key)));
            let member = self.table.member(place.member);
            if member.disk.is_busy() {
                may(Stimulus::Sync);
            }
            if member.raft.leads() {
                if scope.heartbeats {
                    may(Stimulus::Tick);
                }
                if state.proposed < scope.proposals {
                    may(Stimulus::Propose(state.proposed));
                }
                if scope.change.is_some() && !state.changed {
                    may(Stimulus::Change);
                }
            } else if at < scope.candidates
                && member.raft.term() < scope.last_term()
                && (!untouched || at == 0)
            {
                may(if scope.pre_vote { Stimulus::Tick } else { Stimulus::Campaign });
            }
            if scope.crashes {
                may(Stimulus::Crash);
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let Action { at, stimulus } = action;
        let before = &state.places[at];
        let transition = self.table.transition(before.member, stimulus, &self.scope);
        let known = |(to, key): &(_, Key)| {
            let place = state.places.get(position(*to));
            place.is_none_or(|place| place.inbox.binary_search(key).is_ok())
        };
        let still = transition.member == before.member && transition.broken.is_none();
        if still && transition.sent.iter().all(known) {
            return None;
        }
        let mut next = state.clone();
        next.places[at].member = transition.member;
        for (to, key) in &transition.sent {
            if let Some(place) = next.places.get_mut(position(*to))
                && let Err(gap) = place.inbox.binary_search(key)
            {
                place.inbox.insert(gap, *key);
            }
        }
        self.bury(&mut next);
        match stimulus {
            Stimulus::Propose(_) => next.proposed += 1,
            Stimulus::Change => next.changed = true,
            _ => {}
        }
        if let Err(broken) = self.judge(&mut next, at, transition) {
            next.broken = Some(broken);
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn holds(state: &State, name: &str) -> bool {
            state.broken.as_ref().is_none_or(|(broken, _)| *broken != name)
        }
        let mut properties = vec![
            Property::always(ELECTION_SAFETY, |_, s| holds(s, ELECTION_SAFETY)),
            Property::always(LOG_MATCHING, |_, s| holds(s, LOG_MATCHING)),
            Property::always(LEADER_COMPLETENESS, |_, s| holds(s, LEADER_COMPLETENESS)),
            Property::always(STATE_MACHINE_SAFETY, |_, s| holds(s, STATE_MACHINE_SAFETY)),
            Property::always(QUORUM_DURABILITY, |_, s| holds(s, QUORUM_DURABILITY)),
            Property::always(DURABILITY, |_, s| holds(s, DURABILITY)),
            Property::always(NO_PANIC, |_, s| holds(s, NO_PANIC)),
            Property::sometimes("a member leads", |_, s: &State| {
                s.leaders.iter().any(Option::is_some)
            }),
            Property::sometimes("an entry is committed", |_, s: &State| !s.ledger.is_empty()),
        ];
        if self.scope.terms > 1 && self.scope.candidates > 1 {
            properties.push(Property::sometimes("another member leads", |_, s: &State| {
                let mut winners = s.leaders.iter().flatten();
                winners.next().is_some_and(|first| winners.any(|other| other != first))
            }));
        }
        if self.scope.proposals > 0 {
            properties.push(Property::sometimes("a proposal is committed", |_, s: &State| {
                s.ledger.iter().any(|entry| entry.data >= b'a')
            }));
        }
        if self.scope.change.is_some() {
            properties.push(Property::sometimes("a change is applied", |m: &Self, s: &State| {
                let first: BTreeSet<MemberId> = m.scope.first_voters().collect();
                let applied = |member: &&&Member| {
                    let Conf { voters, learners } = member.raft.conf();
                    *voters != first || !learners.is_empty()
                };
                // The one that is removed may never learn of it.
                m.members(s).iter().filter(applied).count() > 1
            }));
        }
        properties
    }
}
