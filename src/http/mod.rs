//! HTTP/1.1 (RFC 9110, RFC 9112) as machines without I/O, and the one adapter that joins them to the loop.

pub mod body;
pub mod chunked;
pub mod class;
pub mod conditional;
pub mod date;
pub mod error_page;
pub mod etag;
pub mod field;
pub mod framing;
pub mod head;
pub mod method;
pub mod request;
pub mod response;
pub mod settings;
pub mod status;
