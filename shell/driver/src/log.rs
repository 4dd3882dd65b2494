//! The words for what the node notes.
//!
//! The core formats no log line: it says what happened as typed events, and here they become
//! sentences and levels for people.

use quorate_core::note::Note;
use quorate_core::url::Url;
use tracing::{debug, error, info, trace, warn};

/// Writes one note to the log.
pub fn note(note: &Note) {
    match note {
        Note::BootDecided { .. }
        | Note::FlagIgnored { .. }
        | Note::CertificateUnused { .. }
        | Note::PlainPeers { .. }
        | Note::Discovered { .. }
        | Note::DiscoveryFailed { .. }
        | Note::WaitingForRecords { .. }
        | Note::DiscoveryFull
        | Note::ProxyAgain { .. }
        | Note::ProxyPeers { .. }
        | Note::ProxyEndpoints { .. }
        | Note::ProxySilence { .. }
        | Note::WaitingToForm { .. }
        | Note::WaitingToComeLate { .. }
        | Note::WaitingToJoin { .. }
        | Note::Formed
        | Note::Joined
        | Note::Forced { .. }
        | Note::Published { .. }
        | Note::ClusterVersion { .. }
        | Note::AllQuorate
        | Note::Ready => boot(note),
        Note::SnapshotSaved { .. }
        | Note::SnapshotFailed { .. }
        | Note::SnapshotInstalled { .. }
        | Note::SnapshotSkipped { .. }
        | Note::TornTail { .. }
        | Note::DiskFull { .. }
        | Note::DiskRecovered => storage(note),
        _ => raft(note),
    }
}

/// Members, each with what is missing of it.
fn causes(missing: &[(String, String)]) -> String {
    let missing: Vec<_> = missing.iter().map(|(name, cause)| format!("{name} ({cause})")).collect();
    missing.join(", ")
}

fn boot(note: &Note) {
    match note {
        Note::BootDecided { member, cluster, restart: true } => {
            info!(%member, %cluster, "restarting member {member} in cluster {cluster}");
        }
        Note::BootDecided { member, cluster, restart: false } => {
            info!(%member, %cluster, "starting member {member} in cluster {cluster}");
        }
        // In the words of the guide.
        Note::FlagIgnored { flag: flag @ "discovery", data_dir } => warn!(
            flag,
            "discovery token ignored since a cluster has already been initialized. Valid log \
             found at {data_dir}"
        ),
        Note::FlagIgnored { flag, data_dir } => {
            info!(flag, "-{flag} is ignored: the data directory {data_dir} holds a member already");
        }
        Note::PlainPeers { url } => warn!(
            "{url} is listened on for other members without TLS: whoever can connect can act as one; \
             see -peer-cert-file, -peer-trusted-ca-file and -peer-client-cert-auth"
        ),
        Note::CertificateUnused { flag, url } => {
            warn!(flag, "{url} is listened on without TLS: -{flag} is not used there");
        }
        Note::Discovered { registered, missing: 0 } => {
            info!(
                "discovery: found {} needed peer(s): {}",
                registered.len(),
                registered.join(", ")
            );
        }
        Note::Discovered { registered, missing } => {
            let found = registered.len();
            let who = if found == 0 { "nobody".to_owned() } else { registered.join(", ") };
            info!(
                missing,
                "discovery: found {found} peer(s), waiting for {missing} more: {who} registered"
            );
        }
        Note::DiscoveryFailed { service, cause, pause } => {
            let seconds = pause.as_secs_f32();
            warn!(
                cause,
                "discovery: waiting for the service {service}, asking again in {seconds:.1}s: {cause}"
            );
        }
        Note::WaitingForRecords { domain, missing } => {
            info!(domain, "waiting for the list of members in DNS: {}", missing.join("; "));
        }
        Note::DiscoveryFull => warn!("discovery cluster full, falling back to proxy"),
        Note::ProxyAgain { data_dir } => warn!(
            "the data directory {data_dir} has been a proxy's before: starting as a proxy, whatever \
             the flags say"
        ),
        Note::ProxyPeers { peers } => info!("proxy: using peer urls {}", list(peers)),
        Note::ProxyEndpoints { found } => info!("proxy: endpoints found {}", list(found)),
        Note::ProxySilence { cause } => {
            warn!(cause, "proxy: could not retrieve cluster information from any member: {cause}");
        }
        Note::WaitingToForm { missing } => {
            info!("waiting to form the cluster: {}", causes(missing));
        }
        Note::WaitingToComeLate { missing } => info!(
            "the cluster was formed without this member, which has to hear of all voters that they \
             do not know it from before: waiting for {}; bring them back, or remove them from the \
             cluster",
            causes(missing)
        ),
        Note::WaitingToJoin { missing } => {
            info!("waiting to join the cluster: {}", causes(missing));
        }
        Note::Formed => info!("every listed member is there: the cluster is formed"),
        Note::Joined => info!("joining the cluster: its log is on the way"),
        Note::Forced { removed } => {
            let ids: Vec<_> = removed.iter().map(ToString::to_string).collect();
            warn!("forcing a new cluster of this member alone; removed: {}", ids.join(", "));
        }
        Note::Published { member, name } => {
            info!(%member, name, "member {member} published itself as {name}");
        }
        Note::ClusterVersion { version } => {
            info!(version, "the cluster version is {version}");
        }
        Note::AllQuorate => {
            info!("all members are Quorate: new ones become voters once they have caught up");
        }
        Note::Ready => info!("ready to serve client requests"),
        _ => {}
    }
}

