//! `gorgon passwd --monitor USER[:ROLE] [FILE]`: makes the line of a monitor's key file, and prints it or puts it in its
//! place.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::from_utf8;

use gorgon_sys::{
    AsFd, Errno, FileKind, create_private, describe, fill_random, give_file, open_file, process_id,
    read_file, rename, stat_path, sync, unlink,
};

use super::arguments::Arguments;
use super::ask;
use super::terminal::{complain, say};
use crate::monitor::keys::{self, FILE_MAX, Keys, LEGACY, SALT};
use crate::monitor::login::proof::{ITERATIONS, ITERATIONS_RANGE};
use crate::monitor::roles;
use crate::text::file_path;
use crate::text::join::joined;
use crate::text::number::{parse_decimal, push_decimal, push_decimal_str};
use crate::tree::Role;

/// Wrong usage.
const USAGE: u8 = 2;
/// What else fails.
const FAILURE: u8 = 1;

const HELP: &str = "\
Usage: gorgon passwd --monitor USER[:ROLE] [--iterations N] [FILE]

Asks for a password and makes the line of USER for the key_file of a monitor.
With FILE the line is put in its place there, or else printed. ROLE is view,
operate or admin; unless told it is what FILE has for USER, or else view. What
is not a terminal is read one line of.

The line holds no password, but for this monitor it is as good as one: nobody
else may be able to read the file. The user legacy is for Medusa's handshake,
which cannot do without: then the line holds the password in clear text.
";

/// What was asked for.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
struct Request<'a> {
    user: &'a str,
    /// None was told.
    role: Option<Role>,
    iterations: u32,
    file: Option<&'a [u8]>,
}

/// Runs the subcommand with the arguments that follow its name; gives the exit code.
pub fn run(args: Arguments<'_, '_>) -> u8 {
    let request = match parse(args) {
        Ok(Some(request)) => request,
        Ok(None) => return if say(HELP) { 0 } else { FAILURE },
        Err(message) => {
            complain(&joined(&["gorgon passwd: ", &message, "\ngorgon: see gorgon passwd --help\n"]));
            return USAGE;
        }
    };
    match make(&request) {
        Ok(()) => 0,
        Err(message) => {
            complain(&joined(&["gorgon passwd: ", &message, "\n"]));
            FAILURE
        }
    }
}

/// Has the password of a monitor asked for that listens on TCP and has no key file; it is kept in memory alone. The user
/// is `admin`, with that role. Nothing: nobody is there to be asked.
///
/// # Errors
/// In one line, what was wrong with the answer.
pub fn ask_keys(node: &str, legacy: bool) -> Option<Result<Keys, String>> {
    ask::can_ask().then(|| {
        let password = ask::ask_twice(&joined(&["Password of admin for ", node, ": "]))?;
        if legacy && !keys::is_password(&password) {
            return Err(LEGACY_PASSWORD.to_owned());
        }
        Ok(Keys::of_password("admin", Role::Admin, &password, salt()?, legacy))
    })
}

const LEGACY_PASSWORD: &str = "expected a password of at most 255 bytes";

/// Nothing: the help was asked for.
fn parse<'a>(args: Arguments<'_, 'a>) -> Result<Option<Request<'a>>, String> {
    let (mut who, mut iterations, mut file, mut ended) = (None, ITERATIONS, None, false);
    let next = |args: Arguments<'_, 'a>, name: &str| {
        args.next().and_then(|text| from_utf8(text).ok()).ok_or_else(|| joined(&[name, ": expected a value"]))
    };
    while let Some(arg) = args.next() {
        let text = from_utf8(arg).unwrap_or_default();
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        match name {
            _ if ended || !arg.starts_with(b"-") => {
                if file.replace(arg).is_some() || arg.is_empty() {
                    return Err("expected one file".to_owned());
                }
            }
            "--" => ended = true,
            "-h" | "--help" => return Ok(None),
            "--monitor" => who = Some(value.map_or_else(|| next(args, name), Ok)?),
            "--iterations" => {
                let value = value.map_or_else(|| next(args, name), Ok)?;
                let number = parse_decimal(value.as_bytes()).and_then(|number| u32::try_from(number).ok());
                iterations = number
                    .filter(|number| ITERATIONS_RANGE.contains(number))
                    .ok_or("--iterations: expected 4096 to 10000000")?;
            }
            _ => return Err(joined(&[&String::from_utf8_lossy(arg), ": no such option"])),
        }
    }
    let Some(who) = who else { return Err("expected --monitor USER".to_owned()) };
    let (user, role) = who.split_once(':').map_or((who, None), |(user, role)| (user, Some(role)));
    if user != LEGACY && !keys::is_user(user) {
        return Err("--monitor: expected a user of 1 to 64 letters, digits and any of . _ - @".to_owned());
    }
    let role = role.map(|role| {
        roles::parse(role.as_bytes()).ok_or("--monitor: expected the role view, operate or admin")
    });
    let role = role.transpose()?;
    Ok(Some(Request { user, role, iterations, file }))
}

