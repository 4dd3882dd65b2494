//! Settling the list of initial members before anything is touched.
//!
//! Everything that can be wrong with it is found here: the list by itself, this member's place in
//! it, and whether this member advertises what the others know, for which names are looked up if
//! it hangs on that.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::list::{InitialCluster, Resolved};
use crate::config::{Config, Form, Members, not_supported, refuse_https};
use crate::error::Refusal;
use crate::node::{CallId, Effects, Output};
use crate::url::Url;

/// What all members of a new cluster agree on, and what this one advertises.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) list: InitialCluster,
    pub(super) token: String,
    pub(super) form: Form,
    urls: Vec<Url>,
}

impl Agreed {
    /// Reads it from the flags.
    pub(super) fn read(config: &Config) -> Result<Self, Refusal> {
        let first = config.bootstrap()?;
        let Members::New(text) = &first.members else {
            return Err(not_supported("a list of members that is not for a new cluster"));
        };
        let list = InitialCluster::parse(text)?;
        Ok(Self { list, token: first.token, form: first.form, urls: first.advertise_peer_urls })
    }
}

/// The list, while names in it are looked up.
#[derive(Debug)]
pub(super) struct Settling {
    agreed: Agreed,
    waiting: BTreeSet<(CallId, Arc<str>)>,
    resolved: Resolved,
}

impl Settling {
    /// Judges the list; gives itself if it has to wait for look-ups.
    pub(super) fn begin(config: &Config, fx: &mut Effects<'_>) -> Result<Option<Self>, Refusal> {
        let agreed = Agreed::read(config)?;
        agreed.list.check(&config.name, &agreed.token)?;
        let hosts = agreed.list.hosts_to_resolve(&config.name, &agreed.urls);
        let mut settling = Self { agreed, waiting: BTreeSet::new(), resolved: Resolved::new() };
        if hosts.is_empty() {
            settling.compare(&config.name)?;
            return Ok(None);
        }
        for host in hosts {
            let (call, host) = (fx.call(), Arc::<str>::from(host));
            fx.out.push(Output::Dns { call, host: host.clone() });
            settling.waiting.insert((call, host));
        }
        Ok(Some(settling))
    }

    /// A look-up has ended. Gives whether the list is settled.
    pub(super) fn answered(
        &mut self,
        config: &Config,
        call: CallId,
        result: Result<Vec<String>, String>,
    ) -> Result<bool, Refusal> {
        let Some(asked) = self.waiting.iter().find(|(id, _)| *id == call).cloned() else {
            return Ok(false);
        };
        self.waiting.remove(&asked);
        self.resolved.insert(&asked.1, result);
        if !self.waiting.is_empty() {
            return Ok(false);
        }
        self.compare(&config.name).map(|()| true)
    }

    fn compare(&self, name: &str) -> Result<(), Refusal> {
        let Agreed { list, urls, .. } = &self.agreed;
        list.advertised_matches(name, urls, &self.resolved)?;
        refuse_https("initial-cluster", list.iter().flat_map(|(_, urls)| urls))
    }
}
