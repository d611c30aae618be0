//! Puts the program together from its settings, and runs it: the only place that names every protocol.

use std::io::{self, IsTerminal};
#[cfg(feature = "http")]
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

#[cfg(feature = "http")]
use gorgon_sys::{Address, AsFd, Errno, ListenOptions, OwnedFd};
use gorgon_sys::{PollerKind, Signal, Signals};

use crate::cli::arguments::Settings;
use crate::cli::terminal;
use crate::engine::{Loop, Reactor, Turn};
use crate::text::number::push_decimal_str;
use crate::world::World;

#[cfg(feature = "http")]
use crate::cli::listen::Listen;
#[cfg(feature = "http")]
use crate::fs::media::MediaTypes;
#[cfg(feature = "http")]
use crate::fs::{Filesystem, LocalFs, SingleFile, Symlinks};
#[cfg(feature = "http")]
use crate::http::handlers::files::FilesHandler;
#[cfg(feature = "http")]
use crate::http::router::Router;
#[cfg(feature = "http")]
use crate::http::service::HttpService;
#[cfg(feature = "http")]
use crate::http::settings::HttpSettings;

/// Why the program cannot run or go on.
pub struct Failure {
    /// One line that names the thing.
    pub message: String,
    /// Whether it lies in what the user asked for, rather than in the system.
    pub usage: bool,
}

/// The most connections that are planned for when the system sets no limit.
#[cfg(feature = "http")]
const CONNECTIONS: u64 = 1 << 20;

/// Serves until a signal ends it.
///
/// # Errors
/// What cannot be had at start, or the failure of the poller.
pub fn serve(settings: &Settings) -> Result<(), Failure> {
    let raised = gorgon_sys::raise_descriptors();
    let limit = gorgon_sys::descriptors().0;
    let poller = poller(settings.process.poller)?;
    let page_memory = usize::try_from(settings.process.page_memory).unwrap_or(usize::MAX);
    let lp = Loop::new(poller, page_memory).map_err(|error| failure(poller.name(), &error))?;
    let mut reactor =
        Reactor::new(lp, World::default(), largest_read(settings)).map_err(|e| failure("memory", &e))?;
    let mut report = String::new();
    #[cfg(feature = "http")]
    let sockets = add_http(settings, limit, &mut reactor, &mut report)?;
    #[cfg(not(feature = "http"))]
    let sockets = Sockets(Vec::new());
    // HUP and USR1 mean "read the configuration" and "reopen the logs" to those who send them, USR2 "upgrade": there is
    // nothing of that to do yet, and to die of them would be a bad answer. A terminal that hangs up does end it.
    let mut taken = vec![Signal::Terminate, Signal::Interrupt, Signal::Quit, Signal::User1, Signal::User2];
    if !io::stdin().is_terminal() {
        taken.push(Signal::Hangup);
    }
    let signals = Signals::install(&taken);
    let watched = signals.and_then(|signals| reactor.watch_signals(signals));
    watched.map_err(|error| failure("signals", &error.into()))?;
    report.push_str("Descriptors: ");
    push_decimal_str(limit, &mut report);
    match raised {
        Ok((before, after)) if before != after => {
            report.push_str(", raised from ");
            push_decimal_str(before, &mut report);
        }
        Ok(_) => {}
        Err(_) => report.push_str(", which cannot be raised"),
    }
    report.extend(["; poller: ", poller.name(), "\n"]);
    if !settings.process.quiet {
        terminal::say(&report);
    }
    let outcome = run(&mut reactor, settings.process.grace);
    if settings.process.verbose {
        terminal::say(&summary(reactor.lp()));
    }
    drop(sockets);
    outcome
}

/// What was done, for those who want to know at the end.
fn summary(lp: &Loop) -> String {
    let counters = lp.counters();
    let mut text = String::new();
    for (count, what) in [
        (counters.accepted, " connections, "),
        (counters.bytes_received, " bytes in, "),
        (counters.bytes_sent, " bytes out, "),
        (counters.turns, " turns, waited for the disk "),
        (counters.disk_waits, " times, for memory "),
        (counters.page_waits, ", for descriptors "),
        (counters.pauses, "\n"),
    ] {
        push_decimal_str(count, &mut text);
        text.push_str(what);
    }
    text
}

/// Turns the loop until it is done.
fn run(reactor: &mut Reactor<World>, grace: u64) -> Result<(), Failure> {
    loop {
        match reactor.turn().map_err(|error| failure("poller", &error))? {
            Turn::Done => {}
            Turn::Finished => return Ok(()),
            Turn::Signal(Signal::Quit) => reactor.lp().drain(grace),
            Turn::Signal(Signal::Terminate | Signal::Interrupt) => reactor.lp().stop(),
            Turn::Signal(Signal::Hangup | Signal::User1 | Signal::User2 | Signal::Child) => {}
        }
    }
}

