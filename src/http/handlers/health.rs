//! The handler *health*: whether this is a good place to send requests to. 200 while it serves, 503 from the moment on that
//! it finishes what it has and takes no more.

use super::super::handler::{Body, Handler, Hx, Reply, Response};
use super::super::request::Request;
use super::super::status::Status;
use super::fixed;

/// The handler.
pub struct HealthHandler;

const TEXT: &[u8] = b"Content-Type: text/plain; charset=utf-8\r\n";

impl<W> Handler<W> for HealthHandler {
    fn handle<'h>(&'h mut self, request: &Request<'_>, _world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        if let Some(response) = fixed::refuse_others(request) {
            return Reply::Respond(response);
        }
        let (status, text) = match hx.draining {
            false => (Status::OK, &b"ok\n"[..]),
            true => (Status::SERVICE_UNAVAILABLE, &b"draining\n"[..]),
        };
        let fields = [fixed::FIELDS, TEXT].concat();
        Reply::Respond(Response { status, fields, body: Body::Bytes(text.to_vec()) })
    }
}
