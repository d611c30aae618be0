//! The monitors that run: who may come in, and where they listen. A change of them is made ready and takes effect with
//! that of the servers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{Address, Errno, ListenOptions, privilege, read_file};

use super::running::{Opened, Running};
use super::sockets::Bound;
use super::{Failure, failure};
use crate::cli::{ask, rundir, terminal};
use crate::config::settings::{MonitorServer, Settings};
use crate::engine::{Buffers, Limits, Reactor};
use crate::monitor::keys::Keys;
use crate::monitor::roles::{Roles, Unmapped};
use crate::monitor::service::key_file::KeyFile;
use crate::monitor::service::{Access, MonitorService};
use crate::monitor::settings::MonitorSettings;
use crate::text::address::push_socket_address;
use crate::text::columns::push_visible;
use crate::text::file_path;
use crate::text::join::joined;
use crate::text::listen::Listen;
use crate::text::number::parse_decimal;
use crate::tree::{Role, rule::ListenRule};
use crate::world::World;

/// The most of `/etc/passwd` or `/etc/group` that is read, in bytes.
const ACCOUNTS: usize = 1 << 20;
/// The most of a map of users or groups that is read, in bytes: the whole map is one short line.
const MAP: usize = 4096;
/// Whom the kernel calls those that it has no number for, unless it is told otherwise.
const OVERFLOW: u32 = 65_534;
/// What is wrong where nobody can have a key.
pub(super) const NO_KEYS: &str =
    "expected one for those who come by TCP, or a terminal to ask for a password";
/// Why a file of keys that cannot be read again is told of.
pub(super) const STALE: &str = ", so what changes in it holds when the program starts anew";
/// Peers that may wait to be let in.
const BACKLOG: u32 = 16;
/// What a session reads and writes at once: 4 KiB and 16 KiB.
const BUFFERS: Buffers = Buffers::fixed(12, 14);
/// How long sessions of a monitor that is turned off have to take what they are still told, in milliseconds.
const LAST_REPLY: u64 = 1000;

/// A monitor that runs.
pub(super) struct Monitor {
    pub(super) name: String,
    /// What its connections and listeners are shown to belong to: a server may have the same name.
    pub(super) shown: String,
    /// As they hold.
    settings: MonitorSettings,
    pub(super) service: u8,
}

/// What was made ready for one monitor.
pub(super) struct Ready {
    name: String,
    settings: MonitorSettings,
    service: u8,
    /// It runs already; who may come in from now on.
    access: Option<Access>,
    limits: Limits,
}

/// What monitors need to know of the host and of the program.
#[derive(Default)]
pub(super) struct Host {
    /// What the environment says of where sockets go.
    pub(super) runtime: rundir::Runtime<'static>,
    /// The user and group that the program will have, if it has others now.
    pub(super) becomes: Option<(u32, u32)>,
    /// The keys of a password that was asked for at the start.
    asked: Option<(Role, Vec<u8>, [u8; 16])>,
    /// The numbers of users and groups that mean nobody in particular here.
    unmapped: Unmapped,
    /// Nobody wants to hear of a monitor that cannot be had.
    pub(super) quiet: bool,
}

impl Host {
    /// The users that the program runs as, now and later.
    fn owners(&self) -> Vec<u32> {
        let mut owners = Vec::from([privilege::identity().0]);
        owners.extend(self.becomes.map(|(user, _)| user));
        owners
    }

    /// Tells of one that cannot be had.
    pub(super) fn warn(&self, message: &str) {
        if !self.quiet {
            terminal::complain(&joined(&["gorgon: warning: no monitor: ", message, "\n"]));
        }
    }

    /// Makes the directory again of a socket whose place nobody chose.
    pub(super) fn make_place(&self, options: &ListenOptions) {
        // Where that fails, so does the socket.
        let _place = rundir::prepare(self.runtime, self.becomes, lets_others(options));
    }

    /// Finds out which numbers mean nobody in particular. Later the files may be out of reach.
    pub(super) fn read_maps(&mut self) {
        let map = |path| read_file(path, MAP).ok();
        let number = |path| {
            let text = read_file(path, MAP).unwrap_or_default();
            let number = parse_decimal(text.trim_ascii()).and_then(|number| u32::try_from(number).ok());
            number.unwrap_or(OVERFLOW)
        };
        let (users, groups) = (map("/proc/self/uid_map"), map("/proc/self/gid_map"));
        let overflow = (number("/proc/sys/kernel/overflowuid"), number("/proc/sys/kernel/overflowgid"));
        self.unmapped = Unmapped::read((users.as_deref(), groups.as_deref()), overflow);
    }

