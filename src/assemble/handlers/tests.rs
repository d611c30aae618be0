#![allow(clippy::indexing_slicing)]

use super::*;
use crate::engine::values::Files;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A hash that nobody knows a password for.
const USERS: &str = "anna:$6$saltsalt$0123456789012345678901234567890123456789012345678901234567890123456789\
                     0123456789012345\n";

/// A directory of its own, with `www/in` and `other` in it, and a file of users beside them.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gorgon-handlers-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.join("www/in")).unwrap();
        std::fs::create_dir_all(path.join("other")).unwrap();
        std::fs::write(path.join("users"), USERS).unwrap();
        std::fs::write(path.join("www/users"), USERS).unwrap();
        std::fs::write(path.join("file.txt"), "text").unwrap();
        Place(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn http(&self) -> HttpSettings {
        HttpSettings { root: self.path("www").into_bytes(), ..HttpSettings::default() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Default)]
struct Program {
    world: World,
    served: Served,
    report: String,
}

impl Program {
    fn build(
        &mut self,
        http: &HttpSettings,
        handlers: &[(&str, &HandlerSettings)],
        before: &Recipe,
    ) -> Result<Built, String> {
        let Program { world, served, report } = self;
        let mut ground = Ground { server: "main", world, served, report, files: 8, uploads: 8 };
        build(http, handlers, before, &mut ground).map_err(|failure| failure.message)
    }

    /// How much there is of what a failure must not leave behind.
    fn held(&self) -> [usize; 6] {
        let Served { reaches, reads, areas, passwords, users, .. } = &self.served;
        let filesystems = self.world.filesystems().count();
        [filesystems, reaches.len(), reads.len(), areas.len(), passwords.len(), users.len()]
    }
}

fn handler(pairs: &[(&str, &str)]) -> HandlerSettings {
    let mut settings = HandlerSettings::default();
    for (key, text) in pairs {
        assert!(HANDLER.set_text(&mut settings, key, text).is_ok(), "{key}={text}");
    }
    settings
}

/// Of each mount its name, what it is asked for, and `+` where it is made, `=` where it is kept, `-` if it is not asked.
fn shown(router: &Router<World>) -> String {
    let mounts = router.mounts().map(|mount| {
        let sign = if !mount.is_enabled() {
            '-'
        } else if mount.is_kept() {
            '='
        } else {
            '+'
        };
        format!("{}{}{sign}", mount.name(), String::from_utf8_lossy(mount.prefix()))
    });
    mounts.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_attributes_are_there() {
    assert!([OF_FILES, OF_UPLOADS].concat().iter().all(|name| HTTP.find(name).is_some()));
    assert!(OF_REDIRECTIONS.iter().all(|name| HANDLER.find(name).is_some()));
}

#[test]
fn handlers_come_in_their_order() {
    let (place, mut program) = (Place::new(), Program::default());
    let http = HttpSettings { auth_file: place.path("users"), upload: "in".to_owned(), ..place.http() };
    let status = handler(&[("kind", "status"), ("match", "/-/status")]);
    let redirect = handler(&[("kind", "redirect"), ("match", "/old/"), ("to", "/new"), ("enabled", "off")]);
    let files = handler(&[("match", "/other"), ("root", &place.path("other"))]);
    let built = program.build(
        &http,
        &[("status", &status), ("moved", &redirect), ("others", &files)],
        &Recipe::default(),
    );
    let built = built.ok().unwrap();
    assert_eq!(shown(&built.router), "auth+ status/-/status+ moved/old- others/other+ upload/in+ files+");
    assert!(built.router.wants_addresses());
    assert_eq!(program.held(), [2, 2, 1, 1, 1, 1]);
    assert!(program.report.starts_with(&format!("Serving {}\nUploads to ", place.path("www"))));
}

#[test]
fn what_would_be_the_same_is_kept() {
    let (place, mut program) = (Place::new(), Program::default());
    let mut http = HttpSettings { auth_file: place.path("users"), upload: "in".to_owned(), ..place.http() };
    let mut others = handler(&[("match", "/other"), ("root", &place.path("other"))]);
    let mut moved = handler(&[("kind", "redirect"), ("match", "/old"), ("to", "/new")]);
    let status = handler(&[("kind", "status"), ("match", "/-/status")]);
    let mut built = program.build(&http, &[("others", &others)], &Recipe::default()).ok().unwrap();
    let mut files = Files::default();
    let mut step = |http: &HttpSettings, handlers: &[(&str, &HandlerSettings)], expected: &str| {
        let mut next = program.build(http, handlers, &built.recipe).unwrap();
        assert_eq!(shown(&next.router), expected);
        let gone = (next.filesystems.clone(), next.logins.clone());
        next.router.replace(&mut built.router, &mut files);
        assert!(next.router.mounts().all(|mount| !mount.is_kept()), "{expected}");
        gone.0.iter().for_each(|number| program.world.remove_filesystem(*number));
        built = next;
        gone
    };
    let none = (vec![], vec![]);
    assert_eq!(step(&http, &[("others", &others)], "auth= others/other= upload/in= files="), none);
    // What concerns no handler.
    http.keep_alive = false;
    http.head_max = 4096;
    assert_eq!(
        step(
            &http,
            &[("status", &status), ("others", &others)],
            "auth= status/-/status+ others/other= upload/in= files="
        ),
        none
    );
    // The order, where it is asked, and whether.
    others.r#match = "/else".to_owned();
    others.enabled = false;
    assert_eq!(
        step(
            &http,
            &[("others", &others), ("status", &status)],
            "auth= others/else- status/-/status= upload/in= files="
        ),
        none
    );
    others.enabled = true;
    http.upload_max = 5;
    assert_eq!(step(&http, &[("others", &others)], "auth= others/else= upload/in+ files="), none);
    http.file_cache = 0;
    assert_eq!(step(&http, &[("others", &others)], "auth= others/else+ upload/in= files+"), none);
    http.auth_realm = "else".to_owned();
    assert_eq!(step(&http, &[("moved", &moved)], "auth+ moved/old+ upload/in= files="), (vec![1], vec![]));
    moved.status = "301";
    assert_eq!(step(&http, &[("moved", &moved)], "auth= moved/old+ upload/in= files="), none);
    // Other roots are other places, and their numbers are given anew.
    http.symlinks = "never";
    assert_eq!(step(&http, &[], "auth= upload/in+ files+"), (vec![0], vec![]));
    http.auth_file = String::new();
    http.upload = String::new();
    assert_eq!(step(&http, &[], "files+"), (vec![], vec![0]));
    assert_eq!(program.world.filesystems().count(), 1);
}

#[test]
fn a_file_stays_what_it_is() {
    let (place, mut program) = (Place::new(), Program::default());
    let http = HttpSettings { root: place.path("file.txt").into_bytes(), ..place.http() };
    let built = program.build(&http, &[], &Recipe::default()).ok().unwrap();
    assert_eq!(built.recipe.roots[0].single.as_deref(), Some("file.txt"));
    let again = program.build(&http, &[], &built.recipe).ok().unwrap();
    assert_eq!(shown(&again.router), "files=");
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let (place, mut program) = (Place::new(), Program::default());
    let http = place.http();
    let built = program.build(&http, &[], &Recipe::default()).ok().unwrap();
    let held = program.held();
    let other = handler(&[("match", "/other"), ("root", &place.path("other"))]);
    let auth = handler(&[("kind", "auth"), ("auth_file", &place.path("users"))]);
    let within = handler(&[("kind", "auth"), ("auth_file", &place.path("www/users"))]);
    let gone = handler(&[("match", "/x"), ("root", &place.path("gone"))]);
    let upload = handler(&[("kind", "upload"), ("directory", "in")]);
    let no_upload = handler(&[("kind", "upload"), ("directory", "none")]);
    let wrong = handler(&[("kind", "status")]);
    for (handlers, message) in [
        (&[("o", &other), ("a", &auth), ("u", &upload), ("g", &gone)][..], "/gone: "),
        (&[("o", &other), ("o", &other)], "handler o: there is another one of that name"),
        (&[("files", &other)], "handler files: there is another one of that name"),
        (&[("o", &other), ("w", &within)], "lies in what is served"),
        (&[("n", &no_upload)], "--handler.main/n.directory=none: "),
        (&[("o", &other), ("s", &wrong)], "handler s: match: expected a path"),
    ] {
        let failed = program.build(&http, handlers, &built.recipe).err().unwrap();
        assert!(failed.contains(message), "{failed}");
        assert_eq!(program.held(), held, "{message}");
    }
    let two = [("o", &other), ("a", &auth), ("u", &upload)];
    let both = program.build(&http, &two, &built.recipe).ok().unwrap();
    assert_eq!(shown(&both.router), "o/other+ a+ u/in+ files+");
}
