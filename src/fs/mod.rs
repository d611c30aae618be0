//! Files beneath a root: paths that cannot be wrong, filesystems, media types, the small-file cache.

pub mod cache;
pub mod media;
pub mod path;

pub use media::MediaTypes;
pub use path::{PathError, VPath, VPathBuf};
