//! What is refused and how, included files, and any text at all.

use super::super::load::tests::{Texts, good, load, load_with};
use super::*;

/// What is wrong with a file, without its name.
fn wrong(text: &str) -> Vec<String> {
    match load(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|line| line.replace("/etc/g.conf:", "")).collect(),
    }
}

#[test]
fn each_mistake_is_named() {
    const HTTP: &str = "[http:main]\nroot=/\n";
    for (text, line) in [
        ("x = y\n", "1: x: expected a section before it, as in [http:main]"),
        ("[htpp:main]\n", "1: [htpp:main]: no such kind of node; did you mean http?"),
        ("[inclde]\n", "1: [inclde]: no such kind of node; did you mean include?"),
        ("[xyzzy:main]\nanything = goes\n", "1: [xyzzy:main]: no such kind of node"),
        ("[ftp:main]\nroot = /\n", "1: [ftp:main]: this build has no such kind"),
        ("[program:x]\n", "1: [program:x]: this build has no such kind"),
        ("[http]\n", "1: [http]: expected a name, as in [http:main]"),
        ("[http:]\n", "1: [http:]: expected a name of at most 64 letters, digits, _ . and -"),
        ("[http:a/b]\n", "1: [http:a/b]: expected a name of at most 64 letters, digits, _ . and -"),
        ("[gorgon:x]\n", "1: [gorgon:x]: expected [gorgon], of which there is one"),
        (
            "[handler:x]\n",
            "1: [handler:x]: expected [handler:SERVER/NAME], names of letters, digits, _ . and -",
        ),
        ("[handler:x/y]\n", "1: [handler:x/y]: no such HTTP server"),
        ("[gorgon]\ngrce = 1\n", "2: grce: no such setting of [gorgon]; did you mean grace?"),
        ("[gorgon]\npidfile = x\n", "2: pidfile: no such setting of [gorgon]; did you mean pid_file?"),
        (
            "[gorgon]\nlisten = :80\n",
            "2: listen: no such setting of [gorgon]; did you mean listen of [http:NAME]?",
        ),
        (
            "[gorgon]\nworkers = 4\n",
            "2: workers: no such setting of [gorgon]; one process with one thread serves all",
        ),
        ("[gorgon]\nGrace = 1\n", "2: Grace: no such setting of [gorgon]; did you mean grace?"),
        ("[gorgon]\ngrace = 1\ngrace = 2\n", "3: grace: given twice, first at 2"),
        ("[gorgon]\n[gorgon]\n", "2: [gorgon]: given twice, first at 1"),
        (
            "[gorgon]\ngrace = long\n",
            "2: grace=long: expected a time such as 200ms, 10s or 5m, from 0s to 24h",
        ),
        ("[gorgon]\ngrace =\n", "2: grace=: expected a time such as 200ms, 10s or 5m, from 0s to 24h"),
        (
            "[gorgon]\nuser = web\n  grace = 1\n",
            "2: user: expected one line; what begins with a blank goes on with the line before it",
        ),
        ("[gorgon\n", "1: expected a ] behind the name of the section"),
        ("word\n", "1: expected KEY = VALUE, [SECTION] or a comment"),
        ("[gorgon]\nuser = %(ENV_NONE)s\n", "2: %(ENV_NONE)s: the environment has no NONE"),
        ("[include]\nfile = x\n", "2: file: no such key of [include]; did you mean files?"),
        ("[include]\nfiles = x\n", "2: /etc/x: No such file or directory"),
        ("[include]\nfiles = /y/*.conf\n", "2: /y/: No such file or directory"),
        ("[include]\nfiles = */x.conf\n", "2: */x.conf: expected * ? and [ in the last name only"),
    ] {
        assert_eq!(wrong(text), [line], "{text}");
    }
    for (text, line) in [
        ("listen = :80\n  x\n", "3: listen=:80,x: x: expected a port, as in 127.0.0.1:8080 or :8080"),
        ("listen = :80,\n", "3: listen=:80,: expected rules with commas or line ends between them"),
        (
            "listen = :80 backlg=1\n",
            "3: listen=:80 backlg=1: backlg: no such setting of a rule; did you mean backlog?",
        ),
        ("listen =\n", "3: listen: expected at least one address"),
        (
            "head_max = 1K\n",
            "1: request_line_max: expected no more than head_max, of which the request line is a part",
        ),
        ("[handler:mian/x]\n", "3: [handler:mian/x]: no such HTTP server; did you mean main?"),
        (
            "read_buffer = 3K\n",
            "3: read_buffer=3K: expected a power of two from 512 to 1M, such as 64K, or a range such as auto:4K..256K",
        ),
    ] {
        assert_eq!(wrong(&[HTTP, text].concat()), [line], "{text}");
    }
}

