//! One file and nothing else: at `/`, and at `/` with its name.
//!
//! It is looked up by its name every time, so a new file that was renamed into its place is what is served next.

use alloc::boxed::Box;
use alloc::vec::Vec;

use gorgon_sys::{BorrowedFd, FileStat, OwnedFd, Symlinks};

use super::draft::Draft;
use super::filesystem::{Filesystem, FsError, Listing, Opened};
use super::local::LocalFs;
use super::path::{VPath, VPathBuf};
use crate::text::file_path;

/// The filesystem.
pub struct SingleFile {
    /// The directory the file is in.
    parent: LocalFs,
    /// The file, within it.
    file: VPathBuf,
}

impl SingleFile {
    /// Serves the file at `path`. If that is a link it is followed wherever it leads: who named it wants what it names.
    ///
    /// # Errors
    /// `IsDirectory` when the path ends with no name; `NameTooLong`; else why its directory cannot be opened. The file
    /// itself need not be there yet.
    pub fn new(path: &[u8]) -> Result<SingleFile, FsError> {
        let name = file_path::file_name(path).ok_or(FsError::IsDirectory)?;
        let mut file = VPathBuf::default();
        file.push_name(name).map_err(|_error| FsError::NameTooLong)?;
        Ok(SingleFile { parent: LocalFs::new(file_path::parent(path), Symlinks::All)?, file })
    }

    /// The path with the file's name, by which its media type is known.
    #[must_use]
    pub fn path(&self) -> VPath<'_> {
        self.file.path()
    }

    /// Where the file is, if that is what `path` names.
    fn find(&self, path: VPath<'_>) -> Result<VPath<'_>, FsError> {
        let file = self.file.path();
        if path == VPath::ROOT || path == file {
            Ok(file)
        } else if path.relative() == file.relative() {
            Err(FsError::NotDirectory)
        } else {
            Err(FsError::NotFound)
        }
    }

    fn refuse<T>(&self, path: VPath<'_>) -> Result<T, FsError> {
        self.find(path).and(Err(FsError::ReadOnly))
    }
}

