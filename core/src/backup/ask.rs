//! Asking the members of a cluster for a backup.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Damage, refusals};
use crate::discovery::Place;
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::time::Duration;
use crate::tls::Role;

/// Where a member gives a backup of itself.
pub const PATH: &str = "/quorate/backup";

/// How long a member may say nothing: it asks the others, and dumps its store, before it begins.
const PATIENCE: Duration = Duration::from_secs(120);

/// The members that can be asked, in the order of the flag.
#[derive(Clone, Debug)]
pub struct Members {
    places: Vec<Place>,
    local: bool,
    /// Why those before gave nothing.
    causes: Vec<String>,
}

impl Members {
    /// Reads client URLs, separated by commas; each may have a name and a password. With `local`
    /// a member gives what it has, without asking the others whether that is all.
    ///
    /// # Errors
    /// One is no URL.
    pub fn parse(endpoints: &str, local: bool) -> Result<Self, Refusal> {
        let places = Place::parse_all(endpoints).map_err(|cause| {
            Refusal::new(format!("invalid value for flag -endpoints: {cause}"))
                .hint("it takes client URLs of members: http://[USER:PASSWORD@]HOST:PORT,...")
                .of_syntax()
        })?;
        Ok(Self { places, local, causes: Vec::new() })
    }

    /// What is asked of the next member; of nobody once all have failed.
    ///
    /// # Errors
    /// Why nobody gave a backup.
    pub fn next_call(&self) -> Result<Call, Refusal> {
        let Some(place) = self.places.get(self.causes.len()) else {
            return Err(refusals::nobody(self.causes.iter().cloned()));
        };
        let query = if self.local { "?local=true" } else { "" };
        let mut call = Call::get(format!("{place}{PATH}{query}"), Role::Client, PATIENCE);
        let credentials = place.credentials.iter();
        call.headers.extend(credentials.map(|value| ("Authorization".into(), value.clone())));
        Ok(call)
    }

    /// It has answered something else than a backup.
    pub fn refused(&mut self, answer: &Answer) {
        let why = match answer.status {
            401 => "with auth on only root may take a backup: \
                    -endpoints http://root:PASSWORD@HOST:PORT"
                .into(),
            404 => format!("it knows no backups, and is no member of quorate ({PATH})"),
            _ => answer.outline(),
        };
        self.failed(&why);
    }

    /// What it sent is damaged.
    pub fn damaged(&mut self, damage: &Damage) {
        self.failed(&format!("what it sent is damaged: {damage}"));
    }

    /// It cannot be asked.
    pub fn failed(&mut self, cause: &str) {
        if let Some(place) = self.places.get(self.causes.len()) {
            let line = format!("{place}: {cause}");
            self.causes.push(line);
        }
    }
}
