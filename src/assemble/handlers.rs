//! Builds the handlers of an HTTP server from its settings, in their order:
//!
//! ```text
//! auth, if it has users of its own ──▶ those that were named, in their order ──▶ upload, if it takes any ──▶ files
//! ```
//!
//! What a server is built from is kept as its [`Recipe`]. When it is built anew, a handler that would become the same
//! again is not made but kept, with all it holds, and so are the filesystems, logins and places of uploads that were
//! there before.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::stat_path;

use super::http::open_parent;
use super::privileges::Served;
use super::roots::{WITHIN, filesystem, is_served, media_types};
use super::{Failure, failure, uploads};
use crate::http::handler::Handler;
use crate::http::handlers::auth::AuthHandler;
use crate::http::handlers::files::FilesHandler;
use crate::http::handlers::health::HealthHandler;
use crate::http::handlers::redirect::RedirectHandler;
use crate::http::handlers::status::StatusHandler;
use crate::http::handlers::upload::UploadHandler;
use crate::http::logins::Logins;
use crate::http::router::Router;
use crate::http::service::passwords::Passwords;
use crate::http::settings::handler::{HANDLER, HandlerSettings};
use crate::http::settings::{HTTP, HttpSettings};
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;
use crate::tree::Kind;
use crate::world::World;

mod recipe;
pub(super) use recipe::Recipe;
use recipe::{Area, Root};

/// What handlers of files, of uploads and of redirections are made from, beside what they work on.
const OF_FILES: &[&str] = &[
    "index",
    "hidden",
    "listing",
    "charset",
    "types_file",
    "precompressed",
    "cache_control",
    "cors",
    "spa",
    "file_cache",
    "cache_file_max",
];
const OF_UPLOADS: &[&str] = &["hidden", "cors"];
const OF_REDIRECTIONS: &[&str] = &["to", "status"];

/// Makes a handler, from what has been found for all of them.
type Make<'m> = &'m mut dyn FnMut(&Recipe) -> Result<Box<dyn Handler<World>>, Box<Failure>>;

/// What handlers are built on.
pub(super) struct Ground<'a> {
    /// The name of the server.
    pub(super) server: &'a str,
    pub(super) world: &'a mut World,
    /// What has to be reached by name later, and what is to be started: it grows by what is new.
    pub(super) served: &'a mut Served,
    /// Lines for who starts the program.
    pub(super) report: &'a mut String,
    /// How many descriptors handlers may keep for files.
    pub(super) files: usize,
    /// The same for uploads.
    pub(super) uploads: usize,
}

/// The handlers, and what is left of those before them.
pub(super) struct Built {
    pub(super) router: Router<World>,
    pub(super) recipe: Recipe,
    /// The numbers of filesystems that are not used any more: the change that brings the router takes them.
    pub(super) filesystems: Vec<usize>,
    /// The numbers of logins that this server asks no more. Those that no other one asks go, and the services that
    /// decide them.
    pub(super) logins: Vec<usize>,
    marks: Marks,
}

/// Builds the handlers of a server. What fails leaves nothing behind.
///
/// # Errors
/// What is wrong with the settings, or cannot be opened.
pub(super) fn build(
    http: &HttpSettings,
    handlers: &[(&str, &HandlerSettings)],
    before: &Recipe,
    ground: &mut Ground<'_>,
) -> Result<Built, Box<Failure>> {
    let marks = Marks::of(ground.served);
    let mut builder = Builder { http, before, ground, recipe: Recipe::default(), router: Router::default() };
    let outcome = builder.all(handlers);
    let Builder { recipe, router, .. } = builder;
    let built = Built {
        router,
        filesystems: before.filesystems_beyond(&recipe),
        logins: before.logins_beyond(&recipe),
        recipe,
        marks,
    };
    match outcome {
        Ok(()) => Ok(built),
        Err(failure) => {
            discard(&built, before, ground.world, ground.served);
            Err(failure)
        }
    }
}

/// Removes what was built but will not be used: the program stays with what was `before`. Of several servers that were
/// built, the last one is discarded first.
pub(super) fn discard(built: &Built, before: &Recipe, world: &mut World, served: &mut Served) {
    for number in built.recipe.filesystems_beyond(before) {
        world.remove_filesystem(number);
    }
    let marks = &built.marks;
    for (_, number) in served.users.drain(marks.users.min(served.users.len())..) {
        let _nobody_asks_yet = world.remove_logins(number);
    }
    served.reaches.truncate(marks.reaches);
    served.reads.truncate(marks.reads);
    served.areas.truncate(marks.areas);
    served.passwords.truncate(marks.passwords);
}

