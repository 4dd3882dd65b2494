//! The event log: one aligned line for each event, in four columns that docs/testing.md describes.

use std::fmt;

use super::{End, Recorded, What, Who, message_kind, message_words};

/// A line of the event log.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(pub &'a Recorded);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recorded { time, who, what } = self.0;
        let (seconds, nanos) = (time / 1_000_000_000, time % 1_000_000_000);
        let who = who.to_string();
        write!(f, "{seconds:>3}.{nanos:09} {who:<5} {:<8} {what}", what.name())
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => Ok(()),
            Self::Node(number) => write!(f, "n{number}"),
            Self::Client(number) => write!(f, "c{number}"),
        }
    }
}

impl What {
    /// The word in the third column.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Halt(_) => "halt",
            Self::End(_) => "end",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Timer(_) => "timer",
            Self::Input(_) => "input",
            Self::Disk(_) => "disk",
            Self::Output(_) => "output",
            Self::Note(_) => "note",
            Self::Send { .. } => "send",
            Self::Receive { .. } => "receive",
            Self::Lost { .. } => "lost",
            Self::Ask { .. } => "ask",
            Self::Answer { .. } => "answer",
            Self::Fault(_) => "fault",
            Self::Calm(_) => "calm",
        }
    }
}

/// The fourth column.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(number) => write!(f, "process {number}"),
            Self::Pause | Self::Resume => Ok(()),
            Self::End(words) => f.write_str(words),
            Self::Timer(words)
            | Self::Input(words)
            | Self::Disk(words)
            | Self::Output(words)
            | Self::Halt(words) => f.write_str(words),
            Self::Note(note) => write!(f, "{note:?}"),
            Self::Send { to, message } => match to {
                Some(to) => write!(f, "to n{to} {}", message_words(message)),
                None => write!(f, "to nobody known as {} {}", message.to, message_words(message)),
            },
            Self::Receive { from, sent, message } => {
                let us = (sent / 1000) % 1_000_000;
                let sent = sent / 1_000_000_000;
                write!(f, "from n{from} sent {sent}.{us:06} {}", message_words(message))
            }
            Self::Lost { to, message, .. } => {
                let (kind, term) = (message_kind(&message.body), message.term);
                write!(f, "to n{to} {kind} of term {term}")
            }
            Self::Ask { host, request, .. } => write!(f, "n{host} {request}"),
            Self::Answer { end, answer } => write!(f, "{end} {answer}"),
            Self::Fault(fault) => write!(f, "{fault}"),
            Self::Calm(healthy) => write!(f, "healthy are {healthy:?}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        })
    }
}
