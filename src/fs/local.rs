//! The files beneath a directory of this system.
//!
//! The root is opened once, and every path is looked up beneath it by the kernel in one step, or by ourselves where it
//! cannot: neither `..` nor a link, nor a directory renamed meanwhile, leads out of it but as [`Symlinks`] allows. The
//! hot look-up is one `open` and one `fstat`.
//!
//! A device, FIFO or socket is never served. To find out that it is one it has been opened, without waiting, and is
//! closed again; opening a device may itself have an effect (a tape rewinds), which a `stat` before each `open` would
//! avoid at the price of a second look-up for every file. Roots have no devices in them; mount them `nodev` to be sure.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use gorgon_sys::{
    Arg, AsFd, BorrowedFd, Directory, Errno, FileKind, FileStat, Lookup, OpenHow, OwnedFd, Symlinks,
    chmod_beneath, directory_beneath, mkdir_beneath, open_beneath, open_root, read_link_beneath,
    rename_beneath, rmdir_beneath, set_times_beneath, stat_beneath, stat_link_beneath, unlink_beneath,
};

use super::draft::{Draft, LocalDraft};
use super::filesystem::{Filesystem, FsError, Listing, Opened};
use super::path::VPath;

/// The filesystem.
pub struct LocalFs {
    root: OwnedFd,
    lookup: Lookup,
    symlinks: Symlinks,
}

impl LocalFs {
    /// The files beneath `root`, whose own links are followed.
    ///
    /// # Errors
    /// `root` cannot be opened as a directory.
    pub fn new(root: impl Arg, symlinks: Symlinks) -> Result<LocalFs, FsError> {
        Ok(LocalFs { root: open_root(root)?, lookup: Lookup::detect(), symlinks })
    }

    /// As [`Self::new`], with the way paths are looked up given.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with_lookup(root: impl Arg, symlinks: Symlinks, lookup: Lookup) -> Result<LocalFs, FsError> {
        Ok(LocalFs { root: open_root(root)?, lookup, symlinks })
    }

    fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    fn open_as(&self, path: VPath<'_>, how: OpenHow) -> Result<OwnedFd, Errno> {
        open_beneath(self.lookup, self.root(), path.relative(), how, self.symlinks)
    }

    /// What the name itself is, a last link not followed.
    fn stat_link(&self, path: VPath<'_>) -> Result<FileStat, FsError> {
        Ok(stat_link_beneath(self.lookup, self.root(), path.relative(), self.symlinks)?)
    }

    /// For acts on names: a path in directory form has to name a directory, and not a link to one.
    fn check_form(&self, path: VPath<'_>) -> Result<(), FsError> {
        if path.is_directory_form() { self.want_directory(path) } else { Ok(()) }
    }

    fn want_directory(&self, path: VPath<'_>) -> Result<(), FsError> {
        match self.stat_link(path)?.kind {
            FileKind::Directory => Ok(()),
            FileKind::File | FileKind::Symlink | FileKind::Other => Err(FsError::NotDirectory),
        }
    }

    fn open_to_write(&self, path: VPath<'_>, how: OpenHow) -> Result<OwnedFd, FsError> {
        if path.is_directory_form() {
            return Err(FsError::IsDirectory);
        }
        let fd = self.open_as(path, how)?;
        match gorgon_sys::stat(fd.as_fd())?.kind {
            FileKind::File => Ok(fd),
            FileKind::Directory => Err(FsError::IsDirectory),
            // What the kernel says of a FIFO that nobody reads.
            FileKind::Symlink | FileKind::Other => Err(FsError::Other(Errno::NXIO)),
        }
    }
}

