//! How much clients may take of a member.

use alloc::format;

use super::grammar;
use super::refusals::verifying;
use super::settings::Settings;
use crate::error::Refusal;
use crate::time::Duration;

/// The least number of bytes for a head: no server of HTTP reads with less.
const HEAD_BYTES_MIN: u64 = 8192;

/// The limits of the client port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `-max-client-connections`
    pub connections: usize,
    /// `-max-watchers`
    pub watchers: usize,
    /// `-max-header-bytes`
    pub head_bytes: usize,
    /// `-max-url-bytes`: path and query.
    pub url_bytes: usize,
    /// `-max-body-bytes`
    pub body_bytes: usize,
    /// `-header-timeout`: from the first byte of a request to the end of its head.
    pub head_timeout: Duration,
    /// `-body-timeout`: from there to the end of its body.
    pub body_timeout: Duration,
    /// `-idle-timeout`: between two requests on one connection.
    pub idle_timeout: Duration,
}

impl Limits {
    /// The limits that count. Each value was judged by itself before.
    ///
    /// # Errors
    /// One of them would let nobody in.
    pub(super) fn read(settings: &Settings) -> Result<Self, Refusal> {
        let number = |flag: &str, least: u64| match grammar::number(&settings.value(flag)) {
            Ok(number) if number >= least => Ok(number),
            _ => Err(verifying(&format!("-{flag} should be at least {least}"))
                .hint(format!("-{flag} is {}; nobody could ask anything", settings.value(flag)))),
        };
        let count = |flag, least| {
            number(flag, least).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
        };
        let time = |flag| number(flag, 1).map(Duration::from_millis);
        Ok(Self {
            connections: count("max-client-connections", 1)?,
            watchers: count("max-watchers", 1)?,
            head_bytes: count("max-header-bytes", HEAD_BYTES_MIN)?,
            url_bytes: count("max-url-bytes", 1)?,
            body_bytes: count("max-body-bytes", 1)?,
            head_timeout: time("header-timeout")?,
            body_timeout: time("body-timeout")?,
            idle_timeout: time("idle-timeout")?,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::read(&Settings::new()).expect("the defaults are valid")
    }
}
