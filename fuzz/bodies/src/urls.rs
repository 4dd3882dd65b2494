//! URLs, and lists of members.

use quorate_core::boot::list::{InitialCluster, Resolved};
use quorate_core::url::Url;

use crate::explained;
use crate::memory::bounded;

/// Each line is a URL; all of them together are a list, too.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let urls: Vec<Url> = text.lines().filter_map(|line| Url::parse(line).ok()).collect();
    for url in &urls {
        let again = Url::parse(url.as_str());
        assert_eq!(again.as_ref(), Ok(url), "what is printed reads the same");
        assert_eq!(again.map(|url| url.canonical()), Ok(url.canonical()));
    }
    let list = text.replace('\n', ",");
    match bounded(input.len(), || InitialCluster::parse(&list)) {
        Ok(read) => sound(&read, &list, &urls),
        Err(refusal) => explained(&refusal),
    }
}

fn sound(list: &InitialCluster, text: &str, urls: &[Url]) {
    let again = InitialCluster::parse(&list.to_string());
    assert_eq!(again.as_ref(), Ok(list), "what is printed reads the same");
    let mut pieces: Vec<&str> = text.split(',').collect();
    pieces.reverse();
    let reversed = InitialCluster::parse(&pieces.join(","));
    assert_eq!(reversed.as_ref(), Ok(list), "the order does not matter");
    let names: Vec<&str> = list.iter().map(|(name, _)| name).collect();
    for name in names {
        let id = list.member_id(name, "t");
        assert!(id.is_some() && id == again.as_ref().ok().and_then(|a| a.member_id(name, "t")));
        // Whatever the flags say, the member's own list is what its ID is made of.
        if let Some(own) = list.urls(name) {
            let matches = list.advertised_matches(name, own, &Resolved::new());
            assert_eq!(matches, Ok(()), "{name} advertises what is listed");
        }
        if let Err(refusal) = list.advertised_matches(name, urls, &Resolved::new()) {
            explained(&refusal);
        }
        match list.check(name, "t") {
            Err(refusal) => explained(&refusal),
            Ok(()) => {
                let entries = list.bootstrap_entries("t");
                assert_eq!(entries.len(), list.len(), "one entry for each member");
            }
        }
    }
}
