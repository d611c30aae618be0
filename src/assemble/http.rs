//! Puts the HTTP server together: its filesystem, its handlers in their order, its listeners.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use core::str::from_utf8;

use gorgon_sys::{Address, Errno, FileKind, OwnedFd, open_file, read_file, real_path, stat_link, stat_path};

use super::listeners::{Socket, bind, display, options, push_urls};
use super::privileges::{Place, Reach, Served};
use super::{Failure, failure, uploads};
use crate::cli::arguments::Settings;
use crate::cli::process::Level;
use crate::cli::terminal;
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

/// Adds the HTTP server `main` with its listeners.
pub(super) fn add(
    settings: &Settings,
    limit: u64,
    reactor: &mut Reactor<World>,
    served: &mut Served,
    report: &mut String,
) -> Result<(), Failure> {
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
    let (filesystem, reach) = filesystem(&mut http)?;
    served.reaches.push(reach);
    let number = reactor.world().add_filesystem(filesystem);
    let types = media_types(&http)?;
    let mut router = Router::default();
    report.extend(["Serving ", &String::from_utf8_lossy(&root), "\n"]);
    if !http.auth_file.is_empty() {
        let passwords = passwords(&http, served, reactor.world())?;
        router.add(b"", Box::new(AuthHandler::new(&http, passwords.logins())));
        served.passwords.push(passwords);
    }
    let mut files = FilesHandler::new(&http, number, types, reserve as usize / 2);
    if let Some(area) = uploads::find(&http, number)? {
        report.extend(["Uploads to ", &area.name, "\n"]);
        files.set_uploads(area.uploads.clone());
        let handler = UploadHandler::new(&http, number, area.uploads.clone(), for_uploads as usize);
        router.add(area.uploads.area(), Box::new(handler));
        served.areas.push(area);
    }
    router.add(b"", Box::new(files));
    let level = settings.process.level();
    if level >= Level::Debug && http.access_log.is_empty() {
        http.access_log.push('-');
    }
    let access = access_log(&http, level, reactor.world(), served)?;
    let mut limits = HttpService::<World>::limits(&http, connections as usize);
    limits.addresses = access.is_some() || !http.auth_file.is_empty();
    reactor.lp().keep_refused(reserve as usize / 4);
    let buffers = Buffers::fixed(limits.read_size, limits.write_size);
    let mut service = Box::new(HttpService::new(&http, router));
    if let Some(access) = access {
        service.set_access_log(access);
    }
    let service = reactor.add_service(service, limits);
    let service = service.map_err(|error| failure("services", error))?;
    for listen in &settings.listeners {
        for (socket, address) in bind(listen, &options(&http))? {
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
    let options = LogOptions {
        size: http.access_log_size,
        keep: http.access_log_keep,
        json: form == log_line::Form::Json,
        warns: level >= Level::Warn,
    };
    let log = Log::open(target, options).map_err(|error| Failure {
        usage: true,
        ..failure(&["--access-log ", &http.access_log].concat(), error)
    })?;
    // The zone's file is read now, while it can be.
    gorgon_sys::local_offset(0);
    Ok(Some(AccessLog::new(world.add_log(log), form, limit)))
}

/// The directory a file lies in.
fn open_parent(path: &[u8]) -> Option<OwnedFd> {
    gorgon_sys::privilege::open_to_name(file_path::parent(path)).ok()
}

/// The service that checks passwords, before its helper process is started.
fn passwords(http: &HttpSettings, served: &mut Served, world: &mut World) -> Result<Passwords, Failure> {
    let file = http.auth_file.as_bytes();
    if is_served(file, http) {
        let why = ": lies in what is served, where each user could read the hashes of all; keep it elsewhere";
        return Err(wrong_passwords(&[&http.auth_file, why].concat()));
    }
    served.reads.extend(open_parent(file));
    let (mut one, mut two) = ([0; 8], [0; 8]);
    let made = gorgon_sys::fill_random(&mut one).and_then(|()| gorgon_sys::fill_random(&mut two));
    made.map_err(|error| failure("random numbers", error))?;
    let logins = world.add_logins(Logins::new((u64::from_ne_bytes(one), u64::from_ne_bytes(two))));
    Passwords::new(&http.auth_file, logins).map_err(|message| wrong_passwords(&message))
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
fn media_types(http: &HttpSettings) -> Result<MediaTypes, Failure> {
    let mut types = MediaTypes::default();
    if !http.types_file.is_empty() {
        let name = ["--http.main.types_file=", &http.types_file].concat();
        let wrong = |error: Errno| Failure { usage: true, ..failure(&name, error) };
        let text = read_file(&http.types_file, MIME_TYPES_LIMIT + 1).map_err(wrong)?;
        if types.load_mime_types(&text).is_err() {
            let message = [name.as_str(), ": expected at most 1 MiB of media types"].concat();
            return Err(Failure { message, usage: true });
        }
    }
    Ok(types)
}
