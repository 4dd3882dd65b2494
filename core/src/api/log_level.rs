//! `/config/local/log`: what this member logs from now on.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::reply;
use crate::http::Reply;

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 64 << 10;

/// How much is logged: this level and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What needs somebody's help. etcd's CRITICAL too.
    Error,
    /// What may need it.
    Warning,
    /// What happens. etcd's NOTICE too.
    Info,
    /// What helps to find a defect.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The level of a name, in any case, or of its first letter or number, as etcd knows them.
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "CRITICAL" | "C" | "ERROR" | "E" | "0" => Self::Error,
            "WARNING" | "W" | "1" => Self::Warning,
            "NOTICE" | "N" | "2" | "INFO" | "I" | "3" => Self::Info,
            "DEBUG" | "D" | "4" => Self::Debug,
            "TRACE" | "T" | "5" => Self::Trace,
            _ => return None,
        })
    }
}

/// Reads `{"Level":"DEBUG"}`, whatever type the body has.
///
/// # Errors
/// The answer to a body that is none.
pub fn parse(body: &[u8]) -> Result<Level, Reply> {
    let invalid = || reply::message(400, "Invalid json body");
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| invalid())?;
    let level = fields.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("level"));
    let text = match level.map(|(_, value)| value) {
        Some(Value::String(text)) => text.as_str(),
        None | Some(Value::Null) => "",
        Some(_) => return Err(invalid()),
    };
    Level::parse(text).ok_or_else(|| reply::message(400, &format!("Invalid log level {text}")))
}

/// The answer once it is done.
pub fn done() -> Reply {
    Reply { status: 204, headers: Vec::new(), body: Bytes::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fixture::text;

    #[test]
    fn levels() {
        for (body, level) in [
            (r#"{"Level":"DEBUG"}"#, Level::Debug),
            (r#"{"level":"i","other":1}"#, Level::Info),
            (r#"{"LEVEL":"critical"}"#, Level::Error),
            (r#"{"Level":"1"}"#, Level::Warning),
            (r#"{"Level":"trace"}"#, Level::Trace),
        ] {
            assert_eq!(parse(body.as_bytes()), Ok(level), "{body}");
        }
    }

    #[test]
    fn what_is_no_level() {
        for (body, message) in [
            ("", "Invalid json body"),
            ("xx", "Invalid json body"),
            ("[]", "Invalid json body"),
            (r#"{"Level":1}"#, "Invalid json body"),
            (r#"{"Level":"FOO"}"#, "Invalid log level FOO"),
            ("{}", "Invalid log level "),
        ] {
            let refused = parse(body.as_bytes()).unwrap_err();
            let wanted = format!("{{\"message\":\"{message}\"}}");
            assert_eq!((refused.status, text(&refused)), (400, wanted.as_str()), "{body}");
        }
    }
}
