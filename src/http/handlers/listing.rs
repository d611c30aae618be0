//! The listing of a directory: a page, or JSON for who prefers it.
//!
//! It is made while it is sent, in memory that does not grow with the directory. As much of the directory is read as may
//! be held; where that is all of it, it is sorted, and where there is more, the rest follows slice by slice in the order
//! it comes.
//!
//! ```text
//! Head ──▶ Gathering ──▶ Gathered ──┬──▶ Foot ──▶ Done       all of it was held, and sorted
//!                                   └──▶ Slices ──▶ Foot     there was too much
//! ```
//! No step of these takes long: one slice of names or one entry, and `WORK` bounds the steps of one call. A call that
//! looked at much and has nothing to show gives a line's end, which both forms allow at every such place.

use alloc::boxed::Box;
use alloc::vec::Vec;

mod directories;
mod order;
pub(super) mod page;

pub use directories::Directories;

use crate::engine::values::Now;
use crate::fs::draft::is_draft_name;
use crate::fs::{FileKind, FileStat, Filesystem, Listing, VPath, VPathBuf};
use crate::http::accept;
use crate::http::field::Name;
use crate::http::handler::{Body, Fill, Means, Response, Stream};
use crate::http::request::Request;
use crate::http::status::Status;
use crate::text::order::sort;

use super::files::Filesystems;
use super::resolve::status_of;
use super::upload::page as upload_page;
use directories::DirectoryId;
use order::Order;
use page::Facts;

/// The most entries that are sorted.
const SORTED_ENTRIES: usize = 4096;
/// The most bytes of names that are sorted.
const SORTED_NAMES: usize = 256 << 10;
/// The most bytes that all listings together hold for sorting: clients that read slowly may be many.
const SORTED_TOTAL: usize = 4 << 20;
/// The most work of one call: a look at an entry is 1.
const WORK: usize = 64;
/// What a slice of names counts for.
const SLICE_WORK: usize = 64;

/// Makes the listings of one filesystem, and bounds what they use together.
pub struct Listings {
    filesystem: usize,
    hidden: bool,
    /// Directories that may be open at once.
    most: usize,
}

impl Listings {
    /// Listings of the filesystem with that number. `hidden`: names that begin with a dot are listed too. `most` is how
    /// many directories may be open at once; when all their clients are busy reading, further ones are answered 503.
    pub fn new(filesystem: usize, hidden: bool, most: usize) -> Listings {
        Listings { filesystem, hidden, most }
    }

    /// The answer to a GET or HEAD of a directory. `path` is in directory form. `upload`: files can be uploaded to it.
    pub fn answer<W: Filesystems>(
        &self,
        path: VPath<'_>,
        upload: bool,
        request: &Request<'_>,
        world: &mut W,
        now: Now,
    ) -> Response<W> {
        let (Some(filesystem), directories) = world.listed(self.filesystem) else {
            return Response::page(Status::NOT_FOUND);
        };
        if !directories.make_room(self.most, now.milliseconds) {
            return Response::page(Status::SERVICE_UNAVAILABLE);
        }
        let directory = match filesystem.list(path) {
            Ok(listing) => directories.insert(listing, now.milliseconds),
            Err(error) => return Response::page(status_of(error)),
        };
        let form = match accept::preferred(
            &mut request.values(Name::Accept),
            &[b"text/html", b"application/json"],
        ) {
            0 => Form::Html,
            _ => Form::Json,
        };
        let mut fields = Vec::with_capacity(256);
        fields.extend_from_slice(match form {
            Form::Html if upload => upload_page::FIELDS,
            Form::Html => page::HTML_FIELDS,
            Form::Json => page::JSON_FIELDS,
        });
        fields.extend_from_slice(
            b"X-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\nVary: Accept\r\n",
        );
        let mut copy = VPathBuf::default();
        copy.set(path);
        let body = ListingBody {
            filesystem: self.filesystem,
            hidden: self.hidden,
            upload,
            path: copy,
            form,
            order: Order::of_query(request.query().unwrap_or_default()),
            stage: Stage::Head,
            directory: Some(directory),
            slice: Vec::new(),
            slice_at: 0,
            gathered: Gathered::default(),
            given: 0,
            text: Vec::new(),
            text_at: 0,
            first: true,
        };
        Response { status: Status::OK, fields, body: Body::Stream(Box::new(body)) }
    }
}

