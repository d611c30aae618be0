//! Days to dates and back, in the proleptic Gregorian calendar.

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// The last second of the year 9999, the last that four digits can tell.
pub const LAST_SECOND: i64 = 253_402_300_799;

/// The year, month and day of a number of days since 1970, for years from 0.
///
/// Years are counted from March, so that the leap day is the last of its year, in eras of 400 years.
#[must_use]
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil_from_days`]. A day beyond the end of its month counts on into the next.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The last two digits of a number that is not negative.
#[must_use]
pub fn two_digits(number: i64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// The length of [`format_iso`], `1994-11-06T08:49:37Z`.
pub const ISO_LENGTH: usize = 20;

/// A time as RFC 3339 writes it, in UTC. Times outside the years 1970 to 9999 become the nearest second inside.
#[must_use]
pub fn format_iso(unix_seconds: i64) -> [u8; ISO_LENGTH] {
    let time = unix_seconds.clamp(0, LAST_SECOND);
    let (year, month, day) = civil_from_days(time / DAY);
    let second = time % DAY;
    let mut text = *b"0000-00-00T00:00:00Z";
    let parts = [
        (0, year / 100),
        (2, year),
        (5, month),
        (8, day),
        (11, second / 3_600),
        (14, second / 60 % 60),
        (17, second % 60),
    ];
    for (place, number) in parts {
        for (to, from) in text.iter_mut().skip(place).zip(two_digits(number)) {
            *to = from;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_rfc_3339_has_it() {
        for (second, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (784_111_777, "1994-11-06T08:49:37Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (LAST_SECOND, "9999-12-31T23:59:59Z"),
            (i64::MIN, "1970-01-01T00:00:00Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(&format_iso(second), text.as_bytes());
        }
    }
}
