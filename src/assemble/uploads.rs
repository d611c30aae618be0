//! Finds the directory that takes uploads.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{FileKind, OwnedFd, open_root, real_path, stat_path};

use super::Failure;
use crate::fs::{FsError, VPath};
use crate::http::handlers::upload::Uploads;
use crate::text::join::joined;

/// Why a user will not do for it.
pub(super) const UNWRITABLE: &str = " may not make files there; chown it, or name who may by --user";

/// A directory that takes uploads.
pub(super) struct Area {
    /// Its real path.
    pub(super) name: String,
    /// As it was asked for: `[http:main] upload=in`.
    asked: String,
    pub(super) directory: OwnedFd,
    /// The number of its filesystem.
    filesystem: usize,
    pub(super) uploads: Uploads,
}

fn wrong(asked: &str, why: &str) -> Box<Failure> {
    Box::new(Failure { message: joined(&[asked, ": ", why]), usage: true, error: None })
}

/// Where uploads go: `upload`, at or beneath the root of the filesystem with that number. A message begins with `place`.
///
/// # Errors
/// It is no directory there, or is hidden.
pub(super) fn find(
    upload: &str,
    root: &[u8],
    hidden: bool,
    filesystem: usize,
    place: &str,
) -> Result<Area, Box<Failure>> {
    let asked = [place, upload].concat();
    let wrong = |why: &str| wrong(&asked, why);
    let root = real_path(root).map_err(|_gone| wrong("the root cannot be opened"))?;
    if !is_directory(&root) {
        return Err(wrong("needs a directory to serve, not a file"));
    }
    let named = upload.as_bytes();
    // An absolute path stays what it is.
    let within =
        if named.starts_with(b"/") { named.to_vec() } else { [&root, b"/".as_slice(), named].concat() };
    let (directory, area) = beneath(named, &root)
        .or_else(|| beneath(&within, &root))
        .ok_or_else(|| wrong("no such thing at or beneath the directory that is served"))?;
    if !is_directory(&directory) {
        return Err(wrong("not a directory"));
    }
    let path = VPath::new(&area).map_err(|_error| wrong("its name is too long"))?;
    if path.is_hidden() && !hidden {
        return Err(wrong("names that begin with a dot are not served without --hidden"));
    }
    let opened = open_root(&directory).map_err(|_error| wrong("cannot be opened"))?;
    Ok(Area {
        name: String::from_utf8_lossy(&directory).into_owned(),
        asked,
        directory: opened,
        filesystem,
        uploads: Uploads::new(path),
    })
}

impl Area {
    /// Makes a file there and removes it: nothing tells better whether that can be done, by whom the program now is.
    ///
    /// # Errors
    /// It cannot.
    pub(super) fn probe(&self, world: &crate::world::World, who: &str) -> Result<(), Box<Failure>> {
        let filesystem = world.filesystems().nth(self.filesystem);
        let Some((filesystem, name)) = filesystem.zip(VPath::new(b"/upload").ok()) else { return Ok(()) };
        // That of the root itself is empty.
        let area = VPath::new(self.uploads.area()).unwrap_or(VPath::ROOT);
        match filesystem.draft(area, name).and_then(|mut draft| draft.begin()) {
            Ok(()) => Ok(()),
            Err(FsError::ReadOnly) => Err(wrong(&self.asked, "mounted read-only")),
            Err(FsError::Denied) => Err(wrong(&self.asked, &joined(&[who, UNWRITABLE]))),
            Err(_) => Err(wrong(&self.asked, "no file can be made there")),
        }
    }
}

fn is_directory(path: &[u8]) -> bool {
    stat_path(path).is_ok_and(|found| found.kind == FileKind::Directory)
}

/// The real path of what is named, if it is there, and the path beneath the root as the served tree names it.
pub(super) fn beneath(named: &[u8], root: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let real = real_path(named).ok()?;
    let inner = real.strip_prefix(root)?;
    // Real paths have no slash at the end, but for `/`.
    let area = match inner {
        [] => b"/".to_vec(),
        [b'/', ..] => inner.to_vec(),
        _ if root == b"/" => [b"/", inner].concat(),
        _ => return None,
    };
    Some((real, area))
}
