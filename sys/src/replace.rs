//! Replaces files as wholes: at every moment there is the old text or the new one under a name, never half of one.
//!
//! ```text
//! prepare: the new text is on the disk, under a name of its own -> commit: that gets the file's name
//!                                                               -> dropped: it is gone, and nothing has changed
//! ```
//!
//! Of several files all are prepared before one is committed: what can go wrong, room and rights, goes wrong before.
//!
//! A file of an owner or a group that this process cannot give a new file to, as `vim` has it, is written to in its place:
//! it stays what it is, and who may read it stays the same. The new text lies beside it until that is on the disk, and stays
//! there should neither text be in the file for certain. Where nothing can be made beside it, the file that can be written
//! to is written to all the same: then only this process has both texts until it is done. Nor can a file that is mounted,
//! as containers have single ones, lose its name to another: that is found out by trying.

use alloc::ffi::CString;
use alloc::vec::Vec;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RawMode, Uid};
use rustix::io::Errno;

use crate::file::{NO_FILE, open_at, read_open, real_path, terminated};
use crate::standard::process_id;

/// A new text for a file, which is not its text yet.
pub struct Replacement {
    directory: OwnedFd,
    name: CString,
    temporary: CString,
    /// The new text.
    text: Vec<u8>,
    /// The file as it was found.
    old: (u64, u64),
    /// The file itself and its text, where it is written to in its place, and why.
    place: Option<(OwnedFd, Vec<u8>, InPlace)>,
    /// Nothing lies beside it that is to be removed.
    done: bool,
}

/// Why a file is written to in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InPlace {
    /// A new one could not have its owner and its group.
    Foreign,
    /// No file can be made beside it.
    Alone,
    /// No other can have its name, for it is mounted there.
    Mounted,
}

/// Why there can be no new text.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its owner or its group is another, to whom this process may not give a file, and it may not write to that one either.
    Foreign,
    /// This process may neither write to it nor make files beside it.
    Alone,
    /// The system's reason. `EEXIST`: something that is no file of ours has the name `.NAME.PID`. `ENXIO`: it is no file.
    System(Errno),
}

impl From<Errno> for Refused {
    fn from(error: Errno) -> Refused {
        Refused::System(error)
    }
}

/// Why a new text did not come.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// The system's.
    pub error: Errno,
    /// Neither text is in the file for certain.
    pub torn: bool,
}

impl Replacement {
    /// Writes a new text for a file, with the mode and the owner that has, and waits until it is on the disk. A link that
    /// leads to the file will stay. What a process that died left of this is replaced.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn prepare(path: &[u8], bytes: &[u8]) -> Result<Replacement, Refused> {
        let real = real_path(path)?;
        // A real path is absolute.
        let slash = real.iter().rposition(|byte| *byte == b'/').ok_or(Errno::INVAL)?;
        let (parent, name) = real.split_at_checked(slash + 1).ok_or(Errno::INVAL)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open_at(&terminated(parent)?, flags, Mode::empty())?;
        let mut temporary = Vec::from(b".");
        temporary.extend_from_slice(name);
        temporary.push(b'.');
        push_digits(process_id(), &mut temporary);
        let (name, temporary) = (terminated(name)?, terminated(&temporary)?);
        let old = rustix::fs::statat(&directory, &*name, AtFlags::SYMLINK_NOFOLLOW)?;
        if !is_file(&old) {
            return Err(Refused::System(NO_FILE));
        }
        // What nobody may change, whoever owns it, is found out while other files have not been written yet.
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&directory, &*name, flags, Mode::empty());
        if let Err(error @ (Errno::PERM | Errno::ROFS)) = opened {
            return Err(Refused::System(error));
        }
        // What has the name of the new text is none of ours yet.
        let text = Vec::from(bytes);
        let own = identity(&old);
        let mut made = Replacement { directory, name, temporary, text, old: own, place: None, done: true };
        let file = match create(&made.directory, &made.temporary) {
            Err(error @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => {
                made.open(InPlace::Alone).map_err(|denied| match (error, denied) {
                    (Errno::ROFS, _) => Refused::System(error),
                    // That it cannot be written to is not all that is wrong.
                    (_, Errno::ACCESS) => Refused::Alone,
                    _ => Refused::System(denied),
                })?;
                return Ok(made);
            }
            created => created?,
        };
        made.done = false;
        write_all(&file, bytes, 0)?;
        match give(&file, &old) {
            Err(Errno::PERM | Errno::INVAL) => {
                made.open(InPlace::Foreign).map_err(|denied| match denied {
                    Errno::ACCESS => Refused::Foreign,
                    _ => Refused::System(denied),
                })?
            }
            outcome => outcome?,
        }
        rustix::fs::fsync(&file)?;
        Ok(made)
    }

    /// Opens the file to write to it, if it is still that one.
    fn open(&mut self, why: InPlace) -> Result<(), Errno> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, &*self.name, flags, Mode::empty())?;
        let found = rustix::fs::fstat(&file)?;
        if identity(&found) != self.old {
            return Err(Errno::STALE);
        }
        let text = read_open(&file, usize::MAX)?;
        self.place = Some((file, text, why));
        Ok(())
    }

    /// Gives the new text the name of the file, or the file the new text, and says why if it is that.
    ///
    /// # Errors
    /// The system's. Then nothing has changed; should the disk not even take the old text again, the new one stays under
    /// the name `.NAME.PID`, where it lies there.
    pub fn commit(mut self) -> Result<Option<InPlace>, Broken> {
        if self.place.is_none() {
            match rustix::fs::renameat(&self.directory, &*self.temporary, &self.directory, &*self.name) {
                Err(Errno::BUSY | Errno::XDEV) => self.open(InPlace::Mounted),
                renamed => renamed,
            }
            .map_err(|error| Broken { error, torn: false })?;
        }
        let Some((file, old, why)) = self.place.take() else {
            self.done = true;
            // That the name lasts is as good as done; where a directory cannot be synchronised, so be it.
            let _synchronised = rustix::fs::fsync(&self.directory);
            return Ok(None);
        };
        write_over(&file, &old, &self.text).map_err(|error| {
            let torn = write_whole(&file, &old).is_err();
            self.done |= torn;
            Broken { error, torn }
        })?;
        Ok(Some(why))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.done {
            let _gone = rustix::fs::unlinkat(&self.directory, &*self.temporary, AtFlags::empty());
        }
    }
}

