//! A file that is being written: nobody sees it under its name before all of it is there.
//!
//! ```text
//!  draft() ──▶ placed ── begin ──▶ begun ── write, again and again ──▶ begun ── commit ──▶ it has its name
//!                 │                  │
//!                 └───── dropped ────┴──▶ nothing is left
//! ```
//! Until then it lies beside its name, under one that begins with a dot and that no two drafts share: `.NAME-` with 16
//! hexadecimal digits and `.part`. So giving it its name is one step on one file system, and what is left of a process
//! that was killed is known by its name, and is not served.

use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::vec::Vec;

use gorgon_sys::{AsFd, Errno, FileKind, FileStat, Io, OwnedFd};

use super::filesystem::FsError;
use super::path::SEGMENT_LIMIT;
use crate::text::hex::push_hex;

/// A new file. See the module.
pub trait Draft {
    /// What has the name now: a link itself, not what it leads to.
    ///
    /// # Errors
    /// The directory cannot be searched.
    fn target(&self) -> Result<Option<FileStat>, FsError>;

    /// How many bytes may still be written where it lies.
    ///
    /// # Errors
    /// The system does not say.
    fn space(&self) -> Result<u64, FsError>;

    /// Makes the file.
    ///
    /// # Errors
    /// `Denied`, `ReadOnly`, `NoSpace`, `TooManyOpen`, ..
    fn begin(&mut self) -> Result<(), FsError>;

    /// Writes at its end, all of the bytes or else an error.
    ///
    /// # Errors
    /// `NoSpace`, ..
    fn write(&mut self, data: &[u8]) -> Result<(), FsError>;

    /// Gives it its name, in place of a file that has it if `replace`. Tells what the new file is, and whether another
    /// one was replaced.
    ///
    /// # Errors
    /// `Exists` when there is one and it is not to be replaced; `IsDirectory`; `Loop` for a link, which is neither
    /// followed nor replaced; `Busy` for a FIFO, socket or device.
    fn commit(self: Box<Self>, replace: bool) -> Result<(FileStat, bool), FsError>;
}

/// What a draft's name ends with, after its 16 digits.
const END: &[u8] = b".part";
const DIGITS: usize = 16;

/// A name for a draft of the file `name`, that nobody can guess.
///
/// # Errors
/// The system has no random bytes.
pub(super) fn draft_name(name: &[u8]) -> Result<Vec<u8>, FsError> {
    let mut random = [0; DIGITS / 2];
    gorgon_sys::fill_random(&mut random)?;
    let mut room = name.len().min(SEGMENT_LIMIT - 2 - DIGITS - END.len());
    // Some file systems take whole characters only.
    while name.get(room).is_some_and(|byte| byte & 0xc0 == 0x80) && room > 0 {
        room -= 1;
    }
    let mut draft = Vec::with_capacity(SEGMENT_LIMIT);
    draft.push(b'.');
    draft.extend_from_slice(name.get(..room).unwrap_or_default());
    draft.push(b'-');
    push_hex(&random, &mut draft);
    draft.extend_from_slice(END);
    Ok(draft)
}

