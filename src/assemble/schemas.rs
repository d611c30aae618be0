//! Every kind of node that the program has, with the tables that its attributes come from.

#[cfg(feature = "monitor")]
use super::nodes::MONITOR_FACTS;
use super::nodes::{CONFIG, LISTENER, LOG, PROCESS, SERVICE};
use crate::cli::process::GORGON;
#[cfg(feature = "monitor")]
use crate::config::edit::MONITOR_METHODS;
use crate::config::edit::{ADD, HANDLER_METHODS, REVERT, SERVER_METHODS};
use crate::engine::connection::CONNECTION;
use crate::engine::facts::{DESCRIPTORS, LOOP, MEMORY};
use crate::fact;
use crate::http::facts::{CACHE, HANDLER_FACTS, HTTP_FACTS};
use crate::http::settings::HTTP;
use crate::http::settings::handler::HANDLER;
#[cfg(feature = "monitor")]
use crate::monitor::settings::MONITOR;
use crate::tree::{About, Kind, Method, Role, Schema, Unit};

/// What the server of a connection is called.
static BELONGS: About = fact!("server", Unit::Text, "The server that it belongs to, or monitor:NAME.");
/// What the server of a handler is called.
static SERVER: About = fact!("server", Unit::Text, "The server that asks it.");
/// What a service tells of a connection.
pub(super) static DESCRIBED: &[About] = &[
    fact!(
        "request",
        Unit::Text,
        "The request under way, where it is kept: one whose body still comes or goes.",
    ),
    fact!("login", Unit::Text, "Whom the request under way comes from, where a password was asked."),
];

fn of<T>(kind: &'static Kind<T>, place: usize) -> Option<&'static About> {
    kind.attributes.get(place).map(|attribute| &attribute.about)
}

/// The attribute at a place of two tables, one behind the other.
fn either<T, U>(one: &'static Kind<T>, other: &'static Kind<U>, place: usize) -> Option<&'static About> {
    of(one, place).or_else(|| of(other, place.checked_sub(one.attributes.len())?))
}

fn http(place: usize) -> Option<&'static About> {
    let facts = |place| either(&SERVICE, &HTTP_FACTS, place);
    of(&HTTP, place).or_else(|| facts(place.checked_sub(HTTP.attributes.len())?))
}

fn handler(place: usize) -> Option<&'static About> {
    let facts = HANDLER.attributes.len() + HANDLER_FACTS.attributes.len();
    if place == facts { Some(&SERVER) } else { either(&HANDLER, &HANDLER_FACTS, place) }
}

fn connection(place: usize) -> Option<&'static About> {
    let Some(place) = place.checked_sub(1) else { return Some(&BELONGS) };
    let fact = CONNECTION.get(place).map(|fact| &fact.about);
    fact.or_else(|| DESCRIBED.get(place.checked_sub(CONNECTION.len())?))
}

/// The name of a fact that a handler or a cache tells itself, by its place among the attributes of the kind.
pub(super) fn told(kind: &str, place: usize) -> Option<&'static str> {
    let about = if kind == "cache" {
        of(&CACHE, place)
    } else {
        of(&HANDLER_FACTS, place.checked_sub(HANDLER.attributes.len())?)
    };
    about.map(|about| about.name())
}

const fn method(name: &'static str, help: &'static str, role: Role) -> Method {
    Method { name, words: "", help, role, configures: false }
}

const fn kind(name: &'static str, help: &'static str, about: fn(usize) -> Option<&'static About>) -> Schema {
    Schema { name, help, named: false, about, methods: &[] }
}

const fn with(mut schema: Schema, methods: &'static [Method]) -> Schema {
    schema.methods = methods;
    schema
}

const fn named(mut schema: Schema) -> Schema {
    schema.named = true;
    schema
}

/// All kinds, in the order they are shown.
pub(super) static ALL: &[Schema] = &[
    with(
        kind("process", "process", |place| of(&PROCESS, place)),
        &[
            method("quit", "Finish what was asked, and end.", Role::Admin),
            method("stop", "End at once.", Role::Admin),
        ],
    ),
    kind("gorgon", "settings of the process", |place| of(&GORGON, place)),
    with(
        kind("loop", "loop", |place| of(&LOOP, place)),
        &[method("reset", "Forget the slowest turn.", Role::Operate)],
    ),
    kind("descriptors", "descriptors", |place| of(&DESCRIPTORS, place)),
    kind("memory", "memory", |place| of(&MEMORY, place)),
    with(
        kind("log", "logs", |place| of(&LOG, place)),
        &[method("reopen", "Open the access logs anew, as after they were renamed.", Role::Operate)],
    ),
    with(
        kind("config", "configuration", |place| of(&CONFIG, place)),
        &[
            ADD,
            REVERT,
            method(
                "reload",
                "Read the file again, and apply what differs. What is wrong changes nothing.",
                Role::Admin,
            ),
            method(
                "check",
                "Say what is wrong with the file as it is now, and what it names that is not there.",
                Role::Operate,
            ),
            method("diff", "Say what differs between the file as it is now and what runs.", Role::Operate),
        ],
    ),
    with(named(kind("http", "HTTP server", http)), SERVER_METHODS),
    with(named(kind("handler", "handler of an HTTP server", handler)), HANDLER_METHODS),
    named(kind("listener", "listening socket", |place| of(&LISTENER, place))),
    #[cfg(feature = "monitor")]
    with(named(kind("monitor", "monitor", |place| either(&MONITOR, &MONITOR_FACTS, place))), MONITOR_METHODS),
    named(kind("cache", "cache of small files", |place| of(&CACHE, place))),
    with(
        named(kind("connection", "connection", connection)),
        &[method("close", "Close it at once.", Role::Operate)],
    ),
];

#[cfg(test)]
#[cfg(feature = "monitor")]
mod tests {
    use super::*;

    /// How much and how fast: never what is served, from where, to whom, or what is said of it.
    const OPERATE: &str = "gorgon.verbose gorgon.quiet gorgon.log_level gorgon.grace gorgon.page_memory \
        http.clients http.upload_max http.upload_reserve http.keep_alive http.max_connections http.max_per_address \
        http.header_timeout http.idle_timeout http.rate_floor http.rate_grace http.linger_timeout \
        http.request_line_max http.head_max http.fields_max http.body_max http.drain_max http.read_buffer \
        http.write_buffer http.file_cache http.cache_file_max http.sendfile handler.upload_max \
        handler.upload_reserve listener.read_buffer listener.write_buffer connection.read_buffer \
        connection.write_buffer connection.send_buffer connection.receive_buffer";

    #[test]
    fn who_operates_tunes_and_no_more() {
        let mut found = Vec::new();
        for schema in ALL {
            for about in schema.abouts().filter(|about| !about.fact && about.role < Role::Admin) {
                assert!(about.role == Role::Operate && about.live, "{}.{}", schema.name, about.name());
                found.push([schema.name, ".", about.name()].concat());
            }
        }
        assert_eq!(found, OPERATE.split_ascii_whitespace().collect::<Vec<_>>());
        for schema in ALL {
            for method in schema.methods.iter().filter(|method| method.role < Role::Admin) {
                assert!(!method.configures, "{}.{}", schema.name, method.name);
            }
        }
    }
}
