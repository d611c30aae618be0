//! Files beneath a root: paths that cannot be wrong, filesystems, media types, the small-file cache.

pub mod cache;
pub mod filesystem;
pub mod media;
pub mod memory;
pub mod path;

pub use filesystem::{Filesystem, FsError, Listing, Opened};
pub use media::MediaTypes;
pub use memory::MemoryFs;
pub use path::{PathError, VPath, VPathBuf};
