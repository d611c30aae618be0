//! Whether what a configuration names is there: what can be looked at without any effect, for `gorgon check` and for the
//! running program, which it may not hold up: nothing is opened that waits, and of files only what is small is read.
//! What the program would be refused at its start is wrong; what may not be looked at by who checks is a warning, for the
//! program may run as another.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "monitor")]
use gorgon_sys::real_path;
use gorgon_sys::{Errno, FileKind, describe, open_file, privilege, stat_path};

use super::privileges::{CLOSED, UNREADABLE, read};
use super::roots::{WITHIN, filesystem, is_served, media_types};
use super::uploads::UNWRITABLE;
use super::{Failure, uploads};
use crate::cli::user::User;
use crate::config::kind::NodeKind;
use crate::config::load::Loaded;
use crate::config::problems::Problems;
use crate::config::settings::{HttpServer, Settings};
use crate::config::source::Origin;
use crate::http::service::passwords::{OTHERS, Passwords};
use crate::http::settings::HttpSettings;
use crate::text::file_path::parent;
use crate::text::join::joined;
use crate::text::log_target::LogTarget;

/// Looks at all that is named. A program that runs has given rights away: what it uses already, by the settings
/// `running`, is not told for want of them.
#[must_use]
pub fn look(loaded: &Loaded, running: Option<&Settings>) -> Problems {
    let mut look = Look { loaded, running, problems: Problems::default(), becomes: None };
    let user = look.process();
    look.becomes = user.clone().filter(|_| running.is_none() && privilege::identity().0 == 0);
    for server in loaded.settings.servers.iter().filter(|server| server.settings.enabled) {
        look.server(server);
    }
    #[cfg(feature = "monitor")]
    look.monitors(user);
    #[cfg(not(feature = "monitor"))]
    let _ = user;
    look.problems
}

/// What is wanted of a file or directory: to read it; to make files in it; to find what is in it.
const READ: u32 = 4;
const MAKE: u32 = 3;
const FIND: u32 = 1;

/// Whether a user may do that with what is there, as far as permission bits tell.
fn may(path: &[u8], user: &User, wanted: u32) -> bool {
    stat_path(path).is_ok_and(|found| {
        let shift = match () {
            () if found.user == user.user => 6,
            () if user.groups.contains(&found.group) => 3,
            () => 0,
        };
        // To open a directory it has to be searched as well.
        let wanted = if found.kind == FileKind::Directory { wanted | FIND } else { wanted };
        user.user == 0 || found.mode >> shift & wanted == wanted
    })
}

/// Whether a user may read a file, and find it.
#[cfg(feature = "monitor")]
fn may_read(path: &[u8], user: &User) -> bool {
    let Ok(path) = real_path(path) else { return false };
    let mut above = &*path;
    while above.len() > 1 {
        above = parent(above);
        if !may(above, user, FIND) {
            return false;
        }
    }
    may(&path, user, READ)
}

struct Look<'l> {
    loaded: &'l Loaded,
    running: Option<&'l Settings>,
    problems: Problems,
    /// Whom the program would become, if it does not run yet and who looks is root: only root becomes another.
    becomes: Option<User>,
}

/// A node, by its kind and name, and one of its keys.
type Key<'k> = (NodeKind, &'k str, &'k str);

