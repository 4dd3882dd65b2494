//! Scopes: how much of the world one exploration covers.

use quorate_core::id::MemberId;
use quorate_core::raft::Change;

use crate::fault::Fault;

/// What may happen, and how often. Loss, repetition and any order of messages are always possible,
/// and so is a disk that takes its time.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// For each member the terms of the entries in its log, all of them durable.
    pub(crate) logs: Vec<Vec<u64>>,
    /// How many members vote at the start: the first ones.
    pub(crate) voters: usize,
    /// In how many terms there may be elections.
    pub(crate) terms: u64,
    /// Whether elections begin by timeout and ask for pre-votes first. Otherwise they begin as if
    /// a leader had told the member to campaign, which any member may be told at any time: more
    /// can happen, in fewer steps.
    pub(crate) pre_vote: bool,
    /// How many entries leaders may be given at any time, besides the no-op with which each begins.
    pub(crate) proposals: u8,
    /// How many members may campaign: the first ones. The others vote and follow.
    pub(crate) candidates: usize,
    /// A change of the membership that a leader may be given, once.
    pub(crate) change: Option<Change>,
    /// Whether members may lose their power, at any time and as often as they like.
    pub(crate) crashes: bool,
    /// Whether writes take time. If not, everything is durable at once.
    pub(crate) slow_disk: bool,
    /// Whether time passes for leaders: they send heartbeats, and step down if they do not hear
    /// from a quorum.
    pub(crate) heartbeats: bool,
    /// What is broken on purpose.
    pub(crate) fault: Option<Fault>,
    /// The one invariant to be looked at; all of them if there is none.
    pub(crate) only: Option<&'static str>,
}

impl Scope {
    /// Three voters with empty logs, elections in one term, and nothing else.
    pub(crate) fn three() -> Self {
        Self {
            logs: vec![Vec::new(); 3],
            voters: 3,
            terms: 1,
            pre_vote: false,
            proposals: 0,
            candidates: 3,
            change: None,
            crashes: false,
            slow_disk: false,
            heartbeats: false,
            fault: None,
            only: None,
        }
    }

    /// The members that vote at the start.
    pub(crate) fn first_voters(&self) -> impl Iterator<Item = MemberId> {
        (0..self.voters).map(member_id)
    }

    /// The term of all members at the start; never 0, which means something else in messages.
    pub(crate) fn first_term(&self) -> u64 {
        self.logs.iter().flatten().copied().max().unwrap_or(1)
    }

    /// The last term for which a member may campaign.
    pub(crate) fn last_term(&self) -> u64 {
        self.first_term() + self.terms
    }

    /// Whether the members are alike at the start, so that it makes no difference which of them
    /// moves first.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.voters == self.logs.len()
            && self.change.is_none()
            && self.logs.iter().all(|log| *log == self.logs[0])
    }
}

impl Scope {
    /// Changes what a text says: `NAME=VALUE` and more, separated by spaces.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn set(&mut self, text: &str) -> Result<(), String> {
        for setting in text.split_whitespace() {
            let (name, value) =
                setting.split_once('=').ok_or_else(|| format!("{setting:?} is not NAME=VALUE"))?;
            let value: u8 = value.parse().map_err(|_| format!("{setting:?} has no number"))?;
            match name {
                "terms" => self.terms = value.into(),
                "proposals" => self.proposals = value,
                "candidates" => self.candidates = value.into(),
                "pre_vote" => self.pre_vote = value > 0,
                "crashes" => self.crashes = value > 0,
                "slow_disk" => self.slow_disk = value > 0,
                "heartbeats" => self.heartbeats = value > 0,
                "voters" => self.voters = usize::from(value).clamp(1, 3),
                "add" => self.change = Some(Change::AddVoter(MemberId(value.into()))),
                "learn" => self.change = Some(Change::AddLearner(MemberId(value.into()))),
                "remove" => self.change = Some(Change::Remove(MemberId(value.into()))),
                _ => return Err(format!("{name} is no part of a scope")),
            }
        }
        Ok(())
    }
}

/// The ID of the member at a position.
pub(crate) fn member_id(at: usize) -> MemberId {
    MemberId(at as u64 + 1)
}

/// The position of a member.
pub(crate) fn position(id: MemberId) -> usize {
    usize::try_from(id.0 - 1).expect("members are few")
}
