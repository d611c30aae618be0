//! Where servers and monitors listen: rules of `listen` and the sockets they come to, which stay for as long as somebody
//! listens where they do, are passed by who starts the program, or come later.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use gorgon_sys::{Address, Errno, ListenOptions, OwnedFd, Passed};

use super::activation::Activation;
use super::late::{Came, Late};
use super::listeners::{Socket, bind, display, options, retune};
use super::running::{Opened, Running};
use super::{Failure, failure};
use crate::config::settings::{HttpServer, Settings};
use crate::engine::{Buffers, ListenerId, Reactor};
use crate::http::settings::HttpSettings;
use crate::text::listen::Listen;
use crate::tree::rule::ListenRule;
use crate::world::World;

/// The sockets that were passed by who started the program, for the rules they were assigned to.
pub(super) type PassedFor = Vec<(Listen, Vec<Passed>)>;

/// A rule of `listen`, and the sockets that it came to.
pub(super) struct Bound {
    /// The server or monitor that listens.
    pub(super) service: u8,
    pub(super) rule: ListenRule,
    /// What they are made with.
    pub(super) options: ListenOptions,
    /// What their connections begin with.
    pub(super) buffers: Buffers,
    pub(super) sockets: Vec<(ListenerId, Address)>,
}

impl Running {
    /// The rules of a server or a monitor, in their order.
    pub(super) fn bound_of(&self, service: u8) -> impl Iterator<Item = &Bound> {
        self.bound.iter().filter(move |bound| bound.service == service)
    }

    /// Finds the sockets of rules of a server or a monitor: those that are there, whoever has them, or new ones.
    pub(super) fn listen(
        &mut self,
        wanted: Vec<Bound>,
        new: &Settings,
        reactor: &mut Reactor<World>,
        opened: &mut Opened,
    ) -> Result<(), Box<Failure>> {
        for mut bound in wanted {
            if let Some((at, kept)) = self.claim(&bound, &opened.kept) {
                opened.kept.push(at);
                bound.sockets = kept.sockets.clone();
                opened.bound.push(bound);
                continue;
            }
            let passed = take_passed(&mut self.passed, &bound.rule.listen, &bound.options)?;
            let is_ours = passed.is_none();
            let sockets = match passed.map_or_else(|| self.bind(&bound, new, reactor, opened), Ok) {
                // That of a monitor which nobody chose.
                #[cfg(feature = "monitor")]
                Err(failure) if bound.rule.text.is_empty() => {
                    self.host.warn(&failure.message);
                    continue;
                }
                sockets => sockets?,
            };
            for (socket, address) in sockets {
                if let (true, Address::Unix(path)) = (is_ours, &address) {
                    self.served.sockets.0.extend(Socket::find(path));
                    opened.paths.push(path.clone());
                }
                let added = reactor.lp().add_listener(socket, bound.service, bound.buffers);
                let id = added.map_err(|error| too_many(&address, error))?;
                opened.listeners.push(id);
                bound.sockets.push((id, address));
            }
            opened.bound.push(bound);
        }
        Ok(())
    }

    /// New sockets of a rule; none where its address may come later, or has to be made free.
    fn bind(
        &mut self,
        wanted: &Bound,
        new: &Settings,
        reactor: &mut Reactor<World>,
        opened: &mut Opened,
    ) -> Result<Vec<(OwnedFd, Address)>, Box<Failure>> {
        let options = ListenOptions { freebind: self.late.retries, ..wanted.options };
        let bound = bind(&wanted.rule.listen, &options);
        let taken = bound.as_ref().is_err_and(|failure| failure.error == Some(Errno::ADDRINUSE));
        if taken && self.wait_for_place(wanted, new, reactor, opened) {
            return Ok(Vec::new());
        }
        or_wait(bound, &wanted.rule.listen, options, wanted.service, &mut self.late, reactor)
    }

    /// Takes sockets that were passed to the program.
    ///
    /// # Errors
    /// They and the rules do not fit together.
    pub(super) fn pass(&mut self, mut passed: Activation, settings: &Settings) -> Result<(), Box<Failure>> {
        if passed.is_empty() {
            return Ok(());
        }
        let rules: Vec<&Listen> = rules(settings).iter().map(|rule| &rule.listen).collect();
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
        let ip = ip_of(&address);
        // A free port is another now.
        let is = |listen: &Listen| matches!(listen, Listen::Ip(rule) if rule.ip() == ip.ip() && (rule.port() == 0 || *rule == ip));
        let mut bound = self.bound.iter_mut().filter(|bound| bound.service == service);
        let bound = bound.find(|bound| bound.sockets.is_empty() && is(&bound.rule.listen));
        let Some(bound) = bound else { return };
        if let Ok(id) = reactor.lp().add_listener(socket, service, bound.buffers) {
            reactor.world().note(time, &["listens on ", &display(&address)]);
            bound.sockets.push((id, address));
        }
    }

