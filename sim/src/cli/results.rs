//! `results`: what results files add up to.

use std::path::PathBuf;

use sim::results::{Results as File, Sum};

use super::Found;

/// Print what results files add up to, each seed of a world counted once.
#[derive(clap::Args)]
pub(crate) struct Results {
    /// Files that `run --results` has written.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Results {
    pub(crate) fn run(self) -> Found {
        let mut sum = Sum::default();
        for path in &self.files {
            let (batches, damaged) = File::read(path).map_err(|e| e.to_string())?;
            for words in damaged {
                eprintln!("sim: {words}");
            }
            batches.iter().for_each(|batch| sum.add(batch));
        }
        println!("{sum}");
        Ok(None)
    }
}
