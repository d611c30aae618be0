//! What an HTTP server serves: the filesystem of its root, and the media types of its files.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use core::str::from_utf8;

use gorgon_sys::{Errno, FileKind, NO_FILE, open_file, read_file, real_path, stat_link, stat_path};

use super::privileges::Reach;
use super::{Failure, failure, uploads};
use crate::fs::media::{MIME_TYPES_LIMIT, MediaTypes};
use crate::fs::{Filesystem, LocalFs, SingleFile, Symlinks, VPath};
use crate::http::settings::HttpSettings;
use crate::text::file_path;
use crate::text::join::joined;

/// Why a file of users cannot be there.
pub(super) const WITHIN: &str =
    "lies in what is served, where each user could read the hashes of all; keep it elsewhere";

/// Whether a file can be asked for by its own name, beneath a root. What a link of another name makes of it is not looked
/// for.
pub(super) fn is_served(file: &[u8], root: &[u8], hidden: bool) -> bool {
    let Ok(root) = real_path(root) else { return false };
    let Some((_, path)) = uploads::beneath(file, &root) else { return false };
    VPath::new(&path).is_ok_and(|path| hidden || !path.is_hidden())
}

/// The directory's filesystem, or that of one file, which then stands for its directory.
pub(super) fn filesystem(http: &mut HttpSettings) -> Result<(Box<dyn Filesystem>, Reach), Box<Failure>> {
    let root = http.root.clone();
    let wrong =
        |error: Errno| Box::new(Failure { usage: true, ..*failure(&String::from_utf8_lossy(&root), error) });
    let lost = |_| {
        Box::new(Failure {
            message: joined(&[&*String::from_utf8_lossy(&root), ": cannot be opened"]),
            usage: true,
            error: None,
        })
    };
    let kind = stat_path(&root).map_err(wrong)?.kind;
    if matches!(kind, FileKind::Directory | FileKind::File) {
        // Says what is wrong in the system's own words.
        open_file(&root).map_err(wrong)?;
    }
    if kind == FileKind::Directory {
        let symlinks = match http.symlinks {
            "never" => Symlinks::Never,
            "all" => Symlinks::All,
            _ => Symlinks::Inside,
        };
        let local = LocalFs::new(&root, symlinks).map_err(lost)?;
        return Ok((
            Box::new(local),
            Reach { name: shown(&root), asked: shown(&root), everywhere: symlinks == Symlinks::All },
        ));
    }
    if kind != FileKind::File {
        let message = joined(&[&*String::from_utf8_lossy(&root), ": neither a directory nor a file"]);
        return Err(Box::new(Failure { message, usage: true, error: None }));
    }
    let single = SingleFile::new(&root).map_err(lost)?;
    http.index = file_path::file_name(&root)
        .and_then(|name| from_utf8(name).ok())
        .map(str::to_owned)
        .into_iter()
        .collect();
    http.hidden = true;
    // A link may be made to lead elsewhere at any time.
    let everywhere = stat_link(&root).is_ok_and(|found| found.kind == FileKind::Symlink);
    let name = match shown(&root).rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
        None => ".".to_owned(),
    };
    Ok((Box::new(single), Reach { name, asked: shown(&root), everywhere }))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The media types built in, and those of the file that was named. A message begins with `place`.
pub(super) fn media_types(place: &str, http: &HttpSettings) -> Result<MediaTypes, Box<Failure>> {
    let mut types = MediaTypes::default();
    if !http.types_file.is_empty() {
        let name = [place, &http.types_file].concat();
        let wrong = |error: Errno| match error {
            Errno::ISDIR | NO_FILE => {
                let message = joined(&[name.as_str(), ": expected a file"]);
                Box::new(Failure { message, usage: true, error: None })
            }
            error => Box::new(Failure { usage: true, ..*failure(&name, error) }),
        };
        let text = read_file(&http.types_file, MIME_TYPES_LIMIT + 1).map_err(wrong)?;
        if types.load_mime_types(&text).is_err() {
            let message = joined(&[name.as_str(), ": expected at most 1 MiB of media types"]);
            return Err(Box::new(Failure { message, usage: true, error: None }));
        }
    }
    Ok(types)
}
