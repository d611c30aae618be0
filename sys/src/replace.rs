//! Replaces a file as a whole: at every moment there is the old text or the new one under its name, never half of one.

use alloc::vec::Vec;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RawMode, Uid};
use rustix::io::Errno;

use crate::file::{open_at, real_path, terminated};
use crate::standard::process_id;

/// Writes a file anew, with the mode and the owner it had. A link that leads to it stays; the new text is on the disk
/// before the name is its own.
///
/// # Errors
/// The system's. `EPERM`: the file is another's, whom this process may not give it to. Then nothing has changed.
pub fn replace_file(path: &[u8], bytes: &[u8]) -> Result<(), Errno> {
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
    let (name, temporary) = (&*terminated(name)?, &*terminated(&temporary)?);
    let old = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let private = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::openat(&directory, temporary, flags, private)?;
    let written = fill(&file, bytes, &old).and_then(|()| {
        rustix::fs::renameat(&directory, temporary, &directory, name)?;
        // That the name lasts is as good as done; where a directory cannot be synchronised, so be it.
        let _synchronised = rustix::fs::fsync(&directory);
        Ok(())
    });
    if written.is_err() {
        let _gone = rustix::fs::unlinkat(&directory, temporary, AtFlags::empty());
    }
    written
}

fn fill(file: &OwnedFd, mut bytes: &[u8], old: &rustix::fs::Stat) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let count = rustix::io::retry_on_intr(|| rustix::io::write(file.as_fd(), bytes))?;
        bytes = bytes.get(count..).unwrap_or_default();
        if count == 0 {
            return Err(Errno::NOSPC);
        }
    }
    let new = rustix::fs::fstat(file)?;
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid) {
        rustix::fs::fchown(file, Some(Uid::from_raw(old.st_uid)), Some(Gid::from_raw(old.st_gid)))?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(old.st_mode as RawMode & 0o7777))?;
    rustix::fs::fsync(file)
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

    #[test]
    fn keeps_what_is_not_its_text() {
        let directory = std::env::temp_dir().join(std::format!("gorgon-replace-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (file, link) = (directory.join("file"), directory.join("link"));
        std::fs::write(&file, "old text").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        let before = file.metadata().unwrap();
        replace_file(link.as_os_str().as_bytes(), b"new").unwrap();
        let after = file.metadata().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino());
        // Nothing is left behind, whatever came of it.
        assert_eq!(replace_file(directory.join("none").as_os_str().as_bytes(), b""), Err(Errno::NOENT));
        assert!(replace_file(directory.as_os_str().as_bytes(), b"x").is_err());
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 2);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
