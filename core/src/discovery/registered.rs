//! What follows from who is registered.
//!
//! The first registrations, as many as the size says, are the cluster. No registration is ever
//! taken back, so who is among them is decided once and for all, and everybody sees the same; what
//! is wrong with one of them is wrong for ever.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::answer::{Entry, Listing};
use super::refusals;
use super::registration::Registration;
use super::token::Token;
use crate::boot::list::InitialCluster;
use crate::error::Refusal;
use crate::url::Url;

/// The member that asks.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) name: String,
    pub(super) registration: Registration,
    /// What the data directory has recorded before.
    pub(super) recorded: Option<Registration>,
    /// Whether a registration like this one may be its own: it was recorded by an earlier process,
    /// or sent without hearing what came of it.
    pub(super) may_be_there: bool,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Everybody is there, the one who asks among them.
    Complete(InitialCluster),
    /// Everybody is there, without the one who asks.
    Full(InitialCluster),
    /// There is room, and the one who asks has not registered.
    Unregistered,
    /// There is room for others.
    Incomplete,
}

/// Judges who is registered. Without `own` somebody only looks on.
///
/// # Errors
/// There is no way in which this member could get into the cluster, or this cluster could form.
pub(super) fn judge(
    token: &Token,
    own: Option<&Own>,
    data_dir: &str,
    listing: &Listing,
    size: usize,
) -> Result<Standing, Refusal> {
    let first = &listing.entries[..size.min(listing.entries.len())];
    let all_there = first.len() == size || planted!(FormBeforeLast) && first.len() + 1 == size;
    let Some(own) = own else {
        return if all_there {
            cluster(token, first).map(Standing::Complete)
        } else {
            Ok(Standing::Incomplete)
        };
    };
    let Some(entry) = first.iter().find(|entry| entry.key == own.registration.key) else {
        if all_there {
            return whoever(token, first).map(Standing::Full);
        }
        let recorded = own.recorded.as_ref().filter(|recorded| recorded.token == token.as_str());
        if let Some(recorded) = recorded.filter(|r| first.iter().any(|entry| entry.key == r.key)) {
            return Err(refusals::changed(own, token, recorded));
        }
        let mut with_own = first.to_vec();
        let Registration { key, value, .. } = &own.registration;
        with_own.push(Entry { key: key.clone(), value: value.clone(), created: u64::MAX });
        cluster(token, &with_own)?.check(&own.name, token.as_str())?;
        return Ok(Standing::Unregistered);
    };
    if entry.value != own.registration.value {
        return Err(refusals::other_name(own, token, entry));
    }
    if !own.may_be_there {
        return Err(refusals::registered_before(own, token, data_dir));
    }
    let list = cluster(token, first)?;
    list.check(&own.name, token.as_str())?;
    Ok(if all_there { Standing::Complete(list) } else { Standing::Incomplete })
}

/// The list of members that these registrations are.
fn cluster(token: &Token, entries: &[Entry]) -> Result<InitialCluster, Refusal> {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let mut urls: BTreeMap<String, &str> = BTreeMap::new();
    for entry in entries {
        let (name, its_urls) = member(token, entry)?;
        if let Some(first) = names.insert(name.clone(), &entry.value) {
            return Err(refusals::same_name(token, &name, &[first, &entry.value]));
        }
        for url in its_urls {
            if urls.insert(url.canonical(), &entry.value).is_some() {
                return Err(refusals::same_url(token, entries, &url.canonical()));
            }
        }
    }
    InitialCluster::parse(&joined(entries))
}

/// The one member that a registration names.
fn member(token: &Token, entry: &Entry) -> Result<(String, Vec<Url>), Refusal> {
    let list = InitialCluster::parse(&entry.value)
        .map_err(|refusal| refusals::bad_value(token, entry, &refusal.message))?;
    let mut members = list.iter();
    match (members.next(), members.next()) {
        (Some((name, urls)), None) => Ok((name.into(), urls.to_vec())),
        (None, _) => Err(refusals::bad_value(token, entry, "it names nobody")),
        (Some(_), Some(_)) => Err(refusals::bad_value(token, entry, "it names several members")),
    }
}

/// As many of the members as can be made out, for those who only want to find the cluster.
fn whoever(token: &Token, entries: &[Entry]) -> Result<InitialCluster, Refusal> {
    let sound: Vec<Entry> =
        entries.iter().filter(|entry| member(token, entry).is_ok()).cloned().collect();
    if let (true, Some(entry)) = (sound.is_empty(), entries.first()) {
        member(token, entry)?;
    }
    InitialCluster::parse(&joined(&sound))
}

