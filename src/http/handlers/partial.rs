//! Parts of a file: the heads of 206 and 416, and `multipart/byteranges` (RFC 9110 sections 14 and 15.3.7).
//!
//! All are made from what the reply to a plain GET has: its fields, the first of which is Content-Type.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::values::{FileId, Files};
use crate::fs::content;
use crate::text::number::{push_decimal, push_hex};

use super::super::date::DateText;
use super::super::etag::ETag;
use super::super::handler::{Body, Fill, Means, Response, Stream};
use super::super::range::Range;
use super::super::response::{self, BodyForm};
use super::super::status::Status;

/// How often the next bytes of a file are waited for, a millisecond or more each time, before they are read come what
/// may: some kernels never say that they are there.
const PROBES: u8 = 100;
/// The length of a boundary.
const BOUNDARY: usize = 32;

/// Writes the head of the reply with one piece of `size` bytes.
pub fn write_head(out: &mut Vec<u8>, date: &DateText, fields: &[u8], piece: Range, size: u64) {
    let mut all = Vec::with_capacity(fields.len() + 80);
    all.extend_from_slice(fields);
    content_range(&mut all, Some(piece), size);
    out.clear();
    response::write_head(out, Status::PARTIAL_CONTENT, date, &all, BodyForm::Length(piece.length()));
}

/// The answer to a request for what is not there.
pub fn unsatisfiable<W>(size: u64) -> Response<W> {
    let mut response = Response::page(Status::RANGE_NOT_SATISFIABLE);
    content_range(&mut response.fields, None, size);
    response
}

/// The parts of one reply, as they follow each other: `head piece head piece .. end`.
pub struct Parts {
    pieces: Box<[Range]>,
    size: u64,
    /// The line of each part that tells its type.
    content_type: Box<[u8]>,
    boundary: [u8; BOUNDARY],
}

impl Parts {
    /// The parts that `pieces` of a file with this tag and size are. `number` tells this reply from others: a boundary
    /// must not stand in the file, and cannot but by a chance of 2 to the 126, or by a guess of when and how often it is
    /// asked for.
    pub fn new(pieces: Box<[Range]>, size: u64, fields: &[u8], etag: &ETag, number: u64) -> Parts {
        let (content_type, _) = first_line(fields);
        let mut text = Vec::with_capacity(BOUNDARY);
        for half in 0..2u64 {
            let hash = etag
                .as_bytes()
                .iter()
                .fold(mix(number ^ half << 63), |hash, &byte| mix(hash ^ u64::from(byte)));
            // The top bit makes all 16 digits be written.
            push_hex(hash | 1 << 63, &mut text);
        }
        let mut boundary = [b'-'; BOUNDARY];
        boundary.iter_mut().zip(text).for_each(|(to, from)| *to = from);
        Parts { pieces, size, content_type: content_type.into(), boundary }
    }

    /// The length of all of it.
    fn length(&self) -> u64 {
        let (mut text, mut length) = (Vec::new(), 0u64);
        for number in 0..=self.pieces.len() {
            text.clear();
            let piece = self.begin(number, &mut text);
            length = length.saturating_add(text.len() as u64).saturating_add(piece.map_or(0, Range::length));
        }
        length
    }

    /// Writes what comes before a piece, and gives the piece: after the last, what ends the reply, and none.
    fn begin(&self, number: usize, out: &mut Vec<u8>) -> Option<Range> {
        out.extend_from_slice(if number == 0 { b"--" } else { b"\r\n--" });
        out.extend_from_slice(&self.boundary);
        let piece = self.pieces.get(number).copied();
        if piece.is_some() {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(&self.content_type);
            content_range(out, piece, self.size);
            out.extend_from_slice(b"\r\n");
        } else {
            out.extend_from_slice(b"--\r\n");
        }
        piece
    }

    /// The reply, from a file's bytes at hand.
    pub fn of_bytes<W>(self, fields: &[u8], bytes: &[u8]) -> Response<W> {
        let mut out = Vec::new();
        let mut number = 0;
        while let Some(piece) = self.begin(number, &mut out) {
            // Bytes at hand have a length that is one of memory.
            let bytes = bytes.get(piece.first as usize..piece.end as usize);
            out.extend_from_slice(bytes.unwrap_or_default());
            number += 1;
        }
        self.response(fields, Body::Bytes(out))
    }

    /// The reply, from an open file, which it holds.
    pub fn of_file<W>(self, fields: &[u8], file: FileId, files: &mut Files) -> Response<W> {
        files.hold(file);
        let length = self.length();
        let mut response = self.response(fields, Body::Empty);
        let stream = Multipart {
            file,
            parts: self,
            number: 0,
            text: Vec::new(),
            written: 0,
            piece: Range::default(),
            ended: false,
            probes: 0,
        };
        response.body = Body::Sized { length, stream: Box::new(stream) };
        response
    }

