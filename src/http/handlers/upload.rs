//! The handler *upload*: files that come by PUT (RFC 9110 section 9.3.4), beneath one directory.
//!
//! A file is written beside its name and gets it when all of it is there (`crate::fs::draft`): who reads the old one
//! gets it whole, of two that come at once the last to be complete stays, and one that is cut leaves nothing. All that
//! can be known is told before the body comes, so before `100 Continue`.
//!
//! | what is asked | answer |
//! |---|---|
//! | PUT of a name that is not there; of a file | 201 with Location; 204; both with the validators of what is there now |
//! | its directory is not there; a directory's name | 409 |
//! | a hidden name or one of a draft, a link, device, FIFO or socket, a way out of the directory, no leave to write | 403 |
//! | a page of another origin, without `cors` | 403 |
//! | Content-Range (section 14.5); a Content-Encoding | 400; 415 |
//! | neither Content-Length nor chunks: not told from a body that was left out | 411, by the service |
//! | a condition that is false, or no longer true when the body has come | 412 |
//! | more than `upload_max`; more than there is room for, less `upload_reserve` | 413; 507 |
//! | a name longer than the file system takes | 414 |
//! | too many uploads at once | 503 |
//! | GET, HEAD | what the next handler says, but a draft is not there |
//! | OPTIONS; another method | 204; 405 |
//!
//! What is uploaded here is served here: who may put files may put a page, and its script is of this origin.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::engine::values::Now;
use crate::fs::draft::is_draft_name;
use crate::fs::{Draft, FileKind, FileStat, FsError, VPath};
use crate::text::number::parse_decimal;

use super::super::conditional::{Precondition, precondition};
use super::super::etag::ETag;
use super::super::field::{Name, elements, eq_ignore_case};
use super::super::handler::{Body, Handler, Hx, Reply, Response, Sink};
use super::super::method::Method;
use super::super::request::Request;
use super::super::response;
use super::super::router::is_below;
use super::super::settings::HttpSettings;
use super::super::status::Status;
use super::entry::validators;
use super::extras;
use super::files::Filesystems;

pub(super) mod page;

/// Where files can be uploaded to, and what their coming changes: shared by those who take and those who send them.
#[derive(Clone)]
pub struct Uploads {
    /// The directory's path, without a slash after it; empty for the root.
    area: Box<[u8]>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// How many files have come.
    changes: AtomicUsize,
    /// How many are coming.
    open: AtomicUsize,
}

impl Uploads {
    /// Uploads to a directory.
    #[must_use]
    pub fn new(area: VPath<'_>) -> Uploads {
        let area = area.as_bytes();
        Uploads { area: area.strip_suffix(b"/").unwrap_or(area).into(), shared: Arc::default() }
    }

    /// Where they go.
    #[must_use]
    pub fn area(&self) -> &[u8] {
        &self.area
    }

    /// Whether a path is that directory or lies beneath it.
    #[must_use]
    pub fn covers(&self, path: VPath<'_>) -> bool {
        is_below(path.as_bytes(), &self.area)
    }

    /// A number that is another one after each upload.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.shared.changes.load(Relaxed)
    }
}

/// The handler.
pub struct UploadHandler {
    filesystem: usize,
    uploads: Uploads,
    hidden: bool,
    cors: bool,
    /// The most bytes of one file.
    largest: u64,
    /// The room that is to stay, in bytes.
    reserve: u64,
    /// How many may come at once.
    most: usize,
}

impl UploadHandler {
    /// A handler over one of the program's filesystems. Its limits are the most bytes of one file, 0 for any number, and
    /// the room that is to stay; `descriptors` is how many files and directories it may keep open.
    #[must_use]
    pub fn new(
        settings: &HttpSettings,
        (largest, reserve): (u64, u64),
        filesystem: usize,
        uploads: Uploads,
        descriptors: usize,
    ) -> UploadHandler {
        UploadHandler {
            filesystem,
            uploads,
            hidden: settings.hidden,
            cors: settings.cors,
            largest: if largest == 0 { u64::MAX } else { largest },
            reserve,
            most: (descriptors / 2).max(1),
        }
    }

