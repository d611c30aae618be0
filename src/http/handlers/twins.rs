//! Files that lie beside a file in content codings, its *twins*: `app.js.br` beside `app.js`.

use alloc::vec::Vec;

use crate::fs::{FileStat, Filesystem, Opened, OwnedFd, VPath, VPathBuf};

use super::super::encoding::{Coding, Preference};

/// Opens the best twin there is of the file at `original`, through `buffer`. One that is no file, that may not be read,
/// or that is older than the original, is as one that is not there.
pub fn open(
    filesystem: &dyn Filesystem,
    original: VPath<'_>,
    stat: &FileStat,
    preference: Preference,
    buffer: &mut VPathBuf,
) -> Option<(OwnedFd, FileStat, Coding)> {
    preference.codings().find_map(|coding| {
        match filesystem.open_beside(original, coding.suffix().as_bytes(), buffer) {
            Ok(Opened::File(fd, twin)) if !is_older(&twin, stat) => Some((fd, twin, coding)),
            Ok(Opened::File(..) | Opened::Directory(_) | Opened::Other(_)) | Err(_) => None,
        }
    })
}

/// What a reply is kept under: the path alone when it is the original's, else with the codings looked for, after a NUL,
/// which no path has.
#[inline]
pub fn key<'k>(path: VPath<'k>, preference: Preference, buffer: &'k mut Vec<u8>) -> &'k [u8] {
    if preference.is_original() {
        return path.as_bytes();
    }
    buffer.clear();
    buffer.extend_from_slice(path.as_bytes());
    buffer.push(0);
    buffer.extend(preference.codings().map(|coding| coding as u8));
    buffer
}

/// Whether a twin was made before its file was last changed. Some encoders copy the time without its fraction.
fn is_older(twin: &FileStat, file: &FileStat) -> bool {
    let whole_second = twin.modified == file.modified && twin.modified_ns == 0;
    (twin.modified, twin.modified_ns) < (file.modified, file.modified_ns) && !whole_second
}