    /// Asks for a password where a monitor is reached by TCP, has no keys, and somebody is there to be asked: as Medusa
    /// did.
    ///
    /// # Errors
    /// None was given.
    pub(super) fn ask(&mut self, monitors: &[MonitorServer]) -> Result<(), Box<Failure>> {
        let wanted =
            monitors.iter().find(|monitor| monitor.settings.enabled && monitor.settings.wants_password());
        let Some(monitor) = wanted.filter(|_| ask::can_ask()) else { return Ok(()) };
        let prompt = joined(&["Password of the monitor ", &monitor.name, ": "]);
        let wrong = |message| Box::new(Failure { message, usage: true, error: None });
        let password = ask::ask_twice(&prompt).map_err(wrong)?;
        let mut salt = [0; 16];
        gorgon_sys::fill_random(&mut salt).map_err(|error| failure("random numbers", error))?;
        self.asked = Some((Role::Admin, password, salt));
        Ok(())
    }

    /// Who may come in; `before` is what holds of one that runs.
    fn access(
        &self,
        monitor: &MonitorServer,
        before: Option<&MonitorSettings>,
    ) -> Result<Access, Box<Failure>> {
        let wrong = |message: String| {
            Box::new(Failure {
                message: joined(&["[monitor:", &monitor.name, "] ", &message]),
                usage: true,
                error: None,
            })
        };
        if let Some((key, expected)) = monitor.settings.contradiction() {
            return Err(wrong(joined(&[key, ": ", expected])));
        }
        let settings = &monitor.settings;
        let named = [&settings.view, &settings.operate, &settings.admin].iter().any(|list| !list.is_empty());
        let (passwd, group) = if named {
            (accounts("/etc/passwd")?, accounts("/etc/group")?)
        } else {
            (Vec::new(), Vec::new())
        };
        let mut roles = Roles::resolve(settings, &passwd, &group)
            .map_err(|(key, message)| wrong(joined(&[key, ": ", &message])))?;
        let owners = self.owners();
        owners.iter().for_each(|owner| roles.add_own(*owner));
        roles.leave_out(self.unmapped);
        let source = |settings: &MonitorSettings| {
            (settings.key_file.clone(), settings.legacy, settings.wants_password())
        };
        let keys = match (settings.key_file.is_empty(), &self.asked) {
            // The program may have given up the right to read the file, which looks after its changes itself.
            _ if before.is_some_and(|before| source(before) == source(settings)) => None,
            (false, _) => {
                let told = |message: String| wrong(joined(&["key_file=", &message]));
                Some(KeyFile::open(&settings.key_file, &owners).map_err(told)?)
            }
            (true, Some((role, password, salt))) if settings.wants_password() => {
                Some(KeyFile::in_memory(Keys::of_password("admin", *role, password, *salt, settings.legacy)))
            }
            (true, _) if settings.wants_password() => {
                return Err(wrong(joined(&["key_file: ", NO_KEYS])));
            }
            (true, _) => Some(KeyFile::default()),
        };
        Ok(Access { roles, keys, legacy: settings.legacy, max_sessions: settings.max_sessions })
    }
}

impl Running {
    /// Makes one monitor ready as a service; gives its rules, without sockets yet.
    pub(super) fn prepare_monitor(
        &mut self,
        monitor: &MonitorServer,
        reactor: &mut Reactor<World>,
        opened: &mut Opened,
    ) -> Result<Vec<Bound>, Box<Failure>> {
        let (host, served) = (&self.host, &mut self.served);
        let before = self.monitors.iter().find(|running| running.name == monitor.name);
        let access = host.access(monitor, before.map(|before| &before.settings))?;
        let others = access.roles.names_others();
        if !monitor.settings.key_file.is_empty() {
            served.reads.extend(super::http::open_parent(monitor.settings.key_file.as_bytes()));
            served.key_files.push(monitor.settings.key_file.clone());
        }
        let limits = MonitorService::limits(&monitor.settings);
        let (service, access) = match before {
            Some(before) => (before.service, Some(access)),
            None => {
                let service = Box::new(MonitorService::new(&monitor.name, access));
                let number = reactor.add_service(service, limits.clone()).map_err(super::http::no_service)?;
                opened.services.push(number);
                (number, None)
            }
        };
        opened.monitors.push(Ready {
            name: monitor.name.clone(),
            settings: monitor.settings.clone(),
            service,
            access,
            limits,
        });
        let place = rundir::directory(privilege::identity().0, host.runtime);
        if monitor.listeners.iter().any(|rule| is_in(&rule.listen, &place)) {
            // It is the program's own, also for a socket with a name that was chosen. One that cannot be had is told of
            // by the socket, which may be possible in it all the same.
            let _ours = rundir::claim(&place, host.becomes, others);
        }
        let rules = if monitor.listeners.is_empty() {
            self.default_rule(service, others, &opened.kept)
        } else {
            monitor.listeners.clone()
        };
        let bound = |rule: ListenRule| Bound {
            service,
            options: options(&rule, others),
            rule,
            buffers: BUFFERS,
            sockets: Vec::new(),
        };
        Ok(rules.into_iter().map(bound).collect())
    }

    /// What a change would be refused for: that a monitor has no keys, and nobody gave a password at the start.
    pub(super) fn find_keyless(&self, new: &Settings) -> Option<Box<Failure>> {
        let mut keyless = new.monitors.iter().filter(|monitor| {
            let settings = &monitor.settings;
            settings.enabled && settings.key_file.is_empty() && settings.wants_password()
        });
        keyless.find_map(|monitor| {
            let before = self.monitors.iter().find(|running| running.name == monitor.name);
            self.host.access(monitor, before.map(|before| &before.settings)).err()
        })
    }