    fn response<W>(&self, fields: &[u8], body: Body<W>) -> Response<W> {
        let mut all = b"Content-Type: multipart/byteranges; boundary=".to_vec();
        all.extend_from_slice(&self.boundary);
        all.extend_from_slice(b"\r\n");
        all.extend_from_slice(first_line(fields).1);
        Response { status: Status::PARTIAL_CONTENT, fields: all, body }
    }
}

/// The parts of a file that is read as the peer takes them.
///
/// What the page cache lacks is asked of the disk, and tried again later.
struct Multipart {
    file: FileId,
    parts: Parts,
    /// The part whose head is written next.
    number: usize,
    /// What goes before the piece, and how much of it is written.
    text: Vec<u8>,
    written: usize,
    /// What is left of the piece.
    piece: Range,
    /// The end is in `text`.
    ended: bool,
    /// How often the disk was asked for the next bytes.
    probes: u8,
}

impl<W> Stream<W> for Multipart {
    fn fill(&mut self, out: &mut [u8], means: &mut Means<'_, W>) -> Fill {
        let Some(file) = means.files.get(self.file) else { return Fill::Failed };
        let mut count = 0;
        while let Some(room) = out.get_mut(count..).filter(|room| !room.is_empty()) {
            let text = self.text.get(self.written..).unwrap_or_default();
            if !text.is_empty() {
                let length = text.len().min(room.len());
                room.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
                self.written += length;
                count += length;
            } else if self.piece.length() > 0 {
                let length = self.piece.length().min(room.len() as u64);
                let room = room.get_mut(..length as usize).unwrap_or_default();
                match content::read_some(file, self.piece.first, room, self.probes >= PROBES) {
                    Some(0) if count > 0 => return Fill::Some(count),
                    Some(0) => {
                        self.probes += 1;
                        return Fill::Disk;
                    }
                    Some(read) => {
                        self.probes = 0;
                        self.piece.first += read as u64;
                        count += read;
                    }
                    None => return Fill::Failed,
                }
            } else if self.ended {
                return Fill::End(count);
            } else {
                self.text.clear();
                self.written = 0;
                let piece = self.parts.begin(self.number, &mut self.text);
                self.ended = piece.is_none();
                self.piece = piece.unwrap_or_default();
                self.number += 1;
            }
        }
        Fill::Some(count)
    }

    fn end(&mut self, means: &mut Means<'_, W>) {
        means.files.release(self.file);
    }
}

/// The first of some lines, and the others.
fn first_line(lines: &[u8]) -> (&[u8], &[u8]) {
    let end = lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1);
    lines.split_at_checked(end).unwrap_or((lines, &[]))
}

/// Appends a Content-Range; without a piece it tells only the size.
fn content_range(out: &mut Vec<u8>, piece: Option<Range>, size: u64) {
    out.extend_from_slice(b"Content-Range: bytes ");
    match piece {
        Some(piece) => {
            push_decimal(piece.first, out);
            out.push(b'-');
            push_decimal(piece.end.saturating_sub(1), out);
        }
        None => out.push(b'*'),
    }
    out.push(b'/');
    push_decimal(size, out);
    out.extend_from_slice(b"\r\n");
}

/// Spreads each bit over all of them (the finisher of SplitMix64).
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::super::super::range::{Ranges, parse};
    use super::*;

    const FIELDS: &[u8] = b"Content-Type: text/plain\r\nETag: \"1\"\r\n";

    fn parts(number: u64) -> Parts {
        let Ranges::Many(pieces) = parse(b"bytes=0-1,500-502,-1", 1000) else { panic!() };
        Parts::new(pieces, 1000, FIELDS, &ETag::new(1000, 2, 3, 4, false), number)
    }

    #[test]
    fn parts_of_bytes() {
        let bytes: Vec<u8> = (0..1000u32).map(|number| b'a' + (number % 26) as u8).collect();
        let boundary = String::from_utf8(parts(7).boundary.to_vec()).unwrap();
        let length = parts(7).length();
        let Response::<()> { status, fields, body: Body::Bytes(body) } = parts(7).of_bytes(FIELDS, &bytes)
        else {
            panic!()
        };
        let head = |range: &str| {
            format!("--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {range}/1000\r\n\r\n")
        };
        let expected = [
            &head("0-1"),
            "ab\r\n",
            &head("500-502"),
            "ghi\r\n",
            &head("999-999"),
            "l\r\n--",
            &boundary,
            "--\r\n",
        ];
        assert_eq!(String::from_utf8(body).unwrap(), expected.concat());
        assert_eq!(length, expected.concat().len() as u64);
        assert!(status == Status::PARTIAL_CONTENT);
        let line = format!("Content-Type: multipart/byteranges; boundary={boundary}\r\nETag: \"1\"\r\n");
        assert_eq!(String::from_utf8(fields).unwrap(), line);
    }

    #[test]
    fn boundaries_differ() {
        let all: std::collections::BTreeSet<_> = (0..1000).map(|number| parts(number).boundary).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().flatten().all(|byte| byte.is_ascii_hexdigit()));
    }
}
