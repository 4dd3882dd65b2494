//! Tokens in a cluster of others.
//!
//! Each request begins with a read; whoever answers that is asked the rest of it. A write that may
//! have been carried out is never sent again: its sender would be told of itself as of another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quorate_core::api::read::Read;
use quorate_core::api::{KeysRequest, WatchRequest};
use quorate_core::discovery::service::{self, Backend};
use quorate_core::http::{Answer, Call, Reply};
use tracing::warn;

use super::{Keeper, Waited, index};
use crate::life::Life;
use crate::outcall;
use crate::platform::Platform;

/// How long the head of a poll may take.
const HEAD: Duration = Duration::from_secs(10);

/// The members of the cluster, as they are reached.
#[derive(Clone)]
pub(super) struct Cluster<P: Platform> {
    platform: P,
    life: Life,
    backend: Arc<Backend>,
    /// The member that has answered last.
    preferred: Arc<AtomicUsize>,
}

impl<P: Platform> Cluster<P> {
    pub(super) fn new(platform: P, life: Life, backend: Arc<Backend>) -> Self {
        Self { platform, life, backend, preferred: Arc::default() }
    }

    async fn call(&self, call: Call) -> Result<Answer, String> {
        outcall::call(&self.platform, &self.life, call).await
    }

    /// The first answer to a question that a member is asked by `call`: of one that can say more
    /// than that it cannot answer, if there is one.
    async fn first(&self, call: impl Fn(usize) -> Call) -> Answer {
        let begin = self.preferred.load(Ordering::Relaxed);
        let mut failed = None;
        for member in (begin..).take(self.backend.members()) {
            match self.call(call(member)).await {
                Ok(answer) if answer.status < 500 => {
                    self.preferred.store(member % self.backend.members(), Ordering::Relaxed);
                    if matches!(answer.status, 401 | 403) {
                        warn!(
                            "the cluster that keeps the tokens refuses to be asked: see -endpoints"
                        );
                    }
                    return answer;
                }
                Ok(answer) => failed = Some(answer),
                Err(cause) => warn!("no answer from the cluster that keeps the tokens: {cause}"),
            }
        }
        failed.unwrap_or_else(silence)
    }
}

impl<P: Platform> Keeper for Cluster<P> {
    async fn read(&self, read: &Read) -> Answer {
        self.first(|member| self.backend.read(member, read)).await
    }

    async fn write(&self, request: KeysRequest) -> Answer {
        let member = self.preferred.load(Ordering::Relaxed);
        self.call(self.backend.write(member, &request)).await.unwrap_or_else(|cause| {
            warn!("a write got no answer from the cluster that keeps the tokens: {cause}");
            silence()
        })
    }

    async fn wait(&self, wait: &WatchRequest, patience: Duration) -> Waited {
        let member = self.preferred.load(Ordering::Relaxed);
        let call = self.backend.wait(member, wait, HEAD);
        let begun = tokio::select! {
            biased;
            begun = outcall::begin(&self.platform, &self.life, &call) => begun,
            () = self.platform.sleep(HEAD) => return Waited::Broken,
        };
        let Ok(begun) = begun else { return Waited::Broken };
        let head = begun.head();
        tokio::select! {
            biased;
            whole = begun.whole() => match whole {
                // A member that stops ends a poll like this.
                Ok(answer) if answer.status == 200 && answer.body.is_empty() => Waited::Broken,
                Ok(answer) if answer.status < 500 => Waited::Answered(answer),
                Ok(_) | Err(_) => Waited::Broken,
            },
            () = self.platform.sleep(patience) => Waited::Quiet(index(&head)),
        }
    }

    async fn health(&self) -> Reply {
        service::health(&self.first(|member| self.backend.health(member)).await)
    }

    async fn metrics(&self) -> String {
        String::new()
    }
}

fn silence() -> Answer {
    service::answer(service::unavailable("the cluster that keeps the tokens does not answer"))
}
