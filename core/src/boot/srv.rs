//! The list of members from DNS (`-discovery-srv`).
//!
//! The records under `_etcd-server-ssl._tcp` count alone where there are some, otherwise those under
//! `_etcd-server._tcp`: the two are never mixed, and a question that was not answered is not an
//! answer. Each record is a member, at the host name that the record has: identities hash that name,
//! so all members agree whether they advertise names or addresses. This member finds itself by
//! address and port.
//!
//! A list that is not whole is no list. As long as records are missing, a target does not resolve,
//! or this member is not among them, DNS is asked again with growing pauses; in the end the table of
//! what was found is the refusal.

mod earlier;
mod own;
mod renewal;
mod round;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::list::InitialCluster;
use crate::config::{Srv as Asked, State};
use crate::dns::Answer;
use crate::error::Refusal;
use crate::node::{CallId, Effects};
use crate::note::Note;
use crate::time::{Duration, Instant};
use crate::url::Url;
pub(super) use earlier::earlier_list;
use own::Found;
pub(super) use renewal::Renewal;
use round::{Round, Seen};

/// The pause after the first round; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two rounds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The list, and who on it this member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The members under provisional names, which are the same for all who ask.
    pub(crate) list: InitialCluster,
    /// The provisional name of this member; empty for who is none.
    pub(crate) own: String,
    /// What is to become of them.
    pub(crate) state: State,
}

/// Looking for the list.
#[derive(Debug)]
pub(crate) struct Srv {
    asked: Asked,
    name: String,
    /// `-initial-advertise-peer-urls`
    urls: Vec<Url>,
    step: Step,
    pause: Duration,
    until: Instant,
    reported: Vec<String>,
}

#[derive(Debug)]
enum Step {
    Asking(Round),
    /// The next round begins then.
    Pausing(Instant),
}

/// How the search stands.
#[derive(Debug)]
pub(crate) enum Search {
    Waiting(Box<Srv>),
    Listed(Listed),
}

impl Srv {
    /// Begins to ask on behalf of the member `name`, which advertises `urls`. Who advertises nothing
    /// is no member, and need not be on the list.
    pub(crate) fn begin(
        name: &str,
        asked: Asked,
        urls: Vec<Url>,
        now: Instant,
        fx: &mut Effects<'_>,
    ) -> Self {
        let round = Round::begin(&asked.domain, &urls, fx);
        Self {
            until: now + asked.patience,
            asked,
            name: name.into(),
            urls,
            step: Step::Asking(round),
            pause: PAUSE,
            reported: Vec::new(),
        }
    }

    /// A look-up has ended.
    ///
    /// # Errors
    /// There is no list that this member could be on, or there was none for too long.
    pub(crate) fn looked_up(
        mut self,
        now: Instant,
        call: CallId,
        answer: Answer,
        fx: &mut Effects<'_>,
    ) -> Result<Search, Refusal> {
        let Step::Asking(round) = &mut self.step else {
            return Ok(Search::Waiting(Box::new(self)));
        };
        let Some(seen) = round.answered(call, answer, fx) else {
            return Ok(Search::Waiting(Box::new(self)));
        };
        let missing = match seen {
            Seen::Nothing(causes) => causes,
            Seen::Services(services) => match services.find(&self.name, &self.urls) {
                Found::Whole(list, own) => {
                    let state = self.asked.state;
                    return Ok(Search::Listed(Listed { list, own, state }));
                }
                Found::Never(refusal) => return Err(refusal),
                Found::NotYet(table) => table,
            },
        };
        if now >= self.until {
            return Err(self.give_up(&missing));
        }
        if self.reported != missing {
            self.reported.clone_from(&missing);
            fx.note(Note::WaitingForRecords { domain: self.asked.domain.clone(), missing });
        }
        let due = (now + self.pause).min(self.until);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        self.step = Step::Pausing(due);
        Ok(Search::Waiting(Box::new(self)))
    }

    /// Time has passed.
    pub(crate) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if self.deadline().is_some_and(|due| due <= now) {
            self.step = Step::Asking(Round::begin(&self.asked.domain, &self.urls, fx));
        }
    }

    /// When it has to be woken.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Asking(_) => None,
            Step::Pausing(due) => Some(*due),
        }
    }

    fn give_up(&self, missing: &[String]) -> Refusal {
        let Asked { domain, patience, .. } = &self.asked;
        let refusal = Refusal::new(format!(
            "error setting up initial cluster: no list of members in DNS under {domain} after \
             {patience:?}"
        ));
        let refusal = missing.iter().fold(refusal, |refusal, line| refusal.hint(line.clone()));
        refusal
            .hint(format!(
                "each member needs a record under _etcd-server-ssl._tcp.{domain} (https) or \
                 _etcd-server._tcp.{domain} (http) with its port, and a target that resolves"
            ))
            .hint(
                "compare the table with -initial-advertise-peer-urls; -discovery-srv-timeout sets \
                 how long records are waited for",
            )
    }
}
