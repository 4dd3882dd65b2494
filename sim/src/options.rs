//! What a run is made of: drawn from the seed, printed in full when it fails, and changed one by
//! one by hand (`SIM_CRASH_MEAN_MS=0`, or `--set crash_mean_ms=0`).
//!
//! Swarm style: each run enables a random subset of the faults at random rates, because a run in
//! which everything fails at once hides what only one fault by itself would show.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chance::{Chance, Stream};

macro_rules! options {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The parameters of one run. Times carry their unit in the name; `_ppm` is a chance in a
        /// million; a mean of 0 means never.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Options {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Options {
            /// Names, in the order in which they are printed.
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];

            fn field(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }

            /// Names and values.
            pub fn values(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),+].into_iter()
            }
        }
    };
}

options! {
    /// Members of the cluster.
    members,
    /// Hosts that have no member at first.
    spares,
    /// How long faults last.
    safety_ms,
    /// How long a healthy quorum may take to elect, commit and catch up.
    liveness_ms,
    /// The members' heartbeat interval.
    heartbeat_ms,
    /// The members' election timeout.
    election_ms,
    /// Applied entries between two snapshots.
    snapshot_count,
    /// Entries kept behind a snapshot.
    catch_up_entries,
    /// Size of one segment of the write-ahead log.
    segment_bytes,
    /// How long after its first input a batch of inputs may end.
    batch_us,
    /// How late a deadline may be noticed.
    timer_late_us,
    /// Clients of registers.
    registers,
    /// Clients that insert unique values in order.
    inserters,
    /// Clients that increment a counter.
    counters,
    /// Clients that write keys with a time to live.
    ttl_writers,
    /// Clients that watch.
    watchers,
    /// Registers.
    keys,
    /// Mean pause of a client between two requests.
    think_mean_ms,
    /// How long a client waits for an answer.
    client_timeout_ms,
    /// Chance that the answer to a client is lost.
    client_loss_ppm,
    /// Least time that a message takes.
    delay_min_us,
    /// Mean of the random time that a message takes on top of the least.
    delay_mean_us,
    /// Chance that a message takes a thousand times as long.
    slow_ppm,
    /// Whether messages of one link keep their order.
    in_order,
    /// Chance that a message is lost.
    loss_ppm,
    /// Chance that a message comes twice.
    duplicate_ppm,
    /// Chance that a call to another server fails, or is answered and the answer is lost.
    http_fail_ppm,
    /// Mean time between two partitions into two halves.
    partition_mean_ms,
    /// Mean time between two cuts of one direction of links.
    one_way_mean_ms,
    /// Mean time between two isolations of one member.
    isolate_mean_ms,
    /// Mean length of partitions, cuts and isolations.
    cut_length_ms,
    /// Mean time between two losses of power of a member.
    power_mean_ms,
    /// Mean time between two kills of a member's process.
    kill_mean_ms,
    /// Mean time between two kills or power losses of all members at once.
    all_mean_ms,
    /// Mean time between two graceful stops.
    stop_mean_ms,
    /// Mean time that a member stays down.
    down_ms,
    /// Mean time between two pauses of a member's process.
    pause_mean_ms,
    /// Mean length of a pause.
    pause_length_ms,
    /// Greatest drift of a monotonic clock, in millionths.
    drift_ppm,
    /// Greatest distance of a wall clock from the true time at the start.
    skew_ms,
    /// Mean time between two jumps of a wall clock.
    jump_mean_ms,
    /// Mean time between two changes of the membership.
    change_mean_ms,
    /// Mean latency of a disk operation that is no sync.
    disk_op_us,
    /// Mean latency of a sync.
    disk_sync_us,
    /// Chance that a disk operation stalls.
    stall_ppm,
    /// Mean length of a stall.
    stall_ms,
    /// Chance that a sync fails.
    sync_error_ppm,
    /// Mean time between two moments at which a disk is full.
    full_mean_ms,
    /// Mean time that a disk stays full.
    full_length_ms,
    /// Mean time between two damages of what a disk holds.
    rot_mean_ms,
    /// Mean time between two reads of something else than what a disk holds.
    misread_mean_ms,
    /// Mean time between two losses of all data of a member that has published itself.
    wipe_mean_ms,
    /// Mean time between two copies of a member's data, and from each of them until the member is
    /// started from it.
    old_copy_mean_ms,
    /// Whether wipes may hit all members but one, so that the cluster is lost.
    wipe_most,
    /// Mean time between two exchanges of the directories of two members.
    swap_mean_ms,
    /// Mean time between two processes that take themselves for the member of another host; the
    /// first is at the start.
    twin_mean_ms,
    /// Mean time between two starts with a wrong list of members; the first is at the start.
    wrong_list_mean_ms,
    /// Mean time until a wrong list is put right.
    wrong_list_length_ms,
    /// Whether members advertise addresses where the list has names.
    addresses,
    /// Whether the list of members comes from SRV records.
    srv,
    /// Whether members find each other through the discovery service and have no list.
    discovery,
    /// Whether the discovery service is a cluster of Quorate, in the world of the shell.
    real_service,
    /// How many hosts more there are than the discovery service has places for.
    extra,
    /// Mean time between two troubles with the discovery service; the first is at the start.
    discovery_mean_ms,
    /// Mean length of a trouble with the discovery service.
    discovery_length_ms,
    /// Mean time between two troubles with a host's resolver; the first is at the start.
    dns_mean_ms,
    /// Mean length of a trouble with a resolver.
    dns_length_ms,
    /// Whether members speak TLS to each other.
    tls,
    /// Mean time between two troubles with the certificate of a host; the first is at the start.
    certificate_mean_ms,
    /// Mean length of a trouble with a certificate.
    certificate_length_ms,
}

