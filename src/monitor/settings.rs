//! The attributes of a monitor, and the settings they are read into.

use alloc::string::String;
use alloc::vec::Vec;

use crate::tree::rule::set_listen;
use crate::tree::{About, Attribute, Kind, Unit, Value};

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
    pub max_sessions: u32,
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
            max_sessions: 0,
        };
        MONITOR.defaults(&mut settings);
        settings
    }
}

/// The kind `monitor`: where the running program is looked at and changed.
pub static MONITOR: Kind<MonitorSettings> = Kind {
    name: "monitor",
    help: "monitor",
    attributes: &[
        Attribute {
            about: About::live(
                "enabled",
                Unit::Switch,
                "on",
                "Whether it answers. Turned off, its sockets are closed.",
            )
            .by_admin(),
            get: |s| Value::Switch(s.enabled),
            set: |s, v| v.into_bool(&mut s.enabled),
        },
        Attribute {
            about: About::live(
                "listen",
                Unit::Rules,
                "",
                "Address to listen on, may be repeated. unix:PATH, or ADDR:PORT with a key_file. Empty is a Unix \
                 socket named after the process in /run/gorgon, or where the user keeps such things.",
            )
            .by_admin(),
            get: |s| Value::List(s.listen.clone()),
            set: |s, v| set_listen(&mut s.listen, v),
        },
        Attribute {
            about: About::live(
                "admin",
                Unit::List,
                "",
                "Users and @groups that may do all on a Unix socket. root and the user that the program runs as may \
                 always.",
            )
            .by_admin(),
            get: |s| Value::List(s.admin.clone()),
            set: |s, v| v.into_list().map(|items| s.admin = items),
        },
        Attribute {
            about: About::live(
                "operate",
                Unit::List,
                "",
                "Users and @groups that may tune what runs, on a Unix socket.",
            )
            .by_admin(),
            get: |s| Value::List(s.operate.clone()),
            set: |s, v| v.into_list().map(|items| s.operate = items),
        },
        Attribute {
            about: About::live(
                "view",
                Unit::List,
                "",
                "Users and @groups that may look, on a Unix socket.",
            )
            .by_admin(),
            get: |s| Value::List(s.view.clone()),
            set: |s, v| v.into_list().map(|items| s.view = items),
        },
        Attribute {
            about: About::live(
                "key_file",
                Unit::Text,
                "",
                "File of the keys of those who come by TCP. Nobody else may be able to read it.",
            )
            .by_admin(),
            get: |s| Value::Text(s.key_file.clone()),
            set: |s, v| v.into_text().map(|text| s.key_file = text),
        },
        Attribute {
            about: About::live(
                "legacy",
                Unit::Switch,
                "off",
                "Let in by the MD5 handshake of Medusa instead. It is weak, so only by a loopback address.",
            )
            .by_admin(),
            get: |s| Value::Switch(s.legacy),
            set: |s, v| v.into_bool(&mut s.legacy),
        },
        Attribute {
            about: About::live(
                "max_sessions",
                Unit::Count { min: 1, max: 1000 },
                "32",
                "Sessions at once. More are told so and closed.",
            )
            .by_admin(),
            get: |s| Value::Count(s.max_sessions.into()),
            set: |s, v| v.into_u32(&mut s.max_sessions),
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
}
