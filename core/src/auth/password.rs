//! Passwords, as etcd keeps them: bcrypt, with the cost of Go's library.
//!
//! A hash takes long, which is its purpose. Whoever computes one does so beside the loop.

use alloc::format;
use alloc::string::String;

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// What the hash of a password costs: a power of two.
const COST: u32 = 10;
/// Costs that are believed; a higher one in the store would stop the world.
const COST_MAX: u32 = 16;
/// Characters of the salt and of the whole, behind the cost.
const SALT_CHARS: usize = 22;
const TEXT_CHARS: usize = SALT_CHARS + 31;
/// bcrypt has 24 bytes, of which the last is never written.
const HASH_BYTES: usize = 23;
/// Where bcrypt cuts a password; etcd's does so silently.
const PASSWORD_BYTES: usize = 72;

const ENGINE: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);

/// The hash of a password as it is stored: `$2a$10$…`.
pub fn hash(password: &str, salt: [u8; 16]) -> String {
    let text = computed(password, COST, salt);
    format!("$2a${COST:02}${text}")
}

/// Whether this is the password of which the hash was stored.
pub fn verify(password: &str, stored: &str) -> bool {
    let Some((cost, text)) = parsed(stored) else { return false };
    let Some(salt) = decoded(&text[..SALT_CHARS]) else { return false };
    let computed = computed(password, cost, salt);
    // Every character is looked at, wherever the first difference is.
    let differences = computed.bytes().zip(text.bytes()).map(|(one, other)| one ^ other);
    differences.fold(0, |all, difference| all | difference) == 0
}

/// The cost, and salt and hash.
fn parsed(stored: &str) -> Option<(u32, &str)> {
    let rest = stored.strip_prefix("$2")?;
    let (minor, rest) = rest.split_once('$')?;
    let (cost, text) = rest.split_once('$')?;
    let cost = cost.parse().ok().filter(|cost| (4..=COST_MAX).contains(cost))?;
    (minor.len() <= 1 && text.len() == TEXT_CHARS && text.is_ascii()).then_some((cost, text))
}

fn decoded(salt: &str) -> Option<[u8; 16]> {
    // The last character has bits to spare, which some libraries set.
    let engine = GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));
    engine.decode(salt).ok()?.try_into().ok()
}

fn computed(password: &str, cost: u32, salt: [u8; 16]) -> String {
    let mut bytes = alloc::vec::Vec::from(password.as_bytes());
    bytes.push(0);
    bytes.truncate(PASSWORD_BYTES);
    let hash = bcrypt::bcrypt(cost, salt, &bytes);
    let mut text = ENGINE.encode(salt);
    ENGINE.encode_string(&hash[..HASH_BYTES], &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_others_are_verified() {
        // Test vectors of jBCrypt, which the library that etcd uses has too.
        for (password, stored) in [
            ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
            ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
            ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        ] {
            assert!(verify(password, stored), "{password:?}");
            assert!(!verify("other", stored), "{password:?}");
            let flipped = stored.replace('6', "7");
            assert!(!verify(password, &flipped), "another cost");
        }
    }

    #[test]
    fn a_password_is_verified_by_its_hash_alone() {
        let stored = hash("secret", [9; 16]);
        assert!(stored.starts_with("$2a$10$"), "{stored}");
        assert!(verify("secret", &stored));
        assert!(!verify("secrets", &stored) && !verify("", &stored));
        assert_ne!(hash("secret", [8; 16]), stored);
        let long = "x".repeat(72);
        let stored = hash(&long, [1; 16]);
        assert!(verify(&format!("{long}y"), &stored), "cut as etcd cuts it");
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        for stored in ["", "secret", "$2a$10$", "$2a$31$", "$1$10$x", "$2a$10$é"] {
            assert!(!verify("secret", stored), "{stored}");
        }
        let stored = hash("secret", [9; 16]);
        assert!(!verify("secret", &stored.replace("$10$", "$31$")), "it would take for ever");
    }
}
