//! A request as handlers see it: a view of the input through what [`parse`](super::head::parse) found in it.

use super::error_page::PageForm;
use super::exchange::Shape;
use super::field::Name;
use super::head::{Field, Fields, Head, Version};
use super::host;
use super::method::Method;
use super::target::Form;

/// A request whose head is complete.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    input: &'a [u8],
    head: &'a Head,
    fields: &'a [Field],
}

impl<'a> Request<'a> {
    /// The request that `head` and `fields` were filled from; `input` is what was parsed.
    #[must_use]
    pub fn new(input: &'a [u8], head: &'a Head, fields: &'a Fields) -> Self {
        Self { input, head, fields: &fields.list }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.head.method
    }

    /// The version it is held to.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The target as sent.
    #[must_use]
    pub fn target(&self) -> &'a [u8] {
        self.head.target.of(self.input)
    }

    /// The request line as sent, and where in it the target begins and ends.
    #[must_use]
    pub fn line(&self) -> (&'a [u8], (usize, usize)) {
        let (start, end) = self.head.target.bounds();
        // One empty line may stand before it, and after the target a space and the eight bytes of the version.
        let before = if self.input.first() == Some(&b'\r') { 2 } else { 0 };
        let line = self.input.get(before..end + 9).unwrap_or_default();
        (line, (start.saturating_sub(before), end.saturating_sub(before)))
    }

    /// How the target is written.
    #[must_use]
    pub fn form(&self) -> Form {
        self.head.form
    }

    /// Whether the target is `*`, that is, the request is about the server.
    #[must_use]
    pub fn is_asterisk(&self) -> bool {
        self.head.form == Form::Asterisk
    }

    /// The path, still encoded. It begins with `/`; a target without a path has `/`.
    #[must_use]
    pub fn path(&self) -> &'a [u8] {
        match self.head.path.of(self.input) {
            [] => b"/",
            path => path,
        }
    }

    /// What follows the first `?` of the target.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        self.head.query.map(|query| query.of(self.input))
    }

    /// Who is asked, `host` or `host:port` as sent: of the target if it says so, else of Host (RFC 9112, section
    /// 3.3). Empty only in HTTP/1.0.
    #[must_use]
    pub fn authority(&self) -> &'a [u8] {
        match self.head.form {
            Form::Absolute | Form::Authority => self.head.authority.of(self.input),
            Form::Origin | Form::Asterisk => self.field(Name::Host).unwrap_or_default(),
        }
    }

    /// [`authority`](Self::authority) without its port.
    #[must_use]
    pub fn host(&self) -> &'a [u8] {
        host::split(self.authority()).0
    }

    /// Whether any of the names in `mask`, a union of [`Name::mask`], is present.
    #[must_use]
    pub fn has_any(&self, mask: u32) -> bool {
        self.head.known & mask != 0
    }

    /// The value of the first field of that name, trimmed.
    #[must_use]
    pub fn field(&self, name: Name) -> Option<&'a [u8]> {
        if self.has_any(name.mask()) { self.values(name).next() } else { None }
    }

    /// How many fields have that name.
    #[must_use]
    pub fn count(&self, name: Name) -> usize {
        self.values(name).count()
    }

    /// The values of all fields of that name, in order.
    #[must_use]
    pub fn values(&self, name: Name) -> Values<'a> {
        let fields = if self.has_any(name.mask()) { self.fields } else { &[] };
        Values { input: self.input, fields, name }
    }

    /// Names and values of all fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let input = self.input;
        self.fields.iter().map(move |field| (field.name.of(input), field.value.of(input)))
    }

    /// What of it shapes the answer. Whether the connection stays is for others to tell: until then it closes.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape {
            is_11: self.head.version == Version::Http11,
            head_only: self.head.method == Method::Head,
            close: true,
            page: PageForm::Text,
        }
    }
}

/// Made by [`Request::values`].
#[derive(Clone)]
pub struct Values<'a> {
    input: &'a [u8],
    fields: &'a [Field],
    name: Name,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while let Some((field, rest)) = self.fields.split_first() {
            self.fields = rest;
            if field.known == Some(self.name) {
                return Some(field.value.of(self.input));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::{Limits, Parsed, parse};
    use super::*;

    fn with(input: &str, check: impl FnOnce(Request<'_>)) {
        let (mut fields, mut head) = (Fields::default(), Head::default());
        let parsed = parse(input.as_bytes(), 0, &Limits::default(), &mut fields, &mut head);
        assert!(matches!(parsed, Parsed::Complete { length } if length == input.len()), "{input}");
        check(Request::new(input.as_bytes(), &head, &fields));
    }

    #[test]
    fn finds_fields_by_name() {
        let input =
            "HEAD /a HTTP/1.1\r\nhost: h:8\r\nX: 1\r\nif-match: \"a\"\r\nTE:\r\nIF-MATCH:  \"b\" \r\n\r\n";
        with(input, |request| {
            assert_eq!(request.field(Name::IfMatch), Some(&b"\"a\""[..]));
            assert_eq!(request.count(Name::IfMatch), 2);
            assert_eq!(request.values(Name::IfMatch).collect::<Vec<_>>(), [b"\"a\"", b"\"b\""]);
            assert_eq!(request.field(Name::Te), Some(&b""[..]));
            assert_eq!(request.field(Name::Range), None);
            assert_eq!(request.count(Name::Range), 0);
            assert!(request.has_any(Name::Range.mask() | Name::Te.mask()));
            assert!(!request.has_any(Name::Range.mask() | Name::Cookie.mask()));
            assert!(!request.has_any(0));
            let names: Vec<_> = request.fields().map(|(name, _)| name).collect();
            assert_eq!(names, [&b"host"[..], b"X", b"if-match", b"TE", b"IF-MATCH"]);
            assert!(
                request.shape() == Shape { is_11: true, head_only: true, close: true, page: PageForm::Text }
            );
        });
    }

    #[test]
    fn the_target_tells_the_host_first() {
        for (line, hosts, authority, host) in [
            ("GET / HTTP/1.1", "Host: a:80\r\n", "a:80", "a"),
            ("GET / HTTP/1.1", "Host: [::1]:80\r\n", "[::1]:80", "[::1]"),
            ("GET http://b:81/x HTTP/1.1", "Host: a:80\r\n", "b:81", "b"),
            ("OPTIONS * HTTP/1.1", "Host: a\r\n", "a", "a"),
            ("CONNECT b:443 HTTP/1.1", "Host: a\r\n", "b:443", "b"),
            ("GET / HTTP/1.0", "", "", ""),
            ("GET http://b HTTP/1.0", "", "b", "b"),
        ] {
            with(&format!("{line}\r\n{hosts}\r\n"), |request| {
                assert_eq!(request.authority(), authority.as_bytes(), "{line}");
                assert_eq!(request.host(), host.as_bytes(), "{line}");
                assert_eq!(request.is_asterisk(), line.contains('*'));
                assert_eq!(request.shape().is_11, line.ends_with('1'));
            });
        }
    }

    #[test]
    fn spans_of_another_input_are_empty() {
        let (mut fields, mut head) = (Fields::default(), Head::default());
        let input = b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
        let _ = parse(input, 0, &Limits::default(), &mut fields, &mut head);
        let request = Request::new(b"", &head, &fields);
        assert_eq!((request.path(), request.query(), request.host()), (&b"/"[..], Some(&b""[..]), &b""[..]));
    }
}
