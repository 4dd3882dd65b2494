//! The side of a member: from the URL of a token to the list of members.
//!
//! ```text
//!   size ─▶ listing ─┬─▶ Register: the caller records the registration ─▶ create ─┐
//!     ▲              ├─▶ Complete, Full, or refused                               │
//!     │              └─▶ watch ── something has changed ─┐                        │
//!     └──────────────────────────────────────────────────┴────────────────────────┘
//! ```
//!
//! One call is under way at a time, and whatever comes of it, the next look at the directory
//! decides. So an answer that was lost, or a service that was away, costs time and nothing else.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;

use super::answer::{Listing, Said, Trouble};
use super::place::Place;
use super::refusals;
use super::registered::{Own, Standing, judge};
use super::registration::Registration;
use super::token::Token;
use crate::boot::list::InitialCluster;
use crate::error::Refusal;
use crate::http::{Answer, Call, Method, Via};
use crate::node::CallId;
use crate::note::Note;
use crate::rng::Rng;
use crate::time::{Duration, Instant};
use crate::tls::Role;

/// How long an answer may take that has nothing to wait for.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long one watch lasts. A connection that is dead without saying so is found by its end.
const WATCH: Duration = Duration::from_secs(20);
/// After a failure, and after a watch that has brought nothing.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a pause is doubled, from one failure in a row to the next.
const DOUBLINGS: u32 = 5;
/// Redirections that are followed for one request.
const REDIRECTIONS: u32 = 10;

/// What the v2 API says of a key that is missing.
const KEY_NOT_FOUND: u64 = 100;
/// What it says of a key that was to be created and is there.
const NODE_EXIST: u64 = 105;
/// What it says of a watch that asks for events which are forgotten.
const EVENT_INDEX_CLEARED: u64 = 401;

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Wait,
    /// There is a place for this member: once its registration is recorded, call
    /// [`Client::register`].
    Register,
    /// Everybody is registered; these are the members.
    Complete(InitialCluster),
    /// All places are taken by others, by these. Why that may be the end.
    Full(InitialCluster, Refusal),
    /// Do not start.
    Refuse(Refusal),
}

/// What is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// How many members the cluster has.
    Size,
    /// Who is registered.
    List {
        /// The size that was answered.
        size: usize,
    },
    /// Nothing, until the registration is recorded.
    Hold,
    /// To be registered.
    Create,
    /// To be told of the next registration.
    Watch {
        /// From which index on.
        since: u64,
    },
    /// Nothing more.
    Done,
}

/// A member on its way into a cluster that forms, or a proxy that looks for one.
#[derive(Debug)]
pub struct Client {
    token: Token,
    via: Option<Via>,
    own: Option<Own>,
    data_dir: String,
    rng: Rng,
    step: Step,
    /// When it is asked; absent while it is.
    due: Option<Instant>,
    call: Option<CallId>,
    redirected: Option<(String, u32)>,
    /// Failures in a row.
    failures: u32,
    /// Whether what answers has proved to be a discovery service.
    proved: bool,
    /// Whether the registration is recorded.
    recorded: bool,
    /// Whether the caller has said that it may be made.
    allowed: bool,
    /// Whether the service has said that it was made, and was not asked for the members since.
    created: bool,
    news: Vec<Note>,
    told: Option<Note>,
}

impl Client {
    /// Looks for the members of `token`, through an HTTP proxy if there is one, from now on.
    /// `data_dir` is for messages, `rng` for the lengths of pauses.
    pub fn new(token: Token, via: Option<Via>, data_dir: String, rng: Rng, now: Instant) -> Self {
        Self {
            token,
            via,
            own: None,
            data_dir,
            rng,
            step: Step::Size,
            due: Some(now),
            call: None,
            redirected: None,
            failures: 0,
            proved: false,
            recorded: false,
            allowed: false,
            created: false,
            news: Vec::new(),
            told: None,
        }
    }

    /// The same, to become one of them: as `own`, which lists this member alone. `recorded` is the
    /// registration that the data directory has recorded before.
    ///
    /// # Errors
    /// What would be registered could not be read by others.
    pub fn member(
        mut self,
        own: &InitialCluster,
        recorded: Option<Registration>,
    ) -> Result<Self, Refusal> {
        let name = own.iter().next().map(|(name, _)| name.to_string()).unwrap_or_default();
        own.check(&name, self.token.as_str())?;
        let registration = Registration::new(&self.token, own);
        if InitialCluster::parse(&registration.value).as_ref() != Ok(own) {
            return Err(Refusal::new(format!("the name {name:?} cannot be registered"))
                .hint(
                    "a registration is NAME=URL,…: a comma or \"=\" in a name would be taken apart",
                )
                .hint("give this member another -name"));
        }
        let may_be_there = recorded.as_ref() == Some(&registration);
        self.own = Some(Own { name, registration, recorded, may_be_there });
        self.recorded = may_be_there;
        Ok(self)
    }

