//! The attributes of the process as a whole, kind `gorgon`.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::text::join::joined;
use crate::tree::{Attribute, Flag, Kind, Unit, Value};
use crate::{admin, fixed, live};

/// Settings of the process. Sizes are bytes, times milliseconds; [`GORGON`] tells what each one does.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[allow(missing_docs)] // Each field is the attribute of its name: the table is its documentation.
pub struct ProcessSettings {
    /// `auto`, or the name of one.
    pub poller: &'static str,
    pub grace: u64,
    pub page_memory: u64,
    /// As it was written; empty is nobody for one who is root.
    pub user: String,
    /// Empty for none.
    pub chroot: String,
    pub sandbox: &'static str,
    /// Empty for none.
    pub pid_file: String,
    /// 0 for none.
    pub notify_fd: u32,
    /// `auto`, `on` or `off`.
    pub listen_retry: &'static str,
    /// Each is read by [`nameserver`]; empty for those of the system.
    pub nameservers: Vec<String>,
    /// `error`, `warn`, `info` or `debug`. `verbose` and `quiet` are two of them by another name.
    pub log_level: &'static str,
}

/// How much is said. Each level says what those before it say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Debug))]
pub enum Level {
    /// What keeps the program from its work.
    Error,
    /// What goes wrong and is borne.
    Warn,
    /// What is served, and where.
    Info,
    /// What was done, and what is asked.
    Debug,
}

impl Level {
    /// Whether events go to standard error: of a program with a configuration file unless little is to be said, of one
    /// that was given a directory only where all is.
    #[must_use]
    pub fn tells_events(self, by_file: bool) -> bool {
        self >= if by_file { Level::Info } else { Level::Debug }
    }
}

impl ProcessSettings {
    /// How much to say.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.log_level {
            "error" => Level::Error,
            "warn" => Level::Warn,
            "debug" => Level::Debug,
            _ => Level::Info,
        }
    }

    /// Takes a level by its other name; turned off, what is another level already stays.
    fn set_level(&mut self, level: &'static str, value: &mut Value) -> Result<(), String> {
        let mut on = false;
        value.store_bool(&mut on)?;
        if on {
            self.log_level = level;
        } else if self.log_level == level {
            self.log_level = "info";
        }
        Ok(())
    }
}

impl Default for ProcessSettings {
    /// The defaults of the table.
    fn default() -> Self {
        let mut settings = Self {
            poller: "",
            grace: 0,
            page_memory: 0,
            user: String::new(),
            chroot: String::new(),
            sandbox: "",
            pid_file: String::new(),
            notify_fd: 0,
            listen_retry: "",
            nameservers: Vec::new(),
            log_level: "",
        };
        GORGON.defaults(&mut settings);
        settings
    }
}

/// The port of the domain name system.
pub const DNS_PORT: u16 = 53;

/// Reads a server of the domain name system: `192.0.2.1`, `2001:db8::1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`.
#[must_use]
pub fn nameserver(text: &str) -> Option<SocketAddr> {
    let bare = |text: &str| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DNS_PORT));
    bare(text).or_else(|| text.parse().ok()).filter(|server| server.port() > 0)
}

fn set_nameservers(servers: &mut Vec<String>, value: &mut Value) -> Result<(), String> {
    let texts = value.take_list()?;
    if let Some(wrong) = texts.iter().find(|text| nameserver(text).is_none()) {
        return Err(joined(&[wrong, ": expected an address, as in 192.0.2.1 or [2001:db8::1]:5353"]));
    }
    *servers = texts;
    Ok(())
}

