//! Puts the program together from its settings, and runs it: the only place that names every protocol.

use std::io::{self, IsTerminal};

#[cfg(feature = "http")]
use gorgon_sys::Address;
use gorgon_sys::{PollerKind, Signal, Signals};

use crate::cli::arguments::Settings;
use crate::cli::process::Level;
use crate::cli::terminal;
#[cfg(feature = "http")]
use crate::engine::log::{Log, LogOptions};
use crate::engine::{Loop, Reactor, Turn};
#[cfg(feature = "http")]
use crate::text::log_line;
#[cfg(feature = "http")]
use crate::text::log_target::LogTarget;
use crate::text::number::push_decimal_str;
use crate::world::World;

#[cfg(feature = "http")]
use crate::fs::media::MediaTypes;
#[cfg(feature = "http")]
use crate::fs::{Filesystem, LocalFs, SingleFile, Symlinks};
#[cfg(feature = "http")]
use crate::http::handlers::files::FilesHandler;
#[cfg(feature = "http")]
use crate::http::handlers::upload::UploadHandler;
#[cfg(feature = "http")]
use crate::http::router::Router;
#[cfg(feature = "http")]
use crate::http::service::{AccessLog, HttpService};
#[cfg(feature = "http")]
use crate::http::settings::HttpSettings;

#[cfg(feature = "http")]
mod listeners;
#[cfg(feature = "http")]
mod uploads;
#[cfg(feature = "http")]
use listeners::{Sockets, bind, display, identity, options, push_urls};
#[cfg(feature = "http")]
use uploads::uploads;

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
    let sockets: Vec<()> = Vec::new();
    // HUP means "read the configuration" to those who send it, USR2 "upgrade": there is nothing of that to do yet, and
    // to die of them would be a bad answer. A terminal that hangs up does end it.
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
    let level = settings.process.level();
    if level >= Level::Info {
        terminal::report(&report);
    }
    let outcome = run(&mut reactor, settings.process.grace);
    let now = reactor.lp().now();
    reactor.world().finish_logs(now);
    if level >= Level::Debug {
        terminal::report(&summary(reactor.lp()));
    }
    drop(sockets);
    // A signal that comes now is taken as those before it were, and changes nothing: were the handlers dropped here, it
    // would end the process in another way than the one before it.
    std::mem::forget(reactor);
    outcome
}

/// What was done, for those who want to know at the end.
fn summary(lp: &Loop) -> String {
    let counters = lp.counters();
    let mut text = String::new();
    for (count, what) in [
        (counters.accepted, " connections, "),
        (counters.refused, " refused, "),
        (counters.bytes_received, " bytes in, "),
        (counters.bytes_sent, " bytes out, "),
        (counters.turns, " turns, waited for the disk "),
        (counters.disk_waits, " times, for descriptors "),
        (counters.pauses, " times, for memory "),
        (counters.page_waits, "\n"),
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
            Turn::Signal(Signal::User1) => {
                let now = reactor.lp().now();
                reactor.world().reopen_logs(now);
            }
            Turn::Signal(Signal::Hangup | Signal::User2 | Signal::Child) => {}
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
    // An upload takes two: the file and its directory.
    let for_uploads = if http.upload.is_empty() { 0 } else { reserve };
    let most = limit.min(CONNECTIONS).saturating_sub(reserve + for_uploads).max(1);
    let connections = match u64::from(http.max_connections) {
        0 => most,
        wanted => wanted.min(most),
    };
    let root = http.root.clone();
    let filesystem = filesystem(&mut http)?;
    let uploads = uploads(&http, filesystem.as_ref())?;
    let number = reactor.world().add_filesystem(filesystem);
    let types = media_types(&http)?;
    let mut router = Router::default();
    let mut files = FilesHandler::new(&http, number, types, reserve as usize / 2);
    report.extend(["Serving ", &root.to_string_lossy(), "\n"]);
    if let Some((uploads, line)) = uploads {
        report.push_str(&line);
        files.set_uploads(uploads.clone());
        let area = uploads.area().to_vec();
        router.add(&area, Box::new(UploadHandler::new(&http, number, uploads, for_uploads as usize)));
    }
    router.add(b"", Box::new(files));
    let level = settings.process.level();
    if level >= Level::Debug && http.access_log.is_empty() {
        http.access_log.push('-');
    }
    let access = access_log(&http, level, reactor.world())?;
    let mut limits = HttpService::<World>::limits(&http, connections as usize);
    limits.addresses = access.is_some();
    reactor.lp().keep_refused(reserve as usize / 4);
    let (read_size, write_size) = (limits.read_size, limits.write_size);
    let mut service = Box::new(HttpService::new(&http, router));
    if let Some(access) = access {
        service.set_access_log(access);
    }
    let service = reactor.add_service(service, limits);
    let service = service.map_err(|error| failure("services", &error.into()))?;
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

/// The access log, opened.
#[cfg(feature = "http")]
fn access_log(http: &HttpSettings, level: Level, world: &mut World) -> Result<Option<AccessLog>, Failure> {
    let wrong = |message: String| Failure {
        message: ["--access-log ", &http.access_log, ": ", &message].concat(),
        usage: true,
    };
    let Some(target) = LogTarget::parse(&http.access_log).map_err(wrong)? else { return Ok(None) };
    let form = log_line::Form::named(http.access_log_format);
    let limit = match &target {
        LogTarget::Unix(_) | LogTarget::Udp(_) => log_line::SHORT_FIELD,
        LogTarget::Output | LogTarget::File(_) => log_line::FIELD,
    };
    let options = LogOptions {
        size: http.access_log_size,
        keep: http.access_log_keep,
        json: form == log_line::Form::Json,
        warns: level >= Level::Warn,
    };
    let log = Log::open(target, options).map_err(|error| Failure {
        usage: true,
        ..failure(&["--access-log ", &http.access_log].concat(), &error.into())
    })?;
    // The zone's file is read now, while it can be.
    gorgon_sys::local_offset(0);
    Ok(Some(AccessLog::new(world.add_log(log), form, limit)))
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

/// Names the thing, then says what the system said of it.
fn failure(thing: &str, error: &io::Error) -> Failure {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Failure { message: [thing, ": ", text].concat(), usage: false }
}