/// Whether a name is one that drafts have.
#[must_use]
pub fn is_draft_name(name: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(b".").and_then(|rest| rest.strip_suffix(END)) else { return false };
    let Some(dash) = rest.len().checked_sub(DIGITS + 1) else { return false };
    let Some([b'-', digits @ ..]) = rest.get(dash..) else { return false };
    digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a draft may take the place of.
///
/// # Errors
/// As for [`Draft::commit`].
pub(super) fn may_replace(kind: FileKind) -> Result<(), FsError> {
    match kind {
        FileKind::File => Ok(()),
        FileKind::Directory => Err(FsError::IsDirectory),
        FileKind::Symlink => Err(FsError::Loop),
        FileKind::Other => Err(FsError::Busy),
    }
}

/// Writes all of `data` to a file.
///
/// # Errors
/// The system's.
pub(super) fn write_all(file: &OwnedFd, mut data: &[u8]) -> Result<(), FsError> {
    while !data.is_empty() {
        match gorgon_sys::write(file.as_fd(), data) {
            // To write nothing for ever is no progress.
            Io::Done(0) | Io::Blocked | Io::Ended => return Err(FsError::Other(Errno::IO)),
            Io::Done(count) => data = data.get(count..).unwrap_or_default(),
            Io::Failed(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A file of so many bytes is not freed by this process: the system may take long.
const LARGE: u64 = 64 << 20;

/// A draft in a directory of this system.
pub(super) struct LocalDraft {
    directory: OwnedFd,
    name: CString,
    /// The file, once begun, and its name for now: empty once it has another one.
    file: Option<OwnedFd>,
    draft: CString,
}

impl LocalDraft {
    pub(super) fn new(directory: OwnedFd, name: &[u8]) -> Result<LocalDraft, FsError> {
        let name = CString::new(name).map_err(|_nul| FsError::Other(Errno::INVAL))?;
        Ok(LocalDraft { directory, name, file: None, draft: CString::default() })
    }

    fn settle(&mut self, replace: bool) -> Result<(FileStat, bool), FsError> {
        let file = self.file.as_ref().ok_or(FsError::NotFound)?;
        let directory = self.directory.as_fd();
        let replaced = match gorgon_sys::rename_new_in(directory, &self.draft, &self.name) {
            Ok(()) => false,
            Err(error) if !replace => return Err(error.into()),
            // There is one; or this file system cannot tell in the same step, and we look before.
            Err(_) => {
                let target = self.target()?;
                target.map_or(Ok(()), |stat| may_replace(stat.kind))?;
                let old = target.filter(|stat| stat.size >= LARGE);
                let old = old.and_then(|_| gorgon_sys::hold_in(directory, &self.name).ok());
                gorgon_sys::rename_in(directory, &self.draft, &self.name)?;
                old.into_iter().for_each(gorgon_sys::close_elsewhere);
                target.is_some()
            }
        };
        self.draft = CString::default();
        Ok((gorgon_sys::stat(file.as_fd())?, replaced))
    }
}

impl Draft for LocalDraft {
    fn target(&self) -> Result<Option<FileStat>, FsError> {
        match gorgon_sys::stat_in(self.directory.as_fd(), &self.name) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn space(&self) -> Result<u64, FsError> {
        Ok(gorgon_sys::space(self.directory.as_fd())?)
    }

    fn begin(&mut self) -> Result<(), FsError> {
        if self.file.is_none() {
            let draft = draft_name(self.name.to_bytes())?;
            let draft = CString::new(draft).map_err(|_nul| FsError::Other(Errno::INVAL))?;
            self.file = Some(gorgon_sys::create_in(self.directory.as_fd(), &draft)?);
            self.draft = draft;
        }
        Ok(())
    }

    fn write(&mut self, data: &[u8]) -> Result<(), FsError> {
        write_all(self.file.as_ref().ok_or(FsError::NotFound)?, data)
    }

    fn commit(mut self: Box<Self>, replace: bool) -> Result<(FileStat, bool), FsError> {
        self.settle(replace)
    }
}

impl Drop for LocalDraft {
    fn drop(&mut self) {
        if !self.draft.is_empty() {
            // If it cannot be removed, its name still says what it is.
            let _gone = gorgon_sys::unlink_in(self.directory.as_fd(), &self.draft);
            let file = self.file.take();
            let large = |file: &OwnedFd| gorgon_sys::stat(file.as_fd()).is_ok_and(|stat| stat.size >= LARGE);
            file.into_iter().filter(large).for_each(gorgon_sys::close_elsewhere);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_drafts() {
        let whole = "\u{e9}".repeat(127);
        for name in ["a", "a.txt", ".hidden", &"x".repeat(255), &whole] {
            let (one, other) = (draft_name(name.as_bytes()).unwrap(), draft_name(name.as_bytes()).unwrap());
            assert_ne!(one, other);
            assert!(is_draft_name(&one) && one.len() <= SEGMENT_LIMIT, "{name}");
            assert!(core::str::from_utf8(&one).is_ok(), "{name}");
        }
        for (name, is) in [
            (".a-0123456789abcdef.part", true),
            (".-0123456789abcdef.part", true),
            ("a-0123456789abcdef.part", false),
            (".a-0123456789abcdeF.part", false),
            (".a-0123456789abcde.part", false),
            (".a_0123456789abcdef.part", false),
            (".a-0123456789abcdef.par", false),
            (".part", false),
            ("", false),
        ] {
            assert_eq!(is_draft_name(name.as_bytes()), is, "{name}");
        }
        // Bytes that are no characters are cut to nothing at worst, not for ever.
        assert!(is_draft_name(&draft_name(&[0x80; 255]).unwrap()));
    }
}
