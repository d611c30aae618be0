//! `gorgon passwd --monitor`: at a terminal, from a pipe, and in a file. Python checks what it makes.
#![cfg(feature = "monitor")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use common::{Directory, gorgon};

fn passwd(args: &[&str], said: &[u8]) -> Output {
    let mut command = gorgon();
    command.arg("passwd").args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without asking.
    let _unread = child.stdin.take().unwrap().write_all(said);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_line_proves_the_password_it_was_made_of() {
    let output =
        passwd(&["--monitor", "anna:operate", "--iterations", "5000"], b"p\xc3\xa4ss word\r\nnext\n");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let line = text(&output.stdout);
    assert!(line.starts_with("anna:operate:5000:") && line.ends_with('\n'), "{line}");
    let check = "import hashlib,sys\nu,r,i,s,k=sys.argv[1].split(':')\n\
        print(hashlib.pbkdf2_hmac('sha256','p\\u00e4ss word'.encode(),bytes.fromhex(s),int(i)).hex()==k)";
    let python = Command::new("python3").args(["-c", check, line.trim_end()]).output().unwrap();
    assert_eq!(text(&python.stdout), "True\n");
    let again = passwd(&["--monitor", "anna:operate", "--iterations", "5000"], b"p\xc3\xa4ss word");
    assert_ne!(text(&again.stdout), line, "the salt is another one");
}

#[test]
fn lines_go_into_a_file_that_is_private() {
    let directory = Directory::new();
    let file = directory.path().join("keys");
    let name = file.to_str().unwrap();
    assert_eq!(passwd(&["--monitor", "anna", name], b"one\n").status.code(), Some(0));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let output = passwd(&["--monitor=legacy:admin", name], b"fnord\n");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("clear text"));
    let before = std::fs::read_to_string(&file).unwrap();
    assert_eq!(passwd(&["--monitor", "anna:admin", name], b"two\n").status.code(), Some(0));
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(before.starts_with("anna:view:") && before.ends_with("\nlegacy:admin:fnord\n"), "{before}");
    assert!(after.starts_with("anna:admin:") && after.ends_with("\nlegacy:admin:fnord\n"), "{after}");
    assert_eq!((before.lines().count(), after.lines().count()), (2, 2));
    // Another password is no other role.
    let output = passwd(&["--monitor", "anna", name], b"three\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.starts_with("anna:admin:") && kept != after, "{kept}");
    assert_eq!(passwd(&["--monitor", "anna:view", name], b"four\n").status.code(), Some(0));
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("anna:view:"));
    std::fs::write(&file, "# keys\nwrong\n").unwrap();
    let output = passwd(&["--monitor", "anna", name], b"one\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("keys:2: expected USER:ROLE"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# keys\nwrong\n");
}

#[test]
fn what_is_wrong_is_told() {
    for (args, said, code, told) in [
        (&[][..], &b""[..], 2, "expected --monitor USER"),
        (&["--monitor", "a b"], b"x\n", 2, "expected a user"),
        (&["--monitor", "anna:root"], b"x\n", 2, "expected the role"),
        (&["--monitor", "anna"], b"", 1, "expected a password"),
        (&["--monitor", "anna"], b"\n", 1, "expected a password"),
        (&["--monitor", "anna"], &[b'x'; 2000], 1, "at most 1024 bytes"),
        (&["--monitor", "legacy"], &[b'x'; 300], 1, "at most 255 bytes"),
        (&["--monitor", "anna", "/nowhere/keys"], b"x\n", 1, "/nowhere/keys: "),
    ] {
        let output = passwd(args, said);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), ""), "{args:?}");
        assert!(text(&output.stderr).contains(told), "{args:?}: {}", text(&output.stderr));
    }
    let help = passwd(&["--help"], b"");
    assert!(help.status.success() && text(&help.stdout).starts_with("Usage: gorgon passwd --monitor USER"));
}

/// At a terminal nothing is echoed while a password is asked for, and what was there before is there again at the end,
/// also at one by Ctrl-C.
#[test]
fn a_terminal_shows_no_password() {
    let script = r#"
import fcntl, os, pty, subprocess, sys, termios
def talk(says):
    fd, theirs = pty.openpty()
    before, shown = termios.tcgetattr(fd)[3], b""
    child = subprocess.Popen([sys.argv[1], "passwd", "--monitor", "anna", "--iterations", "4096"], stdin=theirs,
        stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    for end, say in says:
        part = b""
        while not part.endswith(end):
            part += os.read(fd, 1)
        shown += part
        assert not termios.tcgetattr(fd)[3] & termios.ECHO, "it is echoed"
        os.write(fd, say)
    code = child.wait(30)
    assert termios.tcgetattr(fd)[3] == before, "the terminal is another one"
    os.set_blocking(fd, False)
    try:
        shown += os.read(fd, 999)
    except BlockingIOError:
        pass
    assert b"secret" not in shown, shown
    return code, shown.decode()
code, shown = talk([(b"anna: ", b"secret\n"), (b"more: ", b"secret\n")])
assert code == 0 and "anna:view:4096:" in shown, (code, shown)
code, shown = talk([(b"anna: ", b"secret\n"), (b"more: ", b"secretly\n")])
assert code == 1 and "not the same" in shown, (code, shown)
code, shown = talk([(b"anna: ", b"\x03")])
assert code == -2, (code, shown)
"#;
    let output = Command::new("python3").args(["-c", script, env!("CARGO_BIN_EXE_gorgon")]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}
