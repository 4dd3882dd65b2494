//! The file in which a member keeps by what it knows its peers.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::LAZY;
use crate::boot::disk_state::PEERS;
use crate::disk::{DiskErrorKind, Done, Found, Op, Replace, Script, SmallFile, Ticket};
use crate::error::Refusal;
use crate::id::MemberId;
use crate::member::boots::{Acked, Boot, Evidence, Known};
use crate::member::identity::Incarnation;
use crate::node::effects::Effects;
use crate::node::output::Exit;
use crate::node::running::Running;
use crate::time::Instant;

const FILE: SmallFile = SmallFile { path: PEERS, magic: b"QUORPEER", version: 2 };

/// A record of the first format: the ID and the incarnation of a peer.
const OLD_RECORD: usize = 8 + 16;

/// A record: the same, and number and ID of its last start, term and index.
const RECORD: usize = OLD_RECORD + 4 * 8;

pub(super) type Peers = BTreeMap<MemberId, Known>;

/// What is under way with the file.
#[derive(Debug)]
pub(super) enum File {
    Reading(Ticket),
    Idle,
    Writing(Replace, Peers),
}

impl File {
    pub(super) fn read(script: &mut Script) -> Self {
        let ticket = script.ticket();
        script.push(Op::Read { path: PEERS.into(), ticket });
        Self::Reading(ticket)
    }

    pub(super) fn write(peers: Peers, script: &mut Script) -> Self {
        Self::Writing(FILE.write(&encode(&peers), script), peers)
    }
}

/// Writes down the members with which a cluster is formed, by the data directories that have
/// answered where the list has them. It is durable before there is a log: else somebody else could
/// come first after a crash.
pub(crate) fn write_met(met: BTreeMap<MemberId, Incarnation>, script: &mut Script) -> Replace {
    let known = |incarnation| Known { incarnation, past: Evidence::default() };
    let peers = met.into_iter().map(|(peer, met)| (peer, known(met))).collect();
    FILE.write(&encode(&peers), script)
}

fn encode(peers: &Peers) -> Vec<u8> {
    let mut content = Vec::with_capacity(peers.len() * RECORD);
    for (peer, Known { incarnation, past: Evidence { boot, acked } }) in peers {
        content.extend_from_slice(&peer.0.to_le_bytes());
        content.extend_from_slice(&incarnation.bytes());
        for number in [boot.number, boot.id, acked.term, acked.index] {
            content.extend_from_slice(&number.to_le_bytes());
        }
    }
    content
}

fn decode(file: &[u8]) -> Result<Peers, Refusal> {
    let (content, first) = (FILE.decode(file)?, FILE.is_of(file, 1));
    let size = if first { OLD_RECORD } else { RECORD };
    let records = content.chunks(size);
    records.map(record).collect::<Option<_>>().ok_or_else(|| FILE.damaged())
}

fn record(record: &[u8]) -> Option<(MemberId, Known)> {
    let (id, rest) = record.split_first_chunk::<8>()?;
    let (incarnation, rest) = rest.split_first_chunk::<16>()?;
    let (numbers, none) = rest.as_chunks::<8>();
    let past = match numbers {
        [] => Evidence::default(),
        [number, id, term, index] => Evidence {
            boot: Boot { number: u64::from_le_bytes(*number), id: u64::from_le_bytes(*id) },
            acked: Acked { term: u64::from_le_bytes(*term), index: u64::from_le_bytes(*index) },
        },
        _ => return None,
    };
    let known = Known { incarnation: Incarnation::from_bytes(*incarnation), past };
    none.is_empty().then_some((MemberId(u64::from_le_bytes(*id)), known))
}

impl Running {
    /// The end of a disk operation. Says whether it was one of the file of the peers.
    pub(in crate::node) fn peers_file(
        &mut self,
        now: Instant,
        done: &Done,
        fx: &mut Effects<'_>,
    ) -> bool {
        let (ours, news) = self.take_peers_file(now, done, fx);
        if news {
            self.changed = true;
            for (message, said) in core::mem::take(&mut self.kin.held) {
                self.take_message(now, message, said, fx);
            }
        }
        ours
    }

    /// Says whether the operation was one of the file, and whether more is known now.
    fn take_peers_file(&mut self, now: Instant, done: &Done, fx: &mut Effects<'_>) -> (bool, bool) {
        match core::mem::replace(&mut self.kin.file, File::Idle) {
            File::Reading(ticket) if ticket == done.ticket => {
                match &done.result {
                    Ok(Found::Bytes(file)) => match decode(file) {
                        Ok(known) => {
                            self.kin.known = Arc::new(known);
                        }
                        Err(refusal) => self.exit = Some(Exit::Refused(refusal)),
                    },
                    Err(error) if error.kind != DiskErrorKind::NotFound => {
                        self.fault("reading the file of the peers failed", error);
                    }
                    _ => {}
                }
                (true, true)
            }
            File::Writing(mut replace, content) => {
                let ours = replace.owns(done.ticket);
                match &done.result {
                    Err(error) if ours && error.kind == DiskErrorKind::NoSpace => {
                        // Whoever is new is met again with its next message.
                        self.kin.new.clear();
                        self.kin.write_due = Some(now + LAZY);
                    }
                    Err(error) if ours => self.fault("writing the file of the peers failed", error),
                    _ if replace.done(done.ticket, fx.script) => {
                        return (true, self.kin.written(&content));
                    }
                    _ => self.kin.file = File::Writing(replace, content),
                }
                (ours, false)
            }
            file => {
                self.kin.file = file;
                (false, false)
            }
        }
    }

    /// Makes durable whom it has come to know, and from time to time what else it remembers.
    pub(in crate::node) fn write_peers(&mut self, now: Instant, fx: &mut Effects<'_>) {
        self.kin.write(now, &self.cluster.removed, fx.script);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(byte: u8) -> Known {
        let number = u64::from(byte);
        let past = Evidence {
            boot: Boot { number, id: number << 32 },
            acked: Acked { term: number + 1, index: number + 2 },
        };
        Known { incarnation: Incarnation::new(&[byte; 32]), past }
    }

    #[test]
    fn the_file_is_read_as_it_was_written() {
        let peers = Peers::from([(MemberId(1), known(1)), (MemberId(u64::MAX), known(2))]);
        let content = encode(&peers);
        assert_eq!(decode(&FILE.encode(&content)), Ok(peers));
        assert!(decode(&FILE.encode(&content[1..])).is_err());
        assert!(decode(&FILE.encode(&content[..RECORD + OLD_RECORD + 8])).is_err());
        assert!(decode(b"").is_err());
    }

    #[test]
    fn the_first_format_is_read() {
        let old = SmallFile { version: 1, ..FILE };
        let mut content = 7_u64.to_le_bytes().to_vec();
        content.extend_from_slice(&known(3).incarnation.bytes());
        let expected = Known { past: Evidence::default(), ..known(3) };
        assert_eq!(decode(&old.encode(&content)), Ok([(MemberId(7), expected)].into()));
    }
}
