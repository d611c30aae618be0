//! The handler *redirect*: what was below one path is below another one, here or elsewhere. The rest of the path and the
//! query stay.
//!
//! Where it leads is what the settings say, up to a slash or the end: nothing in a request can name another host.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::handler::{Body, Handler, Hx, Reply, Response};
use super::super::request::Request;
use super::super::response;
use super::super::status::Status;
use crate::fs::VPath;
use crate::text::percent;

/// The handler.
pub struct RedirectHandler {
    /// How much of a path is taken off: the length of what it is mounted at.
    prefix: usize,
    /// Without a slash at its end.
    to: Box<[u8]>,
    status: Status,
}

impl RedirectHandler {
    /// Redirects what lies below `prefix` to `to`, a path or a URL. `code` is 301, 302, 307 or 308.
    #[must_use]
    pub fn new(prefix: &[u8], to: &[u8], code: &str) -> RedirectHandler {
        RedirectHandler {
            prefix: prefix.strip_suffix(b"/").unwrap_or(prefix).len(),
            to: to.trim_ascii_end().strip_suffix(b"/").unwrap_or(to).into(),
            status: match code {
                "301" => Status::MOVED_PERMANENTLY,
                "307" => Status::TEMPORARY_REDIRECT,
                "308" => Status::PERMANENT_REDIRECT,
                _ => Status::FOUND,
            },
        }
    }

    fn location(&self, path: VPath<'_>, query: Option<&[u8]>) -> Vec<u8> {
        let mut location = self.to.to_vec();
        // What is left begins with one slash, or is empty: segments of a path are never empty.
        let rest = path.as_bytes().get(self.prefix..).and_then(|rest| VPath::new(rest).ok());
        if let Some(rest) = rest.filter(|rest| rest.as_bytes() != b"/" || path.is_directory_form()) {
            rest.encode_url(&mut location);
        }
        if location.is_empty() {
            location.push(b'/');
        }
        if let Some(query) = query {
            location.push(b'?');
            percent::encode_query(query, &mut location);
        }
        location
    }
}

impl<W> Handler<W> for RedirectHandler {
    fn handle<'h>(&'h mut self, request: &Request<'_>, _world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        let mut fields = Vec::new();
        response::field(&mut fields, b"Location", &self.location(hx.path, request.query()));
        Reply::Respond(Response { status: self.status, fields, body: Body::Page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_path_and_the_query_stay() {
        for (prefix, to, path, query, location) in [
            ("/old", "/new", "/old/a b", None, "/new/a%20b"),
            ("/old", "/new", "/old", None, "/new"),
            ("/old", "/new/", "/old", Some("x=1&y"), "/new?x=1&y"),
            ("/old/", "/new/", "/old/", None, "/new/"),
            ("", "https://example.org", "/a/b", Some(""), "https://example.org/a/b?"),
            ("", "https://example.org/", "/", None, "https://example.org/"),
            ("/x", "https://example.org/y", "/x/z", None, "https://example.org/y/z"),
            ("/x", "/", "/x", None, "/"),
            ("/x", "/", "/x/evil.example", None, "/evil.example"),
        ] {
            let handler = RedirectHandler::new(prefix.as_bytes(), to.as_bytes(), "302");
            let path = VPath::new(path.as_bytes()).unwrap();
            let found = handler.location(path, query.map(str::as_bytes));
            assert_eq!(String::from_utf8(found).unwrap(), location, "{prefix} to {to}");
        }
    }

    #[test]
    fn no_request_names_another_host() {
        use crate::fs::VPathBuf;
        let handler = RedirectHandler::new(b"/x", b"/", "302");
        for url in
            ["/x//evil.example", "/x/%2fevil.example", "/x/%5cevil.example", "/x/./%2e/evil.example", "/x///"]
        {
            let mut buffer = VPathBuf::default();
            let Ok(path) = buffer.set_url(url.as_bytes()) else { continue };
            let location = handler.location(path, Some(b"//evil.example\r\nX: y"));
            assert!(location.starts_with(b"/"), "{url}");
            assert!(
                !matches!(location.get(1), Some(b'/' | b'\\')),
                "{url}: {}",
                String::from_utf8_lossy(&location)
            );
        }
    }
}
