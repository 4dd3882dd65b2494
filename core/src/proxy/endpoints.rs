//! Where requests can be forwarded to, and which of these places answer.

use alloc::vec::Vec;

use crate::rng::Rng;
use crate::time::{Duration, Instant};
use crate::url::Url;

/// The client URLs of the members, in the order in which they are tried.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    all: Vec<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    url: Url,
    /// It has failed, and is not asked before.
    down_until: Option<Instant>,
}

impl Endpoints {
    /// These are the places now. Those that stay keep their order and what is known of them; new
    /// ones come behind, in an order that differs from proxy to proxy. Gives whether there was a
    /// change.
    pub(super) fn set(&mut self, urls: Vec<Url>, rng: &mut Rng) -> bool {
        let before = self.all.len();
        self.all.retain(|endpoint| urls.contains(&endpoint.url));
        let mut changed = self.all.len() != before;
        let known = |all: &[Endpoint], url: &Url| all.iter().any(|endpoint| endpoint.url == *url);
        let mut new: Vec<Url> = urls.into_iter().filter(|url| !known(&self.all, url)).collect();
        while !new.is_empty() {
            let at = usize::try_from(rng.below(new.len() as u64)).unwrap_or_default();
            self.all.push(Endpoint { url: new.swap_remove(at), down_until: None });
            changed = true;
        }
        changed
    }

    /// One has failed, and is not asked for this long. Gives whether that is new.
    pub(super) fn failed(&mut self, url: &Url, now: Instant, wait: Duration) -> bool {
        let found = self.all.iter_mut().find(|endpoint| endpoint.url == *url);
        found.is_some_and(|endpoint| {
            let new = endpoint.down_until.is_none();
            endpoint.down_until = Some(now + wait);
            new
        })
    }

    /// Those that have waited long enough are asked again. Gives whether there is one.
    pub(super) fn revive(&mut self, now: Instant) -> bool {
        let mut revived = false;
        for endpoint in &mut self.all {
            if endpoint.down_until.is_some_and(|until| until <= now) {
                endpoint.down_until = None;
                revived = true;
            }
        }
        revived
    }

    /// When [`Endpoints::revive`] is due.
    pub(super) fn next_revival(&self) -> Option<Instant> {
        self.all.iter().filter_map(|endpoint| endpoint.down_until).min()
    }

    /// Whether none is known, or none answers.
    pub(super) fn all_down(&self) -> bool {
        self.all.iter().all(|endpoint| endpoint.down_until.is_some())
    }

    /// Those that answer, and those that do not.
    pub(super) fn split(&self) -> (Vec<Url>, Vec<Url>) {
        let urls = |down: bool| {
            let these =
                self.all.iter().filter(move |endpoint| endpoint.down_until.is_some() == down);
            these.map(|endpoint| endpoint.url.clone()).collect()
        };
        (urls(false), urls(true))
    }
}

/// Whether a request to `url` would come back to a process that listens on `listeners`.
pub(super) fn leads_here(url: &Url, listeners: &[Url]) -> bool {
    listeners.iter().any(|own| {
        own.port() == url.port()
            && (own.canonical_host() == url.canonical_host()
                || is_local(url) && (own.is_unspecified() || is_local(own)))
    })
}

fn is_local(url: &Url) -> bool {
    matches!(url.canonical_host().as_str(), "localhost" | "127.0.0.1" | "::1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn at(seconds: u64) -> Instant {
        Instant::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn places_keep_their_order_and_their_state() {
        let mut rng = Rng::new([1; 32], Stream::Boot);
        let mut endpoints = Endpoints::default();
        assert!(endpoints.all_down());
        let urls: Vec<Url> = ["http://a:1", "http://b:1", "http://c:1"].map(url).into();
        assert!(endpoints.set(urls.clone(), &mut rng));
        assert!(!endpoints.set(urls, &mut rng));
        let first = endpoints.split().0;
        assert!(endpoints.failed(&first[0], at(0), Duration::from_secs(5)));
        assert!(!endpoints.failed(&first[0], at(1), Duration::from_secs(5)), "known");
        assert_eq!(endpoints.split(), (first[1..].to_vec(), first[..1].to_vec()));
        assert!(!endpoints.revive(at(5)));
        assert_eq!(endpoints.next_revival(), Some(at(6)));
        assert!(endpoints.revive(at(6)));
        assert_eq!(endpoints.split().0, first);
        assert!(endpoints.set(first[1..].to_vec(), &mut rng));
        assert_eq!(endpoints.split().0, first[1..]);
    }

    #[test]
    fn proxies_do_not_all_begin_with_the_same_member() {
        let firsts = (0..40).map(|seed| {
            let mut endpoints = Endpoints::default();
            let urls = ["http://a:1", "http://b:1", "http://c:1"].map(url).into();
            endpoints.set(urls, &mut Rng::new([seed; 32], Stream::Boot));
            endpoints.split().0[0].clone()
        });
        assert_eq!(firsts.collect::<alloc::collections::BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn a_proxy_is_never_its_own_endpoint() {
        for (listener, endpoint, here) in [
            ("http://10.0.0.1:2379", "http://10.0.0.1:2379", true),
            ("http://10.0.0.1:2379", "http://10.0.0.1:4001", false),
            ("http://10.0.0.1:2379", "http://10.0.0.2:2379", false),
            ("http://0.0.0.0:2379", "http://localhost:2379", true),
            ("http://0.0.0.0:2379", "http://10.0.0.2:2379", false),
            ("http://localhost:2379", "http://127.0.0.1:2379", true),
            ("http://127.0.0.1:2379", "http://LOCALHOST:2379", true),
            ("http://127.0.0.1:2379", "http://[::1]:2379", true),
            ("http://127.0.0.1:2379", "http://127.0.0.2:2379", false),
        ] {
            assert_eq!(leads_here(&url(endpoint), &[url(listener)]), here, "{listener} {endpoint}");
        }
    }
}
