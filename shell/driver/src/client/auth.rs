//! Who asks: verifying passwords, and changing users and roles.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::body::Incoming;
use quorate_core::api::Request;
use quorate_core::api::auth::change::{Change, Step};
use quorate_core::api::auth::{self, Parsed, Target};
use quorate_core::api::read::admit;
use quorate_core::auth::{Access, Verdict, Verified, judge};
use quorate_core::http::{Head, Reply};
use quorate_core::node::{Computed, Task};
use quorate_core::view::View;
use tokio::sync::Semaphore;

use super::port::Port;
use crate::platform::{Caller, Platform};

/// Passwords that are hashed at the same time.
const WORKERS: usize = 2;
/// Passwords that may wait for that; more are refused.
const WAITING: usize = 64;

/// What the port keeps of passwords.
pub(super) struct Passwords {
    verified: Mutex<Verified>,
    waiting: Semaphore,
    workers: Semaphore,
}

impl Passwords {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            verified: Mutex::new(Verified::new(key)),
            waiting: Semaphore::new(WORKERS + WAITING),
            workers: Semaphore::new(WORKERS),
        }
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Platform> Port<P> {
    /// Whether the caller may do what it asks for.
    pub(super) async fn may(
        &self,
        head: &Head,
        caller: &Caller,
        view: &View,
        access: Access<'_>,
    ) -> Result<bool, Reply> {
        let common_name = caller.certificate.as_ref().and_then(|c| c.common_name.as_deref());
        match judge(&view.auth, head, common_name, access) {
            Verdict::Granted => Ok(true),
            Verdict::Refused => Ok(false),
            Verdict::Password { user, password, hash, granted } => {
                Ok(self.verify(user, password, hash).await? && granted)
            }
        }
    }

    /// Lets in who may do everything, as soon as a view says so of which `holds` is true.
    pub(super) async fn only_root(
        &self,
        head: &Head,
        caller: &Caller,
        holds: fn(&View) -> bool,
    ) -> Result<(), Reply> {
        let view = self.view(holds).await?;
        if self.may(head, caller, &view, Access::Root).await? {
            Ok(())
        } else {
            Err(auth::refused())
        }
    }

    /// Whether it is the password of which the hash was stored.
    async fn verify(&self, user: String, password: String, hash: String) -> Result<bool, Reply> {
        if self.passwords.verified().knows(&user, &password, &hash) {
            return Ok(true);
        }
        let task = Task::VerifyPassword { password: password.clone(), hash: hash.clone() };
        let right = matches!(self.compute(task).await?, Computed::Verified(true));
        if right {
            self.passwords.verified().remember(user, &password, hash);
        }
        Ok(right)
    }

    /// Computes beside the loop, in its turn.
    async fn compute(&self, task: Task) -> Result<Computed, Reply> {
        let Ok(_place) = self.passwords.waiting.try_acquire() else { return Err(auth::busy()) };
        let Ok(_turn) = self.passwords.workers.acquire().await else { return Err(auth::busy()) };
        Ok(self.platform.compute(task).await)
    }

    /// `/v2/auth`
    pub(super) async fn auth(
        &self,
        head: &Head,
        caller: &Caller,
        target: &Target,
        body: Incoming,
    ) -> Result<Reply, Reply> {
        if target.access(head.method) == Some(Access::Root) {
            self.only_root(head, caller, admit).await?;
        }
        let body = if target.reads_body(head.method) {
            self.read(body, auth::BODY_LIMIT).await?
        } else {
            Bytes::new()
        };
        let view = self.view(admit).await?;
        match auth::parse(head, target, &body, &view, self.platform.entropy()) {
            Parsed::Read(reply) => Ok(reply),
            Parsed::Change(change) => self.change(*change).await,
        }
    }

    async fn change(&self, mut change: Change) -> Result<Reply, Reply> {
        let mut step = change.begin();
        loop {
            step = match step {
                Step::Answer(reply) => return Ok(reply),
                Step::Ask(request) => {
                    let answered = self.ask(Request::Keys(request)).await;
                    // Published before the answer was given.
                    let view = self.view(|_| true).await?;
                    change.answered(&answered, &view)
                }
                Step::Compute(task) => {
                    let Computed::Hashed(hash) = self.compute(task).await? else {
                        return Err(auth::busy());
                    };
                    let view = self.view(|_| true).await?;
                    change.hashed(hash, &view)
                }
            };
        }
    }
}
