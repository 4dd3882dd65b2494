//! The driver: what the shell's loop does for a node, done by a heap of events.
//!
//! Inputs are handled as they come. The first one of a batch puts the end of the batch on the
//! heap, a random time later; it wakes the node. Deadlines wake it too, a little late.

use quorate_core::disk::{Done, Op};
use quorate_core::node::Input;
use quorate_core::note::Note;
use quorate_core::{Output, api};

use super::event::{Event, Process, Queued};
use super::world::{MS, World};
use crate::disk;
use crate::machine::Machine;
use crate::members::listed_as;
use crate::oracle::Oracles;
use crate::oracle::Violation;
use crate::place::{Faults as _, Told};
use crate::plan::Moment;
use crate::record::{What, Who, brief};
use crate::workload::Outcome;

impl<M: Machine> World<M> {
    /// An input for a process: handled now, or when its pause ends; lost if it has ended.
    pub(super) fn input(&mut self, process: Process, input: Input) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        if let Some(waiting) = &mut running.paused {
            waiting.push_back(input);
            return;
        }
        if !running.batch {
            running.batch = true;
            let wait = self.chances.hosts.below(self.options.batch_us * 1000 + 1);
            self.queue.push(self.time + wait, Event::BatchEnd(process));
        }
        self.handle(process, input);
    }

    pub(super) fn batch_end(&mut self, process: Process) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        if running.paused.is_some() {
            // The end of the pause wakes it.
            return;
        }
        running.batch = false;
        self.wake(process);
    }

    /// A deadline may have come, or was moved since this look was planned.
    pub(super) fn deadline(&mut self, process: Process) {
        let time = self.time;
        let Some(running) = self.hosts[process.host].process(process) else { return };
        if running.look_at != Some(time) {
            // An earlier look was planned after this one, and has planned the next.
            return;
        }
        running.look_at = None;
        if running.paused.is_some() || running.batch {
            return;
        }
        let Some((instant, timer)) = running.machine.deadline() else { return };
        if self.hosts[process.host].clock.now(self.time).mono >= instant {
            self.recorder.add(self.time, Who::Node(process.host), || What::Timer(brief(&timer)));
            self.wake(process);
        } else {
            self.plan_look(process);
        }
    }

    fn wake(&mut self, process: Process) {
        let must_halt =
            self.hosts[process.host].process(process).is_some_and(|r| r.reasons.must_halt());
        self.handle(process, Input::Wake);
        let running = self.hosts[process.host].process(process);
        let goes_on = running.map(|running| running.reasons.goes_on()).is_some();
        if must_halt && goes_on {
            let detail = "goes on after a sync has failed".to_owned();
            self.violate(Violation::safety("fault_halts", process.host, detail));
        }
        self.plan_look(process);
    }

    /// Puts a look at the deadline on the heap, unless one is there that comes in time.
    fn plan_look(&mut self, process: Process) {
        let late = self.chances.hosts.below(self.options.timer_late_us * 1000 + 1);
        let host = &mut self.hosts[process.host];
        let clock = host.clock;
        let Some(running) = host.process(process) else { return };
        let Some((instant, _)) = running.machine.deadline() else { return };
        // At least a microsecond passes between two turns of a loop.
        let at = clock.time_of(instant).max(self.time + 1000) + late;
        if running.look_at.is_none_or(|planned| planned > at) {
            running.look_at = Some(at);
            self.queue.push(at, Event::Deadline(process));
        }
    }

    fn handle(&mut self, process: Process, input: Input) {
        if !matches!(input, Input::Wake | Input::Peer { .. }) {
            self.recorder.add(self.time, Who::Node(process.host), || What::Input(brief(&input)));
        }
        match &input {
            Input::Http { call, result } => {
                self.oracles.call_ended(process.host, *call, result.is_ok());
            }
            Input::Peer { message, said } => {
                let view = self.hosts[process.host].view();
                self.oracles.delivered(process.host, view, message, *said);
            }
            Input::Met { peer, said } => {
                let view = self.hosts[process.host].view();
                self.oracles.met(process.host, view, *peer, *said);
            }
            _ => {}
        }
        let host = &mut self.hosts[process.host];
        let now = host.clock.now(self.time);
        let Some(running) = host.process(process) else { return };
        let mut outputs = std::mem::take(&mut self.outputs);
        running.machine.handle(now, input, &mut outputs);
        self.examine(process.host, &outputs);
        for output in outputs.drain(..) {
            if self.violation.is_none() {
                self.carry_out(process, output);
            }
        }
        self.outputs = outputs;
    }

    /// Shows the oracles what a node did, before any of it has an effect.
    fn examine(&mut self, host: usize, outputs: &[Output]) {
        let Some(running) = &self.hosts[host].running else { return };
        let mut verdict = Ok(());
        for output in outputs {
            if let Output::Note(note) = output {
                verdict = verdict.and_then(|()| self.oracles.noted(host, &running.machine, note));
                if self.options.goes_by_token(host) {
                    let own = || listed_as(&self.options, host);
                    let first = || self.discovery.first();
                    let by_token =
                        Oracles::noted_by_token(host, &running.machine, note, own, first);
                    verdict = verdict.and(by_token);
                }
            }
        }
        for output in outputs {
            if let Output::Send(message) = output {
                verdict = verdict.and_then(|()| self.oracles.sent(host, &running.machine, message));
            }
        }
        verdict = verdict.and_then(|()| self.oracles.handled(host, &running.machine));
        self.check(verdict);
    }

    fn carry_out(&mut self, process: Process, output: Output) {
        self.record_output(process.host, &output);
        match output {
            Output::Send(message) => self.send(process, message),
            Output::Reply { id, response, last } => self.reply(process, id, *response, last),
            Output::Disk(op) => self.disk_op(process, op),
            Output::Http { call, request } => self.call(process, call, request),
            Output::Dns { call, query } => self.look_up(process, call, &query),
            Output::Compute { call, task } => {
                let input = Box::new(Input::Computed { call, result: task.run() });
                let wait = self.chances.hosts.below(5 * MS);
                self.queue.push(self.time + wait, Event::Input(process, input));
            }
            Output::Listen { .. } => {
                if let Some(running) = self.hosts[process.host].process(process) {
                    running.listening = true;
                }
                let input = Box::new(Input::Listening { result: Ok(()) });
                self.queue.push(self.time + MS, Event::Input(process, input));
            }
            Output::Peers(peers) => self.set_peers(process, &peers),
            Output::Publish(view) => {
                let verdict = self.oracles.published(process.host, &view);
                self.check(verdict);
                if let Some(running) = self.hosts[process.host].process(process) {
                    running.view = Some(view);
                }
            }
            // Nobody here asks a member over HTTP, so nobody is forwarded.
            Output::Route(_) => {}
            Output::Note(note) => self.note(process, &note),
            Output::Halt(exit) => self.halt(process, &exit),
        }
    }

    fn note(&mut self, process: Process, note: &Note) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        self.stats.note(note);
        running.reasons.noted(note);
        self.places[process.host].noted(note);
        match note {
            Note::BecameLeader { term, .. } => {
                running.leads_in = Some(*term);
                let verdict = self.places.formed_together(process.host);
                self.check(verdict);
                self.took_part_in_election(process);
            }
            Note::Voted { .. } => self.took_part_in_election(process),
            Note::BecameFollower { .. } | Note::QuorumLost { .. } => running.leads_in = None,
            _ => {}
        }
    }

    fn reply(
        &mut self,
        process: Process,
        id: quorate_core::node::ClientId,
        response: api::Response,
        last: bool,
    ) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        if let Some(number) = running.operations.remove(&id) {
            return self.told(number, changed(&response));
        }
        if let Some((from, call)) = running.questions.remove(&id) {
            return self.confirmed(from, call, process, &response);
        }
        let Some((client, turn)) = running.requests.get(&id).copied() else { return };
        if last {
            running.requests.remove(&id);
        }
        self.answer(process.host, client, turn, response, last);
    }

    fn disk_op(&mut self, process: Process, op: Op) {
        let sync = matches!(op, Op::Sync { .. } | Op::SyncDir { .. });
        let mean = if sync { self.options.disk_sync_us } else { self.options.disk_op_us };
        let mut takes = self.chances.disk.wait(mean * 1000);
        if self.healthy.is_none() && self.chances.disk.hit(self.options.stall_ppm) {
            self.stats.stalls += 1;
            takes += self.chances.disk.wait(self.options.stall_ms * MS);
        }
        let time = self.time;
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let end = running.disk_free_at.max(time) + takes;
        running.disk_free_at = end;
        let awaited = disk::ticket(&op).is_some();
        running.disk_queue.push_back(Queued { end, op });
        if awaited {
            self.queue.push(end, Event::DiskEnd(process));
        }
        let leads = running.leads();
        let now = |moment: Moment| {
            sync && (moment == Moment::NextSync || moment == Moment::NextLeaderSync && leads)
        };
        if let Some((_, doom)) = running.doomed.take_if(|(moment, _)| now(*moment)) {
            // While the sync is under way: that is when there is something to lose.
            let at = time + self.chances.disk.below(end - time + 1);
            self.queue.push(at, Event::Doom(process, doom));
        }
    }

    /// Carries out the operations of a disk that have ended by now.
    pub(super) fn disk_end(&mut self, process: Process) {
        while let Some(done) = self.next_disk_op(process) {
            if let Some(done) = done {
                self.disk_done(process, done);
            }
        }
    }

    fn next_disk_op(&mut self, process: Process) -> Option<Option<Done>> {
        let time = self.time;
        let host = &mut self.hosts[process.host];
        let running = host.process(process)?;
        if running.disk_queue.front()?.end > time {
            return None;
        }
        let op = running.disk_queue.pop_front()?.op;
        let sync = matches!(op, Op::Sync { .. });
        let fails = sync && self.healthy.is_none();
        if fails && self.chances.disk.hit(self.options.sync_error_ppm) {
            self.stats.sync_errors += 1;
            return Some(host.disk.fail_sync(&op, &mut self.chances.disk));
        }
        Some(host.disk.perform(op))
    }

    fn disk_done(&mut self, process: Process, done: Done) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        running.reasons.told(&done);
        self.input(process, Input::Disk(done));
    }

    /// Ends the process of a host: by a kill, or by a loss of power.
    pub(super) fn end_process(&mut self, host: usize, power: bool) {
        let time = self.time;
        let here = &mut self.hosts[host];
        let Some(mut running) = here.running.take() else { return };
        while running.disk_queue.front().is_some_and(|queued| queued.end <= time) {
            if let Some(queued) = running.disk_queue.pop_front() {
                here.disk.perform(queued.op);
            }
        }
        here.boot += 1;
        if power {
            let damage = here.disk.lose_power(&mut self.chances.disk);
            self.stats.writes_dropped += damage.writes_dropped;
            self.stats.writes_torn += damage.writes_torn;
            self.stats.entries_dropped += damage.entries_dropped;
        } else {
            here.disk.kill();
        }
        let verdict = self.oracles.ended(host, &running.machine);
        self.check(verdict);
        let how = if power { "without power" } else { "without its memory" };
        self.recorder.add(time, Who::Node(host), || What::End(how));
        for (process, call) in running.questions.into_values() {
            let input = Box::new(Input::Http { call, result: Err("connection reset".to_owned()) });
            self.queue.push(time + MS, Event::Input(process, input));
        }
        for (client, turn) in running.requests.into_values() {
            let outcome = Box::new(Outcome::Unknown);
            let wait = self.chances.clients.below(10 * MS);
            self.queue.push(self.time + wait, Event::Ended { client, turn, outcome });
        }
    }

    fn record_output(&self, host: usize, output: &Output) {
        // A view says nothing that the notes do not say.
        if matches!(output, Output::Publish(_)) {
            return;
        }
        self.recorder.add(self.time, Who::Node(host), || match output {
            Output::Send(message) => {
                let peers = self.hosts[host].running.iter().flat_map(|running| &running.peers);
                let to = peers.filter(|link| link.peer == message.to).find_map(|link| link.host);
                What::Send { to, message: Box::new(message.clone()) }
            }
            Output::Disk(op) => What::Disk(brief(op)),
            Output::Note(note) => What::Note(note.clone()),
            Output::Halt(exit) => What::Halt(brief(exit)),
            other => What::Output(brief(other)),
        });
    }
}

/// What came of asking for a change of the membership.
fn changed(response: &api::Response) -> Told {
    match response {
        api::Response::Members(Ok(added)) => Told::Done(added.as_ref().map(|member| member.id)),
        api::Response::Members(Err(_)) => Told::Refused,
        _ => Told::Unknown,
    }
}
