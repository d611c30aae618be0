//! The head of a response, written in order: status line, date, server, the fields of the reply, the body's framing.

use alloc::vec::Vec;

use super::class::is_token;
use super::date::DateText;
use super::status::Status;
use crate::text::number::push_decimal;

/// The interim response that asks for a body (RFC 9110 section 15.2.1), whole.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How the client is told where the body of a response ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum BodyForm {
    /// By its length, which may be that of the body a HEAD request does not get.
    Length(u64),
    /// By the chunked coding; not for HTTP/1.0.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// How far after the end of the status line the date stands, in what [`write_head`] writes.
pub const DATE_AT: usize = 7;

/// Appends a head but for Connection and the empty line, which are the connection's own.
///
/// `fields` are lines as [`field`] makes them. 204 and 304 have no body and so announce none, whatever `form` says.
pub fn write_head(out: &mut Vec<u8>, status: Status, date: &DateText, fields: &[u8], form: BodyForm) {
    out.reserve(160 + fields.len());
    status.push_line(out);
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(date.as_bytes());
    out.extend_from_slice(b"\r\nServer: gorgon\r\n");
    out.extend_from_slice(fields);
    if status.is_bodiless() {
        return;
    }
    match form {
        BodyForm::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            push_decimal(length, out);
            out.extend_from_slice(b"\r\n");
        }
        BodyForm::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyForm::UntilClose => {}
    }
}

/// Appends one field. Every field whose value is not a constant is made here, so that none can split a head.
///
/// Each control byte in the value, CR, LF and NUL among them, becomes a space, as RFC 9110 section 5.5 has it; a tab
/// stays. A name that is no token comes from a mistake of ours, and the field is left out.
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if !is_token(name) {
        return;
    }
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend(value.iter().map(|&byte| if byte.is_ascii_control() && byte != b'\t' { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

/// Where a reply leads: what its Location says, if that is the first of its `fields`.
pub fn location(fields: &[u8]) -> Option<&[u8]> {
    fields.strip_prefix(b"Location: ")?.split(|&byte| byte == b'\r').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: Status, fields: &[u8], form: BodyForm) -> String {
        let mut date = DateText::default();
        date.set(784_111_777);
        let mut out = b"before".to_vec();
        write_head(&mut out, status, &date, fields, form);
        String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_string()
    }

    #[test]
    fn heads() {
        let first = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: gorgon\r\n";
        for (status, form, line, last) in [
            (Status::OK, BodyForm::Length(0), "200 OK", "Content-Length: 0\r\n"),
            (Status::OK, BodyForm::Length(u64::MAX), "200 OK", "Content-Length: 18446744073709551615\r\n"),
            (Status::OK, BodyForm::Chunked, "200 OK", "Transfer-Encoding: chunked\r\n"),
            (Status::OK, BodyForm::UntilClose, "200 OK", ""),
            (Status::NOT_FOUND, BodyForm::Length(7), "404 Not Found", "Content-Length: 7\r\n"),
            (Status::NO_CONTENT, BodyForm::Length(0), "204 No Content", ""),
            (Status::NO_CONTENT, BodyForm::Chunked, "204 No Content", ""),
            (Status::NOT_MODIFIED, BodyForm::Length(5), "304 Not Modified", ""),
        ] {
            for fields in ["", "ETag: \"a\"\r\nAllow: GET\r\n"] {
                let expected = ["HTTP/1.1 ", line, "\r\n", first, fields, last].concat();
                assert_eq!(head(status, fields.as_bytes(), form), expected);
            }
        }
    }

    #[test]
    fn no_value_splits_a_head() {
        for (value, written) in [
            ("", "Location: \r\n"),
            ("/a b", "Location: /a b\r\n"),
            ("/\r\nSet-Cookie: a=b", "Location: /  Set-Cookie: a=b\r\n"),
            ("/\n\n<html>", "Location: /  <html>\r\n"),
            ("/\0\x01\x1f\x7f", "Location: /    \r\n"),
            ("a\tb\u{e9}", "Location: a\tb\u{e9}\r\n"),
        ] {
            let mut out = Vec::new();
            field(&mut out, b"Location", value.as_bytes());
            assert_eq!(out, written.as_bytes());
        }
        for name in ["", "A:", "A b", "A\r\nB", "A\0", "\u{e9}"] {
            let mut out = Vec::new();
            field(&mut out, name.as_bytes(), b"x");
            assert_eq!(out, b"", "{name:?}");
        }
    }

    quickcheck::quickcheck! {
        fn one_field_is_one_line(name: Vec<u8>, value: Vec<u8>) -> bool {
            let mut out = Vec::new();
            field(&mut out, &name, &value);
            field(&mut out, b"X", &value);
            let lines = out.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count() / 2;
            lines == 1 + usize::from(is_token(&name)) && out.ends_with(b"\r\n")
        }
    }
}