    /// Makes ready for a file's bytes, or says why they are not wanted.
    fn place<W: Filesystems>(
        &self,
        request: &Request<'_>,
        world: &W,
        hx: &Hx<'_>,
    ) -> Result<UploadSink, Status> {
        if !self.cors && is_foreign(request) {
            return Err(Status::FORBIDDEN);
        }
        if request.has_any(Name::ContentRange.mask()) {
            return Err(Status::BAD_REQUEST);
        }
        if is_encoded(request) {
            return Err(Status::UNSUPPORTED_MEDIA_TYPE);
        }
        if (hx.path.is_hidden() && !self.hidden) || is_draft_name(hx.path.name()) {
            return Err(Status::FORBIDDEN);
        }
        if self.uploads.shared.open.load(Relaxed) >= self.most {
            return Err(Status::SERVICE_UNAVAILABLE);
        }
        let filesystem = world.filesystem(self.filesystem).ok_or(Status::NOT_FOUND)?;
        let (area, name) = hx.path.as_bytes().split_at_checked(self.uploads.area.len()).unwrap_or_default();
        let area = if area.is_empty() { VPath::ROOT } else { VPath::new(area).unwrap_or(VPath::ROOT) };
        let name = VPath::new(name).map_err(|_itself| Status::CONFLICT)?;
        let draft = filesystem.draft(area, name).map_err(refusal)?;
        let target = draft.target().map_err(refusal)?;
        match target.map(|stat| stat.kind) {
            None | Some(FileKind::File) => {}
            Some(FileKind::Directory) => return Err(Status::CONFLICT),
            Some(FileKind::Symlink | FileKind::Other) => return Err(Status::FORBIDDEN),
        }
        let now = hx.now.unix_seconds;
        let (etag, modified) = target.map(|stat| identity(&stat, now)).unzip();
        if precondition(request, etag.as_ref(), modified, now) != Precondition::Proceed {
            return Err(Status::PRECONDITION_FAILED);
        }
        let guard = match target {
            None if request.has_any(Name::IfNoneMatch.mask()) => Guard::New,
            Some(stat) if request.has_any(CONDITIONS) => Guard::Same(stat),
            None | Some(_) => Guard::Any,
        };
        self.uploads.shared.open.store(self.uploads.shared.open.load(Relaxed) + 1, Relaxed);
        let mut sink = UploadSink {
            draft: Some(draft),
            location: hx.path.as_bytes().into(),
            guard,
            largest: self.largest,
            reserve: self.reserve,
            granted: 0,
            cors: self.cors,
            shared: Arc::clone(&self.uploads.shared),
        };
        // That they are right has been seen to.
        let length = match request.field(Name::ContentLength) {
            Some(length) => parse_decimal(length).unwrap_or(0),
            None => u64::from(request.has_any(Name::TransferEncoding.mask())),
        };
        if length > self.largest {
            return Err(Status::CONTENT_TOO_LARGE);
        }
        if length > 0 && length > sink.room()? {
            return Err(Status::INSUFFICIENT_STORAGE);
        }
        sink.draft.as_mut().ok_or(Status::INTERNAL_SERVER_ERROR)?.begin().map_err(refusal)?;
        Ok(sink)
    }
}

impl<W: Filesystems> Handler<W> for UploadHandler {
    fn handle<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        let mut answer = match request.method() {
            Method::Get | Method::Head if is_draft_name(hx.path.name()) => Response::page(Status::NOT_FOUND),
            Method::Get | Method::Head => return Reply::Pass,
            Method::Put => match self.place(request, world, hx) {
                Ok(sink) => return Reply::Upload(Box::new(sink)),
                Err(status) => Response::page(status),
            },
            Method::Options => Response::empty(Status::NO_CONTENT),
            _ => Response::page(Status::METHOD_NOT_ALLOWED),
        };
        if matches!(answer.status, Status::NO_CONTENT | Status::METHOD_NOT_ALLOWED) {
            response::field(&mut answer.fields, b"Allow", Method::ALLOW_PUT.as_bytes());
        }
        if answer.status == Status::UNSUPPORTED_MEDIA_TYPE {
            // It was the coding that is not supported (RFC 9110 section 12.5.3).
            answer.fields.extend_from_slice(b"Accept-Encoding: identity\r\n");
        }
        if self.cors {
            extras::open_to_all(request, true, &mut answer);
        }
        Reply::Respond(answer)
    }
}

const CONDITIONS: u32 = Name::IfMatch.mask() | Name::IfNoneMatch.mask() | Name::IfUnmodifiedSince.mask();

/// The values of a field that has no number.
fn values<'a>(request: &Request<'a>, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    request.fields().filter(move |(other, _)| eq_ignore_case(other, name)).map(|(_, value)| value)
}

/// Whether a browser says that a page of another origin sends this. One that is too old to say so asks by OPTIONS
/// before it sends PUT, and is not told yes.
fn is_foreign(request: &Request<'_>) -> bool {
    values(request, b"Sec-Fetch-Site").any(|site| !matches!(site, b"same-origin" | b"none"))
}

/// Whether what comes is not the file itself.
fn is_encoded(request: &Request<'_>) -> bool {
    values(request, b"Content-Encoding").flat_map(elements).any(|coding| !eq_ignore_case(coding, b"identity"))
}

