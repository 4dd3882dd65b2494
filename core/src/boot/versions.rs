//! Whether the version of a running cluster is one that this program can join.
//!
//! As in etcd every member is asked, and those that do not answer do not count. A cluster decides
//! its version within moments of its first election: for that long the question is asked again. One
//! that has none after all may have lost its quorum before, and may need just this member to have
//! one again: then the versions of its members count, of which it would decide for the lowest.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::join::get;
use crate::error::Refusal;
use crate::http::Answer;
use crate::member::Member;
use crate::node::{CallId, Effects};
use crate::time::{Duration, Instant};
use crate::wire::version::{NOT_DECIDED, Personality, UNSAID, Version};

const TIMEOUT: Duration = Duration::from_secs(5);

/// How soon the members are asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// How long they are asked.
const PATIENCE: Duration = Duration::from_secs(15);

/// The versions of the clusters that this program joins.
const LOWEST: Version = Personality::V2_3.min_cluster;
const HIGHEST: Version = Personality::V3_4.cluster;

/// The question, and what came of it so far.
#[derive(Debug)]
pub(super) struct Versions {
    urls: Vec<String>,
    calls: BTreeMap<CallId, String>,
    decided: Vec<(String, Version)>,
    /// Versions of members of a cluster that has decided none.
    undecided: Vec<(String, Version)>,
    failed: Vec<String>,
    due: Option<Instant>,
    until: Instant,
}

/// How the question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It goes on.
    Waiting,
    /// Every member that knows the version says one that fits.
    Fits,
}

impl Versions {
    /// Asks these members, from `now` on.
    pub(super) fn new<'a>(members: impl Iterator<Item = &'a Member>, now: Instant) -> Self {
        Self {
            urls: members
                .filter_map(|m| m.peer_urls.first())
                .map(|u| format!("{u}/version"))
                .collect(),
            calls: BTreeMap::new(),
            decided: Vec::new(),
            undecided: Vec::new(),
            failed: Vec::new(),
            due: Some(now),
            until: now + PATIENCE,
        }
    }

    /// Asks, if it is time to.
    pub(super) fn ask(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.failed.clear();
            self.undecided.clear();
            self.calls = self.urls.iter().map(|url| (get(url, TIMEOUT, fx), url.clone())).collect();
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// A call has ended.
    ///
    /// # Errors
    /// The cluster has a version that this program does not know, or none for too long.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
    ) -> Result<Asked, Refusal> {
        let Some(url) = self.calls.remove(&call) else { return Ok(Asked::Waiting) };
        match result.and_then(|answer| said(&answer)) {
            Ok(Said { cluster: Some(version), .. }) => self.decided.push((url, version)),
            Ok(Said { cluster: None, server }) => self.undecided.push((url, server)),
            Err(cause) => self.failed.push(format!("{url}: {cause}")),
        }
        if !self.calls.is_empty() {
            return Ok(Asked::Waiting);
        }
        let fits = |version: Version| version >= LOWEST && version <= HIGHEST;
        if let Some((url, version)) = self.decided.iter().find(|(_, version)| !fits(*version)) {
            return Err(incompatible().hint(format!("{url} says {version}")));
        }
        if !self.decided.is_empty() {
            return Ok(Asked::Fits);
        }
        if now >= self.until {
            let older = |(_, server): &&(String, Version)| *server < LOWEST;
            if let Some((url, server)) = self.undecided.iter().find(older) {
                return Err(incompatible().hint(format!("{url} has decided none, and is {server}")));
            }
            if !self.undecided.is_empty() {
                return Ok(Asked::Fits);
            }
            let causes = core::mem::take(&mut self.failed);
            return Err(causes.into_iter().fold(incompatible(), Refusal::hint));
        }
        self.due = Some(now + AGAIN);
        Ok(Asked::Waiting)
    }
}

fn incompatible() -> Refusal {
    Refusal::new("incompatible with current running cluster")
        .hint(format!("this member joins clusters of version {LOWEST} to {HIGHEST}"))
}

/// What a member says.
struct Said {
    /// The version of the cluster, if one was decided.
    cluster: Option<Version>,
    /// The version of the member itself.
    server: Version,
}

fn said(answer: &Answer) -> Result<Said, String> {
    #[derive(Deserialize)]
    struct Body {
        etcdserver: String,
        etcdcluster: String,
    }
    match answer.status {
        200 => {}
        // 2.0 does not say.
        404 => return Ok(Said { cluster: Some(UNSAID), server: UNSAID }),
        status => return Err(format!("it answered with status {status}")),
    }
    let body: Body = serde_json::from_slice(&answer.body).map_err(|error| format!("{error}"))?;
    let server = Version::parse(&body.etcdserver)
        .ok_or_else(|| format!("its version is {:?}", body.etcdserver))?;
    let cluster = Version::parse(&body.etcdcluster).map(Version::without_patch);
    match cluster {
        None if body.etcdcluster != NOT_DECIDED => {
            Err(format!("the version of its cluster is {:?}", body.etcdcluster))
        }
        cluster => Ok(Said { cluster, server }),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::disk::Script;
    use crate::id::MemberId;
    use crate::url::Url;

    /// What a cluster whose only other member always answers with this body comes to.
    fn asks(body: &'static str) -> Result<Asked, Refusal> {
        let member = Member {
            id: MemberId(1),
            name: String::new(),
            peer_urls: vec![Url::parse("http://h:1").unwrap()],
            client_urls: Vec::new(),
            learner: false,
        };
        let (mut script, mut calls, mut out) = (Script::default(), 0, Vec::new());
        let mut now = Instant::default();
        let mut versions = Versions::new(core::iter::once(&member), now);
        loop {
            versions.ask(now, &mut Effects::new(&mut script, &mut calls, &mut out));
            let (headers, body) = (Vec::new(), bytes::Bytes::from_static(body.as_bytes()));
            let answer = Answer { status: 200, headers, body };
            match versions.answered(now, CallId(calls), Ok(answer)) {
                Ok(Asked::Waiting) => now = versions.deadline().expect("it asks again"),
                end => return end,
            }
        }
    }

    #[test]
    fn a_cluster_that_cannot_decide_is_judged_by_its_members() {
        let fits = |body| asks(body).map_err(|refusal| refusal.message);
        assert_eq!(fits(r#"{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}"#), Ok(Asked::Fits));
        assert_eq!(fits(r#"{"etcdserver":"3.4.23","etcdcluster":"not_decided"}"#), Ok(Asked::Fits));
        assert!(fits(r#"{"etcdserver":"1.0.0","etcdcluster":"not_decided"}"#).is_err());
        assert!(fits(r#"{"etcdserver":"3.6.0","etcdcluster":"3.6.0"}"#).is_err());
        assert!(fits(r#"{"etcdserver":"3.4.23","etcdcluster":"new"}"#).is_err());
    }
}
