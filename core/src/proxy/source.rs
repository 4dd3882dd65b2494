//! Where a proxy learns of its cluster at first, and again when nobody it knows answers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::boot::list::InitialCluster;
use crate::boot::srv::{Search as Standing, Srv as Search};
use crate::config::{Config, Discovery, Members, Srv};
use crate::discovery::{Client, Verdict};
use crate::dns;
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::node::{CallId, Effects};
use crate::note::Note;
use crate::rng::Rng;
use crate::time::Instant;
use crate::url::Url;

/// What the flags say about the cluster.
#[derive(Debug)]
pub(super) enum Source {
    /// Peer URLs of members.
    List(Vec<Url>),
    /// A discovery service, which is asked at times.
    Service(Discovery, Option<Box<Client>>),
    /// DNS, which is asked at times.
    Records(Srv, Option<Search>),
    /// Nothing that could be read: all that is known is what the data directory has.
    Nothing,
}

/// What came of asking.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing yet.
    Nothing,
    /// Peer URLs of members.
    Peers(Vec<Url>),
    /// There is no such cluster.
    Refused(Refusal),
}

impl Source {
    /// Reads it from the flags.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(config: &Config) -> Result<Self, Refusal> {
        match config.bootstrap()?.members {
            Members::New(list) | Members::Existing(list) | Members::Auto(list) => {
                InitialCluster::parse(&list).map(|list| Self::List(urls(&list)))
            }
            Members::Discovery(discovery) => Ok(Self::Service(discovery, None)),
            Members::Srv(asked) => Ok(Self::Records(asked, None)),
        }
    }

    /// Begins to look for members.
    pub(super) fn look(
        &mut self,
        config: &Config,
        now: Instant,
        rng: Rng,
        fx: &mut Effects<'_>,
    ) -> Option<Vec<Url>> {
        match self {
            Self::List(urls) => Some(urls.clone()),
            Self::Service(discovery, client @ None) => {
                let Discovery { token, via, .. } = discovery.clone();
                let data_dir = config.data_dir.clone();
                *client = Some(Box::new(Client::new(token, via, data_dir, rng, now)));
                None
            }
            Self::Records(asked, search @ None) => {
                *search = Some(Search::begin(&config.name, asked.clone(), Vec::new(), now, fx));
                None
            }
            Self::Service(_, Some(_)) | Self::Records(_, Some(_)) | Self::Nothing => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Service(_, Some(client)) => client.deadline(),
            Self::Records(_, Some(search)) => search.deadline(),
            _ => None,
        }
    }

    /// Time has passed.
    pub(super) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if let Self::Records(_, Some(search)) = self {
            search.wake(now, fx);
        }
    }

    /// A look-up has ended.
    pub(super) fn looked_up(
        &mut self,
        now: Instant,
        call: CallId,
        answer: dns::Answer,
        fx: &mut Effects<'_>,
    ) -> Found {
        let Self::Records(_, searching) = self else { return Found::Nothing };
        let Some(search) = searching.take() else { return Found::Nothing };
        match search.looked_up(now, call, answer, fx) {
            Ok(Standing::Waiting(search)) => {
                *searching = Some(*search);
                Found::Nothing
            }
            Ok(Standing::Listed(listed)) => Found::Peers(urls(&listed.list)),
            Err(refusal) => Found::Refused(refusal),
        }
    }

    pub(super) fn ask(
        &mut self,
        now: Instant,
        fresh: impl FnOnce() -> CallId,
    ) -> Option<(CallId, Call)> {
        match self {
            Self::Service(_, Some(client)) => client.ask(now, fresh),
            _ => None,
        }
    }

    /// A call has ended, maybe one of the source.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
        note: impl FnMut(Note),
    ) -> Found {
        let Self::Service(_, asking) = self else { return Found::Nothing };
        let Some(client) = asking else { return Found::Nothing };
        let verdict = client.answered(now, call, result);
        client.news().into_iter().for_each(note);
        let found = match verdict {
            Verdict::Wait | Verdict::Register => return Found::Nothing,
            Verdict::Complete(list) | Verdict::Full(list, _) => Found::Peers(urls(&list)),
            Verdict::Refuse(refusal) => Found::Refused(refusal),
        };
        *asking = None;
        found
    }
}

/// The peer URLs of all.
pub(super) fn urls(list: &InitialCluster) -> Vec<Url> {
    list.iter().flat_map(|(_, urls)| urls).cloned().collect()
}
