//! Whatever was changed while the program ran is in the files afterwards, and what was in them otherwise stays.

use super::super::load::tests::Texts;
use super::*;

const MAIN: &str = "; The web.\n[gorgon]\n; how long\n;grace = 10s\n\n[include]\nfiles = b.conf\n\n[http:a] ; first\nroot = %(here)s/a ; x\n\
    read_buffer = 4K\n\n[handler:a/x]\n[handler:a/y]\n\n; the end\n";
const OTHER: &str = "[http:b]\r\nroot = /b\r\nlisten =\r\n  :2 ; two\r\n  :3\r\n";

fn saved(change: &dyn Fn(&mut Settings), args: &[&str]) -> Result<Vec<(String, String)>, Vec<String>> {
    let mut files = Texts::new(&[("/etc/g.conf", MAIN), ("/etc/b.conf", OTHER)]);
    let inputs = Inputs {
        path: "/etc/g.conf".to_owned(),
        flags: super::super::load::tests::flags(args),
        environment: &|_| None,
        host: String::new(),
    };
    let mut wanted = inputs.load(&files).unwrap_or_else(|problems| panic!("{problems:?}")).settings;
    change(&mut wanted);
    let saved = save(&inputs, &files, &wanted).map_err(|problems| {
        problems.iter().map(|one| [&*one.place, ": ", &one.message].concat()).collect::<Vec<_>>()
    })?;
    for (path, text) in &saved.files {
        files.0.insert(path.clone(), text.clone().into_bytes());
    }
    assert!(inputs.load(&files).unwrap_or_else(|problems| panic!("{problems:?}")).settings == wanted);
    // Once more there is nothing to do.
    let again = save(&inputs, &files, &wanted).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(again.files.is_empty() && again.report.is_empty(), "{:?}", again.files);
    assert!(saved.files.is_empty() == saved.report.is_empty());
    Ok(saved.files)
}

fn set_all(settings: &mut Settings, sets: &[(NodeKind, &str, &str, &str)]) {
    for (kind, name, key, text) in sets {
        settings.set(*kind, name, key, text).unwrap();
    }
}

#[test]
fn nothing_changed_writes_nothing() {
    assert_eq!(saved(&|_| {}, &[]), Ok(vec![]));
}

#[test]
fn values_go_where_they_stand() {
    let files = saved(
        &|settings| {
            set_all(
                settings,
                &[
                    (NodeKind::Process, "", "grace", "3s"),
                    (NodeKind::Http, "a", "read_buffer", "8K"),
                    (NodeKind::Http, "a", "hidden", "on"),
                    (NodeKind::Http, "b", "listen", ":2,:3,:4 backlog=3"),
                    (NodeKind::Monitor, "main", "max_sessions", "3"),
                ],
            );
        },
        &[],
    )
    .unwrap();
    let main = MAIN
        .replace(";grace = 10s\n", ";grace = 10s\ngrace = 3s\n")
        .replace("read_buffer = 4K\n", "read_buffer = 8K\nhidden = on\n");
    let main = [&main, "\n[monitor:main]\nmax_sessions = 3\n"].concat();
    let other = [OTHER, "  :4 backlog=3\r\n"].concat();
    assert_eq!(files, [("/etc/g.conf".to_owned(), main), ("/etc/b.conf".to_owned(), other)]);
}

#[test]
fn nodes_that_came_and_went() {
    let files = saved(
        &|settings| {
            settings.remove(NodeKind::Handler, "a/x");
            settings.add(NodeKind::Handler, "b/new");
            settings.add(NodeKind::Http, "c");
            set_all(
                settings,
                &[
                    (NodeKind::Handler, "b/new", "match", "/new"),
                    (NodeKind::Http, "c", "root", "/50% ;c"),
                    (NodeKind::Http, "c", "listen", ":7,:8"),
                ],
            );
        },
        &[],
    )
    .unwrap();
    let main =
        [&MAIN.replace("[handler:a/x]\n", ""), "\n[http:c]\nlisten =\n  :7\n  :8\nroot = \"/50%% ;c\"\n"]
            .concat();
    let other = [OTHER, "\r\n[handler:b/new]\r\nmatch = /new\r\n"].concat();
    assert_eq!(files, [("/etc/g.conf".to_owned(), main), ("/etc/b.conf".to_owned(), other)]);
}

