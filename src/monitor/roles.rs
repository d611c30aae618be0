//! What those may who come by a Unix socket: the users and groups that the settings list, as numbers. Pure: the files of
//! users and groups are read elsewhere.

use alloc::string::String;
use alloc::vec::Vec;

use super::settings::MonitorSettings;
use crate::text::accounts::{accounts, group_number, user_number};
use crate::text::join::joined;
use crate::tree::Role;

/// The roles, from the least on. Their words are the attributes that list who has them.
const ROLES: [Role; 3] = [Role::View, Role::Operate, Role::Admin];

/// The word of a role.
#[inline(never)]
#[must_use]
pub fn word(role: Role) -> &'static str {
    match role {
        Role::View => "view",
        Role::Operate => "operate",
        Role::Admin => "admin",
    }
}

/// The role of a word.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Role> {
    ROLES.iter().copied().find(|role| word(*role).as_bytes() == text)
}

/// The numbers that stand for all users and groups that this namespace has no number for (user_namespaces(7)): such a
/// peer has nobody's, which may be the program's own. Where every number means somebody, there are none.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Unmapped {
    user: Option<u32>,
    group: Option<u32>,
}

impl Unmapped {
    /// Of the texts of `uid_map` and `gid_map`, where there are such files, and the numbers of `overflowuid` and
    /// `overflowgid`.
    #[must_use]
    pub fn read(maps: (Option<&[u8]>, Option<&[u8]>), (user, group): (u32, u32)) -> Unmapped {
        let is_part = |map: &[u8]| {
            let words = map.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            !words.eq([&b"0"[..], b"0", b"4294967295"])
        };
        Unmapped {
            user: maps.0.is_some_and(is_part).then_some(user),
            group: maps.1.is_some_and(is_part).then_some(group),
        }
    }
}

/// Who may what.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Roles {
    users: Vec<(u32, Role)>,
    groups: Vec<(u32, Role)>,
    own: Vec<u32>,
    unmapped: Unmapped,
}

impl Roles {
    /// Resolves the lists `admin`, `operate` and `view` against the text of `/etc/passwd` and `/etc/group`. A name is a
    /// user's, with `@` before it a group's; numbers stand for either. Who is listed as a member of a group is in it.
    ///
    /// # Errors
    /// The attribute, and who is not known.
    pub fn resolve(
        settings: &MonitorSettings,
        passwd: &[u8],
        group: &[u8],
    ) -> Result<Roles, (&'static str, String)> {
        let mut roles = Roles::default();
        let lists = [&settings.view, &settings.operate, &settings.admin];
        for (&role, list) in ROLES.iter().zip(&lists) {
            for name in *list {
                let known = match name.strip_prefix('@') {
                    Some(name) => roles.add_group(name, role, passwd, group),
                    None => roles.add_user(name, role, passwd),
                };
                if !known {
                    let wanted = joined(&["expected users, @groups or their numbers; there is no ", name]);
                    return Err((word(role), wanted));
                }
            }
        }
        Ok(roles)
    }

    /// Lets a user do all: the one that the program runs as, at its start and later.
    pub fn add_own(&mut self, user: u32) {
        if !self.own.contains(&user) {
            self.own.push(user);
        }
    }

    /// Nobody gets a role by these numbers.
    pub fn leave_out(&mut self, unmapped: Unmapped) {
        self.unmapped = unmapped;
    }

    /// Whether anybody is named besides root and the program's own user: then others have to be able to reach the socket.
    #[must_use]
    pub fn names_others(&self) -> bool {
        !self.users.is_empty() || !self.groups.is_empty()
    }

    /// What a peer may; none who is not listed. Of several roles the highest counts.
    #[must_use]
    pub fn of(&self, user: u32, group: u32) -> Option<Role> {
        if self.unmapped.user == Some(user) {
            return None;
        }
        if user == 0 || self.own.contains(&user) {
            return Some(Role::Admin);
        }
        let by_user = highest(&self.users, user);
        if self.unmapped.group == Some(group) { by_user } else { by_user.max(highest(&self.groups, group)) }
    }

    fn add_user(&mut self, name: &str, role: Role, passwd: &[u8]) -> bool {
        let number = user_number(passwd, name);
        let Some(number) = number else { return false };
        self.users.push((number, role));
        true
    }

    fn add_group(&mut self, name: &str, role: Role, passwd: &[u8], group: &[u8]) -> bool {
        let Some(number) = group_number(group, name) else { return false };
        self.groups.push((number, role));
        // Not what a process is in counts, which it can give up, but what the system says of its user.
        for account in accounts(passwd) {
            if account.is_in(number, group) {
                self.users.push((account.user, role));
            }
        }
        true
    }
}

