//! Members whose lists differ before they form.
//!
//! Records do not reach all resolvers at the same moment. A member that hears another list from a
//! member of its own asks DNS again, and takes what it finds there; so late records come to
//! everybody before anything is formed. Where the lists go on to differ, one of the resolvers is wrong, and no
//! waiting helps.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Listed, Search, Srv};
use crate::boot::list::InitialCluster;
use crate::config::Srv as Asked;
use crate::dns::Answer;
use crate::error::Refusal;
use crate::node::{CallId, Effects};
use crate::time::{Duration, Instant};
use crate::url::Url;

/// Between the end of one search and the next.
const PAUSE: Duration = Duration::from_secs(2);

/// What a member that waits to form with a list from DNS does about differences.
#[derive(Debug)]
pub(in crate::boot) struct Renewal {
    asked: Asked,
    name: String,
    urls: Vec<Url>,
    /// When the lists were seen to differ first and last, if that is not over.
    differed: Option<(Instant, Instant)>,
    /// Whether they differ now.
    differs: bool,
    search: Option<Srv>,
    due: Instant,
}

impl Renewal {
    pub(in crate::boot) fn new(asked: &Asked, name: &str, urls: &[Url]) -> Self {
        Self {
            asked: asked.clone(),
            name: name.into(),
            urls: urls.to_vec(),
            differed: None,
            differs: false,
            search: None,
            due: Instant::default(),
        }
    }

    /// Time has passed. `differences` are those of the others, in words, to `list`.
    ///
    /// # Errors
    /// The lists differ for too long.
    pub(in crate::boot) fn wake(
        &mut self,
        now: Instant,
        list: &InitialCluster,
        differences: &[String],
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let patience = self.asked.patience;
        self.differed = match self.differed {
            Some((_, last)) if differences.is_empty() && now.since(last) >= patience => None,
            old if differences.is_empty() => old,
            old => Some((old.map_or(now, |(first, _)| first), now)),
        };
        self.differs = !differences.is_empty();
        if !self.differs {
            self.search = None;
            return Ok(());
        }
        if self.gives_up().is_some_and(|at| at <= now) {
            return Err(self.give_up(list, differences));
        }
        match &mut self.search {
            Some(search) => search.wake(now, fx),
            None if self.due <= now => {
                let (asked, urls) = (self.asked.clone(), self.urls.clone());
                self.search = Some(Srv::begin(&self.name, asked, urls, now, fx));
            }
            None => {}
        }
        Ok(())
    }

    /// A look-up has ended. Gives the list that DNS has now.
    pub(in crate::boot) fn looked_up(
        &mut self,
        now: Instant,
        call: CallId,
        answer: Answer,
        fx: &mut Effects<'_>,
    ) -> Option<Listed> {
        match self.search.take()?.looked_up(now, call, answer, fx) {
            Ok(Search::Waiting(search)) => {
                self.search = Some(*search);
                None
            }
            Ok(Search::Listed(listed)) => {
                self.due = now + PAUSE;
                Some(listed)
            }
            // There is no better list than the one that this member has.
            Err(_) => {
                self.due = now + PAUSE;
                None
            }
        }
    }

    /// When it has to be woken. As long as nobody differs there is nothing to do.
    pub(in crate::boot) fn deadline(&self) -> Option<Instant> {
        if !self.differs {
            return None;
        }
        let next = match &self.search {
            Some(search) => search.deadline(),
            None => Some(self.due),
        };
        let gives_up = self.gives_up()?;
        Some(next.map_or(gives_up, |next| next.min(gives_up)))
    }

    fn gives_up(&self) -> Option<Instant> {
        self.differed.map(|(first, _)| first + self.asked.patience)
    }

    fn give_up(&self, list: &InitialCluster, differences: &[String]) -> Refusal {
        let Asked { domain, patience, .. } = &self.asked;
        let refusal = Refusal::new(format!(
            "error setting up initial cluster: members have different lists from DNS under {domain} \
             after {patience:?}"
        ));
        let refusal = refusal.hint(format!("{}, here, has {list}", self.name));
        let refusal = differences.iter().fold(refusal, |refusal, line| refusal.hint(line.clone()));
        refusal.hint(
            "compare what the resolvers of these members answer, and -initial-cluster-token; nothing \
             was formed",
        )
    }
}