    /// The token.
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// What is to be recorded before [`Client::register`], unless it is already.
    pub fn to_record(&self) -> Option<&Registration> {
        self.own.as_ref().filter(|_| !self.recorded).map(|own| &own.registration)
    }

    /// The registration is recorded: ask for it.
    pub fn register(&mut self, now: Instant) {
        self.recorded = true;
        self.allowed = true;
        if self.step == Step::Hold {
            self.next(Step::Create, now);
        }
    }

    /// Whether the record that was made is wrong, since the place turned out to be somebody
    /// else's. It has to go, or the next start would take the place for its own.
    pub fn record_is_wrong(&self) -> bool {
        self.allowed && self.own.as_ref().is_some_and(|own| !own.may_be_there)
    }

    /// When [`Client::ask`] is due.
    pub const fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// The call that is due now, under a name that `fresh` makes.
    pub fn ask(&mut self, now: Instant, fresh: impl FnOnce() -> CallId) -> Option<(CallId, Call)> {
        let due = self.due.is_some_and(|due| due <= now);
        let request = self.request().filter(|_| due)?;
        let call = fresh();
        self.due = None;
        self.call = Some(call);
        Some((call, request))
    }

    /// What is worth saying since the last time.
    pub fn news(&mut self) -> Vec<Note> {
        core::mem::take(&mut self.news)
    }

    /// Takes the end of a call.
    pub fn answered(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
    ) -> Verdict {
        if self.call != Some(call) {
            return Verdict::Wait;
        }
        self.call = None;
        match self.take(now, result) {
            Ok(verdict) => verdict,
            Err(refusal) => {
                self.step = Step::Done;
                Verdict::Refuse(refusal)
            }
        }
    }

    fn next(&mut self, step: Step, at: Instant) {
        self.step = step;
        self.redirected = None;
        self.due = Some(at);
    }

    fn request(&self) -> Option<Call> {
        let mut call = match self.step {
            Step::Size => self.get("_config/size?quorum=true", TIMEOUT),
            // A listing through the quorum: one that lags would hide a registration of before.
            Step::List { .. } => self.get("?quorum=true&recursive=false&sorted=true", TIMEOUT),
            Step::Create => self.create()?,
            Step::Watch { since } => {
                self.get(&format!("?recursive=true&wait=true&waitIndex={since}"), WATCH)
            }
            Step::Hold | Step::Done => return None,
        };
        if let Some((url, _)) = &self.redirected {
            call.url.clone_from(url);
        }
        // Nobody else is told them, wherever a redirection leads.
        let place = self.token.place();
        let theirs = Place::parse(&call.url).is_ok_and(|(other, _)| other.is_at(place));
        let credentials = place.credentials.iter().filter(|_| theirs);
        call.headers.extend(credentials.map(|value| ("Authorization".into(), value.clone())));
        call.via.clone_from(&self.via);
        Some(call)
    }

    fn get(&self, rest: &str, timeout: Duration) -> Call {
        let url = match rest.strip_prefix('?') {
            Some(query) => format!("{}?{query}", self.token.url("")),
            None => self.token.url(rest),
        };
        Call::get(url, Role::Public, timeout)
    }

    fn create(&self) -> Option<Call> {
        let Registration { key, value, .. } = &self.own.as_ref()?.registration;
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("value", value).finish();
        Some(Call {
            method: Method::Put,
            headers: [("Content-Type".into(), "application/x-www-form-urlencoded".into())].into(),
            body: Bytes::from(form),
            ..self.get(&format!("{key}?prevExist=false"), TIMEOUT)
        })
    }

    fn take(&mut self, now: Instant, result: Result<Answer, String>) -> Result<Verdict, Refusal> {
        let answer = match result {
            Ok(answer) => answer,
            Err(cause) => return Ok(self.failed(now, cause)),
        };
        if self.redirect(now, &answer) {
            return Ok(Verdict::Wait);
        }
        let said = match Said::read(&answer) {
            Ok(said) => said,
            Err(Trouble::Passing(cause)) => return Ok(self.failed(now, cause)),
            // It was one before: somebody stands in front of it, for the time being.
            Err(Trouble::NotTheService(cause)) if self.proved => {
                return Ok(self.failed(now, cause));
            }
            Err(Trouble::NotTheService(cause)) => {
                let url = self.request().map(|call| call.url).unwrap_or_default();
                return Err(refusals::not_the_service(&self.token, &url, &cause));
            }
            Err(Trouble::Refused(cause)) => return Err(refusals::denied(&self.token, &cause)),
        };
        self.proved = true;
        match (self.step, said) {
            (Step::Size, Said::Node { entry, .. }) => {
                let size = size(&entry.value)
                    .ok_or_else(|| refusals::bad_size(&self.token, &entry.value))?;
                self.next(Step::List { size }, now);
                Ok(Verdict::Wait)
            }
            (Step::Size | Step::List { .. }, Said::Error { code: KEY_NOT_FOUND, cause, .. }) => {
                Err(refusals::no_size(&self.token, &cause))
            }
            (Step::List { size }, Said::Node { below, index, .. }) => {
                self.listed(now, &Listing::new(below, index), size)
            }
            (Step::Create, Said::Node { .. }) => {
                self.created = true;
                self.may_be_there();
                self.next(Step::Size, now);
                Ok(Verdict::Wait)
            }
            (Step::Create, Said::Error { code: NODE_EXIST, .. }) => {
                self.next(Step::Size, now);
                Ok(Verdict::Wait)
            }
            (Step::Watch { .. }, Said::Node { .. }) => {
                self.next(Step::Size, now);
                Ok(Verdict::Wait)
            }
            (Step::Watch { .. }, Said::Error { code: EVENT_INDEX_CLEARED, .. }) => {
                self.next(Step::Size, now + PAUSE);
                Ok(Verdict::Wait)
            }
            (_, Said::Error { code, message, cause }) => {
                let url = self.request().map(|call| call.url).unwrap_or_default();
                let words = format!("error {code}: {message} ({cause})");
                Err(refusals::misunderstood(&url, &words))
            }
            (Step::Hold | Step::Done, Said::Node { .. }) => Ok(Verdict::Wait),
        }
    }

