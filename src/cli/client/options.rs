//! The arguments of the clients. Pure, but that a word may be the name of a socket.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::from_utf8;

use gorgon_sys::FileKind;

use super::target::Target;
use crate::cli::arguments::Arguments;
use crate::monitor::keys::is_user;
use crate::text::columns::push_visible;
use crate::text::duration;
use crate::text::join::joined;
use crate::text::number::parse_decimal;

/// Which client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Commands and their replies.
    Monitor,
    /// One command, that the configuration be read again.
    Reload,
    /// The screen.
    Top,
}

/// In what form replies are shown.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub enum Form {
    /// Tables on a terminal, else lines of the monitor's own.
    #[default]
    Fitting,
    /// JSON, an object a line.
    Json,
    /// RFC 4180.
    Csv,
    /// Tables anywhere.
    Table,
}

/// What was asked for.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Options {
    /// Which monitor.
    pub target: Target,
    /// Commands; none is what is typed, or comes by standard input.
    pub commands: Vec<String>,
    /// How replies are shown.
    pub form: Form,
    /// How often, if not once or for ever.
    pub count: Option<u64>,
    /// Milliseconds from one time to the next.
    pub interval: Option<u64>,
    /// Who to be, on TCP.
    pub user: Option<String>,
    /// Where the password is, if not with who sits at the terminal.
    pub password_file: Option<Vec<u8>>,
    /// Whether Medusa's handshake will do anywhere.
    pub legacy: bool,
}

/// The shortest interval, in milliseconds: what a monitor takes for a watch.
const SHORTEST: u64 = 100;
/// The longest.
const LONGEST: u64 = 24 * 3_600_000;

impl Tool {
    /// Its name, which is that of the subcommand.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Reload => "reload",
            Self::Top => "top",
        }
    }

    /// What `--help` prints.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Monitor => MONITOR_HELP,
            Self::Reload => RELOAD_HELP,
            Self::Top => TOP_HELP,
        }
    }
}

const MONITOR_HELP: &str = "\
Looks at a running gorgon and changes it.

Usage: gorgon monitor [OPTIONS] [TARGET]

TARGET is a process number, the path of a Unix socket, or [USER@]HOST:PORT,
where HOST is an address or localhost. Without one it is the only gorgon that
runs. Commands come from -c, or from standard input; on a terminal they are
typed, with help for help.

Options:
  -c, --command COMMAND  Do this and end; may be repeated, stops at an error
  -r, --count COUNT      So many times, or so many samples of a watch
  -i, --interval TIME    From one time to the next [1s]
      --json             Replies as JSON, an object a line
      --csv              Rows as CSV
      --table            Rows as tables, as on a terminal
  -u, --user USER        Who to log in as, over TCP
      --password-file FILE  Its first line is the password
      --legacy           Answer the MD5 challenge of Medusa, which is weak
  -h, --help             Print this help

Rows can be sorted and made CSV on this side: find connection | sort -idle | csv
gorgon reload [OPTIONS] [TARGET] is the same with -c 'call /config reload'.
";

const RELOAD_HELP: &str = "\
Has a running gorgon read its configuration again, and says what has changed.
What is wrong in it is told, and then nothing changes.

Usage: gorgon reload [OPTIONS] [TARGET]

TARGET is a process number, the path of a Unix socket, or [USER@]HOST:PORT,
where HOST is an address or localhost. Without one it is the only gorgon that
runs.

Options:
      --json             The reply as JSON
  -u, --user USER        Who to log in as, over TCP
      --password-file FILE  Its first line is the password
      --legacy           Answer the MD5 challenge of Medusa, which is weak
  -h, --help             Print this help

It is the same as gorgon monitor -c 'call /config reload'.
";

const TOP_HELP: &str = "\
Shows what a running gorgon does, and has its connections closed and tuned.

Usage: gorgon top [OPTIONS] [TARGET]

TARGET is as for gorgon monitor, but not a monitor with Medusa's login: that
tells no more than lines for people. In top, ? tells the keys.

