//! Notes: what happened, as typed events.
//!
//! Logs, metrics, oracles and recordings all read the same notes. The core formats no log line.

use alloc::string::String;
use alloc::vec::Vec;

use crate::id::{ClusterId, MemberId};
use crate::raft::LogId;
use crate::time::Duration;
use crate::url::Url;

/// Something worth knowing that is no answer to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It was decided how to start.
    BootDecided {
        /// This member.
        member: MemberId,
        /// The cluster.
        cluster: ClusterId,
        /// Whether the data directory held a member already.
        restart: bool,
    },
    /// A flag is ignored because the data directory holds a member.
    FlagIgnored {
        /// The flag, without dashes.
        flag: &'static str,
        /// The data directory, as given.
        data_dir: String,
    },
    /// A URL is listened on without TLS although there is a certificate.
    CertificateUnused {
        /// The flag with the certificate, without dashes.
        flag: &'static str,
        /// The URL.
        url: Url,
    },
    /// Other members are listened for without TLS, where others than this machine can connect.
    PlainPeers {
        /// The URL.
        url: Url,
    },
    /// The list of members is not whole in DNS yet.
    WaitingForRecords {
        /// The domain.
        domain: String,
        /// What is missing, or the table of what is there; a line each.
        missing: Vec<String>,
    },
    /// Forming waits: who has not answered "empty, same list" yet, and why.
    WaitingToForm {
        /// Name of the member and the reason.
        missing: Vec<(String, String)>,
    },
    /// The others on the list have formed the cluster already. Taking a place in it waits: who votes
    /// and has not said yet that it knows nothing of this member, and why.
    WaitingToComeLate {
        /// Name of the member and the reason.
        missing: Vec<(String, String)>,
    },
    /// Joining waits: the members of the cluster have not all answered, or no quorum of them has
    /// confirmed what they say.
    WaitingToJoin {
        /// Name of the member and the reason.
        missing: Vec<(String, String)>,
    },
    /// Who has registered with the discovery service so far.
    Discovered {
        /// What the members of the cluster have registered, in order.
        registered: Vec<String>,
        /// How many are missing.
        missing: usize,
    },
    /// The discovery service could not be asked; it will be again.
    DiscoveryFailed {
        /// The service.
        service: String,
        /// Why.
        cause: String,
        /// After which time.
        pause: Duration,
    },
    /// There is no place for this member in the cluster of the discovery token: it becomes a proxy.
    DiscoveryFull,
    /// The data directory has been a proxy's before, and stays one.
    ProxyAgain {
        /// The data directory, as given.
        data_dir: String,
    },
    /// A proxy asks these for the members of its cluster.
    ProxyPeers {
        /// Their peer URLs.
        peers: Vec<Url>,
    },
    /// A proxy forwards to these from now on.
    ProxyEndpoints {
        /// Client URLs of members.
        found: Vec<Url>,
    },
    /// A proxy has asked all members that it knows, and none has answered.
    ProxySilence {
        /// The cause of the last failure.
        cause: String,
    },
    /// Every listed member is there: the cluster is formed.
    Formed,
    /// A cluster that runs is joined: its log is on the way.
    Joined,
    /// This member is made a cluster of its own, as it was told to.
    Forced {
        /// Who is removed.
        removed: Vec<MemberId>,
    },
    /// This member became a follower.
    BecameFollower {
        /// The term.
        term: u64,
        /// The leader, where it is known.
        leader: Option<MemberId>,
    },
    /// This member campaigns.
    Campaigned {
        /// The term asked for.
        term: u64,
        /// Whether it only asks if it would win.
        pre: bool,
    },
    /// This member gave its vote.
    Voted {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: MemberId,
    },
    /// This member became the leader.
    BecameLeader {
        /// The term.
        term: u64,
        /// The last entry of its log before its own.
        last: LogId,
    },
    /// The leader stepped down because no quorum was heard from.
    QuorumLost {
        /// The term.
        term: u64,
    },
    /// The leader began to hand over.
    Transferring {
        /// To whom.
        to: MemberId,
    },
    /// Entries up to here are committed as far as this member knows.
    Committed {
        /// The last of them.
        last: LogId,
    },
    /// Entries up to here are applied.
    Applied {
        /// The last of them.
        last: LogId,
        /// The store index afterwards.
        store_index: u64,
    },
    /// A snapshot of the applied state is durable.
    SnapshotSaved {
        /// The entry it stands for.
        last: LogId,
    },
    /// A snapshot could not be written; it will be tried again.
    SnapshotFailed {
        /// Why.
        cause: String,
    },
    /// A snapshot that the log names is missing or damaged; an older one is used.
    SnapshotSkipped {
        /// The entry it stands for.
        last: LogId,
    },
    /// The state was replaced by a snapshot from the leader.
    SnapshotInstalled {
        /// The entry it stands for.
        last: LogId,
    },
    /// The end of the log was incomplete and never acknowledged; it was cut.
    TornTail {
        /// The segment.
        file: String,
        /// Bytes from its start that were kept.
        at: u64,
        /// Bytes that were cut.
        cut: u64,
    },
    /// The disk is full: proposals are refused until space is found.
    DiskFull {
        /// The system's words.
        cause: String,
    },
    /// The disk has space again.
    DiskRecovered,
    /// A peer was refused.
    PeerRefused {
        /// The peer, where it is known.
        peer: Option<MemberId>,
        /// Why.
        cause: String,
    },
    /// This member holds less than it has promised: it takes no part in votes and counts for nothing
    /// until the leader has brought it back.
    Behind {
        /// How that is known.
        cause: String,
    },
    /// The leader has brought this member back: it votes and counts again.
    BroughtBack,
    /// A change of the membership was agreed on and contradicts the membership: it has no effect.
    ChangeRefused {
        /// The member that it is about.
        member: MemberId,
        /// Why.
        cause: String,
    },
    /// A member published its name and client URLs.
    Published {
        /// The member.
        member: MemberId,
        /// Its name.
        name: String,
    },
    /// The version of the cluster was decided or raised.
    ClusterVersion {
        /// For instance `3.4.0`.
        version: String,
    },
    /// All members are Quorate, which the cluster has agreed on for ever.
    AllQuorate,
    /// This member has caught up with what it may have shown before it stopped: reads are served.
    Ready,
}
