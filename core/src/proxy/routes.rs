//! What becomes of a request: the decisions of the port of a proxy.

use alloc::format;
use alloc::vec::Vec;

use crate::api::{json, reply};
use crate::config::{Mode, Proxying};
use crate::http::{Head, Method, Reply};
use crate::url::Url;

/// Where requests go, as of now. It never changes; a new one replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// How it is forwarded, and how long that may take.
    pub proxying: Proxying,
    /// The client URLs of members that answer, in the order in which they are tried.
    pub available: Vec<Url>,
    /// Those of members that have failed a moment ago.
    pub down: Vec<Url>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Answer this.
    Answer(Reply),
    /// Forward it to the first of these that can be connected to.
    Forward(Vec<Url>),
}

impl Routes {
    /// Decides about a request by its head.
    pub fn decide(&self, head: &Head) -> Decision {
        if head.path == "/v2/config/local/proxy" {
            return Decision::Answer(self.configuration(head.method));
        }
        let reads = matches!(head.method, Method::Get | Method::Head);
        if self.proxying.mode == Mode::Readonly && !reads {
            let (headers, body) = (Vec::new(), bytes::Bytes::new());
            return Decision::Answer(Reply { status: 501, headers, body });
        }
        // One that has failed a moment ago may be back by the time that no other answers.
        let urls: Vec<Url> = self.available.iter().chain(&self.down).cloned().collect();
        if urls.is_empty() {
            let words = "proxy: zero endpoints currently available";
            return Decision::Answer(reply::message(503, words));
        }
        Decision::Forward(urls)
    }

    /// `GET /v2/config/local/proxy`: where requests are forwarded to.
    fn configuration(&self, method: Method) -> Reply {
        if method != Method::Get {
            return reply::method_not_allowed(&[Method::Get]);
        }
        let mut body = json::Writer::default();
        body.object(|fields| fields.strings("endpoints", self.available.iter().map(Url::as_str)));
        reply::json(200, body.finish_line())
    }

    /// The answer where `tried` members gave none.
    pub fn nobody_answered(tried: usize) -> Reply {
        reply::message(502, &format!("proxy: unable to get response from {tried} endpoint(s)"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec;

    use super::*;
    use crate::config::{Config, Settings};

    fn routes(mode: &str, available: &[&str], down: &[&str]) -> Routes {
        let settings = Settings::new().flag("proxy", mode);
        let proxying = Config::validate(settings, [0; 32]).unwrap().proxying;
        let urls = |texts: &[&str]| texts.iter().map(|text| Url::parse(text).unwrap()).collect();
        Routes { proxying, available: urls(available), down: urls(down) }
    }

    fn head(method: Method, path: &str) -> Head {
        Head { method, path: path.to_owned(), query: "".to_owned(), headers: vec![] }
    }

    fn answered(decision: Decision) -> (u16, alloc::string::String) {
        let Decision::Answer(reply) = decision else { panic!("it is forwarded") };
        (reply.status, alloc::string::String::from_utf8(reply.body.to_vec()).unwrap())
    }

    #[test]
    fn requests_go_to_members_that_answer_before_those_that_did_not() {
        let put = head(Method::Put, "/v2/keys/a");
        let forward = |routes: Routes| match routes.decide(&put) {
            Decision::Forward(urls) => urls.iter().map(|url| url.as_str().to_owned()).collect(),
            Decision::Answer(reply) => panic!("{reply:?}"),
        };
        let (a, b) = ("http://a:1", "http://b:1");
        let urls: Vec<alloc::string::String> = forward(routes("on", &[a], &[b]));
        assert_eq!(urls, [a, b]);
        assert_eq!(forward(routes("on", &[], &[b])), [b]);
        assert_eq!(
            answered(routes("on", &[], &[]).decide(&put)),
            (503, r#"{"message":"proxy: zero endpoints currently available"}"#.to_owned())
        );
        let nobody = Routes::nobody_answered(2);
        assert_eq!(nobody.status, 502);
        assert_eq!(
            nobody.body,
            r#"{"message":"proxy: unable to get response from 2 endpoint(s)"}"#
        );
    }

    #[test]
    fn a_readonly_proxy_forwards_what_only_reads() {
        let readonly = routes("readonly", &["http://a:1"], &[]);
        for (method, forwarded) in [
            (Method::Get, true),
            (Method::Head, true),
            (Method::Put, false),
            (Method::Post, false),
            (Method::Delete, false),
            (Method::Options, false),
            (Method::Other, false),
        ] {
            match readonly.decide(&head(method, "/v2/keys/a")) {
                Decision::Forward(_) => assert!(forwarded, "{method:?}"),
                answer => assert_eq!((answered(answer), forwarded), ((501, "".to_owned()), false)),
            }
        }
    }

    #[test]
    fn it_says_where_it_forwards_to() {
        let routes = routes("on", &["http://a:1", "http://b:1"], &["http://c:1"]);
        let path = "/v2/config/local/proxy";
        assert_eq!(
            answered(routes.decide(&head(Method::Get, path))),
            (200, "{\"endpoints\":[\"http://a:1\",\"http://b:1\"]}\n".to_owned())
        );
        assert_eq!(answered(routes.decide(&head(Method::Put, path))).0, 405);
    }
}
