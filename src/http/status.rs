//! Status codes (RFC 9110 section 15): the ones this server can send, and their lines.

use alloc::vec::Vec;

use crate::text::number::push_decimal;

/// A status this server can send. Only the constants below exist, so every status has a reason.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Status(u16);

#[allow(missing_docs)] // Each name is the one of RFC 9110 section 15 or RFC 6585; 507 is of RFC 4918.
impl Status {
    pub const OK: Self = Self(200);
    pub const CREATED: Self = Self(201);
    pub const NO_CONTENT: Self = Self(204);
    pub const PARTIAL_CONTENT: Self = Self(206);
    pub const MOVED_PERMANENTLY: Self = Self(301);
    pub const FOUND: Self = Self(302);
    pub const SEE_OTHER: Self = Self(303);
    pub const NOT_MODIFIED: Self = Self(304);
    pub const TEMPORARY_REDIRECT: Self = Self(307);
    pub const PERMANENT_REDIRECT: Self = Self(308);
    pub const BAD_REQUEST: Self = Self(400);
    pub const UNAUTHORIZED: Self = Self(401);
    pub const FORBIDDEN: Self = Self(403);
    pub const NOT_FOUND: Self = Self(404);
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    pub const REQUEST_TIMEOUT: Self = Self(408);
    pub const CONFLICT: Self = Self(409);
    pub const LENGTH_REQUIRED: Self = Self(411);
    pub const PRECONDITION_FAILED: Self = Self(412);
    pub const CONTENT_TOO_LARGE: Self = Self(413);
    pub const URI_TOO_LONG: Self = Self(414);
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self(415);
    pub const RANGE_NOT_SATISFIABLE: Self = Self(416);
    pub const EXPECTATION_FAILED: Self = Self(417);
    pub const MISDIRECTED_REQUEST: Self = Self(421);
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    pub const FIELDS_TOO_LARGE: Self = Self(431);
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);
    pub const NOT_IMPLEMENTED: Self = Self(501);
    pub const BAD_GATEWAY: Self = Self(502);
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    pub const GATEWAY_TIMEOUT: Self = Self(504);
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);
    pub const INSUFFICIENT_STORAGE: Self = Self(507);
}

impl Status {
    /// The code, 200 to 507.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The reason phrase, ASCII without markup.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self.0 {
            200 => "OK",
            201 => "Created",
            204 => "No Content",
            206 => "Partial Content",
            301 => "Moved Permanently",
            302 => "Found",
            303 => "See Other",
            304 => "Not Modified",
            307 => "Temporary Redirect",
            308 => "Permanent Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            411 => "Length Required",
            412 => "Precondition Failed",
            413 => "Content Too Large",
            414 => "URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Range Not Satisfiable",
            417 => "Expectation Failed",
            421 => "Misdirected Request",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            507 => "Insufficient Storage",
            // Not reached, as the constants are all there are; an empty phrase is legal.
            _ => "",
        }
    }

    /// Whether a response with this status never has a body, so announces no length (RFC 9112 section 6.3).
    #[must_use]
    pub const fn is_bodiless(self) -> bool {
        matches!(self.0, 100..=199 | 204 | 304)
    }

    /// Appends the code alone.
    pub fn push_code(self, out: &mut Vec<u8>) {
        push_decimal(self.0.into(), out);
    }

    /// Appends code and reason, `404 Not Found`.
    pub fn push_text(self, out: &mut Vec<u8>) {
        self.push_code(out);
        out.push(b' ');
        out.extend_from_slice(self.reason().as_bytes());
    }

    /// Appends the status line with its CRLF.
    pub fn push_line(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        self.push_text(out);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (status, expected) in [
            (Status::OK, "HTTP/1.1 200 OK\r\n"),
            (Status::NOT_FOUND, "HTTP/1.1 404 Not Found\r\n"),
            (Status::FIELDS_TOO_LARGE, "HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            (Status::INSUFFICIENT_STORAGE, "HTTP/1.1 507 Insufficient Storage\r\n"),
        ] {
            let mut line = Vec::new();
            status.push_line(&mut line);
            assert_eq!(line, expected.as_bytes());
        }
    }

    #[test]
    fn every_constant_has_a_reason() {
        let source = include_str!("status.rs");
        let mut count = 0;
        for line in source
            .lines()
            .filter(|line| line.trim_start().starts_with("pub const ") && line.contains("Self("))
        {
            let code = line.split("Self(").nth(1).unwrap().split(')').next().unwrap();
            let status = Status(code.parse().unwrap());
            assert!(!status.reason().is_empty(), "{code}");
            assert_eq!(status.code().to_string(), code);
            count += 1;
        }
        assert_eq!(count, 34);
    }

    #[test]
    fn bodiless() {
        assert!(
            Status::NO_CONTENT.is_bodiless()
                && Status::NOT_MODIFIED.is_bodiless()
                && Status(100).is_bodiless()
        );
        assert!(
            !Status::OK.is_bodiless() && !Status::NOT_FOUND.is_bodiless() && !Status::CREATED.is_bodiless()
        );
    }
}
