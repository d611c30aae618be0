//! Rules: the lines of `listen` and `clients`, which tell an address or a group of clients and what holds for them.
//!
//! ```text
//!   10.0.0.1:80 write_buffer=256K backlog=64
//!   unix:/run/gorgon/web.sock mode=660
//!   10.0.0.0/8 write_buffer=auto:4K..256K
//!   .example.org read_buffer=16K
//! ```
//! A word `KEY=` begins a value, which goes on to the next such word: so may hold blanks what stands before the first.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Buffer, Unit, Value};
use crate::text::join::{joined, push_all};
use crate::text::listen::Listen;
use crate::text::nearest::nearest;
use crate::text::network::Network;

/// The bounds of buffers, in bytes.
pub const BUFFER: Unit = Unit::Buffer { min: 512, max: 1 << 20 };
/// The bounds of what the kernel is asked for, 0 = what it would do anyway.
pub const SOCKET_BUFFER: Unit = Unit::Size { min: 0, max: 1 << 30, power_of_two: false };
/// The bounds of the queue of connections not yet accepted.
pub const BACKLOG: Unit = Unit::Count { min: 1, max: 65_535 };

/// Where to listen, and what differs there from the rest of its server.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct ListenRule {
    /// The address.
    pub listen: Listen,
    /// Of its connections.
    pub read_buffer: Option<Buffer>,
    /// Of its connections.
    pub write_buffer: Option<Buffer>,
    /// `SO_SNDBUF` in bytes, 0 for the kernel's choice.
    pub send_buffer: Option<u32>,
    /// `SO_RCVBUF` in bytes, 0 for the kernel's choice.
    pub receive_buffer: Option<u32>,
    /// How many connections may wait to be accepted.
    pub backlog: Option<u32>,
    /// The permission bits of a Unix socket.
    pub mode: Option<u32>,
    /// The rule as it was written.
    pub text: String,
}

/// Which clients, and what holds for them whatever they came by.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct ClientRule {
    /// Who they are.
    pub clients: Clients,
    /// Of their connections.
    pub read_buffer: Option<Buffer>,
    /// Of their connections.
    pub write_buffer: Option<Buffer>,
    /// The rule as it was written.
    pub text: String,
}

/// Some clients.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Clients {
    /// Those whose addresses are in a network.
    Network(Network),
    /// Those whose names end so, in small letters and with the leading dot: `.example.org`.
    Domain(String),
}

impl ListenRule {
    /// Reads one rule.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn parse(text: &str) -> Result<ListenRule, String> {
        let (address, pairs) = parts(text);
        let mut rule = ListenRule {
            listen: Listen::parse(address)?,
            read_buffer: None,
            write_buffer: None,
            send_buffer: None,
            receive_buffer: None,
            backlog: None,
            mode: None,
            text: text.to_owned(),
        };
        const KEYS: &[&str] =
            &["read_buffer", "write_buffer", "send_buffer", "receive_buffer", "backlog", "mode"];
        each(&pairs, KEYS, &mut |key, text| {
            match key {
                "read_buffer" => rule.read_buffer = Some(buffer(text)?),
                "write_buffer" => rule.write_buffer = Some(buffer(text)?),
                "send_buffer" => rule.send_buffer = Some(number(SOCKET_BUFFER, text)?),
                "receive_buffer" => rule.receive_buffer = Some(number(SOCKET_BUFFER, text)?),
                "backlog" => rule.backlog = Some(number(BACKLOG, text)?),
                _ if !matches!(rule.listen, Listen::Unix(_)) => {
                    return Err("only a Unix socket has one".to_owned());
                }
                _ => rule.mode = Some(mode(text)?),
            }
            Ok(())
        })?;
        Ok(rule)
    }
}

impl ClientRule {
    /// Reads one rule.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn parse(text: &str) -> Result<ClientRule, String> {
        let (who, pairs) = parts(text);
        let clients = match who.strip_prefix('.') {
            Some(domain) => Clients::Domain(parse_domain(domain, who)?),
            None => Clients::Network(
                Network::parse(who)
                    .map_err(|message| joined(&[message, ", or a domain, as in .example.org"]))?,
            ),
        };
        let mut rule = ClientRule { clients, read_buffer: None, write_buffer: None, text: text.to_owned() };
        each(&pairs, &["read_buffer", "write_buffer"], &mut |key, text| {
            let buffer = buffer(text)?;
            *(if key == "read_buffer" { &mut rule.read_buffer } else { &mut rule.write_buffer }) =
                Some(buffer);
            Ok(())
        })?;
        Ok(rule)
    }
}

/// The name behind the dot: at most 253 bytes (RFC 1035, section 2.3.4), of labels.
fn parse_domain(domain: &str, whole: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if domain.len() > 252 || !domain.split('.').all(label) {
        return Err("expected a domain, as in .example.org".to_owned());
    }
    Ok(whole.to_ascii_lowercase())
}

