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
//! to is written to all the same: then only this process has both texts until it is done.

use alloc::ffi::CString;
use alloc::vec::Vec;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RawMode, Uid};
use rustix::io::Errno;

use crate::file::{NO_FILE, open_at, read_file, real_path, terminated};
use crate::standard::process_id;

/// A new text for a file, which is not its text yet.
pub struct Replacement {
    directory: OwnedFd,
    name: CString,
    temporary: CString,
    /// The file itself, its text and the new one, where it is written to in its place.
    place: Option<(OwnedFd, Vec<u8>, Vec<u8>)>,
    /// Nothing lies beside it that is to be removed.
    done: bool,
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
    /// The system's. `EPERM`: the owner or the group is another, to whom this process may not give a file, and it may not
    /// write to that one either. `EACCES`: it may neither write to it nor make files beside it. `EEXIST`: something that is no file of ours has the name `.NAME.PID`. `ENXIO`: it is no file.
    pub fn prepare(path: &[u8], bytes: &[u8]) -> Result<Replacement, Errno> {
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
            return Err(NO_FILE);
        }
        // What has the name of the new text is none of ours yet.
        let mut made = Replacement { directory, name, temporary, place: None, done: true };
        let file = match create(&made.directory, &made.temporary) {
            Err(error @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => {
                let refused = if error == Errno::PERM { Errno::ACCESS } else { error };
                let file = made.open(&old).map_err(|_| refused)?;
                made.place = Some((file, read_file(path, usize::MAX)?, Vec::from(bytes)));
                return Ok(made);
            }
            created => created?,
        };
        made.done = false;
        write_all(&file, bytes, 0)?;
        match give(&file, &old) {
            Err(Errno::PERM | Errno::INVAL) => {
                made.place = Some((made.open(&old)?, read_file(path, usize::MAX)?, Vec::from(bytes)))
            }
            outcome => outcome?,
        }
        rustix::fs::fsync(&file)?;
        Ok(made)
    }

    /// Opens the file to write to it, if it is still that one.
    fn open(&self, old: &rustix::fs::Stat) -> Result<OwnedFd, Errno> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, &*self.name, flags, Mode::empty());
        // That it cannot be written to is not all that is wrong.
        let file = file.map_err(|error| if error == Errno::ACCESS { Errno::PERM } else { error })?;
        let found = rustix::fs::fstat(&file)?;
        let same = (found.st_dev, found.st_ino) == (old.st_dev, old.st_ino);
        if same { Ok(file) } else { Err(Errno::STALE) }
    }

    /// Whether the file is written to in its place; and then whether a new one could be made, but could not be its owner's
    /// and its group's.
    #[must_use]
    pub fn in_place(&self) -> Option<bool> {
        self.place.as_ref().map(|_| !self.done)
    }

    /// Gives the new text the name of the file, or the file the new text.
    ///
    /// # Errors
    /// The system's. Then nothing has changed; should the disk not even take the old text again, the new one stays under
    /// the name `.NAME.PID`, where it lies there.
    pub fn commit(mut self) -> Result<(), Broken> {
        if let Some((file, old, new)) = self.place.take() {
            return write_over(&file, &old, &new).map_err(|error| {
                let torn = write_whole(&file, &old).is_err();
                self.done |= torn;
                Broken { error, torn }
            });
        }
        rustix::fs::renameat(&self.directory, &*self.temporary, &self.directory, &*self.name)
            .map_err(|error| Broken { error, torn: false })?;
        self.done = true;
        // That the name lasts is as good as done; where a directory cannot be synchronised, so be it.
        let _synchronised = rustix::fs::fsync(&self.directory);
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.done {
            let _gone = rustix::fs::unlinkat(&self.directory, &*self.temporary, AtFlags::empty());
        }
    }
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

    fn prepare(path: &std::path::Path, text: &str) -> Result<Replacement, Errno> {
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
        assert_eq!(prepare(&directory.join("none"), "").err(), Some(Errno::NOENT));
        assert_eq!(prepare(&directory, "x").err(), Some(NO_FILE));
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
        assert_eq!(prepare(&file, "newer").err(), Some(Errno::EXIST));
        std::fs::remove_file(&left).unwrap();
        std::fs::create_dir(&left).unwrap();
        assert_eq!(prepare(&file, "newer").err(), Some(Errno::EXIST));
        assert_eq!(
            (std::fs::read(&file).unwrap(), std::fs::read(&other).unwrap()),
            (b"new".into(), b"old".into())
        );
        assert!(left.exists());
        std::fs::remove_dir_all(&directory).unwrap();
    }
    /// One that is written to in its place: `place` for the file, and what is beside it.
    #[cfg(target_os = "linux")]
    fn in_place(place: OwnedFd, directory: &std::path::Path) -> Replacement {
        std::fs::write(directory.join(".file.1"), "longer").unwrap();
        let place = Some((place, b"old".to_vec(), b"longer".to_vec()));
        let directory = crate::open_directory(directory).unwrap();
        let (name, temporary) = (terminated(b"file").unwrap(), terminated(b".file.1").unwrap());
        Replacement { directory, name, temporary, place, done: false }
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
