//! What a complete request head says about the exchange: how its body is framed, whether it waits for a 100, and whether
//! the connection can go on after the reply.

use super::body::BodyReader;
use super::error_page::PageForm;
use super::exchange::Shape;
use super::framing::{Expect, Framing, expect, framing, persistent};
use super::head::Version;
use super::method::Method;
use super::request::Request;
use super::status::Status;

/// The plan for one request.
pub struct Plan {
    /// Reads the body.
    pub body: BodyReader,
    /// The body's length, when the request says it.
    pub length: Option<u64>,
    /// The client sends its body only after a 100.
    pub waits: bool,
    /// The reply's form.
    pub shape: Shape,
}

impl Plan {
    /// Reads the plan from a request. `keep` says whether this server keeps connections now.
    ///
    /// # Errors
    /// The status of a request whose framing or expectation is refused; the connection ends with it.
    pub fn of(request: &Request<'_>, keep: bool) -> Result<Plan, Status> {
        let framing = framing(request).map_err(|error| error.status())?;
        let waits = match expect(request) {
            Expect::None => false,
            // No content, nothing to wait for.
            Expect::Continue => !matches!(framing, Framing::None | Framing::Length(0)),
            Expect::Unknown => return Err(Status::EXPECTATION_FAILED),
        };
        let length = match framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let shape = Shape {
            is_11: request.version() == Version::Http11,
            head_only: request.method() == Method::Head,
            close: !(keep && persistent(request)),
            page: PageForm::Text,
        };
        Ok(Plan { body: BodyReader::new(framing), length, waits, shape })
    }

    /// The body is not wanted: whether it can be read away, within `most` bytes, so that the connection goes on. A client
    /// that waits for a 100 may or may not send its body after a final status, so nothing can be known after that
    /// (RFC 9110, section 10.1.1). Chunks may turn out to be none when the reply has gone, and where they end is then not
    /// known either.
    pub fn can_discard(&self, most: u64) -> bool {
        self.body.is_done() || (!self.waits && self.length.is_some_and(|length| length <= most))
    }
}
