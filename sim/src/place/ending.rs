//! Why a process may end by itself, or must; and with which words.

use quorate_core::disk::{DiskErrorKind, Done};
use quorate_core::node::Exit;
use quorate_core::note::Note;

use super::{Loss, Place, Places};
use crate::disk::FileSystem;
use crate::oracle::configurations::Configurations;
use crate::oracle::{Kind, Violation};
use crate::plan::WrongList;
use crate::stats::Stats;

/// What a process has met that gives it a reason to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reasons {
    /// An operation found no space, and the node has had no turn since that it was told; or it has
    /// not decided yet who it is.
    lacks_space: bool,
    /// An operation failed, and the node was told.
    must_halt: bool,
    /// It has not decided yet who it is.
    booting: bool,
    /// What is wrong with the list of members that it was started with.
    wrong_list: Option<WrongList>,
    /// Whether its resolver told it something wrong, or nothing.
    misinformed: bool,
    /// What it found in its directory, if that may be damaged.
    found: Option<Directory>,
}

/// A directory that may be damaged, before anybody used it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directory {
    /// The digest of all that is in it.
    digest: u64,
    /// How many reads have been wrong in it.
    misreads: u64,
}

/// A process that has ended by itself.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) host: usize,
    pub(crate) exit: &'a Exit,
    /// Whether it was asked to stop.
    pub(crate) asked: bool,
    /// What it has left.
    pub(crate) files: &'a FileSystem,
}

/// What becomes of a host whose process has ended by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// Its member was removed.
    pub(crate) leaves: bool,
    /// Somebody starts it again.
    pub(crate) again: bool,
}

/// What a start was refused for.
#[derive(Clone, Copy, Debug)]
enum Cause {
    /// The data was lost, and the cluster knows that there was some.
    Wiped,
    /// It was not added, or not under the URL that it has, or nobody said so.
    Join,
    /// Another host has the member that it took itself for.
    Twin,
    /// The list of members was wrong.
    List,
    /// The resolver told something wrong, or nothing.
    Names,
    /// The data is damaged.
    Damage,
    /// The data is another host's.
    Exchanged,
}

impl Place {
    /// What the directory is like, if a start may be refused for that.
    fn suspect(&self, files: &FileSystem) -> Option<Directory> {
        let suspect = self.lost == Some(Loss::Rot) || files.will_misread();
        suspect.then(|| Directory { digest: files.digest(), misreads: files.misreads() })
    }
}

impl Reasons {
    /// Those of a process that begins at this place, in this directory.
    pub(crate) fn new(place: &Place, files: &FileSystem) -> Self {
        let found = place.suspect(files);
        let wrong_list = place.wrong_list;
        let (lacks_space, must_halt, booting, misinformed) = (false, false, true, false);
        Self { lacks_space, must_halt, booting, wrong_list, misinformed, found }
    }

    /// Something happened to the directory behind the back of the process. It matters as long as
    /// that has not decided who it is.
    pub(crate) fn damaged(&mut self, place: &Place, files: &FileSystem) {
        if self.booting {
            // What it has misread before is still a reason to refuse.
            let before = self.found.map(|before| before.misreads);
            let found = place.suspect(files);
            self.found = found
                .map(|found| Directory { misreads: before.unwrap_or(found.misreads), ..found });
        }
    }

    /// The resolver was asked; `wrong` says whether the answer was not the truth.
    pub(crate) const fn looked_up(&mut self, wrong: bool) {
        self.misinformed |= wrong;
    }

    /// The process said what happened to it.
    pub(crate) const fn noted(&mut self, note: &Note) {
        if matches!(note, Note::BootDecided { .. }) {
            self.booting = false;
            self.found = None;
            self.lacks_space = false;
        }
    }

    /// The process has had a turn, and goes on. A member that takes part lives with a full disk.
    pub(crate) const fn goes_on(&mut self) {
        self.lacks_space &= self.booting;
    }

    /// The node is told of the end of an operation.
    pub(crate) fn told(&mut self, done: &Done) {
        if let Err(e) = &done.result {
            self.lacks_space |= e.kind == DiskErrorKind::NoSpace;
            self.must_halt |= e.kind == DiskErrorKind::Other;
        }
    }

    /// Whether the process must end at its next turn.
    pub(crate) const fn must_halt(&self) -> bool {
        self.must_halt
    }

    /// Whether the process has a wrong list of members.
    pub(crate) const fn has_wrong_list(&self) -> bool {
        self.wrong_list.is_some()
    }