    /// The socket of one that is not told where to listen: its own, that of another one which was not told either, or a
    /// new one; none where it cannot be had, which is no reason not to serve.
    fn default_rule(&self, service: u8, others: bool, kept: &[usize]) -> Vec<ListenRule> {
        let bound = self.bound.iter().enumerate();
        let mut free = bound.filter(|(at, bound)| bound.rule.text.is_empty() && !kept.contains(at));
        let own = free.clone().find(|(_, bound)| bound.service == service);
        if let Some((_, bound)) = own.or_else(|| free.next()) {
            return Vec::from([bound.rule.clone()]);
        }
        let path = match rundir::prepare(self.host.runtime, self.host.becomes, others) {
            Ok(path) => path,
            Err(message) => {
                self.host.warn(&message);
                return Vec::new();
            }
        };
        let rule = ListenRule::parse(&joined(&["unix:", &String::from_utf8_lossy(&path)]));
        // Its text is empty, for nobody wrote it.
        rule.map(|rule| Vec::from([ListenRule { text: String::new(), ..rule }])).unwrap_or_default()
    }
}

/// What a listener is made with.
fn options(rule: &ListenRule, others: bool) -> ListenOptions {
    ListenOptions {
        backlog: rule.backlog.unwrap_or(BACKLOG),
        mode: rule.mode.or(Some(rundir::socket_mode(others))),
        ..ListenOptions::default()
    }
}

/// Lets others reach a socket whose place nobody chose, if they may come in now and could not before: the place is ours
/// as well.
///
/// # Errors
/// The system's.
pub(super) fn open_place(address: &Address, (was, now): (&Bound, &Bound)) -> Result<(), Errno> {
    match address {
        Address::Unix(path)
            if now.rule.text.is_empty() && lets_others(&now.options) && !lets_others(&was.options) =>
        {
            rundir::open_to_others(file_path::parent(path))
        }
        Address::Unix(_) | Address::Ip(_) => Ok(()),
    }
}

/// Whether others may come in by a socket whose place nobody chose.
fn lets_others(options: &ListenOptions) -> bool {
    options.mode == Some(rundir::socket_mode(true))
}

/// Whether a socket lies in a directory.
fn is_in(listen: &Listen, place: &[u8]) -> bool {
    matches!(listen, Listen::Unix(path) if file_path::parent(path) == place)
}

/// Appends a line that says where they listen: `Monitor: /run/gorgon/584.sock, 127.0.0.1:9999 (keys)`.
pub(super) fn push_report(running: &Running, report: &mut String) {
    let bound = running.monitors.iter().flat_map(|monitor| running.bound_of(monitor.service));
    let mut sockets = bound.flat_map(|bound| &bound.sockets).enumerate().peekable();
    let listens = sockets.peek().is_some();
    for (at, (_, address)) in sockets {
        report.push_str(if at == 0 { "Monitor: " } else { ", " });
        match address {
            Address::Unix(path) => push_visible(path, report),
            Address::Ip(address) => {
                push_socket_address(address, report);
                report.push_str(" (keys)");
            }
        }
    }
    if listens {
        report.push('\n');
    }
}

/// Has take effect what was made ready; gives the monitors that run then.
pub(super) fn commit(opened: Vec<Ready>, before: Vec<Monitor>, reactor: &mut Reactor<World>) -> Vec<Monitor> {
    let mut running = Vec::new();
    for ready in opened {
        reactor.lp().set_limits(ready.service, ready.limits);
        if let Some(access) = ready.access {
            let service = reactor.service(ready.service).and_then(|service| service.as_any());
            if let Some(service) = service.and_then(|any| any.downcast_mut::<MonitorService>()) {
                service.change(access);
            }
        }
        running.push(Monitor {
            shown: joined(&["monitor:", &ready.name]),
            name: ready.name,
            settings: ready.settings,
            service: ready.service,
        });
    }
    for monitor in before {
        if !running.iter().any(|other| other.service == monitor.service) {
            // Who was let in by it is out with it: one turns a monitor off, or takes it away, to that end. Whoever asked
            // for it is one of them, and is answered first.
            let service = reactor.service(monitor.service).and_then(|service| service.as_any());
            if let Some(service) = service.and_then(|any| any.downcast_mut::<MonitorService>()) {
                service.change(Access { keys: Some(KeyFile::default()), ..Access::default() });
            }
            reactor.lp().drain_service(monitor.service, LAST_REPLY);
            reactor.remove_service(monitor.service);
        }
    }
    running
}

/// A file of users or groups; nothing where there is none.
fn accounts(path: &str) -> Result<Vec<u8>, Box<Failure>> {
    match read_file(path, ACCOUNTS) {
        Ok(text) => Ok(text),
        Err(Errno::NOENT) => Ok(Vec::new()),
        Err(error) => Err(Box::new(Failure { usage: true, ..*failure(path, error) })),
    }
}
