//! Paths beneath a root: one suite over both lookups, a race against renames, and both lookups against each other
//! on made-up trees and paths.

// Helpers outside of test functions count as ordinary code to these.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

// Elsewhere there is one lookup only.
#[cfg(target_os = "linux")]
mod agreement;
mod entries;
mod listing;
mod paths;
mod race;

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use gorgon_sys::*;

const POLICIES: [Symlinks; 3] = [Symlinks::Never, Symlinks::Inside, Symlinks::All];

/// The kernel's lookup where it may be asked, and ours.
fn lookups() -> [Lookup; 2] {
    [Lookup::detect(), Lookup::Walk]
}

/// A directory of its own for each test, gone with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Temporary {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gorgon-beneath-{}-{count}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Temporary(fs::canonicalize(path).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The tree most tests use: `root` to look beneath, `outside` beside it.
fn tree() -> Temporary {
    let temporary = Temporary::new();
    let at = |name: &str| temporary.path(name);
    fs::create_dir_all(at("root/a/b")).unwrap();
    fs::create_dir_all(at("outside/dir")).unwrap();
    for name in ["root/file", "root/a/file", "root/a/b/deep", "outside/secret", "outside/dir/secret"] {
        fs::write(at(name), name).unwrap();
    }
    let links = [
        ("to_file", "file"),
        ("to_deep", "a/b/deep"),
        ("to_dir", "a"),
        ("to_dir_slash", "a/"),
        ("to_file_slash", "file/"),
        ("a/up", "../file"),
        ("a/b/self", "../../a/b/./deep"),
        ("escape", "../outside/secret"),
        ("escape_dir", "../outside"),
        ("a/escape_deep", "../../outside/secret"),
        ("back_in", "../root/file"),
        ("loop", "loop"),
        ("loop_up", "a/../loop_up"),
        ("ping", "pong"),
        ("pong", "ping"),
        ("dangling", "missing"),
        ("to_new", "a/new"),
        ("to_dots", "a/b/../.."),
    ];
    for (name, target) in links {
        symlink(target, at("root").join(name)).unwrap();
    }
    symlink(at("outside/secret"), at("root/absolute")).unwrap();
    symlink(at("outside"), at("root/absolute_dir")).unwrap();
    symlink(at("root/file"), at("root/absolute_inside")).unwrap();
    symlink("/", at("root/slash")).unwrap();
    symlink("file", at("root/chain0")).unwrap();
    for link in 1..=41 {
        symlink(format!("chain{}", link - 1), at("root").join(format!("chain{link}"))).unwrap();
    }
    temporary
}

/// What a path leads to: the inode, or the error.
type Outcome = Result<u64, Errno>;

fn outcome(opened: Result<OwnedFd, Errno>) -> Outcome {
    opened.and_then(|fd| stat(fd.as_fd())).map(|found| found.inode)
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}
