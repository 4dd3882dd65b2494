//! `digests`: whether runs give what they gave when they were written down.

use std::path::PathBuf;

use sim::digests;

use super::{Found, read, write};

/// Check the digests in a file, or write them.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Digests {
    /// Run what the file names and compare.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Write the digests of what this build gives.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

impl Digests {
    pub(crate) fn run(self) -> Found {
        if let Some(path) = &self.check {
            let runs = digests::check(&read(path)?)?;
            println!("{runs} runs give the digests of {}", path.display());
        }
        if let Some(path) = &self.write {
            write(path, &digests::text())?;
        }
        Ok(None)
    }
}