impl Options {
    /// The options that belong to `seed`.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed, Stream::Options);
        let c = &mut chance;
        let mut options = Self {
            members: [3, 3, 3, 3, 5, 5, 1, 7][c.index(8)],
            spares: [0, 1, 1, 2][c.index(4)],
            safety_ms: 60_000,
            liveness_ms: 40_000,
            heartbeat_ms: [100, 100, 50, 50][c.index(4)],
            snapshot_count: [50, 100, 500, 10_000][c.index(4)],
            catch_up_entries: [1, 10, 100, 1000][c.index(4)],
            segment_bytes: [16_384, 65_536, 262_144][c.index(3)],
            batch_us: [0, 50, 500, 5000][c.index(4)],
            timer_late_us: [0, 100, 2000][c.index(3)],
            registers: c.between(2, 4),
            inserters: c.between(2, 3),
            counters: [0, 2, 3][c.index(3)],
            ttl_writers: c.below(2),
            watchers: c.below(3),
            keys: c.between(1, 4),
            think_mean_ms: [50, 100, 200][c.index(3)],
            client_timeout_ms: [1000, 2000, 5000][c.index(3)],
            delay_min_us: [50, 200, 1000][c.index(3)],
            delay_mean_us: [100, 1000, 5000][c.index(3)],
            in_order: c.below(2),
            disk_op_us: c.between(5, 50),
            disk_sync_us: [100, 1000, 8000][c.index(3)],
            ..Self::default()
        };
        options.election_ms = options.heartbeat_ms * 10;
        options.draw_network_faults(c);
        options.draw_host_faults(c);
        options.draw_data_faults(c);
        options.draw_tls_faults(c);
        options.draw_discovery(c);
        options.draw_wrong_directories(c);
        options.settled()
    }

    /// Leaves out what does not go together, however it came to be there.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.discovery > 0 {
            self.srv = 0;
            // A poll that was lost is noticed when its time is up, and pauses may have grown by then.
            // Where that happens all the time nothing else ever does.
            self.liveness_ms = self.liveness_ms.max(120_000);
            self.http_fail_ppm = self.http_fail_ppm.min(30_000);
            // Whoever registers from two directories uses the token up.
            (self.wrong_list_mean_ms, self.swap_mean_ms, self.twin_mean_ms) = (0, 0, 0);
        }
        // Somebody who passes for the only one that has its data, while that one is down, forms a
        // second cluster with those that have lost theirs: nobody is left who could tell.
        if self.wipe_most > 0 {
            self.twin_mean_ms = 0;
        }
        self.extra = if self.discovery > 0 && self.members > 2 { self.extra.min(1) } else { 0 };
        // Who has a place is known only once all are taken, so nobody can say before whom a cluster
        // could spare.
        if self.extra > 0 {
            (self.change_mean_ms, self.spares) = (0, 0);
        }
        self
    }

    fn draw_network_faults(&mut self, c: &mut Chance) {
        let mut maybe = |choices: [u64; 4]| if c.coin() { choices[c.index(4)] } else { 0 };
        self.slow_ppm = maybe([100, 1000, 5000, 20_000]);
        self.loss_ppm = maybe([1000, 10_000, 50_000, 100_000]);
        self.duplicate_ppm = maybe([1000, 10_000, 50_000, 200_000]);
        self.client_loss_ppm = maybe([1000, 10_000, 50_000, 100_000]);
        self.http_fail_ppm = maybe([10_000, 50_000, 100_000, 300_000]);
        self.partition_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.one_way_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.isolate_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.cut_length_ms = c.between(500, 8000);
    }

    fn draw_host_faults(&mut self, c: &mut Chance) {
        let mut maybe = |choices: [u64; 4]| if c.coin() { choices[c.index(4)] } else { 0 };
        self.power_mean_ms = maybe([4000, 8000, 15_000, 30_000]);
        self.kill_mean_ms = maybe([4000, 8000, 15_000, 30_000]);
        self.all_mean_ms = maybe([20_000, 30_000, 60_000, 60_000]);
        self.stop_mean_ms = maybe([8000, 15_000, 20_000, 30_000]);
        self.pause_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.drift_ppm = maybe([20, 200, 1000, 20_000]);
        self.skew_ms = maybe([10, 500, 5000, 3_600_000]);
        self.jump_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.stall_ppm = maybe([100, 1000, 3000, 10_000]);
        self.sync_error_ppm = maybe([50, 200, 1000, 3000]);
        self.full_mean_ms = maybe([10_000, 20_000, 30_000, 30_000]);
        self.change_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.down_ms = [20, 200, 1000, 5000][c.index(4)];
        self.pause_length_ms = c.between(100, 4000);
        self.stall_ms = c.between(20, 2000);
        self.full_length_ms = c.between(500, 8000);
    }

    fn draw_data_faults(&mut self, c: &mut Chance) {
        let mut maybe = |choices: [u64; 4]| if c.coin() { choices[c.index(4)] } else { 0 };
        self.rot_mean_ms = maybe([10_000, 20_000, 30_000, 60_000]);
        self.misread_mean_ms = maybe([2000, 5000, 10_000, 20_000]);
        self.wipe_mean_ms = maybe([10_000, 20_000, 30_000, 60_000]);
        self.wrong_list_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.dns_mean_ms = maybe([2000, 5000, 10_000, 20_000]);
        self.wrong_list_length_ms = c.between(500, 8000);
        self.addresses = c.below(2);
        self.dns_length_ms = c.between(500, 8000);
        self.srv = u64::from(c.below(3) == 0);
        self.wipe_most = u64::from(c.below(16) == 0);
    }

    fn draw_tls_faults(&mut self, c: &mut Chance) {
        self.tls = c.below(2);
        self.certificate_mean_ms =
            if c.coin() { [2000, 5000, 10_000, 20_000][c.index(4)] } else { 0 };
        self.certificate_length_ms = c.between(500, 4000);
    }

    /// Which directory a process has, and which process a directory.
    fn draw_wrong_directories(&mut self, c: &mut Chance) {
        let mut maybe = |choices: [u64; 4]| if c.coin() { choices[c.index(4)] } else { 0 };
        self.swap_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.twin_mean_ms = maybe([5000, 10_000, 20_000, 30_000]);
        self.old_copy_mean_ms = maybe([4000, 8000, 15_000, 30_000]);
    }

    /// In place of a list of any kind.
    fn draw_discovery(&mut self, c: &mut Chance) {
        let (by_service, extra) = (c.below(4) == 0, c.coin());
        let mean_ms = [0, 0, 5000, 15_000][c.index(4)];
        let length_ms = c.between(200, 3000);
        if by_service && self.srv == 0 {
            self.discovery = 1;
            self.http_fail_ppm /= 10;
            self.discovery_mean_ms = mean_ms;
            self.discovery_length_ms = length_ms;
            self.extra = u64::from(extra);
        }
    }

    /// The options of a run of the world, which is as long as a third of one in lockstep: it costs
    /// many times as much. Everybody has a place there: what proxies answer is not theirs.
    #[must_use]
    pub const fn for_world(mut self) -> Self {
        self.safety_ms = 20_000;
        self.change_mean_ms /= 3;
        self.dns_mean_ms /= 3;
        self.power_mean_ms /= 2;
        self.old_copy_mean_ms /= 3;
        self.extra = 0;
        // As good as drawn.
        self.real_service = self.discovery_length_ms % 2;
        self
    }

    /// Whether the member of a host gets into a cluster through the discovery service, and not because
    /// it was added to one.
    pub(crate) const fn goes_by_token(&self, host: usize) -> bool {
        self.discovery > 0 && host < self.members as usize
    }

    /// Whether the discovery service is a cluster.
    pub(crate) const fn has_real_service(&self) -> bool {
        self.discovery > 0 && self.real_service > 0
    }

    /// How many members the discovery service has places for.
    pub(crate) fn places(&self) -> u64 {
        self.members.saturating_sub(self.extra).max(1)
    }

    /// How many hosts there are: those of the first members, and behind them those that have none.
    pub const fn hosts(&self) -> usize {
        (self.members + self.spares) as usize
    }

    /// Changes the options that the environment names.
    ///
    /// # Errors
    /// A value that is no number.
    pub fn set_from_environment(&mut self) -> Result<(), String> {
        for name in Self::NAMES {
            if let Ok(value) = std::env::var(format!("SIM_{}", name.to_uppercase())) {
                self.set(name, &value)?;
            }
        }
        Ok(())
    }

    /// Changes one option.
    ///
    /// # Errors
    /// An unknown name, or a value that is no number.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let field = self.field(name).ok_or_else(|| format!("there is no option {name:?}"))?;
        *field = value.parse().map_err(|_| format!("{name}: {value:?} is no number"))?;
        if !(1..=16).contains(&self.members) || self.spares > 16 - self.members {
            let (members, spares) = (self.members, self.spares);
            return Err(format!("members and spares: {members} and {spares} are not 1 to 16"));
        }
        Ok(())
    }

    /// The settings that turn the options that were `drawn` into these, for the command that reruns
    /// them.
    pub fn changes(&self, drawn: &Self) -> Vec<(&'static str, u64)> {
        self.values().zip(drawn.values()).filter(|(a, b)| a != b).map(|(a, _)| a).collect()
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut column = 0;
        for (name, value) in self.values() {
            let text = format!("{name}={value}");
            if column > 0 && column + text.len() > 90 {
                writeln!(f)?;
                column = 0;
            }
            write!(f, "{}{text}", if column == 0 { "  " } else { " " })?;
            column += text.len() + 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_draws_the_same() {
        assert_eq!(Options::draw(5), Options::draw(5));
        assert_ne!(Options::draw(5), Options::draw(6));
    }

    #[test]
    fn every_option_is_printed_and_can_be_set() {
        let mut options = Options::draw(1);
        for name in Options::NAMES {
            options.set(name, "7").expect("a known name");
        }
        let text = options.to_string();
        for name in Options::NAMES {
            assert!(text.contains(&format!("{name}=7")), "{name} in {text}");
        }
        assert!(options.changes(&Options::draw(1)).len() > Options::NAMES.len() / 2);
        assert!(options.set("members", "0").is_err());
        assert!(options.set("nonsense", "1").is_err());
        assert!(options.set("keys", "many").is_err());
    }

    #[test]
    fn what_does_not_go_together_is_left_out() {
        for seed in 0..200 {
            let drawn = Options::draw(seed);
            assert_eq!(drawn.clone().settled(), drawn, "nothing of the kind is drawn");
        }
        let by_token = Options { discovery: 1, twin_mean_ms: 5000, ..Options::draw(1) }.settled();
        assert_eq!((by_token.twin_mean_ms, by_token.liveness_ms), (0, 120_000));
    }

    /// What is no fault, what the swarm leaves alone, and what only goes with something else.
    const NOT_DRAWN: [&str; 2] = ["think_mean_ms", "discovery_mean_ms"];

    #[test]
    fn every_fault_is_on_in_some_runs_and_off_in_others() {
        let all: Vec<Options> = (0..200).map(Options::draw).collect();
        for (at, name) in Options::NAMES.iter().enumerate() {
            if name.ends_with("_ppm") || name.ends_with("_mean_ms") && !NOT_DRAWN.contains(name) {
                let on = all.iter().filter(|o| o.values().nth(at).is_some_and(|v| v.1 > 0)).count();
                assert!((60..140).contains(&on), "{name} is on in {on} of 200 runs");
            }
        }
    }
}