impl Filesystem for SingleFile {
    fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.parent.directory()
    }

    fn open(&self, path: VPath<'_>) -> Result<Opened, FsError> {
        match self.parent.open(self.find(path)?)? {
            // A directory has no content here: what is in it cannot be named.
            Opened::Directory(_) => Err(FsError::NotFound),
            opened @ (Opened::File(..) | Opened::Other(_)) => Ok(opened),
        }
    }

    fn open_beside(&self, path: VPath<'_>, suffix: &[u8], buffer: &mut VPathBuf) -> Result<Opened, FsError> {
        self.parent.open_beside(self.find(path)?, suffix, buffer)
    }

    fn stat(&self, path: VPath<'_>) -> Result<FileStat, FsError> {
        self.parent.stat(self.find(path)?)
    }

    fn read_link(&self, path: VPath<'_>) -> Result<Vec<u8>, FsError> {
        self.find(path).and(Err(FsError::Other(gorgon_sys::Errno::INVAL)))
    }

    fn list(&self, path: VPath<'_>) -> Result<Box<dyn Listing>, FsError> {
        self.find(path).and(Err(FsError::NotDirectory))
    }

    fn create(&self, path: VPath<'_>, _mode: u32, _exclusive: bool) -> Result<OwnedFd, FsError> {
        self.refuse(path)
    }

    fn append(&self, path: VPath<'_>, _mode: u32) -> Result<OwnedFd, FsError> {
        self.refuse(path)
    }

    fn draft(&self, _area: VPath<'_>, _path: VPath<'_>) -> Result<Box<dyn Draft>, FsError> {
        Err(FsError::ReadOnly)
    }

    fn rename(&self, from: VPath<'_>, _to: VPath<'_>) -> Result<(), FsError> {
        self.refuse(from)
    }

    fn remove(&self, path: VPath<'_>) -> Result<(), FsError> {
        self.refuse(path)
    }

    fn make_dir(&self, _path: VPath<'_>, _mode: u32) -> Result<(), FsError> {
        Err(FsError::ReadOnly)
    }

    fn remove_dir(&self, path: VPath<'_>) -> Result<(), FsError> {
        self.refuse(path)
    }

    fn set_times(&self, path: VPath<'_>, _seconds: i64, _nanoseconds: u32) -> Result<(), FsError> {
        self.refuse(path)
    }

    fn chmod(&self, path: VPath<'_>, _mode: u32) -> Result<(), FsError> {
        self.refuse(path)
    }

    fn space(&self, path: VPath<'_>) -> Result<u64, FsError> {
        self.find(path).map(|_file| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::suite::{Place, v};
    use std::io::Read;

    fn read(fs: &dyn Filesystem, path: &str) -> Result<String, FsError> {
        let Opened::File(fd, _) = fs.open(v(path))? else { panic!("{path} is no file") };
        let mut content = String::new();
        std::fs::File::from(fd).read_to_string(&mut content).unwrap();
        Ok(content)
    }

    #[test]
    fn one_file_and_nothing_else() {
        let place = Place::new();
        let file = place.root().join("a.txt");
        std::fs::write(place.root().join("other"), "secret").unwrap();
        let fs = SingleFile::new(file.as_os_str().as_encoded_bytes()).unwrap();
        assert_eq!(read(&fs, "/"), Err(FsError::NotFound));
        std::fs::write(&file, "one").unwrap();
        assert_eq!(fs.path().extension(), b"txt");
        for path in ["/", "/a.txt"] {
            assert_eq!(read(&fs, path).unwrap(), "one");
            assert_eq!(fs.stat(v(path)).unwrap().size, 3);
            assert_eq!(fs.list(v(path)).err(), Some(FsError::NotDirectory));
            assert_eq!(fs.create(v(path), 0o600, false).err(), Some(FsError::ReadOnly));
            assert_eq!(fs.remove(v(path)), Err(FsError::ReadOnly));
        }
        for (path, error) in [
            ("/other", FsError::NotFound),
            ("/a.txt/", FsError::NotDirectory),
            ("/a.txt/x", FsError::NotFound),
            ("/a.tx", FsError::NotFound),
        ] {
            assert_eq!(read(&fs, path), Err(error), "{path}");
            assert_eq!(fs.stat(v(path)).err(), Some(error), "{path}");
            assert_eq!(fs.remove(v(path)), Err(error), "{path}");
        }
        assert_eq!(read(&fs, "/"), Ok("one".into()));
    }

    #[test]
    fn what_lies_beside_it_is_opened_as_such() {
        let place = Place::new();
        for (name, content) in [("a", "one"), ("a.gz", "beside"), ("b.gz", "another")] {
            std::fs::write(place.root().join(name), content).unwrap();
        }
        let fs = SingleFile::new(place.root().join("a").as_os_str().as_encoded_bytes()).unwrap();
        let mut buffer = VPathBuf::default();
        for path in ["/", "/a"] {
            let Ok(Opened::File(fd, _)) = fs.open_beside(v(path), b".gz", &mut buffer) else {
                panic!("{path}")
            };
            let mut content = String::new();
            std::fs::File::from(fd).read_to_string(&mut content).unwrap();
            assert_eq!(content, "beside");
            assert!(fs.open_beside(v(path), b".br", &mut buffer).is_err());
        }
        for path in ["/b", "/a/", "/a.gz"] {
            assert!(fs.open_beside(v(path), b".gz", &mut buffer).is_err(), "{path}");
        }
        assert_eq!(read(&fs, "/a.gz"), Err(FsError::NotFound));
    }

    #[test]
    fn what_takes_its_place_is_seen() {
        let place = Place::new();
        let (file, next) = (place.root().join("a"), place.root().join("next"));
        std::fs::write(&file, "one").unwrap();
        let fs = SingleFile::new(file.as_os_str().as_encoded_bytes()).unwrap();
        std::fs::write(&next, "two").unwrap();
        std::fs::rename(&next, &file).unwrap();
        assert_eq!(read(&fs, "/").unwrap(), "two");
        std::fs::remove_file(&file).unwrap();
        std::fs::write(place.0.join("outside"), "three").unwrap();
        std::os::unix::fs::symlink(place.0.join("outside"), &file).unwrap();
        assert_eq!(read(&fs, "/a").unwrap(), "three");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert_eq!(fs.open(v("/")).err(), Some(FsError::NotFound));
    }

    #[test]
    fn a_path_without_a_name_is_refused() {
        for path in ["/", "..", "a/.."] {
            assert_eq!(SingleFile::new(path.as_bytes()).err(), Some(FsError::IsDirectory), "{path}");
        }
        assert_eq!(SingleFile::new(b"/none/x").err(), Some(FsError::NotFound));
    }
}
