//! The four forms of a request target (RFC 9112, section 3.2).

use super::host;
use super::method::Method;
use super::status::Status;
use crate::fs::path::PathError;

/// How a target is written.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub enum Form {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`, as to a proxy
    Absolute,
    /// `host:port`, of CONNECT and only there
    Authority,
    /// `*`, of OPTIONS and only there
    Asterisk,
}

/// A target that does not begin with `/`, or is CONNECT's: its form, and where its authority is in it. `before_query`
/// is what comes before the first `?`. `None` when it has no form that goes with the method.
///
/// The scheme may be `http` or `https` in either case. The authority must be one (so a host, no userinfo). What follows
/// it is the path.
#[must_use]
pub fn read(method: Method, before_query: &[u8], has_query: bool) -> Option<(Form, usize, usize)> {
    if method == Method::Connect {
        let valid = !has_query && host::is_valid_with_port(before_query);
        return valid.then_some((Form::Authority, 0, before_query.len()));
    }
    if before_query == b"*" {
        return (method == Method::Options && !has_query).then_some((Form::Asterisk, 0, 0));
    }
    let start = ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, _) = before_query.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(scheme.len())
    })?;
    let rest = before_query.get(start..)?;
    let length = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
    host::is_valid(rest.get(..length)?).then_some((Form::Absolute, start, start + length))
}

/// How a path that leads nowhere is answered. An encoded `/` and a path too long for any file name no file: 404. Where a
/// file is to be made, it is the length that is at fault: 414.
#[must_use]
pub const fn path_status(error: PathError, method: Method) -> Status {
    match error {
        PathError::TooLong if matches!(method, Method::Put) => Status::URI_TOO_LONG,
        PathError::Invalid => Status::BAD_REQUEST,
        PathError::EncodedSlash | PathError::TooLong => Status::NOT_FOUND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form_with_its_methods() {
        use Form::{Absolute, Asterisk, Authority};
        for (method, target, expected) in [
            (Method::Options, "*", Some((Asterisk, ""))),
            (Method::Get, "*", None),
            (Method::Options, "**", None),
            (Method::Options, "*/", None),
            (Method::Connect, "*", None),
            (Method::Connect, "a:443", Some((Authority, "a:443"))),
            (Method::Connect, "[::1]:443", Some((Authority, "[::1]:443"))),
            (Method::Connect, "a", None),
            (Method::Connect, "a:", None),
            (Method::Connect, "/", None),
            (Method::Connect, "http://a:443", None),
            (Method::Get, "a:443", None),
            (Method::Get, "a", None),
            (Method::Get, "http://a", Some((Absolute, "a"))),
            (Method::Get, "HTTP://A:80/", Some((Absolute, "A:80"))),
            (Method::Get, "hTTps://a/b/c", Some((Absolute, "a"))),
            (Method::Get, "http://[::1]:1//", Some((Absolute, "[::1]:1"))),
            (Method::Get, "http://", None),
            (Method::Get, "http:///a", None),
            (Method::Get, "http://:80/a", None),
            (Method::Get, "http://u@a/", None),
            (Method::Get, "http://u:p@a/", None),
            (Method::Get, "http://a:x/", None),
            (Method::Get, "http://a|b/", None),
            (Method::Get, "http:/a", None),
            (Method::Get, "http:", None),
            (Method::Get, "ftp://a/", None),
            (Method::Get, "httpss://a/", None),
        ] {
            let found = read(method, target.as_bytes(), false)
                .map(|(form, start, end)| (form, target.get(start..end).unwrap()));
            assert_eq!(found, expected, "{} {target}", method.name());
        }
        assert_eq!(read(Method::Options, b"*", true), None);
        assert_eq!(read(Method::Connect, b"a:1", true), None);
        assert_eq!(read(Method::Get, b"http://a", true), Some((Absolute, 7, 8)));
    }

    #[test]
    fn paths_that_lead_nowhere_have_a_status() {
        for (method, too_long) in [(Method::Get, 404), (Method::Put, 414)] {
            assert_eq!(path_status(PathError::Invalid, method).code(), 400);
            assert_eq!(path_status(PathError::EncodedSlash, method).code(), 404);
            assert_eq!(path_status(PathError::TooLong, method).code(), too_long);
        }
    }
}
