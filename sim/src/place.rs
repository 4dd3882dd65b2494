//! What operators and fate do to the hosts of a run, in whichever world: whose data is lost, who is
//! started with which list, who belongs where.
//!
//! A world knows how processes run, and carries faults out; what a fault may be, and what a process
//! that ended had for a reason, is decided here, once for both.

pub(crate) mod calm;
mod data;
mod ending;
mod faults;
mod membership;
mod quorum;

use std::ops::{Index, IndexMut};

use quorate_core::id::MemberId;
use quorate_core::node::Exit;
use quorate_core::note::Note;
use quorate_core::url::Url;

use crate::disk::FileSystem;
use crate::members::{FirstStart, listed_as};
use crate::options::Options;
use crate::oracle::Violation;
use crate::oracle::configurations::Configurations;
use crate::plan::{At, WrongList};
use crate::stats::Stats;

pub(crate) use ending::{Ended, Reasons};
pub(crate) use faults::{Doom, Faults, Hosts, Later, Parts};
pub(crate) use membership::Told;

use membership::Operation;

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

/// How a member came to a host that was not there from the first moment.
#[derive(Clone, Debug)]
struct Join {
    /// The URL under which it was added.
    url: Url,
    /// The URL under which it can be reached.
    home: Url,
    /// What the one is to the other.
    at: At,
    /// Whether it finds out by itself that there is a cluster.
    auto: bool,
}

/// What is known of a host from outside.
#[derive(Debug)]
pub(crate) struct Place {
    /// The member that belongs here: by the right list, or by the log once it was added.
    belongs: Option<MemberId>,
    /// How that came, unless it was there from the first moment.
    joins: Option<Join>,
    /// For whose member a process takes itself that is started here, where no member belongs.
    twin_of: Option<usize>,
    /// Who lives here, as far as its process, or the last one, said so.
    pub(crate) member: Option<MemberId>,
    /// Why it may never start again, if that is so.
    lost: Option<Loss>,
    /// What is wrong with the list of members that it is started with.
    wrong_list: Option<WrongList>,
    /// Whether it was ever started with the right list.
    listed: bool,
    /// Whether it ever took part in the cluster.
    formed: bool,
    /// Whether it ever said that it is ready: the log has its name by then.
    published: bool,
    /// A copy of its data that was put aside.
    copy: Option<FileSystem>,
    /// Whether it may have lost some of what it promised, and not count.
    behind: bool,
    /// Whether it says that it counts again: the next start shows whether that is durable.
    brought_back: bool,
    /// Whether its removal was asked for.
    asked_to_leave: bool,
    /// How often it ended for something that does not change any more.
    hopeless: u32,
}

/// All hosts of a run, and what was done to them.
#[derive(Debug)]
pub(crate) struct Places {
    all: Vec<Place>,
    operations: Vec<Operation>,
    /// Hosts with each other's directory.
    swapped: Option<(usize, usize)>,
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
    /// A host on which nobody lives.
    const fn vacant() -> Self {
        Self {
            belongs: None,
            joins: None,
            twin_of: None,
            member: None,
            lost: None,
            wrong_list: None,
            listed: false,
            formed: false,
            published: false,
            copy: None,
            behind: false,
            brought_back: false,
            asked_to_leave: false,
            hopeless: 0,
        }
    }

    /// Whether nobody lives here.
    pub(crate) const fn is_vacant(&self) -> bool {
        self.belongs.is_none() && self.joins.is_none() && self.twin_of.is_none()
    }

    /// Whether its member was there from the first moment.
    const fn is_first(&self) -> bool {
        self.belongs.is_some() && self.joins.is_none()
    }

    /// Whether its member, if it has one, is where others believe it to be.
    fn is_at_home(&self) -> bool {
        self.joins.as_ref().is_none_or(|join| join.at == At::Home)
    }

    /// The member said what happened to it.
    pub(crate) const fn noted(&mut self, note: &Note) {
        match note {
            Note::BootDecided { member, .. } => {
                self.member = Some(*member);
                self.behind &= !self.brought_back;
                self.brought_back = false;
            }
            Note::Behind { .. } => (self.behind, self.brought_back) = (true, false),
            Note::BroughtBack => self.brought_back = true,
            Note::Applied { .. } | Note::SnapshotInstalled { .. } => self.formed = true,
            Note::Ready => self.published = true,
            _ => {}
        }
    }

    /// Whether the member here was removed, by the committed log.
    fn was_removed(&self, known: &Configurations) -> bool {
        self.belongs.is_some_and(|member| known.was_removed(member))
    }

    /// A process ended by itself. Whether somebody starts it again: what has lost its data, or its
    /// place in the cluster, or was never added under its URL, ends in the same way each time.
    fn is_worth_a_start(&mut self, leaves: bool) -> bool {
        let never = self.lost.is_some() || !self.is_at_home() || self.twin_of.is_some();
        self.hopeless += u32::from(leaves || never);
        self.hopeless < ATTEMPTS
    }

    /// Whether a process ends because its member was removed.
    fn leaves(&self, exit: &Exit, known: &Configurations) -> bool {
        // One that never took part finds itself listed by nobody, and is refused.
        self.member.or(self.belongs).is_some_and(|member| known.was_removed(member))
            && match exit {
                Exit::Stopped { lines } => !lines.is_empty(),
                Exit::Refused(_) => true,
                Exit::Fault(_) => false,
            }
    }
}

impl Places {
    /// The hosts of a run, the first of them each with its member.
    pub(crate) fn new(options: &Options) -> Self {
        let first = |host| {
            let is_first = host < options.members as usize;
            let belongs = is_first.then(|| listed_as(options, host));
            Place { belongs, ..Place::vacant() }
        };
        let all = (0..options.hosts()).map(first).collect();
        Self { all, operations: Vec::new(), swapped: None }
    }

    /// How many hosts there are.
    pub(crate) const fn count(&self) -> usize {
        self.all.len()
    }

    /// The next host from this one on on which somebody lives; itself if there is none.
    pub(crate) fn inhabited(&self, host: usize) -> usize {
        let mut from_here = (host..self.count()).chain(0..host);
        from_here.find(|host| !self[*host].is_vacant()).unwrap_or(host)
    }

    /// A process starts on a host; gives for which host, and with which flags.
    pub(crate) fn starts(
        &mut self,
        host: usize,
        known: &Configurations,
        stats: &mut Stats,
    ) -> (usize, FirstStart) {
        // It has to say anew who it is: its directory may be another.
        self[host].member = None;
        if let Some(of) = self[host].twin_of {
            stats.twins += 1;
            return (of, FirstStart::Forms);
        }
        let first = self.first_start(host, known);
        let misled = matches!(first, FirstStart::Misled(_));
        self[host].listed |= !misled;
        stats.wrong_lists += u64::from(misled);
        (host, first)
    }

    /// Whether a host has the directory of another one.
    fn is_swapped(&self, host: usize) -> bool {
        self.swapped.is_some_and(|(a, b)| a == host || b == host)
    }

    /// The healthy hosts whose members have no vote yet.
    pub(crate) fn learners(&self, healthy: &[usize], known: &Configurations) -> Vec<usize> {
        let is_learner = |host: &&usize| {
            let learners = known.latest().map(|now| &now.learners);
            let member = self[**host].belongs;
            learners.zip(member).is_some_and(|(learners, member)| learners.contains(&member))
        };
        healthy.iter().filter(is_learner).copied().collect()
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
