//! What happens to the data of hosts behind the back of their processes, and to the list of members
//! that they are started with.

use super::faults::{Hosts, Later, Parts};
use super::{Loss, Place};
use crate::disk::FileSystem;
use crate::disk::rot::Rot;
use crate::plan::{Crash, WrongList};

/// Whether the data of this host may be lost for good.
fn may_lose(world: &mut impl Hosts, host: usize) -> bool {
    let Parts { places, oracles, .. } = world.parts();
    places.may_lose(host, oracles)
}

/// A disk damages what it holds.
pub(super) fn rot(world: &mut impl Hosts, host: usize, rot: &Rot) {
    if may_lose(world, host) && world.files(host).rot(rot) {
        let Parts { places, stats, .. } = world.parts();
        places[host].lost.get_or_insert(Loss::Rot);
        stats.rotten += 1;
        world.damaged(host);
    }
}

/// A host loses all its data. Who was added counts for nothing before the log has its name, and may
/// come as if for the first time if those who met it are gone.
pub(super) fn wipe(world: &mut impl Hosts, host: usize, down_us: u64) {
    let Parts { options, places, oracles, .. } = world.parts();
    if !places[host].is_first() && !places[host].published {
        return;
    }
    let may_end = options.wipe_most > 0 && places.may_end_with(host, oracles);
    // Nobody can tell the member of a list of one that it has been there before.
    if options.members == 1 && places[host].is_first() {
        return;
    }
    if !may_lose(world, host) && !may_end {
        return;
    }
    replace(world, host, FileSystem::default(), down_us);
    let Parts { places, oracles, stats, .. } = world.parts();
    places[host].lost = Some(Loss::Wiped);
    oracles.wiped(host);
    stats.wiped += 1;
}

/// A copy of the data of a host is put aside.
pub(super) fn copy(world: &mut impl Hosts, host: usize) {
    if is_sound(&world.parts().places[host]) && !world.parts().places.is_swapped(host) {
        let copy = world.files(host).durable_copy();
        world.parts().places[host].copy = Some(copy);
    }
}

/// A host goes back to its copy, if the others are a quorum without it: it has to be brought back by
/// them.
pub(super) fn restore(world: &mut impl Hosts, host: usize, down_us: u64) {
    let Parts { places, oracles, .. } = world.parts();
    let known = oracles.ledger().configurations();
    let fit = is_sound(&places[host]) && !places[host].was_removed(known);
    if !fit || !may_lose(world, host) {
        return;
    }
    if let Some(copy) = world.parts().places[host].copy.take() {
        replace(world, host, copy, down_us);
        let Parts { places, oracles, stats, .. } = world.parts();
        (places[host].behind, places[host].brought_back) = (true, false);
        oracles.restored(host);
        stats.restored += 1;
    }
}

/// Whether the member of a host has its own data, and is where others believe it to be.
fn is_sound(place: &Place) -> bool {
    place.belongs.is_some() && place.formed && place.lost.is_none() && place.is_at_home()
}

/// The host goes down, and finds other data when it starts again.
fn replace(world: &mut impl Hosts, host: usize, data: FileSystem, down_us: u64) {
    start_anew(world, host, down_us);
    world.files(host).replace(data);
    world.parts().oracles.data_replaced(host);
}

/// The directories of two members are exchanged.
pub(super) fn swap(world: &mut impl Hosts, (a, b): (usize, usize), down_us: u64, length_us: u64) {
    let places = world.parts().places;
    let there = a.max(b) < places.count() && a != b && places.swapped.is_none();
    let is_whole = |host: usize| is_sound(&places[host]) && !places[host].behind;
    if !there || !is_whole(a) || !is_whole(b) {
        return;
    }
    places.swapped = Some((a, b));
    world.parts().stats.swapped += 1;
    exchange(world, (a, b), down_us);
    world.plan_later(down_us + length_us, Later::PutBack);
}

/// Each of two hosts has its own directory again.
pub(super) fn put_back(world: &mut impl Hosts) {
    if let Some((a, b)) = world.parts().places.swapped.take() {
        exchange(world, (a, b), 0);
        for host in [a, b] {
            world.parts().places[host].hopeless = 0;
            if !world.runs(host) {
                world.plan_start(host, 0);
            }
        }
    }
}

/// Both hosts go down, and find each other's directory.
fn exchange(world: &mut impl Hosts, (a, b): (usize, usize), down_us: u64) {
    start_anew(world, a, down_us);
    start_anew(world, b, down_us);
    let (of_a, of_b) = (world.files(a).durable_copy(), world.files(b).durable_copy());
    world.files(a).replace(of_b);
    world.files(b).replace(of_a);
    let Parts { places, oracles, .. } = world.parts();
    let of_a = places[a].copy.take();
    places[a].copy = std::mem::replace(&mut places[b].copy, of_a);
    oracles.swapped(a, b);
}

/// From now on the host is started with a wrong list. One that runs is started anew.
pub(super) fn wrong_list(world: &mut impl Hosts, host: usize, list: WrongList, down_us: u64) {
    let places = world.parts().places;
    // A member alone, or two with the same wrong list, are right to take it at its word.
    let alone = places.others(host).all(|other| !other.is_first());
    let is_first = places[host].is_first();
    if alone || !is_first || places.others(host).any(|other| other.wrong_list.is_some()) {
        return;
    }
    places[host].wrong_list = Some(list);
    start_anew(world, host, down_us);
}

/// The list is put right. A process that waits because of the wrong one is started anew.
pub(super) fn right_list(world: &mut impl Hosts, host: usize) {
    let place = &mut world.parts().places[host];
    if place.wrong_list.take().is_some() && !place.formed && world.has_wrong_list(host) {
        start_anew(world, host, 0);
    }
}

fn start_anew(world: &mut impl Hosts, host: usize, down_us: u64) {
    if world.runs(host) {
        world.end_process(host, Crash::Kill);
        world.plan_start(host, down_us);
    }
}
