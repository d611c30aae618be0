//! The attributes of a monitor, and the settings they are read into.

use alloc::string::String;
use alloc::vec::Vec;

use crate::live;
use crate::text::listen::Listen;
use crate::tree::rule::{ListenRule, set_listen};
use crate::tree::{Attribute, Kind, Unit, Value};

/// Settings of one monitor. Times are milliseconds; [`MONITOR`] tells what each one does.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[allow(missing_docs)] // Each field is the attribute of its name: the table is its documentation.
pub struct MonitorSettings {
    pub enabled: bool,
    /// Empty for the default socket of the process.
    pub listen: Vec<String>,
    pub admin: Vec<String>,
    pub operate: Vec<String>,
    pub view: Vec<String>,
    /// Empty for none.
    pub key_file: String,
    pub legacy: bool,
    pub legacy_force: bool,
    pub max_sessions: u32,
    pub login_timeout: u64,
    /// 0 for none.
    pub idle_timeout: u64,
}

impl Default for MonitorSettings {
    /// The defaults of the table.
    fn default() -> Self {
        let mut settings = Self {
            enabled: false,
            listen: Vec::new(),
            admin: Vec::new(),
            operate: Vec::new(),
            view: Vec::new(),
            key_file: String::new(),
            legacy: false,
            legacy_force: false,
            max_sessions: 0,
            login_timeout: 0,
            idle_timeout: 0,
        };
        MONITOR.defaults(&mut settings);
        settings
    }
}

impl MonitorSettings {
    /// What is wrong with settings each of which is right: the key at fault and what was expected.
    #[must_use]
    pub fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        let (tcp, beyond) = self.reach();
        let forced = self.legacy_force;
        let why = match self.legacy {
            true if !tcp => "expected an ADDR:PORT in listen, for on a Unix socket nobody logs in",
            true if beyond && !forced => {
                "expected a loopback address in listen, for the handshake protects nobody on a network; \
                 legacy_force=on has it anyway"
            }
            false if forced => return Some(("legacy_force", "expected legacy=on with it")),
            true | false => return None,
        };
        Some(("legacy", why))
    }

    /// Whether a password has to be asked for when the program starts, for there is no file that could hold one.
    #[must_use]
    pub fn wants_password(&self) -> bool {
        self.enabled && self.key_file.is_empty() && self.has_tcp()
    }

    /// Whether it listens on TCP.
    #[must_use]
    pub fn has_tcp(&self) -> bool {
        self.reach().0
    }

    /// Whether it listens on TCP, and whether on what may be reached from another host.
    fn reach(&self) -> (bool, bool) {
        let mut reach = (false, false);
        for text in &self.listen {
            // Wrong rules are refused when they are set, so none is lost.
            let Ok(ListenRule { listen, .. }) = &ListenRule::parse(text) else { continue };
            // Of what a socket that was passed is, nothing is known here; without keys nobody comes in by TCP.
            reach.0 |= !matches!(listen, Listen::Unix(_) | Listen::Passed(_));
            reach.1 |= !is_loopback(listen);
        }
        reach
    }
}

/// Whether nobody on another host can reach it.
fn is_loopback(listen: &Listen) -> bool {
    match listen {
        Listen::Unix(_) | Listen::Localhost { .. } => true,
        Listen::Ip(address) => address.ip().to_canonical().is_loopback(),
        Listen::Any { .. } | Listen::Passed(_) => false,
    }
}

