//! HTTP/1.1 (RFC 9110, RFC 9112) as machines without I/O, and the one adapter that joins them to the loop.
//!
//! Read in this order: [`head`] (a request's head out of bytes), [`request`] (what it says), [`framing`], [`body`] and
//! [`chunked`] (where its body ends), [`handler`] and [`router`] (who answers, with what), [`exchange`] (what is left to
//! do), [`service`] (the adapter). [`handlers`] holds the answerers themselves.

pub mod accept;
pub mod authorization;
pub mod body;
pub mod chunked;
pub mod class;
pub mod conditional;
pub mod date;
pub mod encoding;
pub mod error_page;
pub mod etag;
pub mod exchange;
pub mod facts;
pub mod field;
pub mod framing;
pub mod handler;
pub mod handlers;
pub mod head;
pub mod host;
pub mod logins;
pub mod method;
pub mod password;
pub mod plan;
pub mod range;
pub mod request;
pub mod response;
pub mod router;
pub mod service;
pub mod settings;
pub mod status;
pub mod target;
pub mod users;