/// The validators of a file, as replies to GET have them.
fn identity(stat: &FileStat, now: i64) -> (ETag, i64) {
    let weak = now.saturating_sub(stat.modified) <= 1;
    (ETag::new(stat.size, stat.modified, stat.modified_ns, stat.inode, weak), stat.modified.min(now))
}

/// What a file that cannot be written is answered with.
fn refusal(error: FsError) -> Status {
    match error {
        FsError::NotFound | FsError::NotDirectory | FsError::IsDirectory => Status::CONFLICT,
        FsError::Denied | FsError::Escapes | FsError::Loop | FsError::ReadOnly | FsError::Busy => {
            Status::FORBIDDEN
        }
        FsError::Exists => Status::PRECONDITION_FAILED,
        FsError::NoSpace => Status::INSUFFICIENT_STORAGE,
        FsError::NameTooLong => Status::URI_TOO_LONG,
        FsError::TooManyOpen => Status::SERVICE_UNAVAILABLE,
        FsError::TooLarge => Status::CONTENT_TOO_LARGE,
        FsError::NotEmpty | FsError::Other(_) => Status::INTERNAL_SERVER_ERROR,
    }
}

/// What must be true of the name when the file gets it.
enum Guard {
    Any,
    /// Nothing has it.
    New,
    /// This file has it still.
    Same(FileStat),
}

/// A file that is coming.
struct UploadSink {
    /// `None` when it has its name.
    draft: Option<Box<dyn Draft>>,
    /// Its path.
    location: Box<[u8]>,
    guard: Guard,
    largest: u64,
    reserve: u64,
    /// Bytes that may be written before the room is looked at again.
    granted: u64,
    cors: bool,
    shared: Arc<Shared>,
}

/// The most that is written without a look at the room.
const GRANT_MOST: u64 = 1 << 20;
/// The least, as long as there is room.
const GRANT_LEAST: u64 = 4096;

impl UploadSink {
    /// How many bytes may be written without touching the reserve. Without a reserve the kernel alone says when the disk
    /// is full, for some file systems do not know how full they are.
    fn room(&self) -> Result<u64, Status> {
        match &self.draft {
            Some(draft) if self.reserve > 0 => {
                Ok(draft.space().map_err(refusal)?.saturating_sub(self.reserve))
            }
            Some(_) | None => Ok(u64::MAX),
        }
    }

    /// Looks at the room again, if `length` more bytes ask for it. A thousandth of it at most is granted at a time, so
    /// that all who write at once do not overrun it together.
    fn grant(&mut self, length: u64) -> Result<(), Status> {
        if length > self.granted {
            let room = self.room()?;
            if length > room {
                return Err(Status::INSUFFICIENT_STORAGE);
            }
            self.granted = (room / 1024).clamp(GRANT_LEAST, GRANT_MOST).max(length);
        }
        self.granted -= length;
        Ok(())
    }

    fn complete(&mut self) -> Result<(FileStat, bool), Status> {
        let draft = self.draft.take().ok_or(Status::INTERNAL_SERVER_ERROR)?;
        let replace = match self.guard {
            Guard::Any => true,
            Guard::New => false,
            Guard::Same(stat) if draft.target().map_err(refusal)? == Some(stat) => true,
            Guard::Same(_) => return Err(Status::PRECONDITION_FAILED),
        };
        draft.commit(replace).map_err(refusal)
    }
}

impl<W> Sink<W> for UploadSink {
    fn limit(&self) -> Option<u64> {
        Some(self.largest)
    }

    fn write(&mut self, data: &[u8], _world: &mut W) -> Result<(), Status> {
        self.grant(data.len() as u64)?;
        self.draft.as_mut().ok_or(Status::INTERNAL_SERVER_ERROR)?.write(data).map_err(refusal)
    }

    fn finish(mut self: Box<Self>, now: Now, _world: &mut W) -> Response<W> {
        let mut response = match self.complete() {
            Ok((stat, replaced)) => {
                self.shared.changes.store(self.shared.changes.load(Relaxed).wrapping_add(1), Relaxed);
                let mut fields = Vec::with_capacity(256);
                if !replaced {
                    let mut location = Vec::new();
                    crate::text::percent::encode_path(&self.location, &mut location);
                    response::field(&mut fields, b"Location", &location);
                }
                let (etag, modified) = identity(&stat, now.unix_seconds);
                validators(&mut fields, &etag, modified);
                let status = if replaced { Status::NO_CONTENT } else { Status::CREATED };
                Response { status, fields, body: Body::Empty }
            }
            Err(status) => Response::page(status),
        };
        if self.cors {
            response.fields.extend_from_slice(extras::ANY_ORIGIN);
        }
        response
    }
}

impl Drop for UploadSink {
    fn drop(&mut self) {
        self.shared.open.store(self.shared.open.load(Relaxed).saturating_sub(1), Relaxed);
    }
}

#[cfg(test)]
mod tests;