#[test]
fn all_at_once_in_the_order_of_the_file() {
    let text = "[gorgon]\ngrace = x\n[htpp:a]\nroot=\nmore\n[http:b]\nindx = 1\nread_buffer = 3\n  7\n";
    let lines = wrong(text);
    let starts: Vec<&str> = lines.iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(starts, ["2", "3", "5", "6", "7", "8"]);
    // Many are told; then no more of them is worked out.
    let many = ["[gorgon]\n", &"x=1\n".repeat(250), "[include]\nfiles = nowhere\n"].concat();
    let lines = wrong(&many);
    assert_eq!(lines.len(), 101);
    assert_eq!(lines[99], "101: x: no such setting of [gorgon]");
    assert_eq!(lines[100], "and more: the rest was not read");
    let lines = wrong(&["[include]\nfiles = nowhere\n[gorgon]\n", &"x=1\n".repeat(100)].concat());
    assert_eq!(lines.len(), 101);
    assert!(lines[0].starts_with("2: /etc/nowhere: "), "{}", lines[0]);
    // What is read to its end is counted to its end.
    let many: String = (0..120).map(|at| format!("[http:s{at}]\nlisten=:{}\n", at + 1)).collect();
    assert_eq!(wrong(&many)[100], "and more: 20");
}

#[test]
fn two_servers_on_one_address() {
    let text = "[http:a]\nroot=/\nlisten=:80\n[http:b]\nroot=/\nlisten=:81\n  127.0.0.1:80\n[monitor:m]\nlisten=unix:/x\n\
        [monitor:n]\nlisten=unix:/x mode=600\n[monitor:o]\nenabled=off\nlisten=:81\n";
    assert_eq!(
        wrong(text),
        [
            "6: listen: 127.0.0.1:80 cannot be together with :80 of [http:a], 3",
            "11: listen: unix:/x mode=600 cannot be together with unix:/x of [monitor:m], 9"
        ]
    );
    // Without a word they all listen on the same.
    let text = "[http:a]\nroot=/\n[http:b]\nroot=/\n";
    assert_eq!(wrong(text), ["3: listen: :8080 cannot be together with :8080 of [http:a], 1"]);
}

#[test]
fn one_log_two_ways() {
    let log = "access_log=/x\naccess_log_keep=";
    let text = ["[http:a]\nroot=/\n", log, "3\n[http:b]\nlisten=:1\nroot=/\n", log, "4\n"].concat();
    assert_eq!(wrong(&text), ["8: access_log: [http:a] writes it with another _size, _keep or _format"]);
    assert!(wrong(&text.replace("keep=4", "keep=3")).is_empty());
}

#[test]
fn values_name_other_things() {
    let loaded = good(
        "[http:main]\nroot = %(here)s/www\nauth_realm = \"100%% of ; %(host_node_name)s\" ; x\nindex=50%\n",
    );
    let settings = &loaded.settings.servers[0].settings;
    assert_eq!(settings.root, b"/etc/www");
    assert_eq!(settings.auth_realm, "100% of ; box");
    assert_eq!(settings.index, ["50%"]);
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!(loaded.warnings[0].place, "/etc/g.conf:4");
}

#[test]
fn a_name_has_an_end() {
    let long = ["[http:", &"x".repeat(NAME_MAX), "]\nroot=/\n"].concat();
    assert!(wrong(&long).is_empty());
    let longer = long.replace("x]", "xx]");
    assert_eq!(wrong(&longer).len(), 1);
}

