//! Settling the list of initial members before anything is touched.
//!
//! Everything that can be wrong with it is found here: the list by itself, this member's place in
//! it, and whether this member advertises what the others know, for which names are looked up if
//! it hangs on that.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::agreed::Agreed;
use super::list::{InitialCluster, Resolved};
use crate::config::{Config, Members, Srv, not_supported};
use crate::dns::{self, Query};
use crate::error::Refusal;
use crate::node::{CallId, Effects, Output};
use crate::url::Url;

/// The list, while names in it are looked up.
#[derive(Debug)]
pub(super) struct Settling {
    agreed: Agreed,
    /// `-initial-advertise-peer-urls`
    urls: Vec<Url>,
    waiting: BTreeSet<(CallId, Arc<str>)>,
    resolved: Resolved,
}

/// How the list stands.
#[derive(Debug)]
pub(super) enum Settled {
    /// It is judged, and what follows from it is settled.
    Agreed(Agreed),
    /// Look-ups are under way.
    Waiting(Settling),
}

impl Settling {
    /// Judges the list that the flags hold.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn begin(config: &Config, fx: &mut Effects<'_>) -> Result<Settled, Refusal> {
        let first = config.bootstrap()?;
        let (text, may_join) = match &first.members {
            Members::New(text) => (text, false),
            Members::Auto(text) => (text, true),
            _ => return Err(not_supported("a list of members that is not for a new cluster")),
        };
        let list = InitialCluster::parse(text)?;
        let mut agreed = Agreed::new(list, first.token, first.form, &config.name)?;
        if may_join {
            agreed.let_join();
        }
        let mut settling = Self {
            agreed,
            urls: first.advertise_peer_urls,
            waiting: BTreeSet::new(),
            resolved: Resolved::new(),
        };
        for host in settling.agreed.list().hosts_to_resolve(&config.name, &settling.urls) {
            let (call, host) = (fx.call(), Arc::<str>::from(host));
            fx.out.push(Output::Dns { call, query: Query::Addresses(host.clone()) });
            settling.waiting.insert((call, host));
        }
        settling.when_resolved()
    }

    /// A look-up has ended.
    ///
    /// # Errors
    /// What is wrong with the list, now that its names are known.
    pub(super) fn answered(
        mut self,
        call: CallId,
        answer: dns::Answer,
    ) -> Result<Settled, Refusal> {
        if let Some(asked) = self.waiting.iter().find(|(id, _)| *id == call).cloned() {
            self.waiting.remove(&asked);
            self.resolved.insert(&asked.1, dns::addresses(&asked.1, answer));
        }
        self.when_resolved()
    }

    fn when_resolved(self) -> Result<Settled, Refusal> {
        if !self.waiting.is_empty() {
            return Ok(Settled::Waiting(self));
        }
        let list = self.agreed.list();
        list.advertised_matches(&self.agreed.own().name, &self.urls, &self.resolved)?;
        Ok(Settled::Agreed(self.agreed))
    }
}

/// What is to be asked of DNS, and which peer URLs this member has.
pub(super) fn to_look_up(config: &Config) -> Result<Option<(Srv, Vec<Url>)>, Refusal> {
    let first = config.bootstrap()?;
    Ok(match first.members {
        Members::Srv(asked) => Some((asked, first.advertise_peer_urls)),
        _ => None,
    })
}

/// The list of a cluster that is to be joined.
pub(super) fn list_to_join(config: &Config) -> Result<InitialCluster, Refusal> {
    match config.bootstrap()?.members {
        Members::Existing(text) => InitialCluster::parse(&text),
        _ => Err(not_supported("joining with a list that is not in -initial-cluster")),
    }
}