    /// What a start at this place can have been refused for.
    fn cause(&self, place: &Place, files: &FileSystem) -> Option<Cause> {
        if place.lost == Some(Loss::Wiped) {
            return Some(Cause::Wiped);
        }
        if place.twin_of.is_some() {
            return Some(Cause::Twin);
        }
        if place.joins.is_some() && !place.formed {
            return Some(Cause::Join);
        }
        // A member that took part once looks at no list any more.
        if self.has_wrong_list() && !place.formed {
            return Some(Cause::List);
        }
        if self.misinformed && !place.formed {
            return Some(Cause::Names);
        }
        let misled = self.found.is_some_and(|found| files.misreads() > found.misreads);
        let damaged = place.lost == Some(Loss::Rot) || misled;
        // Whoever refuses damaged data leaves it as it is.
        let untouched = self.found.is_some_and(|found| files.digest() == found.digest);
        (damaged && untouched).then_some(Cause::Damage)
    }
}

impl Places {
    /// Judges how a process has ended by itself, and says what becomes of the host.
    ///
    /// # Errors
    /// If it had no reason to end like that.
    pub(crate) fn ended(
        &mut self,
        ended: &Ended<'_>,
        reasons: &Reasons,
        known: &Configurations,
        stats: &mut Stats,
    ) -> Result<Fate, Violation> {
        let Ended { host, exit, asked, files } = *ended;
        let exchanged = self.is_swapped(host).then_some(Cause::Exchanged);
        let place = &mut self.all[host];
        let mistaken = exchanged.is_some() && matches!(exit, Exit::Refused(_));
        let leaves = !mistaken && place.leaves(exit, known);
        stats.removed += u64::from(leaves);
        stats.stopped += u64::from(asked && exit.code() == 0);
        let explained = match exit {
            _ if leaves => true,
            Exit::Stopped { .. } => asked,
            Exit::Refused(_) | Exit::Fault(_) if reasons.lacks_space || reasons.must_halt => true,
            Exit::Refused(refusal) => {
                let cause = exchanged.or_else(|| reasons.cause(place, files));
                count(cause, stats);
                cause.is_some() && !refusal.message.is_empty() && !refusal.hints.is_empty()
            }
            Exit::Fault(_) => false,
        };
        if explained {
            return Ok(Fate { leaves, again: place.is_worth_a_start(leaves) });
        }
        let (oracle, detail) = ("explained_exit", format!("{exit:?}"));
        Err(Violation { kind: Kind::Crash, oracle, node: Some(host), index: None, detail })
    }
}

const fn count(cause: Option<Cause>, stats: &mut Stats) {
    match cause {
        Some(Cause::Wiped) => stats.wiped_refused += 1,
        Some(Cause::Twin) => stats.twins_refused += 1,
        Some(Cause::Join) => stats.joins_refused += 1,
        Some(Cause::List) => stats.lists_refused += 1,
        Some(Cause::Names) => stats.names_refused += 1,
        Some(Cause::Damage) => stats.damage_refused += 1,
        Some(Cause::Exchanged) => stats.exchanged_refused += 1,
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use quorate_core::disk::{DiskError, Ticket};
    use quorate_core::error::Refusal;
    use quorate_core::id::{ClusterId, MemberId};

    use super::*;
    use crate::options::Options;

    /// Whether a fault is explained.
    fn is_explained(reasons: &Reasons) -> bool {
        let mut places = Places::new(&Options { members: 1, ..Options::default() });
        let exit = Exit::Fault(Refusal::new("the disk").hint("look at it"));
        let files = FileSystem::default();
        let ended = Ended { host: 0, exit: &exit, asked: false, files: &files };
        let known = Configurations::default();
        places.ended(&ended, reasons, &known, &mut Stats::default()).is_ok()
    }

    fn failed(kind: DiskErrorKind) -> Done {
        let error = DiskError { kind, message: "no".to_owned() };
        Done { ticket: Ticket(1), result: Err(error) }
    }

    #[test]
    fn a_full_disk_explains_an_end_that_comes_at_once() {
        let mut reasons = Reasons::new(&Place::vacant(), &FileSystem::default());
        assert!(!is_explained(&reasons));
        reasons.told(&failed(DiskErrorKind::NoSpace));
        reasons.goes_on();
        assert!(is_explained(&reasons), "it has not decided yet who it is");
        let (member, cluster) = (MemberId(1), ClusterId(1));
        reasons.noted(&Note::BootDecided { member, cluster, restart: false });
        assert!(!is_explained(&reasons));
        reasons.told(&failed(DiskErrorKind::NoSpace));
        assert!(is_explained(&reasons));
        reasons.goes_on();
        assert!(!is_explained(&reasons), "it had its turn");
        reasons.told(&failed(DiskErrorKind::Other));
        reasons.goes_on();
        assert!(is_explained(&reasons), "a sync has failed");
    }
}