/// The entries that are held.
#[derive(Default)]
struct Gathered {
    names: Vec<u8>,
    entries: Vec<Entry>,
    /// The entries' places, in the order they are shown.
    order: Vec<u32>,
    /// What they are counted as.
    bytes: usize,
}

struct Entry {
    /// Where its name stands.
    start: usize,
    length: usize,
    facts: Facts,
}

impl Gathered {
    /// What one more entry is counted as, if it may be held where all listings hold so much.
    fn cost(&self, name: usize, held: usize) -> Option<usize> {
        // Twice, for vectors grow by doubling.
        let cost = 2 * (name + size_of::<Entry>() + size_of::<u32>());
        let fits = self.entries.len() < SORTED_ENTRIES
            && self.names.len() + name <= SORTED_NAMES
            && held + cost <= SORTED_TOTAL;
        fits.then_some(cost)
    }

    fn push(&mut self, name: &[u8], facts: Facts, cost: usize, held: &mut usize) {
        self.entries.push(Entry { start: self.names.len(), length: name.len(), facts });
        self.names.extend_from_slice(name);
        self.bytes += cost;
        *held += cost;
    }

    fn get(&self, place: usize) -> Option<(&[u8], &Facts)> {
        let entry = self.entries.get(place)?;
        Some((self.names.get(entry.start..entry.start + entry.length)?, &entry.facts))
    }

    fn sort(&mut self, order: Order) {
        let mut places: Vec<u32> = (0u32..).take(self.entries.len()).collect();
        sort(&mut places, &mut |one, other| match (self.get(one as usize), self.get(other as usize)) {
            (Some(one), Some(other)) => order.compare(one, other).is_lt(),
            (None, _) | (_, None) => false,
        });
        self.order = places;
    }

    /// The entry that is shown as the `nth`.
    fn nth(&self, nth: usize) -> Option<(&[u8], &Facts)> {
        if self.order.is_empty() { self.get(nth) } else { self.get(*self.order.get(nth)? as usize) }
    }

    /// Lets go what was held.
    fn clear(&mut self, held: &mut usize) {
        (self.names, self.entries, self.order) = (Vec::new(), Vec::new(), Vec::new());
        *held = held.saturating_sub(self.bytes);
        self.bytes = 0;
    }
}

#[derive(Clone, Copy)]
enum Form {
    Html,
    Json,
}

#[derive(Clone, Copy)]
enum Stage {
    Head,
    Gathering,
    Gathered,
    Slices,
    Foot,
    Done,
}

/// What one step came to.
enum Step {
    /// Go on; so much work was done.
    Worked(usize),
    End,
    Failed,
}

/// What is next in the directory.
enum Ahead {
    /// This entry, or none that is listed.
    Entry(Option<Facts>),
    /// Another slice was read.
    Slice,
    End,
    Failed,
}

/// The body of a listing.
struct ListingBody {
    filesystem: usize,
    hidden: bool,
    /// Files can be uploaded to it.
    upload: bool,
    path: VPathBuf,
    form: Form,
    order: Order,
    stage: Stage,
    /// `None` when it has been read to its end.
    directory: Option<DirectoryId>,
    /// Entries not looked at yet: of each its kind, the length of its name, the name.
    slice: Vec<u8>,
    slice_at: usize,
    gathered: Gathered,
    /// How many of what was gathered have been shown.
    given: usize,
    /// Text that waits for room.
    text: Vec<u8>,
    text_at: usize,
    /// No object has been written.
    first: bool,
}

