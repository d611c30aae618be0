//! A filesystem in memory: the twin of the local one, for tests. The same tests run over both.
//!
//! Content is kept in files without a name, so what is opened is a descriptor as elsewhere. Permissions are kept but not
//! enforced, and a directory's time changes only when it is set. Links stay inside, as with `Symlinks::Inside`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use gorgon_sys::{AsFd, Errno, FileKind, FileStat, OwnedFd, temporary_file};

use super::draft::Draft;
use super::filesystem::{Filesystem, FsError, Listing, Opened};
use super::path::VPath;

mod draft;
use draft::MemoryDraft;

/// How many links one look-up follows, as in the Linux kernel.
const LINK_LIMIT: u32 = 40;

/// What [`Filesystem::space`] says: there is no limit but memory.
const SPACE: u64 = 1 << 40;

/// The filesystem.
pub struct MemoryFs(Arc<Mutex<Tree>>);

/// The nodes, by their path from the root without a leading slash; the root is the empty one.
struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    next_inode: u64,
}

struct Node {
    inode: u64,
    mode: u32,
    modified: i64,
    modified_ns: u32,
    what: What,
}

enum What {
    File(File),
    Directory,
    Link(Vec<u8>),
    Other,
}

impl Default for MemoryFs {
    fn default() -> MemoryFs {
        MemoryFs::new()
    }
}

impl MemoryFs {
    /// One that holds an empty root.
    #[must_use]
    pub fn new() -> MemoryFs {
        let mut tree = Tree { nodes: BTreeMap::new(), next_inode: 1 };
        tree.add(Vec::new(), 0o755, What::Directory);
        MemoryFs(Arc::new(Mutex::new(tree)))
    }

    /// Puts a file in place, in a directory that is there, with the permissions 0644.
    ///
    /// # Errors
    /// As for [`Filesystem::create`].
    pub fn add_file(&self, path: VPath<'_>, content: &[u8]) -> Result<(), FsError> {
        let mut file = File::from(self.create(path, 0o644, false)?);
        file.write_all(content).map_err(|error| error_of(&error))
    }

    /// Puts a link in place. Its target may be anything.
    ///
    /// # Errors
    /// As for [`Filesystem::make_dir`].
    pub fn add_link(&self, path: VPath<'_>, target: &[u8]) -> Result<(), FsError> {
        self.add_new(path, 0o777, What::Link(target.to_vec()))
    }

    /// Puts something in place that is neither file nor directory nor link.
    ///
    /// # Errors
    /// As for [`Filesystem::make_dir`].
    pub fn add_other(&self, path: VPath<'_>) -> Result<(), FsError> {
        self.add_new(path, 0o600, What::Other)
    }

    fn add_new(&self, path: VPath<'_>, mode: u32, what: What) -> Result<(), FsError> {
        let mut tree = self.tree();
        let key = tree.resolve(path, false)?;
        if tree.nodes.contains_key(&key) {
            return Err(FsError::Exists);
        }
        tree.add(key, mode, what);
        Ok(())
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        path: VPath<'_>,
        act: &mut dyn FnMut(&mut Node) -> Result<(), FsError>,
    ) -> Result<(), FsError> {
        let mut tree = self.tree();
        let key = tree.find(path, true)?;
        act(tree.nodes.get_mut(&key).ok_or(FsError::NotFound)?)
    }

    fn open_to_write(&self, path: VPath<'_>, mode: u32, how: Writing) -> Result<OwnedFd, FsError> {
        if path.is_directory_form() {
            return Err(FsError::IsDirectory);
        }
        let mut tree = self.tree();
        let key = tree.resolve(path, how != Writing::New)?;
        if !tree.nodes.contains_key(&key) {
            let file = File::from(temporary_file()?);
            tree.add(key.clone(), mode, What::File(file));
        } else if how == Writing::New {
            return Err(FsError::Exists);
        }
        match &tree.node(&key)?.what {
            What::File(file) => {
                let opened = reopen(file, how)?;
                if how != Writing::End {
                    file.set_len(0).map_err(|error| error_of(&error))?;
                }
                Ok(opened)
            }
            What::Directory => Err(FsError::IsDirectory),
            What::Link(_) => Err(FsError::Loop),
            What::Other => Err(FsError::Other(Errno::NXIO)),
        }
    }
}

