//! The discovery service of this world, by which members find each other in some of the runs: a
//! model of it that is as bad as such services can be, or a cluster of Quorate that loses its power
//! now and then.

mod cluster;
mod model;

use std::collections::BTreeSet;

use quorate_core::id::MemberId;

use super::state::{State, World};
use crate::options::Options;
use crate::outside::discovery::{Discovery, Trouble};

/// Both kinds; one at most is asked.
#[derive(Debug)]
pub(super) struct Service {
    model: model::Model,
    cluster: cluster::Cluster,
}

impl Service {
    pub(super) fn new(options: &Options) -> Self {
        let model = model::Model::new(Discovery::of(options));
        Self { model, cluster: cluster::Cluster::default() }
    }
}

impl World {
    /// Begins to serve. Says whether members have to wait until there is a token.
    pub(super) fn begin_service(&self) -> bool {
        let (by_token, real) = {
            let state = self.lock();
            (state.options().discovery > 0, state.options().has_real_service())
        };
        let Some(platform) = self.of_clients().filter(|_| by_token) else { return false };
        let spawner = platform.spawner.clone();
        if real {
            self.start_service();
            drop(spawner.spawn(cluster::make_token(platform)));
        } else {
            drop(spawner.spawn(model::serve(platform)));
        }
        real
    }
}

impl State {
    /// The service has this trouble from now on, or none.
    pub(super) fn trouble_service(&mut self, trouble: Option<Trouble>) {
        if !self.options().has_real_service() {
            self.service.model.discovery.trouble(trouble);
        } else if trouble.is_some() {
            self.end_service();
        } else {
            self.plan_service();
        }
    }

    /// The members that have registered first, as many as the cluster is to have; nobody as long as
    /// some are missing.
    pub(super) fn first_registered(&self) -> BTreeSet<MemberId> {
        if self.options().has_real_service() {
            let places = usize::try_from(self.options().places()).unwrap_or(usize::MAX);
            self.service.cluster.first(places)
        } else {
            self.service.model.discovery.first()
        }
    }
}
