//! `/debug/vars`: what the process is, and where Raft stands.

use alloc::string::{String, ToString as _};

use super::json::Writer;
use super::reply;
use crate::http::Reply;
use crate::view::View;

/// What is known of the process.
#[derive(Clone, Copy, Debug)]
pub struct Process<'a> {
    /// The command line, without anything secret.
    pub command_line: &'a [String],
    /// Bytes of memory that it has of the system.
    pub memory: u64,
    /// Descriptors that it may have open.
    pub descriptors: u64,
}

/// The answer, in the form of Go's `expvar`.
pub fn reply(view: &View, process: Process<'_>) -> Reply {
    let mut body = Writer::default();
    body.lines(|lines| {
        let arguments = process.command_line.iter().map(String::as_str);
        lines.value("cmdline", |w| w.array(arguments, |w, text| w.string(text.as_bytes())));
        lines.value("file_descriptor_limit", |w| w.uint(process.descriptors));
        lines.value("memstats", |w| w.object(|fields| fields.uint("Sys", process.memory)));
        lines.value("raft.status", |w| raft(w, view));
    });
    let mut answer = reply::json(200, body.finish_line());
    for (name, value) in &mut answer.headers {
        if *name == "Content-Type" {
            value.push_str("; charset=utf-8");
        }
    }
    answer
}

fn raft(writer: &mut Writer, view: &View) {
    let id = |id: Option<crate::id::MemberId>| id.unwrap_or_default().to_string();
    let leads = view.leader.is_some() && view.leader == view.member;
    writer.object(|fields| {
        fields.plain_string("id", id(view.member));
        fields.uint("term", view.term);
        fields.uint("commit", view.stamp.raft_index);
        fields.plain_string("lead", id(view.leader));
        fields.plain_string("raftState", if leads { "StateLeader" } else { "StateFollower" });
        fields.uint("applied", view.applied);
    });
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::api::fixture::{header, text, view};

    #[test]
    fn it_is_json_in_lines() {
        let command_line = vec!["quorate".to_string(), "-name=<n1>".to_string()];
        let process = Process { command_line: &command_line, memory: 4096, descriptors: 1024 };
        let answer = reply(&view(), process);
        assert_eq!(header(&answer, "Content-Type"), Some("application/json; charset=utf-8"));
        let body: serde_json::Value = serde_json::from_str(text(&answer)).unwrap();
        assert_eq!(body["cmdline"][1], "-name=<n1>");
        assert_eq!(body["raft.status"]["raftState"], "StateLeader");
        assert!(text(&answer).starts_with("{\n\"cmdline\": ["), "{}", text(&answer));
        assert!(text(&answer).ends_with("}\n}\n"), "{}", text(&answer));
    }
}