Options:
  -i, --interval TIME    From one look to the next [1s]
  -u, --user USER        Who to log in as, over TCP
      --password-file FILE  Its first line is the password
  -h, --help             Print this help
";

/// The options, short and long. Those of both clients come first; the constants below are their places.
const NAMES: [(&[u8], &[u8]); 11] = [
    (b"-h", b"--help"),
    (b"--", b"--"),
    (b"-i", b"--interval"),
    (b"-u", b"--user"),
    (b"--password-file", b"--password-file"),
    (b"-c", b"--command"),
    (b"-r", b"--count"),
    (b"--json", b"--json"),
    (b"--csv", b"--csv"),
    (b"--table", b"--table"),
    (b"--legacy", b"--legacy"),
];
const HELP: usize = 0;
const END: usize = 1;
const INTERVAL: usize = 2;
const USER: usize = 3;
const PASSWORD_FILE: usize = 4;
const COMMAND: usize = 5;
const COUNT: usize = 6;
const JSON: usize = 7;
const CSV: usize = 8;
const TABLE: usize = 9;
const LEGACY: usize = 10;
const OF_BOTH: usize = COMMAND;

/// Reads the arguments that follow the subcommand. None when help was asked for.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse<'a>(tool: Tool, args: Arguments<'_, 'a>) -> Result<Option<Options>, String> {
    let mut options = Options {
        target: Target::Only,
        commands: Vec::new(),
        form: Form::default(),
        count: None,
        interval: None,
        user: None,
        password_file: None,
        legacy: false,
    };
    let (mut ended, mut named) = (false, false);
    while let Some(arg) = args.next() {
        if ended || arg == b"-" || !arg.starts_with(b"-") {
            if named {
                return Err(wrong(arg, "one target is enough"));
            }
            named = true;
            options.target = Target::parse(arg).or_else(|message| {
                let found = gorgon_sys::stat_path(arg).is_ok_and(|stat| stat.kind == FileKind::Other);
                if found { Ok(Target::Unix(arg.to_owned())) } else { Err(message) }
            })?;
            continue;
        }
        let (name, mut value) = split(arg);
        let known = NAMES.iter().position(|(short, long)| name == *short || name == *long);
        match known.filter(|known| tool != Tool::Top || *known < OF_BOTH) {
            Some(HELP) => return Ok(None),
            Some(END) => ended = true,
            Some(INTERVAL) => {
                let time = duration::parse(&text(&mut value, arg, args)?);
                let fits = |time: &u64| (SHORTEST..=LONGEST).contains(time);
                options.interval =
                    Some(time.filter(fits).ok_or_else(|| wrong(arg, "expected a time from 100ms to 24h"))?);
            }
            Some(USER) => {
                let user = text(&mut value, arg, args)?;
                if !is_user(&user) {
                    return Err(wrong(arg, "expected letters, digits and . _ - @"));
                }
                options.user = Some(user);
            }
            Some(PASSWORD_FILE) => options.password_file = Some(bytes(&mut value, arg, args)?.to_owned()),
            Some(COMMAND) => options.commands.push(text(&mut value, arg, args)?),
            Some(COUNT) => {
                let count = parse_decimal(text(&mut value, arg, args)?.as_bytes());
                options.count =
                    Some(count.filter(|count| *count > 0).ok_or_else(|| wrong(arg, "expected a number"))?);
            }
            Some(JSON) => options.form = Form::Json,
            Some(CSV) => options.form = Form::Csv,
            Some(TABLE) => options.form = Form::Table,
            Some(LEGACY) => options.legacy = true,
            Some(_) | None => return Err(wrong(arg, "no such option")),
        }
        if value.is_some() {
            return Err(wrong(arg, "takes no value"));
        }
    }
    Ok(Some(options))
}

/// An option and the value that is written with it: `--name=value`, `-nvalue`.
fn split(arg: &[u8]) -> (&[u8], Option<&[u8]>) {
    if arg.starts_with(b"--") {
        return match arg.iter().position(|&byte| byte == b'=') {
            Some(at) => (arg.get(..at).unwrap_or(arg), arg.get(at + 1..)),
            None => (arg, None),
        };
    }
    (arg.get(..2).unwrap_or(arg), arg.get(2..).filter(|rest| !rest.is_empty()))
}

