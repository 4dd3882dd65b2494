//! A member that was started on the data directory of another one.
//!
//! The directory decides who a member is, so one that got another's by mistake would take part as
//! that other, at the wrong place and under the wrong name, while its own directory lies idle or is
//! used elsewhere. A member may be renamed, but not to the name of one that is there.

use alloc::format;
use alloc::string::String;

use super::output::Exit;
use super::running::Running;
use crate::error::Refusal;
use crate::id::MemberId;
use crate::member::Cluster;

impl Running {
    /// Ends if by what is known of the members the directory is another one's.
    pub(super) fn refuse_exchanged(&mut self) {
        if planted!(AcceptExchanged) {
            return;
        }
        let (own, name) = (self.owner.member, self.config.name.as_str());
        if let Some((theirs, other)) = exchanged(&self.cluster, own, name) {
            self.exit =
                Some(Exit::Refused(refusal(&self.config.data_dir, (&theirs, own), (name, other))));
        }
    }
}

/// As whom the cluster knows `own`, and who has the name under which it was started, if that is
/// another member.
fn exchanged(cluster: &Cluster, own: MemberId, name: &str) -> Option<(String, MemberId)> {
    let known = &cluster.members.get(&own)?.name;
    if known.is_empty() || known == name {
        return None;
    }
    let other = cluster.iter().find(|member| member.id != own && member.name == name)?;
    Some((known.clone(), other.id))
}

fn refusal(dir: &str, (theirs, own): (&str, MemberId), (name, other): (&str, MemberId)) -> Refusal {
    Refusal::new(format!(
        "the data directory {dir} is that of member {theirs} ({own}), and -name {name} is that of \
         member {other}"
    ))
    .hint("were the directories of the two exchanged? start each of them on its own")
    .hint(format!("if this is member {theirs}, start it with -name {theirs}"))
    .hint(format!(
        "if the directory of member {name} is lost, remove {other} from the cluster and add it \
         again, then start it with an empty directory and -initial-cluster-state existing"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::Member;

    #[test]
    fn only_the_name_of_another_member_tells_that_the_directory_is_not_its_own() {
        let (one, two) = (MemberId(1), MemberId(2));
        let named = |id, name: &str| {
            let (peer_urls, client_urls) = Default::default();
            Member { id, name: name.into(), peer_urls, client_urls, learner: false }
        };
        let of = |names: [&str; 2]| -> Cluster {
            [named(one, names[0]), named(two, names[1])].into_iter().collect()
        };
        let both = of(["a", "b"]);
        assert_eq!(exchanged(&both, one, "a"), None);
        assert_eq!(exchanged(&both, one, "c"), None, "it was renamed");
        assert_eq!(exchanged(&both, one, "b"), Some(("a".into(), two)));
        assert_eq!(exchanged(&both, MemberId(3), "b"), None, "it is no member");
        assert_eq!(exchanged(&of(["x", "x"]), one, "x"), None, "names need not differ");
        assert_eq!(exchanged(&of(["", "b"]), one, "b"), None, "it was never published");
    }
}
