//! What the settings add to replies: `Vary`, `Cache-Control`, and what lets pages of other origins read them.

use alloc::vec::Vec;

use super::super::handler::Response;
use super::super::method::Method;
use super::super::request::Request;
use super::super::response;
use super::super::settings::HttpSettings;
use super::super::status::Status;

/// The fields that go with every file; `falls_back` is for the one that stands for what does not exist, which is sent
/// by what the client takes.
pub fn common_fields(settings: &HttpSettings, falls_back: bool) -> Vec<u8> {
    let mut fields = Vec::new();
    match (falls_back, !settings.precompressed.is_empty()) {
        (true, true) => fields.extend_from_slice(b"Vary: Accept, Accept-Encoding\r\n"),
        (true, false) => fields.extend_from_slice(VARY_ACCEPT),
        (false, true) => fields.extend_from_slice(b"Vary: Accept-Encoding\r\n"),
        (false, false) => {}
    }
    if !settings.cache_control.is_empty() {
        response::field(&mut fields, b"Cache-Control", settings.cache_control.as_bytes());
    }
    if settings.cors {
        fields.extend_from_slice(ANY_ORIGIN);
    }
    fields
}

/// The reply hangs on whether the client takes a page.
const VARY_ACCEPT: &[u8] = b"Vary: Accept\r\n";
/// Pages of any origin may read the reply (Fetch standard, section 3.2), and those of our fields that they could not
/// without being told: by name, for `*` would not hold where credentials go along.
pub const ANY_ORIGIN: &[u8] = b"Access-Control-Allow-Origin: *\r\n\
    Access-Control-Expose-Headers: Accept-Ranges, Content-Encoding, Content-Range, ETag, Location\r\n";
/// What is answered to those who ask before they send; good for a day. `*` stands for all fields but Authorization.
const PREFLIGHT: &[u8] = b"Access-Control-Allow-Origin: *\r\n\
    Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n\
    Access-Control-Allow-Headers: Authorization, *\r\n\
    Access-Control-Max-Age: 86400\r\n";
/// The same where files can be uploaded. Browsers older than the `*` go by the names.
const PREFLIGHT_PUT: &[u8] = b"Access-Control-Allow-Origin: *\r\n\
    Access-Control-Allow-Methods: GET, HEAD, PUT, OPTIONS\r\n\
    Access-Control-Allow-Headers: authorization, content-type, if-match, if-none-match, *\r\n\
    Access-Control-Max-Age: 86400\r\n";

/// Lets pages of any origin read a reply that does not have the fields of a file. `upload`: files can be uploaded there.
pub fn open_to_all<W>(request: &Request<'_>, upload: bool, response: &mut Response<W>) {
    if matches!(response.status, Status::NOT_MODIFIED | Status::PARTIAL_CONTENT) {
        return;
    }
    response.fields.extend_from_slice(match (request.method(), upload) {
        (Method::Options, true) => PREFLIGHT_PUT,
        (Method::Options, false) => PREFLIGHT,
        _ => ANY_ORIGIN,
    });
}
