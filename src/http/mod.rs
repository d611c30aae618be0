//! HTTP/1.1 (RFC 9110, RFC 9112) as machines without I/O, and the one adapter that joins them to the loop.

pub mod class;
pub mod exchange;
pub mod field;
pub mod head;
pub mod host;
pub mod method;
pub mod request;
pub mod settings;
pub mod status;
pub mod target;
