//! Puts the HTTP server together: its filesystem, its handlers in their order, its listeners.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use gorgon_sys::{Errno, OwnedFd};

use super::handlers;
use super::privileges::{Place, Served};
use super::roots::is_served;
use super::{Failure, failure};
use crate::cli::process::Level;
use crate::cli::terminal;
use crate::config::settings::Settings;
use crate::engine::Reactor;
use crate::engine::log::{Log, LogOptions, Logs};
use crate::http::service::AccessLog;
use crate::http::service::passwords::Passwords;
use crate::http::settings::{HTTP, HttpSettings};
use crate::text::join::joined;
use crate::text::log_target::LogTarget;
use crate::text::{file_path, log_line};
use crate::world::World;

/// The most connections that are planned for when the system sets no limit.
const CONNECTIONS: u64 = 1 << 20;

/// What one server may take of what all have.
pub(super) struct Share {
    /// The most connections; they share them.
    connections: u64,
    /// The descriptors for files, and as many again for uploads.
    pub(super) files: usize,
    pub(super) level: Level,
}

impl Share {
    /// The share of each server of these settings, `limit` being that of descriptors.
    pub(super) fn new(settings: &Settings, limit: u64) -> Share {
        // A sixteenth of the descriptors is for files, listeners and what else there is; an upload takes two, the file
        // and its directory.
        let reserve = (limit.min(CONNECTIONS) / 16).clamp(16, 1024);
        let servers = settings.servers.len().max(1) as u64;
        let uploads = settings.servers.iter().any(|server| {
            let handlers = server.handlers.iter().any(|handler| handler.settings.kind == "upload");
            handlers || !server.settings.upload.is_empty()
        });
        let reserved = if uploads { 2 * reserve } else { reserve };
        Share {
            connections: limit.min(CONNECTIONS).saturating_sub(reserved).max(1),
            files: (reserve / servers).max(4) as usize,
            level: settings.process.level(),
        }
    }

    /// The most connections of a server.
    pub(super) fn connections_of(&self, http: &HttpSettings) -> usize {
        let most = match u64::from(http.max_connections) {
            0 => self.connections,
            wanted => wanted.min(self.connections),
        };
        most as usize
    }
}

/// The attributes that make an access log.
const OF_LOGS: &[&str] = &["access_log", "access_log_format", "access_log_size", "access_log_keep"];

/// Whether two servers write the same access log in the same way.
pub(super) fn has_same_log(
    (one, before): (&HttpSettings, Level),
    (other, level): (&HttpSettings, Level),
) -> bool {
    // One that is not named is there for who wants to hear all.
    let turned = other.access_log.is_empty() && (before >= Level::Debug) != (level >= Level::Debug);
    !turned
        && OF_LOGS
            .iter()
            .filter_map(|name| HTTP.find(name))
            .all(|attribute| (attribute.get)(one) == (attribute.get)(other))
}

/// The access log, opened.
pub(super) fn access_log(
    (server, http): (&str, &HttpSettings),
    level: Level,
    world: &mut World,
    served: &mut Served,
) -> Result<Option<AccessLog>, Box<Failure>> {
    let place = served.place(&joined(&["http:", server]), "access_log");
    let asked = [&*place, &http.access_log].concat();
    let wrong = |message: String| {
        Box::new(Failure { message: joined(&[&*asked, ": ", &message]), usage: true, error: None })
    };
    // Who wants to hear all hears of each request.
    let name = if level >= Level::Debug && http.access_log.is_empty() { "-" } else { &http.access_log };
    let Some(target) = LogTarget::parse(name).map_err(wrong)? else { return Ok(None) };
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
    served.access_logs.retain(|(_, number, _)| world.log(*number).is_some());
    let known = served.access_logs.iter().find(|(other, ..)| other == name);
    let number = match known {
        // How much is said may have been another when it was opened.
        Some((_, number, opened)) if *opened == LogOptions { warns: opened.warns, ..options } => *number,
        Some(_) => {
            let message = "another server writes it with another access_log_size, _keep or _format";
            return Err(wrong(message.to_string()));
        }
        None => {
            let number = world.add_log(open_log((&asked, http), target, options, level, served)?);
            // The number may have been another's that is gone.
            served.access_logs.retain(|(_, other, _)| *other != number);
            served.access_logs.push((name.to_string(), number, options));
            return Ok(Some(AccessLog::new(number, form, limit)));
        }
    };
    world.share_log(number);
    Ok(Some(AccessLog::new(number, form, limit)))
}

fn open_log(
    (asked, http): (&str, &HttpSettings),
    target: LogTarget,
    options: LogOptions,
    level: Level,
    served: &mut Served,
) -> Result<Log, Box<Failure>> {
    if let LogTarget::File(path) = &target {
        if is_served(path, &http.root, http.hidden) && level >= Level::Warn {
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
    let log = Log::open(target, options)
        .map_err(|error| Box::new(Failure { usage: true, ..*failure(asked, error) }))?;
    // The zone's file is read now, while it can be.
    gorgon_sys::local_offset(0);
    Ok(log)
}

/// The directory a file lies in.
pub(super) fn open_parent(path: &[u8]) -> Option<OwnedFd> {
    gorgon_sys::privilege::open_to_name(file_path::parent(path)).ok()
}

/// The loop cannot have another service.
pub(super) fn no_service(error: Errno) -> Box<Failure> {
    let mut failure = failure("services", error);
    if error == Errno::NOSPC {
        let most = "there are 255 servers, monitors and files of users, those counted that still end: that is the most";
        failure.message = most.to_string();
    }
    failure
}

/// Adds the service that checks passwords, and starts its helper process; gives its number.
pub(super) fn add_passwords(passwords: Passwords, reactor: &mut Reactor<World>) -> Result<u8, Box<Failure>> {
    let number = reactor.add_service(Box::new(passwords), Passwords::limits()).map_err(no_service)?;
    let outcome = start_passwords(number, reactor);
    if outcome.is_err() {
        // It sees to its helper, should that be there.
        reactor.remove_service(number);
    }
    outcome.map(|()| number)
}

fn start_passwords(number: u8, reactor: &mut Reactor<World>) -> Result<(), Box<Failure>> {
    let service = reactor.service(number).and_then(|service| service.as_any());
    let Some(passwords) = service.and_then(|any| any.downcast_mut::<Passwords>()) else { return Ok(()) };
    let started = passwords.start();
    let socket = started.map_err(|message| handlers::wrong_passwords(&["auth_file: ", &message]))?;
    reactor.lp().adopt(socket, number).map_err(no_service)?;
    Ok(())
}
