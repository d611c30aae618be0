//! The short page that goes with an error: for people, for programs, or in one plain line, as the client's Accept
//! fields have it. All that it may hold of the request is the address that it leads to, escaped.

use alloc::vec::Vec;

use super::accept;
use super::field::Name;
use super::request::Request;
use super::status::Status;
use crate::text::html;

/// The form of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum PageForm {
    /// For those who name no type: one line.
    Text,
    /// For browsers, which name it.
    Html,
    /// For programs that ask for it.
    Json,
}

const HTML: &[u8] = b"text/html";
const TEXT: &[u8] = b"text/plain";
const JSON: &[u8] = b"application/json";

/// What a page begins with: as wide as a phone is, and dark where the reader wants it.
const HEAD: &[u8] = b"<!DOCTYPE html>\n<html lang=\"en\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n<title>";

impl PageForm {
    /// The form a client wants best. Of equal ones it is the page for those who name HTML, then the plain line.
    #[must_use]
    pub fn of(request: &Request<'_>) -> PageForm {
        if !request.has_any(Name::Accept.mask()) {
            return PageForm::Text;
        }
        PageForm::preferred(&mut || request.values(Name::Accept))
    }

    fn preferred<'a, I: Iterator<Item = &'a [u8]>>(values: &mut dyn FnMut() -> I) -> PageForm {
        let (first, second) = match accept::names(&mut values(), HTML) {
            true => ((PageForm::Html, HTML), (PageForm::Text, TEXT)),
            false => ((PageForm::Text, TEXT), (PageForm::Html, HTML)),
        };
        match accept::preferred(&mut values(), &[first.1, second.1, JSON]) {
            0 => first.0,
            1 => second.0,
            _ => PageForm::Json,
        }
    }

    /// The fields that go with the page, each with its CRLF. The policy of the one that a browser shows allows it
    /// nothing.
    #[must_use]
    pub const fn fields(self) -> &'static [u8] {
        match self {
            PageForm::Text => {
                b"Content-Type: text/plain; charset=utf-8\r\n\
                  X-Content-Type-Options: nosniff\r\n\
                  Vary: Accept\r\n"
            }
            PageForm::Html => {
                b"Content-Type: text/html; charset=utf-8\r\n\
                  X-Content-Type-Options: nosniff\r\n\
                  Vary: Accept\r\n\
                  Content-Security-Policy: default-src 'none'\r\n"
            }
            PageForm::Json => {
                b"Content-Type: application/json\r\n\
                  X-Content-Type-Options: nosniff\r\n\
                  Vary: Accept\r\n"
            }
        }
    }

    /// Appends the page of `status`: its code and reason, and to people what they may do. `location` is where it leads,
    /// a URL.
    pub fn push_page(self, status: Status, location: Option<&[u8]>, out: &mut Vec<u8>) {
        match self {
            PageForm::Text => {
                status.push_text(out);
                if let Some(location) = location {
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(location);
                }
                out.push(b'\n');
            }
            PageForm::Html => {
                out.extend_from_slice(HEAD);
                status.push_text(out);
                out.extend_from_slice(b"</title>\n<h1>");
                status.push_text(out);
                out.extend_from_slice(b"</h1>\n");
                let sentence = sentence(status);
                if !sentence.is_empty() {
                    out.extend_from_slice(b"<p>");
                    out.extend_from_slice(sentence.as_bytes());
                    out.push(b'\n');
                }
                if let Some(location) = location {
                    out.extend_from_slice(b"<p><a href=\"");
                    html::escape(location, out);
                    out.extend_from_slice(b"\">");
                    html::escape(location, out);
                    out.extend_from_slice(b"</a>\n");
                }
                out.extend_from_slice(b"</html>\n");
            }
            PageForm::Json => {
                out.extend_from_slice(b"{\"status\":");
                status.push_code(out);
                out.extend_from_slice(b",\"error\":\"");
                out.extend_from_slice(status.reason().as_bytes());
                out.extend_from_slice(b"\"}\n");
            }
        }
    }
}

/// What may help people who see the page.
const fn sentence(status: Status) -> &'static str {
    match status {
        Status::FORBIDDEN => "This is not open to visitors.",
        Status::NOT_FOUND => "There is nothing at this address. It may have been moved, or mistyped.",
        Status::INTERNAL_SERVER_ERROR => "Something went wrong on the server.",
        Status::SERVICE_UNAVAILABLE => "The server is busy. Try again in a moment.",
        _ => "",
    }
}

