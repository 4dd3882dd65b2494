//! Backups that are whole, cut and damaged, and what is made of them.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Damage, Head, PIECE, Pieces, Reader, Restored, restore};
use crate::boot::list::InitialCluster;
use crate::config::{Config, Settings};
use crate::error::Refusal;
use crate::id::{ClusterId, MemberId};
use crate::member::Cluster;
use crate::raft::LogId;
use crate::store::{Image, Store, Ttl};
use crate::time::Wall;
use crate::wire::conf_change::ConfChange;

const LIST: &str = "a=http://a:1,b=http://b:1,c=http://c:1";

fn head(index: u64) -> Head {
    Head {
        id: [0xb5; 16],
        member: MemberId(7),
        cluster: ClusterId(9),
        last: LogId { term: 3, index: 40 },
        store_index: index,
        taken: Wall::from_unix_nanos(1_400_000_000_500_000_000),
        len: 0,
    }
}

fn file(dump: &[u8]) -> Vec<u8> {
    Pieces::new(head(1), Bytes::copy_from_slice(dump)).flatten().collect()
}

fn read(file: &[u8]) -> Result<(Head, Bytes), Damage> {
    let mut reader = Reader::keeping();
    reader.push(file)?;
    reader.finish()
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_however_it_comes(
        len in 0..3 * PIECE,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let dump: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let file = file(&dump);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(file.len())).collect();
        cuts.push(file.len());
        cuts.sort_unstable();
        let mut reader = Reader::keeping();
        let mut from = 0;
        for to in cuts {
            reader.push(&file[from..to]).unwrap();
            from = to;
        }
        let (found, kept) = reader.finish().unwrap();
        prop_assert_eq!(found, Head { len: len as u64, ..head(1) });
        prop_assert_eq!(&kept[..], &dump[..]);
    }

    #[test]
    fn damage_is_told_with_its_place(
        len in 1..3 * PIECE,
        place in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let mut file = file(&Vec::from_iter((0..len).map(|at| at as u8)));
        let at = place.index(file.len());
        file[at] ^= 1_u8 << bit;
        let damage = read(&file).unwrap_err();
        match damage {
            Damage::Foreign => prop_assert!(at < 8),
            Damage::Version(_) => prop_assert!((8..12).contains(&at)),
            Damage::Checksum { at: from, len } => {
                prop_assert!((from..from + len).contains(&(at as u64)), "{damage}");
            }
            _ => prop_assert!(false, "{damage}"),
        }
    }

    #[test]
    fn what_ends_early_is_told_with_what_is_missing(
        len in 1..3 * PIECE,
        place in any::<prop::sample::Index>(),
    ) {
        let file = file(&Vec::from_iter((0..len).map(|at| at as u8)));
        let at = place.index(file.len());
        let missing = match at {
            // Nobody knows more before the head has been read.
            0..92 => 92 - at,
            _ => file.len() - at,
        };
        let expected = Damage::Short { at: at as u64, missing: missing as u64 };
        prop_assert_eq!(read(&file[..at]), Err(expected));
    }
}

#[test]
fn nothing_follows_a_backup() {
    let mut file = file(b"{}");
    let at = file.len() as u64;
    file.push(0);
    assert_eq!(read(&file), Err(Damage::Long { at }));
    let refusal = Damage::Long { at }.of("b");
    assert!(refusal.message.contains(&format!("offset {at}")) && refusal.hints.len() == 2);
}

/// The store of a cluster of the same list, which has run for a while.
fn old() -> (Head, Bytes, Store, Cluster) {
    let list = InitialCluster::parse(LIST).unwrap();
    let (mut store, mut cluster) = (Store::new(), Cluster::default());
    for entry in list.bootstrap_entries("etcd-cluster") {
        let change = ConfChange::decode(entry.data).unwrap();
        cluster.carry_out(&change, &mut store).unwrap();
    }
    store.set_identity(Bytes::from_static(b"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"));
    store.create("/0/removed_members/5", Some(b""), None).unwrap();
    store.create("/0/version", Some(b"3.4.0"), None).unwrap();
    store.create("/1/key", Some(b"value"), None).unwrap();
    store.create("/2/users/root", Some(b"{}"), None).unwrap();
    store
        .set(
            "/1/late",
            Some(b"x"),
            Ttl { expires: Some(1_500_000_000_000_000_000), ..Ttl::default() },
        )
        .unwrap();
    let image = store.image();
    let cluster_id = list.cluster_id("etcd-cluster");
    let head = Head { cluster: cluster_id, ..head(image.index()) };
    (head, image.encode(), store, cluster)
}

