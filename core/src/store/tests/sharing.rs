//! Old versions stay as they are while the store goes on.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_image_outlives_what_follows_it(
        before in any_commands(40),
        after in any_commands(40),
    ) {
        let mut store = store_after(&before);
        let image = store.image();
        let (dump, digest) = (image.encode(), image.digest());
        for command in &after {
            store.apply(command);
        }
        prop_assert_eq!(&image.encode(), &dump);
        prop_assert_eq!(image.digest(), digest);
        prop_assert_eq!(store_after(&before).image().encode(), dump);
    }

    #[test]
    fn images_held_on_the_way_change_nothing(commands in any_commands(60)) {
        let mut store = Store::new();
        let mut held = Vec::new();
        for command in &commands {
            held.push(store.image());
            store.apply(command);
        }
        drop(held);
        prop_assert_eq!(store.image().encode(), store_after(&commands).image().encode());
    }

    #[test]
    fn a_store_goes_on_from_an_image_as_from_itself(
        before in any_commands(40),
        after in any_commands(40),
    ) {
        let mut original = store_after(&before);
        let mut restored = Store::from_image(original.image());
        for command in &after {
            let (ours, theirs) = (original.apply(command), restored.apply(command));
            prop_assert_eq!(ours.result, theirs.result);
        }
        prop_assert_eq!(original.image().digest(), restored.image().digest());
    }
}

#[test]
fn reads_of_any_image_are_counted_in_all() {
    let mut store = Store::new();
    let (early, dump) = (store.image(), store.image().encode());
    store.apply(&put("/1/a", ""));
    assert!(early.read("/1/a", false).is_err());
    assert!(store.image().read("/1/a", false).is_ok());
    assert!(store.image().read("/1/", false).is_ok());
    let gets = Tally { success: 2, fail: 1 };
    assert_eq!((early.stats().gets, store.image().stats().gets), (gets, gets));
    assert_eq!(early.encode(), dump, "what was read is no part of the state");

    store.apply(&Command::new(Method::Qget, "/1/a"));
    assert_eq!(store.image().stats().gets, Tally { success: 3, fail: 1 });
    assert_eq!(early.stats().gets, gets, "a read through the log belongs to its place there");
}

/// As deep as the longest path of a request that anybody could send. Built, read, dumped, read
/// back, deleted and dropped on the small stack of a test's thread.
#[test]
fn no_depth_of_the_tree_is_too_much() {
    let deep = format!("/1{}", "/d".repeat(5_000));
    let mut store = Store::new();
    store.apply(&Command { expiration: BASE, ..put(&deep, "bottom") });
    let listed = store.image().read("/1", true).expect("a listing");
    let mut levels = 0;
    let mut node = &listed.node;
    while let Some(child) = node.nodes.first() {
        (levels, node) = (levels + 1, child);
    }
    assert_eq!(levels, 512);
    let restored = Image::decode(&store.image().encode()).expect("a dump");
    assert_eq!(restored.digest(), store.image().digest());
    let old = store.image();
    let mut sync = Command::new(Method::Sync, "/");
    sync.time = BASE;
    assert_eq!(store.apply(&sync).changes.len(), 1);
    let delete = Command { recursive: true, ..Command::new(Method::Delete, "/1/d") };
    assert_eq!(store.apply(&delete).changes.len(), 1);
    assert!(store.image().read("/1/d", false).is_err());
    drop(old);
}
