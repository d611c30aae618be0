//! Listening sockets that a supervisor of services has bound for us, and the rules of `listen` that they stand for.
//!
//! A rule `fd:NAME` takes the sockets of that name. Another rule takes those that are bound to its addresses, and then
//! binds nothing itself: a socket unit needs no change in the configuration. A socket that no rule takes is an error, for
//! whoever connects to it would wait for ever.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use gorgon_sys::{Address, FIRST_PASSED, Passed, Unfit, describe, process_id, take_listener};

use super::Failure;
use super::environment::Environment;
use crate::text::address::push_socket_address;
use crate::text::join::{joined, push_all};
use crate::text::listen::Listen;
use crate::text::number::{parse_decimal, push_decimal_str};

/// The most sockets that may be passed: more than these the loop does not listen on.
const MOST: u64 = 250;

/// The sockets that were passed to this process.
#[derive(Default)]
pub struct Activation {
    sockets: Vec<Named>,
    /// Of each rule, whether there is a socket for it.
    served: Vec<bool>,
}

struct Named {
    number: u32,
    name: &'static [u8],
    passed: Passed,
    /// The place of the rule that it is for.
    rule: Option<usize>,
}

/// Why rules and sockets do not fit together.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
enum Misfit {
    /// No socket has the name that the rule at this place asks for.
    Missing(usize),
    /// There are sockets that no rule takes.
    Left,
}

impl Activation {
    /// Takes the sockets, if they are meant for this process. Before the first descriptor is closed.
    ///
    /// # Errors
    /// The environment is not as sd_listen_fds(3) has it, or a descriptor is no listening socket of streams.
    pub fn take(environment: &Environment) -> Result<Activation, Box<Failure>> {
        let wrong = |message| Box::new(Failure { message, usage: true, error: None });
        let mut activation = Activation::default();
        for (number, name) in (FIRST_PASSED..).zip(names(environment, process_id().into()).map_err(wrong)?) {
            let passed = take_listener(number).map_err(|unfit| {
                let mut message = String::new();
                push_socket(number, name, None, &mut message);
                push_all(&mut message, &[": ", &words(unfit)]);
                wrong(message)
            })?;
            activation.sockets.push(Named { number, name, passed, rule: None });
        }
        Ok(activation)
    }

    /// Whether none was passed, or all are taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Decides for which of all rules each socket is; [`Activation::take_for`] gives them out.
    ///
    /// # Errors
    /// A rule names a socket that was not passed, or a socket is left.
    pub fn assign(&mut self, rules: &[&Listen]) -> Result<(), Box<Failure>> {
        let Err(misfit) = self.match_up(rules) else { return Ok(()) };
        let mut message = String::new();
        match misfit {
            Misfit::Missing(place) => {
                if let Some(Listen::Passed(name)) = rules.get(place) {
                    push_all(&mut message, &["listen=fd:", &*String::from_utf8_lossy(name)]);
                }
                message.push_str(": no socket of that name was passed");
                for (place, socket) in self.sockets.iter().enumerate() {
                    message.push_str(if place == 0 { "; there is " } else { ", " });
                    message.push_str(&String::from_utf8_lossy(socket.name));
                }
            }
            Misfit::Left => {
                for socket in self.sockets.iter().filter(|socket| socket.rule.is_none()) {
                    message.push_str(if message.is_empty() { "" } else { ", " });
                    push_socket(socket.number, socket.name, Some(&socket.passed.address), &mut message);
                }
                message.push_str(": passed to this process, and no listen takes it; ");
                message.push_str("name its address there, or fd: and its name");
            }
        }
        Err(Box::new(Failure { message, usage: true, error: None }))
    }

    /// The sockets of the rule at that place, each given out once: none for a rule that is to bind for itself, an empty list
    /// for one whose addresses an earlier rule has got.
    pub fn take_for(&mut self, place: usize) -> Option<Vec<Passed>> {
        if !self.served.get(place).copied().unwrap_or(false) {
            return None;
        }
        let mut taken = Vec::new();
        while let Some(at) = self.sockets.iter().position(|socket| socket.rule == Some(place)) {
            taken.push(self.sockets.remove(at).passed);
        }
        Some(taken)
    }

    /// All that are left: for a program that was not told where to listen.
    #[must_use]
    pub fn take_all(&mut self) -> Vec<Passed> {
        core::mem::take(&mut self.sockets).into_iter().map(|socket| socket.passed).collect()
    }