/// The highest of the roles that a list gives a number.
#[inline(never)]
fn highest(list: &[(u32, Role)], number: u32) -> Option<Role> {
    list.iter().filter(|(other, _)| *other == number).map(|(_, role)| *role).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0::/:\nanna:x:1000:1000::/:\nbert:x:1001:1001::/:\ncarl:x:1002:50::/:\n\
        4711:x:12:13::/:\n";
    const GROUP: &[u8] = b"root:x:0:\nstaff:x:50:anna\nweb:x:60:bert,anna,ghost\nbert:x:1001:\n";

    fn roles(view: &[&str], operate: &[&str], admin: &[&str]) -> Result<Roles, (&'static str, String)> {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (view, operate, admin) = (list(view), list(operate), list(admin));
        Roles::resolve(&MonitorSettings { view, operate, admin, ..MonitorSettings::default() }, PASSWD, GROUP)
    }

    #[test]
    fn root_and_the_own_user_may_all_and_nobody_else_anything() {
        let mut roles = roles(&[], &[], &[]).unwrap();
        assert!(!roles.names_others());
        assert_eq!(roles.of(0, 1000), Some(Role::Admin));
        assert_eq!(roles.of(1000, 0), None, "the group of root is not root");
        roles.add_own(1000);
        roles.add_own(1000);
        assert_eq!(roles.of(1000, 5), Some(Role::Admin));
        assert_eq!(roles.of(1001, 1000), None);
        assert_eq!(roles.of(u32::MAX, u32::MAX), None);
        assert!(!roles.names_others());
    }

    #[test]
    fn users_and_groups_by_name_and_number() {
        let roles = roles(&["@web", "7"], &["bert", "@50"], &["4711", "@1234"]).unwrap();
        assert!(roles.names_others());
        for (user, group, role) in [
            (1000, 1000, Some(Role::Operate)),
            (1001, 1001, Some(Role::Operate)),
            (1002, 9, Some(Role::Operate)),
            (5000, 50, Some(Role::Operate)),
            (5000, 60, Some(Role::View)),
            (7, 9, Some(Role::View)),
            (7, 1234, Some(Role::Admin)),
            (12, 13, Some(Role::Admin)),
            (4711, 13, None),
            (5000, 5000, None),
        ] {
            assert_eq!(roles.of(user, group), role, "{user} {group}");
        }
    }

    #[test]
    fn numbers_that_stand_for_nobody_in_particular_give_no_role() {
        let whole: &[u8] = b"         0          0 4294967295\n";
        let read = |user, group| Unmapped::read((user, group), (65534, 65533));
        // The program's own user is nobody where every number means somebody, and where no number is mapped at all.
        for none in [read(Some(whole), Some(whole)), read(None, None)] {
            assert_eq!(none, Unmapped::default());
        }
        let mut roles = roles(&["@65533"], &["65534", "7"], &["@9"]).unwrap();
        roles.add_own(65534);
        assert_eq!(roles.of(65534, 9), Some(Role::Admin));
        assert_eq!(roles.of(5, 65533), Some(Role::View));
        for part in
            [&b"0 1000 1\n"[..], b"", b"0 0 4294967294", b"0 1000 1\n1 100000 65536\n", b"1 1 4294967295"]
        {
            let mut roles = roles.clone();
            roles.leave_out(read(Some(part), Some(whole)));
            assert_eq!((roles.of(65534, 9), roles.of(65534, 65533)), (None, None));
            assert_eq!(roles.of(5, 65533), Some(Role::View));
            roles.leave_out(read(Some(part), Some(part)));
            assert_eq!((roles.of(5, 65533), roles.of(5, 9)), (None, Some(Role::Admin)));
            assert_eq!((roles.of(7, 65533), roles.of(0, 65533)), (Some(Role::Operate), Some(Role::Admin)));
        }
    }

    #[test]
    fn says_who_is_not_known() {
        for (name, at) in
            [("dora", 0), ("@dora", 1), ("@anna", 2), ("web", 0), ("-1", 1), ("4294967295", 2), ("@", 0)]
        {
            let mut lists: [&[&str]; 3] = [&[]; 3];
            let list = [name];
            lists[at] = &list;
            let (attribute, message) = roles(lists[0], lists[1], lists[2]).unwrap_err();
            assert_eq!(attribute, ["view", "operate", "admin"][at]);
            assert!(message.ends_with(&["there is no ", name].concat()), "{message}");
        }
    }

    #[test]
    fn words() {
        for (role, word) in ROLES.map(|role| (role, word(role))) {
            assert_eq!(super::word(role), word);
            assert_eq!(parse(word.as_bytes()), Some(role));
        }
        for wrong in ["", "View", "adm", "root", "admin "] {
            assert_eq!(parse(wrong.as_bytes()), None);
        }
    }
}