/// What a connection is told that is one too many, whole. It is not read from, so nobody knows what it wants.
pub const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Server: gorgon\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Retry-After: 1\r\n\
    Content-Length: 24\r\n\
    Connection: close\r\n\
    \r\n\
    503 Service Unavailable\n";

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [PageForm; 3] = [PageForm::Text, PageForm::Html, PageForm::Json];

    fn page(form: PageForm, status: Status) -> String {
        let mut out = Vec::new();
        form.push_page(status, None, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn says_where_it_leads() {
        let page = |form: PageForm, location: &[u8]| {
            let mut out = Vec::new();
            form.push_page(Status::FOUND, Some(location), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(page(PageForm::Text, b"/a%20b/"), "302 Found: /a%20b/\n");
        assert!(page(PageForm::Html, b"/a?b&c=\"><script>'").ends_with(
            "<h1>302 Found</h1>\n<p><a href=\"/a?b&amp;c=&quot;&gt;&lt;script&gt;&#39;\">\
             /a?b&amp;c=&quot;&gt;&lt;script&gt;&#39;</a>\n</html>\n"
        ));
        assert_eq!(page(PageForm::Json, b"/a"), "{\"status\":302,\"error\":\"Found\"}\n");
    }

    #[test]
    fn says_code_and_reason() {
        assert_eq!(page(PageForm::Text, Status::NOT_FOUND), "404 Not Found\n");
        assert_eq!(page(PageForm::Json, Status::NOT_FOUND), "{\"status\":404,\"error\":\"Not Found\"}\n");
        assert_eq!(
            page(PageForm::Html, Status::METHOD_NOT_ALLOWED),
            "<!DOCTYPE html>\n<html lang=\"en\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>405 Method Not Allowed</title>\n\
             <h1>405 Method Not Allowed</h1>\n</html>\n"
        );
        assert!(page(PageForm::Html, Status::FORBIDDEN).ends_with(
            "<title>403 Forbidden</title>\n<h1>403 Forbidden</h1>\n\
             <p>This is not open to visitors.\n</html>\n"
        ));
    }

    #[test]
    fn fields_are_whole_lines() {
        for form in FORMS {
            let fields = String::from_utf8(form.fields().to_vec()).unwrap();
            assert!(fields.ends_with("\r\n"));
            assert_eq!(
                fields.split_terminator("\r\n").filter(|line| line.contains(": ")).count(),
                fields.split_terminator("\r\n").count()
            );
            assert!(fields.contains("\r\nX-Content-Type-Options: nosniff\r\nVary: Accept\r\n"));
        }
    }

    #[test]
    fn the_form_is_the_one_that_is_wanted() {
        for (value, form) in [
            ("", PageForm::Text),
            ("*/*", PageForm::Text),
            ("*/*;q=0.1", PageForm::Text),
            ("image/png", PageForm::Text),
            ("image/avif,image/webp,*/*;q=0.8", PageForm::Text),
            ("text/plain", PageForm::Text),
            ("text/html", PageForm::Html),
            ("TEXT/HTML", PageForm::Html),
            ("text/*", PageForm::Html),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PageForm::Html),
            ("text/html, text/plain, application/json", PageForm::Html),
            ("application/json, text/html", PageForm::Html),
            ("application/json, text/plain, */*", PageForm::Text),
            ("application/json", PageForm::Json),
            ("application/json, */*;q=0.5", PageForm::Json),
            ("application/*", PageForm::Json),
            ("text/html;q=0.5, application/json", PageForm::Json),
            ("text/html;q=0.5, */*", PageForm::Text),
            ("text/html;q=0, */*", PageForm::Text),
            ("text/html;q=0", PageForm::Text),
            ("text/plain;q=0", PageForm::Html),
            ("text/plain;q=0, text/html;q=0.1", PageForm::Html),
            ("text/plain;q=0, */*", PageForm::Html),
            ("text/plain;q=0, text/html;q=0, */*", PageForm::Json),
            ("text/html;q=5", PageForm::Text),
        ] {
            let chosen = PageForm::preferred(&mut || [value.as_bytes()].into_iter());
            assert_eq!(chosen, form, "{value}");
        }
    }

    #[test]
    fn the_ready_reply_is_right() {
        let text = core::str::from_utf8(TOO_MANY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, page(PageForm::Text, Status::SERVICE_UNAVAILABLE));
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
        assert!(head.split("\r\n").all(|line| !line.starts_with(' ')));
    }
}
