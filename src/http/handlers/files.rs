//! The handler *files*: what lies beneath a root.
//!
//! A reply to GET is made once and kept with the file's name: status line, fields and, of a small file, the bytes, as
//! they go out. It is good for a second; then the path is opened again, and the reply stays if it is still the same file
//! by device, inode, size and time. So a request that hits costs one lookup here and, where it is sent from, one send.
//! Of a file that is sent from its descriptor, this one is looked at each time: it shows bytes that are newer than the
//! reply, which would go out under a tag and a length that are not theirs.
//!
//! | what the path is | answer |
//! |---|---|
//! | a file that can be read | 200, or 304 and 412 by the request's conditions, 206 and 416 by its ranges |
//! | a directory, without the slash | 301 to the path with it, query kept |
//! | a directory | the first index file there is, else 403 |
//! | unreadable, or a FIFO, socket or device | 403 |
//! | hidden, or a way out of the root | 404, as if it were not there |
//! | a file, with a slash after it; nothing at all | 404 |
//! | anything, while no descriptor is free | 503 |

use crate::engine::values::{FileId, FileRange, Files, Now};
use crate::fs::cache::{Cache, Found};
use crate::fs::content;
use crate::fs::media::{MediaTypes, is_text};
use crate::fs::path::extension;
use crate::fs::{FileStat, Filesystem, FsError, Opened, OwnedFd, VPath, VPathBuf};
use crate::text::percent;

use super::super::conditional::{Precondition, precondition};
use super::super::date;
use super::super::etag::ETag;
use super::super::handler::{Body, Handler, Hx, Reply, Response};
use super::super::method::Method;
use super::super::range::{self, Ranges};
use super::super::request::Request;
use super::super::response::{self, BodyForm};
use super::super::settings::HttpSettings;
use super::super::status::Status;
use super::partial::{self, Parts};

/// How long a kept reply is good before its file is looked at again, in milliseconds.
const FRESH: u64 = 1000;
/// How long a descriptor is kept for a large file that nobody asks for, in milliseconds.
const UNUSED: u64 = 10_000;
/// What a kept descriptor is charged as, in bytes: the kernel's own record of an open file.
const DESCRIPTOR_COST: usize = 512;

/// What gives a handler its files: a part of what the program shares.
pub trait Filesystems {
    /// The filesystem with this number, if there is one.
    fn filesystem(&self, number: usize) -> Option<&dyn Filesystem>;
}

/// The handler.
pub struct FilesHandler {
    filesystem: usize,
    index: Vec<String>,
    hidden: bool,
    charset: String,
    small: u64,
    types: MediaTypes,
    cache: Cache<Entry>,
    /// A reply that the cache does not take: kept until the next one.
    uncached: Option<Entry>,
    /// The path of an index file.
    path: VPathBuf,
    /// Where heads are written.
    text: Vec<u8>,
    /// How many replies in several parts there were.
    multiparts: u32,
}

/// A reply that lies ready.
struct Entry {
    /// Status line, fields, the empty line and, of a small file, its bytes.
    text: Box<[u8]>,
    /// The length of status line and fields.
    head: usize,
    /// Where the fields stand that tell of the file, but for its length.
    fields: std::ops::Range<usize>,
    /// Where the date stands, and the second it tells.
    date_at: usize,
    date: i64,
    stat: FileStat,
    /// As `Last-Modified` gives it: never later than the reply.
    modified: i64,
    etag: ETag,
    /// The file changed so lately that it may change again without showing it.
    weak: bool,
    /// The open file, when its bytes are not here.
    file: Option<FileId>,
    /// When the file was last looked at, and when it was last asked for, in milliseconds.
    checked: u64,
    used: u64,
}

/// Where a reply is.
#[derive(Clone, Copy)]
enum Place {
    Cached(Found),
    Uncached,
}

/// What a path led to.
enum Resolved<'t> {
    File(OwnedFd, FileStat, &'t str),
    /// A directory without the slash that its name has to end with.
    Slash,
    /// No reply of ours.
    Refused(Status),
}