impl Filesystem for LocalFs {
    fn directory(&self) -> Option<BorrowedFd<'_>> {
        Some(self.root())
    }

    fn open(&self, path: VPath<'_>) -> Result<Opened, FsError> {
        let fd = match self.open_as(path, OpenHow::Read) {
            Ok(fd) => fd,
            // A socket, or a device that nothing drives.
            Err(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => return self.stat(path).map(Opened::Other),
            Err(error) => return Err(error.into()),
        };
        let stat = formed(path, gorgon_sys::stat(fd.as_fd())?)?;
        Ok(match stat.kind {
            FileKind::File => Opened::File(fd, stat),
            FileKind::Directory => Opened::Directory(stat),
            FileKind::Symlink | FileKind::Other => Opened::Other(stat),
        })
    }

    fn stat(&self, path: VPath<'_>) -> Result<FileStat, FsError> {
        formed(path, stat_beneath(self.lookup, self.root(), path.relative(), self.symlinks)?)
    }

    fn read_link(&self, path: VPath<'_>) -> Result<Vec<u8>, FsError> {
        self.check_form(path)?;
        Ok(read_link_beneath(self.lookup, self.root(), path.relative(), self.symlinks)?)
    }

    fn list(&self, path: VPath<'_>) -> Result<Box<dyn Listing>, FsError> {
        let fd = self.open_as(path, OpenHow::Directory)?;
        Ok(Box::new(LocalListing { directory: Directory::new(fd)?, buffer: Box::new_uninit_slice(SLICE) }))
    }

    fn create(&self, path: VPath<'_>, mode: u32, exclusive: bool) -> Result<OwnedFd, FsError> {
        self.open_to_write(path, OpenHow::Create { mode, exclusive })
    }

    fn append(&self, path: VPath<'_>, mode: u32) -> Result<OwnedFd, FsError> {
        self.open_to_write(path, OpenHow::Append { mode })
    }

    fn draft(&self, area: VPath<'_>, path: VPath<'_>) -> Result<Box<dyn Draft>, FsError> {
        if path.is_directory_form() {
            return Err(FsError::IsDirectory);
        }
        let area = directory_beneath(self.lookup, self.root(), area.relative(), self.symlinks)?;
        let parent = path.parent().relative();
        let directory = directory_beneath(self.lookup, area.as_fd(), parent, self.symlinks)?;
        Ok(Box::new(LocalDraft::new(directory, path.name())?))
    }

    fn rename(&self, from: VPath<'_>, to: VPath<'_>) -> Result<(), FsError> {
        if from == VPath::ROOT || to == VPath::ROOT {
            return Err(FsError::Busy);
        }
        if from.is_directory_form() || to.is_directory_form() {
            self.want_directory(from)?;
        }
        Ok(rename_beneath(self.lookup, self.root(), from.relative(), to.relative(), self.symlinks)?)
    }

    fn remove(&self, path: VPath<'_>) -> Result<(), FsError> {
        self.check_form(path)?;
        match unlink_beneath(self.lookup, self.root(), path.relative(), self.symlinks) {
            // What systems other than Linux say of a directory.
            Err(Errno::PERM) if self.stat_link(path)?.kind == FileKind::Directory => {
                Err(FsError::IsDirectory)
            }
            done => Ok(done?),
        }
    }

    fn make_dir(&self, path: VPath<'_>, mode: u32) -> Result<(), FsError> {
        Ok(mkdir_beneath(self.lookup, self.root(), path.relative(), mode, self.symlinks)?)
    }

    fn remove_dir(&self, path: VPath<'_>) -> Result<(), FsError> {
        if path == VPath::ROOT {
            return Err(FsError::Busy);
        }
        Ok(rmdir_beneath(self.lookup, self.root(), path.relative(), self.symlinks)?)
    }

    fn set_times(&self, path: VPath<'_>, seconds: i64, nanoseconds: u32) -> Result<(), FsError> {
        if nanoseconds >= 1_000_000_000 {
            return Err(FsError::Other(Errno::INVAL));
        }
        if path.is_directory_form() {
            self.stat(path)?;
        }
        let symlinks = self.symlinks;
        Ok(set_times_beneath(self.lookup, self.root(), path.relative(), seconds, nanoseconds, symlinks)?)
    }

    fn chmod(&self, path: VPath<'_>, mode: u32) -> Result<(), FsError> {
        if path.is_directory_form() {
            self.stat(path)?;
        }
        Ok(chmod_beneath(self.lookup, self.root(), path.relative(), mode, self.symlinks)?)
    }

    fn space(&self, path: VPath<'_>) -> Result<u64, FsError> {
        let stat = self.stat(path)?;
        // A FIFO or device is not opened for this; it says nothing about room.
        let fd = match stat.kind {
            FileKind::File | FileKind::Directory => self.open_as(path, OpenHow::Path)?,
            FileKind::Symlink | FileKind::Other => self.open_as(path.parent(), OpenHow::Path)?,
        };
        Ok(gorgon_sys::space(fd.as_fd())?)
    }
}

/// What is in directory form has to be a directory.
fn formed(path: VPath<'_>, stat: FileStat) -> Result<FileStat, FsError> {
    if path.is_directory_form() && stat.kind != FileKind::Directory {
        return Err(FsError::NotDirectory);
    }
    Ok(stat)
}

