//! Dates in HTTP (RFC 9110 section 5.6.7): one form to write, three to read.

use crate::text::calendar::{DAY, LAST_SECOND, civil_from_days, days_from_civil, two_digits};

/// The length of a date as it is written, `Sun, 06 Nov 1994 08:49:37 GMT`.
pub const LENGTH: usize = 29;

const DAYS: [&[u8]; 7] =
    [b"Sunday", b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday"];
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The text of the current second, made anew only when the second changes.
#[derive(Clone, Copy)]
pub struct DateText {
    second: i64,
    text: [u8; LENGTH],
}

impl Default for DateText {
    /// The start of 1970.
    fn default() -> Self {
        Self { second: 0, text: format(0) }
    }
}

impl DateText {
    /// The length of the text in bytes.
    pub const LENGTH: usize = LENGTH;

    /// Takes the time over, in seconds since 1970.
    #[inline]
    pub fn set(&mut self, unix_seconds: i64) {
        if self.second != unix_seconds {
            self.second = unix_seconds;
            self.text = format(unix_seconds);
        }
    }

    /// The date as a field value.
    #[inline]
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.text
    }
}

/// The date of a time in seconds since 1970, as a field value. Times outside the years 1970 to 9999 become the nearest
/// second inside.
#[must_use]
pub fn format(unix_seconds: i64) -> [u8; LENGTH] {
    let time = unix_seconds.clamp(0, LAST_SECOND);
    let (days, second) = (time / DAY, time % DAY);
    let (year, month, day) = civil_from_days(days);
    // 1 January 1970 was a Thursday.
    let week_day = DAYS.get(usize::try_from((days + 4) % 7).unwrap_or(0)).copied().unwrap_or_default();
    let month_place = usize::try_from(month - 1).unwrap_or(0) * 3;

    let mut text = *b"Sun, 00 Jan 0000 00:00:00 GMT";
    let mut put = |place: usize, part: &[u8]| {
        for (to, from) in text.iter_mut().skip(place).zip(part) {
            *to = *from;
        }
    };
    put(0, week_day.get(..3).unwrap_or_default());
    put(5, &two_digits(day));
    put(8, MONTHS.get(month_place..month_place + 3).unwrap_or_default());
    put(12, &two_digits(year / 100));
    put(14, &two_digits(year));
    put(17, &two_digits(second / 3_600));
    put(20, &two_digits(second / 60 % 60));
    put(23, &two_digits(second % 60));
    text
}

/// Reads a date in any of the three forms, to seconds since 1970: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
///
/// Case counts, as the grammar says. The name of the day must be one but need not be right. A year of two digits is
/// the latest that makes the date no more than 50 years later than `now`, also in seconds since 1970.
#[must_use]
pub fn parse(text: &[u8], now: i64) -> Option<i64> {
    if text.get(3) == Some(&b',') {
        let rest = short_day_name(text)?.strip_prefix(b", ")?;
        let (day, rest) = number(rest, 2)?;
        let (month, rest) = month(rest.strip_prefix(b" ")?)?;
        let (year, rest) = number(rest.strip_prefix(b" ")?, 4)?;
        let (second, rest) = time_of_day(rest.strip_prefix(b" ")?)?;
        return if rest == b" GMT" { seconds(year, month, day, second) } else { None };
    }
    if text.get(3) == Some(&b' ') {
        let (month, rest) = month(short_day_name(text)?.strip_prefix(b" ")?)?;
        let rest = rest.strip_prefix(b" ")?;
        let (day, rest) = match rest.strip_prefix(b" ") {
            Some(rest) => number(rest, 1)?,
            None => number(rest, 2)?,
        };
        let (second, rest) = time_of_day(rest.strip_prefix(b" ")?)?;
        let (year, rest) = number(rest.strip_prefix(b" ")?, 4)?;
        return if rest.is_empty() { seconds(year, month, day, second) } else { None };
    }
    let rest = DAYS.iter().find_map(|name| text.strip_prefix(*name))?.strip_prefix(b", ")?;
    let (day, rest) = number(rest, 2)?;
    let (month, rest) = month(rest.strip_prefix(b"-")?)?;
    let (year, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (second, rest) = time_of_day(rest.strip_prefix(b" ")?)?;
    if rest == b" GMT" { seconds_of_century(year, month, day, second, now) } else { None }
}

/// What follows a day name of three letters.
fn short_day_name(text: &[u8]) -> Option<&[u8]> {
    let (name, rest) = text.split_at_checked(3)?;
    DAYS.iter().any(|day| day.starts_with(name)).then_some(rest)
}

/// A number of exactly `digits` digits, and what follows.
fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let number = crate::text::number::parse_decimal(digits)?;
    Some((i64::try_from(number).ok()?, rest))
}

/// The number of a month, 1 to 12, from its three letters, and what follows.
fn month(text: &[u8]) -> Option<(i64, &[u8])> {
    let (name, rest) = text.split_at_checked(3)?;
    let place = MONTHS.chunks_exact(3).position(|month| month == name)?;
    Some((i64::try_from(place).ok()? + 1, rest))
}

/// `hh:mm:ss` as seconds of the day, and what follows. The second 60 is there for leap seconds.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    (hour < 24 && minute < 60 && second <= 60).then_some((hour * 3_600 + minute * 60 + second, rest))
}

/// Seconds since 1970 of a date whose month is right. `None` when the month has no such day.
fn seconds(year: i64, month: i64, day: i64, second: i64) -> Option<i64> {
    let days = days_from_civil(year, month, day);
    // A day that is not in its month comes back as one of the next.
    (civil_from_days(days) == (year, month, day)).then_some(days * DAY + second)
}

