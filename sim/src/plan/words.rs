//! Faults in few words.

use std::fmt;

use super::{At, Change, Crash, Fault, Moment};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition { side, length_us } => {
                write!(f, "partition of {side:?} from the others {}", lasts(*length_us))
            }
            Self::OneWay { directions, length_us } => {
                let links: Vec<String> =
                    directions.iter().map(|(a, b)| format!("{a}→{b}")).collect();
                write!(f, "cut of {} {}", links.join(" "), lasts(*length_us))
            }
            Self::Isolate { host, length_us } => {
                write!(f, "isolation of n{host} {}", lasts(*length_us))
            }
            Self::Crash { host, by, moment, down_us } => {
                let when = match moment {
                    Moment::Now => "",
                    Moment::NextSync => " in its next sync",
                    Moment::NextLeaderSync => " in its next sync as a leader",
                    Moment::NextElection => " after its next election",
                };
                write!(f, "{by} n{host}{when}, down {}", lasts(*down_us))
            }
            Self::CrashAll { by, down_us } => {
                let times: Vec<String> = down_us.iter().map(|us| lasts(*us)).collect();
                write!(f, "{by} everybody, down {}", times.join(", "))
            }
            Self::Stop { host, down_us } => {
                write!(f, "n{host} is asked to stop, down {}", lasts(*down_us))
            }
            Self::Pause { host, length_us } => write!(f, "pause of n{host} {}", lasts(*length_us)),
            Self::Jump { host, by_ms } => write!(f, "the clock of n{host} jumps by {by_ms} ms"),
            Self::Change { changes } => {
                let changes: Vec<String> = changes.iter().map(Change::to_string).collect();
                f.write_str(&changes.join(" and "))
            }
            Self::Full { host, length_us } => {
                write!(f, "the disk of n{host} is full {}", lasts(*length_us))
            }
            Self::Rot { host, rot } => write!(f, "the disk of n{host} rots: {rot:?}"),
            Self::Misread { host, rot } => write!(f, "the disk of n{host} reads wrong: {rot:?}"),
            Self::WrongList { host, list, down_us, length_us } => write!(
                f,
                "n{host} gets a wrong list ({list:?}) {}, down {}",
                lasts(*length_us),
                lasts(*down_us)
            ),
            Self::Names { host, trouble, length_us } => {
                write!(f, "the resolver of n{host} is wrong ({trouble:?}) {}", lasts(*length_us))
            }
            Self::Certificate { host, trouble, length_us } => {
                write!(f, "the certificate of n{host} is wrong ({trouble:?}) {}", lasts(*length_us))
            }
            Self::Service { trouble, length_us } => {
                write!(f, "the discovery service is wrong ({trouble:?}) {}", lasts(*length_us))
            }
            Self::Wipe { host, down_us } => {
                write!(f, "the data of n{host} is lost, down {}", lasts(*down_us))
            }
            Self::Swap { hosts: (a, b), down_us, length_us } => write!(
                f,
                "n{a} and n{b} get each other's data {}, down {}",
                lasts(*length_us),
                lasts(*down_us)
            ),
            Self::Twin { host, of, length_us } => {
                write!(f, "n{host} is started as the member of n{of} {}", lasts(*length_us))
            }
            Self::Copy { host } => write!(f, "the data of n{host} is copied"),
            Self::Restore { host, down_us } => {
                write!(f, "n{host} goes back to its copy, down {}", lasts(*down_us))
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove { host } => write!(f, "removal of n{host}"),
            Self::Add { host, at, auto } => {
                let state = if *auto { "auto" } else { "existing" };
                match at {
                    At::Home => write!(f, "addition of n{host} ({state})"),
                    At::Elsewhere => write!(f, "addition of n{host} at another's URL ({state})"),
                    At::Nowhere => write!(f, "addition of n{host} at a dead URL ({state})"),
                }
            }
            Self::Move { host, by_name: true } => write!(f, "n{host} is listed by its name"),
            Self::Move { host, by_name: false } => write!(f, "n{host} is listed by its address"),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Power => "loss of power at",
            Self::Kill => "kill of",
        })
    }
}

fn lasts(us: u64) -> String {
    format!("for {}.{:03} s", us / 1_000_000, us / 1000 % 1000)
}
