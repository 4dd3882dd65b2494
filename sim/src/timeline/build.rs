//! From the recording of a run to what the page draws.

use quorate_core::note::Note;
use quorate_core::raft::Body;

use super::chart::{Chart, Lead, Mark, Member, Message, Operation, Span, Violation};
use crate::plan::Fault;
use crate::record::{End, Recorded, What, Who, message_words};
use crate::report::Report;

/// What the page draws of a run.
pub(super) fn chart(world: &str, report: &Report) -> Chart {
    let options = &report.scenario.options;
    let end = report.recording.last().map_or(0, |last| last.time);
    let end = report.violation.as_ref().map_or(end, |(time, _)| (*time).max(end)) / 1000;
    let members = (0..options.hosts()).map(|_| Member::default()).collect();
    let chart = Chart {
        seed: report.scenario.seed,
        world: world.to_owned(),
        options: options.to_string(),
        stats: report.stats.to_string(),
        digest: format!("{:016x}", report.digest),
        end,
        members,
        ..Chart::default()
    };
    let mut build = Build { chart, open: vec![Open::default(); options.hosts()] };
    for recorded in &report.recording {
        build.add(recorded);
    }
    for host in 0..build.open.len() {
        build.ended(host, end);
    }
    let mut chart = build.chart;
    chart.violation = report.violation.as_ref().map(|(time, violation)| Violation {
        at: time / 1000,
        member: violation.node,
        text: violation.to_string(),
    });
    chart
}

/// What has begun on a host and not ended yet.
#[derive(Clone, Debug, Default)]
struct Open {
    up: Option<(u64, u32)>,
    paused: Option<u64>,
    leads: Option<(u64, u64)>,
}

struct Build {
    chart: Chart,
    open: Vec<Open>,
}

impl Build {
    fn add(&mut self, recorded: &Recorded) {
        let at = recorded.time / 1000;
        match (recorded.who, &recorded.what) {
            (Who::Node(host), what) if host < self.open.len() => self.host(host, at, what),
            (Who::Client(client), what) => self.client(client, at, what),
            (_, What::Fault(fault)) => self.fault(at, fault),
            (_, What::Calm(_)) => {
                self.chart.calm = Some(at);
                // All cuts heal, and all disks have space again.
                let members = self.chart.members.iter_mut().flat_map(|m| &mut m.spans);
                for span in members.chain(&mut self.chart.cuts) {
                    span.to = span.to.min(at);
                }
            }
            _ => {}
        }
    }

    fn host(&mut self, host: usize, at: u64, what: &What) {
        match what {
            What::Start(number) => {
                self.open[host].up = Some((at, *number));
                self.mark(host, at, "start", what.to_string());
            }
            What::Halt(words) => self.mark(host, at, "halt", words.clone()),
            What::End(words) => {
                self.ended(host, at);
                self.mark(host, at, "end", (*words).to_owned());
            }
            What::Pause => self.open[host].paused = Some(at),
            What::Resume => self.resumed(host, at),
            What::Note(note) => self.note(host, at, note),
            What::Receive { from, sent, message } => {
                self.message(message, (*from, host), (*sent, at), false);
            }
            What::Lost { to, sent, message } => {
                self.message(message, (host, *to), (*sent, at), true);
            }
            _ => {}
        }
    }

    fn span(&mut self, host: usize, kind: &'static str, from: u64, to: u64, text: String) {
        self.chart.members[host].spans.push(Span { kind, from, to, text });
    }

    fn mark(&mut self, host: usize, at: u64, kind: &'static str, text: String) {
        self.chart.members[host].marks.push(Mark { kind, at, text });
    }

    fn resumed(&mut self, host: usize, at: u64) {
        if let Some(from) = self.open[host].paused.take() {
            self.span(host, "paused", from, at, "the process stands still".to_owned());
        }
    }

    fn stepped_down(&mut self, host: usize, at: u64) {
        if let Some((from, term)) = self.open[host].leads.take() {
            self.chart.members[host].leads.push(Lead { from, to: at, term });
        }
    }

    fn ended(&mut self, host: usize, at: u64) {
        self.resumed(host, at);
        self.stepped_down(host, at);
        if let Some((from, number)) = self.open[host].up.take() {
            self.span(host, "up", from, at, format!("process {number}"));
        }
    }