impl Look<'_> {
    /// Tells what is wrong with a value, where that stands; of a message that names the value itself there is none.
    fn tell(&mut self, (kind, name, key): Key<'_>, value: &str, message: &str) {
        let source = &self.loaded.source;
        let Some(node) = source.find(kind, name) else { return };
        let message = joined(&[key, if value.is_empty() { "" } else { "=" }, value, ": ", message]);
        match (node.given(key).map(|given| &given.origin), node.place) {
            (Some(Origin::File(place)), _) => self.problems.add_at(source, *place, &message),
            (None, Some(place)) => self.problems.add_at(source, place, &message),
            (Some(origin), _) => self.problems.add(&source.show_origin(origin), &message),
            (None, None) => self.problems.add(&source.show_node(node), &message),
        }
    }

    /// The same of what the system says.
    fn tell_error(&mut self, key: Key<'_>, value: &str, error: Errno) {
        if !matches!(error, Errno::ACCESS | Errno::PERM) {
            return self.tell(key, value, &describe(error));
        }
        if !self.is_in_use(key) {
            self.warn(key, value, &joined(&[&describe(error), "; whoever runs the server has to reach it"]));
        }
    }

    /// Tells what is odd about a value.
    fn warn(&mut self, (kind, name, key): Key<'_>, value: &str, message: &str) {
        let source = &self.loaded.source;
        let Some(node) = source.find(kind, name) else { return };
        let place = match node.given(key) {
            Some(given) => source.show_origin(&given.origin),
            None => source.show_node(node),
        };
        let equals = if value.is_empty() { "" } else { "=" };
        self.problems.warn(&place, &joined(&[key, equals, value, ": ", message]));
    }

    /// Whether the program runs with that value.
    fn is_in_use(&self, (kind, name, key): Key<'_>) -> bool {
        let at = kind.abouts().position(|about| about.name() == key);
        let of = |settings: &Settings| at.and_then(|at| settings.value(kind, name, at));
        self.running.is_some_and(|running| of(running) == of(&self.loaded.settings))
    }

    fn tell_failure(&mut self, key: Key<'_>, value: &str, failure: &Failure) {
        match failure.error {
            Some(error) => self.tell_error(key, value, error),
            None => self.tell_told(key, value, &failure.message),
        }
    }

    /// The same of a message that may begin with the value.
    fn tell_told(&mut self, key: Key<'_>, value: &str, message: &str) {
        match message.strip_prefix(value).and_then(|rest| rest.strip_prefix(": ")) {
            Some(message) => self.tell(key, value, message),
            None => self.tell(key, "", message),
        }
    }

    /// The process; gives the user that it would become.
    fn process(&mut self) -> Option<User> {
        let process = &self.loaded.settings.process;
        let key = |key| (NodeKind::Process, "", key);
        let mut becomes = None;
        if let (Ok(passwd), Ok(group)) = (read("/etc/passwd"), read("/etc/group")) {
            match User::resolve(&process.user, &passwd, &group) {
                Ok(user) => becomes = Some(user),
                Err(message) => self.tell(key("user"), &process.user, &message),
            }
        }
        if !process.chroot.is_empty() {
            self.directory(key("chroot"), &process.chroot, process.chroot.as_bytes());
        }
        if !process.pid_file.is_empty() {
            self.written(key("pid_file"), &process.pid_file, process.pid_file.as_bytes());
        }
        becomes
    }

    /// Whom the program would become, if that user may not do something.
    fn who_not(&self, may: &dyn Fn(&User) -> bool) -> Option<String> {
        let user = self.becomes.as_ref().filter(|user| !may(user))?;
        let mut who = String::new();
        user.push(&mut who);
        Some(who)
    }

    /// A directory or file that is served; gives whether it is there.
    fn root(&mut self, key: Key<'_>, http: &mut HttpSettings) -> bool {
        let root = http.root.clone();
        let shown = String::from_utf8_lossy(&root).into_owned();
        if let Err(failure) = filesystem(http) {
            self.tell_failure(key, &shown, &failure);
            return false;
        }
        if let Some(who) = self.who_not(&|user| may(&root, user, READ)) {
            self.tell(key, &shown, &joined(&["user ", &who, UNREADABLE]));
        }
        true
    }

    fn server(&mut self, server: &HttpServer) {
        let key = |key| (NodeKind::Http, server.name.as_str(), key);
        let mut http = server.settings.clone();
        let is_there = self.root(key("root"), &mut http);
        if let Err(failure) = media_types("", &http) {
            self.tell_failure(key("types_file"), &http.types_file, &failure);
        }
        match LogTarget::parse(&http.access_log) {
            Ok(Some(LogTarget::File(path))) => {
                self.written(key("access_log"), &http.access_log, &path);
                let beside = parent(&path);
                let who = self.who_not(&|user| stat_path(beside).is_err() || may(beside, user, MAKE));
                if let Some(who) = who {
                    self.warn(key("access_log"), &http.access_log, &joined(&[&who, CLOSED]));
                }
            }
            Ok(_) => {}
            Err(message) => self.tell(key("access_log"), &http.access_log, &message),
        }
        let mut roots = Vec::from([&*server.settings.root]);
        for handler in server.handlers.iter().filter(|handler| !handler.settings.root.is_empty()) {
            roots.push(handler.settings.root.as_bytes());
        }
        let mut users = Vec::from([(NodeKind::Http, server.name.clone(), http.auth_file.as_str())]);
        let mut areas = Vec::from([(key("upload"), server.name.clone(), http.upload.as_str())]);
        for handler in &server.handlers {
            let name = joined(&[&server.name, "/", &handler.name]);
            let own = &handler.settings;
            match own.kind {
                "files" if !own.root.is_empty() => {
                    let mut inner = server.settings.clone();
                    own.root.as_bytes().clone_into(&mut inner.root);
                    self.root((NodeKind::Handler, &name, "root"), &mut inner);
                }
                "auth" => users.push((NodeKind::Handler, name, &own.auth_file)),
                "upload" => areas.push(((NodeKind::Handler, "", "directory"), name, &own.directory)),
                _ => {}
            }
        }
        for (kind, name, file) in users.iter().filter(|(.., file)| !file.is_empty()) {
            let key = (*kind, name.as_str(), "auth_file");
            if roots.iter().any(|root| is_served(file.as_bytes(), root, http.hidden)) {
                self.tell(key, file, WITHIN);
            } else if let Err(error) = open_file(*file) {
                self.tell_error(key, file, error);
            } else {
                match Passwords::check(file) {
                    Ok(others) if others => self.warn(key, file, OTHERS),
                    Ok(_) => {}
                    Err(message) => self.tell_told(key, file, &message),
                }
            }
        }
        let areas = areas.iter().filter(|(.., area)| is_there && !area.is_empty());
        for ((kind, _, key), name, area) in areas {
            match uploads::find(area, &server.settings.root, http.hidden, 0, "") {
                Err(failure) => self.tell_failure((*kind, name, key), area, &failure),
                Ok(found) => {
                    if let Some(who) = self.who_not(&|user| may(found.name.as_bytes(), user, MAKE)) {
                        self.tell((*kind, name, key), area, &joined(&[&who, UNWRITABLE]));
                    }
                }
            }
        }
    }

    #[cfg(feature = "monitor")]
    fn monitors(&mut self, user: Option<User>) {
        use super::monitors::{NO_KEYS, STALE};
        use crate::monitor::roles::Roles;
        use crate::monitor::service::key_file::KeyFile;
        let mut owners = Vec::from([privilege::identity().0]);
        owners.extend(user.as_ref().map(|user| user.user));
        let monitors = &self.loaded.settings.monitors;
        for monitor in monitors.iter().filter(|monitor| monitor.settings.enabled) {
            let key = |key| (NodeKind::Monitor, monitor.name.as_str(), key);
            let settings = &monitor.settings;
            if let (Ok(passwd), Ok(group)) = (read("/etc/passwd"), read("/etc/group")) {
                if let Err((attribute, message)) = Roles::resolve(settings, &passwd, &group) {
                    self.tell(key(attribute), "", &message);
                }
            }
            if settings.key_file.is_empty() {
                // Who starts it may be asked for a password. Whether one was given, the program itself knows.
                if settings.wants_password() && self.running.is_none() {
                    self.warn(key("key_file"), "", NO_KEYS);
                }
                continue;
            }
            if let Err(error) = open_file(&settings.key_file) {
                self.tell_error(key("key_file"), &settings.key_file, error);
            } else if let Err(message) = KeyFile::open(&settings.key_file, &owners) {
                self.tell_told(key("key_file"), &settings.key_file, &message);
            } else if let Some(who) = self.who_not(&|user| may_read(settings.key_file.as_bytes(), user)) {
                self.warn(key("key_file"), &settings.key_file, &joined(&[&who, " may not read it", STALE]));
            }
        }
    }

    /// A directory that has to be there.
    fn directory(&mut self, key: Key<'_>, value: &str, path: &[u8]) {
        match stat_path(path) {
            Ok(found) if found.kind == FileKind::Directory => {}
            Ok(_) => self.tell(key, value, &describe(Errno::NOTDIR)),
            Err(error) => self.tell_error(key, value, error),
        }
    }

    /// A file that is written to, or made.
    fn written(&mut self, key: Key<'_>, value: &str, path: &[u8]) {
        match stat_path(path) {
            Ok(found) if found.kind == FileKind::Directory => {
                self.tell(key, value, &describe(Errno::ISDIR));
            }
            Ok(_) => {}
            Err(Errno::NOENT) => self.directory(key, value, parent(path)),
            Err(error) => self.tell_error(key, value, error),
        }
    }
}