fn list(urls: &[Url]) -> String {
    urls.iter().map(Url::as_str).collect::<Vec<_>>().join(" ")
}

fn storage(note: &Note) {
    match note {
        Note::SnapshotSaved { last } => {
            info!(index = last.index, term = last.term, "saved a snapshot at index {}", last.index);
        }
        Note::SnapshotFailed { cause } => {
            warn!(cause, "could not save a snapshot, will try again: {cause}");
        }
        Note::SnapshotSkipped { last } => {
            let index = last.index;
            warn!(index, "the snapshot at index {index} is missing or damaged: using an older one");
        }
        Note::SnapshotInstalled { last } => info!(
            index = last.index,
            term = last.term,
            "installed a snapshot of the leader at index {}",
            last.index
        ),
        Note::TornTail { file, at, cut } => {
            warn!(
                file,
                at, cut, "{file} ended in {cut} bytes that were never acknowledged: cut at {at}"
            );
        }
        Note::DiskFull { cause } => {
            error!(cause, "the disk is full, writes are refused until it has space: {cause}");
        }
        Note::DiskRecovered => info!("the disk has space again: writes are accepted"),
        _ => {}
    }
}

fn raft(note: &Note) {
    match note {
        Note::BecameFollower { term, leader: Some(leader) } => {
            info!(term, %leader, "following leader {leader} at term {term}");
        }
        Note::BecameFollower { term, leader: None } => {
            info!(term, "became a follower at term {term}, no leader known yet");
        }
        Note::Campaigned { term, pre: true } => {
            info!(term, "asking whether an election for term {term} could be won");
        }
        Note::Campaigned { term, pre: false } => {
            info!(term, "campaigning for term {term}");
        }
        Note::Voted { term, candidate } => {
            info!(term, %candidate, "voted for {candidate} at term {term}");
        }
        Note::BecameLeader { term, last } => {
            info!(term, last = last.index, "became the leader at term {term}");
        }
        Note::QuorumLost { term } => {
            warn!(term, "stepped down at term {term}: no quorum was heard from");
        }
        Note::Transferring { to } => info!(%to, "handing leadership over to {to}"),
        Note::Committed { last } => trace!(index = last.index, term = last.term, "committed"),
        Note::Applied { last, store_index } => {
            trace!(index = last.index, term = last.term, store_index, "applied");
        }
        Note::PeerRefused { peer: Some(peer), cause } => {
            warn!(%peer, cause, "refused peer {peer}: {cause}");
        }
        Note::Behind { cause } => {
            warn!(
                cause,
                "the data directory is an older copy, or was cut: {cause}; this member takes no \
                 part in votes until the leader has brought it back"
            );
        }
        Note::BroughtBack => info!("the leader has brought this member back: it votes again"),
        Note::PeerRefused { peer: None, cause } => {
            warn!(cause, "refused a peer: {cause}");
        }
        Note::ChangeRefused { member, cause } => {
            warn!(%member, cause, "a change of member {member} has no effect: {cause}");
        }
        other => debug!(?other, "noted"),
    }
}
