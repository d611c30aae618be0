//! The files of a configuration, as its reader sees them.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use gorgon_sys::{Directory, Errno, FileKind, NO_FILE, describe, open_file, read_file, stat_path};

/// What tells a file from all others, whatever it is called: on a system the numbers of its filesystem and its own.
pub type Identity = (u64, u64);

/// What gives the reader its files; the paths are as they were written.
pub trait Files {
    /// The bytes of a file, at most `most` of them.
    ///
    /// # Errors
    /// The system's words.
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, String>;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    /// The system's words.
    fn list(&self, directory: &str) -> Result<Vec<String>, String>;

    /// Which file that is; nothing if there is none. No file is two zeros.
    fn identity(&self, path: &str) -> Option<Identity>;
}

/// Those of the system.
pub struct SystemFiles;

/// The most names that are taken of a directory.
const NAMES_MAX: usize = 10_000;

impl Files for SystemFiles {
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, String> {
        read_file(path, most).map_err(|error| match error {
            Errno::ISDIR => String::from("expected a file, not a directory"),
            NO_FILE => String::from("expected a file"),
            error => describe(error),
        })
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        let listed = open_file(directory).and_then(Directory::new).and_then(|mut directory| {
            let mut buffer = [const { MaybeUninit::uninit() }; 4096];
            // What is not UTF-8 could not be named in an error.
            let each = &mut |name: &[u8], _kind: Option<FileKind>, _inode: u64| {
                if names.len() < NAMES_MAX {
                    names.extend(core::str::from_utf8(name).map(String::from));
                }
            };
            while directory.next_slice(&mut buffer, each)? {}
            Ok(())
        });
        listed.map_err(|error| String::from(&*describe(error)))?;
        Ok(names)
    }

    fn identity(&self, path: &str) -> Option<Identity> {
        stat_path(path).ok().map(|found| (found.device, found.inode))
    }
}
