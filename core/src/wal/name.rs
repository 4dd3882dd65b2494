//! File names made of two numbers: `%016x-%016x` and an extension.

use alloc::format;
use alloc::string::String;

/// The name for two numbers.
pub(crate) fn format(first: u64, second: u64, extension: &str) -> String {
    format!("{first:016x}-{second:016x}.{extension}")
}

/// The two numbers of a name that [`format`] makes; `None` for every other name.
pub(crate) fn parse(name: &str, extension: &str) -> Option<(u64, u64)> {
    let stem = name.strip_suffix(extension)?.strip_suffix('.')?;
    let (first, second) = stem.split_once('-')?;
    let numbers = (hex(first)?, hex(second)?);
    (format(numbers.0, numbers.1, extension) == name).then_some(numbers)
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn names_are_read_back_and_others_are_not_ours() {
        for numbers in [(0, 1), (7, 0x1234), (u64::MAX, u64::MAX)] {
            assert_eq!(parse(&format(numbers.0, numbers.1, "wal"), "wal"), Some(numbers));
        }
        for name in [
            "",
            ".wal",
            "spare.tmp",
            "0-1.wal",
            "0000000000000000-0000000000000001.snap",
            "0000000000000000-0000000000000001wal",
            "000000000000000A-0000000000000001.wal",
            "+000000000000000-0000000000000001.wal",
            "0000000000000000-0000000000000001.wal.wal",
        ] {
            assert_eq!(parse(name, "wal"), None, "{name}");
        }
    }
}