/// What a file is opened for writing as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// It must be new.
    New,
    /// It is emptied.
    Empty,
    /// At its end.
    End,
}

impl Tree {
    fn add(&mut self, key: Vec<u8>, mode: u32, what: What) {
        let mode = mode & 0o7777;
        self.nodes.insert(key, Node { inode: self.next_inode, mode, modified: 0, modified_ns: 0, what });
        self.next_inode += 1;
    }

    fn node(&self, key: &[u8]) -> Result<&Node, FsError> {
        self.nodes.get(key).ok_or(FsError::NotFound)
    }

    /// The key a path leads to; there may be no node there, but its directory is there. A last link is followed as told.
    fn resolve(&self, path: VPath<'_>, follow: bool) -> Result<Vec<u8>, FsError> {
        self.resolve_beneath(b"", path, follow)
    }

    /// The same beneath the directory `top`, out of which nothing leads.
    fn resolve_beneath(&self, top: &[u8], path: VPath<'_>, follow: bool) -> Result<Vec<u8>, FsError> {
        let mut key = top.to_vec();
        let mut ahead: Vec<Vec<u8>> = path.segments().rev().map(<[u8]>::to_vec).collect();
        let mut links = 0;
        while let Some(segment) = ahead.pop() {
            match &segment[..] {
                b"" | b"." => continue,
                b".." if key == top => return Err(FsError::Escapes),
                b".." => {
                    key.truncate(parent_of(&key).len());
                    continue;
                }
                name => {
                    self.want_directory(&key)?;
                    if !key.is_empty() {
                        key.push(b'/');
                    }
                    key.extend_from_slice(name);
                }
            }
            let Some(Node { what: What::Link(target), .. }) = self.nodes.get(&key) else { continue };
            if ahead.is_empty() && !follow {
                continue;
            }
            links += 1;
            if links > LINK_LIMIT {
                return Err(FsError::Loop);
            }
            if target.starts_with(b"/") {
                return Err(FsError::Escapes);
            }
            key.truncate(parent_of(&key).len());
            ahead.extend(target.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec));
        }
        Ok(key)
    }

    /// The key of a node that is there, and that is a directory when the path is in directory form.
    fn find(&self, path: VPath<'_>, follow: bool) -> Result<Vec<u8>, FsError> {
        let key = self.resolve(path, follow)?;
        self.node(&key)?;
        if path.is_directory_form() {
            self.want_directory(&key)?;
        }
        Ok(key)
    }

    /// The key of a directory beneath the directory `top`.
    fn find_beneath(&self, top: &[u8], path: VPath<'_>) -> Result<Vec<u8>, FsError> {
        let key = self.resolve_beneath(top, path, true)?;
        self.want_directory(&key)?;
        Ok(key)
    }

    fn want_directory(&self, key: &[u8]) -> Result<(), FsError> {
        match self.node(key)?.what {
            What::Directory => Ok(()),
            What::File(_) | What::Link(_) | What::Other => Err(FsError::NotDirectory),
        }
    }

    /// The keys and nodes below a directory, at any depth.
    fn below<'t>(&'t self, key: &[u8]) -> impl Iterator<Item = (&'t [u8], &'t Node)> {
        let front = front_of(key);
        let start = front.clone();
        self.nodes
            .range(start..)
            .take_while(move |(other, _)| other.starts_with(&front))
            .filter(|(other, _)| !other.is_empty())
            .map(|(other, node)| (&other[..], node))
    }
}

impl Node {
    fn kind(&self) -> FileKind {
        match self.what {
            What::File(_) => FileKind::File,
            What::Directory => FileKind::Directory,
            What::Link(_) => FileKind::Symlink,
            What::Other => FileKind::Other,
        }
    }

    fn stat(&self) -> Result<FileStat, FsError> {
        let mut stat = FileStat {
            kind: self.kind(),
            size: 0,
            modified: self.modified,
            modified_ns: self.modified_ns,
            changed: self.modified,
            changed_ns: self.modified_ns,
            inode: self.inode,
            device: 0,
            mode: self.mode,
            links: 1,
            user: 0,
            group: 0,
        };
        match &self.what {
            What::File(file) => {
                let real = gorgon_sys::stat(file.as_fd())?;
                (stat.size, stat.modified, stat.modified_ns) = (real.size, real.modified, real.modified_ns);
                (stat.changed, stat.changed_ns) = (real.changed, real.changed_ns);
            }
            What::Link(target) => stat.size = target.len() as u64,
            What::Directory | What::Other => {}
        }
        Ok(stat)
    }
}

