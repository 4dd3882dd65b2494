//! What happened in a run, counted: a run in which nothing failed proves nothing, so tests assert
//! over these.

use std::fmt;

use quorate_core::note::Note;
use quorate_core::store::Action;

use crate::oracle::ledger::Ledger;
use crate::plan::Fault;
use crate::workload::Outcome;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counters of one run, or the sum over many.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Stats {
            /// Adds those of another run.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }

            /// 1 for each of those that are not 0: added up, they tell in how many runs something
            /// happened.
            #[must_use]
            pub fn seen(&self) -> Self {
                Self { $($name: self.$name.min(1),)+ }
            }

            /// Names and values.
            pub fn values(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),+].into_iter()
            }
        }
    };
}

counters! {
    /// Events taken off the heap.
    events,
    /// Simulated time in milliseconds.
    simulated_ms,
    /// Elections won.
    leaders,
    /// Entries committed.
    commits,
    /// Writes that clients saw acknowledged.
    acknowledged,
    /// Quorum reads that were answered.
    quorum_reads,
    /// Plain reads that were answered.
    plain_reads,
    /// Events that watchers saw.
    watched,
    /// Watches refused because the events asked for are not kept any more.
    cleared,
    /// Requests whose outcome the client never learned.
    unknown,
    /// Requests refused without having been carried out.
    refused,
    /// Messages between members that were delivered.
    delivered,
    /// Messages lost to the loss rate.
    lost,
    /// Messages that met a cut link or a dead member.
    unreachable,
    /// Messages delivered twice.
    duplicated,
    /// Messages that took a thousand times as long.
    slow,
    /// Calls of members to other servers that failed.
    http_failed,
    /// Partitions into halves.
    partitions,
    /// Directions of links cut.
    one_way_cuts,
    /// Members isolated.
    isolations,
    /// Losses of power.
    power_losses,
    /// Processes killed.
    kills,
    /// Kills or power losses of all members at once.
    all_down,
    /// Graceful stops asked for.
    stops,
    /// Graceful stops that ended in time.
    stopped,
    /// Restarts.
    restarts,
    /// Processes paused.
    pauses,
    /// Jumps of wall clocks.
    jumps,
    /// Stalls of disks.
    stalls,
    /// Syncs that failed.
    sync_errors,
    /// Times at which a disk became full.
    disks_full,
    /// Disk operations that found no space.
    no_space,
    /// Damages of what a disk holds.
    rotten,
    /// Reads of something else than what a disk holds.
    misreads,
    /// Starts that were refused because of damaged data.
    damage_refused,
    /// Members that lost all their data.
    wiped,
    /// Starts that were refused because the member had lost its data.
    wiped_refused,
    /// Exchanges of the directories of two members.
    swapped,
    /// Starts that were refused because the directory was another member's.
    exchanged_refused,
    /// Processes that took themselves for the member of another host.
    twins,
    /// Those of them that were refused.
    twins_refused,
    /// Starts from an older copy of the data.
    restored,
    /// Times at which a member found that it has lost some of its past.
    behind,
    /// Times at which one was brought back.
    brought_back,
    /// Runs without a verdict: promises were broken, after a member had broken one that its older copy
    /// does not hold and of which nobody had told it.
    untold,
    /// Starts with a wrong list of members.
    wrong_lists,
    /// Troubles with the discovery service.
    service_troubles,
    /// Troubles with the certificate of a host.
    certificate_troubles,
    /// Handshakes that failed because of one.
    handshakes_failed,
    /// Hosts for which the discovery service had no place.
    no_place,
    /// Starts that were refused because of a wrong list.
    lists_refused,
    /// Look-ups that were answered wrongly, or not at all.
    names_wrong,
    /// Starts that were refused because of a wrong answer to a look-up.
    names_refused,
    /// Unsynced writes that a power loss dropped.
    writes_dropped,
    /// Writes that a power loss tore.
    writes_torn,
    /// Unsynced directory entries that a power loss dropped.
    entries_dropped,
    /// Changes of the membership asked for.
    changes,
    /// Members that were added and have joined.
    joined,
    /// Starts that were refused because the member was not added, or nobody said so.
    joins_refused,
    /// Members that have found that all of them are Quorate.
    all_quorate,
    /// Processes that ended because their member was removed.
    removed,
    /// Removals that were asked for while the member led.
    leaders_removed,
    /// Removals that were asked for while the member was cut off from another host.
    removed_apart,
    /// Clusters that grew from one voter to two.
    grown_to_two,
    /// Clusters that shrank from two voters to one.
    shrunk_to_one,
    /// Runs without a liveness phase: who knew of the last removal has left.
    stranded,
    /// Snapshots saved.
    snapshots_saved,
    /// Snapshots installed from a leader.
    snapshots_installed,
    /// Torn tails that a member found and cut.
    torn_tails,
    /// Histories too tangled to be judged within the checker's budget.
    undecided,
}

impl Stats {
    /// A member said what happened to it.
    pub(crate) const fn note(&mut self, note: &Note) {
        match note {
            Note::BecameLeader { .. } => self.leaders += 1,
            Note::Joined => self.joined += 1,
            Note::Behind { .. } => self.behind += 1,
            Note::BroughtBack => self.brought_back += 1,
            Note::AllQuorate => self.all_quorate += 1,
            Note::SnapshotSaved { .. } => self.snapshots_saved += 1,
            Note::SnapshotInstalled { .. } => self.snapshots_installed += 1,
            Note::TornTail { .. } => self.torn_tails += 1,
            Note::DiscoveryFull => self.no_place += 1,
            _ => {}
        }
    }

    /// So much was committed in a run whose cluster began with so many members.
    pub(crate) fn committed(&mut self, ledger: &Ledger, members: u64) {
        self.commits = ledger.last_index();
        let known = ledger.configurations();
        let times =
            |change: [usize; 2]| known.voters(members).filter(|voters| *voters == change).count();
        self.grown_to_two = times([1, 2]) as u64;
        self.shrunk_to_one = times([2, 1]) as u64;
    }

    /// Links were cut in so many directions.
    pub(crate) fn cut(&mut self, fault: &Fault, directions: usize) {
        match fault {
            Fault::OneWay { .. } => self.one_way_cuts += directions as u64,
            Fault::Isolate { .. } => self.isolations += u64::from(directions > 0),
            _ => self.partitions += u64::from(directions > 0),
        }
    }

    /// A write or quorum read ended. Says whether it was a write that was acknowledged.
    pub(crate) fn asked(&mut self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Refused => self.refused += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Answered { result: Ok(event), .. } if event.action != Action::Get => {
                self.acknowledged += 1;
                return true;
            }
            Outcome::Answered { .. } => self.quorum_reads += 1,
        }
        false
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.values().filter(|v| v.1 > 0).map(|(n, v)| format!("{n}={v}")).collect();
        f.write_str(&parts.join(" "))
    }
}
