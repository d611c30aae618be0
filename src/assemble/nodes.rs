//! The kinds of nodes that only the program as a whole knows: what it is, what it says, and where it was told so.

use alloc::string::String;

use crate::engine::{Buffers, ServiceCounters};
#[cfg(feature = "monitor")]
use crate::monitor::service::Counters;
use crate::text::duration::rounded;
use crate::tree::{Attribute, Kind, Unit, Value};
use crate::{counter, fact, live};

/// Any number.
const COUNT: Unit = Unit::Count { min: 0, max: u64::MAX };
/// Any number of bytes.
const BYTES: Unit = Unit::Size { min: 0, max: u64::MAX, power_of_two: false };
/// Any buffer.
const BUFFER: Unit = Unit::Buffer { min: 0, max: u64::MAX };
/// Any time.
const TIME: Unit = Unit::Time { min: 0, max: u64::MAX };

/// What the process is.
#[derive(Default)]
pub(super) struct ProcessFacts {
    pub(super) pid: u64,
    pub(super) uptime: u64,
    pub(super) user: String,
    pub(super) rights: String,
    pub(super) poller: &'static str,
    pub(super) state: &'static str,
}

/// The kind `process`.
pub(super) static PROCESS: Kind<ProcessFacts> = Kind {
    name: "process",
    help: "process",
    attributes: &[
        Attribute {
            about: fact!("version", Unit::Text, "The version of the program."),
            get: |_| Value::Text(String::from(env!("CARGO_PKG_VERSION"))),
            set: None,
        },
        Attribute {
            about: fact!("pid", COUNT, "The number of the process."),
            get: |facts| Value::Count(facts.pid),
            set: None,
        },
        Attribute {
            about: counter!("uptime", TIME, "For how long it has run."),
            get: |facts| Value::Time(rounded(facts.uptime)),
            set: None,
        },
        Attribute {
            about: fact!("state", Unit::Text, "serving, draining or stopping."),
            get: |facts| Value::Choice(facts.state),
            set: None,
        },
        Attribute {
            about: fact!("user", Unit::Text, "Who it runs as."),
            get: |facts| Value::Text(facts.user.clone()),
            set: None,
        },
        Attribute {
            about: fact!("rights", Unit::Text, "What it may still do, and what it gave up at the start.",),
            get: |facts| Value::Text(facts.rights.clone()),
            set: None,
        },
        Attribute {
            about: fact!("poller", Unit::Text, "How it waits for connections."),
            get: |facts| Value::Choice(facts.poller),
            set: None,
        },
    ],
};

/// Where the settings come from.
#[derive(Default)]
pub(super) struct ConfigFacts {
    pub(super) file: String,
    pub(super) changed: u64,
    pub(super) loaded: u64,
    pub(super) reloads: u64,
    pub(super) failures: u64,
    pub(super) last_failure: String,
}

/// The kind `config`.
pub(super) static CONFIG: Kind<ConfigFacts> = Kind {
    name: "config",
    help: "configuration",
    attributes: &[
        Attribute {
            about: fact!("file", Unit::Text, "The file it was read from. Empty where there is none."),
            get: |facts| Value::Text(facts.file.clone()),
            set: None,
        },
        Attribute {
            about: fact!("changed", COUNT, "Values that were changed since, and are not saved."),
            get: |facts| Value::Count(facts.changed),
            set: None,
        },
        Attribute {
            about: fact!("loaded", TIME, "How long ago it was read."),
            get: |facts| Value::Time(rounded(facts.loaded)),
            set: None,
        },
        Attribute {
            about: counter!("reloads", COUNT, "How often it was read again."),
            get: |facts| Value::Count(facts.reloads),
            set: None,
        },
        Attribute {
            about: counter!("failures", COUNT, "How often that changed nothing, for something was wrong.",),
            get: |facts| Value::Count(facts.failures),
            set: None,
        },
        Attribute {
            about: fact!(
                "last_failure",
                Unit::Text,
                "What was wrong the last time. Empty when it went well.",
            ),
            get: |facts| Value::Text(facts.last_failure.clone()),
            set: None,
        },
    ],
};

/// What is written where.
#[derive(Default)]
pub(super) struct LogFacts {
    pub(super) events: u64,
    pub(super) logs: u64,
    pub(super) dropped: u64,
}

