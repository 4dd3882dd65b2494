//! Those who change the membership: they ask members as anybody does, through `/v2/members`, and
//! start a member that was added.

use std::collections::BTreeSet;

use quorate_core::api::MembersRequest;
use quorate_core::id::MemberId;
use quorate_core::url::Url;

use super::faults::{Hosts, Later, Parts};
use super::{Join, Place, Places};
use crate::disk::FileSystem;
use crate::members::{FirstStart, host_address, peer_url, peer_url_at};
use crate::options::Options;
use crate::oracle::Violation;
use crate::oracle::configurations::Configurations;
use crate::plan::{At, Change, Crash};

/// How often somebody is asked for one change, where nobody says what became of it.
const TRIES: u32 = 3;

/// How long until somebody else is asked.
const AGAIN_US: u64 = 1_000_000;

/// How long it takes at most to start a member that was added.
const START_US: u64 = 3_000_000;

/// A change that somebody was asked for.
#[derive(Debug)]
pub(super) struct Operation {
    change: Change,
    request: MembersRequest,
    tries: u32,
}

/// What came of asking for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was carried out, and added this member, if it added one.
    Done(Option<MemberId>),
    /// It is not carried out.
    Refused,
    /// Nobody knows.
    Unknown,
}

impl Place {
    /// How a process starts here that finds no data.
    fn first_start(&self, host: usize, places: &Places, known: &Configurations) -> FirstStart {
        let Some(join) = &self.joins else {
            return self.wrong_list.map_or(FirstStart::Forms, FirstStart::Misled);
        };
        let mut own = join.home.clone();
        let mut list = Vec::new();
        for (number, (id, urls)) in known.members().enumerate() {
            let Some(url) = urls.first() else { continue };
            if self.belongs == Some(id) && join.at == At::Home {
                own = url.clone();
                continue;
            }
            let named = places.all.iter().position(|place| place.belongs == Some(id));
            let name = named.filter(|other| *other != host);
            list.push(match name {
                Some(other) => format!("m{other}={url}"),
                None => format!("x{number}={url}"),
            });
        }
        list.push(format!("m{host}={own}"));
        FirstStart::Joins { list: list.join(","), auto: join.auto }
    }
}

impl Places {
    /// How a process starts on a host that finds no data.
    pub(super) fn first_start(&mut self, host: usize, known: &Configurations) -> FirstStart {
        self.learn(known);
        self[host].first_start(host, self, known)
    }

    /// Finds the members that were added by their URLs.
    pub(super) fn learn(&mut self, known: &Configurations) {
        // Who was there before is not who was added, also where that was tried at the same URL.
        let others: BTreeSet<MemberId> = self.all.iter().filter_map(|p| p.belongs).collect();
        let unknown = |place: &&mut Place| place.joins.is_some() && place.belongs.is_none();
        for place in self.all.iter_mut().filter(unknown) {
            let Some(join) = &place.joins else { continue };
            let mut members = known.members().filter(|(id, _)| !others.contains(id));
            let added = members.find(|(_, urls)| urls.contains(&join.url));
            place.belongs = added.map(|(id, _)| id);
        }
    }
}

/// Somebody asks for changes, all at once.
pub(super) fn change(world: &mut impl Hosts, changes: &[Change]) {
    for change in changes {
        if let Some(request) = prepare(world, *change) {
            let Parts { places, stats, .. } = world.parts();
            places.operations.push(Operation { change: *change, request, tries: 0 });
            stats.changes += 1;
            let number = places.operations.len() - 1;
            ask(world, number);
        }
    }
}

/// Asks some member that runs for a change.
pub(super) fn ask(world: &mut impl Hosts, number: usize) {
    let Parts { places, is_calm, .. } = world.parts();
    if is_calm {
        return;
    }
    let (count, operation) = (places.count(), &mut places.operations[number]);
    operation.tries += 1;
    let request = operation.request.clone();
    let first = world.choose(count);
    let mut hosts = (0..count).map(|host| (host + first) % count);
    let asked = hosts.find(|host| world.runs(*host) && world.parts().places[*host].formed);
    match asked {
        Some(host) => world.ask(host, number, request),
        None => told(world, number, Told::Unknown),
    }
}

/// What came of asking for a change.
pub(super) fn told(world: &mut impl Hosts, number: usize, told: Told) {
    let Parts { places, oracles, .. } = world.parts();
    let Operation { change, tries, .. } = places.operations[number];
    let known = oracles.ledger().configurations();
    places.learn(known);
    match (change, told) {
        (_, Told::Done(added)) => {
            let verdict = acknowledged(&places.operations[number].request, added, known);
            world.check(verdict);
        }
        // An update that comes late would undo another one.
        (Change::Move { .. }, _) => {}
        (_, Told::Unknown) if tries < TRIES => world.plan_later(AGAIN_US, Later::Ask(number)),
        (Change::Add { host, .. }, Told::Refused) if places[host].belongs.is_none() => {
            vacate(world, host);
        }
        _ => {}
    }
}