impl Filesystem for MemoryFs {
    fn open(&self, path: VPath<'_>) -> Result<Opened, FsError> {
        let tree = self.tree();
        let node = tree.node(&tree.find(path, true)?)?;
        let stat = node.stat()?;
        match &node.what {
            What::File(file) => {
                let opened = OpenOptions::new().read(true).open(path_of(file)).or_else(|_| file.try_clone());
                Ok(Opened::File(opened.map_err(|error| error_of(&error))?.into(), stat))
            }
            What::Directory => Ok(Opened::Directory(stat)),
            What::Link(_) | What::Other => Ok(Opened::Other(stat)),
        }
    }

    fn stat(&self, path: VPath<'_>) -> Result<FileStat, FsError> {
        let tree = self.tree();
        tree.node(&tree.find(path, true)?)?.stat()
    }

    fn read_link(&self, path: VPath<'_>) -> Result<Vec<u8>, FsError> {
        let tree = self.tree();
        match &tree.node(&tree.find(path, false)?)?.what {
            What::Link(target) => Ok(target.clone()),
            What::File(_) | What::Directory | What::Other => Err(FsError::Other(Errno::INVAL)),
        }
    }

    fn list(&self, path: VPath<'_>) -> Result<Box<dyn Listing>, FsError> {
        let tree = self.tree();
        let key = tree.find(path, true)?;
        tree.want_directory(&key)?;
        let front = front_of(&key).len();
        let mut entries = Vec::new();
        for (below, node) in tree.below(&key) {
            let name = below.get(front..).unwrap_or_default();
            if !name.contains(&b'/') {
                entries.push((name.to_vec(), node.stat()?));
            }
        }
        Ok(Box::new(MemoryListing { entries, given: 0 }))
    }

    fn create(&self, path: VPath<'_>, mode: u32, exclusive: bool) -> Result<OwnedFd, FsError> {
        self.open_to_write(path, mode, if exclusive { Writing::New } else { Writing::Empty })
    }

    fn append(&self, path: VPath<'_>, mode: u32) -> Result<OwnedFd, FsError> {
        self.open_to_write(path, mode, Writing::End)
    }

    fn draft(&self, area: VPath<'_>, path: VPath<'_>) -> Result<Box<dyn Draft>, FsError> {
        Ok(Box::new(MemoryDraft::new(&self.0, area, path)?))
    }

    fn rename(&self, from: VPath<'_>, to: VPath<'_>) -> Result<(), FsError> {
        let mut tree = self.tree();
        if from == VPath::ROOT || to == VPath::ROOT {
            return Err(FsError::Busy);
        }
        if from.is_directory_form() || to.is_directory_form() {
            tree.want_directory(&tree.find(from, false)?)?;
        }
        let source = tree.resolve(from, false)?;
        let target = tree.resolve(to, false)?;
        tree.node(&source)?;
        if source == target {
            return Ok(());
        }
        let directory = tree.want_directory(&source).is_ok();
        if directory && target.starts_with(&front_of(&source)) {
            return Err(FsError::Other(Errno::INVAL));
        }
        if source.starts_with(&front_of(&target)) {
            return Err(FsError::NotEmpty);
        }
        match tree.nodes.get(&target).map(Node::kind) {
            Some(FileKind::Directory) if !directory => return Err(FsError::IsDirectory),
            Some(FileKind::Directory) if tree.below(&target).next().is_some() => {
                return Err(FsError::NotEmpty);
            }
            Some(FileKind::File | FileKind::Symlink | FileKind::Other) if directory => {
                return Err(FsError::NotDirectory);
            }
            Some(_) | None => {}
        }
        let mut moved: Vec<Vec<u8>> = tree.below(&source).map(|(key, _)| key.to_vec()).collect();
        moved.push(source.clone());
        for key in moved {
            let Some(node) = tree.nodes.remove(&key) else { continue };
            let rest = key.get(source.len()..).unwrap_or_default();
            tree.nodes.insert([&target[..], rest].concat(), node);
        }
        Ok(())
    }