fn config(name: &str, more: &[(&str, &str)]) -> Config {
    let settings = Settings::new().flag("name", name).flag("initial-cluster", LIST);
    let settings =
        more.iter().fold(settings, |settings, (flag, value)| settings.flag(flag, *value));
    Config::validate(settings, [1; 32]).unwrap()
}

fn made(name: &str) -> Restored {
    let (head, dump, ..) = old();
    restore(&head, &dump, &config(name, &[])).unwrap()
}

fn refused(name: &str, more: &[(&str, &str)]) -> Refusal {
    let (head, dump, ..) = old();
    restore(&head, &dump, &config(name, more)).unwrap_err()
}

/// A dump in which there is a value where the members ought to be.
fn without_members() -> Refusal {
    let dump = String::from_utf8(Store::new().image().encode().to_vec()).unwrap();
    let dump = dump.replacen("\"Children\":{}", "\"Children\":null", 1);
    restore(&head(0), dump.as_bytes(), &config("a", &[])).unwrap_err()
}

#[test]
fn the_members_of_one_list_are_made_alike() {
    let (a, b) = (made("a").content, made("b").content);
    assert_eq!((a.snapshot.clone(), a.hard_state), (b.snapshot, b.hard_state));
    assert_eq!(a.owner.cluster, b.owner.cluster);
    assert_ne!(a.owner.member, b.owner.member);
    let snapshot = a.snapshot.unwrap();
    assert_eq!((snapshot.last, a.hard_state.commit), (LogId { term: 3, index: 40 }, 40));
    assert_eq!(snapshot.conf.voters.len(), 3);
    assert!(snapshot.conf.voters.contains(&a.owner.member));
    assert!(a.entries.is_empty());
}

#[test]
fn nothing_of_the_old_cluster_is_left_but_its_keys() {
    let (head, _, store, cluster) = old();
    let Restored { content, store_index } = made("a");
    assert_ne!(content.owner.cluster, head.cluster, "though list and token are the same");
    let image = Image::decode(&content.snapshot.unwrap().data).unwrap();
    let new = Cluster::from_image(&image);
    assert!(new.members.keys().all(|id| !cluster.members.contains_key(id)));
    assert_eq!(new.members.len(), 3);
    assert!(new.removed.is_empty() && new.nonce.is_none());
    assert_eq!(new.version.as_deref(), Some("3.4.0"));
    for namespace in ["/1", "/2"] {
        let node = |image: &Image| image.get(namespace, true).unwrap().node;
        assert_eq!(node(&image), node(store.as_image()), "{namespace}");
    }
    assert!(image.index() == store_index && store_index > head.store_index, "it goes on");
}

#[test]
fn another_backup_list_or_token_makes_another_cluster() {
    let (head, dump, ..) = old();
    let other = Head { id: [0xb6; 16], ..head };
    let cluster = |head: &Head, more: &[(&str, &str)]| {
        restore(head, &dump, &config("a", more)).unwrap().content.owner.cluster
    };
    let one = cluster(&head, &[]);
    assert_ne!(one, cluster(&other, &[]));
    assert_ne!(one, cluster(&head, &[("initial-cluster-token", "another")]));
    assert_ne!(one, cluster(&head, &[("initial-cluster", "a=http://a:1")]));
}

#[test]
fn what_cannot_be_restored_is_told() {
    let (head, dump, ..) = old();
    for (refusal, words) in [
        (refused("d", &[]), "d not listed in the initial cluster config"),
        (
            refused("a", &[("initial-advertise-peer-urls", "http://b:1")]),
            "a has different advertised URLs in the cluster and advertised peer URLs list",
        ),
        (refused("a", &[("initial-cluster", "a=http://a:1,b=http://a:1")]), "duplicate url"),
        (restore(&head, b"{", &config("a", &[])).unwrap_err(), "not a dump of the store"),
        (
            restore(&Head { store_index: 1, ..head }, &dump, &config("a", &[])).unwrap_err(),
            "its index is not that of its head",
        ),
        (without_members(), "its members cannot be replaced"),
    ] {
        assert!(refusal.message.contains(words), "{refusal:?}");
        assert!(!refusal.hints.is_empty(), "{refusal:?}");
    }
    restore(&head, &dump, &config("a", &[("initial-advertise-peer-urls", "http://a:1")])).unwrap();
}

#[test]
fn a_head_is_shown_to_people() {
    let shown: String = head(12).to_string();
    assert_eq!(
        shown,
        "backup b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5 of cluster 9, taken at 2014-05-13T16:53:20.5Z \
         from member 7: all entries up to 40, X-Etcd-Index 12"
    );
}
