//! HTTP/1.1 (RFC 9110, RFC 9112) as machines without I/O, and the one adapter that joins them to the loop.

pub mod settings;
