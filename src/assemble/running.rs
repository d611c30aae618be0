//! What runs, and how it becomes something else: the difference between the settings that hold and other ones is made
//! ready first, which may fail and then leaves nothing behind, and takes effect afterwards, all of it in one turn.
//!
//! ```text
//!   settings ──▶ prepare: open, build, bind, add ──▶ commit: change, move, drain
//!                   │
//!                   └──▶ undo: what was opened is closed, and all is as it was
//! ```
//! A listener stays for as long as somebody listens where it does, so that who waits in its queue is not lost. A
//! server that is removed, or turned off, finishes what it was asked.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::Address;

use super::Failure;
use super::beside::Beside;
use super::domains::Domains;
use super::handlers::{self, Built, Ground, Recipe};
use super::http::{self, Share};
use super::late::Late;
use super::leaving::Leaving;
use super::listeners::{bind_one, push_urls};
#[cfg(feature = "monitor")]
use super::monitors::{self, Host, Monitor};
use super::privileges::Served;
use super::sockets::{Bound, PassedFor, of_server};
#[cfg(feature = "monitor")]
use crate::cli::process::Level;
use crate::config::settings::{HttpServer, Settings};
use crate::engine::log::Logs;
use crate::engine::{Limits, ListenerId, Reactor};
use crate::http::service::{Access, Change, HttpService};
use crate::http::settings::handler::HandlerSettings;
use crate::text::listen::Listen;
use crate::text::split::split_once;
use crate::tree::{Code, Trouble};
use crate::world::World;

/// What runs.
pub(super) struct Running {
    /// The settings that hold.
    pub(super) settings: Settings,
    /// The servers that are not turned off.
    pub(super) servers: Vec<Server>,
    /// The monitors that are not turned off.
    #[cfg(feature = "monitor")]
    pub(super) monitors: Vec<Monitor>,
    /// What they need to know.
    #[cfg(feature = "monitor")]
    pub(super) host: Host,
    /// Where servers and monitors listen, in their order.
    pub(super) bound: Vec<Bound>,
    /// What is reached by name.
    pub(super) served: Served,
    /// Who the program runs as, and what it may do.
    pub(super) user: String,
    pub(super) rights: String,

    /// The services that check passwords, and the numbers of their logins.
    passwords: Vec<(usize, u8)>,
    /// Servers that are gone, but for connections, and what they use.
    pub(super) leaving: Vec<Leaving>,
    /// The limit of descriptors.
    limit: u64,
    /// Helper processes can be started.
    started: bool,
    /// Sockets that were passed by who started the program, for the rules they were assigned to.
    pub(super) passed: PassedFor,
    /// Addresses that are tried again.
    pub(super) late: Late,
    /// Who is asked for the names of clients.
    pub(super) domains: Domains,
    /// When Unix sockets are looked for next, in milliseconds on the loop's clock.
    pub(super) look: u64,
}

/// A server that runs.
pub(super) struct Server {
    /// Its name.
    pub(super) name: String,
    /// Its number in the loop.
    pub(super) service: u8,
    /// What its handlers were built from.
    recipe: Recipe,
    /// It writes an access log.
    logs: bool,
    /// A change has found it again.
    stays: bool,
}

/// What was made ready for one server.
pub(super) struct Ready {
    /// Its place among the servers of the new settings.
    pub(super) place: usize,
    /// It runs already, at this place.
    pub(super) runs: Option<usize>,
    /// Its number in the loop.
    pub(super) service: u8,
    /// Its router is taken when the service is new, and has it already.
    pub(super) built: Built,
    pub(super) access: Access,
    pub(super) logs: bool,
    pub(super) limits: Limits,
}

/// What a change has opened so far, for the case that it fails.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) ready: Vec<Ready>,
    pub(super) services: Vec<u8>,
    pub(super) listeners: Vec<ListenerId>,
    /// Services that check passwords, and the numbers of their logins.
    pub(super) passwords: Vec<(usize, u8)>,
    /// Where servers and monitors will listen.
    pub(super) bound: Vec<Bound>,
    /// Rules whose sockets stay, by their place among those that hold.
    pub(super) kept: Vec<usize>,
    /// Unix sockets.
    pub(super) paths: Vec<Vec<u8>>,
    /// What takes the place of other sockets.
    pub(super) beside: Beside,
    #[cfg(feature = "monitor")]
    pub(super) monitors: Vec<monitors::Ready>,
}

