use proptest::prelude::*;

use super::{Answer, Ask, Operation, Register, Verdict, check, reference};

const BUDGET: usize = 100_000;

fn op(called: u64, returned: u64, ask: Ask, answer: Answer) -> Operation {
    Operation { called, returned: Some((returned, answer)), ask }
}

fn unknown(called: u64, ask: Ask) -> Operation {
    Operation { called, returned: None, ask }
}

const fn found(value: u64, modified: u64, at: u64) -> Answer {
    Answer::Found { value, modified, at }
}

const fn done(at: u64) -> Answer {
    Answer::Done { at, before: None }
}

#[test]
fn a_stale_read_is_a_violation() {
    let mut history = vec![
        op(0, 1, Ask::Set(1), done(1)),
        op(2, 3, Ask::Set(2), done(2)),
        op(4, 5, Ask::Read, found(1, 1, 1)),
    ];
    assert_eq!(check(&history, BUDGET), Verdict::Violated);
    history[2].called = 1;
    assert_eq!(check(&history, BUDGET), Verdict::Linearizable);
}

#[test]
fn an_unknown_write_may_or_may_not_have_happened() {
    let write = unknown(0, Ask::Set(7));
    let absent = op(5, 6, Ask::Read, found(0, 0, 3));
    let present = op(7, 8, Ask::Read, found(7, 4, 4));
    assert_eq!(check(&[write, absent], BUDGET), Verdict::Linearizable);
    assert_eq!(check(&[write, present], BUDGET), Verdict::Linearizable);
    assert_eq!(check(&[write, absent, present], BUDGET), Verdict::Linearizable);
    let absent_again = op(9, 10, Ask::Read, found(0, 0, 5));
    assert_eq!(check(&[write, present, absent_again], BUDGET), Verdict::Violated);
}

#[test]
fn both_of_two_creates_cannot_succeed() {
    let history = [op(0, 9, Ask::Create(1), done(1)), op(0, 9, Ask::Create(2), done(2))];
    assert_eq!(check(&history, BUDGET), Verdict::Violated);
    let history =
        [op(0, 9, Ask::Create(1), done(1)), op(0, 9, Ask::Create(2), Answer::Refused { at: 1 })];
    assert_eq!(check(&history, BUDGET), Verdict::Linearizable);
}

#[test]
fn a_lost_write_is_a_violation() {
    let history = [op(0, 1, Ask::Set(1), done(1)), op(2, 3, Ask::Read, found(0, 0, 1))];
    assert_eq!(check(&history, BUDGET), Verdict::Violated);
}

#[test]
fn a_swap_that_should_have_failed_is_a_violation() {
    let base = op(0, 1, Ask::Set(1), done(1));
    let swap = |old| op(2, 3, Ask::SwapValue(old, 9), done(2));
    assert_eq!(check(&[base, swap(1)], BUDGET), Verdict::Linearizable);
    assert_eq!(check(&[base, swap(5)], BUDGET), Verdict::Violated);
    let refused = op(2, 3, Ask::SwapValue(1, 9), Answer::Refused { at: 1 });
    assert_eq!(check(&[base, refused], BUDGET), Verdict::Violated);
}

#[test]
fn the_index_that_a_write_gave_must_be_the_one_that_reads_show() {
    let history = [op(0, 1, Ask::Set(1), done(4)), op(2, 3, Ask::Read, found(1, 5, 6))];
    assert_eq!(check(&history, BUDGET), Verdict::Violated);
}

#[test]
fn a_long_history_with_many_unknown_writes_is_judged_quickly() {
    let mut history = Vec::new();
    for i in 1..=1000u64 {
        history.push(op(10 * i, 10 * i + 25, Ask::Set(i), done(i)));
        if i % 10 == 0 {
            history.push(unknown(10 * i, Ask::Set(100_000 + i)));
        }
    }
    assert_eq!(check(&history, BUDGET), Verdict::Linearizable);
}

/// Tries every order of every subset that holds all answered operations.
fn brute(history: &[Operation], used: &mut Vec<bool>, register: &Register) -> bool {
    let open =
        |used: &[bool]| (0..history.len()).any(|i| !used[i] && history[i].returned.is_some());
    if !open(used) {
        return true;
    }
    let horizon = (0..history.len())
        .filter(|i| !used[*i])
        .filter_map(|i| history[i].returned.map(|r| r.0))
        .min()
        .unwrap_or(u64::MAX);
    for i in 0..history.len() {
        if used[i] || history[i].called > horizon {
            continue;
        }
        used[i] = true;
        let mut nexts = steps(register, &history[i]).into_iter();
        if nexts.any(|next| brute(history, used, &next)) {
            return true;
        }
        used[i] = false;
    }
    false
}

/// The registers that an operation may lead to. A write of unknown outcome may have any index.
fn steps(register: &Register, operation: &Operation) -> Vec<Register> {
    if operation.returned.is_some() {
        return register.step(operation).into_iter().collect();
    }
    // No answer of a test goes beyond.
    let indexes = register.reached + 1..=register.reached.max(6) + 1;
    let at = |at| Operation {
        returned: Some((u64::MAX, Answer::Done { at, before: None })),
        ..*operation
    };
    indexes.filter_map(|index| register.step(&at(index))).collect()
}