/// How much was served before something was built.
struct Marks {
    reaches: usize,
    reads: usize,
    areas: usize,
    passwords: usize,
    users: usize,
}

impl Marks {
    fn of(served: &Served) -> Marks {
        let Served { reaches, reads, areas, passwords, users, .. } = served;
        Marks {
            reaches: reaches.len(),
            reads: reads.len(),
            areas: areas.len(),
            passwords: passwords.len(),
            users: users.len(),
        }
    }
}

struct Builder<'a, 'g> {
    http: &'a HttpSettings,
    before: &'a Recipe,
    ground: &'a mut Ground<'g>,
    recipe: Recipe,
    router: Router<World>,
}

impl Builder<'_, '_> {
    fn all(&mut self, handlers: &[(&str, &HandlerSettings)]) -> Result<(), Box<Failure>> {
        for (name, handler) in handlers {
            if let Some((key, expected)) = handler.contradiction() {
                let message = joined(&["handler ", name, ": ", key, ": ", expected]);
                return Err(Box::new(Failure { message, usage: true, error: None }));
            }
        }
        let mut files = self.http.clone();
        let section = self.section("");
        let root = self.root(&mut files, &section)?;
        let text = String::from_utf8_lossy(&self.http.root);
        push_all(self.ground.report, &["Serving ", &text, "\n"]);
        // Each handler of files tells of uploads, also of those that a handler after it takes.
        self.area(&self.http.upload, &files, root, &self.ground.served.place(&section, "upload"))?;
        for (name, handler) in handlers.iter().filter(|(_, handler)| handler.kind == "upload") {
            let place = self.ground.served.place(&self.section(name), "directory");
            self.area(&handler.directory, &files, root, &place)?;
        }
        let share = 1 + handlers.iter().filter(|(_, handler)| handler.kind == "files").count();
        let share = self.ground.files / share;
        if !self.http.auth_file.is_empty() {
            let users = (&*self.http.auth_file, &*self.http.auth_realm);
            self.auth(("auth", &section), "", true, users, handlers)?;
        }
        for (name, handler) in handlers {
            self.named(name, handler, handlers, (&files, root), share)?;
        }
        if !self.http.upload.is_empty() {
            let limits = (self.http.upload_max, self.http.upload_reserve);
            self.upload("upload", true, &files, limits, (&self.http.upload, root))?;
        }
        if self.http.files {
            self.files("files", "", true, &files, (root, share))?;
        }
        Ok(())
    }

