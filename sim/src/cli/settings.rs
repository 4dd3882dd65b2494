//! Options of runs that are changed by hand.

use sim::options::Options;
use sim::worlds::World;

/// `--set`, and the environment.
#[derive(clap::Args)]
pub(super) struct Settings {
    /// Change an option of every run: NAME=VALUE. SIM_NAME=VALUE in the environment does the same.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse)]
    set: Vec<(String, String)>,
}

fn parse(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Options::draw(0).set(name, value)?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Settings {
    /// The options of a seed in a world with the changes. What is wrong with one seed is wrong with
    /// all.
    pub(super) fn options(&self, world: World, seed: u64) -> Result<Options, String> {
        let mut options = world.options(seed);
        self.change(&mut options)?;
        Ok(options)
    }

    /// Makes the changes in these options.
    pub(super) fn change(&self, options: &mut Options) -> Result<(), String> {
        options.set_from_environment()?;
        self.set.iter().try_for_each(|(name, value)| options.set(name, value))
    }

    /// All changes, as NAME=VALUE.
    pub(super) fn words(&self) -> Vec<String> {
        let of = |name: &&str| {
            let value = std::env::var(format!("SIM_{}", name.to_uppercase())).ok()?;
            Some(format!("{name}={value}"))
        };
        let set = self.set.iter().map(|(name, value)| format!("{name}={value}"));
        Options::NAMES.iter().filter_map(of).chain(set).collect()
    }
}
