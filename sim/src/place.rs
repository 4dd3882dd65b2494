//! What operators and fate do to the hosts of a run, in whichever world: whose data is lost, who is
//! started with which list, who belongs where.
//!
//! A world knows how processes run, and carries faults out; what a fault may be, and what a process
//! that ended had for a reason, is decided here, once for both.

mod data;
mod ending;
mod faults;
mod quorum;

use std::ops::{Index, IndexMut};

use quorate_core::id::MemberId;
use quorate_core::node::Exit;
use quorate_core::note::Note;

use crate::disk::FileSystem;
use crate::members::listed_as;
use crate::options::Options;
use crate::oracle::Violation;
use crate::oracle::configurations::Configurations;
use crate::plan::WrongList;
use crate::stats::Stats;

pub(crate) use ending::{Ended, Reasons};
pub(crate) use faults::{Doom, Faults, Hosts, Later, Parts};

/// The pause of a supervisor before it starts a process again that has ended by itself.
pub(crate) const RESTART_US: u64 = 1_000_000;

/// How often a host that will never run again is started.
const ATTEMPTS: u32 = 3;

/// What a host has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// A part of its data was damaged.
    Rot,
    /// All of its data.
    Wiped,
}

/// What is known of a host from outside.
#[derive(Debug)]
pub(crate) struct Place {
    /// The member that belongs here by the right list.
    pub(crate) listed_as: MemberId,
    /// Who lives here, as far as it said so; kept over restarts.
    pub(crate) member: Option<MemberId>,
    /// Why it may never start again, if that is so.
    pub(crate) lost: Option<Loss>,
    /// What is wrong with the list of members that it is started with.
    pub(crate) wrong_list: Option<WrongList>,
    /// Whether it was ever started with the right list.
    listed: bool,
    /// Whether it ever took part in the cluster.
    pub(crate) formed: bool,
    /// A copy of its data that was put aside.
    copy: Option<FileSystem>,
    /// Whether its removal was asked for.
    pub(crate) asked_to_leave: bool,
    /// How often it ended after it had lost its data, or its place in the cluster.
    hopeless: u32,
}

/// All hosts of a run.
#[derive(Debug)]
pub(crate) struct Places {
    all: Vec<Place>,
}

impl Index<usize> for Places {
    type Output = Place;

    fn index(&self, host: usize) -> &Place {
        &self.all[host]
    }
}

impl IndexMut<usize> for Places {
    fn index_mut(&mut self, host: usize) -> &mut Place {
        &mut self.all[host]
    }
}

impl Place {
    const fn new(listed_as: MemberId) -> Self {
        Self {
            listed_as,
            member: None,
            lost: None,
            wrong_list: None,
            listed: false,
            formed: false,
            copy: None,
            asked_to_leave: false,
            hopeless: 0,
        }
    }

    /// A process starts here; gives what is wrong with its list of members.
    pub(crate) const fn starts(&mut self, stats: &mut Stats) -> Option<WrongList> {
        self.listed |= self.wrong_list.is_none();
        stats.wrong_lists += self.wrong_list.is_some() as u64;
        self.wrong_list
    }

    /// The member said what happened to it.
    pub(crate) const fn noted(&mut self, note: &Note) {
        match note {
            Note::BootDecided { member, .. } => self.member = Some(*member),
            Note::Applied { .. } => self.formed = true,
            _ => {}
        }
    }

    /// Whether the member here was removed, by the committed log.
    pub(crate) fn was_removed(&self, known: &Configurations) -> bool {
        known.was_removed(self.listed_as)
    }

    /// A process ended by itself. Whether somebody starts it again: what has lost its data, or its
    /// place in the cluster, ends in the same way each time.
    const fn is_worth_a_start(&mut self, leaves: bool) -> bool {
        self.hopeless += (leaves || self.lost.is_some()) as u32;
        self.hopeless < ATTEMPTS
    }

    /// Whether a process ends because its member was removed.
    fn leaves(&self, exit: &Exit, known: &Configurations) -> bool {
        // One that never took part finds itself listed by nobody, and is refused.
        self.was_removed(known)
            && match exit {
                Exit::Stopped { lines } => !lines.is_empty(),
                Exit::Refused(_) => true,
                Exit::Fault(_) => false,
            }
    }
}

impl Places {
    /// The hosts of a run, each with its member.
    pub(crate) fn new(options: &Options) -> Self {
        let hosts = 0..options.members as usize;
        Self { all: hosts.map(|host| Place::new(listed_as(options, host))).collect() }
    }

    /// How many hosts there are.
    pub(crate) const fn count(&self) -> usize {
        self.all.len()
    }

    fn others(&self, host: usize) -> impl Iterator<Item = &Place> {
        self.all.iter().enumerate().filter(move |(other, _)| *other != host).map(|(_, place)| place)
    }

    /// Somebody leads: a cluster has formed, and nobody may do so with one whose list differs.
    ///
    /// # Errors
    /// Somebody did.
    pub(crate) fn formed_together(&self, leader: usize) -> Result<(), Violation> {
        let differs = |place: &Place| place.wrong_list.is_some() && !place.listed;
        match self.all.iter().position(differs) {
            None => Ok(()),
            Some(host) => {
                let detail = format!("a cluster has formed, but n{host} has another list");
                Err(Violation::safety("forms_together", leader, detail))
            }
        }
    }
}
