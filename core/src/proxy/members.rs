//! Asking members who the members are.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::{Answer, Call};
use crate::member::{Member, json};
use crate::node::CallId;
use crate::time::{Duration, Instant};
use crate::tls::Role;
use crate::url::Url;

/// How long one may take to answer, as in etcd.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after nobody has answered, as long as there is nowhere to forward to.
const URGENT: Duration = Duration::from_secs(1);

/// The members that can be asked, one after the other.
#[derive(Debug)]
pub(super) struct Asking {
    /// Peer URLs; whom was heard from last comes first.
    peers: Vec<Url>,
    interval: Duration,
    due: Instant,
    /// The call under way, and how many have failed before it in this round.
    call: Option<(CallId, usize)>,
    failed: usize,
}

/// What came of asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing yet.
    Nothing,
    /// These are the members.
    Members(Vec<Member>),
    /// Nobody has answered; the last cause.
    Nobody(String),
}

impl Asking {
    /// Asks these from now on, and again after each interval.
    pub(super) const fn new(peers: Vec<Url>, interval: Duration, now: Instant) -> Self {
        Self { peers, interval, due: now, call: None, failed: 0 }
    }

    pub(super) fn peers(&self) -> &[Url] {
        &self.peers
    }

    /// These can be asked too, before the others.
    pub(super) fn add(&mut self, peers: Vec<Url>, now: Instant) {
        let known = core::mem::replace(&mut self.peers, peers);
        let new: Vec<Url> = known.into_iter().filter(|url| !self.peers.contains(url)).collect();
        self.peers.extend(new);
        self.failed = 0;
        self.soon(now);
    }

    /// Asks as soon as that makes sense: nobody answers where requests are forwarded to.
    pub(super) fn soon(&mut self, now: Instant) {
        if self.call.is_none() {
            self.due = self.due.min(now + URGENT);
        }
    }

    /// Whether a call is one of these.
    pub(super) fn owns(&self, call: CallId) -> bool {
        self.call.is_some_and(|(asked, _)| asked == call)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.call.is_none() && !self.peers.is_empty()).then_some(self.due)
    }

    /// The call that is due now.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        fresh: impl FnOnce() -> CallId,
    ) -> Option<(CallId, Call)> {
        self.deadline().filter(|due| *due <= now)?;
        let url = self.peers.get(self.failed).or_else(|| self.peers.first())?;
        let request = Call::get(format!("{url}/members"), Role::Peer, TIMEOUT);
        let call = fresh();
        self.call = Some((call, self.failed));
        Some((call, request))
    }

    /// A call has ended. `urgent` says that there is nowhere to forward to.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
        urgent: bool,
    ) -> Heard {
        let Some((_, at)) = self.call.filter(|(asked, _)| *asked == call) else {
            return Heard::Nothing;
        };
        self.call = None;
        match result.and_then(|answer| read(&answer)) {
            Ok(members) => {
                if at < self.peers.len() {
                    self.peers.swap(0, at);
                }
                self.learn(&members);
                self.failed = 0;
                self.due = now + self.interval;
                Heard::Members(members)
            }
            Err(_) if at + 1 < self.peers.len() => {
                self.failed = at + 1;
                self.due = now;
                Heard::Nothing
            }
            Err(cause) => {
                self.failed = 0;
                self.due = now + if urgent { URGENT.min(self.interval) } else { self.interval };
                Heard::Nobody(cause)
            }
        }
    }

    /// Only members are asked from now on, the one that has answered first.
    fn learn(&mut self, members: &[Member]) {
        let urls = || members.iter().flat_map(|member| &member.peer_urls);
        self.peers.retain(|url| urls().any(|of_member| of_member == url));
        for url in urls() {
            if !self.peers.contains(url) {
                self.peers.push(url.clone());
            }
        }
    }
}

fn read(answer: &Answer) -> Result<Vec<Member>, String> {
    if answer.status != 200 {
        return Err(format!("it answered with status {}", answer.status));
    }
    let members = json::decode_members(&answer.body).map_err(|error| format!("{error}"))?;
    if members.is_empty() { Err("it knows no members".into()) } else { Ok(members) }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec;

    use bytes::Bytes;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn urls(texts: &[&str]) -> Vec<Url> {
        texts.iter().map(|text| Url::parse(text).unwrap()).collect()
    }

    fn members(body: &str) -> Answer {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Answer { status: 200, headers: vec![], body }
    }

    fn asked(asking: &mut Asking) -> (Instant, String) {
        let now = asking.deadline().unwrap();
        let (_, call) = asking.ask(now, || CallId(1)).unwrap();
        assert_eq!(asking.deadline(), None, "one at a time");
        (now, call.url)
    }

    #[test]
    fn one_after_the_other_is_asked_until_one_answers() {
        let start = Instant::default();
        let mut asking = Asking::new(urls(&["http://a:1", "http://b:1"]), INTERVAL, start);
        let refused = || Err("connection refused".to_owned());
        assert_eq!(asked(&mut asking), (start, "http://a:1/members".to_owned()));
        assert_eq!(asking.answered(start, CallId(1), refused(), true), Heard::Nothing);
        assert_eq!(asked(&mut asking), (start, "http://b:1/members".to_owned()));
        let nobody = Heard::Nobody("connection refused".to_owned());
        assert_eq!(asking.answered(start, CallId(1), refused(), true), nobody);
        let (again, url) = asked(&mut asking);
        assert_eq!((again.since(start), url.as_str()), (URGENT, "http://a:1/members"));
        let _ = asking.answered(again, CallId(1), refused(), true);
        assert_eq!(asked(&mut asking).1, "http://b:1/members");
        let body = r#"[{"id":1,"peerURLs":["http://b:1"]},{"id":2,"peerURLs":["http://c:1"]}]"#;
        let heard = asking.answered(again, CallId(1), Ok(members(body)), true);
        assert!(matches!(heard, Heard::Members(members) if members.len() == 2));
        assert_eq!(asking.peers(), urls(&["http://b:1", "http://c:1"]));
        assert_eq!(asking.deadline(), Some(again + INTERVAL));
        asking.soon(again);
        assert_eq!(asking.deadline(), Some(again + URGENT));
    }

    #[test]
    fn a_cluster_without_members_is_none() {
        let mut asking = Asking::new(urls(&["http://a:1"]), INTERVAL, Instant::default());
        for body in ["[]", "null", "<html>"] {
            let (now, _) = asked(&mut asking);
            let heard = asking.answered(now, CallId(1), Ok(members(body)), false);
            assert!(matches!(heard, Heard::Nobody(_)), "{body}");
            assert_eq!(asking.deadline(), Some(now + INTERVAL));
        }
    }
}