/// What a rule is about, and its pairs.
fn parts(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut starts = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive([' ', '\t']) {
        let key = word.split_once('=').map_or("", |(key, _)| key);
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
        if at > 0 && is_key {
            starts.push(at);
        }
        at += word.len();
    }
    let trim = |from: usize, to: usize| text.get(from..to).unwrap_or_default().trim_matches([' ', '\t']);
    let head = trim(0, starts.first().copied().unwrap_or(text.len()));
    let mut pairs = Vec::new();
    for (place, &from) in starts.iter().enumerate() {
        let to = starts.get(place + 1).copied().unwrap_or(text.len());
        pairs.extend(trim(from, to).split_once('='));
    }
    (head, pairs)
}

/// The value that a rule itself has for a key; empty for none.
#[must_use]
pub fn of_rule<'t>(text: &'t str, key: &str) -> &'t str {
    let found = parts(text).1.into_iter().find(|(other, _)| *other == key);
    found.map_or("", |(_, value)| value)
}

/// A rule with another value of one of its keys; an empty one takes the key out.
#[must_use]
pub fn set_in_rule(text: &str, key: &str, value: &str) -> String {
    let (head, pairs) = parts(text);
    let mut out = head.to_owned();
    let others = pairs.iter().filter(|(other, _)| *other != key);
    let new = (!value.is_empty()).then_some((key, value));
    for (key, value) in others.copied().chain(new) {
        out.push_str(&joined(&[" ", key, "=", value]));
    }
    out
}

