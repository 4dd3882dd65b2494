//! Which release of etcd this member stands among, and so what it says it is.
//!
//! No setting fits both 2.3 and 3.4, and no cluster mixes the two: the version that the cluster
//! has agreed on says which it is. Before there is one, the peers say it.

use super::running::Running;
use crate::member::Cluster;
use crate::member::identity::Said;
use crate::raft::Release;
use crate::wire::version::{Personality, Version};

impl Running {
    /// A peer says its version, which counts as long as the cluster has agreed on none.
    pub(super) fn hear_version(&mut self, said: Said) {
        if !self.among_old && said.server.is_some_and(is_old) {
            self.among_old = true;
            self.changed = true;
        }
    }

    /// The release among whose members this one stands.
    pub(super) fn release(&self) -> Release {
        let heard = if self.among_old { Release::V2_3 } else { Release::V3_4 };
        agreed(&self.cluster).unwrap_or(heard)
    }

    /// What this member says it is.
    pub(super) fn personality(&self) -> Personality {
        match (self.release(), agreed(&self.cluster)) {
            (Release::V3_4, None) => Personality::UNDECIDED,
            (release, _) => Personality::among(release),
        }
    }
}

/// The release that the cluster has agreed on. Members of Quorate alone need no old one.
fn agreed(cluster: &Cluster) -> Option<Release> {
    if cluster.nonce.is_some() {
        return Some(Release::V3_4);
    }
    let version = cluster.version.as_deref().and_then(Version::parse)?;
    Some(if is_old(version) { Release::V2_3 } else { Release::V3_4 })
}

fn is_old(version: Version) -> bool {
    version < Personality::V3_4.min_cluster
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::identity::Nonce;

    #[test]
    fn the_version_of_the_cluster_says_the_release() {
        let at = |version: &str| Cluster { version: Some(version.into()), ..Cluster::default() };
        assert_eq!(agreed(&Cluster::default()), None);
        assert_eq!(agreed(&at("nonsense")), None);
        assert_eq!(agreed(&at("2.2.0")), Some(Release::V2_3));
        assert_eq!(agreed(&at("2.3.0")), Some(Release::V2_3));
        assert_eq!(agreed(&at("3.0.0")), Some(Release::V3_4));
        assert_eq!(agreed(&at("3.4.0")), Some(Release::V3_4));
        let alone = Cluster { nonce: Some(Nonce::new(&[1; 32])), ..at("2.3.0") };
        assert_eq!(agreed(&alone), Some(Release::V3_4));
    }
}
