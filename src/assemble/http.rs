//! Puts the HTTP server together: its filesystem, its handlers in their order, its listeners.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use gorgon_sys::{Address, OwnedFd};

use super::handlers::{self, Ground, Recipe};
use super::listeners::{Socket, bind, display, options, push_urls};
use super::privileges::{Place, Served};
use super::roots::is_served;
use super::{Failure, failure};
use crate::cli::process::Level;
use crate::cli::terminal;
use crate::config::settings::{HttpServer, Settings};
use crate::engine::log::{Log, LogOptions};
use crate::engine::{Buffers, Reactor};
use crate::http::service::passwords::Passwords;
use crate::http::service::{AccessLog, HttpService};
use crate::http::settings::HttpSettings;
use crate::http::settings::handler::HandlerSettings;
use crate::text::log_target::LogTarget;
use crate::text::{file_path, log_line};
use crate::world::World;

/// The most connections that are planned for when the system sets no limit.
const CONNECTIONS: u64 = 1 << 20;

/// Adds every HTTP server with its listeners.
pub(super) fn add_all(
    settings: &Settings,
    limit: u64,
    reactor: &mut Reactor<World>,
    served: &mut Served,
    report: &mut String,
) -> Result<(), Failure> {
    // A sixteenth of the descriptors is for files, listeners and what else there is; an upload takes two, the file and
    // its directory.
    let reserve = (limit.min(CONNECTIONS) / 16).clamp(16, 1024);
    let servers = settings.servers.len().max(1) as u64;
    let uploads = settings.servers.iter().any(|server| {
        let handlers = server.handlers.iter().any(|handler| handler.settings.kind == "upload");
        handlers || !server.settings.upload.is_empty()
    });
    let most = limit.min(CONNECTIONS).saturating_sub(if uploads { 2 * reserve } else { reserve }).max(1);
    let share =
        Share { connections: most, files: (reserve / servers).max(4), level: settings.process.level() };
    reactor.lp().keep_refused(reserve as usize / 4);
    for server in &settings.servers {
        add(server, &share, reactor, served, report)?;
    }
    Ok(())
}

/// What one server may take of what all have.
struct Share {
    /// The most connections; they share them.
    connections: u64,
    /// The descriptors for files, and as many again for uploads.
    files: u64,
    level: Level,
}

/// Adds one HTTP server with its listeners.
fn add(
    server: &HttpServer,
    share: &Share,
    reactor: &mut Reactor<World>,
    served: &mut Served,
    report: &mut String,
) -> Result<(), Failure> {
    let mut http = server.settings.clone();
    let connections = match u64::from(http.max_connections) {
        0 => share.connections,
        wanted => wanted.min(share.connections),
    };
    let handlers: Vec<(&str, &HandlerSettings)> =
        server.handlers.iter().map(|handler| (&*handler.name, &handler.settings)).collect();
    let mut ground = Ground {
        server: &server.name,
        world: reactor.world(),
        served: &mut *served,
        report,
        files: share.files as usize / 2,
        uploads: share.files as usize,
    };
    let router = handlers::build(&http, &handlers, &Recipe::default(), &mut ground)?.router;
    let level = share.level;
    if level >= Level::Debug && http.access_log.is_empty() {
        http.access_log.push('-');
    }
    let access = access_log(&http, level, reactor.world(), served)?;
    let mut limits = HttpService::<World>::limits(&http, connections as usize);
    limits.addresses = access.is_some() || router.wants_addresses();
    let mut service = Box::new(HttpService::new(&http, router));
    if let Some(access) = access {
        service.set_access_log(access);
    }
    let service = reactor.add_service(service, limits);
    let service = service.map_err(|error| failure("services", error))?;
    for rule in &server.listeners {
        let buffers = Buffers {
            read: rule.read_buffer.unwrap_or(http.read_buffer),
            write: rule.write_buffer.unwrap_or(http.write_buffer),
        };
        for (socket, address) in bind(&rule.listen, &options(&http, rule))? {
            if let Address::Unix(path) = &address {
                served.sockets.0.extend(Socket::find(path));
            }
            push_urls(&address, report);
            let added = reactor.lp().add_listener(socket, service, buffers);
            added.map_err(|error| failure(&display(&address), error))?;
        }
    }
    Ok(())
}

/// The access log, opened.
fn access_log(
    http: &HttpSettings,
    level: Level,
    world: &mut World,
    served: &mut Served,
) -> Result<Option<AccessLog>, Failure> {
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
    // Servers that write the same log write it together: two that rotate it would each undo what the other did.
    let known = served.access_logs.iter().find(|(name, ..)| *name == http.access_log);
    let number = match known {
        Some((_, number, opened)) if *opened == options => *number,
        Some(_) => {
            let message = "another server writes it with another access_log_size, _keep or _format";
            return Err(wrong(message.to_string()));
        }
        None => {
            let number = world.add_log(open_log(http, target, options, level, served)?);
            served.access_logs.push((http.access_log.clone(), number, options));
            return Ok(Some(AccessLog::new(number, form, limit)));
        }
    };
    world.share_log(number);
    Ok(Some(AccessLog::new(number, form, limit)))
}

fn open_log(
    http: &HttpSettings,
    target: LogTarget,
    options: LogOptions,
    level: Level,
    served: &mut Served,
) -> Result<Log, Failure> {
    if let LogTarget::File(path) = &target {
        if is_served(path, http) && level >= Level::Warn {
            let text = [
                "gorgon: warning: ",
                &http.access_log,
                " lies in what is served, where anybody can read it\n",
            ];
            terminal::complain(&text.concat());
        }
        let place = |directory| Place { path: String::from_utf8_lossy(path).into_owned(), directory };
        served.logs.extend(open_parent(path).map(place));
    }
    let log = Log::open(target, options).map_err(|error| Failure {
        usage: true,
        ..failure(&["--access-log ", &http.access_log].concat(), error)
    })?;
    // The zone's file is read now, while it can be.
    gorgon_sys::local_offset(0);
    Ok(log)
}

/// The directory a file lies in.
pub(super) fn open_parent(path: &[u8]) -> Option<OwnedFd> {
    gorgon_sys::privilege::open_to_name(file_path::parent(path)).ok()
}

/// Adds the service that checks passwords, and starts its helper process.
pub(super) fn add_passwords(mut passwords: Passwords, reactor: &mut Reactor<World>) -> Result<(), Failure> {
    let socket = passwords.start().map_err(|message| handlers::wrong_passwords(&message))?;
    let service = reactor.add_service(Box::new(passwords), Passwords::limits());
    let adopted = service.and_then(|service| reactor.lp().adopt(socket, service));
    adopted.map_err(|error| failure("services", error))?;
    Ok(())
}
