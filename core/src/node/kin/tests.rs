use super::*;
use crate::member::identity::Incarnation;

const NOW: Instant = Instant::from_nanos(0);

fn incarnation(byte: u8) -> Incarnation {
    Incarnation::new(&[byte; 32])
}

fn said(byte: u8) -> Said {
    Said { incarnation: Some(incarnation(byte)), ..Said::default() }
}

fn idle(known: &[(u64, u8)]) -> Kin {
    let mut kin = Kin::begin(&mut Script::default());
    kin.file = File::Idle;
    let known = known.iter().map(|(id, byte)| {
        (MemberId(*id), Known { incarnation: incarnation(*byte), past: Evidence::default() })
    });
    kin.known = Arc::new(known.collect());
    kin
}

fn judge(kin: &mut Kin, from: u64, said: Said) -> Judged {
    kin.judge(NOW, MemberId(from), said, None)
}

#[test]
fn nothing_counts_before_it_is_known_who_said_it() {
    let mut kin = Kin::begin(&mut Script::default());
    assert!(matches!(judge(&mut kin, 1, said(1)), Judged::Early));
    let mut kin = idle(&[]);
    assert!(matches!(judge(&mut kin, 1, said(1)), Judged::Early));
    assert!(kin.quorate.is_empty());
    let mut script = Script::default();
    kin.write(NOW, &BTreeSet::new(), &mut script);
    let File::Writing(_, content) = core::mem::replace(&mut kin.file, File::Idle) else {
        panic!("nothing is written");
    };
    assert_eq!(content.len(), 1);
    assert!(matches!(judge(&mut kin, 1, said(1)), Judged::Early));
    assert!(kin.written(&content));
    assert!(matches!(judge(&mut kin, 1, said(1)), Judged::Taken));
}

#[test]
fn another_directory_does_not_count() {
    let mut kin = idle(&[(1, 1)]);
    assert!(matches!(judge(&mut kin, 1, said(1)), Judged::Taken));
    assert!(matches!(judge(&mut kin, 1, said(2)), Judged::Refused(_)));
    // The first contact counts, also while it is being written.
    assert!(matches!(judge(&mut kin, 2, said(2)), Judged::Early));
    assert!(matches!(judge(&mut kin, 2, said(3)), Judged::Early));
    assert_eq!(kin.new[&MemberId(2)].incarnation, incarnation(2));
}

#[test]
fn an_older_copy_does_not_count_until_it_knows_what_it_lacks() {
    let mut kin = idle(&[(1, 1)]);
    let first = Boots::first(&[1; 32]);
    let second = first.next(&[2; 32]);
    let with = |boots| Said { boots: Some(boots), ..said(1) };
    assert!(matches!(judge(&mut kin, 1, with(first)), Judged::Taken));
    assert!(matches!(judge(&mut kin, 1, with(second)), Judged::Taken));
    assert_eq!(kin.known[&MemberId(1)].past.boot, second.last());
    assert!(matches!(judge(&mut kin, 1, with(first)), Judged::Forgetful), "an old message");
    let copy = first.next(&[3; 32]);
    assert!(matches!(judge(&mut kin, 1, with(copy)), Judged::Forgetful));
    let told = copy.with(second.last());
    assert!(matches!(judge(&mut kin, 1, with(told)), Judged::Taken));
    assert!(matches!(judge(&mut kin, 1, with(second)), Judged::Forgetful));
}

#[test]
fn what_is_remembered_is_written_later() {
    let mut kin = idle(&[(1, 1)]);
    let acked = Acked { term: 2, index: 7 };
    kin.acknowledged(NOW, MemberId(1), acked);
    kin.acknowledged(NOW, MemberId(1), Acked { term: 2, index: 6 });
    kin.acknowledged(NOW, MemberId(1), Acked { term: 1, index: 9 });
    kin.acknowledged(NOW, MemberId(2), acked);
    assert_eq!(kin.known[&MemberId(1)].past.acked, acked);
    let due = kin.deadline().unwrap();
    let mut script = Script::default();
    kin.write(NOW, &BTreeSet::new(), &mut script);
    assert!(matches!(kin.file, File::Idle));
    kin.write(due, &BTreeSet::new(), &mut script);
    assert!(matches!(&kin.file, File::Writing(_, all) if all[&MemberId(1)].past.acked == acked));
    assert_eq!(kin.deadline(), None);
}

#[test]
fn members_of_etcd_and_of_other_clusters() {
    let mut kin = idle(&[(1, 1)]);
    let (own, other) = (Nonce::new(&[1; 32]), Nonce::new(&[2; 32]));
    let mut judge = |from, said, own| kin.judge(NOW, MemberId(from), said, own);
    assert!(matches!(judge(3, Said::default(), None), Judged::Taken));
    assert!(matches!(judge(3, Said::default(), Some(own)), Judged::Refused(_)));
    let of = |nonce| Said { nonce: Some(nonce), ..said(1) };
    assert!(matches!(judge(1, of(other), Some(own)), Judged::Refused(_)));
    assert!(matches!(judge(1, of(own), Some(own)), Judged::Taken));
    assert!(matches!(judge(1, of(other), None), Judged::Taken));
}
