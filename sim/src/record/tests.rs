use quorate_core::id::MemberId;
use quorate_core::raft::{Body, LogId, Message};

use super::*;

fn recorded(who: Who, what: What) -> Recorded {
    Recorded { time: 12_034_887_120, who, what }
}

fn message() -> Box<Message> {
    let prev = LogId { index: 7, term: 2 };
    let body = Body::Append { prev, entries: Vec::new(), commit: 5 };
    Box::new(Message { from: MemberId(1), to: MemberId(2), term: 3, body })
}

#[test]
fn lines_have_four_columns() {
    let send = recorded(Who::Node(1), What::Send { to: Some(0), message: message() });
    assert_eq!(
        Line(&send).to_string(),
        " 12.034887120 n1    send     to n0 term 3 append after 7 of term 2 up to 7, commit 5"
    );
    let sent = 12_000_001_000;
    let receive = recorded(Who::Node(0), What::Receive { from: 1, sent, message: message() });
    assert_eq!(
        Line(&receive).to_string(),
        " 12.034887120 n0    receive  from n1 sent 12.000001 term 3 append after 7 of term 2 up to \
         7, commit 5"
    );
    let calm = recorded(Who::World, What::Calm(vec![0, 2]));
    assert_eq!(Line(&calm).to_string(), " 12.034887120       calm     healthy are [0, 2]");
}

#[test]
fn nothing_is_made_unless_it_is_recorded() {
    let off = Recorder::new(false);
    off.add(1, Who::World, || unreachable!("nobody asked for a recording"));
    assert_eq!(off.take(), []);
    let on = Recorder::new(true);
    let copy = on.clone();
    copy.add(1, Who::Node(0), || What::Pause);
    assert_eq!(on.take(), [Recorded { time: 1, who: Who::Node(0), what: What::Pause }]);
    assert_eq!(copy.take(), []);
}

#[test]
fn what_prints_a_lot_is_cut_at_a_character() {
    let text = brief(&"ä".repeat(400));
    assert!(text.ends_with('…') && text.len() <= 303, "{text}");
    assert_eq!(brief(&1), "1");
}