/// What tells a file from all others. The width and sign of the numbers differ between systems.
#[allow(clippy::unnecessary_cast)]
fn identity(stat: &rustix::fs::Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

fn is_file(stat: &rustix::fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Makes the file for the new text. The process that has a number has had it before: the first one of a container has
/// the same every time. So what it left is in the way, and is taken away if it is a file of this user's.
fn create(directory: &OwnedFd, temporary: &CString) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let create = || rustix::fs::openat(directory, &**temporary, flags, Mode::RUSR | Mode::WUSR);
    match create() {
        Err(Errno::EXIST) => {
            let left = rustix::fs::statat(directory, &**temporary, AtFlags::SYMLINK_NOFOLLOW)?;
            if !is_file(&left) || left.st_uid != rustix::process::geteuid().as_raw() {
                return Err(Errno::EXIST);
            }
            rustix::fs::unlinkat(directory, &**temporary, AtFlags::empty())?;
            create()
        }
        made => made,
    }
}

/// Writes bytes from a place in a file on.
fn write_all(file: &OwnedFd, mut bytes: &[u8], mut at: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let count = rustix::io::retry_on_intr(|| rustix::io::pwrite(file.as_fd(), bytes, at))?;
        bytes = bytes.get(count..).unwrap_or_default();
        at += count as u64;
        if count == 0 {
            return Err(Errno::NOSPC);
        }
    }
    Ok(())
}

/// Has a file hold that and nothing else, on the disk.
fn write_whole(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    write_all(file, bytes, 0)?;
    rustix::fs::ftruncate(file, bytes.len() as u64)?;
    rustix::fs::fsync(file)
}

/// The same of a file that holds another text. What is longer comes first: where there is no room for it, nothing of the old
/// text was written over.
fn write_over(file: &OwnedFd, old: &[u8], new: &[u8]) -> Result<(), Errno> {
    write_all(file, new.get(old.len()..).unwrap_or_default(), old.len() as u64)?;
    write_whole(file, new)
}

/// Gives a new file to the owner and the group of an old one, and its permission bits.
fn give(file: &OwnedFd, old: &rustix::fs::Stat) -> Result<(), Errno> {
    let new = rustix::fs::fstat(file)?;
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid) {
        rustix::fs::fchown(file, Some(Uid::from_raw(old.st_uid)), Some(Gid::from_raw(old.st_gid)))?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(old.st_mode as RawMode & 0o7777))
}

