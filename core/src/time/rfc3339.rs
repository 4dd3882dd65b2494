//! RFC 3339 text of points in time, as Go writes and reads it.
//!
//! Expiry times show up in answers of the v2 API and in the dump of the store. Both want UTC, as
//! many fraction digits as there are and no trailing zeros. The whole range of 64-bit nanoseconds
//! (the years 1677 to 2262) is covered, because a time to live that overflows wraps into it.

use core::fmt;

const NANOS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// A point in time, in nanoseconds since the Unix epoch, that is displayed as RFC 3339 in UTC: up
/// to nine fraction digits, trailing zeros dropped, `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub i64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.div_euclid(NANOS), self.0.rem_euclid(NANOS));
        let (days, second) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if nanos != 0 {
            let (mut fraction, mut digits) = (nanos, 9);
            while fraction % 10 == 0 {
                fraction /= 10;
                digits -= 1;
            }
            write!(f, ".{fraction:0digits$}")?;
        }
        f.write_str("Z")
    }
}

/// Reads RFC 3339 text with any offset from UTC as nanoseconds since the Unix epoch. Nothing if
/// it is malformed, has more than nine fraction digits, or lies outside of what 64 bits hold.
pub fn parse(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    let month = number(byte(&mut rest, b'-')?, 2)?;
    let day = number(byte(&mut rest, b'-')?, 2)?;
    let hour = number(byte(&mut rest, b'T')?, 2)?;
    let minute = number(byte(&mut rest, b':')?, 2)?;
    let second = number(byte(&mut rest, b':')?, 2)?;
    let days = day_number(year, month, day);
    if date(days) != (year, month, day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = fraction(&mut rest)?;
    let offset_s = offset(&mut rest)?;
    let seconds = days * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
    // In 128 bits, because the seconds of the earliest representable moment alone, rounded down,
    // lie outside of 64 bits of nanoseconds.
    let total = i128::from(seconds) * i128::from(NANOS) + i128::from(nanos);
    rest.is_empty().then_some(())?;
    i64::try_from(total).ok()
}

/// The fraction of a second in nanoseconds, if there is one.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if byte(rest, b'.').is_none() {
        return Some(0);
    }
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 9 {
        return None;
    }
    let scale = 10_i64.pow(9 - u32::try_from(digits).ok()?);
    Some(number(rest, digits)? * scale)
}

/// `Z`, or hours and minutes ahead of UTC, in seconds.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let sign = match rest.split_off_first()? {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(rest, 2)?;
    let minutes = number(byte(rest, b':')?, 2)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Takes exactly `digits` decimal digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    rest.split_off(..digits)?.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Takes one byte if it is `wanted`.
fn byte<'a, 'b>(rest: &'a mut &'b [u8], wanted: u8) -> Option<&'a mut &'b [u8]> {
    *rest = rest.strip_prefix(&[wanted])?;
    Some(rest)
}

/// Days from the Unix epoch to a date of the proleptic Gregorian calendar.
///
/// The year is taken to begin in March, so that the leap day is its last and the lengths of the
/// months before it follow one formula.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`day_number`]: year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    /// Text and value as GNU date gives them.
    const GOLDEN: [(i64, &str); 9] = [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (946_684_800_000_000_000, "2000-01-01T00:00:00Z"),
        (951_782_400_500_000_000, "2000-02-29T00:00:00.5Z"),
        (1_709_208_000_000_000_010, "2024-02-29T12:00:00.00000001Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00Z"),
        (-2_203_891_200_000_000_000, "1900-03-01T00:00:00Z"),
        (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
    ];

    #[test]
    fn known_moments() {
        for (nanos, text) in GOLDEN {
            assert_eq!(Rfc3339(nanos).to_string(), text);
            assert_eq!(parse(text), Some(nanos), "{text}");
        }
    }

    #[test]
    fn offsets_are_taken_off() {
        assert_eq!(parse("1970-01-01T01:30:00+01:30"), Some(0));
        assert_eq!(parse("1969-12-31T22:00:00.25-02:00"), Some(250_000_000));
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00ZZ",
            "1970-13-01T00:00:00Z",
            "1970-00-01T00:00:00Z",
            "1970-02-29T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:60:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00.0123456789Z",
            "1970-01-01T00:00:00+1:00",
            "+970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "2262-04-11T23:47:16.854775808Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn every_moment_survives(nanos in any::<i64>()) {
            prop_assert_eq!(parse(&Rfc3339(nanos).to_string()), Some(nanos));
        }

        #[test]
        fn text_of_whole_seconds_sorts_as_time_does(a in any::<i64>(), b in any::<i64>()) {
            let (a, b) = (a / NANOS * NANOS, b / NANOS * NANOS);
            prop_assert_eq!(a.cmp(&b), Rfc3339(a).to_string().cmp(&Rfc3339(b).to_string()));
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:.+-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
