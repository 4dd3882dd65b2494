//! Taking the place of a member that has lost its data (`quorate join -replace`).
//!
//! Its directory is empty here, and it cannot come back under its old ID: it may have promised what
//! nobody remembers. So it is removed, and this member is added as a new one. Whoever was removed
//! never comes back, so first it is looked whether it runs after all, on another directory.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::listed::{Listed, ask, place};
use super::{Enroll, Enrolled, Step, TIMEOUT, TRIES};
use crate::error::Refusal;
use crate::http::{Answer, Call, Method};
use crate::node::{Effects, Output};
use crate::time::Duration;
use crate::tls::Role;

/// How long a member that runs may take to say so.
const LOOK: Duration = Duration::from_secs(2);

impl Enroll {
    /// Looks whether the member that is listed here runs.
    pub(super) fn look(mut self: Box<Self>, own: Listed, fx: &mut Effects<'_>) -> Enrolled {
        let url = self.urls.first().map(|url| format!("{url}/members")).unwrap_or_default();
        self.call = fx.call();
        fx.out.push(Output::Http { call: self.call, request: Call::get(url, Role::Peer, LOOK) });
        self.step = Step::Looking(own);
        Enrolled::Waiting(self)
    }

    /// Somebody has answered where that member would be, or nobody.
    pub(super) fn looked(
        mut self: Box<Self>,
        own: Listed,
        result: &Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Result<Enrolled, Refusal> {
        if result.is_ok() {
            return Err(Refusal::new(format!(
                "member {} runs: it answers at {}",
                own.id,
                own.peer_urls.join(",")
            ))
            .hint("only a member that is gone can be replaced; nothing was changed")
            .hint("is another process of this machine started with these URLs?"));
        }
        self.tries += 1;
        let url = format!("{}/{}", place(&self.endpoint), own.id);
        let request = Call { method: Method::Delete, ..Call::get(url, Role::Client, TIMEOUT) };
        self.call = fx.call();
        fx.out.push(Output::Http { call: self.call, request });
        self.step = Step::Removing(own);
        Ok(Enrolled::Waiting(self))
    }

    /// The member has said what became of the removal. If it did not, it may yet come about.
    pub(super) fn removed(
        mut self: Box<Self>,
        own: &Listed,
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Result<Enrolled, Refusal> {
        let cause = match result {
            Ok(answer) if [204, 404, 410].contains(&answer.status) => {
                self.tries = 0;
                None
            }
            Ok(answer) if (400..500).contains(&answer.status) && answer.status != 408 => {
                return Err(self.declined(&format!("remove member {}", own.id), &answer));
            }
            Ok(answer) => Some(format!("it answered with {}", answer.outline())),
            Err(cause) => Some(cause),
        };
        if let Some(cause) = cause
            && self.tries >= TRIES
        {
            return self.ask_another(&cause, fx);
        }
        self.call = ask(&self.endpoint, fx);
        Ok(Enrolled::Waiting(self))
    }
}
