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
//! | a directory | the first index file there is, else its listing, else 403 |
//! | unreadable, or a FIFO, socket or device | 403 |
//! | hidden, or a way out of the root | 404, as if it were not there |
//! | a file, with a slash after it; nothing at all | 404 |
//! | anything, while no descriptor is free | 503 |
//!
//! A file may lie beside it in content codings, as its *twins*. Which of them a request gets hangs on the file and on
//! what the client takes; so a reply is kept under the path together with that, and the reply itself says `Vary`.

use alloc::string::String;
use alloc::vec::Vec;

use crate::engine::values::{FileRange, Files, Now};
use crate::fs::cache::{Cache, Found};
use crate::fs::content;
use crate::fs::media::MediaTypes;
use crate::fs::{Filesystem, VPath, VPathBuf};
use crate::text::percent;

use super::super::accept;
use super::super::conditional::{Precondition, precondition};
use super::super::date;
use super::super::encoding::{self, Coding, Preference};
use super::super::facts::{CACHE, CacheFacts, Tell, tell};
use super::super::field::Name;
use super::super::handler::{Body, Handler, Hx, Reply, Response};
use super::super::method::Method;
use super::super::range::{self, Ranges};
use super::super::request::Request;
use super::super::response;
use super::super::settings::HttpSettings;
use super::super::status::Status;
use super::entry::{About, Entry, make, validators};
use super::listing::{Directories, Listings};
use super::partial::{self, Parts};
use super::resolve::{Resolved, resolve};
use super::upload::{self, Uploads};
use super::{extras, twins};

/// How long a kept reply is good before its file is looked at again, in milliseconds.
const FRESH: u64 = 1000;
/// How long it is good when no descriptor is free to look with, in milliseconds.
const BLIND: u64 = 10_000;
/// How long a descriptor is kept for a large file that nobody asks for, in milliseconds.
const UNUSED: u64 = 10_000;
/// What a kept descriptor is charged as, in bytes: the kernel's own record of an open file.
const DESCRIPTOR_COST: usize = 512;

/// What gives a handler its files: a part of what the program shares.
pub trait Filesystems {
    /// The filesystem with this number, if there is one.
    fn filesystem(&self, number: usize) -> Option<&dyn Filesystem>;

    /// The same with the directories that are being listed.
    fn listed(&mut self, number: usize) -> (Option<&dyn Filesystem>, &mut Directories);
}

/// The handler.
pub struct FilesHandler {
    filesystem: usize,
    index: Vec<String>,
    hidden: bool,
    charset: String,
    small: u64,
    types: MediaTypes,
    /// The codings of twins, best first.
    codings: Vec<Coding>,
    /// The fields of every reply that sends a file, or says that the client has it.
    common: Vec<u8>,
    /// The same for the root's index file.
    common_root: Vec<u8>,
    cors: bool,
    spa: bool,
    cache: Cache<Entry>,
    /// `None` when directories are not listed.
    listings: Option<Listings>,
    /// A reply that the cache does not take: kept until the next one.
    uncached: Option<Entry>,
    /// The path of the file, which may be an index file.
    path: VPathBuf,
    /// The path of a twin.
    twin: VPathBuf,
    /// What a reply is kept under that is not kept under its path alone.
    key: Vec<u8>,
    /// Where heads are written.
    text: Vec<u8>,
    /// How many replies in several parts there were.
    multiparts: u32,
    /// What is uploaded to parts of it, and how many uploads are known of.
    uploads: Vec<Uploads>,
    uploaded: usize,
    /// What was looked at before this is not good any more, in milliseconds.
    stale: u64,
    hits: u64,
    misses: u64,
}

/// Where a reply is.
#[derive(Clone, Copy)]
enum Place {
    Cached(Found),
    Uncached,
}