/// New ones stand with the others of their server, so that those stay there when their order changes.
#[test]
fn handlers_stand_with_their_server() {
    let text = "[http:main]\nroot=/\n\n; about health\n[handler:main/health]\nkind = health\nmatch = /h\n\n\
        ; the other\n[http:two]\nroot=/\nlisten=:2\n\n; the end\n";
    let files = Texts::new(&[("/etc/g.conf", text)]);
    let inputs =
        Inputs { path: "/etc/g.conf".to_owned(), flags: vec![], environment: &|_| None, host: String::new() };
    let mut wanted = inputs.load(&files).unwrap_or_else(|problems| panic!("{problems:?}")).settings;
    for (name, key) in [("main/red", "/red"), ("two/x", "/x")] {
        wanted.add(NodeKind::Handler, name);
        wanted.set(NodeKind::Handler, name, "match", key).unwrap();
    }
    let red = "[handler:main/red]\nmatch = /red\n\n";
    let text = text.replace("\n; the end", "\n[handler:two/x]\nmatch = /x\n\n; the end");
    let saved = |wanted: &Settings| {
        save(&inputs, &files, wanted).unwrap_or_else(|problems| panic!("{problems:?}")).files
    };
    let behind = text.replace("; the other", &[red, "; the other"].concat());
    assert_eq!(saved(&wanted), [("/etc/g.conf".to_owned(), behind)]);
    wanted.servers[0].handlers.reverse();
    let before = text.replace("; about", &[red, "; about"].concat());
    assert_eq!(saved(&wanted), [("/etc/g.conf".to_owned(), before)]);
    // Where they are in another file than that, so is the new one.
    let files = Texts::new(&[
        ("/etc/g.conf", "[http:main]\nroot=/\n[include]\nfiles=b.conf\n"),
        ("/etc/b.conf", "[handler:main/a]\nmatch=/a\n"),
    ]);
    let mut wanted = inputs.load(&files).unwrap_or_else(|problems| panic!("{problems:?}")).settings;
    wanted.add(NodeKind::Handler, "main/red");
    wanted.set(NodeKind::Handler, "main/red", "match", "/red").unwrap();
    wanted.servers[0].handlers.reverse();
    let text = "[handler:main/red]\nmatch = /red\n\n[handler:main/a]\nmatch=/a\n";
    let saved = save(&inputs, &files, &wanted).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(saved.files, [("/etc/b.conf".to_owned(), text.to_owned())]);
}

/// What a file has to give is written though it is the default.
#[test]
fn a_server_says_what_it_serves() {
    let add = |settings: &mut Settings| {
        settings.add(NodeKind::Http, "c");
        settings.set(NodeKind::Http, "c", "listen", ":9").unwrap();
    };
    let files = saved(&add, &[]).unwrap();
    assert_eq!(files, [("/etc/g.conf".to_owned(), [MAIN, "\n[http:c]\nlisten = :9\nroot = .\n"].concat())]);
}

/// A monitor that is there unsaid is so only while no other is said.
#[test]
fn a_monitor_beside_the_implied_one() {
    let add = |settings: &mut Settings| {
        settings.add(NodeKind::Monitor, "far");
        settings.set(NodeKind::Monitor, "far", "listen", "unix:/far.sock").unwrap();
    };
    let far = "[monitor:far]\nlisten = unix:/far.sock\n";
    let files = saved(&add, &[]).unwrap();
    assert_eq!(files, [("/etc/g.conf".to_owned(), [MAIN, "\n[monitor:main]\n\n", far].concat())]);
    // What it was changed to stands there too; one that was removed does not.
    let change = |settings: &mut Settings| {
        add(settings);
        settings.set(NodeKind::Monitor, "main", "max_sessions", "3").unwrap();
    };
    let files = saved(&change, &[]).unwrap();
    let main = "\n[monitor:main]\nmax_sessions = 3\n\n";
    assert_eq!(files, [("/etc/g.conf".to_owned(), [MAIN, main, far].concat())]);
    let replace = |settings: &mut Settings| {
        settings.remove(NodeKind::Monitor, "main");
        add(settings);
    };
    let files = saved(&replace, &[]).unwrap();
    assert_eq!(files, [("/etc/g.conf".to_owned(), [MAIN, "\n", far].concat())]);
}

#[test]
fn handlers_in_another_order() {
    let files = saved(&|settings| settings.servers[1].handlers.reverse(), &[]).unwrap();
    let main = MAIN.replace("[handler:a/x]\n[handler:a/y]\n", "[handler:a/y]\n[handler:a/x]\n");
    assert_eq!(files, [("/etc/g.conf".to_owned(), main)]);
}

#[test]
fn what_goes_before_the_file_cannot_be_kept_in_it() {
    let change = |settings: &mut Settings| {
        settings.set(NodeKind::Http, "a", "read_buffer", "16K").unwrap();
    };
    let flag = "--http.a.read_buffer=8K";
    assert_eq!(
        saved(&change, &[flag]),
        Err(vec![[flag, ": goes before the file, so 16K cannot be kept there"].concat()])
    );
    // A flag of another key is no matter.
    assert!(saved(&change, &["--http.a.write_buffer=8K"]).is_ok());
    // The process has a section of its own only once it needs one; a monitor that is there unsaid cannot be removed.
    assert!(saved(&|settings| settings.monitors.clear(), &[]).is_err());
}

quickcheck::quickcheck! {
    /// Any value that can be set can be saved.
    fn any_value(key: usize, text: String, hidden: bool) -> bool {
        let about = NodeKind::Http.abouts().nth(key % NodeKind::Http.abouts().count()).unwrap();
        // What may contradict something else.
        if matches!(about.name(), "listen" | "access_log" | "access_log_size" | "head_max" | "request_line_max") {
            return true;
        }
        saved(
            &|settings| {
                let _refused = settings.set(NodeKind::Http, "a", about.name(), &text);
                let _refused = settings.set(NodeKind::Http, "b", about.name(), &text);
                settings.set(NodeKind::Http, "b", "hidden", if hidden { "on" } else { "off" }).unwrap();
            },
            &[],
        )
        .is_ok()
    }
}
