//! The view that readers see, or where a proxy forwards them to.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use quorate_core::proxy::Routes;
use quorate_core::view::View;

use crate::watched::{Changer, watched};

/// The last view that the node has published.
#[derive(Debug)]
pub(crate) struct Published {
    view: ArcSwapOption<View>,
    routes: ArcSwapOption<Routes>,
    progress: Changer<Progress>,
}

/// How far a member has come, as far as tasks wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    begun: bool,
    known: bool,
    ready: bool,
    forwards: bool,
}

impl Published {
    pub(crate) fn new() -> Self {
        Self {
            view: ArcSwapOption::empty(),
            routes: ArcSwapOption::empty(),
            progress: watched(Progress::default()).0,
        }
    }

    pub(crate) fn publish(&self, view: Arc<View>) {
        let known = view.member.is_some() && view.cluster_id.is_some();
        let forwards = self.routes.load().is_some();
        let progress = Progress { begun: true, known, ready: view.ready, forwards };
        self.view.store(Some(view));
        self.progress.set(progress);
    }

    /// This is a proxy, and forwards like this.
    pub(crate) fn route(&self, routes: Arc<Routes>) {
        self.routes.store(Some(routes));
        let before = self.progress.watcher().get();
        self.progress.set(Progress { forwards: true, ..before });
    }

    /// Ends once this is a proxy.
    pub(crate) async fn forwards(&self) {
        // Without the changer there is nobody left who could make it one.
        self.progress.watcher().until(|progress| progress.forwards).await;
    }

    /// How requests are forwarded, if they are.
    pub(crate) fn routes(&self) -> Option<Arc<Routes>> {
        self.routes.load_full()
    }

    /// What was published last.
    pub(crate) fn view(&self) -> Option<Arc<View>> {
        self.view.load_full()
    }

    /// The view, once it names this member and its cluster.
    pub(crate) async fn identified(&self) -> Arc<View> {
        self.once(|view| view.member.is_some() && view.cluster_id.is_some()).await
    }

    /// The first view of which `holds` is true.
    pub(crate) async fn once(&self, holds: impl Fn(&View) -> bool) -> Arc<View> {
        loop {
            if let Some(view) = self.view().filter(|view| holds(view)) {
                return view;
            }
            let progress = self.progress.watcher();
            progress.until(|_| self.view().is_some_and(|view| holds(&view))).await;
        }
    }
}