/// Hands over each pair whose key is known, each key once.
fn each(
    pairs: &[(&str, &str)],
    keys: &[&'static str],
    take: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), String> {
    for (place, (key, value)) in pairs.iter().enumerate() {
        let message = if !keys.contains(key) {
            match nearest(key, &mut keys.iter().copied()) {
                Some(near) => joined(&["no such setting of a rule; did you mean ", near, "?"]),
                None => {
                    let mut message = "no such setting of a rule; there are ".to_owned();
                    for (place, key) in keys.iter().enumerate() {
                        push_all(&mut message, &[if place == 0 { "" } else { ", " }, key]);
                    }
                    message
                }
            }
        } else if pairs.iter().take(place).any(|(before, _)| before == key) {
            "given twice".to_owned()
        } else {
            match take(key, value) {
                Ok(()) => continue,
                Err(message) => message,
            }
        };
        return Err(joined(&[key, ": ", &message]));
    }
    Ok(())
}

fn buffer(text: &str) -> Result<Buffer, String> {
    let mut buffer = Buffer::fixed(0);
    BUFFER.parse(text)?.store_buffer(&mut buffer)?;
    Ok(buffer)
}

fn number(unit: Unit, text: &str) -> Result<u32, String> {
    let mut number = 0;
    unit.parse(text)?.store_u32(&mut number)?;
    Ok(number)
}

/// Permission bits, as chmod takes them in octal.
fn mode(text: &str) -> Result<u32, String> {
    let octal = (1..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let bits = text.bytes().fold(0, |bits, digit| bits << 3 | u32::from(digit & 7));
    if octal && bits <= 0o777 {
        Ok(bits)
    } else {
        Err("expected permissions in octal, such as 660".to_owned())
    }
}

/// Stores a list of rules, each of which is read by `check` first.
///
/// # Errors
/// The first that is wrong, named where there are several.
pub fn set_rules(
    rules: &mut Vec<String>,
    value: &mut Value,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Result<(), String> {
    let texts = value.take_list()?;
    for text in &texts {
        if let Err(message) = check(text) {
            return Err(if texts.len() > 1 { joined(&[text, ": ", &message]) } else { message });
        }
    }
    *rules = texts;
    Ok(())
}

/// Stores the rules of `listen`; but for a free port, no address may stand in it twice.
///
/// # Errors
/// The first rule that is wrong.
pub fn set_listen(rules: &mut Vec<String>, value: &mut Value) -> Result<(), String> {
    let mut seen: Vec<Listen> = Vec::new();
    let check = |text: &str| ListenRule::parse(text).map(|_| ());
    let mut read = Vec::new();
    set_rules(&mut read, value, &check)?;
    for text in &read {
        let listen = ListenRule::parse(text)?.listen;
        if !listen.is_ephemeral() && seen.contains(&listen) {
            return Err(joined(&[text, ": given twice"]));
        }
        seen.push(listen);
    }
    *rules = read;
    Ok(())
}

/// Stores the rules of `clients`.
///
/// # Errors
/// The first rule that is wrong.
pub fn set_clients(rules: &mut Vec<String>, value: &mut Value) -> Result<(), String> {
    set_rules(rules, value, &|text| ClientRule::parse(text).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_in_every_form() {
        let plain = ListenRule::parse(":80").unwrap();
        assert_eq!(plain.listen, Listen::Any { port: 80 });
        assert_eq!((plain.read_buffer, plain.backlog, plain.mode, &*plain.text), (None, None, None, ":80"));
        let text = "10.0.0.1:80 write_buffer=auto:4K..256K  read_buffer=8K\tsend_buffer=0 receive_buffer=1M backlog=7";
        let rule = ListenRule::parse(text).unwrap();
        assert_eq!(rule.listen, Listen::parse("10.0.0.1:80").unwrap());
        assert_eq!(rule.write_buffer, Some(Buffer { least: 12, most: 18 }));
        assert_eq!(rule.read_buffer, Some(Buffer::fixed(13)));
        assert_eq!((rule.send_buffer, rule.receive_buffer), (Some(0), Some(1 << 20)));
        assert_eq!((rule.backlog, rule.mode, &*rule.text), (Some(7), None, text));
        // A path may hold blanks.
        let unix = ListenRule::parse("unix:/run/a b.sock mode=0660").unwrap();
        assert_eq!((unix.listen, unix.mode), (Listen::Unix(b"/run/a b.sock".to_vec()), Some(0o660)));
    }

    #[test]
    fn clients_in_every_form() {
        let rule = ClientRule::parse("10.0.0.0/8 write_buffer=auto:4K..256K").unwrap();
        assert_eq!(rule.clients, Clients::Network(Network::parse("10.0.0.0/8").unwrap()));
        assert_eq!((rule.read_buffer, rule.write_buffer), (None, Some(Buffer { least: 12, most: 18 })));
        let rule = ClientRule::parse(".Example.ORG read_buffer=1K").unwrap();
        assert_eq!(rule.clients, Clients::Domain(".example.org".to_owned()));
        assert_eq!(rule.read_buffer, Some(Buffer::fixed(10)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "expected a port"),
            ("write_buffer=4K", "expected a port"),
            (":80 tls", "expected a port from"),
            (":80 write_buffer=", "write_buffer: expected a power of two"),
            (":80 write_buffer=2M", "write_buffer: expected a power of two from 512 to 1M"),
            (":80 write_buffer=4K 8K", "write_buffer: expected a power of two"),
            (":80 write_bufer=4K", "write_bufer: no such setting of a rule; did you mean write_buffer?"),
            (":80 xyz=4K", "xyz: no such setting of a rule; there are read_buffer,"),
            (":80 backlog=1 backlog=1", "backlog: given twice"),
            (":80 backlog=0", "backlog: expected a number"),
            (":80 mode=660", "mode: only a Unix socket"),
            ("unix:/x mode=1777", "mode: expected permissions"),
            ("unix:/x mode=68", "mode: expected permissions"),
            ("unix:/x mode=", "mode: expected permissions"),
            ("unix:/x mode=00660", "mode: expected permissions"),
        ] {
            assert!(ListenRule::parse(text).is_err_and(|found| found.contains(message)), "{text}");
        }
        for (text, message) in [
            ("", "expected a network"),
            ("example.org", "or a domain"),
            ("10.0.0.1/8", "behind the prefix"),
            (".", "expected a domain"),
            ("..org", "expected a domain"),
            (".example.org.", "expected a domain"),
            (".exa mple.org", "expected a domain"),
            (".example.org backlog=1", "backlog: no such setting"),
        ] {
            assert!(ClientRule::parse(text).is_err_and(|found| found.contains(message)), "{text}");
        }
    }

    #[test]
    fn no_address_twice() {
        let set = |texts: &[&str]| {
            let items = texts.iter().map(|&text| text.to_owned()).collect();
            let mut rules = Vec::new();
            set_listen(&mut rules, &mut Value::List(items)).map(|()| rules.len())
        };
        assert_eq!(set(&[":80", ":81 backlog=1", ":0", ":0"]), Ok(4));
        assert_eq!(set(&[":80", "*:80 backlog=1"]), Err("*:80 backlog=1: given twice".to_owned()));
        assert!(set(&["x"]).is_err_and(|message| message.starts_with("expected")));
        assert!(set(&[":80", "x"]).is_err_and(|message| message.starts_with("x: expected")));
    }

    quickcheck::quickcheck! {
        /// Whatever is written, it is read or refused, and what is read keeps its text.
        fn never_panics(text: String) -> bool {
            let pieces = [":80 ", ".a ", "unix:/x ", "10.0.0.0/8 read_buffer=", "", " mode=7 "];
            let text = [pieces[text.len() % pieces.len()], &text].concat();
            ListenRule::parse(&text).map_or(true, |rule| rule.text == text)
                && ClientRule::parse(&text).map_or(true, |rule| rule.text == text)
        }
    }
}
