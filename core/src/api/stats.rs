//! `/v2/stats`: what a member counts of itself and its peers.

use alloc::format;
use alloc::string::{String, ToString as _};

use super::json::{Fields, Writer};
use super::reply;
use crate::http::Reply;
use crate::stats::{Latency, Stats, Traffic};
use crate::time::rfc3339::Rfc3339;
use crate::time::{Duration, Now};
use crate::view::View;

/// A resource below `/v2/stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `/v2/stats/self`
    Own,
    /// `/v2/stats/leader`
    Leader,
    /// `/v2/stats/store`
    Store,
}

/// Where the counts are.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Who leads, and what the store has counted.
    pub view: &'a View,
    /// What the member has counted.
    pub stats: &'a Stats,
    /// Watches that are open.
    pub watchers: u64,
    /// What time it is.
    pub now: Now,
}

impl Resource {
    /// The answer.
    pub fn reply(self, sources: Sources<'_>) -> Reply {
        match self {
            Self::Own => own(sources),
            Self::Leader => leader(sources),
            Self::Store => store(sources),
        }
    }
}

fn own(Sources { view, stats, now, .. }: Sources<'_>) -> Reply {
    let leads = view.leader.is_some() && view.leader == view.member;
    let member = view.member.map(|id| id.to_string()).unwrap_or_default();
    let record = view.member.and_then(|id| view.cluster.members.get(&id));
    let name = record.map_or("", |member| member.name.as_str());
    let mut body = Writer::default();
    body.object(|fields| {
        fields.string("name", name.as_bytes());
        fields.plain_string("id", member);
        fields.plain_string("state", if leads { "StateLeader" } else { "StateFollower" });
        fields.plain_string("startTime", Rfc3339(stats.started.unix_nanos()));
        fields.value("leaderInfo", |w| w.object(|fields| leader_info(fields, stats, now)));
        fields.uint("recvAppendRequestCnt", stats.received.count);
        rates(fields, ["recvPkgRate", "recvBandwidthRate"], &stats.received, now);
        fields.uint("sendAppendRequestCnt", stats.sent.count);
        rates(fields, ["sendPkgRate", "sendBandwidthRate"], &stats.sent, now);
    });
    reply::json(200, body.finish())
}

fn leader_info(fields: &mut Fields<'_>, stats: &Stats, now: Now) {
    let leader = stats.leader.map(|(leader, _)| leader.to_string()).unwrap_or_default();
    let since = stats.leader.map_or(now, |(_, since)| since);
    fields.plain_string("leader", leader);
    fields.plain_string("uptime", go_duration(now.mono.since(since.mono)));
    fields.plain_string("startTime", Rfc3339(since.wall.unix_nanos()));
}

/// Rates that are 0 are left out.
fn rates(fields: &mut Fields<'_>, names: [&'static str; 2], traffic: &Traffic, now: Now) {
    let (messages, bytes) = traffic.rates(now.mono);
    for (name, rate) in names.into_iter().zip([messages, bytes]) {
        if rate > 0.0 {
            fields.float(name, rate);
        }
    }
}

fn leader(Sources { view, stats, .. }: Sources<'_>) -> Reply {
    let Some(member) = view.member.filter(|_| view.leader == view.member) else {
        return reply::message(403, "not current leader");
    };
    let mut body = Writer::default();
    body.object(|fields| {
        fields.plain_string("leader", member);
        fields.value("followers", |w| {
            w.object(|fields| {
                for (member, follower) in stats.followers() {
                    fields.value(&member.to_string(), |w| {
                        w.object(|fields| {
                            fields
                                .value("latency", |w| w.object(|f| latency(f, &follower.latency)));
                            fields.value("counts", |w| {
                                w.object(|fields| {
                                    fields.uint("fail", follower.fail);
                                    fields.uint("success", follower.success);
                                });
                            });
                        });
                    });
                }
            });
        });
    });
    reply::json(200, body.finish())
}

/// In milliseconds. What etcd gives as the minimum before there is one is 2^63.
fn latency(fields: &mut Fields<'_>, latency: &Latency) {
    const NONE: u64 = 1 << 63;
    let ms = |nanos: u64| nanos as f64 / 1e6;
    fields.float("current", ms(latency.current));
    fields.float("average", ms(latency.average()));
    fields.float("standardDeviation", ms(latency.deviation()));
    match latency.minimum {
        Some(minimum) => fields.float("minimum", ms(minimum)),
        None => fields.uint("minimum", NONE),
    }
    fields.float("maximum", ms(latency.maximum));
}

fn store(Sources { view, watchers, .. }: Sources<'_>) -> Reply {
    let mut body = Writer::default();
    body.object(|fields| {
        for (name, count) in view.store.stats().named() {
            fields.uint(name, count);
        }
        fields.uint("watchers", watchers);
    });
    reply::json(200, body.finish())
}

/// A duration as Go prints it: `1h2m3.5s`, `12.5ms`, `0s`.
fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let fraction = |unit: u128, name: &str| {
        let (whole, rest) = (nanos / unit, nanos % unit);
        let digits = unit.ilog10() as usize;
        let rest = format!("{rest:0digits$}");
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() { format!("{whole}{name}") } else { format!("{whole}.{rest}{name}") }
    };
    match nanos {
        0 => "0s".to_string(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(1_000_000, "ms"),
        _ => {
            let seconds = duration.as_secs();
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let rest = Duration::new(seconds % 60, duration.subsec_nanos()).as_nanos();
            let (whole, part) = (rest / 1_000_000_000, rest % 1_000_000_000);
            let part = format!("{part:09}");
            let part = part.trim_end_matches('0');
            let dot = if part.is_empty() { "" } else { "." };
            match (hours, minutes) {
                (0, 0) => format!("{whole}{dot}{part}s"),
                (0, _) => format!("{minutes}m{whole}{dot}{part}s"),
                _ => format!("{hours}h{minutes}m{whole}{dot}{part}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fixture::{text, view};
    use crate::id::MemberId;

    #[test]
    fn durations_are_go_s() {
        for (nanos, printed) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (2_000_000, "2ms"),
            (12_345_678, "12.345678ms"),
            (1_000_000_000, "1s"),
            (61_500_000_000, "1m1.5s"),
            (3_600_000_000_000, "1h0m0s"),
            (90_061_000_000_001, "25h1m1.000000001s"),
        ] {
            assert_eq!(go_duration(Duration::from_nanos(nanos)), printed);
        }
    }

    #[test]
    fn only_the_leader_has_followers() {
        let (mut view, stats, now) = (view(), Stats::new(Now::default()), Now::default());
        let leading = leader(Sources { view: &view, stats: &stats, watchers: 0, now });
        let wanted = r#"{"leader":"8211f1d0f64f3269","followers":{}}"#;
        assert_eq!((leading.status, text(&leading)), (200, wanted));
        view.leader = Some(MemberId(1));
        let following = leader(Sources { view: &view, stats: &stats, watchers: 0, now });
        let wanted = r#"{"message":"not current leader"}"#;
        assert_eq!((following.status, text(&following)), (403, wanted));
    }

    #[test]
    fn a_follower_that_never_answered_has_etcd_s_minimum() {
        let mut writer = Writer::default();
        writer.object(|fields| latency(fields, &Latency::default()));
        let wanted = r#"{"current":0,"average":0,"standardDeviation":0,"minimum":9223372036854775808,"maximum":0}"#;
        assert_eq!(writer.finish(), wanted);
    }
}
