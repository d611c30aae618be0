//! Users and groups as `/etc/passwd` and `/etc/group` list them (passwd(5), group(5)).
//!
//! Read by ourselves, for a statically linked C library cannot ask the services that nsswitch.conf names. A line that
//! is not of the form is passed over, and so are the `+` and `-` lines of NIS. Of several lines with one name, or one
//! number, the first counts.

use super::number::parse_decimal;
use super::split::until;

/// A line of `/etc/passwd`, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Account<'a> {
    /// What the user logs in as.
    pub name: &'a [u8],
    /// The user's number.
    pub user: u32,
    /// The number of the user's own group.
    pub group: u32,
}

impl Account<'_> {
    /// Whether a group is the user's own, or one that the text of `/etc/group` lists the user in.
    #[inline(never)]
    #[must_use]
    pub fn is_in(&self, number: u32, group: &[u8]) -> bool {
        self.group == number || groups(group).any(|group| group.group == number && group.has(self.name))
    }
}

/// A line of `/etc/group`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Group<'a> {
    /// What it is called.
    pub name: &'a [u8],
    /// Its number.
    pub group: u32,
    /// The names of users who are in it beside those whose own group it is, with commas between them.
    members: &'a [u8],
}

impl Group<'_> {
    /// Whether it lists a user.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        self.members.split(|byte| *byte == b',').any(|member| member == name)
    }
}

/// A user or group as a number. That of all bits set means "no change" to the system, and is nobody's.
#[must_use]
pub fn parse_id(text: &[u8]) -> Option<u32> {
    parse_decimal(text).and_then(|number| u32::try_from(number).ok()).filter(|number| *number != u32::MAX)
}

/// The number of a user by the name that `/etc/passwd` lists, or by that number itself.
#[inline(never)]
#[must_use]
pub fn user_number(passwd: &[u8], wanted: &str) -> Option<u32> {
    let found = accounts(passwd).find(|account| account.name == wanted.as_bytes());
    found.map(|account| account.user).or_else(|| parse_id(wanted.as_bytes()))
}

/// The number of a group by the name that `/etc/group` lists, or by that number itself.
#[inline(never)]
#[must_use]
pub fn group_number(group: &[u8], wanted: &str) -> Option<u32> {
    let found = groups(group).find(|group| group.name == wanted.as_bytes());
    found.map(|group| group.group).or_else(|| parse_id(wanted.as_bytes()))
}

/// The users that the text of `/etc/passwd` lists, in order.
pub fn accounts(mut passwd: &[u8]) -> impl Iterator<Item = Account<'_>> {
    core::iter::from_fn(move || next_account(&mut passwd))
}

#[inline(never)]
fn next_account<'a>(passwd: &mut &'a [u8]) -> Option<Account<'a>> {
    loop {
        let line = next_line(passwd)?;
        // After the group come what the user is called, the home directory and the shell.
        let group = line.rest.split(|byte| *byte == b':').next().unwrap_or_default();
        if let Some(group) = parse_id(group) {
            return Some(Account { name: line.name, user: line.number, group });
        }
    }
}

/// The groups that the text of `/etc/group` lists, in order.
pub fn groups(mut group: &[u8]) -> impl Iterator<Item = Group<'_>> {
    core::iter::from_fn(move || {
        let line = next_line(&mut group)?;
        Some(Group { name: line.name, group: line.number, members: line.rest })
    })
}

/// What both files have in common: a name, a password, a number, and more.
struct Line<'a> {
    name: &'a [u8],
    number: u32,
    rest: &'a [u8],
}

/// Takes the next line that is of the form off the text.
#[inline(never)]
fn next_line<'a>(text: &mut &'a [u8]) -> Option<Line<'a>> {
    while !text.is_empty() {
        let mut line = until(text, b'\n').unwrap_or_else(|| core::mem::take(text));
        let Some(name) = until(&mut line, b':') else { continue };
        let (Some(_password), Some(number)) = (until(&mut line, b':'), until(&mut line, b':')) else {
            continue;
        };
        let Some(number) = parse_id(number) else { continue };
        if !matches!(name.first(), None | Some(b'+' | b'-' | b'#')) {
            return Some(Line { name, number, rest: line });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn reads_users() {
        let passwd =
            b"root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:34:www-data:/var/www:/usr/sbin/nologin\n";
        let found: Vec<_> = accounts(passwd).collect();
        assert_eq!(
            found,
            [
                Account { name: b"root", user: 0, group: 0 },
                Account { name: b"www-data", user: 33, group: 34 }
            ]
        );
        assert_eq!(accounts(b"last:x:7:8::/:").count(), 1, "no line feed at the end");
        assert_eq!(accounts(b"short:x:7:8").count(), 1);
    }

    #[test]
    fn reads_groups() {
        let found: Vec<_> = groups(b"root:x:0:\nweb:x:33:alice,bob\nnone:x:9").collect();
        assert_eq!(found.iter().map(|group| group.group).collect::<Vec<_>>(), [0, 33]);
        let has = |name: &[u8]| found[1].has(name);
        assert!(has(b"alice") && has(b"bob"));
        assert!(!has(b"alic") && !has(b"ob") && !has(b"alice,bob"));
        assert!(!found[0].has(b"alice"));
    }

    #[test]
    fn passes_over_what_is_not_of_the_form() {
        for line in [
            "",
            ":",
            ":::",
            ":x:1:1:",
            "a",
            "a:x",
            "a:x:1",
            "a:x::1:",
            "a:x:1::",
            "a:x:-1:1:",
            "a:x:+1:1:",
            "a:x: 1:1:",
            "a:x:0x1:1:",
            "a:x:1:one:",
            "a:x:4294967295:1:",
            "a:x:1:4294967295:",
            "a:x:4294967296:1:",
            "a:x:99999999999999999999999:1:",
            "a:x:1:1\r",
            "+:x:1:1:::",
            "+nis:x:1:1:::",
            "-nis:x:1:1:::",
            "#a:x:1:1:::",
            "+::::::",
        ] {
            assert_eq!(accounts(line.as_bytes()).count(), 0, "{line}");
            let between = ["b:x:2:2:\n", line, "\nc:x:3:3:\n"].concat();
            let found: Vec<_> = accounts(between.as_bytes()).map(|account| account.user).collect();
            assert_eq!(found, [2, 3], "{line}");
        }
        assert_eq!(accounts(b"a:x:4294967294:1:").count(), 1);
    }

    quickcheck! {
        fn any_bytes_give_only_what_is_in_them(text: Vec<u8>) -> bool {
            let within = |part: &[u8]| part.is_empty() || text.windows(part.len()).any(|window| window == part);
            accounts(&text).all(|account| within(account.name) && account.user != u32::MAX)
                && groups(&text).all(|group| within(group.name) && within(group.members))
        }
    }
}