    fn remove(&self, path: VPath<'_>) -> Result<(), FsError> {
        let mut tree = self.tree();
        let key = tree.find(path, false)?;
        if tree.want_directory(&key).is_ok() {
            return Err(FsError::IsDirectory);
        }
        tree.nodes.remove(&key);
        Ok(())
    }

    fn make_dir(&self, path: VPath<'_>, mode: u32) -> Result<(), FsError> {
        self.add_new(path, mode, What::Directory)
    }

    fn remove_dir(&self, path: VPath<'_>) -> Result<(), FsError> {
        let mut tree = self.tree();
        let key = tree.find(path, false)?;
        tree.want_directory(&key)?;
        if key.is_empty() {
            return Err(FsError::Busy);
        }
        if tree.below(&key).next().is_some() {
            return Err(FsError::NotEmpty);
        }
        tree.nodes.remove(&key);
        Ok(())
    }

    fn set_times(&self, path: VPath<'_>, seconds: i64, nanoseconds: u32) -> Result<(), FsError> {
        if nanoseconds >= 1_000_000_000 {
            return Err(FsError::Other(Errno::INVAL));
        }
        self.change(path, &mut |node| {
            (node.modified, node.modified_ns) = (seconds, nanoseconds);
            let What::File(file) = &node.what else { return Ok(()) };
            let away = Duration::from_secs(seconds.unsigned_abs());
            let whole = if seconds < 0 {
                SystemTime::UNIX_EPOCH.checked_sub(away)
            } else {
                SystemTime::UNIX_EPOCH.checked_add(away)
            };
            let time = whole.and_then(|whole| whole.checked_add(Duration::from_nanos(nanoseconds.into())));
            let time = time.ok_or(FsError::Other(Errno::INVAL))?;
            file.set_modified(time).map_err(|error| error_of(&error))
        })
    }

    fn chmod(&self, path: VPath<'_>, mode: u32) -> Result<(), FsError> {
        self.change(path, &mut |node| {
            node.mode = mode & 0o7777;
            Ok(())
        })
    }

    fn space(&self, path: VPath<'_>) -> Result<u64, FsError> {
        self.tree().find(path, true).map(|_key| SPACE)
    }
}

/// The entries as they were when the listing began.
struct MemoryListing {
    entries: Vec<(Vec<u8>, FileStat)>,
    given: usize,
}

impl Listing for MemoryListing {
    fn next_slice(&mut self, each: &mut dyn FnMut(&[u8], Option<FileKind>)) -> Result<bool, FsError> {
        // A few at a time, so that who lists has to ask again. Of every other kind nothing is told, as by some disks.
        for (at, (name, stat)) in self.entries.iter().enumerate().skip(self.given).take(3) {
            each(name, (at % 2 == 0).then_some(stat.kind));
        }
        self.given = self.given.saturating_add(3).min(self.entries.len());
        Ok(self.given < self.entries.len())
    }

    fn stat(&self, name: &[u8]) -> Result<FileStat, FsError> {
        let entry = self.entries.iter().find(|(other, _)| other == name);
        entry.map(|(_, stat)| *stat).ok_or(FsError::NotFound)
    }
}

/// What the keys below a directory begin with.
fn front_of(key: &[u8]) -> Vec<u8> {
    if key.is_empty() { Vec::new() } else { [key, b"/"].concat() }
}

fn parent_of(key: &[u8]) -> &[u8] {
    let end = key.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    key.get(..end).unwrap_or_default()
}

/// A path by which a file without a name can be opened anew, with a position of its own, where the system has such.
fn path_of(file: &File) -> String {
    let mut path = String::from("/proc/self/fd/");
    crate::text::number::push_decimal_str(u64::try_from(file.as_raw_fd()).unwrap_or(0), &mut path);
    path
}

/// Opens a file anew for writing. Where that cannot be done the descriptor shares its position with all others.
fn reopen(file: &File, how: Writing) -> Result<OwnedFd, FsError> {
    let mut options = OpenOptions::new();
    match how {
        Writing::New | Writing::Empty => options.write(true),
        Writing::End => options.append(true),
    };
    let opened = options.open(path_of(file)).or_else(|_| file.try_clone());
    opened.map(OwnedFd::from).map_err(|error| error_of(&error))
}

fn error_of(error: &io::Error) -> FsError {
    Errno::from_io_error(error).map_or(FsError::Other(Errno::IO), FsError::from)
}