#[test]
fn files_include_files() {
    let files = Texts::new(&[
        (
            "/etc/g.conf",
            "[include]\nfiles = conf.d/[0-9]*.conf, /opt/x.conf\n[http:last]\nroot=/\nlisten=:9\n",
        ),
        ("/etc/conf.d/20.conf", "[http:b]\nroot=%(here)s\nlisten=:2\n"),
        ("/etc/conf.d/10.conf", "[http:a]\nroot=/\nlisten=:1\n[include]\nfiles=\n  more/m.conf\n"),
        ("/etc/conf.d/.30.conf", "[no\n"),
        ("/etc/conf.d/30.con", "[no\n"),
        ("/etc/conf.d/more/m.conf", "[handler:last/x]\n"),
        ("/opt/x.conf", "[gorgon]\ngrace=1\n"),
    ]);
    let loaded = load_with(&files, &[], &[]).unwrap();
    let names: Vec<&str> = loaded.settings.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "last"]);
    assert_eq!(loaded.settings.servers[1].settings.root, b"/etc/conf.d");
    assert_eq!(loaded.settings.servers[2].handlers.len(), 1);
    assert_eq!(loaded.settings.process.grace, 1000);
    assert_eq!(
        loaded.source.files,
        [
            "/etc/g.conf",
            "/etc/conf.d/10.conf",
            "/etc/conf.d/more/m.conf",
            "/etc/conf.d/20.conf",
            "/opt/x.conf"
        ]
    );
}

#[test]
fn mistakes_of_included_files() {
    let check = |files: &[(&str, &str)]| load_with(&Texts::new(files), &[], &[]).err().unwrap();
    let include = |name: &str| ["[include]\nfiles = ", name, "\n"].concat();
    assert_eq!(
        check(&[("/etc/g.conf", &include("g.conf"))]),
        ["/etc/g.conf:2: /etc/g.conf: includes itself"]
    );
    assert_eq!(
        check(&[("/etc/g.conf", &include("a")), ("/etc/a", &include("g.conf"))]),
        ["/etc/a:2: /etc/g.conf: includes itself"]
    );
    assert_eq!(
        check(&[("/etc/g.conf", &include("a a")), ("/etc/a", "")]),
        ["/etc/g.conf:2: /etc/a: included twice"]
    );
    assert_eq!(
        check(&[("/etc/g.conf", &["[gorgon]\n", &include("a")].concat()), ("/etc/a", "[gorgon]\nx=1\n")]),
        ["/etc/a:1: [gorgon]: given twice, first at /etc/g.conf:1"]
    );
    let deep: Vec<(String, String)> = (0..12)
        .map(|depth| (["/etc/", &depth.to_string()].concat(), include(&(depth + 1).to_string())))
        .collect();
    let mut files: Vec<(&str, &str)> =
        deep.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("/etc/g.conf", "[include]\nfiles=0\n"));
    assert_eq!(check(&files), ["/etc/7:2: /etc/8: files include others more than 8 deep"]);
    let many: Vec<(String, &str)> = (0..150).map(|at| (["/etc/", &at.to_string()].concat(), "")).collect();
    let mut files: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let text = include("[0-9]*");
    files.push(("/etc/g.conf", &text));
    assert!(check(&files)[0].ends_with("more than 100 files"));
}

/// A file is the same whatever it is called. What a pattern finds is what is there; a name is meant.
#[test]
fn no_file_is_read_twice() {
    let check = |main: &str, files: &[(&str, &str)]| {
        let main = ["[include]\nfiles = ", main, "\n[gorgon]\n"].concat();
        let mut all = vec![("/etc/g.conf", main.as_str())];
        all.extend_from_slice(files);
        match load_with(&Texts::new(&all), &[], &[]) {
            Ok(loaded) => loaded.source.files,
            Err(problems) => problems,
        }
    };
    let a = ("/etc/inc/a.conf", "");
    let twice = ["/etc/g.conf:2: /etc/./inc/a.conf: included twice, first as /etc/inc/a.conf"];
    assert_eq!(check("inc/a.conf ./inc/a.conf", &[a]), twice);
    let twice = ["/etc/g.conf:2: /etc/../etc/inc/a.conf: included twice, first as /etc/inc/a.conf"];
    assert_eq!(check("inc/a.conf %(here)s/../etc/inc/a.conf", &[a]), twice);
    let twice = ["/etc/g.conf:2: /etc/inc/a.conf: included twice"];
    assert_eq!(check("inc/a.conf %(here)s/inc/a.conf", &[a]), twice);
    assert_eq!(check("inc/*.conf inc/a.conf", &[a]), twice);
    let b = ("/etc/inc/b.conf", "[include]\nfiles = ../c.conf\n");
    let c = ("/etc/c.conf", "[include]\nfiles = inc/b.conf\n");
    let itself = ["/etc/inc/../c.conf:2: /etc/inc/../inc/b.conf: includes itself"];
    assert_eq!(check("inc/b.conf", &[b, c]), itself);
    // What was read is left out.
    let b = ("/etc/inc/b.conf", "[include]\nfiles = *.conf\n");
    let read = ["/etc/g.conf", "/etc/inc/a.conf", "/etc/inc/b.conf"];
    assert_eq!(check("inc/a.conf inc/*.conf", &[a, b]), read);
    assert_eq!(check("inc/*.conf ./inc/a* *.conf", &[a, b]), read);
}

