//! What can be told of a connection: a table of facts, each worked out when it is asked for, and not before.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{fact, live};
use gorgon_sys::{AsFd, TcpState};

use super::conn::{Conn, Mode, NONE};
use super::event_loop::Loop;
use super::pages::{PageId, Pages};
use super::timeouts::NO_LIST;
use super::values::{ConnId, TICK_MILLISECONDS};
use crate::text::duration::rounded;
use crate::tree::rule::{BUFFER, SOCKET_BUFFER};
use crate::tree::{About, Unit, Value};

/// One fact of a connection.
pub struct Fact {
    /// What it is. Those that are no facts can be set by [`Loop::set_connection`].
    pub about: About,
    /// Its value now; nothing where it is not known, or the connection is gone.
    pub get: fn(&Loop, ConnId) -> Value,
}

const SIZE: Unit = Unit::Size { min: 0, max: u64::MAX, power_of_two: false };
const COUNT: Unit = Unit::Count { min: 0, max: u64::MAX };
const TIME: Unit = Unit::Time { min: 0, max: u64::MAX };
const STATES: Unit = Unit::Choice("idle|reading|writing|waiting|starved|closing|connecting");

/// What can be told of a connection.
pub static CONNECTION: &[Fact] = &[
    Fact {
        about: fact!("service", COUNT, "The number of its service."),
        get: |lp, id| count(lp.service_of(id)),
    },
    Fact {
        about: fact!("peer", Unit::Text, "The peer's address. It is unix: for a Unix socket."),
        get: peer,
    },
    Fact { about: fact!("port", COUNT, "The peer's port."), get: |lp, id| count(lp.client(id).port()) },
    Fact {
        about: fact!(
            "user",
            COUNT,
            "The peer's user by number. A Unix socket alone tells it. Who gave a password to HTTP is in login."
        ),
        get: |lp, id| count(lp.credentials(id).map(|peer| peer.uid)),
    },
    Fact {
        about: fact!("process", COUNT, "The peer's process. A Unix socket alone tells it."),
        get: |lp, id| count(lp.credentials(id).and_then(|peer| peer.pid)),
    },
    Fact {
        about: fact!(
            "state",
            STATES,
            "What it does. It is idle between requests, and starved while its input waits for memory.",
        ),
        get: |lp, id| of(lp, id, |lp, conn| Value::Choice(state(lp, conn))),
    },
    Fact { about: fact!("age", TIME, "Time since it was opened."), get: age },
    Fact {
        about: fact!(
            "idle",
            TIME,
            "Time since something last happened. It is told to a quarter of a second where the kernel tells no better.",
        ),
        get: |lp, id| of(lp, id, idle),
    },
    Fact {
        about: fact!("deadline", TIME, "Time that is left for what it waits for."),
        get: |lp, id| of(lp, id, deadline),
    },
    Fact {
        about: fact!("class", COUNT, "The class of its timeout. It is 0 while output is held."),
        get: |lp, id| of(lp, id, |_, conn| count((conn.list != NO_LIST).then_some(conn.list & 7))),
    },
    Fact {
        about: fact!("received", SIZE, "Bytes received. The kernel tells it."),
        get: |lp, id| tcp(lp, id, |tcp| tcp.received.map(Value::Size)),
    },
    Fact {
        about: fact!("sent", SIZE, "Bytes sent that the peer has acknowledged. The kernel tells it."),
        get: |lp, id| tcp(lp, id, |tcp| tcp.acknowledged.map(Value::Size)),
    },
    Fact {
        about: fact!("round_trip", COUNT, "Microseconds to the peer and back. The kernel tells it."),
        get: |lp, id| tcp(lp, id, |tcp| tcp.round_trip.map(|time| Value::Count(time.into()))),
    },
    Fact {
        about: fact!("retransmits", COUNT, "Segments that were sent again. The kernel tells it."),
        get: |lp, id| tcp(lp, id, |tcp| tcp.retransmits.map(|number| Value::Count(number.into()))),
    },
    Fact {
        about: live!("read_buffer", BUFFER, "", "Bytes that are read at once, or a range of them."),
        get: |lp, id| of(lp, id, |_, conn| Value::Buffer(conn.read_range.buffer())),
    },
    Fact {
        about: live!("write_buffer", BUFFER, "", "Bytes that are made at once, or a range of them."),
        get: |lp, id| of(lp, id, |_, conn| Value::Buffer(conn.write_range.buffer())),
    },
    Fact {
        about: fact!(
            "read_size",
            SIZE,
            "Bytes that are read at once now. A second's rest brings back the least.",
        ),
        get: |lp, id| of(lp, id, |lp, conn| Value::Size(1 << lp.sizes(conn).0)),
    },
    Fact {
        about: fact!(
            "write_size",
            SIZE,
            "Bytes that are made at once now. A second's rest brings back the least.",
        ),
        get: |lp, id| of(lp, id, |lp, conn| Value::Size(1 << lp.sizes(conn).1)),
    },
    Fact {
        about: live!("send_buffer", SOCKET_BUFFER, "", "The kernel's buffer for what is sent."),
        get: |lp, id| of(lp, id, |_, conn| size(gorgon_sys::send_buffer(conn.fd.as_fd()))),
    },
    Fact {
        about: live!("receive_buffer", SOCKET_BUFFER, "", "The kernel's buffer for what is received."),
        get: |lp, id| of(lp, id, |_, conn| size(gorgon_sys::receive_buffer(conn.fd.as_fd()))),
    },
    Fact {
        about: fact!("kept", SIZE, "Bytes of input that are kept, for they are not enough yet."),
        get: |lp, id| of(lp, id, |_, conn| Value::Size(conn.input_length.into())),
    },
    Fact {
        about: fact!(
            "held",
            SIZE,
            "Bytes of output that are held, for the kernel takes no more. Files not counted.",
        ),
        get: |lp, id| of(lp, id, |lp, conn| Value::Size(lp.held(conn))),
    },
    Fact {
        about: fact!("pages", SIZE, "Memory that is lent to it for both."),
        get: |lp, id| {
            of(lp, id, |lp, conn| Value::Size((Pages::size(conn.input) + lp.output_pages(conn)) as u64))
        },
    },
    Fact { about: fact!("file", Unit::Text, "The file that is being sent."), get: file },
    Fact {
        about: fact!("file_left", SIZE, "Bytes of that file that are not sent yet."),
        get: |lp, id| of(lp, id, |lp, conn| size(lp.file_held(conn).map(|(left, _)| left as usize))),
    },
];