/// An operation of a history of `MOST`; the one at `number` writes the value `number + 1`.
fn operation() -> impl Strategy<Value = Operation> {
    let ask = prop_oneof![
        Just(Ask::Read),
        Just(Ask::Set(0)),
        Just(Ask::Create(0)),
        (1..=MOST).prop_map(|old| Ask::SwapValue(old, 0)),
        (1u64..6).prop_map(|index| Ask::SwapIndex(index, 0)),
        Just(Ask::Delete),
    ];
    (ask, 0u64..12, 1u64..8, 0u8..6, 0..=MOST, 0u64..6, 0u64..6).prop_map(
        |(ask, called, length, kind, value, index, at)| {
            let modified = if value == 0 { 0 } else { index };
            let answer = match (ask, kind) {
                (_, 0) => None,
                (Ask::Read, _) => Some(found(value, modified, at)),
                (_, 1) => Some(Answer::Refused { at }),
                (_, 2) => Some(Answer::Done { at, before: Some(value) }),
                _ => Some(done(at)),
            };
            Operation { called, returned: answer.map(|a| (called + length, a)), ask }
        },
    )
}

const MOST: u64 = 6;

/// Gives each write a value of its own.
fn unique(history: Vec<Operation>) -> Vec<Operation> {
    let with = |(number, o): (usize, Operation)| {
        let value = number as u64 + 1;
        let ask = match o.ask {
            Ask::Set(_) => Ask::Set(value),
            Ask::Create(_) => Ask::Create(value),
            Ask::SwapValue(old, _) => Ask::SwapValue(old, value),
            Ask::SwapIndex(index, _) => Ask::SwapIndex(index, value),
            other => other,
        };
        Operation { ask, ..o }
    };
    history.into_iter().enumerate().map(with).collect()
}

/// What a real register answers to operations that take effect one after the other, each at a
/// random moment between its call and its answer.
fn executed(asks: Vec<(Operation, u64)>) -> Vec<Operation> {
    let mut order: Vec<(u64, Operation)> = asks
        .into_iter()
        .map(|(o, when)| (when + 12, Operation { called: when + 12 - o.called, ..o }))
        .collect();
    order.sort_by_key(|o| o.0);
    let moments: Vec<u64> = order.iter().map(|o| o.0).collect();
    let operations = unique(order.into_iter().map(|o| o.1).collect());
    let (mut value, mut modified, mut index) = (0u64, 0u64, 0u64);
    let mut history = Vec::new();
    for (when, o) in moments.into_iter().zip(operations) {
        let new = match o.ask {
            Ask::Read => None,
            Ask::Set(v) => Some(v),
            Ask::Create(v) => (value == 0).then_some(v),
            Ask::SwapValue(old, v) => (value == old && old != 0).then_some(v),
            Ask::SwapIndex(i, v) => (value != 0 && modified == i).then_some(v),
            Ask::Delete => (value != 0).then_some(0),
        };
        let answer = if let Some(new) = new {
            index += 1;
            let before = Some(std::mem::replace(&mut value, new));
            modified = index;
            Answer::Done { at: index, before }
        } else if o.ask == Ask::Read {
            found(value, if value == 0 { 0 } else { modified }, index)
        } else {
            Answer::Refused { at: index }
        };
        let returned = o.returned.map(|(r, _)| (when + r % 20, answer));
        history.push(Operation { returned, ..o });
    }
    history
}

/// The checker accepts what can be explained, and nothing else; and so does stateright's.
fn agrees(history: &[Operation]) -> Result<(), TestCaseError> {
    let found = check(history, BUDGET) == Verdict::Linearizable;
    let order = brute(history, &mut vec![false; history.len()], &Register::absent());
    prop_assert_eq!(found, order, "trying every order says otherwise");
    prop_assert_eq!(found, reference::is_linearizable(history), "stateright says otherwise");
    Ok(())
}

/// Of a write that nobody saw, two comparisons cannot say opposite things.
#[test]
fn an_unknown_index_is_one_index() {
    let write = unknown(0, Ask::Set(7));
    let refused = op(1, 2, Ask::SwapIndex(1, 8), Answer::Refused { at: 3 });
    let swapped = |index| op(3, 4, Ask::SwapIndex(index, 9), done(4));
    assert_eq!(check(&[write, refused, swapped(2)], BUDGET), Verdict::Linearizable);
    assert_eq!(check(&[write, refused, swapped(1)], BUDGET), Verdict::Violated);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn agrees_with_trying_every_order(
        history in prop::collection::vec(operation(), 0..=MOST as usize),
    ) {
        agrees(&unique(history))?;
    }

    #[test]
    fn accepts_what_a_register_does(
        asks in prop::collection::vec((operation(), 0u64..300), 1..100),
    ) {
        prop_assert_eq!(check(&executed(asks), BUDGET), Verdict::Linearizable);
    }

    #[test]
    fn agrees_with_stateright_on_what_a_register_does(
        asks in prop::collection::vec((operation(), 0u64..200), 1..30),
    ) {
        prop_assert!(reference::is_linearizable(&executed(asks)));
    }

    /// A register's answers with one of them changed are judged as trying every order judges them;
    /// most of the time that is a violation of the subtle kind.
    #[test]
    fn agrees_when_one_answer_is_wrong(
        asks in prop::collection::vec((operation(), 0u64..20), 1..=MOST as usize),
        which in 0usize..6,
        wrong in operation(),
    ) {
        let mut history = executed(asks);
        let at = which % history.len();
        if let (Some((when, _)), Some((_, answer))) = (history[at].returned, wrong.returned) {
            history[at].returned = Some((when, answer));
        }
        agrees(&history)?;
    }
}