/// The poller that was asked for, or the best there is.
fn poller(name: &str) -> Result<PollerKind, Failure> {
    let available = PollerKind::available();
    let found = match name {
        "auto" => available.first().copied(),
        name => PollerKind::from_name(name).filter(|kind| available.contains(kind)),
    };
    found.ok_or_else(|| Failure {
        message: ["--gorgon.poller=", name, ": this system has no such poller"].concat(),
        usage: true,
    })
}

fn largest_read(settings: &Settings) -> usize {
    #[cfg(feature = "http")]
    return settings.http.read_buffer as usize;
    #[cfg(not(feature = "http"))]
    {
        let _ = settings;
        4096
    }
}

/// Adds the HTTP server `main` with its listeners.
#[cfg(feature = "http")]
fn add_http(
    settings: &Settings,
    limit: u64,
    reactor: &mut Reactor<World>,
    report: &mut String,
) -> Result<Sockets, Failure> {
    let mut http = settings.http.clone();
    // A sixteenth of the descriptors is for files, listeners and what else there is.
    let reserve = (limit.min(CONNECTIONS) / 16).clamp(16, 1024);
    let most = limit.min(CONNECTIONS).saturating_sub(reserve).max(1);
    let connections = match u64::from(http.max_connections) {
        0 => most,
        wanted => wanted.min(most),
    };
    let root = http.root.clone();
    let filesystem = filesystem(&mut http)?;
    let number = reactor.world().add_filesystem(filesystem);
    let types = media_types(&http)?;
    let mut router = Router::default();
    router.add(b"", Box::new(FilesHandler::new(&http, number, types, reserve as usize / 2)));
    let limits = HttpService::<World>::limits(&http, connections as usize);
    let (read_size, write_size) = (limits.read_size, limits.write_size);
    let service = reactor.add_service(Box::new(HttpService::new(&http, router)), limits);
    let service = service.map_err(|error| failure("services", &error.into()))?;
    report.extend(["Serving ", &root.to_string_lossy(), "\n"]);
    let mut sockets = Sockets(Vec::new());
    for listen in &settings.listeners {
        for (socket, address) in bind(listen, &options(&http))? {
            if let Address::Unix(path) = &address {
                sockets.0.push((path.clone(), identity(path)));
            }
            push_urls(&address, report);
            let added = reactor.lp().add_listener(socket, service, read_size, write_size);
            added.map_err(|error| failure(&display(&address), &error.into()))?;
        }
    }
    Ok(sockets)
}

/// The directory's filesystem, or that of one file, which then stands for its directory.
#[cfg(feature = "http")]
fn filesystem(http: &mut HttpSettings) -> Result<Box<dyn Filesystem>, Failure> {
    let root = http.root.clone();
    let wrong = |error: io::Error| Failure { usage: true, ..failure(&root.to_string_lossy(), &error) };
    let lost =
        |_| Failure { message: [&*root.to_string_lossy(), ": cannot be opened"].concat(), usage: true };
    let kind = std::fs::metadata(&root).map_err(wrong)?.file_type();
    if kind.is_dir() || kind.is_file() {
        // Says what is wrong in the system's own words.
        std::fs::File::open(&root).map_err(wrong)?;
    }
    if kind.is_dir() {
        let symlinks = match http.symlinks {
            "never" => Symlinks::Never,
            "all" => Symlinks::All,
            _ => Symlinks::Inside,
        };
        return Ok(Box::new(LocalFs::new(&root, symlinks).map_err(lost)?));
    }
    if !kind.is_file() {
        let message = [&*root.to_string_lossy(), ": neither a directory nor a file"].concat();
        return Err(Failure { message, usage: true });
    }
    let single = SingleFile::new(&root).map_err(lost)?;
    http.index = root.file_name().and_then(|name| name.to_str()).map(str::to_owned).into_iter().collect();
    http.hidden = true;
    Ok(Box::new(single))
}

/// The media types built in, and those of the file that was named.
#[cfg(feature = "http")]
fn media_types(http: &HttpSettings) -> Result<MediaTypes, Failure> {
    let mut types = MediaTypes::default();
    if !http.types_file.is_empty() {
        let name = ["--http.main.types_file=", &http.types_file].concat();
        let wrong = |error: io::Error| Failure { usage: true, ..failure(&name, &error) };
        let text = std::fs::read(&http.types_file).map_err(wrong)?;
        if types.load_mime_types(&text).is_err() {
            let message = [name.as_str(), ": expected at most 1 MiB of media types"].concat();
            return Err(Failure { message, usage: true });
        }
    }
    Ok(types)
}

#[cfg(feature = "http")]
fn options(http: &HttpSettings) -> ListenOptions {
    let given = |size: u32| Some(size).filter(|size| *size > 0);
    let seconds = u32::try_from(http.defer_accept.div_ceil(1000)).unwrap_or(u32::MAX);
    ListenOptions {
        backlog: http.backlog,
        defer_accept: given(seconds),
        send_buffer: given(http.send_buffer),
        receive_buffer: given(http.receive_buffer),
    }
}