/// Whether a change that was acknowledged is in the log.
fn acknowledged(
    request: &MembersRequest,
    added: Option<MemberId>,
    known: &Configurations,
) -> Result<(), Violation> {
    let there = match (request, added) {
        _ if known.latest().is_none() => true,
        (MembersRequest::Add { .. }, Some(id)) => known.contains(id) || known.was_removed(id),
        (MembersRequest::Add { .. }, None) => false,
        (MembersRequest::Remove { id }, _) => known.was_removed(*id),
        (MembersRequest::Update { .. }, _) => true,
    };
    if there {
        return Ok(());
    }
    let detail = format!("{request:?} was acknowledged, and is not in the log");
    Err(Violation::anywhere("membership", detail))
}

/// What is to be asked for. None for a host of which that makes no sense, or that cannot be spared.
fn prepare(world: &mut impl Hosts, change: Change) -> Option<MembersRequest> {
    let Parts { options, places, oracles, plan, .. } = world.parts();
    let known = oracles.ledger().configurations();
    places.learn(known);
    match change {
        Change::Remove { host } | Change::Move { host, .. } | Change::Add { host, .. }
            if host >= places.count() =>
        {
            None
        }
        Change::Remove { host } => {
            let id = places[host].belongs?;
            if places[host].was_removed(known) || !places.can_spare(host, plan, known) {
                return None;
            }
            places[host].asked_to_leave = true;
            let leads = world.leads(host);
            let Parts { network, stats, .. } = world.parts();
            stats.leaders_removed += u64::from(leads);
            stats.removed_apart += u64::from(network.is_apart(host));
            Some(MembersRequest::Remove { id })
        }
        Change::Move { host, by_name } => {
            let id = places[host].belongs?;
            let url = if by_name { peer_url(options, host) } else { by_address(options, host) };
            Some(MembersRequest::Update { id, peer_urls: vec![url] })
        }
        Change::Add { host, at, auto } => {
            let free = places[host].is_vacant() || places[host].was_removed(known);
            let free = free && !places.is_swapped(host) && !places.is_claimed(host, at);
            known.latest().filter(|_| free)?;
            vacate(world, host);
            let Parts { options, places, oracles, .. } = world.parts();
            let home = peer_url(options, host);
            let url = match at {
                At::Home => home.clone(),
                At::Elsewhere => by_address(options, places.next(host)),
                At::Nowhere => peer_url_at(options, &format!("nowhere{host}")),
            };
            let join = Join { url: url.clone(), home, at, auto };
            places[host].joins = Some(join);
            if !places.stands_a_voter(oracles) {
                places[host].joins = None;
                return None;
            }
            let down_us = world.choose(START_US as usize) as u64;
            world.plan_start(host, down_us);
            Some(MembersRequest::Add { peer_urls: vec![url] })
        }
    }
}

impl Places {
    /// The host whose URL another one is added at by mistake.
    fn next(&self, host: usize) -> usize {
        (host + 1) % self.count()
    }

    /// Whether two members would be added at one place, of which a process there takes the first that
    /// it is told of for its own.
    fn is_claimed(&self, host: usize, at: At) -> bool {
        let elsewhere = |place: &Place| place.joins.as_ref().is_some_and(|j| j.at == At::Elsewhere);
        match at {
            At::Home => (0..self.count()).any(|h| self.next(h) == host && elsewhere(&self[h])),
            At::Elsewhere => !self[self.next(host)].formed,
            At::Nowhere => false,
        }
    }
}

fn by_address(options: &Options, host: usize) -> Url {
    peer_url_at(options, &host_address(host).to_string())
}

/// A process is started on a host that has no member, as the member of another one.
pub(super) fn twin(world: &mut impl Hosts, host: usize, of: usize, length_us: u64) {
    let Parts { places, oracles, .. } = world.parts();
    // Of a cluster of one nobody else knows who is right.
    let alone = places.all.iter().filter(|place| place.is_first()).count() < 2;
    if of < places.count() && !alone && places[host].is_vacant() && places[of].is_first() {
        places[host].twin_of = Some(of);
        oracles.twin(host);
        world.plan_start(host, 0);
        world.plan_later(length_us, Later::TwinEnds(host));
    }
}

/// Somebody ends such a process, and what it has left.
pub(super) fn twin_ends(world: &mut impl Hosts, host: usize) {
    if world.parts().places[host].twin_of.is_some() {
        vacate(world, host);
    }
}

/// Whoever lived on a host is gone with all data.
fn vacate(world: &mut impl Hosts, host: usize) {
    if world.runs(host) {
        world.end_process(host, Crash::Kill);
    }
    world.files(host).replace(FileSystem::default());
    let Parts { places, oracles, .. } = world.parts();
    places[host] = Place::vacant();
    oracles.vacated(host);
}