impl<W: Filesystems> Stream<W> for ListingBody {
    fn fill(&mut self, out: &mut [u8], means: &mut Means<'_, W>) -> Fill {
        let now = means.now.milliseconds;
        let (filesystem, directories) = means.world.listed(self.filesystem);
        let (mut length, mut work) = (0, 0);
        loop {
            let waiting = self.text.get(self.text_at..).unwrap_or_default();
            let room = out.get_mut(length..).unwrap_or_default();
            let count = waiting.len().min(room.len());
            if let (Some(to), Some(from)) = (room.get_mut(..count), waiting.get(..count)) {
                to.copy_from_slice(from);
            }
            (length, self.text_at) = (length + count, self.text_at + count);
            if self.text_at < self.text.len() {
                return Fill::Some(length);
            }
            (self.text_at, _) = (0, self.text.clear());
            if work >= WORK {
                if let (0, Some(byte)) = (length, out.first_mut()) {
                    (*byte, length) = (b'\n', 1);
                }
                return Fill::Some(length);
            }
            match self.step(filesystem, directories, now) {
                Step::Worked(some) => work += some,
                Step::End => return Fill::End(length),
                Step::Failed => return Fill::Failed,
            }
        }
    }

    fn end(&mut self, means: &mut Means<'_, W>) {
        let (_, directories) = means.world.listed(self.filesystem);
        self.close(directories);
        self.gathered.clear(&mut directories.held);
    }
}

impl ListingBody {
    /// One step of the drawing above: the only place where the stage changes.
    fn step(&mut self, filesystem: Option<&dyn Filesystem>, directories: &mut Directories, now: u64) -> Step {
        self.stage = match self.stage {
            Stage::Head => {
                match self.form {
                    Form::Html => {
                        page::push_head(self.path.path().as_bytes(), &mut self.text);
                        if self.upload {
                            upload_page::push_upload(&mut self.text);
                        }
                    }
                    Form::Json => self.text.push(b'['),
                }
                Stage::Gathering
            }
            Stage::Gathering => {
                let cost = match self.ahead_name() {
                    b"" => Some(0),
                    name => self.gathered.cost(name.len(), directories.held),
                };
                match cost.map(|cost| (cost, self.ahead(filesystem, directories, now))) {
                    Some((_, Ahead::Slice)) => return Step::Worked(SLICE_WORK),
                    Some((cost, Ahead::Entry(facts))) => {
                        if let Some(facts) = facts {
                            let name = name_at(&self.slice, self.slice_at);
                            self.gathered.push(name, facts, cost, &mut directories.held);
                        }
                        self.slice_at += 2 + self.ahead_name().len();
                        return Step::Worked(1);
                    }
                    Some((_, Ahead::Failed)) => return Step::Failed,
                    Some((_, Ahead::End)) => {
                        // From here on a slow client costs no descriptor.
                        self.close(directories);
                        self.gathered.sort(self.order);
                        self.push_table(Some(self.order));
                        Stage::Gathered
                    }
                    None => {
                        self.push_table(None);
                        Stage::Gathered
                    }
                }
            }
            Stage::Gathered => match self.gathered.nth(self.given) {
                Some((name, facts)) => {
                    push_entry(self.form, &mut self.first, name, facts, &mut self.text);
                    self.given += 1;
                    Stage::Gathered
                }
                None => {
                    self.gathered.clear(&mut directories.held);
                    if self.directory.is_some() { Stage::Slices } else { Stage::Foot }
                }
            },
            Stage::Slices => match self.ahead(filesystem, directories, now) {
                Ahead::Slice => return Step::Worked(SLICE_WORK),
                Ahead::Entry(facts) => {
                    if let Some(facts) = facts {
                        let name = name_at(&self.slice, self.slice_at);
                        push_entry(self.form, &mut self.first, name, &facts, &mut self.text);
                    }
                    self.slice_at += 2 + self.ahead_name().len();
                    return Step::Worked(1);
                }
                Ahead::Failed => return Step::Failed,
                Ahead::End => {
                    self.close(directories);
                    Stage::Foot
                }
            },
            Stage::Foot => {
                match self.form {
                    Form::Html => page::push_foot(&mut self.text),
                    Form::Json => self.text.extend_from_slice(b"\n]\n"),
                }
                Stage::Done
            }
            Stage::Done => return Step::End,
        };
        Step::Worked(0)
    }