    fn match_up(&mut self, rules: &[&Listen]) -> Result<(), Misfit> {
        self.served = vec![false; rules.len()];
        // Names first: an address must not take what was asked for by name.
        for by_name in [true, false] {
            for (place, (rule, served)) in rules.iter().zip(&mut self.served).enumerate() {
                if matches!(rule, Listen::Passed(_)) != by_name {
                    continue;
                }
                let mut taken = false;
                for socket in self.sockets.iter_mut().filter(|socket| fits(rule, socket)) {
                    *served = true;
                    if socket.rule.is_none() {
                        socket.rule = Some(place);
                        taken = true;
                    }
                }
                if by_name && !taken {
                    return Err(Misfit::Missing(place));
                }
            }
        }
        if self.sockets.iter().any(|socket| socket.rule.is_none()) { Err(Misfit::Left) } else { Ok(()) }
    }
}

/// `descriptor 3 (web, 127.0.0.1:80)`
fn push_socket(number: u32, name: &[u8], address: Option<&Address>, out: &mut String) {
    out.push_str("descriptor ");
    push_decimal_str(number.into(), out);
    push_all(out, &[" (", &*String::from_utf8_lossy(name)]);
    match address {
        Some(Address::Ip(address)) => {
            out.push_str(", ");
            push_socket_address(address, out);
        }
        Some(Address::Unix(path)) => push_all(out, &[", unix:", &*String::from_utf8_lossy(path)]),
        None => {}
    }
    out.push(')');
}

fn words(unfit: Unfit) -> String {
    let words = match unfit {
        Unfit::Closed => "passed by LISTEN_FDS, and not open",
        Unfit::NoSocket => "expected a socket",
        Unfit::NoStream => "expected a socket of streams, ListenStream= in its unit",
        Unfit::NoListener => "expected a socket that listens, Accept=no in its unit",
        Unfit::Family => "expected a socket of IP or Unix addresses",
        Unfit::System(error) => return describe(error),
    };
    String::from(words)
}

/// The names of the sockets that were passed to the process of this number.
fn names(environment: &Environment, own: u64) -> Result<Vec<&'static [u8]>, String> {
    let wrong = |name: &str, text: &[u8], expected: &str| {
        joined(&[name, "=", &*String::from_utf8_lossy(text), ": expected ", expected])
    };
    let (Some(process), Some(text)) = (environment.listen_process, environment.listen_count) else {
        return Ok(Vec::new());
    };
    match parse_decimal(process) {
        Some(process) if process == own => {}
        // Meant for another process: what we were started by did not clean up.
        Some(_) => return Ok(Vec::new()),
        None => return Err(wrong("LISTEN_PID", process, "the number of a process")),
    }
    let count = parse_decimal(text).filter(|count| *count <= MOST);
    let count = count.ok_or_else(|| wrong("LISTEN_FDS", text, "the number of sockets, 250 at most"))?;
    let count = usize::try_from(count).unwrap_or(0);
    let Some(list) = environment.listen_names else { return Ok(vec![b"unknown".as_slice(); count]) };
    let names: Vec<&[u8]> = list.split(|byte| *byte == b':').collect();
    if names.len() != count && !(count == 0 && list.is_empty()) {
        return Err(wrong("LISTEN_FDNAMES", list, "as many names as LISTEN_FDS says"));
    }
    Ok(names.into_iter().take(count).collect())
}

/// Whether a socket is what a rule means.
fn fits(rule: &Listen, socket: &Named) -> bool {
    let Passed { address, dual, .. } = &socket.passed;
    let ip = |host: IpAddr, port: u16| {
        let Address::Ip(bound) = address else { return false };
        let v4_too = *dual && bound.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        port != 0
            && bound.port() == port
            && (bound.ip() == host || (v4_too && host == IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    };
    match rule {
        Listen::Any { port } => {
            ip(Ipv4Addr::UNSPECIFIED.into(), *port) || ip(Ipv6Addr::UNSPECIFIED.into(), *port)
        }
        Listen::Localhost { port } => {
            ip(Ipv4Addr::LOCALHOST.into(), *port) || ip(Ipv6Addr::LOCALHOST.into(), *port)
        }
        Listen::Ip(wanted) => ip(SocketAddr::ip(wanted).to_canonical(), wanted.port()),
        Listen::Unix(path) => matches!(address, Address::Unix(bound) if bound == path),
        Listen::Passed(name) => socket.name == name,
    }
}

#[cfg(test)]
mod tests;
