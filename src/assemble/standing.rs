//! What is served, in one line, for the supervisor of services.

use alloc::string::String;

use super::listeners::display;
use super::running::Running;
use crate::text::join::push_all;
use crate::text::number::push_decimal_str;

/// How long the line may be before the servers that are left are only counted, in bytes: what shows it cuts long ones.
const LONG: usize = 140;

/// `Serving /srv/www on 127.0.0.1:80, [::1]:80; /srv/notes on 127.0.0.1:81; and 3 more`
pub(super) fn standing(running: &Running) -> String {
    let mut text = String::from(if running.servers.is_empty() { "Serving nothing" } else { "Serving " });
    for (at, server) in running.servers.iter().enumerate() {
        if at > 0 {
            text.push_str("; ");
        }
        if text.len() > LONG {
            text.push_str("and ");
            push_decimal_str((running.servers.len() - at) as u64, &mut text);
            text.push_str(" more");
            break;
        }
        if let Some(own) = running.settings.servers.iter().find(|own| own.name == server.name) {
            text.push_str(&String::from_utf8_lossy(&own.settings.root));
        }
        let mut word = " on ";
        for (_, address) in running.bound_of(server.service).flat_map(|bound| &bound.sockets) {
            push_all(&mut text, &[word, &display(address)]);
            word = ", ";
        }
    }
    text
}