    /// Follows a redirection, if the answer is one that leads on.
    fn redirect(&mut self, now: Instant, answer: &Answer) -> bool {
        let Some(location) = answer.header("location").filter(|_| answer.status / 100 == 3) else {
            return false;
        };
        let times = self.redirected.as_ref().map_or(0, |(_, times)| *times) + 1;
        let here = self.redirected.as_ref().map_or(self.token.as_str(), |(url, _)| url);
        let url = match Place::parse(here) {
            Ok((place, _)) if location.starts_with('/') => format!("{place}{location}"),
            _ => location.to_string(),
        };
        if times <= REDIRECTIONS {
            self.redirected = Some((url, times));
            self.due = Some(now);
        }
        times <= REDIRECTIONS
    }

    /// From now on a registration like its own may be its own.
    const fn may_be_there(&mut self) {
        if let Some(own) = &mut self.own {
            own.may_be_there = true;
        }
    }

    /// The call has failed, and is made again after a while.
    fn failed(&mut self, now: Instant, cause: String) -> Verdict {
        let mut pause = PAUSE;
        if !matches!(self.step, Step::Watch { .. }) {
            pause = PAUSE.saturating_mul(1 << self.failures.min(DOUBLINGS));
            self.failures += 1;
        }
        // Members that were started together do not come back together.
        let millis = u64::try_from(pause.as_millis()).unwrap_or_default();
        pause += Duration::from_millis(self.rng.below(millis / 2 + 1));
        let service = self.token.place().to_string();
        self.news.push(Note::DiscoveryFailed { service, cause, pause });
        if self.step == Step::Create {
            self.may_be_there();
            if planted!(RegisterTwice)
                && let Some(own) = &mut self.own
            {
                own.registration.key = own.registration.key.chars().rev().collect();
            }
        }
        let step = if self.step == Step::Create { Step::Create } else { Step::Size };
        self.next(step, now + pause);
        Verdict::Wait
    }

    fn listed(&mut self, now: Instant, listing: &Listing, size: usize) -> Result<Verdict, Refusal> {
        let own = self.own.as_ref();
        let standing = judge(&self.token, own, &self.data_dir, listing, size)?;
        self.tell(listing, size);
        let forgotten = core::mem::take(&mut self.created);
        match standing {
            Standing::Complete(list) => {
                self.step = Step::Done;
                return Ok(Verdict::Complete(list));
            }
            Standing::Full(list) => {
                self.step = Step::Done;
                let refusal = refusals::full(&self.token, size, &listing.entries[..size]);
                return Ok(Verdict::Full(list, refusal));
            }
            Standing::Unregistered | Standing::Incomplete
                if self.own.is_some() && !self.allowed =>
            {
                self.step = Step::Hold;
                return Ok(Verdict::Register);
            }
            Standing::Unregistered if forgotten => {
                self.step = Step::Create;
                return Ok(self.failed(now, "it does not list what it has taken".to_string()));
            }
            Standing::Unregistered => self.next(Step::Create, now),
            Standing::Incomplete => self.next(Step::Watch { since: listing.index + 1 }, now),
        }
        self.failures = 0;
        Ok(Verdict::Wait)
    }

    fn tell(&mut self, listing: &Listing, size: usize) {
        let registered: Vec<String> =
            listing.entries.iter().take(size).map(|entry| entry.value.clone()).collect();
        let missing = size - registered.len();
        let note = Note::Discovered { registered, missing };
        if self.told.as_ref() != Some(&note) {
            self.news.push(note.clone());
            self.told = Some(note);
        }
    }
}

/// A whole decimal number from 1.
fn size(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|size| digits && *size > 0)
}

#[cfg(test)]
mod tests;
