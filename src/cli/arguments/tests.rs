//! Command lines and environments, and what becomes of them.

use super::super::node::environment_prefix;
use super::*;
use crate::cli::process::{Level, ProcessSettings};
use crate::config::settings::HttpServer;
use crate::config::source::Source;
use crate::http::settings::HttpSettings;
use crate::text::listen::Listen;
use crate::tree::Buffer;

fn run<'a>(args: &[&'a str], environment: &[(&str, &'a str)]) -> Result<Command<'a>, Vec<Problem>> {
    parse(&mut args.iter().map(|arg| arg.as_bytes()), &|name| {
        environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_bytes())
    })
}

#[track_caller]
fn settings(args: &[&str], environment: &[(&str, &str)]) -> Box<Settings> {
    match run(args, environment) {
        Ok(Command::Serve(settings)) => settings,
        Ok(_) => panic!("not a server: {args:?}"),
        Err(problems) => panic!("{}", print_problems(&problems, None)),
    }
}

fn http(settings: &Settings) -> &HttpSettings {
    &settings.servers[0].settings
}

fn listeners(settings: &Settings) -> Vec<Listen> {
    settings.servers[0].listeners.iter().map(|rule| rule.listen.clone()).collect()
}

#[track_caller]
fn problems(args: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let Err(problems) = run(args, environment) else { panic!("accepted: {args:?} {environment:?}") };
    problems
        .iter()
        .map(|problem| {
            let mut line = String::new();
            problem.print(&mut line);
            line
        })
        .collect()
}

#[test]
fn nothing_said_is_all_defaults() {
    let settings = settings(&[], &[]);
    assert_eq!(settings.process, ProcessSettings::default());
    assert_eq!(settings.servers, [HttpServer::new("main", HttpSettings::default())]);
    assert_eq!(http(&settings).root, b".");
    assert_eq!(listeners(&settings), [Listen::Any { port: 8080 }]);
}

#[test]
fn help_and_version_go_first() {
    for args in
        [&["-h"][..], &["--help"], &["-vh"], &["--bogus", "--help"], &["-V", "-h"], &["a", "b", "--help"]]
    {
        assert!(matches!(run(args, &[]), Ok(Command::Help(None))), "{args:?}");
    }
    for args in [&["-V"][..], &["--version"], &["-qV"], &["--bogus", "--version"]] {
        assert!(matches!(run(args, &[]), Ok(Command::Version)), "{args:?}");
    }
    assert_eq!(problems(&["--help=on"], &[]), ["--help=on: takes no value"]);
    assert_eq!(http(&settings(&["--", "--help"], &[])).root, b"--help");
    assert!(run(&["-l", "-h"], &[]).is_err(), "the value of an option is not an option");
}

#[test]
fn listen_in_every_spelling() {
    let two = [Listen::Any { port: 80 }, Listen::Localhost { port: 81 }];
    for args in [
        &["-l", ":80", "-l", "localhost:81"][..],
        &["-l:80", "-llocalhost:81"],
        &["-l=:80", "--listen=localhost:81"],
        &["--listen", ":80", "--http.main.listen", "localhost:81"],
        &["--http.main.listen=:80,localhost:81"],
        &["-vl:80", "-l", "localhost:81"],
        &["--listen=http://:80, localhost:81"],
    ] {
        let settings = settings(args, &[("GORGON_HTTP_MAIN_LISTEN", ":99")]);
        assert_eq!(listeners(&settings), two, "{args:?}");
        assert_eq!(settings.process.level() == Level::Debug, args[0] == "-vl:80");
    }
    let settings = settings(&[], &[("GORGON_HTTP_MAIN_LISTEN", ":80,localhost:81")]);
    assert_eq!(listeners(&settings), two);
}

#[test]
fn flag_over_environment_over_default() {
    let environment =
        [("GORGON_HTTP_MAIN_READ_BUFFER", "8K"), ("GORGON_GRACE", "3"), ("GORGON_QUIET", "yes")];
    let from_environment = settings(&[], &environment);
    assert_eq!(http(&from_environment).read_buffer, Buffer::fixed(13));
    assert_eq!(from_environment.process.grace, 3000);
    assert!(from_environment.process.level() == Level::Error);
    let args = ["--http.main.read_buffer=16K", "--gorgon.grace", "200ms", "--quiet=off"];
    let from_flags = settings(&args, &environment);
    assert_eq!(http(&from_flags).read_buffer, Buffer::fixed(14));
    assert_eq!(from_flags.process.grace, 200);
    assert!(from_flags.process.level() == Level::Info);
}

#[test]
fn of_values_the_last_counts() {
    let settings =
        settings(&["--hidden", "--http.main.hidden=off", "--gorgon.grace=1", "--gorgon.grace=2"], &[]);
    assert!(!http(&settings).hidden);
    assert_eq!(settings.process.grace, 2000);
}

#[test]
fn switches_take_no_argument_after_them() {
    let settings = settings(&["-vv", "--hidden", "--http.main.sendfile=no", "dir"], &[]);
    assert!(settings.process.level() == Level::Debug && http(&settings).hidden && !http(&settings).sendfile);
    assert_eq!(http(&settings).root, b"dir");
}

#[test]
fn every_switch_can_be_turned_off() {
    let off = settings(&["--no-listing", "--hidden", "--no-hidden", "-v", "--no-verbose"], &[]);
    assert!(!http(&off).listing && !http(&off).hidden && off.process.level() == Level::Info);
    assert!(http(&settings(&["--no-listing", "--listing"], &[])).listing);
    // Of those that say how much is said the last holds.
    for (args, level) in [
        (["-q", "-v"], Level::Debug),
        (["-v", "-q"], Level::Error),
        (["-q", "--gorgon.log_level=warn"], Level::Warn),
    ] {
        assert!(settings(&args, &[]).process.level() == level, "{args:?}");
    }
    // What is no switch cannot be turned off.
    for arg in ["--no-listen", "--no-no-listing", "--no-", "--no-help"] {
        assert_eq!(problems(&[arg], &[]).len(), 1, "{arg}");
    }
}

#[test]
fn what_to_serve() {
    for (args, root) in [
        (&["/srv/www"][..], "/srv/www"),
        (&["--http.main.root=/srv"], "/srv"),
        (&["-"], "-"),
        (&["./run"], "./run"),
        (&["--", "run"], "run"),
        (&["--", "-v"], "-v"),
        (&["-v", "dir", "-l", ":1"], "dir"),
    ] {
        let settings = settings(args, &[("GORGON_HTTP_MAIN_ROOT", "elsewhere")]);
        assert_eq!(http(&settings).root, root.as_bytes(), "{args:?}");
    }
    assert_eq!(http(&settings(&[], &[("GORGON_HTTP_MAIN_ROOT", "elsewhere")])).root, b"elsewhere");
    assert_eq!(problems(&["a", "b", "c"], &[]).len(), 2);
    assert_eq!(problems(&[""], &[]), ["'': expected a directory or a file"]);
    assert_eq!(
        problems(&["ctl"], &[]),
        ["ctl: no such command in this build; a directory of that name is ./ctl"]
    );
    assert_eq!(
        problems(&["-v", "run"], &[]),
        ["run: a command goes before all options; a directory of that name is ./run"]
    );
    assert!(problems(&["a", "--http.main.root=b"], &[])[0].starts_with("a: cannot go with --http.main.root"));
    assert_eq!(problems(&["--http.main.root="], &[]), ["--http.main.root=: expected a directory or a file"]);
}

#[test]
fn a_path_need_not_be_utf8_but_a_value_must() {
    let odd = b"d\xff".as_slice();
    let none = |_: &str| None;
    let Ok(Command::Serve(settings)) = parse(&mut [odd].into_iter(), &none) else { panic!("refused") };
    assert_eq!(http(&settings).root, odd);
    assert!(parse(&mut [b"-l", odd].into_iter(), &none).is_err());
    assert!(parse(&mut [b"--d\xff".as_slice()].into_iter(), &none).is_err());
    let environment = |name: &str| (name == "GORGON_GRACE").then_some(odd);
    let Err(problems) = parse(&mut [].into_iter(), &environment) else { panic!("accepted") };
    assert_eq!(problems, [Problem::new("GORGON_GRACE=d\u{fffd}", "expected UTF-8")]);
}

#[test]
fn a_wrong_name_gets_the_nearest() {
    for (arg, line) in [
        ("--lisen=:80", "--lisen=:80: no such option; did you mean --listen?"),
        ("--versoin", "--versoin: no such option; did you mean --version?"),
        ("--read_buffer=4K", "--read_buffer=4K: no such option; did you mean --http.main.read_buffer?"),
        ("--idle-timeout=4", "--idle-timeout=4: no such option; did you mean --http.main.idle_timeout?"),
        ("--pollr", "--pollr: no such option; did you mean --gorgon.poller?"),
        ("--frobnicate", "--frobnicate: no such option"),
        ("--daemon", "--daemon: no such option"),
        ("-x", "-x: no such option"),
        ("-t", "-t: no such option; did you mean gorgon check -c FILE?"),
        ("-vx", "-x: no such option"),
        (
            "--http.main.redbuffer=1",
            "--http.main.redbuffer=1: no such setting; did you mean --http.main.read_buffer?",
        ),
        ("--gorgon.gracee=1", "--gorgon.gracee=1: no such setting; did you mean --gorgon.grace?"),
        ("--htpt.main.root=x", "--htpt.main.root=x: no such kind of node; did you mean --http?"),
        ("--http.other.root=x", "--http.other.root=x: expected --http.main.KEY"),
        ("--http.root=x", "--http.root=x: expected --http.main.KEY"),
        ("--http.main.", "--http.main.: no such setting"),
        ("--.", "--.: no such kind of node"),
        ("--=", "--=: no such option"),
    ] {
        assert_eq!(problems(&[arg], &[]), [line]);
    }
}

#[test]
fn a_wrong_value_is_told_what_was_expected() {
    for (arg, line) in [
        (
            "--http.main.read_buffer=3000",
            "--http.main.read_buffer=3000: expected a power of two from 512 to 1M, such as 64K, or a range such as auto:\
             4K..256K",
        ),
        ("--http.main.symlinks=some", "--http.main.symlinks=some: expected one of never, inside, all"),
        ("--no-listing=off", "--no-listing=off: takes no value"),
        ("--hidden=maybe", "--hidden=maybe: expected on or off"),
        ("--gorgon.grace=1d", "--gorgon.grace=1d: expected a time such as 200ms, 10s or 5m, from 0s to 24h"),
        ("--http.main.fields_max=0", "--http.main.fields_max=0: expected a number from 1 to 1000"),
        (
            "--http.main.charset=a;b",
            "--http.main.charset=a;b: expected the name of a charset, such as utf-8, or nothing",
        ),
        ("-l", "-l: expected a value: -l ADDR"),
        ("--gorgon.grace", "--gorgon.grace: expected a value: --gorgon.grace TIME"),
        ("-lftp://:21", "-lftp://:21: this build has no FTP server"),
        ("--listen=", "--listen=: listen: expected at least one address"),
        ("-l:80,:80", "-l:80,:80: :80: given twice"),
        (
            "--http.main.head_max=1K",
            "--http.main: request_line_max: expected no more than head_max, of which the request line is a part",
        ),
    ] {
        assert_eq!(problems(&[arg], &[]), [line]);
    }
    assert_eq!(listeners(&settings(&["-l:0", "-l:0"], &[])).len(), 2);
    assert_eq!(problems(&["-l", ":80", "-l", ""], &[]).len(), 1);
    assert_eq!(problems(&[], &[("GORGON_VERBOSE", "")]), ["GORGON_VERBOSE=: expected on or off"]);
}

#[test]
fn all_problems_at_once() {
    let lines = problems(
        &["--bogus.x", "a", "b", "-l", "nowhere", "--gorgon.grace=x", "--gorgon.grace=1"],
        &[("GORGON_POLLER", "fastest"), ("GORGON_GRACE", "not looked at")],
    );
    assert_eq!(
        lines,
        [
            "--bogus.x: no such kind of node",
            "b: only one directory or file can be served",
            "--gorgon.grace=x: expected a time such as 200ms, 10s or 5m, from 0s to 24h",
            "-l nowhere: expected a port, as in 127.0.0.1:8080 or :8080",
            "GORGON_POLLER=fastest: expected one of auto, epoll, kqueue, poll, select",
        ]
    );
    let Err(problems) = run(&["-x"], &[]) else { panic!("accepted") };
    for (first, help) in
        [(None, ""), (Some(&b"-x"[..]), ""), (Some(b"run"), "run "), (Some(b"diff"), "diff ")]
    {
        let wanted = ["gorgon: -x: no such option\ngorgon: see gorgon ", help, "--help\n"].concat();
        assert_eq!(print_problems(&problems, first), wanted);
    }
}

#[test]
fn every_attribute_has_a_flag_and_a_variable() {
    for &kind in ALL {
        for about in kind.abouts() {
            let flag = [flag_prefix(kind), about.name(), "=", about.default()].concat();
            settings(&[&flag], &[]);
            let variable = [environment_prefix(kind), &about.name().to_ascii_uppercase()].concat();
            settings(&[], &[(&variable, about.default())]);
            let wrong = [flag_prefix(kind), about.name(), "=\u{7}"].concat();
            assert_eq!(problems(&[&wrong], &[]).len(), 1, "{wrong:?}");
            assert_eq!(problems(&[], &[(&variable, "\u{7}")]).len(), 1, "{variable}");
        }
    }
}

quickcheck::quickcheck! {
    /// Whatever is typed, the answer is a command or at least one problem.
    fn never_panics(args: Vec<String>, environment: Option<String>) -> bool {
        let pieces = ["-", "--", "-l", "-lv", "--http.main.", "--gorgon.grace=", "--listen=", "=", "."];
        let args: Vec<String> =
            args.iter().map(|arg| [pieces[arg.len() % pieces.len()], arg].concat()).collect();
        let variable = environment.as_deref().map(str::as_bytes);
        match parse(&mut args.iter().map(String::as_bytes), &|_| variable) {
            Ok(_) => true,
            Err(problems) => !problems.is_empty(),
        }
    }
}

#[test]
fn a_mistyped_variable_is_not_lost() {
    let strange = |names: &[&str]| -> Vec<String> {
        let problems =
            overrides::strangers(&Source::without_file(), &mut names.iter().map(|name| name.as_bytes()));
        problems.iter().map(|problem| [&*problem.place, ": ", &*problem.message].concat()).collect()
    };
    assert!(strange(&["PATH", "GORGON_POLLER", "GORGON_HTTP_MAIN_ROOT", "gorgon_x", "XGORGON_Y"]).is_empty());
    assert_eq!(
        strange(&["GORGON_LISTEN", "GORGON_HTTP_MAIN_FILE_CACH", "GORGON_XYZZY"]),
        [
            "GORGON_LISTEN: no such setting; did you mean GORGON_HTTP_MAIN_LISTEN?",
            "GORGON_HTTP_MAIN_FILE_CACH: no such setting; did you mean GORGON_HTTP_MAIN_FILE_CACHE?",
            "GORGON_XYZZY: no such setting",
        ]
    );
}

fn configured(args: &[&str]) -> (Option<String>, Vec<String>) {
    let config = match run(args, &[]) {
        Ok(Command::Run(config) | Command::Check(config)) => config,
        Ok(Command::Dump { config, .. } | Command::Diff { config, .. }) => config,
        Ok(_) => panic!("no configuration: {args:?}"),
        Err(problems) => panic!("{}", print_problems(&problems, None)),
    };
    let flags = config.flags.iter().map(|flag| {
        let name = flag.name.as_deref().unwrap_or("only");
        [flag.kind.word(), " ", name, " ", flag.about.name(), "=", &flag.text].concat()
    });
    (config.path, flags.collect())
}

#[test]
fn commands_stand_first() {
    assert_eq!(configured(&["run"]), (None, vec![]));
    for args in [
        &["run", "-c", "a.conf"][..],
        &["check", "-ca.conf"],
        &["dump", "--config=a.conf", "--json"],
        &["diff", "b.conf", "--config", "a.conf"],
        &["run", "-c=a.conf"],
    ] {
        assert_eq!(configured(args).0.as_deref(), Some("a.conf"), "{args:?}");
    }
    assert!(matches!(run(&["dump", "--json"], &[]), Ok(Command::Dump { json: true, .. })));
    assert!(matches!(run(&["dump"], &[]), Ok(Command::Dump { json: false, .. })));
    assert!(matches!(run(&["diff", "x"], &[]), Ok(Command::Diff { other, .. }) if other == "x"));
    for word in ["run", "check", "dump", "diff"] {
        assert!(matches!(run(&[word, "-x", "--help"], &[]), Ok(Command::Help(Some(found))) if found == word));
        assert!(matches!(run(&[word, "-V"], &[]), Ok(Command::Version)));
    }
}

#[test]
fn options_of_a_configuration() {
    let (_, flags) = configured(&[
        "run",
        "-v",
        "-l:80",
        "-l",
        ":81",
        "--http.a.b.hidden=on",
        "--handler.a/b.match=/x",
        "--no-listing",
        "--monitor.m.enabled=off",
    ]);
    let expected = [
        "gorgon  verbose=on",
        "http only listen=:80,:81",
        "http a.b hidden=on",
        "handler a/b match=/x",
        "http only listing=off",
        "monitor m enabled=off",
    ];
    assert_eq!(flags, expected);
    for (args, line) in [
        (&["run", "dir"][..], "dir: expected no file but that of -c; did you mean gorgon run -c dir?"),
        (&["run", "-c"], "-c: expected a file: -c FILE"),
        (&["run", "-c", "a", "--config=b"], "--config: given twice"),
        (&["run", "--json"], "--json: no such option"),
        (&["run", "--http.hidden=on"], "--http.hidden=on: expected --http.NAME.KEY"),
        (&["run", "--http.a.hiden=on"], "--http.a.hiden=on: no such setting; did you mean --http.a.hidden?"),
        (&["run", "--confg=x"], "--confg=x: no such option; did you mean --config?"),
        (&["diff"], "diff: expected a file: gorgon diff [-c FILE] OTHER"),
        (&["diff", "a", "b"], "b: expected no more than one file"),
        (&["-c", "x"], "-c: no such option; did you mean gorgon run -c FILE?"),
        (&["--config=x"], "--config=x: no such option; did you mean gorgon run -c FILE?"),
    ] {
        assert_eq!(problems(args, &[])[0], line, "{args:?}");
    }
}
