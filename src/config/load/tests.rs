//! Whole configurations: files, environment and command line into settings.

use alloc::collections::BTreeMap;

use super::*;
use crate::config::files::Identity;
use crate::config::source::Origin;

/// Files that are not there.
#[derive(Clone, Default)]
pub(crate) struct Texts(pub(crate) BTreeMap<String, Vec<u8>>);

impl Texts {
    pub(crate) fn new(files: &[(&str, &str)]) -> Texts {
        Texts(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }
}

/// A path without `.` and `..`, which leads to the same where there are no links.
fn plain(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    [root, &parts.join("/")].concat()
}

impl Files for Texts {
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, String> {
        let text = self.0.get(&plain(path)).ok_or("No such file or directory")?;
        Ok(text[..text.len().min(most)].to_vec())
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, String> {
        let front = if directory == "." { String::new() } else { plain(directory) + "/" };
        let names: Vec<String> = self
            .0
            .keys()
            .filter_map(|path| path.strip_prefix(&*front))
            .filter(|name| !name.contains('/'))
            .rev()
            .map(str::to_owned)
            .collect();
        if names.is_empty() { Err("No such file or directory".to_owned()) } else { Ok(names) }
    }

    fn identity(&self, path: &str) -> Option<Identity> {
        let path = plain(path);
        self.0.keys().position(|known| *known == path).map(|at| (1, at as u64))
    }
}

/// Flags as the command line gives them.
pub(crate) fn flags(args: &[&str]) -> Vec<Override> {
    use crate::cli::arguments::{parse, print_problems};
    use crate::cli::command::Command;
    let args = ["run"].into_iter().chain(args.iter().copied()).map(str::as_bytes);
    match parse(&mut args.collect::<Vec<_>>().into_iter(), &|_| None) {
        Ok(Command::Run(config)) => config.flags,
        Ok(_) => panic!("not run"),
        Err(problems) => panic!("{}", print_problems(&problems, None)),
    }
}

type Environment = &'static [(&'static str, &'static str)];

pub(crate) fn load_with(
    files: &Texts,
    args: &[&str],
    environment: Environment,
) -> Result<Loaded, Vec<String>> {
    let lookup =
        |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes());
    let inputs = Inputs {
        path: "/etc/g.conf".to_owned(),
        flags: flags(args),
        environment: &lookup,
        host: "box".to_owned(),
    };
    inputs.load(files).map_err(|problems| {
        let line = |problem: &Problem| [&*problem.place, ": ", &problem.message].concat();
        problems.iter().map(line).collect()
    })
}

/// A configuration of one file, which is `/etc/g.conf`.
pub(crate) fn load(text: &str) -> Result<Loaded, Vec<String>> {
    load_with(&Texts::new(&[("/etc/g.conf", text)]), &[], &[])
}

#[track_caller]
pub(crate) fn good(text: &str) -> Loaded {
    load(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn an_empty_section_is_the_defaults() {
    for text in ["[gorgon]\n", "[monitor:main]\n"] {
        let loaded = good(text);
        assert!(loaded.settings.servers.is_empty() && loaded.warnings.is_empty());
        assert_eq!(loaded.settings.monitors.len(), 1);
        assert_eq!(loaded.settings.process, Default::default());
    }
}

/// A file that says nothing is likelier a mistake.
#[test]
fn an_empty_file_is_refused() {
    let expected = "/etc/g.conf: nothing is configured: expected a section, as [http:main] or [gorgon]";
    for text in ["", "\n; nothing\n", "# [gorgon]\n", "[include]\nfiles = /etc/*.none\n"] {
        assert_eq!(load(text).map(|_| ()).unwrap_err(), [expected], "{text}");
    }
}

#[test]
fn several_servers_of_each_kind() {
    let loaded = good(
        "[handler:b/two]\nmatch=/t\n[gorgon]\ngrace = 3s\n\n[http:a]\nroot = /a\nlisten =\n  :80 write_buffer=256K\n  \
         ; not this\n\n  [::1]:81\nread_buffer = auto:4K..64K\n[http:b]\nroot: /b ; here\nlisten : :90\nindex = x, \n  y\n\
         [handler:b/one]\nkind=status\nmatch=/s\n[monitor:main]\nlisten=unix:/run/a mode=660\n[monitor:two]\nenabled=off\n",
    );
    let settings = &loaded.settings;
    assert_eq!(settings.process.grace, 3000);
    let names: Vec<&str> = settings.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let (a, b) = (&settings.servers[0], &settings.servers[1]);
    assert_eq!(a.settings.root, b"/a");
    assert_eq!(a.listeners.len(), 2);
    assert_eq!(a.listeners[0].write_buffer, Some(crate::tree::Buffer::fixed(18)));
    assert_eq!(a.settings.read_buffer.most, 16);
    assert_eq!(b.settings.index, ["x", "y"]);
    let handlers: Vec<&str> = b.handlers.iter().map(|handler| handler.name.as_str()).collect();
    assert_eq!(handlers, ["two", "one"]);
    assert_eq!(settings.monitors.len(), 2);
    assert_eq!(settings.monitors[0].listeners[0].mode, Some(0o660));
}

#[test]
fn flag_over_environment_over_file() {
    let text = "[http:a-b.c]\nroot=/srv\nread_buffer=1K\nwrite_buffer=1K\nindex=a\n";
    let files = Texts::new(&[("/etc/g.conf", text)]);
    const ENVIRONMENT: Environment = &[
        ("GORGON_HTTP_A_B_C_READ_BUFFER", "2K"),
        ("GORGON_HTTP_A_B_C_WRITE_BUFFER", "2K"),
        ("GORGON_GRACE", "7s"),
    ];
    let args = ["--http.a-b.c.write_buffer=4K", "-l:81", "-l", ":82", "-v"];
    let loaded = load_with(&files, &args, ENVIRONMENT).unwrap();
    let settings = &loaded.settings.servers[0].settings;
    assert_eq!((settings.read_buffer.least, settings.write_buffer.least), (11, 12));
    assert_eq!(settings.listen, [":81", ":82"]);
    assert!(loaded.settings.process.log_level == "debug" && loaded.settings.process.grace == 7000);
    let node = loaded.source.find(NodeKind::Http, "a-b.c").unwrap();
    let origin = |key: &str| loaded.source.show_origin(&node.given(key).unwrap().origin);
    assert_eq!(origin("index"), "/etc/g.conf:5");
    assert_eq!(origin("read_buffer"), "GORGON_HTTP_A_B_C_READ_BUFFER=2K");
    assert_eq!(origin("write_buffer"), "--http.a-b.c.write_buffer=4K");
    assert_eq!(origin("listen"), "-l:81 -l :82");
    assert!(matches!(node.given("root").unwrap().origin, Origin::File(_)));
}

#[test]
fn flags_want_a_node() {
    let two = "[http:aa]\nroot=/\n[http:b]\nroot=/\nlisten=:1\n";
    let files = Texts::new(&[("/etc/g.conf", two)]);
    for (args, line) in [
        (["-l:80"], "-l:80: expected --http.NAME.listen, for the file has not just one"),
        (["--http.a.hidden=on"], "--http.a.hidden=on: no such node in the configuration"),
        (["--http.main.hidden=on"], "--http.main.hidden=on: no such node in the configuration"),
        (["--http.aa.hidden=x"], "--http.aa.hidden=x: expected on or off"),
    ] {
        assert_eq!(load_with(&files, &args, &[]).err().unwrap(), [line]);
    }
    assert!(load_with(&files, &["--http.b.root=/x"], &[]).is_ok());
    assert_eq!(
        load_with(&files, &[], &[("GORGON_HTTP_B_HIDDEN", "x")]).err().unwrap(),
        ["GORGON_HTTP_B_HIDDEN=x: expected on or off"]
    );
    // A root may come from anywhere.
    let rootless = Texts::new(&[("/etc/g.conf", "[http:a]\n")]);
    assert!(load_with(&rootless, &["--http.a.root=/x"], &[]).is_ok());
    assert_eq!(
        load_with(&rootless, &[], &[]).err().unwrap(),
        ["/etc/g.conf:1: [http:a]: expected root, the directory or file to serve"]
    );
}

/// What is wrong with a handler is told also where its server is missing.
#[test]
fn handlers_without_their_server_are_read_all_the_same() {
    let text = "[http:a]\nroot=/\n[handler:b/x]\nkind=kgi\nmatch=/x\n";
    let problems = load_with(&Texts::new(&[("/etc/g.conf", text)]), &[], &[]).err().unwrap();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("/etc/g.conf:3: [handler:b/x]: no such HTTP server"), "{problems:?}");
    assert!(
        problems[1].starts_with("/etc/g.conf:4: kind=kgi: expected ") && problems[1].contains("redirect"),
        "{problems:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read() {
    assert_eq!(
        load_with(&Texts::default(), &["--http.a.root=/x"], &[]).err().unwrap(),
        ["/etc/g.conf: No such file or directory"]
    );
}

#[test]
fn where_the_file_is() {
    let with = |value: &'static [u8]| move |name: &str| (name == "GORGON_CONF").then_some(value);
    assert_eq!(find_path(Some("x"), &with(b"y")), Ok("x".to_owned()));
    assert_eq!(find_path(None, &with(b"y")), Ok("y".to_owned()));
    assert_eq!(find_path(None, &with(b"")), Ok(DEFAULT_PATH.to_owned()));
    assert_eq!(find_path(None, &|_| None), Ok(DEFAULT_PATH.to_owned()));
    assert!(find_path(None, &with(b"\xff")).is_err());
}
