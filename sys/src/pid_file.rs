//! A file that holds the number of the process, and its lock for as long as the process lives.
//!
//! ```text
//! claim: is it held? -> new file, locked -> takes the name, empty      ready: the number is written
//! ```
//!
//! The name is taken while the process may still do so; what it gives up later is no matter to a file that is open.

use alloc::vec::Vec;
use core::ffi::CStr;

use alloc::ffi::CString;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::name::{create_in, rename_in, stat_in, unlink_in};
use crate::stat::{FileKind, stat};

/// The longest that a file of this kind is, in bytes.
const LONGEST: usize = 32;

/// Why a name cannot be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// A process that lives has the file locked. What the file holds: its number, or nothing.
    Held(Vec<u8>),
    /// Something is there that is no file of this kind.
    Foreign,
    /// The system's answer.
    System(Errno),
}

impl From<Errno> for Claim {
    fn from(error: Errno) -> Claim {
        Claim::System(error)
    }
}

/// The file: emptied or removed when it is dropped, unless another has taken its name by then.
pub struct PidFile {
    file: OwnedFd,
    directory: Option<OwnedFd>,
    name: CString,
}

impl PidFile {
    /// Takes a name in a directory: from then on an empty file has it, with mode 0644, which is locked (flock(2)). A file
    /// that a dead process left is replaced, one that a living one has locked is not, nor is anything that does not look
    /// like the file of a number.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn claim(directory: OwnedFd, name: CString) -> Result<PidFile, Claim> {
        look(directory.as_fd(), &name)?;
        let mut spare = Vec::from(b".".as_slice());
        spare.extend_from_slice(name.to_bytes());
        spare.push(b'.');
        spare.extend_from_slice(crate::runtime::digits(crate::standard::process_id(), &mut [0; 10]));
        let spare = CString::new(spare).map_err(|_nul| Errno::INVAL)?;
        let file = match create_in(directory.as_fd(), &spare) {
            Err(Errno::EXIST) => {
                // A process of the same number ended between the two: the first one of a container has one every time.
                unlink_in(directory.as_fd(), &spare)?;
                create_in(directory.as_fd(), &spare)?
            }
            made => made?,
        };
        let taken = rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))
            .and_then(|()| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive))
            .and_then(|()| rename_in(directory.as_fd(), &spare, &name));
        if let Err(error) = taken {
            let _gone = unlink_in(directory.as_fd(), &spare);
            return Err(error.into());
        }
        Ok(PidFile { file, directory: Some(directory), name })
    }

    /// Writes the number of this process and a line feed, in one write.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self) -> Result<(), Errno> {
        let mut room = [0; 10];
        let mut text = Vec::from(crate::runtime::digits(crate::standard::process_id(), &mut room));
        text.push(b'\n');
        rustix::io::retry_on_intr(|| rustix::io::pwrite(&self.file, &text, 0)).map(|_count| ())
    }

    /// The directory that it lies in, where it is to be removed from.
    #[must_use]
    pub fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.directory.as_ref().map(AsFd::as_fd)
    }

    /// Lets go of the directory, which would lead out of a new root directory. The file is emptied at the end instead.
    pub fn forget_directory(&mut self) {
        self.directory = None;
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let key = |stat: crate::stat::FileStat| (stat.device, stat.inode);
        let ours = stat(self.file.as_fd()).ok().map(key);
        if let Some(directory) = &self.directory {
            let there = stat_in(directory.as_fd(), &self.name).ok().map(key);
            if there != ours || unlink_in(directory.as_fd(), &self.name).is_ok() {
                return;
            }
        }
        // It is not ours to remove any more: a number that is no longer true is worse than none.
        let _outcome = rustix::fs::ftruncate(&self.file, 0);
    }
}

/// Whether a name is free, or is that of a file of a process that is gone.
fn look(directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Claim> {
    // What is no file is not opened: that could do something.
    match stat_in(directory, name) {
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if found.kind != FileKind::File => return Err(Claim::Foreign),
        Ok(_) => {}
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let mut text = [0; LONGEST + 1];
    let count = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut text))?;
    let text = text.get(..count).unwrap_or_default();
    if count > LONGEST || !text.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) {
        return Err(Claim::Foreign);
    }
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => Err(Claim::Held(text.trim_ascii().to_vec())),
        outcome => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn place(name: &str) -> (PathBuf, impl Fn() -> Result<PidFile, Claim>) {
        let place = std::env::temp_dir().join(format!("gorgon-pid-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        let path = place.join("g.pid");
        (path, move || PidFile::claim(crate::privilege::open_to_name(&place).unwrap(), c"g.pid".into()))
    }

    fn pid() -> String {
        format!("{}\n", std::process::id())
    }

    #[test]
    fn it_is_empty_until_it_is_written_and_gone_at_the_end() {
        let (path, claim) = place("life");
        let file = claim().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(claim().err(), Some(Claim::Held(Vec::new())));
        file.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), pid());
        assert_eq!(claim().err(), Some(Claim::Held(pid().trim().into())));
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        drop(file);
        assert!(!path.exists());
        drop(claim().unwrap());
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_the_dead_left_is_replaced() {
        let (path, claim) = place("stale");
        let spare = path.with_file_name(format!(".g.pid.{}", std::process::id()));
        for text in ["", "1\n", "  4711\r\n", "1 2"] {
            fs::write(&path, text).unwrap();
            fs::write(&spare, "of a process of this number").unwrap();
            let file = claim().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "");
            drop(file);
            assert!(!path.exists() && !spare.exists());
        }
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_something_else_stays() {
        let (path, claim) = place("foreign");
        for text in ["root:x:0:0\n", "12x", &"1".repeat(33)] {
            fs::write(&path, text).unwrap();
            assert_eq!(claim().err(), Some(Claim::Foreign));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            fs::remove_file(&path).unwrap();
        }
        // A link is no file, whatever it leads to.
        std::os::unix::fs::symlink("target", &path).unwrap();
        assert_eq!(claim().err(), Some(Claim::Foreign));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(claim().err(), Some(Claim::Foreign));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn that_of_a_successor_stays() {
        let (path, claim) = place("successor");
        let file = claim().unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "7\n").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "7\n");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn one_that_cannot_be_removed_is_emptied() {
        let (path, claim) = place("emptied");
        let mut file = claim().unwrap();
        file.write().unwrap();
        file.forget_directory();
        assert!(file.directory().is_none());
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