/// [`seconds`] with the last two digits of the year, in the hundred years that end 50 years after `now`.
fn seconds_of_century(year: i64, month: i64, day: i64, second: i64, now: i64) -> Option<i64> {
    let now = now.clamp(0, LAST_SECOND);
    let (now_year, now_month, now_day) = civil_from_days(now / DAY);
    let last_year = now_year + 50;
    let full_year = last_year - (last_year - year) % 100;
    let limit = days_from_civil(last_year, now_month, now_day) * DAY + now % DAY;
    // In the last year itself the limit is within the year, so the days after it are of a century before.
    let beyond = days_from_civil(full_year, month, day) * DAY + second > limit;
    seconds(if beyond { full_year - 100 } else { full_year }, month, day, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const NOW: i64 = 1_764_000_000; // 24 November 2025

    fn peer(second: i64) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second as u64))
    }

    #[test]
    fn the_three_forms() {
        for (text, second) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Wed Nov 16 08:49:37 1994", 784_975_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Fri, 31 Dec 9999 23:59:59 GMT", LAST_SECOND),
            ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777), // the day is not right, but the date is
        ] {
            assert_eq!(parse(text.as_bytes(), NOW), Some(second), "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "Sun",
            "Sun,",
            "784111777",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 gmt",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun,  6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 32 Dec 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 30 Feb 2024 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov -994 08:49:37 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Xyz, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 6-Nov-94 08:49:37 GMT",
            "Sundays, 06-Nov-94 08:49:37 GMT",
            "Sunday, 29-Feb-23 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov 06 08:49:37 94",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun Nov   6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994, x",
        ] {
            assert_eq!(parse(text.as_bytes(), NOW), None, "{text}");
        }
    }

    #[test]
    fn every_prefix_and_every_changed_byte_is_met() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            for end in 0..text.len() {
                assert_eq!(parse(&text.as_bytes()[..end], NOW), None);
            }
            for place in 0..text.len() {
                for byte in 0..=255 {
                    let mut other = text.as_bytes().to_vec();
                    other[place] = byte;
                    let _ = parse(&other, i64::MAX);
                    let _ = parse(&other, i64::MIN);
                }
            }
        }
    }

    #[test]
    fn years_of_two_digits() {
        // NOW is in November 2025, so the window ends in November 2075.
        for (text, year) in [
            ("Monday, 01-Jan-25 00:00:00 GMT", 2025),
            ("Monday, 01-Jan-26 00:00:00 GMT", 2026),
            ("Monday, 01-Jan-75 00:00:00 GMT", 2075),
            ("Monday, 31-Dec-75 00:00:00 GMT", 1975),
            ("Monday, 01-Jan-76 00:00:00 GMT", 1976),
            ("Monday, 01-Jan-99 00:00:00 GMT", 1999),
            ("Monday, 01-Jan-00 00:00:00 GMT", 2000),
        ] {
            let second = parse(text.as_bytes(), NOW).unwrap();
            assert_eq!(civil_from_days(second.div_euclid(DAY)).0, year, "{text}");
        }
        // Exactly 50 years is not more than 50 years.
        assert_eq!(parse(b"Tuesday, 01-Jan-20 00:00:00 GMT", 0), Some(50 * 365 * DAY + 12 * DAY));
        assert_eq!(parse(b"Tuesday, 01-Jan-20 00:00:01 GMT", 0), seconds(1920, 1, 1, 1));
    }

    #[test]
    fn agrees_with_another_over_all_years() {
        let mut second = 0;
        while second <= LAST_SECOND {
            let text = format(second);
            assert_eq!(text, peer(second).as_bytes());
            assert_eq!(parse(&text, NOW), Some(second));
            second += 9 * DAY + 12_347;
        }
        for day in 0..40_000 {
            for second in [day * DAY, day * DAY + DAY - 1] {
                assert_eq!(format(second), peer(second).as_bytes());
            }
        }
    }

    #[test]
    fn days_and_dates_are_one_to_one() {
        let mut days = days_from_civil(0, 1, 1);
        let mut last = (0, 0, 0);
        while days <= LAST_SECOND / DAY {
            let date = civil_from_days(days);
            assert!(date > last);
            assert_eq!(days_from_civil(date.0, date.1, date.2), days);
            last = date;
            days += 1;
        }
        assert_eq!(last, (9999, 12, 31));
    }

    #[test]
    fn clamped() {
        for early in [i64::MIN, -1, 0] {
            assert_eq!(&format(early), b"Thu, 01 Jan 1970 00:00:00 GMT");
        }
        for late in [LAST_SECOND, LAST_SECOND + 1, i64::MAX] {
            assert_eq!(&format(late), b"Fri, 31 Dec 9999 23:59:59 GMT");
        }
    }

    #[test]
    fn the_current_second() {
        let mut date = DateText::default();
        assert_eq!(date.as_bytes(), b"Thu, 01 Jan 1970 00:00:00 GMT");
        for second in [784_111_777, 784_111_777, 784_111_778, 0, -5] {
            date.set(second);
            assert_eq!(date.as_bytes(), &format(second));
        }
        assert_eq!(DateText::LENGTH, date.as_bytes().len());
    }

    quickcheck::quickcheck! {
        fn any_text_is_met(text: Vec<u8>, now: i64) -> bool {
            let _ = parse(&text, now);
            true
        }
    }
}