/// The value of an option, be it in the next argument.
fn bytes<'a>(value: &mut Option<&'a [u8]>, arg: &[u8], args: Arguments<'_, 'a>) -> Result<&'a [u8], String> {
    value.take().or_else(|| args.next()).ok_or_else(|| wrong(arg, "a value is missing"))
}

#[inline(never)]
fn text<'a>(value: &mut Option<&'a [u8]>, arg: &[u8], args: Arguments<'_, 'a>) -> Result<String, String> {
    let bytes = bytes(value, arg, args)?;
    from_utf8(bytes).map(ToOwned::to_owned).map_err(|_| wrong(arg, "expected UTF-8"))
}

#[inline(never)]
fn wrong(arg: &[u8], words: &str) -> String {
    let mut out = String::new();
    push_visible(arg, &mut out);
    joined(&[&out, ": ", words])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(tool: Tool, args: &[&str]) -> Result<Option<Options>, String> {
        parse(tool, &mut args.iter().map(|arg| arg.as_bytes()))
    }

    #[test]
    fn options_are_read() {
        let options = |args: &[&str]| parsed(Tool::Monitor, args).unwrap().unwrap();
        let nothing = options(&[]);
        assert_eq!((nothing.target, nothing.form, nothing.count), (Target::Only, Form::Fitting, None));
        let all = options(&[
            "4711",
            "-c",
            "ls",
            "-cget /loop",
            "--command=a=b",
            "--json",
            "-r3",
            "-i",
            "500ms",
            "-u",
            "me",
            "--password-file",
            "/x",
            "--legacy",
        ]);
        assert_eq!(all.commands, ["ls", "get /loop", "a=b"]);
        assert_eq!((all.form, all.count, all.interval), (Form::Json, Some(3), Some(500)));
        assert_eq!((all.user.as_deref(), all.legacy), (Some("me"), true));
        assert_eq!((all.target, all.password_file.as_deref()), (Target::Process(4711), Some(&b"/x"[..])));
        assert_eq!(options(&["--csv", "--", "./-x"]).target, Target::Unix(b"./-x".to_vec()));
        for help in [&["-h"][..], &["--json", "--help", "--nonsense"]] {
            assert_eq!(parsed(Tool::Top, &["-h"]), Ok(None));
            assert_eq!(parsed(Tool::Monitor, help), Ok(None));
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (args, wanted) in [
            (&["-c"][..], "-c: a value is missing"),
            (&["--password-file"], "--password-file: a value is missing"),
            (&["-x"], "-x: no such option"),
            (&["--json=1"], "--json=1: takes no value"),
            (&["-hx", "-r", "0"], ""),
            (&["-r", "0"], "-r: expected a number"),
            (&["-i", "1ms"], "-i: expected a time"),
            (&["-i", "25h"], "-i: expected a time"),
            (&["-u", "a b"], "-u: expected letters"),
            (&["1", "2"], "2: one target is enough"),
            (&["INFO"], "INFO: expected PID, PATH, unix:PATH, or [USER@]HOST:PORT; a command goes behind -c"),
            (&["--password=x"], "--password=x: no such option"),
        ] {
            match parsed(Tool::Monitor, args) {
                Err(message) => {
                    assert!(!wanted.is_empty() && message.starts_with(wanted), "{args:?}: {message}")
                }
                Ok(options) => assert!(wanted.is_empty() && options.is_none(), "{args:?}"),
            }
        }
        assert!(parsed(Tool::Top, &["-c", "ls"]).unwrap_err().contains("no such option"));
        assert_eq!(parsed(Tool::Reload, &["-c", "x", "4"]).unwrap().unwrap().target, Target::Process(4));
        for tool in [Tool::Monitor, Tool::Reload, Tool::Top] {
            assert!(tool.help().contains(&["\nUsage: gorgon ", tool.name(), " [OPTIONS]"].concat()));
            assert!(tool.help().lines().all(|line| line.len() <= 80 && line.trim_end() == line));
        }
    }
}