    /// The rule that listens at the same address, if it is not claimed yet, and its place. A free port stays with whoever
    /// has it, and who waits for an address waits for its own.
    fn claim(&self, wanted: &Bound, kept: &[usize]) -> Option<(usize, &Bound)> {
        let is_own = |bound: &Bound| bound.service == wanted.service;
        let may_move = |bound: &Bound| !wanted.rule.listen.is_ephemeral() && !bound.sockets.is_empty();
        let all = self.bound.iter().enumerate();
        let mut same =
            all.filter(|(at, bound)| bound.rule.listen == wanted.rule.listen && !kept.contains(at));
        let own = same.clone().find(|(_, bound)| is_own(bound));
        own.or_else(|| same.find(|(_, bound)| may_move(bound)))
    }

    /// Has sockets belong to whom their rules belong to now, and those that stay be as their rules say.
    pub(super) fn retune(&self, before: &[Bound], reactor: &mut Reactor<World>) {
        for (bound, (id, address)) in
            self.bound.iter().flat_map(|bound| bound.sockets.iter().map(move |one| (bound, one)))
        {
            let is = |bound: &&Bound| bound.sockets.iter().any(|(other, _)| other == id);
            let was = before.iter().find(is);
            if let Some((was, listener)) = was.zip(reactor.lp().listener(*id)) {
                let change = (&was.options, &bound.options);
                let outcome = retune(listener.fd(), address, change, &self.served.sockets);
                #[cfg(feature = "monitor")]
                let outcome = outcome.and(super::monitors::open_place(address, (was, bound)));
                if let Err(error) = outcome {
                    let time = reactor.now();
                    reactor.world().note(time, &[&display(address), ": ", &gorgon_sys::describe(error)]);
                }
            }
            let lp = reactor.lp();
            lp.move_listener(*id, bound.service);
            lp.set_listener_buffers(*id, bound.buffers);
            let (send, receive) = (bound.options.send_buffer, bound.options.receive_buffer);
            // What the kernel does not take it does not take; the sockets serve all the same.
            let _kernel = lp.set_listener_socket_buffers(*id, send, receive);
        }
    }
}

/// The rules of all that are not turned off.
pub(super) fn rules(settings: &Settings) -> Vec<&ListenRule> {
    let servers = settings.servers.iter().filter(|server| server.settings.enabled);
    let rules = servers.flat_map(|server| &server.listeners);
    #[cfg(feature = "monitor")]
    let rules = {
        let monitors = settings.monitors.iter().filter(|monitor| monitor.settings.enabled);
        rules.chain(monitors.flat_map(|monitor| &monitor.listeners))
    };
    rules.collect()
}

/// New sockets of a rule, or none where its address may come later: then it is tried again for that service.
///
/// # Errors
/// Those of who bound it, if waiting does not help.
fn or_wait(
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
fn take_passed(
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

/// The rules of a server, without sockets yet.
pub(super) fn of_server(server: &HttpServer, service: u8) -> Vec<Bound> {
    let http = &server.settings;
    let bound = |rule: &ListenRule| Bound {
        service,
        rule: rule.clone(),
        options: options(http, rule),
        buffers: buffers(http, rule),
        sockets: Vec::new(),
    };
    server.listeners.iter().map(bound).collect()
}

/// The buffers of who comes by a rule.
fn buffers(http: &HttpSettings, rule: &ListenRule) -> Buffers {
    Buffers {
        read: rule.read_buffer.unwrap_or(http.read_buffer),
        write: rule.write_buffer.unwrap_or(http.write_buffer),
    }
}

#[cfg(test)]
#[cfg(all(feature = "monitor", target_os = "linux"))]
mod tests {
    use super::super::LARGEST_READ;
    use super::*;
    use crate::config::load::tests::good;
    use crate::engine::Loop;
    use alloc::string::String;
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
        let (id, address) = running.bound[0].sockets.pop().unwrap();
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
        let bound = &running.bound;
        let (id, Address::Ip(came)) = &bound[0].sockets[0] else { panic!("no address") };
        assert_eq!((came.ip(), bound[1].sockets.len()), (ip_of(&listen).ip(), 1));
        assert!(reactor.lp().listener(*id).is_some());
        // And nothing else.
        running.late.add(listen, options, service.into(), 0);
        running.apply(with("127.0.0.1:0"), &mut reactor, &mut report).unwrap();
        assert_eq!(running.late.next(), None);
        // One of another name asks for it itself.
        running.apply(with(NOWHERE), &mut reactor, &mut report).unwrap();
        let (id, address) = running.bound[0].sockets.pop().unwrap();
        reactor.lp().remove_listener(id);
        let service = running.monitors[0].service;
        running.late.add(address, options, service.into(), 0);
        let mut other = with(NOWHERE);
        other.monitors[0].name = String::from("other");
        running.apply(other, &mut reactor, &mut report).unwrap();
        assert_ne!(running.bound[0].service, service);
        assert_eq!((running.bound[0].sockets.len(), running.late.next()), (1, None));
        std::fs::remove_file(&keys).unwrap();
    }
}
