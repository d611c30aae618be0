//! Where servers listen: rules of `listen` and the sockets they come to, which stay for as long as some server listens
//! where they do, are passed by who starts the program, or come later.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use gorgon_sys::{Address, Errno, ListenOptions, OwnedFd, Passed};

use super::activation::Activation;
use super::late::{Came, Late};
use super::listeners::{Socket, bind, display, options, push_urls, retune};
use super::running::{Opened, Running, Server};
use super::{Failure, failure};
use crate::config::settings::{HttpServer, Settings};
use crate::engine::{Buffers, ListenerId, Reactor};
use crate::http::settings::HttpSettings;
use crate::text::listen::Listen;
use crate::tree::rule::ListenRule;
use crate::world::World;

/// What a session of a monitor reads and writes at once: 4 KiB and 16 KiB.
pub(super) const OF_MONITORS: Buffers = Buffers::fixed(12, 14);

/// The sockets that were passed by who started the program, for the rules they were assigned to.
pub(super) type PassedFor = Vec<(Listen, Vec<Passed>)>;

/// A rule of `listen`, and the sockets that it came to.
pub(super) struct Bound {
    pub(super) rule: ListenRule,
    pub(super) sockets: Vec<(ListenerId, Address)>,
}

impl Running {
    /// Finds the sockets of the server that was built last: those of a rule that is there, or new ones.
    pub(super) fn listen(
        &mut self,
        server: &HttpServer,
        new: &Settings,
        reactor: &mut Reactor<World>,
        report: &mut String,
        opened: &mut Opened,
    ) -> Result<(), Box<Failure>> {
        for rule in &server.listeners {
            let Some(ready) = opened.ready.last_mut() else { return Ok(()) };
            if let Some(kept) = self.claim(&server.name, rule, &opened.kept) {
                opened.kept.push(kept);
                let found = self.servers.get(kept.0).and_then(|running| running.bound.get(kept.1));
                let sockets = found.map_or_else(Vec::new, |bound| bound.sockets.clone());
                ready.bound.push(Bound { rule: rule.clone(), sockets });
                continue;
            }
            ready.bound.push(Bound { rule: rule.clone(), sockets: Vec::new() });
            let passed = take_passed(&mut self.passed, &rule.listen, &options(&server.settings, rule))?;
            let is_ours = passed.is_none();
            let sockets = match passed {
                Some(passed) => passed,
                None => self.bind(server, rule, new, reactor, opened)?,
            };
            let Some(ready) = opened.ready.last_mut() else { return Ok(()) };
            for (socket, address) in sockets {
                if let (true, Address::Unix(path)) = (is_ours, &address) {
                    self.served.sockets.0.extend(Socket::find(path));
                    opened.paths.push(path.clone());
                }
                push_urls(&address, report);
                let added = reactor.lp().add_listener(socket, ready.service, buffers(&server.settings, rule));
                let id = added.map_err(|error| too_many(&address, error))?;
                opened.listeners.push(id);
                if let Some(bound) = ready.bound.last_mut() {
                    bound.sockets.push((id, address));
                }
            }
        }
        Ok(())
    }

    /// New sockets of the rule that was looked at last; none where its address may come later, or has to be made free.
    fn bind(
        &mut self,
        server: &HttpServer,
        rule: &ListenRule,
        new: &Settings,
        reactor: &mut Reactor<World>,
        opened: &mut Opened,
    ) -> Result<Vec<(OwnedFd, Address)>, Box<Failure>> {
        let mut options = options(&server.settings, rule);
        options.freebind = self.late.retries;
        let bound = bind(&rule.listen, &options);
        let taken = bound.as_ref().is_err_and(|failure| failure.error == Some(Errno::ADDRINUSE));
        if taken && self.wait_for_place(&rule.listen, new, reactor, opened) {
            return Ok(Vec::new());
        }
        let service = opened.ready.last().map_or(0, |ready| ready.service);
        or_wait(bound, &rule.listen, options, service, &mut self.late, reactor)
    }

