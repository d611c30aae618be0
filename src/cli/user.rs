//! Who to become: the setting `user` against the users and groups of this system. Pure: the files are read elsewhere.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::text::accounts::{accounts, group_number, groups, parse_id};
use crate::text::join::joined;
use crate::text::number::push_decimal_str;

/// A user with its groups, as numbers.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct User {
    /// As it was written, or the name that goes with the number.
    pub name: String,
    /// The user.
    pub user: u32,
    /// Its group.
    pub group: u32,
    /// All of its groups, that one first.
    pub groups: Vec<u32>,
    /// Whether the system lists it.
    pub listed: bool,
}

/// Whom a process started as root becomes unless told.
const NOBODY: &str = "nobody";
/// Its number, and its group's, where the system does not list it: what the kernel shows for whom it cannot name.
const NOBODY_ID: u32 = 65534;

impl User {
    /// Reads `NAME`, `NAME:GROUP` or numbers in place of either, against the text of `/etc/passwd` and `/etc/group`;
    /// no text at all is `nobody`. What is listed as a name is a name, even if it is all digits. Without a group it is
    /// the user's own, and the groups that list the user come along in any case.
    ///
    /// # Errors
    /// `expected ..`, or who is not known.
    #[inline(never)] // smaller so
    pub fn resolve(text: &str, passwd: &[u8], group: &[u8]) -> Result<User, String> {
        let (name, group_name) = match text.split_once(':') {
            Some((name, group_name)) => (name, Some(group_name)),
            None => (text, None),
        };
        if (name.is_empty() && !text.is_empty()) || group_name.is_some_and(str::is_empty) {
            return Err("expected NAME, NAME:GROUP, or numbers as in 1000:1000".to_owned());
        }
        let wanted = if name.is_empty() { NOBODY } else { name };
        let number = parse_id(wanted.as_bytes());
        let account = accounts(passwd)
            .find(|account| account.name == wanted.as_bytes())
            .or_else(|| accounts(passwd).find(|account| Some(account.user) == number));
        let own = match group_name {
            None => None,
            Some(wanted) => {
                let number = group_number(group, wanted);
                Some(number.ok_or_else(|| unknown("/etc/group has no group ", wanted))?)
            }
        };
        let (user, own) = match (account, number, own) {
            (Some(account), _, own) => (account.user, own.unwrap_or(account.group)),
            (None, Some(user), Some(own)) => (user, own),
            (None, None, None) if name.is_empty() => (NOBODY_ID, NOBODY_ID),
            (None, Some(_), None) | (None, None, _) => {
                return Err(unknown("/etc/passwd has no user ", wanted));
            }
        };
        let mut all = vec![own];
        if let Some(account) = account {
            for group in groups(group) {
                if group.has(account.name) && !all.contains(&group.group) {
                    all.push(group.group);
                }
            }
        }
        let name = account.and_then(|account| core::str::from_utf8(account.name).ok()).unwrap_or(wanted);
        Ok(User { name: name.to_owned(), user, group: own, groups: all, listed: account.is_some() })
    }

    /// Appends `nobody (65534:65534)`, or the numbers alone.
    pub fn push(&self, out: &mut String) {
        let named = parse_id(self.name.as_bytes()).is_none();
        if named {
            out.push_str(&self.name);
            out.push_str(" (");
        }
        push_decimal_str(self.user.into(), out);
        out.push(':');
        push_decimal_str(self.group.into(), out);
        if named {
            out.push(')');
        }
    }
}

fn unknown(what: &str, name: &str) -> String {
    joined(&[what, name, "; who is not listed goes by numbers, as in 1000:1000"])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:root:/root:/bin/sh\nbroken\nnobody:x:65534:65533::/:\nweb:x:33:34::/:\n\
        web:x:0:0::/:\n4711:x:12:13::/:\nuser-only:x:4712:5::/:\n";
    const GROUP: &[u8] =
        b"root:x:0:\nweb:x:34:\nlogs:x:4:web,root\nlate:x:3:x,web\nown:x:34:web\nlogs2:x:4:web\n";

    fn told(text: &str) -> Result<(u32, u32, Vec<u32>, String), String> {
        User::resolve(text, PASSWD, GROUP).map(|user| {
            let mut shown = String::new();
            user.push(&mut shown);
            (user.user, user.group, user.groups, shown)
        })
    }

    #[test]
    fn knows_every_form() {
        for (text, user, group, groups, shown) in [
            ("", 65534, 65533, &[65533][..], "nobody (65534:65533)"),
            ("nobody", 65534, 65533, &[65533], "nobody (65534:65533)"),
            ("root", 0, 0, &[0, 4], "root (0:0)"),
            ("0", 0, 0, &[0, 4], "root (0:0)"),
            ("web", 33, 34, &[34, 4, 3], "web (33:34)"),
            ("33", 33, 34, &[34, 4, 3], "web (33:34)"),
            ("web:logs", 33, 4, &[4, 3, 34], "web (33:4)"),
            ("web:7", 33, 7, &[7, 4, 3, 34], "web (33:7)"),
            ("1000:1000", 1000, 1000, &[1000], "1000:1000"),
            ("1000:web", 1000, 34, &[34], "1000:34"),
            ("4711", 12, 13, &[13], "12:13"),
            ("4712", 4712, 5, &[5], "user-only (4712:5)"),
        ] {
            assert_eq!(told(text), Ok((user, group, groups.to_vec(), shown.to_owned())), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            (":", "expected NAME"),
            (":web", "expected NAME"),
            ("web:", "expected NAME"),
            ("nosuch", "no user nosuch"),
            ("nosuch:web", "no user nosuch"),
            ("web:nosuch", "no group nosuch"),
            ("web:web:web", "no group web:web"),
            ("1000", "as in 1000:1000"),
            ("4294967295:1", "no user 4294967295"),
            ("33:4294967295", "no group 4294967295"),
            ("-1:1", "no user -1"),
        ] {
            let Err(found) = told(text) else { panic!("{text} was taken") };
            assert!(found.contains(message), "{text}: {found}");
        }
    }

    #[test]
    fn nobody_is_known_without_files() {
        let user = User::resolve("", b"", b"").unwrap();
        assert_eq!((user.user, user.group, user.groups), (65534, 65534, vec![65534]));
        assert!(!user.listed);
        assert!(User::resolve("nobody", b"", b"").is_err());
        assert!(User::resolve("7:8", b"", b"").is_ok());
    }
}
