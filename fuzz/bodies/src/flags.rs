//! Command lines and environments, up to the decision how to start.

use quorate_core::boot::disk_state::DiskState;
use quorate_core::boot::list::InitialCluster;
use quorate_core::boot::table::{Plan, decide};
use quorate_core::config::arguments::{self, Arguments};
use quorate_core::config::{Config, Given, Members, Settings, Source, flags};
use quorate_core::error::Refusal;

use crate::explained;
use crate::memory::bounded;

/// Each line is an argument, or a variable if it looks like `ETCD_…=…`.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let is_variable = |line: &&str| line.starts_with("ETCD_") && line.contains('=');
    let (variables, args): (Vec<&str>, Vec<&str>) = text.lines().partition(is_variable);
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let variables = variables.iter().filter_map(|line| line.split_once('='));
    let variables: Vec<_> = variables.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();

    let given = match bounded(input.len(), || arguments::read(&args, flags::all())) {
        Err(refusal) => return explained(&refusal),
        Ok(Arguments::Help) => return,
        Ok(Arguments::Flags(given)) => given,
    };
    printed_reads_the_same(&given);
    let mut settings = Settings::new();
    for (name, text) in given {
        settings.set(name, Given { text, source: Source::Flag });
    }
    let not_taken = settings.take_environment(variables, |_| true);
    assert!(not_taken.shadowed.iter().all(|flag| settings.given(flag).is_some()));

    let judged = bounded(input.len(), || judge(&settings));
    if let Err(refusal) = &judged {
        explained(refusal);
    }
    if let Ok(config) = Config::validate(settings.clone(), [0; 32]) {
        let start = decide(&DiskState::Member, &config);
        assert!(config.force_new_cluster || start == Ok(Plan::Restart), "{settings:?}");
    }
}

fn printed_reads_the_same(given: &[(&'static str, String)]) {
    let printed: Vec<String> =
        given.iter().map(|(name, value)| format!("--{name}={value}")).collect();
    let again = arguments::read(&printed, flags::all());
    assert_eq!(again, Ok(Arguments::Flags(given.to_vec())));
}

/// A first start, as far as nobody else is needed.
fn judge(settings: &Settings) -> Result<(), Refusal> {
    let config = Config::validate(settings.clone(), [0; 32])?;
    decide(&DiskState::Empty, &config)?;
    let bootstrap = config.bootstrap()?;
    if let Members::New(list) = &bootstrap.members {
        InitialCluster::parse(list)?.check(&config.name, &bootstrap.token)?;
    }
    Ok(())
}
