//! Files beneath a root: paths that cannot be wrong, filesystems, media types, the small-file cache.

pub mod cache;
pub mod content;
pub mod draft;
pub mod filesystem;
pub mod local;
pub mod media;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
pub mod path;
pub mod single;

#[cfg(test)]
mod suite;

pub use draft::Draft;
pub use filesystem::{Filesystem, FsError, Listing, Opened};
pub use local::LocalFs;
pub use media::MediaTypes;
#[cfg(any(test, feature = "memory"))]
pub use memory::MemoryFs;
pub use path::{PathError, VPath, VPathBuf};
pub use single::SingleFile;

pub use gorgon_sys::{AsFd, BorrowedFd, FileKind, FileStat, OwnedFd, Symlinks};