/// The kind `gorgon`: there is one node of it, without a name.
pub static GORGON: Kind<ProcessSettings> = Kind {
    name: "gorgon",
    help: "process",
    attributes: &[
        Attribute {
            about: live!(
                "verbose",
                Unit::Switch,
                "off",
                "Say more: each request and event, and at the end what was done. The same as log_level=debug.",
            )
            .with_flag(&Flag { short: Some('v'), long: "verbose", value: "" }),
            get: |s| Value::Switch(s.log_level == "debug"),
            set: Some(|s, v| s.set_level("debug", v)),
        },
        Attribute {
            about: live!(
                "quiet",
                Unit::Switch,
                "off",
                "Say nothing but errors. The same as log_level=error.",
            )
            .with_flag(&Flag { short: Some('q'), long: "quiet", value: "" }),
            get: |s| Value::Switch(s.log_level == "error"),
            set: Some(|s, v| s.set_level("error", v)),
        },
        Attribute {
            about: live!(
                "log_level",
                Unit::Choice("error|warn|info|debug"),
                "info",
                "How much to say. error: what ends the program; warn: what goes wrong and is borne, such as a log that \
                 cannot be written; info: what is served and where; debug: all that verbose says. Of this, verbose and \
                 quiet the last that is said holds.",
            ),
            get: |s| Value::Choice(s.log_level),
            set: Some(|s, v| v.store_choice(&mut s.log_level)),
        },
        Attribute {
            about: fixed!(
                "poller",
                Unit::Choice("auto|epoll|kqueue|poll|select"),
                "auto",
                "How to wait for connections. auto takes the best this system has.",
            ),
            get: |s| Value::Choice(s.poller),
            set: Some(|s, v| v.store_choice(&mut s.poller)),
        },
        Attribute {
            about: live!(
                "grace",
                Unit::Time { min: 0, max: 24 * 60 * 60 * 1000 },
                "10s",
                "Time to finish requests in flight when told to quit.",
            ),
            get: |s| Value::Time(s.grace),
            set: Some(|s, v| v.store_u64(&mut s.grace)),
        },
        Attribute {
            about: live!(
                "page_memory",
                Unit::Size { min: 1 << 20, max: 1 << 40, power_of_two: false },
                "16M",
                "Most memory for the buffers of all connections. Past it by a quarter a client that does not take its \
                 reply is given up, by a half requests that are not \
                 whole wait.",
            ),
            get: |s| Value::Size(s.page_memory),
            set: Some(|s, v| v.store_u64(&mut s.page_memory)),
        },
        Attribute {
            about: fixed!(
                "user",
                Unit::Text,
                "",
                "User to become when started as root, nobody unless given. NAME, NAME:GROUP or numbers; who is not \
                 in /etc/passwd, as the users of other services, goes by numbers. It happens once the addresses are \
                 bound and the directory is open; every capability goes too. Unix sockets are given to the user, and \
                 stay at the end where the user may not remove them. root keeps root.",
            )
            .with_flag(&Flag { short: None, long: "user", value: "NAME[:GROUP]" }),
            get: |s| Value::Text(s.user.clone()),
            set: Some(|s, v| v.store_text(&mut s.user)),
        },
        Attribute {
            about: fixed!(
                "chroot",
                Unit::Text,
                "",
                "Directory to make the root directory, for root only. What is served has to lie in it, its path given \
                 as seen from outside. One who stays root can leave it.",
            )
            .with_flag(&Flag { short: None, long: "chroot", value: "DIR" }),
            get: |s| Value::Text(s.chroot.clone()),
            set: Some(|s, v| v.store_text(&mut s.chroot)),
        },
        Attribute {
            about: fixed!(
                "sandbox",
                Unit::Choice("auto|on|off"),
                "auto",
                "Whether to give up, by Landlock, what is not needed. Then nothing but what is served can be opened, \
                 nothing can be executed, and no further TCP address bound or connected to. auto goes without where \
                 the kernel has none, on ends there.",
            ),
            get: |s| Value::Choice(s.sandbox),
            set: Some(|s, v| v.store_choice(&mut s.sandbox)),
        },
        Attribute {
            about: fixed!(
                "pid_file",
                Unit::Text,
                "",
                "File for the number of the process. It is empty until all is served, locked for as long as the process \
                 lives, and removed at the end, or emptied where the user may not remove it. One that another process \
                 has locked is refused.",
            ),
            get: |s| Value::Text(s.pid_file.clone()),
            set: Some(|s, v| v.store_text(&mut s.pid_file)),
        },
        Attribute {
            about: fixed!(
                "notify_fd",
                Unit::Count { min: 0, max: 65_535 },
                "0",
                "Descriptor that gets a line feed once all is served. s6 wants that; 0 is none, and the standard streams \
                 are not taken. It is closed then. systemd is told without being asked.",
            ),
            get: |s| Value::Count(s.notify_fd.into()),
            set: Some(|s, v| v.store_u32(&mut s.notify_fd)),
        },
        Attribute {
            about: fixed!(
                "listen_retry",
                Unit::Choice("auto|on|off"),
                "auto",
                "Whether an address to listen on may come later. Then it is bound before an interface has it, or where \
                 the system cannot do that, tried again while the others serve. auto does so for what a configuration \
                 file describes.",
            ),
            get: |s| Value::Choice(s.listen_retry),
            set: Some(|s, v| v.store_choice(&mut s.listen_retry)),
        },
        Attribute {
            about: admin!(
                "nameservers",
                Unit::List,
                "",
                "Servers to ask for the names of clients, ADDR or ADDR:PORT. They are asked in turn, and only where rules of \
                 clients name a domain. Those of /etc/resolv.conf unless given.",
            ),
            get: |s| Value::List(s.nameservers.clone()),
            set: Some(|s, v| set_nameservers(&mut s.nameservers, v)),
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds() {
        crate::tree::tests::check_table(&GORGON);
    }

    #[test]
    fn servers_in_every_form() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1:53")),
            ("2001:db8::1", Some("[2001:db8::1]:53")),
            ("192.0.2.1:5353", Some("192.0.2.1:5353")),
            ("[2001:db8::1]:5353", Some("[2001:db8::1]:5353")),
            ("", None),
            ("host", None),
            ("192.0.2.1:0", None),
            ("192.0.2.1:65536", None),
            ("[2001:db8::1]", None),
        ] {
            assert_eq!(nameserver(text), expected.map(|text| text.parse().unwrap()), "{text}");
        }
        let mut settings = ProcessSettings::default();
        let refused = GORGON.set_text(&mut settings, "nameservers", "127.0.0.1,host");
        assert!(refused.is_err() && settings.nameservers.is_empty());
    }
}
