//! The dump of a store, which a snapshot holds.

use quorate_core::store::Image;

use crate::memory::bounded;

/// The input is a dump. The directory of a node costs as much as a table of its own, so the input
/// counts more than once.
pub fn run(input: &[u8]) {
    if let Ok(image) = bounded(8 * input.len(), || Image::decode(input)) {
        let printed = image.encode();
        let again = Image::decode(&printed).expect("what is printed can be read");
        assert_eq!(again.encode(), printed, "what is printed reads the same");
        assert_eq!(again.digest(), image.digest());
    }
}