impl FilesHandler {
    /// A handler over one of the program's filesystems. `descriptors` is how many files it may keep open.
    pub fn new(
        settings: &HttpSettings,
        filesystem: usize,
        types: MediaTypes,
        descriptors: usize,
    ) -> FilesHandler {
        FilesHandler {
            filesystem,
            index: settings.index.clone(),
            hidden: settings.hidden,
            charset: settings.charset.clone(),
            small: settings.cache_file_max.into(),
            types,
            cache: Cache::new(usize::try_from(settings.file_cache).unwrap_or(usize::MAX), descriptors),
            uncached: None,
            path: VPathBuf::default(),
            text: Vec::new(),
            multiparts: 0,
        }
    }

    /// Whether a kept reply can be sent without a look at its path.
    fn is_good(&self, found: Found, hx: &Hx<'_>) -> bool {
        let Some(entry) = self.cache.get(found) else { return false };
        let unchanged = |file| {
            let stat = hx.files.get(file).and_then(|fd| content::stat(fd).ok());
            stat.is_some_and(|stat| stat == entry.stat)
        };
        hx.now.milliseconds.saturating_sub(entry.checked) < FRESH && entry.file.is_none_or(unchanged)
    }

    /// Looks at the path itself, and makes its reply unless the one that is kept is still right.
    fn refresh(
        &mut self,
        kept: Option<Found>,
        filesystem: Option<&dyn Filesystem>,
        hx: &mut Hx<'_>,
    ) -> Result<Place, Option<Status>> {
        let resolved = match filesystem {
            Some(filesystem) => resolve(filesystem, hx.path, &self.index, &mut self.path, &self.types),
            None => Resolved::Refused(Status::NOT_FOUND),
        };
        let refused = match resolved {
            Resolved::File(fd, stat, media_type) => {
                if let Some((found, entry)) = kept.and_then(|found| Some((found, self.cache.get_mut(found)?)))
                {
                    let could_be_small = entry.file.is_some() && stat.size <= self.small;
                    if entry.stat == stat && !entry.weak && !could_be_small {
                        entry.checked = hx.now.milliseconds;
                        return Ok(Place::Cached(found));
                    }
                }
                let entry = make(fd, stat, media_type, &self.charset, self.small, &mut self.text, hx);
                return Ok(self.keep(entry, hx));
            }
            Resolved::Slash => None,
            Resolved::Refused(Status::SERVICE_UNAVAILABLE) if kept.is_some() => {
                // No descriptor to look with: what was right a moment ago is better than no answer.
                let entry = kept.and_then(|found| self.cache.get_mut(found));
                entry.into_iter().for_each(|entry| entry.checked = hx.now.milliseconds);
                return kept.map(Place::Cached).ok_or(Some(Status::SERVICE_UNAVAILABLE));
            }
            Resolved::Refused(status) => Some(status),
        };
        if let Some(entry) = kept.and_then(|found| self.cache.take(found)) {
            entry.file.into_iter().for_each(|file| hx.files.release(file));
        }
        Err(refused)
    }

    /// Keeps a reply, in the cache if it takes it.
    fn keep(&mut self, entry: Entry, hx: &mut Hx<'_>) -> Place {
        let cost = entry.text.len() + if entry.file.is_some() { DESCRIPTOR_COST } else { 0 };
        let mut gone = Vec::new();
        let found = self.cache.insert(hx.path.as_bytes(), cost, entry, &mut |entry| gone.push(entry));
        if found.is_none() {
            // The last one that had no place is this one.
            self.uncached = gone.pop();
        }
        gone.into_iter().filter_map(|entry| entry.file).for_each(|file| hx.files.release(file));
        found.map_or(Place::Uncached, Place::Cached)
    }

