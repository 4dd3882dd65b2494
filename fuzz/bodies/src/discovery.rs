//! The URL of a token, and what answers there.

use bytes::Bytes;
use quorate_core::boot::list::InitialCluster;
use quorate_core::discovery::{Client, Place, Token, Verdict};
use quorate_core::http::{Answer, Call};
use quorate_core::node::CallId;
use quorate_core::rng::{Rng, Stream};
use quorate_core::time::Instant;

use crate::explained;
use crate::memory::bounded;

/// The first line is the URL, the second what is registered. Each line after them is how a call
/// ends: the status, a blank, a header's value, a blank, the body. One that has no status is a
/// call that fails.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let (url, own) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Ok(token) = bounded(url.len(), || Token::parse(url)) else { return };
    assert_eq!(Token::parse(token.as_str()).as_ref(), Ok(&token), "what is printed reads the same");
    let shown = Token::parse(&token.to_string());
    let hidden = shown.is_ok_and(|shown| shown.place().credentials.is_none());
    assert!(hidden, "{token} shows no credentials");
    let rng = Rng::new([0; 32], Stream::Boot);
    let client = Client::new(token, None, "data".into(), rng, Instant::default());
    let client = match InitialCluster::parse(own) {
        Ok(list) => client.member(&list, None),
        Err(refusal) => return explained(&refusal),
    };
    match client {
        Ok(client) => bounded(input.len(), || converse(client, own, lines)),
        Err(refusal) => explained(&refusal),
    }
}

/// Hears one answer after the other, until the client has what it needs.
fn converse<'a>(mut client: Client, own: &str, lines: impl Iterator<Item = &'a str>) {
    let mut last = None;
    for (line, id) in lines.zip(1..) {
        let now = client.deadline().expect("who waits for nothing has come to an end");
        assert!(last <= Some(now), "time goes on");
        last = Some(now);
        let asked = client.ask(now, || CallId(id)).expect("what is due is asked");
        told_to_the_service_alone(&client, &asked.1);
        assert_eq!(client.ask(now, || CallId(0)), None, "one call at a time");
        let verdict = client.answered(now, CallId(id), answer(line).ok_or_else(|| line.into()));
        let news = client.news();
        assert!(news.len() <= 2, "{news:?}");
        match verdict {
            Verdict::Wait => continue,
            Verdict::Register => {
                assert!(client.to_record().is_some(), "it is recorded first");
                client.register(now);
                continue;
            }
            Verdict::Complete(list) => {
                let own = InitialCluster::parse(own).expect("it was read before");
                let (name, urls) = own.iter().next().expect("it has a member");
                assert_eq!(list.urls(name), Some(urls), "who goes on is one of them");
            }
            Verdict::Full(_, refusal) | Verdict::Refuse(refusal) => explained(&refusal),
        }
        assert_eq!(client.deadline(), None, "this is the end");
        return;
    }
}

fn told_to_the_service_alone(client: &Client, call: &Call) {
    let place = client.token().place();
    let same = Place::parse(&call.url).is_ok_and(|(other, _)| {
        (other.scheme, &other.host, other.port) == (place.scheme, &place.host, place.port)
    });
    let told = call.headers.iter().any(|(name, _)| name == "Authorization");
    assert_eq!(told, same && place.credentials.is_some(), "{call:?}");
}

fn answer(line: &str) -> Option<Answer> {
    let (status, rest) = line.split_once(' ')?;
    let (value, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let status: u16 = status.parse().ok().filter(|status| (100..600).contains(status))?;
    let name = if status / 100 == 3 { "location" } else { "x-etcd-index" };
    let headers = vec![(name.into(), value.into())];
    Some(Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) })
}
