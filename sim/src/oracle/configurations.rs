//! The configuration after each entry, as the committed log alone says it.
//!
//! Members are held to this one, not to what they believe: it is worked out here a second time,
//! from the entries, by the rules that a change counts once it is applied, and that one which
//! contradicts the membership counts for nothing.

use std::collections::{BTreeMap, BTreeSet};

use quorate_core::id::MemberId;
use quorate_core::member::json::Context;
use quorate_core::raft::{Entry, EntryKind};
use quorate_core::url::Url;
use quorate_core::wire::conf_change::{ConfChange, ConfChangeKind};
use quorate_core::wire::request::{Method, Request};

/// Learners at a time, once all members are Quorate and before.
const MOST_LEARNERS: [usize; 2] = [8, 1];

/// Who votes, and who only receives the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Members that count.
    pub voters: BTreeSet<MemberId>,
    /// Members that do not.
    pub learners: BTreeSet<MemberId>,
}

/// The configurations of a run.
#[derive(Debug, Default)]
pub struct Configurations {
    /// The last entry that was looked at.
    last: u64,
    /// An entry was never seen, so that nothing is known from there on.
    gap: bool,
    /// The configuration from the entry on that made it so.
    steps: Vec<(u64, Configuration)>,
    /// The peer URLs of the members there are.
    urls: BTreeMap<MemberId, Vec<Url>>,
    /// Who was removed, by which entry.
    removed: BTreeMap<MemberId, u64>,
    /// Whether the log says that all members are Quorate.
    all_quorate: bool,
}

impl Configurations {
    /// An entry is committed; each is told once, in order.
    pub(super) fn committed(&mut self, entry: &Entry) {
        self.gap |= entry.index != self.last + 1;
        self.last = entry.index;
        match entry.kind {
            EntryKind::Normal => self.all_quorate = self.all_quorate || says_quorate(entry),
            EntryKind::ConfChange => {
                let Ok(change) = ConfChange::decode(entry.data.clone()) else { return };
                let mut now = self.latest().cloned().unwrap_or_default();
                if self.takes_effect(&change, &mut now, entry.index) {
                    self.steps.push((entry.index, now));
                }
            }
        }
    }

    /// Carries a change out. Says whether anybody counts in another way now.
    fn takes_effect(&mut self, change: &ConfChange, now: &mut Configuration, index: u64) -> bool {
        let id = change.node;
        if self.removed.contains_key(&id) {
            return false;
        }
        let Ok((urls, promote)) = context(change) else { return false };
        match change.kind {
            ConfChangeKind::RemoveNode => {
                let there = now.voters.remove(&id) || now.learners.remove(&id);
                if there {
                    self.urls.remove(&id);
                    self.removed.insert(id, index);
                }
                there
            }
            ConfChangeKind::UpdateNode => {
                if self.urls.contains_key(&id) && !self.is_taken(id, &urls) {
                    self.urls.insert(id, urls);
                }
                false
            }
            _ if promote => now.learners.remove(&id) && now.voters.insert(id),
            _ if self.urls.contains_key(&id) || self.is_taken(id, &urls) => false,
            ConfChangeKind::AddNode if !self.all_quorate => {
                self.urls.insert(id, urls);
                now.voters.insert(id)
            }
            ConfChangeKind::AddNode | ConfChangeKind::AddLearner => {
                let fits = now.learners.len() < MOST_LEARNERS[usize::from(!self.all_quorate)];
                if fits {
                    self.urls.insert(id, urls);
                    now.learners.insert(id);
                }
                fits
            }
        }
    }

    /// Whether another member has one of these URLs.
    fn is_taken(&self, id: MemberId, urls: &[Url]) -> bool {
        let mut others = self.urls.iter().filter(|(other, _)| **other != id);
        others.any(|(_, theirs)| theirs.iter().any(|url| urls.contains(url)))
    }

    /// The configuration of one who has applied everything up to `index`; absent where that is not
    /// known.
    pub fn at(&self, index: u64) -> Option<&Configuration> {
        if self.gap || index > self.last {
            return None;
        }
        self.steps.iter().rev().find(|(from, _)| *from <= index).map(|(_, step)| step)
    }

    /// The configuration after all that is known to be committed.
    pub fn latest(&self) -> Option<&Configuration> {
        self.steps.last().filter(|_| !self.gap).map(|(_, step)| step)
    }

    /// How many voted before and after each change that took effect and stands behind the first
    /// `listed` entries, which every log of the cluster begins with.
    pub fn voters(&self, listed: u64) -> impl Iterator<Item = [usize; 2]> {
        let count = |(_, step): &(u64, Configuration)| step.voters.len();
        let later = self.steps.windows(2).filter(move |steps| steps[1].0 > listed);
        later.map(move |steps| [count(&steps[0]), count(&steps[1])])
    }