fn push_digits(number: u32, out: &mut Vec<u8>) {
    if number >= 10 {
        push_digits(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn prepare(path: &std::path::Path, text: &str) -> Result<Replacement, Refused> {
        Replacement::prepare(path.as_os_str().as_bytes(), text.as_bytes())
    }

    #[test]
    fn keeps_what_is_not_its_text() {
        let directory = std::env::temp_dir().join(std::format!("gorgon-replace-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (file, link) = (directory.join("file"), directory.join("link"));
        std::fs::write(&file, "old text").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        let before = file.metadata().unwrap();
        prepare(&link, "new").unwrap().commit().unwrap();
        let after = file.metadata().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino());
        // Nothing is left behind, whatever came of it.
        assert_eq!(prepare(&directory.join("none"), "").err(), Some(Refused::System(Errno::NOENT)));
        assert_eq!(prepare(&directory, "x").err(), Some(Refused::System(NO_FILE)));
        // It takes no place until it is committed.
        let new = prepare(&file, "newer").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        drop(new);
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 2);
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn what_was_left_is_in_nobodys_way() {
        let directory = std::env::temp_dir().join(std::format!("gorgon-left-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (file, other) = (directory.join("file"), directory.join("other"));
        let left = directory.join(std::format!(".file.{}", std::process::id()));
        for path in [&file, &other, &left] {
            std::fs::write(path, "old").unwrap();
        }
        prepare(&file, "new").unwrap().commit().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert!(!left.exists());
        // What is none of ours stays, and where a link leads is not written to.
        symlink(&other, &left).unwrap();
        assert_eq!(prepare(&file, "newer").err(), Some(Refused::System(Errno::EXIST)));
        std::fs::remove_file(&left).unwrap();
        std::fs::create_dir(&left).unwrap();
        assert_eq!(prepare(&file, "newer").err(), Some(Refused::System(Errno::EXIST)));
        assert_eq!(
            (std::fs::read(&file).unwrap(), std::fs::read(&other).unwrap()),
            (b"new".into(), b"old".into())
        );
        assert!(left.exists());
        std::fs::remove_dir_all(&directory).unwrap();
    }

    /// A new text that cannot have the file's name: here since it lies in another filesystem, as a mount would have it.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_mounted_is_written_to_in_its_place() {
        let name = std::format!("gorgon-mounted-{}", std::process::id());
        let (directory, far) =
            (std::env::temp_dir().join(&name), std::path::Path::new("/dev/shm").join(&name));
        std::fs::create_dir_all(&directory).unwrap();
        if std::fs::write(&far, "new").is_err() {
            std::eprintln!("SKIPPED: nothing can be made in /dev/shm");
            return;
        }
        let file = directory.join("file");
        std::fs::write(&file, "old text").unwrap();
        let before = file.metadata().unwrap();
        // Another file by that name is none of ours.
        for other in [true, false] {
            let mut new = prepare(&file, "new").unwrap();
            std::fs::remove_file(directory.join(std::format!(".file.{}", std::process::id()))).unwrap();
            std::fs::write(&far, "new").unwrap();
            new.temporary = terminated(far.as_os_str().as_bytes()).unwrap();
            if other {
                new.old.1 ^= 1;
                assert_eq!(new.commit(), Err(Broken { error: Errno::STALE, torn: false }));
                assert_eq!(std::fs::read(&file).unwrap(), b"old text");
            } else {
                assert_eq!(new.commit(), Ok(Some(InPlace::Mounted)));
                assert_eq!(std::fs::read(&file).unwrap(), b"new");
            }
            assert!(!far.exists());
        }
        assert_eq!(file.metadata().unwrap().ino(), before.ino());
        std::fs::remove_dir_all(&directory).unwrap();
    }

    /// One that is written to in its place: `place` for the file, and what is beside it.
    #[cfg(target_os = "linux")]
    fn in_place(place: OwnedFd, directory: &std::path::Path) -> Replacement {
        std::fs::write(directory.join(".file.1"), "longer").unwrap();
        let old = identity(&rustix::fs::fstat(&place).unwrap());
        let place = Some((place, b"old".to_vec(), InPlace::Foreign));
        let directory = crate::open_directory(directory).unwrap();
        let (name, temporary) = (terminated(b"file").unwrap(), terminated(b".file.1").unwrap());
        Replacement { directory, name, temporary, text: b"longer".to_vec(), old, place, done: false }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_text_is_lost_in_a_place() {
        use rustix::fs::{MemfdFlags, SealFlags};
        let directory = std::env::temp_dir().join(std::format!("gorgon-in-place-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (file, draft) = (directory.join("file"), directory.join(".file.1"));
        for old in ["old", "much longer than the new one"] {
            std::fs::write(&file, old).unwrap();
            let open = std::fs::File::options().write(true).open(&file).unwrap();
            in_place(open.into(), &directory).commit().unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), b"longer");
            assert!(!draft.exists());
        }
        // No room for the new text: the old one is there again.
        let memory = rustix::fs::memfd_create(c"text", MemfdFlags::ALLOW_SEALING).unwrap();
        write_whole(&memory, b"old").unwrap();
        rustix::fs::fcntl_add_seals(&memory, SealFlags::GROW).unwrap();
        let seen = memory.try_clone().unwrap();
        assert_eq!(in_place(memory, &directory).commit(), Err(Broken { error: Errno::PERM, torn: false }));
        let mut text = [0; 10];
        assert_eq!(rustix::io::pread(&seen, &mut text[..], 0), Ok(3));
        assert_eq!(&text[..3], b"old");
        assert!(!draft.exists());
        // Room for neither: the new one is beside it.
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let broken = Broken { error: Errno::NOSPC, torn: true };
        assert_eq!(in_place(full.into(), &directory).commit(), Err(broken));
        assert_eq!(std::fs::read(&draft).unwrap(), b"longer");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