/// The kind `log`.
pub(super) static LOG: Kind<LogFacts> = Kind {
    name: "log",
    help: "log",
    attributes: &[
        Attribute {
            about: counter!("events", COUNT, "Events noted. The monitor's log shows the last of them."),
            get: |facts| Value::Count(facts.events),
            set: None,
        },
        Attribute {
            about: fact!("logs", COUNT, "Access logs that are open."),
            get: |facts| Value::Count(facts.logs),
            set: None,
        },
        Attribute {
            about: counter!("dropped", COUNT, "Lines of access logs that could not be written."),
            get: |facts| Value::Count(facts.dropped),
            set: None,
        },
    ],
};

/// A listening socket.
pub(super) struct ListenerFacts {
    pub(super) server: String,
    pub(super) rule: String,
    /// None of a monitor's, which are not set.
    pub(super) buffers: Option<Buffers>,
    pub(super) accepted: u64,
    pub(super) paused: bool,
}

/// The kind `listener`. Its buffers are set by way of the server's rules.
pub(super) static LISTENER: Kind<ListenerFacts> = Kind {
    name: "listener",
    help: "listening socket",
    attributes: &[
        Attribute {
            about: fact!("server", Unit::Text, "The server that it belongs to, or monitor:NAME."),
            get: |facts| Value::Text(facts.server.clone()),
            set: None,
        },
        Attribute {
            about: fact!(
                "rule",
                Unit::Text,
                "The rule of listen that it comes of. Empty where none was written.",
            ),
            get: |facts| Value::Text(facts.rule.clone()),
            set: None,
        },
        Attribute {
            about: live!(
                "read_buffer",
                BUFFER,
                "",
                "The read buffer that its connections begin with. A monitor's has none to set.",
            ),
            get: |facts| facts.buffers.map_or(Value::Nothing, |buffers| Value::Buffer(buffers.read)),
            set: None,
        },
        Attribute {
            about: live!(
                "write_buffer",
                BUFFER,
                "",
                "The write buffer that its connections begin with. A monitor's has none to set.",
            ),
            get: |facts| facts.buffers.map_or(Value::Nothing, |buffers| Value::Buffer(buffers.write)),
            set: None,
        },
        Attribute {
            about: counter!("accepted", COUNT, "Connections that were accepted on it."),
            get: |facts| Value::Count(facts.accepted),
            set: None,
        },
        Attribute {
            about: fact!("paused", Unit::Switch, "Whether it does not accept for want of room."),
            get: |facts| Value::Switch(facts.paused),
            set: None,
        },
    ],
};

/// What the loop counts of a server.
pub(super) static SERVICE: Kind<ServiceCounters> = Kind {
    name: "http",
    help: "HTTP server",
    attributes: &[
        Attribute {
            about: fact!(
                "state",
                Unit::Choice("running|draining|stopped"),
                "Whether it takes connections, finishes what those that are left have asked, or does nothing.",
            ),
            get: |facts| Value::Choice(if facts.draining { "draining" } else { "running" }),
            set: None,
        },
        Attribute {
            about: fact!("open", COUNT, "Connections that are open."),
            get: |facts| Value::Count(facts.open as u64),
            set: None,
        },
        Attribute {
            about: counter!("accepted", COUNT, "Connections that were accepted."),
            get: |facts| Value::Count(facts.accepted),
            set: None,
        },
        Attribute {
            about: counter!("refused", COUNT, "Connections that were too many, and were told so."),
            get: |facts| Value::Count(facts.refused),
            set: None,
        },
        Attribute {
            about: counter!("received", BYTES, "Bytes received."),
            get: |facts| Value::Size(facts.bytes_received),
            set: None,
        },
        Attribute {
            about: counter!("sent", BYTES, "Bytes sent."),
            get: |facts| Value::Size(facts.bytes_sent),
            set: None,
        },
    ],
};

/// The facts of the kind `monitor`.
#[cfg(feature = "monitor")]
pub(super) static MONITOR_FACTS: Kind<Counters> = Kind {
    name: "monitor",
    help: "monitor",
    attributes: &[
        Attribute {
            about: fact!("sessions", COUNT, "Sessions that are open."),
            get: |facts| Value::Count(facts.sessions.into()),
            set: None,
        },
        Attribute {
            about: counter!("commands", COUNT, "Commands that were asked."),
            get: |facts| Value::Count(facts.commands),
            set: None,
        },
        Attribute {
            about: counter!(
                "denied",
                COUNT,
                "Commands answered by the error refused, for want of a role or as nobody may."
            ),
            get: |facts| Value::Count(facts.refused),
            set: None,
        },
        Attribute {
            about: counter!("failed_logins", COUNT, "Logins that failed."),
            get: |facts| Value::Count(facts.failed_logins),
            set: None,
        },
    ],
};
