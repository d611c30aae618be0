//! Puts the HTTP server together: its filesystem, its handlers in their order, its listeners.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use core::str::from_utf8;

use gorgon_sys::{Address, Errno, FileKind, OwnedFd, open_file, read_file, real_path, stat_link, stat_path};

use super::listeners::{Socket, bind, display, options, push_urls};
use super::privileges::{Place, Reach, Served};
use super::{Failure, failure, uploads};
use crate::cli::process::Level;
use crate::cli::terminal;
use crate::config::settings::{HttpServer, Settings};
use crate::engine::log::{Log, LogOptions};
use crate::engine::{Buffers, Reactor};
use crate::fs::media::{MIME_TYPES_LIMIT, MediaTypes};
use crate::fs::{Filesystem, LocalFs, SingleFile, Symlinks, VPath};
use crate::http::handlers::auth::AuthHandler;
use crate::http::handlers::files::FilesHandler;
use crate::http::handlers::upload::UploadHandler;
use crate::http::logins::Logins;
use crate::http::router::Router;
use crate::http::service::passwords::Passwords;
use crate::http::service::{AccessLog, HttpService};
use crate::http::settings::HttpSettings;
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
    let uploads = settings.servers.iter().any(|server| !server.settings.upload.is_empty());
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
    let root = http.root.clone();
    let (filesystem, reach) = filesystem(&mut http)?;
    served.reaches.push(reach);
    let number = reactor.world().add_filesystem(filesystem);
    let types = media_types(&server.name, &http)?;
    let mut router = Router::default();
    report.extend(["Serving ", &String::from_utf8_lossy(&root), "\n"]);
    if !http.auth_file.is_empty() {
        let logins = logins(&http, reactor.world(), served)?;
        router.add(b"", Box::new(AuthHandler::new(&http, logins)));
    }
    let mut files = FilesHandler::new(&http, number, types, share.files as usize / 2);
    if let Some(area) = uploads::find(&http, number)? {
        report.extend(["Uploads to ", &area.name, "\n"]);
        files.set_uploads(area.uploads.clone());
        let handler = UploadHandler::new(&http, number, area.uploads.clone(), share.files as usize);
        router.add(area.uploads.area(), Box::new(handler));
        served.areas.push(area);
    }
    router.add(b"", Box::new(files));
    let level = share.level;
    if level >= Level::Debug && http.access_log.is_empty() {
        http.access_log.push('-');
    }
    let access = access_log(&http, level, reactor.world(), served)?;
    let mut limits = HttpService::<World>::limits(&http, connections as usize);
    limits.addresses = access.is_some() || !http.auth_file.is_empty();
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
            return Err(wrong(message.to_owned()));
        }
        None => {
            let number = world.add_log(open_log(http, target, options, level, served)?);
            served.access_logs.push((http.access_log.clone(), number, options));
            number
        }
    };
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
fn open_parent(path: &[u8]) -> Option<OwnedFd> {
    gorgon_sys::privilege::open_to_name(file_path::parent(path)).ok()
}

/// The number of the logins by the server's file of users; with the first server of each file comes the service that
/// checks its passwords, before its helper process is started.
fn logins(http: &HttpSettings, world: &mut World, served: &mut Served) -> Result<usize, Failure> {
    let file = http.auth_file.as_bytes();
    if is_served(file, http) {
        let why = ": lies in what is served, where each user could read the hashes of all; keep it elsewhere";
        return Err(wrong_passwords(&[&http.auth_file, why].concat()));
    }
    if let Some((_, number)) = served.users.iter().find(|(name, _)| *name == http.auth_file) {
        return Ok(*number);
    }
    served.reads.extend(open_parent(file));
    let (mut one, mut two) = ([0; 8], [0; 8]);
    let made = gorgon_sys::fill_random(&mut one).and_then(|()| gorgon_sys::fill_random(&mut two));
    made.map_err(|error| failure("random numbers", error))?;
    let number = world.add_logins(Logins::new((u64::from_ne_bytes(one), u64::from_ne_bytes(two))));
    let passwords = Passwords::new(&http.auth_file, number).map_err(|message| wrong_passwords(&message))?;
    served.passwords.push(passwords);
    served.users.push((http.auth_file.clone(), number));
    Ok(number)
}