    fn note(&mut self, host: usize, at: u64, note: &Note) {
        let kind = match note {
            Note::Applied { last, .. } => {
                self.chart.members[host].applied.push((at, last.index));
                return;
            }
            Note::Committed { last } => {
                self.chart.members[host].committed.push((at, last.index));
                return;
            }
            Note::SnapshotInstalled { last } => {
                self.chart.members[host].applied.push((at, last.index));
                "snapshot"
            }
            Note::BecameLeader { term, .. } => {
                self.stepped_down(host, at);
                self.open[host].leads = Some((at, *term));
                "leader"
            }
            Note::BecameFollower { .. } => {
                self.stepped_down(host, at);
                "follower"
            }
            Note::QuorumLost { .. } => {
                self.stepped_down(host, at);
                "trouble"
            }
            Note::Campaigned { .. } => "campaign",
            Note::Voted { .. } => "vote",
            Note::SnapshotSaved { .. } => "snapshot",
            Note::SnapshotFailed { .. }
            | Note::SnapshotSkipped { .. }
            | Note::TornTail { .. }
            | Note::DiskFull { .. }
            | Note::PeerRefused { .. }
            | Note::Behind { .. }
            | Note::ChangeRefused { .. } => "trouble",
            _ => "note",
        };
        self.mark(host, at, kind, format!("{note:?}"));
    }

    fn message(
        &mut self,
        message: &quorate_core::raft::Message,
        (from, to): (usize, usize),
        (sent, at): (u64, u64),
        lost: bool,
    ) {
        let kind = group(&message.body);
        let words = message_words(message);
        let words = self.chart.words.number(words);
        self.chart.messages.push(Message(kind, from, to, sent / 1000, at, lost, words));
    }

    fn client(&mut self, client: usize, at: u64, what: &What) {
        if self.chart.clients.len() <= client {
            self.chart.clients.resize_with(client + 1, Vec::new);
        }
        let (end, chart) = (self.chart.end, &mut self.chart);
        match what {
            What::Ask { host, request, watch } => {
                let words = chart.words.number(request.clone());
                let kind = if *watch { "watch" } else { "open" };
                let open = chart.words.number("no answer yet".to_owned());
                chart.clients[client].push(Operation(at, end, kind, *host, words, open));
            }
            What::Answer { end, answer } => {
                let Some(last) = chart.clients[client].last_mut() else { return };
                let words = format!("{end} {answer}");
                last.1 = at;
                last.2 = match end {
                    _ if last.2 == "watch" => "watch",
                    End::Done => "done",
                    End::Failed => "failed",
                    End::Refused => "refused",
                    End::Unknown => "unknown",
                };
                last.5 = chart.words.number(words);
            }
            _ => {}
        }
    }

    fn fault(&mut self, at: u64, fault: &Fault) {
        let text = fault.to_string();
        let cuts = !fault.directions(self.open.len()).is_empty();
        let cut = |kind, length_us| Span { kind, from: at, to: at + length_us, text: text.clone() };
        match fault {
            Fault::Partition { length_us, .. } if cuts => {
                self.chart.cuts.push(cut("partition", *length_us));
            }
            Fault::OneWay { length_us, .. } if cuts => {
                self.chart.cuts.push(cut("one way", *length_us));
            }
            Fault::Isolate { host, length_us } => {
                self.span(*host, "isolated", at, at + length_us, text);
            }
            Fault::Full { host, length_us } => self.span(*host, "full", at, at + length_us, text),
            Fault::Partition { .. } | Fault::OneWay { .. } => {}
            other => {
                for host in 0..self.open.len() {
                    if other.host().is_none_or(|struck| struck == host) {
                        self.mark(host, at, "fault", text.clone());
                    }
                }
            }
        }
    }
}

/// What a reader may want to see by itself.
const fn group(body: &Body) -> &'static str {
    match body {
        Body::Append { .. } => "append",
        Body::Appended { .. } | Body::Held { .. } | Body::AppendRejected { .. } => "answer",
        Body::Vote { .. } | Body::VoteResponse { .. } => "vote",
        Body::Snapshot(_) => "snapshot",
        Body::Heartbeat { .. } | Body::HeartbeatResponse { .. } => "heartbeat",
        Body::Propose { .. }
        | Body::TransferLeader
        | Body::TimeoutNow
        | Body::ReadIndex { .. }
        | Body::ReadIndexResponse { .. } => "other",
    }
}