impl Running {
    /// Nothing runs yet. `limit` is that of descriptors.
    pub(super) fn new(limit: u64) -> Running {
        Running {
            settings: Settings::default(),
            servers: Vec::new(),
            #[cfg(feature = "monitor")]
            monitors: Vec::new(),
            #[cfg(feature = "monitor")]
            host: Host::default(),
            bound: Vec::new(),
            user: String::new(),
            rights: String::new(),
            served: Served::default(),
            passwords: Vec::new(),
            leaving: Vec::new(),
            limit,
            started: false,
            passed: Vec::new(),
            late: Late::default(),
            domains: Domains::default(),
            look: super::missing::PERIOD,
        }
    }

    /// Has these settings hold from now on. Lines for who starts the program go into `report`.
    ///
    /// # Errors
    /// What cannot be opened, bound or built: then nothing has changed.
    pub(super) fn apply(
        &mut self,
        new: Settings,
        reactor: &mut Reactor<World>,
        report: &mut String,
    ) -> Result<(), Box<Failure>> {
        let mut opened = Opened::default();
        let outcome = self.prepare(&new, reactor, report, &mut opened);
        match outcome {
            Ok(()) => self.commit(new, opened, reactor),
            Err(_) => self.undo(opened, reactor),
        }
        // Addresses that a change has taken out, or that one has added that came to nothing, are not tried any more.
        let bound = &self.bound;
        self.late.keep(&|owner, address| {
            let mut bound = bound.iter().filter(|bound| u32::from(bound.service) == owner);
            bound.any(|bound| matches!((&bound.rule.listen, address), (Listen::Ip(one), Address::Ip(other)) if one == other))
        });
        outcome
    }

    /// The same while the program runs, for those who asked by the monitor or by a signal.
    ///
    /// # Errors
    /// As for [`Running::apply`]; what the program has given the right away to is told as refused.
    pub(super) fn change(&mut self, new: Settings, reactor: &mut Reactor<World>) -> Result<(), Box<Trouble>> {
        let mut report = String::new();
        self.apply(new, reactor, &mut report).map_err(|failure| trouble(failure.message))
    }

    /// Starts what waits until the program is who it will be: the processes that check passwords.
    ///
    /// # Errors
    /// One of them cannot be started.
    pub(super) fn start(&mut self, reactor: &mut Reactor<World>) -> Result<(), Box<Failure>> {
        self.started = true;
        let mut opened = Vec::new();
        let outcome = self.start_passwords(reactor, &mut opened);
        self.passwords.append(&mut opened);
        self.served.settle();
        outcome
    }

    fn start_passwords(
        &mut self,
        reactor: &mut Reactor<World>,
        opened: &mut Vec<(usize, u8)>,
    ) -> Result<(), Box<Failure>> {
        for passwords in core::mem::take(&mut self.served.passwords) {
            let logins = passwords.logins();
            opened.push((logins, http::add_passwords(passwords, reactor)?));
        }
        Ok(())
    }

    /// Opens, builds, binds and adds.
    fn prepare(
        &mut self,
        new: &Settings,
        reactor: &mut Reactor<World>,
        report: &mut String,
        opened: &mut Opened,
    ) -> Result<(), Box<Failure>> {
        let share = Share::new(new, self.limit);
        reactor.lp().keep_refused(share.files / 4);
        for (place, server) in new.servers.iter().enumerate() {
            if server.settings.enabled {
                self.build(place, server, &share, reactor, report, opened)?;
                let service = opened.ready.last().map_or(u8::MAX, |ready| ready.service);
                self.listen(of_server(server, service), new, reactor, opened)?;
                let made = opened.bound.iter().filter(|bound| bound.service == service && !self.started);
                made.flat_map(|bound| &bound.sockets).for_each(|(_, address)| push_urls(address, report));
            }
        }
        #[cfg(feature = "monitor")]
        for monitor in new.monitors.iter().filter(|monitor| monitor.settings.enabled) {
            let wanted = self.prepare_monitor(monitor, reactor, opened)?;
            self.listen(wanted, new, reactor, opened)?;
        }
        if self.started {
            for area in &self.served.areas {
                area.probe(reactor.world(), "whom it runs as")?;
            }
            self.start_passwords(reactor, &mut opened.passwords)?;
        }
        self.take_places(reactor, opened)
    }