    /// The reply from where it lies, or what the request's conditions make of it.
    fn answer<'h, W>(&'h mut self, place: Place, request: &Request<'_>, hx: &mut Hx<'_>) -> Reply<'h, W> {
        let entry = match place {
            Place::Cached(found) => self.cache.get_mut(found),
            Place::Uncached => self.uncached.as_mut(),
        };
        let Some(entry) = entry else { return Reply::Respond(Response::page(Status::INTERNAL_SERVER_ERROR)) };
        let file = match place {
            Place::Cached(_) => entry.file,
            Place::Uncached => entry.file.take(),
        };
        let conditions = precondition(request, Some(&entry.etag), Some(entry.modified), hx.now.unix_seconds);
        let status = match conditions {
            Precondition::Proceed => None,
            Precondition::NotModified => Some(Status::NOT_MODIFIED),
            Precondition::Failed => Some(Status::PRECONDITION_FAILED),
        };
        if let Some(status) = status {
            if let (Place::Uncached, Some(file)) = (place, file) {
                hx.files.release(file);
            }
            if status == Status::PRECONDITION_FAILED {
                return Reply::Respond(Response::page(status));
            }
            let mut response = Response::empty(status);
            validators(&mut response.fields, &entry.etag, entry.modified);
            return Reply::Respond(response);
        }
        entry.used = hx.now.milliseconds;
        if entry.date != hx.now.unix_seconds {
            entry.date = hx.now.unix_seconds;
            let end = entry.date_at + date::LENGTH;
            if let Some(place) = entry.text.get_mut(entry.date_at..end) {
                place.copy_from_slice(hx.date.as_bytes());
            }
        }
        let size = entry.stat.size;
        let fields = entry.text.get(entry.fields.clone()).unwrap_or_default();
        let body = entry.text.get(entry.head + 2..).unwrap_or_default();
        let mut piece = None;
        let response = match range::requested(request, &entry.etag, entry.modified, size) {
            Ranges::Whole => None,
            Ranges::Unsatisfiable => Some(partial::unsatisfiable(size)),
            Ranges::One(one) => {
                piece = Some(one);
                None
            }
            Ranges::Many(pieces) => {
                self.multiparts = self.multiparts.wrapping_add(1);
                let number = hx.now.milliseconds << 32 ^ u64::from(self.multiparts);
                let parts = Parts::new(pieces, size, fields, &entry.etag, number);
                match file {
                    None => Some(parts.of_bytes(fields, body)),
                    Some(file) => hx.files.get(file).and_then(|file| parts.of_file(fields, file)),
                }
            }
        };
        if let Some(response) = response {
            if let (Place::Uncached, Some(file)) = (place, file) {
                hx.files.release(file);
            }
            return Reply::Respond(response);
        }
        if let Some(piece) = piece {
            partial::write_head(&mut self.text, hx.date, fields, piece, size);
        }
        let Some(file) = file else {
            let Some(piece) = piece else { return Reply::Ready { whole: &entry.text, head: entry.head } };
            // Bytes at hand have a length that is one of memory.
            let body = body.get(piece.first as usize..piece.end as usize).unwrap_or_default();
            return Reply::Piece { head: &self.text, body };
        };
        if let Place::Cached(_) = place {
            hx.files.hold(file);
        }
        match piece {
            Some(piece) => Reply::File {
                head: &self.text,
                range: FileRange { file, at: piece.first, left: piece.length() },
            },
            None => Reply::File {
                head: entry.text.get(..entry.head).unwrap_or(&[]),
                range: FileRange { file, at: 0, left: size },
            },
        }
    }
}

impl<W: Filesystems> Handler<W> for FilesHandler {
    fn handle<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        match request.method() {
            Method::Get | Method::Head => {}
            Method::Options => return Reply::Respond(allow(Response::empty(Status::NO_CONTENT))),
            _ => return Reply::Respond(allow(Response::page(Status::METHOD_NOT_ALLOWED))),
        }
        let kept = self.cache.find(hx.path.as_bytes());
        if let Some(found) = kept {
            if self.is_good(found, hx) {
                return self.answer(Place::Cached(found), request, hx);
            }
        }
        if hx.path.is_hidden() && !self.hidden {
            return Reply::Respond(Response::page(Status::NOT_FOUND));
        }
        match self.refresh(kept, world.filesystem(self.filesystem), hx) {
            Ok(place) => self.answer(place, request, hx),
            Err(Some(status)) => Reply::Respond(Response::page(status)),
            Err(None) => Reply::Respond(redirect(hx.path, request.query())),
        }
    }

    fn sweep(&mut self, now: Now, files: &mut Files) -> bool {
        let mut left = false;
        self.cache.retain(
            &mut |entry| {
                let keeps = entry.file.is_none() || now.milliseconds.saturating_sub(entry.used) < UNUSED;
                left |= keeps && entry.file.is_some();
                keeps
            },
            &mut |entry| entry.file.into_iter().for_each(|file| files.release(file)),
        );
        left
    }
}