fn make(request: &Request<'_>) -> Result<(), String> {
    let password = ask::ask_twice(&joined(&["Password of ", request.user, ": "]))?;
    // What cannot be read is told when the line is to be put there.
    let kept = || request.file.and_then(|file| role_in(&read_file(file, FILE_MAX).ok()?, request.user));
    let role = request.role.or_else(kept).unwrap_or(Role::View);
    let mut line = Vec::new();
    if request.user == LEGACY {
        if !keys::is_password(&password) {
            return Err(LEGACY_PASSWORD.to_owned());
        }
        line.extend(joined(&[LEGACY, ":", roles::word(role), ":"]).bytes());
        line.extend_from_slice(&password);
        complain("gorgon passwd: warning: the line holds the password in clear text\n");
    } else {
        let mut text = String::new();
        keys::print_line(request.user, role, &password, &salt()?, request.iterations, &mut text);
        line = text.into_bytes();
    }
    line.push(b'\n');
    match request.file {
        Some(file) => {
            put(file, &line).map_err(|message| joined(&[&String::from_utf8_lossy(file), &*message]))
        }
        // A password need not be text; then it can only be put into a file.
        None => match from_utf8(&line) {
            Ok(text) if say(text) => Ok(()),
            Ok(_) => Err("standard output does not take it".to_owned()),
            Err(_) => Err("expected a FILE, for the password is no text".to_owned()),
        },
    }
}

fn salt() -> Result<[u8; SALT], String> {
    let mut salt = [0; SALT];
    fill_random(&mut salt).map_err(|error| joined(&["random bytes: ", &describe(error)]))?;
    Ok(salt)
}

/// Puts a line in its place in a file, which at no moment is half written; it stays its owner's.
fn put(file: &[u8], line: &[u8]) -> Result<(), String> {
    let told = |error: Errno| joined(&[": ", &describe(error)]);
    let (before, owner) = match stat_path(file) {
        Ok(found) if found.kind != FileKind::File => return Err(": expected a file".to_owned()),
        Ok(found) => (read_file(file, FILE_MAX + 1).map_err(told)?, Some((found.user, found.group))),
        Err(Errno::NOENT) => (Vec::new(), None),
        Err(error) => return Err(told(error)),
    };
    if let Err(problem) = Keys::parse(&before) {
        let mut message = ":".to_owned();
        push_decimal_str(problem.line.into(), &mut message);
        return Err(joined(&[&message, ": ", problem.expected]));
    }
    let after = replaced(&before, line);
    if let Err(problem) = Keys::parse(&after) {
        return Err(joined(&[": the new line: ", problem.expected]));
    }
    // Where a link leads is replaced, not the link.
    let file = gorgon_sys::real_path(file).unwrap_or_else(|_| file.to_owned());
    let mut draft = [file_path::parent(&file), b"/.gorgon-passwd-"].concat();
    push_decimal(process_id().into(), &mut draft);
    let outcome = create_private(&*draft, &after).and_then(|()| {
        let written = open_file(&*draft)?;
        if let Some((user, group)) = owner {
            give_file(written.as_fd(), user, group)?;
        }
        sync(written.as_fd())?;
        rename(&*draft, &*file)
    });
    outcome.map_err(|error| {
        if error != Errno::EXIST {
            let _gone = unlink(&*draft);
        }
        told(error)
    })
}

/// The role that a file has for a user; none if there are several, as there may be for the old handshake.
fn role_in(text: &[u8], user: &str) -> Option<Role> {
    let rest = |line: &'_ [u8]| line.strip_prefix(user.as_bytes())?.strip_prefix(b":").map(<[u8]>::to_vec);
    let mut lines = text.split(|byte| *byte == b'\n').filter_map(rest);
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let word = line.split(|byte| *byte == b':').next()?;
    roles::parse(if word.is_empty() { b"view" } else { word })
}