    /// Builds the handlers of one server, opens its log, and has the loop know it.
    fn build(
        &mut self,
        place: usize,
        server: &HttpServer,
        share: &Share,
        reactor: &mut Reactor<World>,
        report: &mut String,
        opened: &mut Opened,
    ) -> Result<(), Box<Failure>> {
        let http = &server.settings;
        let runs = self.servers.iter().position(|running| running.name == server.name);
        let running = runs.and_then(|at| self.servers.get(at));
        let handlers: Vec<(&str, &HandlerSettings)> =
            server.handlers.iter().map(|handler| (handler.name.as_str(), &handler.settings)).collect();
        let nothing = Recipe::default();
        let before = running.map_or(&nothing, |running| &running.recipe);
        let mut ground = Ground {
            server: &server.name,
            world: reactor.world(),
            served: &mut self.served,
            report,
            files: share.files / 2,
            uploads: share.files,
        };
        let built = handlers::build(http, &handlers, before, &mut ground)?;
        let (addresses, connections) = (built.router.wants_addresses(), share.connections_of(http));
        let mut ready = Ready {
            place,
            runs,
            service: 0,
            built,
            access: Access::Same,
            logs: false,
            limits: HttpService::<World>::limits(http, connections),
        };
        let before = self.settings.servers.iter().find(|other| other.name == server.name);
        let level = self.settings.process.level();
        let same_log = before
            .zip(running)
            .filter(|(before, _)| http::has_same_log((&before.settings, level), (http, share.level)));
        let mut access = None;
        let outcome = match same_log {
            Some((_, running)) => {
                ready.logs = running.logs;
                Ok(())
            }
            None => http::access_log((&server.name, http), share.level, reactor.world(), &mut self.served)
                .map(|log| {
                    ready.logs = log.is_some();
                    access = log;
                }),
        };
        ready.limits.addresses = ready.logs || addresses;
        match running {
            Some(running) => {
                ready.service = running.service;
                if same_log.is_none() {
                    ready.access = access.map_or(Access::Off, |access| Access::New(Box::new(access)));
                }
            }
            None => {
                let mut service = Box::new(HttpService::new(http, core::mem::take(&mut ready.built.router)));
                if let Some(access) = access {
                    service.set_access_log(access);
                }
                match reactor.add_service(service, ready.limits.clone()) {
                    Ok(number) => {
                        ready.service = number;
                        opened.services.push(number);
                    }
                    Err(error) => {
                        opened.ready.push(ready);
                        return Err(http::no_service(error));
                    }
                }
            }
        }
        opened.ready.push(ready);
        outcome
    }

    /// Keeps what was said of the program's user and rights: `User: nobody (65534:65534); no capabilities ..`.
    pub(super) fn set_rights(&mut self, report: &str) {
        let line = report.lines().find_map(|line| line.strip_prefix("User: ")).unwrap_or_default();
        let (user, rights) = split_once(line, "; ").unwrap_or((line, ""));
        (self.user, self.rights) = (String::from(user), String::from(rights));
    }

    /// After each turn of the loop: tries addresses again, and looks after what is gone.
    pub(super) fn turn(&mut self, now: u64, reactor: &mut Reactor<World>) {
        if self.late.next().is_some_and(|due| due <= now) {
            for (owner, came) in self.late.turn(now, &mut |address, options| bind_one(address, options)) {
                self.came(owner as u8, came, reactor);
            }
        }
        if self.has_leaving() {
            self.sweep(reactor);
        }
        if self.next_look().is_some_and(|due| due <= now) {
            self.look_for_sockets(reactor);
        }
        reactor.name_clients();
    }

