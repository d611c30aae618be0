//! From a path to the file that is meant, or to the reason why there is none.

use alloc::string::String;

use crate::fs::media::MediaTypes;
use crate::fs::path::extension;
use crate::fs::{FileStat, Filesystem, FsError, Opened, OwnedFd, VPath, VPathBuf};

use super::super::encoding::Coding;
use super::super::field::eq_ignore_case;
use super::super::status::Status;

/// What a path led to.
pub(super) enum Resolved<'t> {
    File(OwnedFd, FileStat, Kind<'t>),
    /// A directory without the slash that its name has to end with.
    Slash,
    /// A directory without an index file.
    Directory,
    /// No reply of ours.
    Refused(Status),
}

/// What a file's name says about its content.
#[derive(Clone, Copy)]
pub(super) struct Kind<'t> {
    pub(super) media_type: &'t str,
    /// It is of that type only behind a content coding, as browsers have to be told.
    pub(super) coding: Option<Coding>,
}

impl<'t> Kind<'t> {
    fn of(extension: &[u8], types: &'t MediaTypes) -> Kind<'t> {
        let coding = eq_ignore_case(extension, b"svgz").then_some(Coding::Gzip);
        Kind { media_type: types.media_type(extension), coding }
    }
}

/// Opens what a path names: the file, or a directory's index file. The path of the file is left in the buffer.
pub(super) fn resolve<'t>(
    filesystem: &dyn Filesystem,
    path: VPath<'_>,
    index: &[String],
    buffer: &mut VPathBuf,
    types: &'t MediaTypes,
) -> Resolved<'t> {
    match filesystem.open(path) {
        Ok(Opened::File(fd, stat)) => {
            buffer.set(path);
            // A filesystem of one file gives it for `/` as well: there its type is that of the index.
            let name = index
                .first()
                .filter(|_| path.is_directory_form())
                .map_or(path.name(), |name| name.as_bytes());
            return Resolved::File(fd, stat, Kind::of(extension(name), types));
        }
        Ok(Opened::Directory(_)) if path.is_directory_form() => {}
        Ok(Opened::Directory(_)) => return Resolved::Slash,
        Ok(Opened::Other(_)) => return Resolved::Refused(Status::FORBIDDEN),
        Err(error) => return Resolved::Refused(status_of(error)),
    }
    for name in index {
        buffer.set(path);
        let Ok(inner) = buffer.push_name(name.as_bytes()) else { continue };
        match filesystem.open(inner) {
            Ok(Opened::File(fd, stat)) => {
                return Resolved::File(fd, stat, Kind::of(inner.extension(), types));
            }
            Ok(Opened::Directory(_) | Opened::Other(_)) => {}
            Err(FsError::NotFound | FsError::NotDirectory | FsError::Escapes | FsError::Loop) => {}
            Err(error) => return Resolved::Refused(status_of(error)),
        }
    }
    Resolved::Directory
}

/// What a failed lookup is answered with.
pub(super) fn status_of(error: FsError) -> Status {
    match error {
        FsError::Denied => Status::FORBIDDEN,
        FsError::TooManyOpen => Status::SERVICE_UNAVAILABLE,
        FsError::NotFound
        | FsError::NotDirectory
        | FsError::IsDirectory
        | FsError::Escapes
        | FsError::Loop
        | FsError::NameTooLong => Status::NOT_FOUND,
        FsError::Exists
        | FsError::NotEmpty
        | FsError::NoSpace
        | FsError::TooLarge
        | FsError::ReadOnly
        | FsError::Busy
        | FsError::Other(_) => Status::INTERNAL_SERVER_ERROR,
    }
}
