//! The flags about running as a proxy.

use super::grammar;
use super::settings::Settings;
use crate::time::Duration;

/// `-proxy` and the flags that begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxying {
    /// `-proxy`
    pub mode: Mode,
    /// `-proxy-failure-wait`
    pub failure_wait: Duration,
    /// `-proxy-refresh-interval`
    pub refresh_interval: Duration,
    /// `-proxy-dial-timeout`
    pub dial_timeout: Duration,
    /// `-proxy-write-timeout`; any time where it is 0.
    pub write_timeout: Duration,
    /// `-proxy-read-timeout`; none where it is 0.
    pub read_timeout: Option<Duration>,
}

/// What is done again and again is not done without a pause.
const SHORTEST: Duration = Duration::from_millis(100);

/// The values of `-proxy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is a member.
    Off,
    /// It forwards what only reads.
    Readonly,
    /// It forwards everything.
    On,
}

impl Default for Proxying {
    /// What counts where nothing is said.
    fn default() -> Self {
        Self::read(&Settings::new())
    }
}

impl Proxying {
    /// Reads the flags, which were judged before.
    pub(super) fn read(settings: &Settings) -> Self {
        let time = |flag: &str| {
            Duration::from_millis(grammar::number(&settings.value(flag)).unwrap_or_default())
        };
        let mode = match settings.value("proxy").as_str() {
            "on" => Mode::On,
            "readonly" => Mode::Readonly,
            _ => Mode::Off,
        };
        Self {
            mode,
            failure_wait: time("proxy-failure-wait").max(SHORTEST),
            refresh_interval: time("proxy-refresh-interval").max(SHORTEST),
            dial_timeout: time("proxy-dial-timeout").max(SHORTEST),
            write_timeout: time("proxy-write-timeout"),
            read_timeout: Some(time("proxy-read-timeout")).filter(|time| !time.is_zero()),
        }
    }
}
