//! What the end of a process, and the end of power, leave of a disk.

use std::collections::BTreeSet;

use super::file::survivors;
use super::system::{FileSystem, parent};
use crate::chance::Chance;

/// What a power loss did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Unsynced writes that are gone.
    pub writes_dropped: u64,
    /// Writes of which a part survived.
    pub writes_torn: u64,
    /// Changes of directories that are gone.
    pub entries_dropped: u64,
}

impl FileSystem {
    /// The process ends: the lock is released and files are closed. What was written stays visible,
    /// and becomes no more durable than it was.
    pub fn kill(&mut self) {
        self.end_process();
        self.collect();
    }

    /// The power fails: what is not durable survives by chance only.
    pub fn lose_power(&mut self, chance: &mut Chance) -> Damage {
        self.kill();
        let mut damage = Damage::default();
        let pending = std::mem::take(&mut self.pending);
        let kept: BTreeSet<usize> = survivors(pending.len(), chance).into_iter().collect();
        damage.entries_dropped = (pending.len() - kept.len()) as u64;
        for (at, change) in pending.into_iter().enumerate() {
            if kept.contains(&at) {
                self.make_durable(change);
            }
        }
        self.drop_orphans();
        self.names.clone_from(&self.durable_names);
        self.dirs.clone_from(&self.durable_dirs);
        for file in self.files.values_mut() {
            let (dropped, torn) = file.crash(chance);
            damage.writes_dropped += dropped;
            damage.writes_torn += torn;
        }
        self.collect();
        damage
    }

    /// What lies in a directory that did not survive is gone with it.
    fn drop_orphans(&mut self) {
        let dirs = std::mem::take(&mut self.durable_dirs);
        for dir in dirs {
            // Parents sort before what they hold.
            if parent(&dir).is_empty() || self.durable_dirs.contains(parent(&dir)) {
                self.durable_dirs.insert(dir);
            }
        }
        let dirs = &self.durable_dirs;
        self.durable_names.retain(|path, _| parent(path).is_empty() || dirs.contains(parent(path)));
    }
}