/// Why there is no file to send.
enum NoFile {
    Slash,
    Directory,
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
            codings: settings.precompressed.iter().filter_map(|name| Coding::find(name.as_bytes())).collect(),
            common: extras::common_fields(settings, false),
            common_root: extras::common_fields(settings, settings.spa),
            cors: settings.cors,
            spa: settings.spa,
            cache: Cache::new(usize::try_from(settings.file_cache).unwrap_or(usize::MAX), descriptors),
            listings: settings.listing.then(|| Listings::new(filesystem, settings.hidden, descriptors)),
            uncached: None,
            path: VPathBuf::default(),
            twin: VPathBuf::default(),
            key: Vec::new(),
            text: Vec::new(),
            multiparts: 0,
            uploads: Vec::new(),
            uploaded: 0,
            stale: 0,
            hits: 0,
            misses: 0,
        }
    }

    /// Has directories to which files can be uploaded say so, and each upload seen at once.
    pub fn add_uploads(&mut self, uploads: Uploads) {
        self.uploads.push(uploads);
    }

    /// Sees to it that nothing is sent that an upload has replaced: every path is looked at anew after one, for it may
    /// be the index, or the twin, of another.
    fn see_uploads(&mut self, now: Now) {
        let changes = self.uploads.iter().fold(0usize, |sum, uploads| sum.wrapping_add(uploads.changes()));
        if changes != self.uploaded {
            // What is looked at within this millisecond may be older than the next upload within it.
            (self.uploaded, self.stale) = (changes, now.milliseconds + 1);
        }
    }

    /// The reply to a request, but for what lets pages of other origins read the replies that have no file.
    fn reply<'h, W: Filesystems>(
        &'h mut self,
        request: &Request<'_>,
        world: &mut W,
        hx: &mut Hx<'_>,
    ) -> Reply<'h, W> {
        match request.method() {
            Method::Get | Method::Head => {}
            Method::Options => return Reply::Respond(allow(Response::empty(Status::NO_CONTENT))),
            _ => return Reply::Respond(allow(Response::page(Status::METHOD_NOT_ALLOWED))),
        }
        self.see_uploads(hx.now);
        let filesystem = world.filesystem(self.filesystem);
        let mut place = self.find(request, filesystem, hx);
        if self.spa
            && matches!(place, Err(NoFile::Refused(Status::NOT_FOUND)))
            && !hx.path.name().contains(&b'.')
            && accept::takes_html(&mut request.values(Name::Accept))
        {
            hx.path = VPath::ROOT;
            // A root without an index file does not make what is not there forbidden.
            place = self.find(request, filesystem, hx).map_err(|no_file| match no_file {
                NoFile::Directory => NoFile::Refused(Status::NOT_FOUND),
                other => other,
            });
        }
        match place {
            Ok(place) => self.answer(place, request, hx),
            Err(NoFile::Refused(status)) => Reply::Respond(Response::page(status)),
            Err(NoFile::Slash) => Reply::Respond(redirect(hx.path, request.query())),
            Err(NoFile::Directory) => Reply::Respond(match &self.listings {
                Some(listings) => {
                    let upload = self.takes_uploads(hx.path);
                    listings.answer(hx.path, upload, request, world, hx.now)
                }
                None if self.takes_uploads(hx.path) => upload::page::alone(hx.path),
                None => Response::page(Status::FORBIDDEN),
            }),
        }
    }

    fn takes_uploads(&self, path: VPath<'_>) -> bool {
        self.uploads.iter().any(|uploads| uploads.covers(path))
    }

    /// Finds the reply for a path, or makes it.
    fn find(
        &mut self,
        request: &Request<'_>,
        filesystem: Option<&dyn Filesystem>,
        hx: &mut Hx<'_>,
    ) -> Result<Place, NoFile> {
        let preference = if self.codings.is_empty() {
            Preference::ORIGINAL
        } else {
            encoding::acceptable(&mut request.values(Name::AcceptEncoding), &self.codings)
        };
        let kept = self.cache.find(twins::key(hx.path, preference, &mut self.key));
        if let Some(found) = kept {
            if self.is_good(found, hx) {
                self.hits += 1;
                return Ok(Place::Cached(found));
            }
        }
        if hx.path.is_hidden() && !self.hidden {
            return Err(NoFile::Refused(Status::NOT_FOUND));
        }
        self.misses += 1;
        self.refresh(kept, preference, filesystem, hx)
    }

    /// Whether a kept reply can be sent without a look at its path.
    fn is_good(&self, found: Found, hx: &Hx<'_>) -> bool {
        self.is_good_for(FRESH, found, hx)
    }

    /// Whether it was right less than so many milliseconds ago, and speaks of the bytes that would be sent.
    fn is_good_for(&self, milliseconds: u64, found: Found, hx: &Hx<'_>) -> bool {
        let Some(entry) = self.cache.get(found) else { return false };
        let unchanged = |file| {
            let stat = hx.files.get(file).and_then(|fd| content::stat(fd).ok());
            stat.is_some_and(|stat| stat == entry.stat)
        };
        let lately = hx.now.milliseconds.saturating_sub(entry.checked) < milliseconds;
        lately && entry.checked >= self.stale && entry.file.is_none_or(unchanged)
    }

    /// Looks at the path itself, and makes its reply unless the one that is kept is still right.
    fn refresh(
        &mut self,
        kept: Option<Found>,
        preference: Preference,
        filesystem: Option<&dyn Filesystem>,
        hx: &mut Hx<'_>,
    ) -> Result<Place, NoFile> {
        let resolved = match filesystem {
            Some(filesystem) => resolve(filesystem, hx.path, &self.index, &mut self.path, &self.types),
            None => Resolved::Refused(Status::NOT_FOUND),
        };
        let refused = match resolved {
            Resolved::File(mut fd, mut stat, kind) => {
                let mut coding = None;
                let original = self.path.path();
                // What is encoded already has no twins.
                let found = filesystem
                    .filter(|_| kind.coding.is_none())
                    .and_then(|fs| twins::open(fs, original, &stat, preference, &mut self.twin));
                if let Some((twin, of_twin, its_coding)) = found {
                    (fd, stat, coding) = (twin, of_twin, Some(its_coding));
                }
                if let Some((found, entry)) = kept.and_then(|found| Some((found, self.cache.get_mut(found)?)))
                {
                    let could_be_small = entry.file.is_some() && stat.size <= self.small;
                    if entry.stat == stat && entry.coding == coding && !entry.weak && !could_be_small {
                        entry.checked = hx.now.milliseconds;
                        return Ok(Place::Cached(found));
                    }
                }
                let common = if hx.path == VPath::ROOT { &self.common_root } else { &self.common };
                let about = About { kind, charset: &self.charset, coding, common };
                let entry = make(fd, stat, about, self.small, &mut self.text, hx);
                return Ok(self.keep(entry, preference, hx));
            }
            Resolved::Slash => NoFile::Slash,
            Resolved::Directory => NoFile::Directory,
            Resolved::Refused(status @ Status::SERVICE_UNAVAILABLE) => {
                // No descriptor to look with: what was right a while ago is better than no answer, but not for ever.
                let good = kept.filter(|found| self.is_good_for(BLIND, *found, hx));
                return good.map(Place::Cached).ok_or(NoFile::Refused(status));
            }
            Resolved::Refused(status) => NoFile::Refused(status),
        };
        if let Some(entry) = kept.and_then(|found| self.cache.take(found)) {
            entry.file.into_iter().for_each(|file| hx.files.release(file));
        }
        Err(refused)
    }

    /// Keeps a reply, in the cache if it takes it.
    fn keep(&mut self, entry: Entry, preference: Preference, hx: &mut Hx<'_>) -> Place {
        let cost = entry.text.len() + if entry.file.is_some() { DESCRIPTOR_COST } else { 0 };
        let mut gone = Vec::new();
        let key = twins::key(hx.path, preference, &mut self.key);
        let found = self.cache.insert(key, cost, entry, &mut |entry| gone.push(entry));
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
            let common = if hx.path == VPath::ROOT { &self.common_root } else { &self.common };
            response.fields.extend_from_slice(common);
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
                    Some(file) => Some(parts.of_file(fields, file, hx.files)),
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
        let cors = self.cors;
        let mut reply = self.reply(request, world, hx);
        if cors {
            if let Reply::Respond(response) = &mut reply {
                extras::open_to_all(request, false, response);
            }
        }
        reply
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

    fn retire(&mut self, files: &mut Files) {
        let mut release = |entry: Entry| entry.file.into_iter().for_each(|file| files.release(file));
        self.cache.retain(&mut |_entry| false, &mut release);
        self.uncached.take().into_iter().for_each(release);
    }

    fn inspect(&self, name: &str, out: Tell<'_>) {
        let facts = CacheFacts {
            entries: self.cache.len() as u64,
            used: self.cache.used() as u64,
            limit: self.cache.capacity() as u64,
            hits: self.hits,
            misses: self.misses,
            evictions: self.cache.evictions(),
        };
        tell(&CACHE, &facts, name, out);
    }
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
