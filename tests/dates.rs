//! Dates, held against those of Python's standard library.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::Command;

use gorgon::http::date;

/// Seconds, and the three forms of RFC 9110, section 5.6.7, that Python makes of them and reads back as the same.
const PROGRAM: &str = "
import email.utils, random, time
random.seed(7)
DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split()
MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
edges = [0, 1, 59, 60, 86399, 86400, 951782399, 951782400, 951868800, 2**31 - 1, 2**31, 4107542400, 253402300799]
for second in edges + [random.randrange(2**32) for _ in range(3000)] + [random.randrange(253402300800) for _ in range(1000)]:
    fixed = email.utils.formatdate(second, usegmt=True)
    assert email.utils.mktime_tz(email.utils.parsedate_tz(fixed)) == second or second > 2**40
    t = time.gmtime(second)
    old = '%s, %02d-%s-%02d %02d:%02d:%02d GMT' % (DAYS[t.tm_wday], t.tm_mday, MONTHS[t.tm_mon - 1], t.tm_year % 100, t.tm_hour, t.tm_min, t.tm_sec)
    oldest = '%s %s %2d %02d:%02d:%02d %d' % (DAYS[t.tm_wday][:3], MONTHS[t.tm_mon - 1], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_year)
    print(second, fixed, old, oldest, sep='|')
";

#[test]
fn all_forms_are_what_python_makes_of_them() {
    let output = Command::new("python3").args(["-c", PROGRAM]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let now = 1_795_593_600;
    let mut old_forms = 0;
    for line in text.lines() {
        let parts: Vec<&str> = line.split('|').collect();
        let second: i64 = parts[0].parse().unwrap();
        assert_eq!(&date::format(second)[..], parts[1].as_bytes());
        assert_eq!(date::parse(parts[1].as_bytes(), now), Some(second), "{}", parts[1]);
        assert_eq!(date::parse(parts[3].as_bytes(), now), Some(second), "{}", parts[3]);
        // Its year has two digits: it is the one that is not more than 50 years ahead.
        if second < now && second > now - 50 * 365 * 86_400 {
            old_forms += 1;
            assert_eq!(date::parse(parts[2].as_bytes(), now), Some(second), "{}", parts[2]);
        }
    }
    assert!(text.lines().count() > 4000 && old_forms > 500);
}
