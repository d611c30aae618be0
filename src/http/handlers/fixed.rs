//! What the handlers have in common that answer GET and HEAD with what was made just now.

use super::super::handler::Response;
use super::super::method::Method;
use super::super::request::Request;
use super::super::response;
use super::super::status::Status;

/// The fields of their replies: nobody keeps them.
pub(super) const FIELDS: &[u8] = b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";

/// The answer to other methods.
pub(super) fn refuse_others<W>(request: &Request<'_>) -> Option<Response<W>> {
    if matches!(request.method(), Method::Get | Method::Head) {
        return None;
    }
    let mut response = Response::page(Status::METHOD_NOT_ALLOWED);
    response::field(&mut response.fields, b"Allow", b"GET, HEAD");
    Some(response)
}

/// The value of the first argument of that name in a query, as it was sent.
pub(super) fn argument<'a>(query: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut pairs = query.split(|byte| *byte == b'&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_found_by_their_whole_name() {
        for (query, value) in [
            ("", None),
            ("format=json", Some("json")),
            ("a=b&format=json&format=html", Some("json")),
            ("xformat=json&formatx=json&format", None),
            ("format=", Some("")),
        ] {
            assert_eq!(argument(query.as_bytes(), b"format"), value.map(str::as_bytes), "{query}");
        }
    }
}