    /// Takes sockets that were passed to the program.
    ///
    /// # Errors
    /// They and the rules do not fit together.
    pub(super) fn pass<'s>(
        &mut self,
        mut passed: Activation,
        settings: &'s Settings,
    ) -> Result<(), Box<Failure>> {
        if passed.is_empty() {
            return Ok(());
        }
        let mut rules = Vec::new();
        let mut add = |listeners: &'s [ListenRule]| {
            listeners.iter().for_each(|rule| rules.push(&rule.listen));
        };
        for server in settings.servers.iter().filter(|server| server.settings.enabled) {
            add(&server.listeners);
        }
        #[cfg(feature = "monitor")]
        for monitor in settings.monitors.iter().filter(|monitor| monitor.settings.enabled) {
            add(&monitor.listeners);
        }
        passed.assign(&rules)?;
        self.passed.clear();
        for (at, rule) in rules.iter().enumerate() {
            if let Some(taken) = passed.take_for(at) {
                self.passed.push(((*rule).clone(), taken));
            }
        }
        Ok(())
    }

    /// An address has come, or never will.
    pub(super) fn came(&mut self, service: u8, came: Came, reactor: &mut Reactor<World>) {
        let time = reactor.now();
        let (socket, address) = match came {
            Came::Bound(socket, address) => (socket, address),
            Came::Refused(address, error) => {
                let words = ["cannot listen on ", &display(&address), ": ", &gorgon_sys::describe(error)];
                return reactor.world().note(time, &words);
            }
        };
        let server = self.servers.iter_mut().find(|server| server.service == service);
        let settings = server.as_ref().and_then(|server| {
            let settings = self.settings.servers.iter().find(|other| other.name == server.name);
            settings.map(|settings| &settings.settings)
        });
        let rules = server.map(|server| &mut server.bound);
        #[cfg(feature = "monitor")]
        let rules = rules.or_else(|| {
            let monitor = self.monitors.iter_mut().find(|monitor| monitor.service == service);
            monitor.map(|monitor| &mut monitor.bound)
        });
        let ip = ip_of(&address);
        // A free port is another now.
        let is = |listen: &Listen| matches!(listen, Listen::Ip(rule) if rule.ip() == ip.ip() && (rule.port() == 0 || *rule == ip));
        let bound = rules.and_then(|rules| {
            rules.iter_mut().find(|bound| bound.sockets.is_empty() && is(&bound.rule.listen))
        });
        let Some(bound) = bound else { return };
        let buffers = settings.map_or(OF_MONITORS, |settings| buffers(settings, &bound.rule));
        if let Ok(id) = reactor.lp().add_listener(socket, service, buffers) {
            reactor.world().note(time, &["listens on ", &display(&address)]);
            bound.sockets.push((id, address));
        }
    }

    /// The rule that listens at the same address, if it is not claimed yet: the place of its server and its own. A free
    /// port stays with its server.
    pub(super) fn claim(
        &self,
        name: &str,
        rule: &ListenRule,
        kept: &[(usize, usize)],
    ) -> Option<(usize, usize)> {
        let own = self.servers.iter().enumerate().filter(|(_, server)| server.name == name);
        let others = self
            .servers
            .iter()
            .enumerate()
            .filter(|(_, server)| server.name != name && !rule.listen.is_ephemeral());
        for (at, server) in own.chain(others) {
            for (place, bound) in server.bound.iter().enumerate() {
                if bound.rule.listen == rule.listen && !kept.contains(&(at, place)) {
                    return Some((at, place));
                }
            }
        }
        None
    }

    /// Has sockets that stay be as their rules say now.
    pub(super) fn retune(
        &self,
        before: &[Server],
        server: &HttpServer,
        bound: &[Bound],
        reactor: &mut Reactor<World>,
    ) {
        for (rule, (id, address)) in
            bound.iter().flat_map(|bound| bound.sockets.iter().map(|one| (&bound.rule, one)))
        {
            let was = before.iter().find_map(|other| {
                let is = |bound: &&Bound| bound.sockets.iter().any(|(other, _)| other == id);
                let bound = other.bound.iter().find(is)?;
                let settings = self.settings.servers.iter().find(|settings| settings.name == other.name)?;
                Some(options(&settings.settings, &bound.rule))
            });
            let Some((was, listener)) = was.zip(reactor.lp().listener(*id)) else { continue };
            let now = options(&server.settings, rule);
            if let Err(error) = retune(listener.fd(), address, (&was, &now), &self.served.sockets) {
                let time = reactor.now();
                reactor.world().note(time, &[&display(address), ": ", &gorgon_sys::describe(error)]);
            }
        }
    }
}

/// New sockets of a rule, or none where its address may come later: then it is tried again for that service.
///
/// # Errors
/// Those of who bound it, if waiting does not help.
pub(super) fn or_wait(
    bound: Result<Vec<(OwnedFd, Address)>, Box<Failure>>,
    listen: &Listen,
    options: ListenOptions,
    service: u8,
    late: &mut Late,
    reactor: &mut Reactor<World>,
) -> Result<Vec<(OwnedFd, Address)>, Box<Failure>> {
    match (bound, listen) {
        (Err(failure), Listen::Ip(address))
            if late.retries && failure.error.is_some_and(Late::is_worth_waiting) =>
        {
            let now = reactor.now();
            reactor.world().note(now, &[&failure.message, "; it is tried again"]);
            late.add(Address::Ip(*address), options, service.into(), now.milliseconds);
            Ok(Vec::new())
        }
        (bound, _) => bound,
    }
}

/// The sockets that were passed for a rule, if any were. They belong to whoever made them, and are not removed here.
///
/// # Errors
/// One of them cannot be made what it is to be.
pub(super) fn take_passed(
    passed: &mut PassedFor,
    listen: &Listen,
    options: &ListenOptions,
) -> Result<Option<Vec<(OwnedFd, Address)>>, Box<Failure>> {
    let Some(at) = passed.iter().position(|(other, _)| other == listen) else { return Ok(None) };
    let (_, sockets) = passed.remove(at);
    for socket in &sockets {
        socket.prepare(options).map_err(|error| failure(&display(&socket.address), error))?;
    }
    let mut taken = Vec::new();
    for socket in sockets {
        taken.push((socket.socket, socket.address));
    }
    Ok(Some(taken))
}