    /// Has take effect what was made ready.
    fn commit(&mut self, new: Settings, opened: Opened, reactor: &mut Reactor<World>) {
        self.passwords.extend_from_slice(&opened.passwords);
        let mut ended = Vec::new();
        let mut before = core::mem::take(&mut self.servers);
        let bound = core::mem::replace(&mut self.bound, opened.bound);
        for (at, bound) in bound.iter().enumerate() {
            if !opened.kept.contains(&at) {
                self.close(bound, &opened.beside.replaced, reactor);
            }
        }
        // Before those that go: their sockets would go with them.
        self.retune(&bound, reactor);
        for ready in opened.ready {
            let Some(server) = new.servers.get(ready.place) else { continue };
            let (http, service) = (&server.settings, ready.service);
            let lp = reactor.lp();
            lp.set_limits(service, ready.limits);
            lp.set_client_rules(service, server.clients.clone());
            let built = ready.built;
            if ready.runs.is_some() {
                let change =
                    Change { settings: http.clone(), router: Some(built.router), access: ready.access };
                if let Some((service, world, lp)) = reactor.service_with(service) {
                    if let Some(service) =
                        service.as_any().and_then(|any| any.downcast_mut::<HttpService<World>>())
                    {
                        service.configure(change, world, lp);
                    }
                }
                for number in built.filesystems {
                    reactor.world().remove_filesystem(number);
                }
            }
            ended.extend_from_slice(&built.logins);
            if let Some(running) = ready.runs.and_then(|at| before.get_mut(at)) {
                running.stays = true;
            }
            self.servers.push(Server {
                name: server.name.clone(),
                service,
                recipe: built.recipe,
                logs: ready.logs,
                stays: false,
            });
        }
        for server in before {
            if !server.stays {
                self.late.remove(server.service.into(), None);
                reactor.lp().drain_service(server.service, new.process.grace);
                reactor.remove_service(server.service);
                let Server { name, service, recipe, .. } = server;
                self.leaving.push(Leaving { name, service, recipe });
            }
        }
        #[cfg(feature = "monitor")]
        {
            let before = core::mem::take(&mut self.monitors);
            self.monitors = monitors::commit(opened.monitors, before, reactor);
        }
        reactor.lp().set_grace(new.process.grace);
        reactor.lp().set_page_memory(usize::try_from(new.process.page_memory).unwrap_or(usize::MAX));
        self.domains.follow(&new, reactor);
        let level = new.process.level();
        #[cfg(feature = "monitor")]
        {
            self.host.quiet = level < Level::Warn;
        }
        self.settings = new;
        if self.started {
            reactor.world().speaks = level.tells_events(self.served.by_file);
            self.served.settle();
        }
        self.end_logins(&ended, reactor);
        self.sweep(reactor);
    }

    /// Closes what a change has opened that came to nothing.
    fn undo(&mut self, opened: Opened, reactor: &mut Reactor<World>) {
        for id in opened.listeners {
            // At once: who asks for them again finds them free.
            reactor.close_listener(id);
        }
        let passwords = opened.passwords.iter().map(|(_, service)| *service);
        for service in opened.services.iter().copied().chain(passwords) {
            reactor.remove_service(service);
        }
        let now = reactor.lp().now();
        // The last one that was built goes first.
        for ready in opened.ready.into_iter().rev() {
            let nothing = Recipe::default();
            let running = ready.runs.and_then(|at| self.servers.get(at));
            let before = running.map_or(&nothing, |running| &running.recipe);
            handlers::discard(&ready.built, before, reactor.world(), &mut self.served);
            if let Access::New(access) = ready.access {
                reactor.world().end_log(access.number(), now);
            }
        }
        for path in opened.paths {
            self.served.sockets.remove(&path);
        }
        self.served.settle();
    }

    /// Closes the sockets of a rule; some are `replaced` by others, of these services.
    fn close(&mut self, bound: &Bound, replaced: &[(ListenerId, u8)], reactor: &mut Reactor<World>) {
        for (id, address) in &bound.sockets {
            match replaced.iter().find(|(other, _)| other == id) {
                Some((_, service)) => reactor.lp().retire_listener(*id, *service),
                None => reactor.lp().remove_listener(*id),
            };
            if let Address::Unix(path) = address {
                self.served.sockets.remove(path);
            }
        }
    }

    /// Ends the services that check passwords by files of users that no server has any more, by the numbers of their
    /// logins.
    pub(super) fn end_logins(&mut self, logins: &[usize], reactor: &mut Reactor<World>) {
        for number in logins {
            let mut recipes = self.servers.iter().map(|server| &server.recipe);
            let mut leaving = self.leaving.iter().map(|leaving| &leaving.recipe);
            if recipes.any(|recipe| recipe.has_logins(*number))
                || leaving.any(|recipe| recipe.has_logins(*number))
            {
                continue;
            }
            if let Some(at) = self.passwords.iter().position(|(other, _)| other == number) {
                let (_, service) = self.passwords.remove(at);
                reactor.remove_service(service);
            }
            self.served.users.retain(|(_, other)| other != number);
            // Who waits for an answer asks again, of whoever lets in by now.
            let waiters = reactor.world().remove_logins(*number);
            waiters.into_iter().for_each(|id| reactor.lp().wake(id));
        }
    }
}

/// What the program failed at; where it may not, why that may be.
pub(super) fn trouble(message: String) -> Box<Trouble> {
    let denied = ["Permission denied", "Operation not permitted"]
        .iter()
        .any(|words| split_once(&message, words).is_some());
    if !denied {
        return Box::new(Trouble { code: Code::Failed, message });
    }
    let why = "; the program may have given that right away when it started, see /process.rights";
    Trouble::new(Code::Refused, &[&message, why])
}