/// Opens what a path names: the file, or a directory's index file.
fn resolve<'t>(
    filesystem: &dyn Filesystem,
    path: VPath<'_>,
    index: &[String],
    buffer: &mut VPathBuf,
    types: &'t MediaTypes,
) -> Resolved<'t> {
    match filesystem.open(path) {
        Ok(Opened::File(fd, stat)) => {
            // A filesystem of one file gives it for `/` as well: there its type is that of the index.
            let name = index
                .first()
                .filter(|_| path.is_directory_form())
                .map_or(path.name(), |name| name.as_bytes());
            return Resolved::File(fd, stat, types.media_type(extension(name)));
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
                return Resolved::File(fd, stat, types.media_type(inner.extension()));
            }
            Ok(Opened::Directory(_) | Opened::Other(_)) => {}
            Err(FsError::NotFound | FsError::NotDirectory | FsError::Escapes | FsError::Loop) => {}
            Err(error) => return Resolved::Refused(status_of(error)),
        }
    }
    Resolved::Refused(Status::FORBIDDEN)
}

/// Makes the reply to a GET of a file.
fn make(
    fd: OwnedFd,
    stat: FileStat,
    media_type: &str,
    charset: &str,
    small: u64,
    text: &mut Vec<u8>,
    hx: &mut Hx<'_>,
) -> Entry {
    let now = hx.now.unix_seconds;
    let weak = now.saturating_sub(stat.modified) <= 1;
    let modified = stat.modified.min(now);
    let etag = ETag::new(stat.size, stat.modified, stat.modified_ns, stat.inode, weak);
    let mut fields = Vec::with_capacity(256);
    fields.extend_from_slice(b"Content-Type: ");
    fields.extend_from_slice(media_type.as_bytes());
    if !charset.is_empty() && is_text(media_type) {
        fields.extend_from_slice(b"; charset=");
        fields.extend_from_slice(charset.as_bytes());
    }
    fields.extend_from_slice(b"\r\n");
    validators(&mut fields, &etag, modified);
    fields.extend_from_slice(b"Accept-Ranges: bytes\r\n");
    text.clear();
    response::write_head(text, Status::OK, hx.date, &fields, BodyForm::Length(stat.size));
    let head = text.len();
    // The length is the last line.
    let end = text.iter().rev().skip(1).position(|byte| *byte == b'\n').map_or(0, |back| head - 1 - back);
    let date_at = text.iter().position(|byte| *byte == b'\n').map_or(head, |at| at + response::DATE_AT);
    text.extend_from_slice(b"\r\n");
    let file = if stat.size <= small && content::read_whole(&fd, stat.size, text) {
        None
    } else {
        Some(hx.files.insert(fd))
    };
    if file.is_some() {
        text.truncate(head);
    }
    let checked = hx.now.milliseconds;
    let entry = Entry {
        text: text.as_slice().into(),
        head,
        fields: end.saturating_sub(fields.len())..end,
        date_at,
        date: now,
        stat,
        modified,
        etag,
        weak,
        file,
        checked,
        used: checked,
    };
    text.clear();
    text.shrink_to(1024);
    entry
}

/// The fields that tell one state of a file from another.
fn validators(fields: &mut Vec<u8>, etag: &ETag, modified: i64) {
    response::field(fields, b"Last-Modified", &date::format(modified));
    response::field(fields, b"ETag", etag.as_bytes());
}

fn allow<W>(mut response: Response<W>) -> Response<W> {
    response::field(&mut response.fields, b"Allow", Method::ALLOW.as_bytes());
    response
}

/// To the same path with a slash after it. The location begins with one slash and nothing else, so that it cannot name
/// another host.
fn redirect<W>(path: VPath<'_>, query: Option<&[u8]>) -> Response<W> {
    let mut location = Vec::new();
    path.encode_url(&mut location);
    location.push(b'/');
    if let Some(query) = query {
        location.push(b'?');
        percent::encode_query(query, &mut location);
    }
    let mut fields = Vec::new();
    response::field(&mut fields, b"Location", &location);
    Response { status: Status::MOVED_PERMANENTLY, fields, body: Body::Page }
}

/// What a failed lookup is answered with.
fn status_of(error: FsError) -> Status {
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
        | FsError::ReadOnly
        | FsError::Busy
        | FsError::Other(_) => Status::INTERNAL_SERVER_ERROR,
    }
}