/// The text of a file with a line in the place of the one that is about the same: the same user, or the same role of
/// the old handshake; at the end if there is none.
fn replaced(text: &[u8], line: &[u8]) -> Vec<u8> {
    let fields = if line.starts_with(b"legacy:") { 2 } else { 1 };
    let about = |line: &[u8]| -> usize {
        let colons = line.iter().enumerate().filter(|(_, byte)| **byte == b':');
        colons.map(|(at, _)| at + 1).nth(fields - 1).unwrap_or(0)
    };
    let front = line.get(..about(line)).unwrap_or_default();
    let mut out = Vec::with_capacity(text.len() + line.len() + 1);
    let mut done = false;
    for old in text.split_inclusive(|byte| *byte == b'\n') {
        // A line without a role stands for view.
        let same = old.starts_with(front) || (front == b"legacy:view:" && old.starts_with(b"legacy::"));
        if same && !done {
            done = true;
            out.extend_from_slice(line);
        } else {
            out.extend_from_slice(old);
        }
    }
    if !done {
        if !matches!(out.last(), None | Some(b'\n')) {
            out.push(b'\n');
        }
        out.extend_from_slice(line);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn help_fits_a_terminal() {
        assert!(HELP.lines().all(|line| line.len() < 80));
    }

    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn read<'a>(args: &[&'a str]) -> Result<Option<Request<'a>>, String> {
        parse(&mut args.iter().map(|arg| arg.as_bytes()))
    }

    #[test]
    fn arguments_are_read() {
        let plain = Request { user: "anna", role: None, iterations: ITERATIONS, file: None };
        for (args, wanted) in [
            (&["--monitor", "anna"][..], plain.clone()),
            (&["--monitor=anna:view"], Request { role: Some(Role::View), ..plain.clone() }),
            (&["--monitor", "anna:admin"], Request { role: Some(Role::Admin), ..plain.clone() }),
            (&["keys", "--monitor=legacy:operate"], {
                Request { user: "legacy", role: Some(Role::Operate), file: Some(b"keys"), ..plain.clone() }
            }),
            (&["--monitor", "anna", "--iterations", "5000", "--", "-x"], {
                Request { iterations: 5000, file: Some(b"-x"), ..plain.clone() }
            }),
        ] {
            assert_eq!(read(args), Ok(Some(wanted)), "{args:?}");
        }
        assert_eq!(read(&["--monitor", "anna", "--help"]), Ok(None));
        for (args, message) in [
            (&[][..], "--monitor USER"),
            (&["anna"], "--monitor USER"),
            (&["--monitor"], "a value"),
            (&["--monitor="], "a user"),
            (&["--monitor", "an na"], "a user"),
            (&["--monitor", ":view"], "a user"),
            (&["--monitor", "anna:root"], "the role"),
            (&["--monitor", "anna:"], "the role"),
            (&["--monitor", "anna", "--iterations", "1"], "4096"),
            (&["--monitor", "anna", "--iterations=x"], "4096"),
            (&["--monitor", "anna", "a", "b"], "one file"),
            (&["--monitor", "anna", ""], "one file"),
            (&["--user", "anna"], "--user: no such option"),
            (&["-x"], "no such option"),
        ] {
            let found = read(args).unwrap_err();
            assert!(found.contains(message), "{args:?}: {found}");
        }
    }

    #[test]
    fn a_role_is_found() {
        let text = b"# anna:admin:1\nanna:operate:1\nannabel:admin:1\nlegacy::x\nlegacy2:admin:y";
        for (user, wanted) in [
            ("anna", Some(Role::Operate)),
            ("annabel", Some(Role::Admin)),
            ("ann", None),
            ("legacy", Some(Role::View)),
            ("legacy2", Some(Role::Admin)),
        ] {
            assert_eq!(role_in(text, user), wanted, "{user}");
        }
        assert_eq!(role_in(b"legacy:admin:x\nlegacy:view:y\n", "legacy"), None);
    }

    #[test]
    fn lines_are_put_in_their_place() {
        for (before, line, after) in [
            ("", "a:view:1\n", "a:view:1\n"),
            ("b:x\n", "a:view:1\n", "b:x\na:view:1\n"),
            ("b:x", "a:view:1\n", "b:x\na:view:1\n"),
            ("# a:\na:admin:2\nab:3\n", "a:view:1\n", "# a:\na:view:1\nab:3\n"),
            ("legacy:admin:x\n", "legacy:view:y\n", "legacy:admin:x\nlegacy:view:y\n"),
            ("legacy::x\nb", "legacy:view:y:z\n", "legacy:view:y:z\nb"),
            ("legacy:admin:x", "legacy:admin:y\n", "legacy:admin:y\n"),
        ] {
            assert_eq!(String::from_utf8(replaced(before.as_bytes(), line.as_bytes())).unwrap(), after);
        }
    }

    #[test]
    fn files_are_replaced_whole_and_private() {
        let place = std::env::temp_dir().join(format!("gorgon-passwd-{}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        let (file, link) = (place.join("keys"), place.join("link"));
        let bytes = |path: &std::path::Path| path.as_os_str().as_encoded_bytes().to_vec();
        put(&bytes(&file), b"legacy:view:one\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink("keys", &link).unwrap();
        put(&bytes(&link), b"legacy:view:two\n").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"legacy:view:two\n");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(put(&bytes(&file), b"legacy:admin:two\n").unwrap_err().contains("each password once"));
        std::fs::write(&file, "\nwrong\n").unwrap();
        assert!(put(&bytes(&file), b"legacy:view:three\n").unwrap_err().starts_with(":2: expected"));
        assert_eq!(std::fs::read(&file).unwrap(), b"\nwrong\n");
        assert!(put(&bytes(&place), b"legacy:view:x\n").unwrap_err().contains("expected a file"));
        assert!(put(&bytes(&place.join("no/keys")), b"legacy:view:x\n").is_err());
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 2, "no draft is left");
        std::fs::remove_dir_all(&place).unwrap();
    }
}