/// The kind `monitor`: where the running program is looked at and changed.
pub static MONITOR: Kind<MonitorSettings> = Kind {
    name: "monitor",
    help: "monitor",
    attributes: &[
        Attribute {
            about: live!(
                "enabled",
                Unit::Switch,
                "on",
                "Whether it answers. Turned off, its sockets are closed. When the last one is turned off live, a new one in the file, once it is reloaded, or a restart lets somebody in again.",
            )
            .by_admin(),
            get: |s| Value::Switch(s.enabled),
            set: Some(|s, v| v.store_bool(&mut s.enabled)),
        },
        Attribute {
            about: live!(
                "listen",
                Unit::Rules,
                "",
                "Address to listen on, may be repeated. unix:PATH, or ADDR:PORT with a key_file. Empty is a Unix \
                 socket named after the process in /run/gorgon, or where the user keeps such things.",
            )
            .by_admin(),
            get: |s| Value::List(s.listen.clone()),
            set: Some(|s, v| set_listen(&mut s.listen, v)),
        },
        Attribute {
            about: live!(
                "admin",
                Unit::List,
                "",
                "Users and @groups that may do all on a Unix socket. root and the user that the program runs as may \
                 always.",
            )
            .by_admin(),
            get: |s| Value::List(s.admin.clone()),
            set: Some(|s, v| v.store_list(&mut s.admin)),
        },
        Attribute {
            about: live!(
                "operate",
                Unit::List,
                "",
                "Users and @groups that may tune what runs, on a Unix socket.",
            )
            .by_admin(),
            get: |s| Value::List(s.operate.clone()),
            set: Some(|s, v| v.store_list(&mut s.operate)),
        },
        Attribute {
            about: live!(
                "view",
                Unit::List,
                "",
                "Users and @groups that may look, on a Unix socket.",
            )
            .by_admin(),
            get: |s| Value::List(s.view.clone()),
            set: Some(|s, v| v.store_list(&mut s.view)),
        },
        Attribute {
            about: live!(
                "key_file",
                Unit::Text,
                "",
                "File of the keys of those who come by TCP. gorgon passwd --monitor USER makes its lines. It has to \
                 belong to root or to the user that the program runs as, and others may not be able to read it: \
                 chmod 600, or 640 for a group that this user is in. Its changes count from the next login on, if the \
                 program's user may read it. Without one the password of the user admin is asked for at start, if there is a terminal.",
            )
            .by_admin(),
            get: |s| Value::Text(s.key_file.clone()),
            set: Some(|s, v| v.store_text(&mut s.key_file)),
        },
        Attribute {
            about: live!(
                "legacy",
                Unit::Switch,
                "off",
                "Let in by the MD5 handshake of Medusa instead. It is weak, so only by a loopback address. The \
                 passwords stand in the key_file in clear text, for the handshake cannot do without: lines \
                 legacy:ROLE:PASSWORD, as gorgon passwd --monitor legacy makes them.",
            )
            .by_admin(),
            get: |s| Value::Switch(s.legacy),
            set: Some(|s, v| v.store_bool(&mut s.legacy)),
        },
        Attribute {
            about: live!(
                "legacy_force",
                Unit::Switch,
                "off",
                "Have that handshake on other addresses too. Who listens on the way finds the password out.",
            )
            .by_admin(),
            get: |s| Value::Switch(s.legacy_force),
            set: Some(|s, v| v.store_bool(&mut s.legacy_force)),
        },
        Attribute {
            about: live!(
                "max_sessions",
                Unit::Count { min: 1, max: 1000 },
                "32",
                "Sessions at once. More are told so and closed, but who comes with a higher role displaces the oldest session of \
                 the lowest.",
            )
            .by_admin(),
            get: |s| Value::Count(s.max_sessions.into()),
            set: Some(|s, v| v.store_u32(&mut s.max_sessions)),
        },
        Attribute {
            about: live!(
                "login_timeout",
                Unit::Time { min: 1000, max: 300_000 },
                "10s",
                "How long a login by TCP may take. At most 16 go on at once, two from one address; with more, who stalls makes room.",
            )
            .by_admin(),
            get: |s| Value::Time(s.login_timeout),
            set: Some(|s, v| v.store_u64(&mut s.login_timeout)),
        },
        Attribute {
            about: live!(
                "idle_timeout",
                Unit::Time { min: 0, max: 7 * 24 * 3_600_000 },
                "0s",
                "How long a session may ask nothing and be told nothing. 0 for as long as it likes.",
            )
            .by_admin(),
            get: |s| Value::Time(s.idle_timeout),
            set: Some(|s, v| v.store_u64(&mut s.idle_timeout)),
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds() {
        crate::tree::tests::check_table(&MONITOR);
    }

    fn with(values: &[(&str, &str)]) -> MonitorSettings {
        let mut settings = MonitorSettings::default();
        for (key, value) in values {
            MONITOR.set_text(&mut settings, key, value).unwrap();
        }
        settings
    }

    #[test]
    fn contradictions_are_found() {
        for (listen, legacy, forced, wrong) in [
            ("", false, false, None),
            ("unix:/run/m.sock", false, false, None),
            (":8023", false, false, None),
            ("", true, false, Some("legacy")),
            ("unix:/run/m.sock mode=600", true, false, Some("legacy")),
            ("127.0.0.1:8023", true, false, None),
            ("127.9.9.9:8023,[::1]:8023,localhost:1,unix:x", true, false, None),
            ("[::ffff:127.0.0.1]:8023", true, false, None),
            ("127.0.0.1:8023,10.0.0.1:8023", true, false, Some("legacy")),
            (":8023", true, false, Some("legacy")),
            ("[::]:8023", true, false, Some("legacy")),
            (":8023", true, true, None),
            (":8023", false, true, Some("legacy_force")),
        ] {
            let switch = |on| if on { "on" } else { "off" };
            let settings =
                with(&[("listen", listen), ("legacy", switch(legacy)), ("legacy_force", switch(forced))]);
            assert_eq!(settings.contradiction().map(|(key, _)| key), wrong, "{listen} {legacy} {forced}");
        }
    }

    #[test]
    fn a_password_is_wanted_where_no_file_has_one() {
        for (values, wanted) in [
            (&[][..], false),
            (&[("listen", "unix:x")], false),
            (&[("listen", ":8023")], true),
            (&[("listen", ":8023"), ("key_file", "/etc/keys")], false),
            (&[("listen", "127.0.0.1:8023"), ("legacy", "on")], true),
            (&[("listen", ":8023"), ("enabled", "off")], false),
        ] {
            assert_eq!(with(values).wants_password(), wanted, "{values:?}");
        }
    }
}