/// The loop cannot have another listener.
pub(super) fn too_many(address: &Address, error: Errno) -> Box<Failure> {
    let mut failure = failure(&display(address), error);
    if error == Errno::NOSPC {
        failure.message.clear();
        let why = ": more than 255 sockets would listen, those counted that the change closes";
        failure.message.extend([&*display(address), why]);
    }
    failure
}

/// The address of a socket that is no Unix socket.
fn ip_of(address: &Address) -> SocketAddr {
    match address {
        Address::Ip(address) => *address,
        Address::Unix(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
    }
}

/// The buffers of who comes by a rule.
pub(super) fn buffers(http: &HttpSettings, rule: &ListenRule) -> Buffers {
    Buffers {
        read: rule.read_buffer.unwrap_or(http.read_buffer),
        write: rule.write_buffer.unwrap_or(http.write_buffer),
    }
}

/// The kernel's buffers of who comes by a rule; none where the kernel decides.
pub(super) fn socket_buffers(http: &HttpSettings, rule: &ListenRule) -> (Option<u32>, Option<u32>) {
    let given = |size: u32| Some(size).filter(|size| *size > 0);
    let (send, receive) =
        (rule.send_buffer.unwrap_or(http.send_buffer), rule.receive_buffer.unwrap_or(http.receive_buffer));
    (given(send), given(receive))
}

#[cfg(test)]
#[cfg(all(feature = "monitor", target_os = "linux"))]
mod tests {
    use super::super::LARGEST_READ;
    use super::*;
    use crate::config::load::tests::good;
    use crate::engine::Loop;
    use gorgon_sys::PollerKind;
    use std::os::unix::fs::PermissionsExt;

    /// An address for documentation (RFC 5737), which no host has.
    const NOWHERE: &str = "192.0.2.1:0";

    fn reactor() -> Reactor<World> {
        let lp = Loop::new(PollerKind::available()[0], 1 << 20).unwrap();
        Reactor::new(lp, World::default(), LARGEST_READ).unwrap()
    }

    #[test]
    fn only_an_address_that_may_come_is_waited_for() {
        let (mut late, mut reactor) = (Late::default(), reactor());
        let listen = Listen::parse(NOWHERE).unwrap();
        for (retries, error, waits) in [
            (false, Errno::ADDRNOTAVAIL, false),
            (true, Errno::ADDRINUSE, false),
            (true, Errno::ADDRNOTAVAIL, true),
        ] {
            late.retries = retries;
            let bound = Err(failure(NOWHERE, error));
            let made = or_wait(bound, &listen, ListenOptions::default(), 7, &mut late, &mut reactor);
            assert_eq!(made.is_ok_and(|sockets| sockets.is_empty()), waits);
            assert_eq!(late.addresses(7).count(), usize::from(waits));
        }
    }

    #[test]
    fn the_address_of_a_monitor_comes_later() {
        let keys = std::env::temp_dir().join(format!("gorgon-late-keys-{}", std::process::id()));
        std::fs::write(&keys, "").unwrap();
        std::fs::set_permissions(&keys, PermissionsExt::from_mode(0o600)).unwrap();
        let file = format!("key_file={}\n", keys.display());
        let with = |rules: &str| good(&["[monitor:m]\nlisten=", rules, "\n", &file].concat()).settings;
        let (mut running, mut reactor, mut report) = (Running::new(1000), reactor(), String::new());
        running.late.retries = true;
        running.apply(with(NOWHERE), &mut reactor, &mut report).unwrap();
        // It is bound all the same, where the system can do that.
        let service = running.monitors[0].service;
        let (id, address) = running.monitors[0].bound[0].sockets.pop().unwrap();
        assert!(matches!(address, Address::Ip(address) if address.port() != 0));
        reactor.lp().remove_listener(id);
        let listen = Address::Ip(NOWHERE.parse().unwrap());
        let options = ListenOptions { freebind: true, ..ListenOptions::default() };
        running.late.add(listen.clone(), options, service.into(), 0);
        // What the file still says is waited for.
        running.apply(with(&[NOWHERE, ",127.0.0.1:0"].concat()), &mut reactor, &mut report).unwrap();
        assert_eq!(running.late.addresses(service.into()).count(), 1);
        running.turn(1000, &mut reactor);
        assert_eq!(running.late.next(), None);
        let bound = &running.monitors[0].bound;
        let (id, Address::Ip(came)) = &bound[0].sockets[0] else { panic!("no address") };
        assert_eq!((came.ip(), bound[1].sockets.len()), (ip_of(&listen).ip(), 1));
        assert!(reactor.lp().listener(*id).is_some());
        // And nothing else.
        running.late.add(listen, options, service.into(), 0);
        running.apply(with("127.0.0.1:0"), &mut reactor, &mut report).unwrap();
        assert_eq!(running.late.next(), None);
        std::fs::remove_file(&keys).unwrap();
    }
}
