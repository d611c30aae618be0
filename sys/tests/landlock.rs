//! Landlock and what goes with it, each in a thread of its own: it binds the thread that asks for it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gorgon_sys::landlock::{Applied, restrict};
use gorgon_sys::privilege::{is_beneath, no_new_privileges, open_to_name};
use gorgon_sys::{AsFd, Errno};
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("gorgon-landlock-{}-{name}", std::process::id()));
        for directory in ["read", "write", "remove", "other"] {
            fs::create_dir_all(path.join(directory)).unwrap();
            fs::write(path.join(directory).join("file"), "x").unwrap();
        }
        Place(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs something in a thread restricted to the place; not where there is no Landlock.
fn restricted(name: &str, act: impl FnOnce(&Place, Applied) + Send + 'static) {
    let place = Place::new(name);
    let thread = std::thread::spawn(move || {
        assert!(no_new_privileges());
        let [read, write, remove] =
            ["read", "write", "remove"].map(|name| open_to_name(place.0.join(name)).unwrap());
        match restrict(&[read.as_fd()], &[write.as_fd()], &[remove.as_fd()]) {
            Ok(applied) => act(&place, applied),
            Err(Errno::NOSYS | Errno::OPNOTSUPP) => eprintln!("SKIPPED: this kernel has no Landlock"),
            Err(error) => panic!("{error}"),
        }
        place
    });
    drop(thread.join().unwrap());
}

fn denied<T>(result: std::io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

#[test]
fn files() {
    restricted("files", |place, _| {
        let at = |name: &str| place.0.join(name);
        assert_eq!(fs::read(at("read/file")).unwrap(), b"x");
        assert_eq!(fs::read_dir(at("read")).unwrap().count(), 1);
        assert!(denied(fs::write(at("read/file"), "y")));
        assert!(denied(fs::write(at("read/new"), "y")));
        assert!(denied(fs::remove_file(at("read/file"))));

        fs::create_dir(at("write/directory")).unwrap();
        fs::write(at("write/directory/new"), "long").unwrap();
        fs::rename(at("write/directory/new"), at("write/new")).unwrap();
        fs::write(at("write/new"), "y").unwrap();
        assert_eq!(fs::read(at("write/new")).unwrap(), b"y");
        fs::remove_file(at("write/new")).unwrap();
        fs::remove_dir(at("write/directory")).unwrap();
        assert!(std::os::unix::fs::symlink("file", at("write/link")).is_err());

        assert!(denied(fs::read(at("remove/file"))));
        assert!(denied(fs::write(at("remove/new"), "y")));
        fs::remove_file(at("remove/file")).unwrap();

        assert!(denied(fs::read(at("other/file"))));
        assert!(denied(fs::read_dir(at("other"))));
        assert!(denied(fs::read_dir("/")));
        assert!(denied(fs::read("/etc/passwd")));
        assert!(denied(fs::OpenOptions::new().write(true).open("/dev/null")));
        assert!(denied(fs::remove_file(at("other/file"))));
    });
}

#[test]
fn programs() {
    restricted("programs", |_, _| {
        let true_or_not = std::process::Command::new("/bin/true")
            .stdin(std::process::Stdio::inherit())
            .stdout(std::process::Stdio::inherit())
            .stderr(std::process::Stdio::inherit())
            .status();
        assert!(denied(true_or_not));
    });
}

#[test]
fn network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    restricted("network", move |_, applied| {
        let address = listener.local_addr().unwrap();
        assert_eq!(denied(TcpListener::bind("127.0.0.1:0")), applied.network);
        assert_eq!(denied(TcpStream::connect(address)), applied.network);
        if applied.network {
            return;
        }
        // What was open before still works.
        let _client = TcpStream::connect(address).unwrap();
        listener.accept().unwrap();
    });
}

#[test]
fn beneath() {
    let place = Place::new("beneath");
    let open = |name: &str| open_to_name(place.0.join(name)).unwrap();
    let top = open("");
    for (below, above, yes) in
        [("read", "", true), ("", "", true), ("", "read", false), ("read", "write", false)]
    {
        assert_eq!(is_beneath(open(below).as_fd(), open(above).as_fd()), Ok(yes), "{below} {above}");
    }
    let root = open_to_name(std::path::Path::new("/")).unwrap();
    assert_eq!(is_beneath(top.as_fd(), root.as_fd()), Ok(true));
    assert_eq!(is_beneath(root.as_fd(), top.as_fd()), Ok(false));
    assert_eq!(is_beneath(root.as_fd(), root.as_fd()), Ok(true));
    assert_eq!(open_to_name(place.0.join("read/file")).err(), Some(Errno::NOTDIR));
}