/// Binds one rule of `listen`: one socket for each address it means.
#[cfg(feature = "http")]
fn bind(listen: &Listen, options: &ListenOptions) -> Result<Vec<(OwnedFd, Address)>, Failure> {
    let both = |v4: Ipv4Addr, v6: Ipv6Addr, port: u16| {
        // A free port of one family may be taken in the other: then another one is tried.
        let mut attempts = if port == 0 { 16 } else { 1 };
        loop {
            attempts -= 1;
            let first = bind_one(&Address::Ip(SocketAddr::new(v4.into(), port)), options);
            let taken = match &first {
                Ok((_, Address::Ip(address))) => address.port(),
                Ok((_, Address::Unix(_))) | Err(_) => port,
            };
            let second = bind_one(&Address::Ip(SocketAddr::new(v6.into(), taken)), options);
            let missing = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL, Errno::PROTONOSUPPORT];
            match (first, second) {
                (Ok(first), Ok(second)) => return Ok(vec![first, second]),
                // A host need not have both families.
                (Ok(only), Err(error)) | (Err(error), Ok(only)) if missing.contains(&error) => {
                    return Ok(vec![only]);
                }
                (Ok(_), Err(Errno::ADDRINUSE)) if attempts > 0 => {}
                (Ok(_), Err(error)) => return Err((error, SocketAddr::new(v6.into(), port))),
                (Err(error), _) => return Err((error, SocketAddr::new(v4.into(), port))),
            }
        }
    };
    let outcome = match listen {
        Listen::Any { port } => both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED, *port),
        Listen::Localhost { port } => both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST, *port),
        Listen::Ip(address) => {
            bind_one(&Address::Ip(*address), options).map(|one| vec![one]).map_err(|error| (error, *address))
        }
        Listen::Unix(path) => {
            let address = Address::Unix(path.clone());
            return match bind_one(&address, options) {
                Ok(one) => Ok(vec![one]),
                Err(error) => Err(cannot_listen(&display(&address), error)),
            };
        }
    };
    outcome.map_err(|(error, address)| cannot_listen(&address.to_string(), error))
}

#[cfg(feature = "http")]
fn bind_one(address: &Address, options: &ListenOptions) -> Result<(OwnedFd, Address), Errno> {
    let socket = gorgon_sys::listen(address, options)?;
    let address = match address {
        Address::Ip(_) => gorgon_sys::local_address(socket.as_fd())?,
        Address::Unix(_) => address.clone(),
    };
    Ok((socket, address))
}

#[cfg(feature = "http")]
fn cannot_listen(address: &str, error: Errno) -> Failure {
    Failure { usage: true, ..failure(&["cannot listen on ", address].concat(), &error.into()) }
}

/// The URLs that an address answers on.
#[cfg(feature = "http")]
fn push_urls(address: &Address, report: &mut String) {
    let Address::Ip(bound) = address else {
        report.extend(["  ", &display(address), "\n"]);
        return;
    };
    let hosts = if bound.ip().is_unspecified() {
        let mut hosts = gorgon_sys::interface_addresses();
        hosts.retain(|host| host.is_ipv4() == bound.is_ipv4());
        // Loopback first, and not pages of them on a host with many.
        if let Some(loopback) = hosts.iter().position(|host| host.is_loopback()) {
            hosts.swap(0, loopback);
        }
        hosts.truncate(8);
        if hosts.is_empty() { vec![bound.ip()] } else { hosts }
    } else {
        vec![bound.ip()]
    };
    for host in hosts {
        let shown = SocketAddr::new(host, bound.port()).to_string();
        let shown = shown.strip_suffix(":80").unwrap_or(&shown);
        report.extend(["  http://", shown, "/\n"]);
    }
}

#[cfg(feature = "http")]
fn display(address: &Address) -> String {
    match address {
        Address::Ip(address) => address.to_string(),
        Address::Unix(path) => ["unix:", &*path.to_string_lossy()].concat(),
    }
}

/// Names the thing, then says what the system said of it.
fn failure(thing: &str, error: &io::Error) -> Failure {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Failure { message: [thing, ": ", text].concat(), usage: false }
}

/// The paths of Unix sockets, and what lay there when they were ours: removed when the program ends, unless something
/// else lies there by then, such as the socket of a successor.
struct Sockets(Vec<(PathBuf, Option<Identity>)>);

/// Device, inode and time of making. The inode alone may be given to the next file.
type Identity = (u64, u64, i64, i64);

/// What lies at a path, if it is a socket.
fn identity(path: &Path) -> Option<Identity> {
    let data = std::fs::symlink_metadata(path).ok()?;
    data.file_type().is_socket().then(|| (data.dev(), data.ino(), data.mtime(), data.mtime_nsec()))
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for (path, ours) in &self.0 {
            if ours.is_some() && identity(path) == *ours {
                // Somebody may remove it meanwhile: then there is nothing to do.
                let _gone = std::fs::remove_file(path);
            }
        }
    }
}