    /// Members and their peer URLs, after all that is known to be committed.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &[Url])> {
        self.urls.iter().map(|(id, urls)| (*id, urls.as_slice()))
    }

    /// Whether a member is there, after all that is known to be committed.
    pub fn contains(&self, member: MemberId) -> bool {
        self.urls.contains_key(&member)
    }

    /// Whether the removal of a member is committed.
    pub fn was_removed(&self, member: MemberId) -> bool {
        self.removed.contains_key(&member)
    }

    /// Whether all members are Quorate by the log, so that who is added has no vote at first.
    pub const fn all_quorate(&self) -> bool {
        self.all_quorate
    }
}

fn says_quorate(entry: &Entry) -> bool {
    // Only a few entries are read whole.
    let name = Method::Quorate.as_str().as_bytes();
    let may_be = entry.data.windows(name.len()).any(|window| window == name);
    may_be && Request::decode(entry.data.clone()).is_ok_and(|r| r.method == Method::Quorate)
}

/// The URLs in a change, and whether it makes a voter of a learner.
fn context(change: &ConfChange) -> Result<(Vec<Url>, bool), ()> {
    if change.context.is_empty() {
        return Ok((Vec::new(), false));
    }
    match Context::decode(&change.context) {
        Ok(Context { member, promote }) if member.id == change.node => {
            Ok((member.peer_urls, promote))
        }
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use quorate_core::member::Member;

    use super::*;

    #[derive(Default)]
    struct Log {
        known: Configurations,
        index: u64,
    }

    impl Log {
        fn push(&mut self, kind: EntryKind, data: bytes::Bytes) {
            self.index += 1;
            self.known.committed(&Entry { term: 1, index: self.index, kind, data });
        }

        fn change(&mut self, kind: ConfChangeKind, node: u64, url: &str, promote: bool) {
            let peer_urls = Url::parse(url).into_iter().collect();
            let (name, client_urls) = (String::new(), Vec::new());
            let id = MemberId(node);
            let member = Member { id, name, peer_urls, client_urls, learner: false };
            let context = match kind {
                ConfChangeKind::RemoveNode => String::new(),
                _ => Context { member, promote }.encode(),
            };
            let change = ConfChange { id: 1, kind, node: id, context: context.into() };
            self.push(EntryKind::ConfChange, change.encode());
        }

        fn latest(&self) -> (Vec<u64>, Vec<u64>) {
            let now = self.known.latest().expect("a configuration");
            let numbers = |ids: &BTreeSet<MemberId>| ids.iter().map(|id| id.0).collect();
            (numbers(&now.voters), numbers(&now.learners))
        }
    }

    #[test]
    fn learners_become_voters_and_contradictions_count_for_nothing() {
        use ConfChangeKind::{AddLearner, AddNode, RemoveNode, UpdateNode};
        let mut log = Log::default();
        log.change(AddNode, 1, "http://a:1", false);
        log.change(AddLearner, 2, "http://b:1", false);
        log.change(AddLearner, 3, "http://c:1", false);
        assert_eq!(log.latest(), (vec![1], vec![2]), "one learner at a time at first");
        let request = Request::new(1, Method::Quorate, "nonce");
        log.push(EntryKind::Normal, request.encode());
        log.change(AddLearner, 3, "http://a:1", false);
        assert_eq!(log.latest(), (vec![1], vec![2]), "the URL is taken");
        log.change(AddLearner, 3, "http://c:1", false);
        log.change(AddNode, 2, "http://b:1", false);
        assert_eq!(log.latest(), (vec![1], vec![2, 3]), "it is there already");
        log.change(AddNode, 2, "", true);
        log.change(AddNode, 2, "", true);
        assert_eq!(log.latest(), (vec![1, 2], vec![3]));
        log.change(AddNode, 4, "http://f:1", false);
        assert_eq!(log.latest(), (vec![1, 2], vec![3, 4]), "nobody votes at once any more");
        log.change(RemoveNode, 4, "", false);
        log.change(UpdateNode, 3, "http://d:1", false);
        log.change(RemoveNode, 1, "", false);
        log.change(AddNode, 1, "http://e:1", false);
        assert_eq!(log.latest(), (vec![2], vec![3]), "who was removed never comes back");
        assert!(log.known.was_removed(MemberId(1)) && log.known.all_quorate());
        let urls: Vec<&str> =
            log.known.members().flat_map(|(_, urls)| urls).map(Url::as_str).collect();
        assert_eq!(urls, ["http://b:1", "http://d:1"]);
        let counts: Vec<[usize; 2]> = log.known.voters(0).collect();
        assert_eq!(counts[counts.len() - 4..], [[1, 2], [2, 2], [2, 2], [2, 1]]);
        let before = log.known.at(2).expect("known");
        assert!(before.voters.contains(&MemberId(1)) && before.learners.contains(&MemberId(2)));
    }
}
