//! A cluster of others that keeps the tokens: what is asked of its v2 API, and what of its answers
//! goes on.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;

use super::REGISTRY;
use crate::api::keys::ROOT as KEYS;
use crate::api::read::Read;
use crate::api::{KeysRequest, Verb, WatchRequest, reply};
use crate::discovery::Place;
use crate::http::{Answer, Call, Method, Reply};
use crate::time::Duration;
use crate::tls::Role;

/// How long an answer may take that has nothing to wait for: longer than a member of etcd waits for
/// its quorum.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The headers of an answer that say something about the store.
const OF_THE_STORE: [&str; 5] =
    ["Content-Type", "X-Etcd-Cluster-ID", "X-Etcd-Index", "X-Raft-Index", "X-Raft-Term"];

/// The members of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    members: Vec<Place>,
}

impl Backend {
    /// Reads the client URLs of the members, separated by commas. Each may have a name and a
    /// password.
    ///
    /// # Errors
    /// The cause in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let members = Place::parse_all(text)?;
        Ok(Self { members })
    }

    /// How many members there are: at least one.
    pub const fn members(&self) -> usize {
        self.members.len()
    }

    /// Asks a member for a key, through the quorum: whoever lists a token and whoever registers may
    /// come through different members.
    pub fn read(&self, member: usize, read: &Read) -> Call {
        let recursive = read.recursive;
        let query = format!("?quorum=true&sorted=true&recursive={recursive}");
        self.get(member, &read.path, &query, TIMEOUT)
    }

    /// Asks a member for the first event from an index on.
    pub fn wait(&self, member: usize, wait: &WatchRequest, patience: Duration) -> Call {
        let WatchRequest { path, recursive, since, .. } = wait;
        let query = format!("?wait=true&recursive={recursive}&waitIndex={since}");
        self.get(member, path, &query, patience)
    }

    /// Whether it answers by a quorum at all.
    pub fn health(&self, member: usize) -> Call {
        self.read(member, &Read { path: format!("{KEYS}/{REGISTRY}"), recursive: false })
    }

    /// Has a member write, or delete.
    pub fn write(&self, member: usize, request: &KeysRequest) -> Call {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(exist) = request.prev_exist {
            query.append_pair("prevExist", if exist { "true" } else { "false" });
        }
        for (name, set) in [("dir", request.dir), ("recursive", request.recursive)] {
            if set {
                query.append_pair(name, "true");
            }
        }
        if let Some(ttl_s) = request.ttl_s {
            query.append_pair("ttl", &ttl_s.to_string());
        }
        let call = self.get(member, &request.path, &format!("?{}", query.finish()), TIMEOUT);
        if request.verb == Verb::Delete {
            return Call { method: Method::Delete, ..call };
        }
        let value = String::from_utf8_lossy(&request.value);
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("value", &value).finish();
        let mut headers = call.headers.clone();
        headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
        Call { method: Method::Put, headers, body: Bytes::from(form), ..call }
    }

    fn get(&self, member: usize, path: &str, query: &str, timeout: Duration) -> Call {
        let place = &self.members[member % self.members.len()];
        let path = path.strip_prefix(KEYS).unwrap_or(path);
        let mut call = Call::get(format!("{place}/v2/keys{path}{query}"), Role::Public, timeout);
        let credentials = place.credentials.iter();
        call.headers.extend(credentials.map(|value| ("Authorization".into(), value.clone())));
        call
    }
}

impl core::fmt::Display for Backend {
    /// The URLs without the credentials.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, place) in self.members.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{place}")?;
        }
        Ok(())
    }
}

/// What goes on of an answer of the store. That the cluster does not know this service is nothing
/// that who asks could help.
pub fn pass_back(answer: Answer) -> Reply {
    if matches!(answer.status, 401 | 403) {
        return unavailable("the cluster that keeps the tokens does not know this service");
    }
    let header = |name: &&'static str| {
        let value = answer.header(&name.to_ascii_lowercase())?;
        Some((*name, value.to_string()))
    };
    let headers = OF_THE_STORE.iter().filter_map(header).collect();
    Reply { status: answer.status, headers, body: answer.body }
}

/// The answer while nobody keeps the tokens. Members ask again after it.
pub fn unavailable(words: &str) -> Reply {
    reply::message(503, words)
}

/// An answer of one's own store, in the form of that of another.
pub fn answer(reply: Reply) -> Answer {
    let Reply { status, headers, body } = reply;
    let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    Answer { status, headers: headers.collect(), body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::service::{Rules, make};

    fn backend() -> Backend {
        Backend::parse("http://root:p%40ss@a:2379,https://b/").unwrap()
    }

    #[test]
    fn members_may_have_credentials_and_no_path() {
        assert_eq!(backend().members(), 2);
        for (text, cause) in [
            ("", "URL scheme must be http or https: "),
            ("http://a:1,", "URL scheme must be http or https: "),
            ("http://a:1/v2", "a path behind http://a:1 has no place there"),
        ] {
            assert_eq!(Backend::parse(text), Err(cause.into()), "{text}");
        }
    }

    #[test]
    fn what_is_asked_is_the_v2_api() {
        let backend = backend();
        let read = Read { path: "/1/_etcd/registry/t".into(), recursive: false };
        let call = backend.read(2, &read);
        assert_eq!(
            call.url,
            "http://a:2379/v2/keys/_etcd/registry/t?quorum=true&sorted=true&recursive=false"
        );
        let credentials = ("Authorization".into(), "Basic cm9vdDpwQHNz".into());
        assert_eq!(call.headers, [credentials]);
        let wait = WatchRequest {
            path: "/1/_etcd/registry/t".into(),
            recursive: true,
            stream: false,
            since: 7,
        };
        let call = backend.wait(1, &wait, Duration::from_secs(3));
        assert_eq!(
            call.url,
            "https://b/v2/keys/_etcd/registry/t?wait=true&recursive=true&waitIndex=7"
        );
        assert_eq!((call.timeout, &call.headers[..]), (Duration::from_secs(3), &[][..]));
        let rules = Rules { public_url: "http://d".into(), token_ttl: Duration::from_secs(9) };
        let [activity, size] = make("t", 3, &rules).map(|write| backend.write(1, &write));
        assert_eq!(activity.url, "https://b/v2/keys/_etcd/activity/t?ttl=9");
        assert_eq!(size.url, "https://b/v2/keys/_etcd/registry/t/_config/size?prevExist=false");
        assert_eq!((size.method, &size.body[..]), (Method::Put, &b"value=3"[..]));
        let removal = KeysRequest {
            dir: true,
            recursive: true,
            ..KeysRequest::new(Verb::Delete, "/1/_etcd/registry/t")
        };
        let call = backend.write(1, &removal);
        assert_eq!(call.url, "https://b/v2/keys/_etcd/registry/t?dir=true&recursive=true");
        assert_eq!((call.method, call.body.len()), (Method::Delete, 0));
    }

    #[test]
    fn what_the_store_says_goes_on_and_what_it_says_to_the_service_does_not() {
        let store = Answer {
            status: 412,
            headers: [("x-etcd-index", "7"), ("server", "x"), ("content-type", "application/json")]
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            body: Bytes::from_static(b"{}"),
        };
        let reply = pass_back(store.clone());
        let expected = [("Content-Type", "application/json"), ("X-Etcd-Index", "7")];
        let headers: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!((reply.status, &headers[..]), (412, &expected[..]));
        assert_eq!(pass_back(answer(reply.clone())), reply);
        assert_eq!(pass_back(Answer { status: 401, ..store }).status, 503);
    }
}
