//! Which tests hold what was recorded with a discovery service and with proxies: the title, the
//! test, and why Quorate differs if it does. These scenarios only make sense with a service.

type Held = (&'static str, &'static str, Option<&'static str>);

const GUIDES_WORDS: Option<&str> = Some("the words are the guide's");
const NO_PANIC: Option<&str> = Some("a size that is none is told as such; etcd panics");
const SYNTAX: Option<&str> = Some(
    "a URL that leads nowhere is told as such at once; etcd asks again for ever, or says less",
);
const BEFORE: Option<&str> = Some(
    "it is told before this member registers, so that the first one of that name is not harmed",
);

/// The scenarios.
pub(crate) const DISCOVERY: &[Held] = &[
    ("first of three: waits", "members_find_each_other_through_a_token", None),
    ("infra0 complete log", "members_find_each_other_through_a_token", None),
    ("infra2 (third) log", "members_find_each_other_through_a_token", None),
    ("guide: -discovery-fallback exit", "more_members_than_the_size_are_too_many", GUIDES_WORDS),
    (
        "guide: fallback proxy (default)",
        "the_extra_members_of_a_token_become_proxies_and_stay_so",
        None,
    ),
    (
        "proxy restarted with the same flags",
        "the_extra_members_of_a_token_become_proxies_and_stay_so",
        None,
    ),
    (
        "restart on the proxy data dir with -proxy off and -initial-cluster",
        "a_directory_stays_a_proxys_whatever_the_flags_say",
        None,
    ),
    (
        "-proxy on with -discovery",
        "a_proxy_finds_its_cluster_through_a_token_and_registers_nothing",
        None,
    ),
    (
        "wiped member re-runs with the same token (same URLs; cluster is up)",
        "a_member_that_has_lost_its_directory_is_refused_and_stays_so",
        None,
    ),
    (
        "same, all members down",
        "a_member_that_has_lost_its_directory_is_refused_and_stays_so",
        None,
    ),
    (
        "duplicate ID: registered, data lost, not yet full",
        "a_member_that_has_lost_its_directory_is_refused_and_stays_so",
        None,
    ),
    ("duplicate name: second", "registrations_of_others_are_told_from_ones_own", None),
    ("duplicate name: first", "registrations_of_others_are_told_from_ones_own", BEFORE),
    (
        "another registration has the same URL",
        "registrations_of_others_are_told_from_ones_own",
        None,
    ),
    (
        "another registration has a junk value",
        "registrations_of_others_are_told_from_ones_own",
        Some("the words are etcd's without what it puts around them; the hints show the value"),
    ),
    (
        "guide: missing size key (token dir exists)",
        "tokens_without_a_sound_size_are_refused",
        GUIDES_WORDS,
    ),
    ("token does not exist", "tokens_without_a_sound_size_are_refused", GUIDES_WORDS),
    ("size 'abc'", "tokens_without_a_sound_size_are_refused", None),
    ("size ''", "tokens_without_a_sound_size_are_refused", None),
    ("size '0'", "tokens_without_a_sound_size_are_refused", NO_PANIC),
    ("size '-1'", "tokens_without_a_sound_size_are_refused", NO_PANIC),
    ("size '3.5'", "tokens_without_a_sound_size_are_refused", None),
    ("size ' 3'", "tokens_without_a_sound_size_are_refused", None),
    ("size '1'", "a_url_with_another_text_makes_another_cluster", None),
    ("discovery endpoint is HTML", "tokens_without_a_sound_size_are_refused", None),
    ("discovery endpoint always 503", "a_service_that_is_away_is_waited_for", None),
    (
        "discovery endpoint refuses connections (7.5 s)",
        "a_service_that_is_away_is_waited_for",
        None,
    ),
    ("discovery host does not resolve", "a_service_that_is_away_is_waited_for", None),
    (
        "discovery endpoint accepts but never answers (8 s)",
        "failures_are_answered_with_growing_pauses_and_told",
        Some("silence is waited out as every other failure; etcd ends"),
    ),
    ("discovery URL 'foo'", "discovery_urls_have_a_host_and_may_have_a_path", SYNTAX),
    ("discovery URL 'http://'", "discovery_urls_have_a_host_and_may_have_a_path", SYNTAX),
    ("discovery URL 'http://%zz'", "what_is_no_server_is_told_in_words", SYNTAX),
    (
        "discovery URL 'ftp://127.0.2.1:21501/v2/keys/discovery/x'",
        "what_is_no_server_is_told_in_words",
        SYNTAX,
    ),
    (
        "discovery URL '127.0.2.1:21501/v2/keys/discovery/x'",
        "what_is_no_server_is_told_in_words",
        SYNTAX,
    ),
    ("discovery URL 'http://127.0.2.1:21501'", "tokens_without_a_sound_size_are_refused", None),
    ("discovery URL 'http://127.0.2.1:21501/'", "tokens_without_a_sound_size_are_refused", None),
    ("discovery URL ':'", "what_is_no_server_is_told_in_words", SYNTAX),
    (
        "discovery URL 'http://127.0.2.1:21501/v2/keys/discovery/dup/'",
        "a_url_with_another_text_makes_another_cluster",
        None,
    ),
    (
        "discovery URL 'https://127.0.2.1:21501/v2/keys/discovery/x'",
        "a_service_that_is_away_is_waited_for",
        None,
    ),
    (
        "ETCD_DISCOVERY and ETCD_DISCOVERY_PROXY",
        "the_service_is_reached_through_an_http_proxy",
        None,
    ),
    ("-discovery-proxy without scheme", "the_service_is_reached_through_an_http_proxy", None),
    ("-discovery-proxy down", "failures_are_answered_with_growing_pauses_and_told", None),
    (
        "-discovery-proxy malformed",
        "the_service_is_reached_through_an_http_proxy",
        Some("the words are etcd's without what it puts around them"),
    ),
    ("http_proxy environment is used?", "members_find_each_other_through_a_token", None),
    ("full by foreign registrations", "more_members_than_the_size_are_too_many", GUIDES_WORDS),
    ("same with -discovery (may fall back)", "the_service_is_reached_through_an_http_proxy", None),
    ("same with -proxy on", "without_members_it_says_503_and_goes_on_looking", None),
];