fn joined(entries: &[Entry]) -> String {
    let values: Vec<&str> = entries.iter().map(|entry| entry.value.as_str()).collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::format;

    use super::*;

    const A: &str = "a=http://a:1";

    fn token() -> Token {
        Token::parse("http://h/t").unwrap()
    }

    fn own(may_be_there: bool) -> Own {
        let registration = Registration::new(&token(), &InitialCluster::parse(A).unwrap());
        Own { name: "a".to_owned(), registration, recorded: None, may_be_there }
    }

    fn listing(values: &[&str]) -> Listing {
        let key = |value: &&str| match InitialCluster::parse(value) {
            Ok(list) if list.len() == 1 => Registration::new(&token(), &list).key,
            _ => format!("junk{value}"),
        };
        let entry = |(value, created): (&&str, u64)| Entry {
            key: key(value),
            value: (*value).to_owned(),
            created,
        };
        Listing { entries: values.iter().zip(1..).map(entry).collect(), index: 9 }
    }

    fn standing(own: &Own, values: &[&str], size: usize) -> Result<Standing, Refusal> {
        judge(&token(), Some(own), "dir", &listing(values), size)
    }

    fn list(values: &[&str]) -> InitialCluster {
        InitialCluster::parse(&values.join(",")).unwrap()
    }

    #[test]
    fn the_first_are_the_cluster() {
        let (b, c) = ("b=http://b:1", "c=http://c:1");
        let mine = own(true);
        for (values, size, expected) in [
            (&[][..], 1, Standing::Unregistered),
            (&[b], 2, Standing::Unregistered),
            (&[b], 1, Standing::Full(list(&[b]))),
            (&[A], 2, Standing::Incomplete),
            (&[A], 1, Standing::Complete(list(&[A]))),
            (&[b, A, c], 2, Standing::Complete(list(&[A, b]))),
            (&[b, c, A], 2, Standing::Full(list(&[b, c]))),
        ] {
            assert_eq!(standing(&mine, values, size), Ok(expected), "{values:?} {size}");
        }
        for (values, size, expected) in [
            (&[b][..], 2, Standing::Incomplete),
            (&[b, c, A], 2, Standing::Complete(list(&[b, c]))),
        ] {
            assert_eq!(judge(&token(), None, "", &listing(values), size), Ok(expected));
        }
    }

    #[test]
    fn a_registration_counts_as_ones_own_only_with_a_record() {
        let refusal = standing(&own(false), &[A], 2).unwrap_err();
        assert_eq!(
            refusal.message,
            "member \"a\" has previously registered with discovery service token (http://h/t)."
        );
        assert!(refusal.hints[0].contains("data directory dir"), "{refusal:?}");
        assert_eq!(standing(&own(false), &["b=http://b:1", A], 1).map(drop), Ok(()));
    }

    #[test]
    fn what_is_wrong_with_one_of_the_first_is_told_before_registering() {
        for (values, message) in [
            (&["other=http://a:1"][..], "is registered by another member with"),
            (&["a=http://b:1"], "member with duplicated name has registered with"),
            (&["b=http://b:1", "b=http://c:1"], "member with duplicated name has registered with"),
            (&["b=http://a:1,b=http://b:1"], "has duplicate url"),
            (&["foo"], "discovery: invalid URL"),
            (&[""], "discovery: invalid URL"),
            (&["b=http://b:1,c=http://c:1"], "discovery: invalid URL"),
            (&["b=http://0.0.0.0:1"], "where no other member can connect to it"),
        ] {
            let refusal = standing(&own(false), values, 4).unwrap_err();
            assert!(refusal.message.contains(message), "{values:?}: {refusal:?}");
        }
        // Behind the first ones it does not matter; and for one who is too late neither.
        assert_eq!(standing(&own(true), &[A, "foo"], 1), Ok(Standing::Complete(list(&[A]))));
        let found = standing(&own(true), &["foo", "b=http://b:1"], 2);
        assert_eq!(found, Ok(Standing::Full(list(&["b=http://b:1"]))));
        assert!(standing(&own(true), &["foo"], 1).is_err());
    }

    #[test]
    fn flags_that_have_changed_since_the_registration_are_refused() {
        let mut changed = own(false);
        let before = Registration::new(&token(), &list(&["b=http://b:1"]));
        changed.recorded = Some(before.clone());
        let refusal = standing(&changed, &["b=http://b:1"], 2).unwrap_err();
        assert!(refusal.message.starts_with("this data directory has registered another member"));
        // It never got there, or with another token: then it does not matter.
        assert_eq!(standing(&changed, &["c=http://c:1"], 2), Ok(Standing::Unregistered));
        changed.recorded = Some(Registration { token: "http://h/u".to_owned(), ..before });
        assert_eq!(standing(&changed, &["b=http://b:1"], 2), Ok(Standing::Unregistered));
    }
}
