//! Nobody goes on with the data directory of another member.
//!
//! A process that finds there what both have published of themselves, its own member and the one
//! whose directory it is, is refused before it shows anything. One that does not find that yet may
//! learn it, and is refused then at the latest when it has something to publish; that is not looked
//! at here.

use quorate_core::id::MemberId;
use quorate_core::view::View;

use super::Violation;

const NAME: &str = "exchanged";

/// Who belongs where.
#[derive(Debug)]
pub(super) struct Exchanged {
    hosts: Vec<Host>,
    /// The hosts that have each other's directory.
    pair: Option<(usize, usize)>,
}

#[derive(Clone, Debug, Default)]
struct Host {
    /// The member that belongs there.
    home: Option<MemberId>,
    /// Whether the process has shown that it takes part.
    goes_on: bool,
}

impl Exchanged {
    pub(super) fn new(members: usize) -> Self {
        Self { hosts: vec![Host::default(); members], pair: None }
    }

    /// The directories of two members are exchanged, or each has its own again.
    pub(super) const fn swapped(&mut self, a: usize, b: usize) {
        self.pair = match self.pair {
            None => Some((a, b)),
            Some(_) => None,
        };
    }

    fn is_swapped(&self, node: usize) -> bool {
        self.pair.is_some_and(|(a, b)| a == node || b == node)
    }

    /// A member starts.
    pub(super) fn started(&mut self, node: usize) {
        self.hosts[node].goes_on = false;
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.hosts[node] = Host::default();
    }

    /// A process has decided who it is.
    pub(super) fn decided(&mut self, node: usize, member: MemberId) {
        if !self.is_swapped(node) {
            self.hosts[node].home = Some(member);
        }
    }

    /// A member shows itself.
    ///
    /// # Errors
    /// If it takes part with a directory of which it knows that it is another one's.
    pub(super) fn shown(&mut self, node: usize, view: &View) -> Result<(), Violation> {
        let host = &mut self.hosts[node];
        if !view.formed || std::mem::replace(&mut host.goes_on, true) {
            return Ok(());
        }
        let (Some(home), Some(own)) = (host.home, view.member) else { return Ok(()) };
        let member = |id| view.cluster.members.get(&id);
        let is_published = |id| member(id).is_some_and(|member| !member.client_urls.is_empty());
        if home == own || !is_published(home) || !is_published(own) {
            return Ok(());
        }
        let detail = format!("member {home} goes on as {own}");
        Err(Violation::safety(NAME, node, detail))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quorate_core::member::Member;

    use super::*;

    const IDS: [MemberId; 2] = [MemberId(1), MemberId(2)];

    /// What the member on node 0 shows first on the other's directory; the members there are published
    /// or not.
    fn shows(published: [bool; 2]) -> (Exchanged, View) {
        let mut exchanged = Exchanged::new(2);
        (0..2).for_each(|node| exchanged.decided(node, IDS[node]));
        exchanged.swapped(0, 1);
        exchanged.started(0);
        exchanged.decided(0, IDS[1]);
        let members = published.iter().zip(IDS).map(|(published, id)| {
            let client_urls = published.then(|| format!("http://{id}:2379")).into_iter().collect();
            let (name, peer_urls) = Default::default();
            Member { id, name, peer_urls, client_urls, learner: false }
        });
        let cluster = Arc::new(members.collect());
        (exchanged, View { member: Some(IDS[1]), formed: true, cluster, ..View::new([]) })
    }

    #[test]
    fn one_that_goes_on_as_another_is_found() {
        let verdict = |published| {
            let (mut exchanged, view) = shows(published);
            exchanged.shown(0, &view)
        };
        assert!(verdict([true, true]).is_err());
        assert_eq!(verdict([true, false]), Ok(()), "it can't know whose directory this is");
        assert_eq!(verdict([false, true]), Ok(()), "it can't know whose place this is");
    }

    #[test]
    fn one_that_has_its_own_again_may_go_on() {
        let (mut exchanged, view) = shows([true, true]);
        exchanged.swapped(0, 1);
        exchanged.started(0);
        exchanged.decided(0, IDS[0]);
        assert_eq!(exchanged.shown(0, &View { member: Some(IDS[0]), ..view }), Ok(()));
    }
}