/// The fact of that name.
pub fn fact(name: &str) -> Option<&'static Fact> {
    CONNECTION.iter().find(|fact| fact.about.name() == name)
}

/// What is at that place of the table: for a [`Schema`](crate::tree::Schema).
pub fn about(place: usize) -> Option<&'static About> {
    CONNECTION.get(place).map(|fact| &fact.about)
}

/// Out of line, for most of the facts ask by it.
#[inline(never)]
fn of(lp: &Loop, id: ConnId, get: fn(&Loop, &Conn) -> Value) -> Value {
    lp.slots.get(id).map_or(Value::Nothing, |conn| get(lp, conn))
}

fn count(number: Option<impl Into<u64>>) -> Value {
    number.map_or(Value::Nothing, |number| Value::Count(number.into()))
}

fn size(bytes: Option<usize>) -> Value {
    bytes.map_or(Value::Nothing, |bytes| Value::Size(bytes as u64))
}

fn tcp(lp: &Loop, id: ConnId, get: fn(TcpState) -> Option<Value>) -> Value {
    let state = lp.slots.get(id).and_then(|conn| gorgon_sys::tcp_state(conn.fd.as_fd()));
    state.and_then(get).unwrap_or(Value::Nothing)
}

fn text(bytes: &[u8]) -> Value {
    Value::Text(String::from_utf8_lossy(bytes).into_owned())
}

fn peer(lp: &Loop, id: ConnId) -> Value {
    let mut address = Vec::new();
    lp.client(id).push_address(&mut address);
    if address == b"-" { Value::Nothing } else { text(&address) }
}

fn state(lp: &Loop, conn: &Conn) -> &'static str {
    match conn.mode {
        Mode::Connecting => "connecting",
        Mode::Closing => "closing",
        Mode::Draining => "writing",
        Mode::Reading | Mode::Waiting if conn.output != NONE => "writing",
        Mode::Waiting => "waiting",
        Mode::Reading if conn.flags.has(super::conn::Flags::STARVED) => "starved",
        Mode::Reading if conn.input == PageId::NONE && is_between(lp, conn) => "idle",
        Mode::Reading => "reading",
    }
}

fn is_between(lp: &Loop, conn: &Conn) -> bool {
    let state = lp.services.get(usize::from(conn.service));
    conn.key == 0 && state.is_some_and(|state| conn.class == state.limits.idle)
}

fn age(lp: &Loop, id: ConnId) -> Value {
    of(lp, id, |lp, conn| {
        Value::Time(rounded(u64::from(lp.now.tick.wrapping_sub(conn.opened)) * TICK_MILLISECONDS))
    })
}

fn idle(lp: &Loop, conn: &Conn) -> Value {
    let ticks = u64::from(lp.timeouts.since(conn, lp.now.tick).unwrap_or(0));
    let known = Value::Time(rounded(ticks * TICK_MILLISECONDS));
    if state(lp, conn) == "idle" {
        return known;
    }
    // While it does something, what is armed and when is the service's choice.
    let tcp = gorgon_sys::tcp_state(conn.fd.as_fd());
    match tcp.map(|tcp| (tcp.since_sent, tcp.since_received)) {
        Some((Some(sent), Some(received))) => Value::Time(rounded(sent.min(received).into())),
        Some(_) | None => known,
    }
}

fn deadline(lp: &Loop, conn: &Conn) -> Value {
    if conn.list == NO_LIST {
        return Value::Nothing;
    }
    let left = i64::from(conn.deadline.wrapping_sub(lp.now.tick) as i32).max(0) as u64;
    let into_tick = lp.now.milliseconds % TICK_MILLISECONDS;
    Value::Time((left * TICK_MILLISECONDS).saturating_sub(into_tick))
}

fn file(lp: &Loop, id: ConnId) -> Value {
    let file = lp.slots.get(id).and_then(|conn| lp.file_held(conn)).and_then(|(_, file)| lp.files.get(file));
    file.and_then(gorgon_sys::descriptor_path).map_or(Value::Nothing, |path| text(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for (place, fact) in CONNECTION.iter().enumerate() {
            let name = fact.about.name();
            assert!(name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{name}");
            assert!(fact.about.help().ends_with('.') && fact.about.short_help().len() <= 64, "{name}");
            assert_eq!(CONNECTION.iter().position(|other| other.about.name() == name), Some(place));
            assert!(super::fact(name).is_some() && about(place).is_some_and(|about| about.name() == name));
        }
        assert!(about(CONNECTION.len()).is_none());
    }

    #[test]
    fn nothing_is_known_of_one_that_is_gone() {
        let lp = Loop::new(gorgon_sys::PollerKind::available()[0], 0).unwrap();
        for fact in CONNECTION {
            assert!((fact.get)(&lp, ConnId::test(7 << 32)) == Value::Nothing, "{}", fact.about.name());
        }
    }
}