    /// A handler with a name and settings of its own.
    fn named(
        &mut self,
        name: &str,
        handler: &HandlerSettings,
        handlers: &[(&str, &HandlerSettings)],
        (files, root): (&HttpSettings, usize),
        share: usize,
    ) -> Result<(), Box<Failure>> {
        let (front, enabled) = (handler.r#match.as_str(), handler.enabled);
        match handler.kind {
            "auth" => {
                let users = (&*handler.auth_file, &*handler.auth_realm);
                self.auth((name, &self.section(name)), front, enabled, users, handlers)
            }
            "upload" => {
                let limits = (handler.upload_max, handler.upload_reserve);
                self.upload(name, enabled, files, limits, (&handler.directory, root))
            }
            "files" if handler.root.is_empty() => self.files(name, front, enabled, files, (root, share)),
            "files" => {
                let mut own = self.http.clone();
                own.root = handler.root.clone().into_bytes();
                let root = self.root(&mut own, &self.section(name))?;
                self.files(name, front, enabled, &own, (root, share))
            }
            "redirect" => {
                let mut made = front.to_owned();
                push_values(&HANDLER, handler, OF_REDIRECTIONS, &mut made);
                self.mount(name, front, enabled, made, &mut |_| {
                    Ok(Box::new(RedirectHandler::new(
                        front.as_bytes(),
                        handler.to.as_bytes(),
                        handler.status,
                    )))
                })
            }
            kind => self.mount(name, front, enabled, kind.to_owned(), &mut |_| {
                Ok(match kind {
                    "metrics" => Box::new(StatusHandler::metrics()),
                    "health" => Box::new(HealthHandler),
                    _ => Box::new(StatusHandler::page()),
                })
            }),
        }
    }

    /// The section of a handler, or that of the server.
    fn section(&self, handler: &str) -> String {
        match handler {
            "" => joined(&["http:", self.ground.server]),
            handler => joined(&["handler:", self.ground.server, "/", handler]),
        }
    }

    fn auth(
        &mut self,
        (name, section): (&str, &str),
        front: &str,
        enabled: bool,
        (file, realm): (&str, &str),
        handlers: &[(&str, &HandlerSettings)],
    ) -> Result<(), Box<Failure>> {
        let logins = self.logins(file, section, handlers)?;
        let cors = self.http.cors;
        let mut made = number_text(logins as u64);
        made.push_str(if cors { "cors " } else { "" });
        made.push_str(realm);
        self.mount(name, front, enabled, made, &mut |_| Ok(Box::new(AuthHandler::new(realm, cors, logins))))
    }

    fn upload(
        &mut self,
        name: &str,
        enabled: bool,
        own: &HttpSettings,
        limits: (u64, u64),
        (directory, root): (&str, usize),
    ) -> Result<(), Box<Failure>> {
        let area = self.recipe.areas.iter().find(|area| area.name == directory && area.filesystem == root);
        let Some(uploads) = area.map(|area| area.uploads.clone()) else { return Ok(()) };
        let front = String::from_utf8_lossy(uploads.area()).into_owned();
        let mut made = directory.to_owned();
        for number in [root as u64, limits.0, limits.1] {
            made.push_str(&number_text(number));
        }
        push_values(&HTTP, own, OF_UPLOADS, &mut made);
        let most = self.ground.uploads;
        self.mount(name, &front, enabled, made, &mut |_| {
            Ok(Box::new(UploadHandler::new(own, limits, root, uploads.clone(), most)))
        })
    }

    fn files(
        &mut self,
        name: &str,
        front: &str,
        enabled: bool,
        own: &HttpSettings,
        (root, share): (usize, usize),
    ) -> Result<(), Box<Failure>> {
        let mut made = number_text(root as u64);
        push_values(&HTTP, own, OF_FILES, &mut made);
        // A file of media types that says something else makes another handler.
        if let Ok(found) = stat_path(&own.types_file) {
            for number in [found.inode, found.size, found.modified.unsigned_abs(), found.modified_ns.into()] {
                made.push_str(&number_text(number));
            }
        }
        for area in self.recipe.areas.iter().filter(|area| area.filesystem == root) {
            made.push_str(&area.name);
            made.push('\0');
        }
        let place = self.ground.served.place(&self.section(""), "types_file");
        self.mount(name, front, enabled, made, &mut |recipe| {
            let mut handler = FilesHandler::new(own, root, media_types(&place, own)?, share);
            for area in recipe.areas.iter().filter(|area| area.filesystem == root) {
                handler.add_uploads(area.uploads.clone());
            }
            Ok(Box::new(handler))
        })
    }

    /// Mounts a handler: the one before, if it was made from the same.
    fn mount(
        &mut self,
        name: &str,
        front: &str,
        enabled: bool,
        made: String,
        make: Make<'_>,
    ) -> Result<(), Box<Failure>> {
        let entry = (name.to_owned(), made);
        if self.recipe.made.iter().any(|(other, _)| *other == entry.0) {
            let message = joined(&["handler ", name, ": there is another one of that name"]);
            return Err(Box::new(Failure { message, usage: true, error: None }));
        }
        if self.before.made.contains(&entry) {
            self.router.keep(name, front.as_bytes());
        } else {
            self.router.add(name, front.as_bytes(), make(&self.recipe)?);
        }
        self.router.enable_last(enabled);
        self.recipe.made.push(entry);
        Ok(())
    }

    /// The number of the filesystem of a root; a file stands for its directory, and the settings then say so.
    fn root(&mut self, own: &mut HttpSettings, section: &str) -> Result<usize, Box<Failure>> {
        let same = |root: &&Root| root.root == own.root && root.symlinks == own.symlinks;
        let here = self.recipe.roots.iter().find(same);
        // Something else may lie there by now. What cannot be looked at any more is served on.
        let key = stat_path(&own.root).ok().map(|found| (found.device, found.inode));
        let is_there = |root: &&Root| same(root) && key.is_none_or(|key| key == root.key);
        if let Some(root) = here.or_else(|| self.before.roots.iter().find(is_there)) {
            if let Some(name) = &root.single {
                own.index = [name.clone()].into();
                own.hidden = true;
            }
            let (number, single, key) = (root.number, root.single.clone(), root.key);
            if here.is_none() {
                let (root, symlinks) = (own.root.clone(), own.symlinks);
                self.recipe.roots.push(Root { root, symlinks, number, single, key });
            }
            return Ok(number);
        }
        let (filesystem, reach) = filesystem(own).map_err(|mut failure| {
            // It begins with the directory, which is all that a command line without a file says.
            if self.ground.served.by_file {
                failure.message = joined(&[&*self.ground.served.place(section, "root"), &failure.message]);
            }
            failure
        })?;
        let single = reach.name != reach.asked;
        let number = self.ground.world.add_filesystem(filesystem);
        self.ground.served.reaches.push(reach);
        let single = own.index.first().cloned().filter(|_| single);
        let (root, key) = (own.root.clone(), key.unwrap_or_default());
        self.recipe.roots.push(Root { root, symlinks: own.symlinks, number, single, key });
        Ok(number)
    }

    /// Finds a place of uploads, if that is one.
    fn area(
        &mut self,
        name: &str,
        own: &HttpSettings,
        filesystem: usize,
        place: &str,
    ) -> Result<(), Box<Failure>> {
        let same = |area: &&Area| area.name == name && area.filesystem == filesystem;
        if name.is_empty() || self.recipe.areas.iter().any(|area| same(&area)) {
            return Ok(());
        }
        let uploads = match self.before.areas.iter().find(same) {
            Some(area) => area.uploads.clone(),
            None => {
                let area = uploads::find(name, &own.root, own.hidden, filesystem, place)?;
                push_all(self.ground.report, &["Uploads to ", &area.name, "\n"]);
                let uploads = area.uploads.clone();
                self.ground.served.areas.push(area);
                uploads
            }
        };
        self.recipe.areas.push(Area { name: name.to_owned(), filesystem, uploads });
        Ok(())
    }

    /// The number of the logins of a file of users.
    fn logins(
        &mut self,
        file: &str,
        section: &str,
        handlers: &[(&str, &HandlerSettings)],
    ) -> Result<usize, Box<Failure>> {
        let place = self.ground.served.place(section, "auth_file");
        let of = |recipe: &Recipe| recipe.logins.iter().find(|(other, _)| other == file).cloned();
        if let Some((_, number)) = of(&self.recipe) {
            return Ok(number);
        }
        // Other servers may have the same file.
        let users = self.ground.served.users.iter().find(|(other, _)| other == file).cloned();
        let known = of(self.before).or(users);
        let roots =
            handlers.iter().map(|(_, handler)| handler.root.as_bytes()).filter(|root| !root.is_empty());
        let mut roots = roots.chain([&*self.http.root]);
        let within = roots.any(|root| is_served(file.as_bytes(), root, self.http.hidden));
        if within {
            return Err(wrong_passwords(&[&place, file, ": ", WITHIN]));
        }
        if let Some(entry) = known {
            let number = entry.1;
            self.recipe.logins.push(entry);
            return Ok(number);
        }
        let (mut one, mut two) = ([0; 8], [0; 8]);
        let random = gorgon_sys::fill_random(&mut one).and_then(|()| gorgon_sys::fill_random(&mut two));
        random.map_err(|error| failure("random numbers", error))?;
        let logins = Logins::new((u64::from_ne_bytes(one), u64::from_ne_bytes(two)));
        let number = self.ground.world.add_logins(logins);
        self.recipe.logins.push((file.to_owned(), number));
        self.ground.served.users.push((file.to_owned(), number));
        self.ground.served.reads.extend(open_parent(file.as_bytes()));
        let passwords =
            Passwords::new(file, number).map_err(|message| wrong_passwords(&[&place, &message]))?;
        self.ground.served.passwords.push(passwords);
        Ok(number)
    }
}

/// The values of some attributes, as they are printed.
fn push_values<T>(kind: &Kind<T>, settings: &T, names: &[&str], out: &mut String) {
    for attribute in names.iter().filter_map(|name| kind.find(name)) {
        (attribute.get)(settings).print(out);
        // No text of an attribute has one.
        out.push('\0');
    }
}

fn number_text(number: u64) -> String {
    let mut text = String::new();
    text.push('\0');
    push_decimal_str(number, &mut text);
    text.push('\0');
    text
}

/// What is wrong with a file of users.
pub(super) fn wrong_passwords(words: &[&str]) -> Box<Failure> {
    Box::new(Failure { message: joined(words), usage: true, error: None })
}

#[cfg(test)]
mod tests;
