//! A reply to GET of a file, made once and kept.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::values::FileId;
use crate::fs::content;
use crate::fs::media::takes_charset;
use crate::fs::{AsFd, FileStat, OwnedFd};

use super::super::date;
use super::super::encoding::Coding;
use super::super::etag::ETag;
use super::super::handler::Hx;
use super::super::response::{self, BodyForm};
use super::super::status::Status;
use super::resolve::Kind;

/// A reply that lies ready.
pub(super) struct Entry {
    /// Status line, fields, the empty line and, of a small file, its bytes.
    pub(super) text: Box<[u8]>,
    /// The length of status line and fields.
    pub(super) head: usize,
    /// Where the fields stand that tell of the file, but for its length.
    pub(super) fields: core::ops::Range<usize>,
    /// Where the date stands, and the second it tells.
    pub(super) date_at: usize,
    pub(super) date: i64,
    pub(super) stat: FileStat,
    /// As `Last-Modified` gives it: never later than the reply.
    pub(super) modified: i64,
    pub(super) etag: ETag,
    pub(super) coding: Option<Coding>,
    /// The file changed so lately that it may change again without showing it.
    pub(super) weak: bool,
    /// The open file, when its bytes are not here.
    pub(super) file: Option<FileId>,
    /// When the file was last looked at, and when it was last asked for, in milliseconds.
    pub(super) checked: u64,
    pub(super) used: u64,
}

/// How often a file is read anew that changes while it is read.
const TRIES: u32 = 3;

/// What is said about a file, beside what it is itself.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) charset: &'a str,
    /// It is a twin, in this coding.
    pub(super) coding: Option<Coding>,
    pub(super) common: &'a [u8],
}

/// Makes the reply to a GET of a file.
pub(super) fn make(
    fd: OwnedFd,
    stat: FileStat,
    about: About<'_>,
    small: u64,
    text: &mut Vec<u8>,
    hx: &mut Hx<'_>,
) -> Entry {
    make_of(fd, stat, about, small, text, hx, TRIES)
}

fn make_of(
    fd: OwnedFd,
    stat: FileStat,
    about: About<'_>,
    small: u64,
    text: &mut Vec<u8>,
    hx: &mut Hx<'_>,
    tries: u32,
) -> Entry {
    let now = hx.now.unix_seconds;
    let weak = now.saturating_sub(stat.modified) <= 1;
    let modified = stat.modified.min(now);
    let mut etag = ETag::new(stat.size, stat.modified, stat.modified_ns, stat.inode, weak);
    let About { kind: Kind { media_type, coding: own }, charset, coding, common } = about;
    let mut fields = Vec::with_capacity(256);
    fields.extend_from_slice(b"Content-Type: ");
    fields.extend_from_slice(media_type.as_bytes());
    if !charset.is_empty() && takes_charset(media_type) {
        fields.extend_from_slice(b"; charset=");
        fields.extend_from_slice(charset.as_bytes());
    }
    fields.extend_from_slice(b"\r\n");
    if let Some(coding) = coding {
        etag = etag.with_suffix(coding.name());
    }
    if let Some(coding) = coding.or(own) {
        response::field(&mut fields, b"Content-Encoding", coding.name().as_bytes());
    }
    validators(&mut fields, &etag, modified);
    fields.extend_from_slice(common);
    fields.extend_from_slice(b"Accept-Ranges: bytes\r\n");
    text.clear();
    response::write_head(text, Status::OK, hx.date, &fields, BodyForm::Length(stat.size));
    let head = text.len();
    // The length is the last line.
    let end = text.iter().rev().skip(1).position(|byte| *byte == b'\n').map_or(0, |back| head - 1 - back);
    let date_at = text.iter().position(|byte| *byte == b'\n').map_or(head, |at| at + response::DATE_AT);
    text.extend_from_slice(b"\r\n");
    let file = if stat.size <= small && content::read_whole(&fd, stat.size, text) {
        // What was written between the look and the reading must not go out under the tag of what was there before.
        match content::stat(fd.as_fd()) {
            Ok(again) if again != stat && tries > 0 => {
                return make_of(fd, again, about, small, text, hx, tries - 1);
            }
            Ok(_) | Err(_) => None,
        }
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
        coding,
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
pub(super) fn validators(fields: &mut Vec<u8>, etag: &ETag, modified: i64) {
    response::field(fields, b"Last-Modified", &date::format(modified));
    response::field(fields, b"ETag", etag.as_bytes());
}