/// Whether a file can be asked for by its own name. What a link of another name makes of it is not looked for.
fn is_served(file: &[u8], http: &HttpSettings) -> bool {
    let Ok(root) = real_path(&http.root) else { return false };
    let Some((_, path)) = uploads::beneath(file, &root) else { return false };
    VPath::new(&path).is_ok_and(|path| http.hidden || !path.is_hidden())
}

fn wrong_passwords(message: &str) -> Failure {
    Failure { message: ["--auth-file: ", message].concat(), usage: true }
}

/// Adds the service that checks passwords, and starts its helper process.
pub(super) fn add_passwords(mut passwords: Passwords, reactor: &mut Reactor<World>) -> Result<(), Failure> {
    let socket = passwords.start().map_err(|message| wrong_passwords(&message))?;
    let service = reactor.add_service(Box::new(passwords), Passwords::limits());
    let adopted = service.and_then(|service| reactor.lp().adopt(socket, service));
    adopted.map_err(|error| failure("services", error))?;
    Ok(())
}

/// The directory's filesystem, or that of one file, which then stands for its directory.
fn filesystem(http: &mut HttpSettings) -> Result<(Box<dyn Filesystem>, Reach), Failure> {
    let root = http.root.clone();
    let wrong = |error: Errno| Failure { usage: true, ..failure(&String::from_utf8_lossy(&root), error) };
    let lost = |_| Failure {
        message: [&*String::from_utf8_lossy(&root), ": cannot be opened"].concat(),
        usage: true,
    };
    let kind = stat_path(&root).map_err(wrong)?.kind;
    if matches!(kind, FileKind::Directory | FileKind::File) {
        // Says what is wrong in the system's own words.
        open_file(&root).map_err(wrong)?;
    }
    if kind == FileKind::Directory {
        let symlinks = match http.symlinks {
            "never" => Symlinks::Never,
            "all" => Symlinks::All,
            _ => Symlinks::Inside,
        };
        let local = LocalFs::new(&root, symlinks).map_err(lost)?;
        return Ok((
            Box::new(local),
            Reach { name: shown(&root), asked: shown(&root), everywhere: symlinks == Symlinks::All },
        ));
    }
    if kind != FileKind::File {
        let message = [&*String::from_utf8_lossy(&root), ": neither a directory nor a file"].concat();
        return Err(Failure { message, usage: true });
    }
    let single = SingleFile::new(&root).map_err(lost)?;
    http.index = file_path::file_name(&root)
        .and_then(|name| from_utf8(name).ok())
        .map(str::to_owned)
        .into_iter()
        .collect();
    http.hidden = true;
    // A link may be made to lead elsewhere at any time.
    let everywhere = stat_link(&root).is_ok_and(|found| found.kind == FileKind::Symlink);
    let name = match shown(&root).rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
        None => ".".to_owned(),
    };
    Ok((Box::new(single), Reach { name, asked: shown(&root), everywhere }))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The media types built in, and those of the file that was named.
fn media_types(server: &str, http: &HttpSettings) -> Result<MediaTypes, Failure> {
    let mut types = MediaTypes::default();
    if !http.types_file.is_empty() {
        let name = ["--http.", server, ".types_file=", &http.types_file].concat();
        let wrong = |error: Errno| Failure { usage: true, ..failure(&name, error) };
        let text = read_file(&http.types_file, MIME_TYPES_LIMIT + 1).map_err(wrong)?;
        if types.load_mime_types(&text).is_err() {
            let message = [name.as_str(), ": expected at most 1 MiB of media types"].concat();
            return Err(Failure { message, usage: true });
        }
    }
    Ok(types)
}