/// Only what is wrong is told, not what is so for want of it.
#[test]
fn what_follows_from_a_mistake_is_not_told() {
    const ROOTED: &str = "[http:main]\nroot = /\n";
    for (text, line) in [
        (
            "[http:main]\nroot = www\n  x\n",
            "2: root: expected one line; what begins with a blank goes on with the line before it",
        ),
        ("[http:main]\nroot www\n", "2: expected KEY = VALUE, [SECTION] or a comment"),
        ("[http:main]\nroot = %(ENV_NONE)s\n", "2: %(ENV_NONE)s: the environment has no NONE"),
        (
            "[http:main]\nroot /srv:x\n",
            "2: root /srv: no such setting of [http:main]; did you mean root = ..?",
        ),
        ("[http:main] x\nroot = /\n  more\n", "1: expected nothing behind the ]"),
        ("[http:main\nroot = /\n", "1: expected a ] behind the name of the section"),
        ("[http:main] x\nroot = /\n[handler:main/h]\nmatch=/h\n", "1: expected nothing behind the ]"),
        ("[gorgon]\nuser 1\n  more\n\n  and more\n", "2: expected KEY = VALUE, [SECTION] or a comment"),
        // The listeners of both would be the same.
        (
            &[ROOTED, "[http:two]\nroot = /\nlisten = %(ENV_NONE)s\n"].concat(),
            "5: %(ENV_NONE)s: the environment has no NONE",
        ),
    ] {
        assert_eq!(wrong(text), [line], "{text}");
    }
    // What has nothing to do with it is.
    let lines =
        wrong("[gorgon]\n[http:main] x\n[http:two]\nlisten = :1\nword\n[http:three]\nlisten = :2\n  x\n");
    let starts: Vec<&str> = lines.iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(starts, ["2", "5", "6", "7"], "{lines:?}");
}

/// As nginx has it.
#[test]
fn a_value_without_a_sign_before_it() {
    let line = |text: &str| wrong(&["[http:main]\nroot = /\n", text].concat());
    let unknown = "3: listen 127.0.0.1: no such setting of [http:main]; did you mean listen = ..?";
    assert_eq!(line("listen 127.0.0.1:8080;\n"), [unknown]);
    let unknown = "3: error_log /x: no such setting of [http:main]; did you mean log_level of [gorgon]?";
    assert_eq!(line("error_log /x:y;\n"), [unknown]);
}

#[test]
fn limits_of_a_file() {
    let large = ";".repeat(FILE_MAX + 1);
    assert_eq!(load(&large).err().unwrap(), ["/etc/g.conf: expected at most 1 MiB"]);
    let sections: String = (0..=NODES_MAX).map(|at| ["[monitor:", &at.to_string(), "]\n"].concat()).collect();
    assert_eq!(wrong(&sections), ["1001: [monitor:1000]: more than 1000 sections"]);
    let mut files = Texts::default();
    files.0.insert("/etc/g.conf".to_owned(), b"[gorgon]\n; \xff\n".to_vec());
    assert_eq!(load_with(&files, &[], &[]).err().unwrap(), ["/etc/g.conf:2: expected UTF-8"]);
}

quickcheck::quickcheck! {
    /// Whatever the text is, it is read, or something is wrong with it.
    fn any_text(pieces: Vec<(u8, String)>) -> bool {
        let fronts = ["[http:a]\nroot=/\n", "[gorgon]\n", "listen=", " ", "\n", "=", "[handler:a/", "]\n", "%(", ")s"];
        let text: String = pieces
            .iter()
            .map(|(front, text)| [fronts[usize::from(*front) % fronts.len()], text].concat())
            .collect();
        match load(&text) {
            Ok(_) => true,
            Err(problems) => !problems.is_empty(),
        }
    }
}
