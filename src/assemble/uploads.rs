//! Finds the directory that takes uploads.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::fs::{Filesystem, FsError, VPath};
use crate::http::handlers::upload::Uploads;
use crate::http::settings::HttpSettings;

/// Where uploads go, if anywhere, and a line that says so.
///
/// # Errors
/// It is no directory at or beneath the root, is hidden, or cannot be written to.
pub(super) fn uploads(
    http: &HttpSettings,
    filesystem: &dyn Filesystem,
) -> Result<Option<(Uploads, String)>, Failure> {
    if http.upload.is_empty() {
        return Ok(None);
    }
    let wrong = |why: &str| Failure { message: ["--upload ", &http.upload, ": ", why].concat(), usage: true };
    let root = http.root.canonicalize().map_err(|_gone| wrong("the root cannot be opened"))?;
    if !root.is_dir() {
        return Err(wrong("needs a directory to serve, not a file"));
    }
    let named = Path::new(&http.upload);
    let (directory, area) = beneath(named, &root)
        .or_else(|| beneath(&root.join(named), &root))
        .ok_or_else(|| wrong("no such thing at or beneath the directory that is served"))?;
    if !directory.is_dir() {
        return Err(wrong("not a directory"));
    }
    let area = VPath::new(&area).map_err(|_error| wrong("its name is too long"))?;
    if area.is_hidden() && !http.hidden {
        return Err(wrong("names that begin with a dot are not served without --hidden"));
    }
    // Nothing tells better whether files can be made there than to make one.
    let probe = VPath::new(b"/upload")
        .map_err(|_never| FsError::NotFound)
        .and_then(|name| filesystem.draft(area, name)?.begin());
    match probe {
        Ok(()) => {}
        Err(FsError::ReadOnly) => return Err(wrong("mounted read-only")),
        Err(_) => return Err(wrong("no file can be made there")),
    }
    let line = ["Uploads to ", &directory.to_string_lossy(), "\n"].concat();
    Ok(Some((Uploads::new(area), line)))
}

/// The real path of what is named, if it is there, and the path beneath the root as the served tree names it.
fn beneath(named: &Path, root: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let real = named.canonicalize().ok()?;
    let inner = real.as_os_str().as_bytes().strip_prefix(root.as_os_str().as_bytes())?;
    // Real paths have no slash at the end, but for `/`.
    let area = match inner {
        [] => b"/".to_vec(),
        [b'/', ..] => inner.to_vec(),
        _ if root.as_os_str() == "/" => [b"/", inner].concat(),
        _ => return None,
    };
    Some((real, area))
}
