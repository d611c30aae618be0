//! What a server tells of itself and of its connections to those who look.

use alloc::string::String;

use crate::engine::Sight;
use crate::engine::log::Logs;
use crate::tree::Value;

use super::super::exchange::Stage;
use super::super::facts::{HTTP_FACTS, HttpFacts, Tell, tell};
use super::{HEADER, HttpService, IDLE, LEAVING, LINGERING, WAITING};

impl<W: Logs> HttpService<W> {
    /// What was counted so far.
    pub fn facts(&self) -> HttpFacts {
        HttpFacts { exchanges: self.exchanges.len() as u64, ..self.facts }
    }

    /// Tells the facts of the server, its handlers and their caches.
    pub(super) fn tell_facts(&self, out: Tell<'_>) {
        tell(&HTTP_FACTS, &self.facts(), "", out);
        self.router.inspect(out);
    }

    /// Tells what a connection is at.
    pub(super) fn tell_connection(&self, seen: &Sight<'_>, out: &mut dyn FnMut(&'static str, Value)) {
        let exchange = match seen.key {
            IDLE | LEAVING | LINGERING => None,
            key => self.exchanges.get(key - 1),
        };
        let state = match (seen.key, exchange.map(|exchange| exchange.stage())) {
            (LINGERING, _) => "lingering",
            (_, Some(Stage::Receiving)) => "receiving",
            (_, Some(Stage::Streaming)) => "streaming",
            (_, Some(Stage::Discarding)) => "discarding",
            (_, None) if seen.sends || seen.key == LEAVING => "sending",
            (_, None) if seen.class == WAITING => "waiting",
            (_, None) if seen.class == HEADER || seen.unread => "head",
            (_, None) => "idle",
        };
        out("state", Value::Choice(state));
        let noted = exchange.and_then(|exchange| exchange.noted());
        let Some((line, user)) = noted.map(|noted| (&*noted.line, &*noted.user)).or(seen.noted) else {
            return;
        };
        let text = |bytes| Value::Text(String::from_utf8_lossy(bytes).into_owned());
        out("request", text(line));
        if !user.is_empty() {
            out("user", text(user));
        }
    }
}
