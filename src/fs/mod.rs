//! Files beneath a root: paths that cannot be wrong, filesystems, media types, the small-file cache.

pub mod cache;
pub mod path;

pub use path::{PathError, VPath, VPathBuf};