/// The size of one slice of a listing, in bytes: some two hundred entries.
const SLICE: usize = 8192;

struct LocalListing {
    directory: Directory,
    /// Holds one slice.
    buffer: Box<[MaybeUninit<u8>]>,
}

impl Listing for LocalListing {
    fn next_slice(&mut self, each: &mut dyn FnMut(&[u8], Option<FileKind>)) -> Result<bool, FsError> {
        Ok(self.directory.next_slice(&mut self.buffer, &mut |name, kind, _inode| each(name, kind))?)
    }

    fn stat(&self, name: &[u8]) -> Result<FileStat, FsError> {
        Ok(self.directory.stat(name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::suite::{Place, v};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn kind(opened: Result<Opened, FsError>) -> Result<FileKind, FsError> {
        opened.map(|opened| match opened {
            Opened::File(..) => FileKind::File,
            Opened::Directory(_) => FileKind::Directory,
            Opened::Other(_) => FileKind::Other,
        })
    }

    #[test]
    fn links_as_told() {
        let place = Place::new();
        std::fs::write(place.0.join("outside"), "").unwrap();
        std::fs::write(place.root().join("inside"), "").unwrap();
        symlink("inside", place.root().join("in")).unwrap();
        symlink("../outside", place.root().join("out")).unwrap();
        symlink(place.0.join("outside"), place.root().join("absolute")).unwrap();
        symlink("/", place.root().join("top")).unwrap();
        let (file, loops) = (Ok(FileKind::File), Err(FsError::Loop));
        let escapes = Err(FsError::Escapes);
        for lookup in [Lookup::Openat2, Lookup::Walk] {
            for (symlinks, inside, outside) in [
                (Symlinks::Never, loops, loops),
                (Symlinks::Inside, file, escapes),
                (Symlinks::All, file, file),
            ] {
                let fs = LocalFs::with_lookup(place.root(), symlinks, lookup).unwrap();
                assert_eq!(kind(fs.open(v("/inside"))), file);
                assert_eq!(kind(fs.open(v("/in"))), inside);
                assert_eq!(kind(fs.open(v("/out"))), outside);
                assert_eq!(kind(fs.open(v("/absolute"))), outside);
                assert_eq!(fs.stat(v("/top/")).map(|_| FileKind::File), outside);
            }
        }
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let place = Place::new();
        let made = std::process::Command::new("mkfifo").arg(place.root().join("fifo")).status();
        assert!(made.unwrap().success());
        let fs = LocalFs::new(place.root(), Symlinks::Inside).unwrap();
        assert_eq!(kind(fs.open(v("/fifo"))), Ok(FileKind::Other));
        assert_eq!(fs.create(v("/fifo"), 0o600, false).err(), Some(FsError::Other(Errno::NXIO)));
        let _reader = reader_of(&place);
        assert_eq!(fs.create(v("/fifo"), 0o600, false).err(), Some(FsError::Other(Errno::NXIO)));
        assert!(fs.space(v("/fifo")).is_ok());
    }

    /// Someone who reads the FIFO, so that it could be opened for writing.
    fn reader_of(place: &Place) -> std::fs::File {
        std::fs::OpenOptions::new().read(true).write(true).open(place.root().join("fifo")).unwrap()
    }

    #[test]
    fn what_may_not_be_read_is_denied() {
        let place = Place::new();
        let file = place.root().join("file");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
        if std::fs::File::open(&file).is_ok() {
            return; // The superuser reads everything.
        }
        let fs = LocalFs::new(place.root(), Symlinks::Inside).unwrap();
        assert_eq!(kind(fs.open(v("/file"))), Err(FsError::Denied));
        assert_eq!(fs.stat(v("/file")).map(|stat| stat.mode), Ok(0));
    }

    #[test]
    fn a_root_that_is_moved_stays_the_root() {
        let place = Place::new();
        std::fs::write(place.root().join("file"), "").unwrap();
        let fs = LocalFs::new(place.root(), Symlinks::Inside).unwrap();
        std::fs::rename(place.root(), place.0.join("moved")).unwrap();
        assert_eq!(kind(fs.open(v("/file"))), Ok(FileKind::File));
        assert_eq!(LocalFs::new(place.root(), Symlinks::Inside).err(), Some(FsError::NotFound));
        assert_eq!(
            LocalFs::new(place.0.join("moved/file"), Symlinks::Inside).err(),
            Some(FsError::NotDirectory)
        );
    }
}