    fn close(&mut self, directories: &mut Directories) {
        if let Some(directory) = self.directory.take() {
            directories.close(directory);
        }
    }

    fn push_table(&mut self, order: Option<Order>) {
        match self.form {
            Form::Html => page::push_table(order, self.path.path() != VPath::ROOT, &mut self.text),
            Form::Json => {}
        }
    }

    /// The name of the next entry; empty when there is none in the slice.
    fn ahead_name(&self) -> &[u8] {
        name_at(&self.slice, self.slice_at)
    }

    /// Looks at the next entry of the slice, which stays the next; or reads a slice when there is none.
    fn ahead(
        &mut self,
        filesystem: Option<&dyn Filesystem>,
        directories: &mut Directories,
        now: u64,
    ) -> Ahead {
        let Some(directory) = self.directory else { return Ahead::End };
        // Its place may have been given to another, if the client was idle.
        let Some(directory) = directories.get(directory, now) else { return Ahead::Failed };
        if let Some(&kind) = self.slice.get(self.slice_at) {
            let name = name_at(&self.slice, self.slice_at);
            return Ahead::Entry(look(directory, filesystem, &mut self.path, name, kind));
        }
        let is_root = self.path.path() == VPath::ROOT;
        let (slice, hidden) = (&mut self.slice, self.hidden);
        slice.clear();
        self.slice_at = 0;
        let more = directory.next_slice(&mut |name, kind| {
            // A longer name than 255 bytes is in no request's path.
            let length = u8::try_from(name.len()).unwrap_or(0);
            let shown = (hidden && !is_draft_name(name)) || !name.starts_with(b".");
            if length > 0 && shown && kind != Some(FileKind::Other) && !(is_root && name == WELL_KNOWN) {
                let kind = if kind == Some(FileKind::Symlink) { LINK } else { NO_LINK };
                slice.extend_from_slice(&[kind, length]);
                slice.extend_from_slice(name);
            }
        });
        match more {
            Ok(true) => Ahead::Slice,
            Ok(false) if !slice.is_empty() => Ahead::Slice,
            Ok(false) => Ahead::End,
            Err(_) => Ahead::Failed,
        }
    }
}

/// It holds answers for programs (RFC 8615), and nothing for people.
const WELL_KNOWN: &[u8] = b".well-known";
/// What is known of an entry's kind: a link, or not known to be one.
const LINK: u8 = 1;
const NO_LINK: u8 = 0;

/// The name of the entry that stands at a place of a slice; empty when none does.
fn name_at(slice: &[u8], at: usize) -> &[u8] {
    let length = slice.get(at + 1).copied().unwrap_or(0);
    slice.get(at + 2..at + 2 + usize::from(length)).unwrap_or_default()
}

/// What is told of an entry; `None` when it is not listed. A link is what it leads to, if it may be followed.
fn look(
    listing: &dyn Listing,
    filesystem: Option<&dyn Filesystem>,
    path: &mut VPathBuf,
    name: &[u8],
    kind: u8,
) -> Option<Facts> {
    let stat = if kind == LINK { None } else { Some(listing.stat(name).ok()?) };
    let stat = match stat.filter(|stat| stat.kind != FileKind::Symlink) {
        Some(stat) => stat,
        None => follow(filesystem?, path, name)?,
    };
    let directory = match stat.kind {
        FileKind::Directory => true,
        FileKind::File => false,
        FileKind::Symlink | FileKind::Other => return None,
    };
    Some(Facts { directory, size: stat.size, modified: stat.modified })
}

fn follow(filesystem: &dyn Filesystem, path: &mut VPathBuf, name: &[u8]) -> Option<FileStat> {
    let length = path.path().as_bytes().len();
    let stat = filesystem.stat(path.push_name(name).ok()?).ok();
    path.truncate(length);
    stat
}

fn push_entry(form: Form, first: &mut bool, name: &[u8], facts: &Facts, out: &mut Vec<u8>) {
    match form {
        Form::Html => page::push_row(name, facts, out),
        Form::Json => page::push_object(core::mem::replace(first, false), name, facts, out),
    }
}

#[cfg(test)]
mod tests;
