//! Logging in over TCP: against the monitor's own side of it, and against Medusa's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use gorgon::monitor::keys::Keys;
use gorgon::monitor::login::{Login, Outcome};
use gorgon::tree::Role;

use crate::common::{Directory, gorgon};
use crate::{fake, run, usual};

/// Serves one connection after another; gives the address.
fn listening(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap())));
    address
}

/// A monitor that lets `ada` in by her password `right`, and then answers as usual.
pub fn strong() -> String {
    listening(|mut stream| {
        let keys = Keys::of_password("ada", Role::Operate, b"right", [7; 16], false);
        let mut login = Login::strong([5; 16]);
        let mut out = Vec::new();
        login.greet(&mut out);
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            stream.write_all(&out).unwrap();
            out.clear();
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 {
                return;
            }
            match login.feed(line.as_bytes(), &keys, &mut out).1 {
                Outcome::More => {}
                Outcome::In(_) => break,
                Outcome::Out(why) => {
                    stream.write_all(why.farewell(login.is_legacy())).unwrap();
                    return;
                }
            }
        }
        stream.write_all(&out).unwrap();
        fake::serve(reader, &mut stream, &usual, &Mutex::new(Vec::new()));
    })
}

/// A monitor as Medusa's, with the password `fnord`.
fn medusa() -> String {
    listening(|mut stream| {
        stream.write_all(b"1795321818.99\r\n").unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line != "62de2b15606da535d4d062f31e94ecf\r\n" {
            return;
        }
        stream.write_all(b"Python 1.5.2\nand more\r\nWelcome to <secure_monitor_channel>\r\n>>> ").unwrap();
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
            match line.trim_end() {
                "exit" => {
                    stream.write_all(b"BCNU\r\n").unwrap();
                    return;
                }
                // In pieces, with what looks like a prompt in it.
                "1;2" => {
                    for piece in [&b"a >>> b\r\n>>"[..], b"x\r\n", b"2\r\n>", b">> "] {
                        stream.write_all(piece).unwrap();
                        std::thread::sleep(std::time::Duration::from_millis(20));
                    }
                }
                _ => stream.write_all(b">>> ").unwrap(),
            }
            line.clear();
        }
    })
}

fn password(place: &Directory, password: &str) -> PathBuf {
    let path = place.file(password, [password, "\n"].concat());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn client(address: &str, file: &PathBuf, args: &[&str]) -> (i32, String, String) {
    run(gorgon().args(["monitor", address, "--password-file"]).arg(file).args(args))
}

#[test]
fn the_right_password_lets_in() {
    let (place, server) = (Directory::new(), strong());
    let right = password(&place, "right");
    let wanted = (0, "/http\n/loop\n".to_owned(), String::new());
    assert_eq!(client(&server, &right, &["-u", "ada", "-c", "ls"]), wanted);
    assert_eq!(client(&format!("ada@{server}"), &right, &["-c", "ls"]), wanted);
    for (file, user) in [("wrong", "ada"), ("right", "bob")] {
        let (code, out, err) = client(&server, &password(&place, file), &["-u", user, "-c", "ls"]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert_eq!(err, "gorgon: the login was refused: wrong user or password\n");
    }
}

#[test]
fn a_password_is_kept_from_others() {
    let (place, server) = (Directory::new(), strong());
    let file = password(&place, "right");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (code, _, err) = client(&server, &file, &["-u", "ada", "-c", "ls"]);
    assert!(code == 2 && err.contains("others can read it"), "{err}");
    let (code, _, err) = client(&server, &PathBuf::from("/nonexistent"), &["-u", "ada"]);
    assert!(code == 2 && err.contains("/nonexistent: No such file"), "{err}");
    std::fs::write(&file, "\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (code, _, err) = client(&server, &file, &["-u", "ada"]);
    assert!(code == 2 && err.contains("without a password"), "{err}");
}

#[test]
fn medusas_monitor_is_talked_to() {
    let (place, server) = (Directory::new(), medusa());
    let file = password(&place, "fnord");
    let wanted = (0, "a >>> b\n>>x\n2\nBCNU\n".to_owned(), String::new());
    let legacy = |args: &[&str]| client(&server, &file, &[&["--legacy"], args].concat());
    assert_eq!(legacy(&["-c", "x = 1", "-c", "1;2", "-c", "exit"]), wanted);
    let (code, _, err) = client(&server, &password(&place, "wrong"), &["--legacy", "-c", "1"]);
    assert_eq!((code, err.as_str()), (1, "gorgon: the login was refused: wrong password\n"));
}

/// Any user of this host can wait on the port of a monitor that is down.
#[test]
fn no_server_talks_the_client_into_the_weak_answer() {
    let (place, (told, heard)) = (Directory::new(), std::sync::mpsc::channel());
    let server = listening(move |mut stream| {
        stream.write_all(b"1795321818.99\r\n").unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        told.send(all).unwrap();
    });
    let (code, out, err) = client(&server, &password(&place, "fnord"), &["-c", "1"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("MD5") && err.contains("use --legacy"), "{err}");
    assert_eq!(heard.recv().unwrap(), b"");
}

#[test]
fn other_servers_are_found_out() {
    let place = Directory::new();
    let file = password(&place, "right");
    for (said, wanted) in [
        ("SSH-2.0-x\r\n", "this is no monitor; it says: SSH-2.0-x"),
        ("error limit too many\n", "the server says: limit too many"),
        ("", "the server has ended the connection"),
        ("gorgon-monitor 1 hmac-sha256 00112233445566778899aabbccddeeff\nsalt 00 1\n", "nobody should agree"),
        (
            "gorgon-monitor 1 hmac-sha256 00112233445566778899aabbccddeeff\nsalt 00 4096\nok admin 00\n",
            "does not prove that it knows",
        ),
    ] {
        let server = listening(move |mut stream| {
            stream.write_all(said.as_bytes()).unwrap();
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let (code, _, err) = client(&server, &file, &["-c", "ls"]);
        assert!(code == 1 && err.contains(wanted), "{said}: {err}");
    }
    let (code, _, err) = client("example.org:80", &file, &[]);
    assert!(code == 2 && err.contains("names are not looked up"), "{err}");
}
