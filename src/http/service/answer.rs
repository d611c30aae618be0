//! From a request's head to its reply: what the handlers answer is put on the wire here.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::engine::Cx;
use crate::engine::log::Logs;

use super::super::conditional::{Precondition, of_generated};
use super::super::error_page::PageForm;
use super::super::exchange::{Exchange, Framing, Made, Shape};
use super::super::field::Name;
use super::super::handler::{Body, Hx, Means, Reply, Response};
use super::super::method::Method;
use super::super::plan::Plan;
use super::super::request::Request;
use super::super::response::{self, BodyForm};
use super::super::status::Status;
use super::super::target;
use super::access::{AccessLog, digits_of, status_of};
use super::{After, HttpService};

impl<W: Logs> HttpService<W> {
    /// Answers the request whose head was just read from the front of `input`. `last` says that no input follows it.
    pub(super) fn answer(&mut self, input: &[u8], last: bool, world: &mut W, cx: &mut Cx<'_>) -> After<W> {
        let request = Request::new(input, &self.head, &self.fields);
        self.facts.requests += 1;
        // Of the request before, if no handler gets to see this one.
        self.granted = false;
        let keep = self.keep_alive && !cx.draining();
        let mut plan = match Plan::of(&request, keep) {
            Ok(plan) => plan,
            Err(status) => {
                begin_line(&mut self.access, &request, cx);
                return self.refuse(status, request.shape(), world, cx);
            }
        };
        let discards = plan.can_discard(self.drain_max);
        // Who takes a file says how long it may be.
        let too_long = |length| length > self.body_max && request.method() != Method::Put;
        if !discards && plan.length.is_some_and(too_long) {
            begin_line(&mut self.access, &request, cx);
            let shape = Shape { page: PageForm::of(&request), ..plan.shape };
            return self.refuse(Status::CONTENT_TOO_LARGE, shape, world, cx);
        }
        let now = cx.now();
        self.date.set(now.unix_seconds);
        let path = match self.path.set_url(request.path()) {
            Ok(path) => path,
            Err(error) => {
                begin_line(&mut self.access, &request, cx);
                match target::path_status(error, request.method()) {
                    // As every request that is not right, this one is the last.
                    Status::BAD_REQUEST => return self.refuse(Status::BAD_REQUEST, plan.shape, world, cx),
                    status => {
                        plan.shape.page = PageForm::of(&request);
                        return self.reject(Response::page(status), plan, discards, world, cx);
                    }
                }
            }
        };
        if request.is_asterisk() {
            begin_line(&mut self.access, &request, cx);
            let mut response = Response::empty(Status::NO_CONTENT);
            response::field(&mut response.fields, b"Allow", Method::ALLOW.as_bytes());
            return self.reject(response, plan, discards, world, cx);
        }
        let conn = cx.id();
        let client = if self.addresses { cx.client().bits().filter(|bits| !is_loopback(bits)) } else { None };
        let draining = cx.draining();
        let mut hx =
            Hx { path, conn, client, now, date: &self.date, draining, granted: false, files: cx.files() };
        let reply = self.router.route(&request, world, &mut hx);
        self.granted = hx.granted;
        if !matches!(reply, Reply::Ready { .. } | Reply::Piece { .. } | Reply::File { .. }) {
            begin_line(&mut self.access, &request, cx);
        }
        if !matches!(reply, Reply::Upload(_)) && !discards {
            plan.shape.close = true;
        }
        let shape = plan.shape;
        let (status, body) = match reply {
            Reply::Ready { whole, head } => {
                send_ready(whole, head, shape, last, cx);
                (status_of(whole), (whole.len() as u64).saturating_sub(head as u64 + 2))
            }
            Reply::Piece { head, body } => {
                cx.write(head);
                cx.write(connection_field(shape));
                cx.write(b"\r\n");
                if !shape.head_only {
                    if last { cx.write_last(&[body]) } else { cx.write(body) }
                }
                (status_of(head), body.len() as u64)
            }
            Reply::File { head, range } => {
                cx.write(head);
                cx.write(connection_field(shape));
                cx.write(b"\r\n");
                let length = range.left;
                if shape.head_only || range.left == 0 {
                    cx.files().release(range.file);
                } else {
                    cx.write_file(range);
                }
                (status_of(head), length)
            }
            Reply::Wait => return After::Wait,
            Reply::Pass => {
                plan.shape.page = PageForm::of(&request);
                return self.reject(Response::page(Status::NOT_FOUND), plan, discards, world, cx);
            }
            Reply::Respond(mut response) => {
                if response.status == Status::OK {
                    judge(&request, &mut response, world, cx);
                }
                if matches!(response.body, Body::Page) {
                    plan.shape.page = PageForm::of(&request);
                }
                return self.reject(response, plan, discards, world, cx);
            }
            Reply::Upload(sink) => {
                let shape = Shape { page: PageForm::of(&request), ..shape };
                if !request.has_any(Name::ContentLength.mask() | Name::TransferEncoding.mask()) {
                    // A body without a length is not told from none, and none must not empty a file.
                    return self.refuse(Status::LENGTH_REQUIRED, shape, world, cx);
                }
                let most = sink.limit().unwrap_or(self.body_max);
                if plan.length.is_some_and(|length| length > most) {
                    return self.refuse(Status::CONTENT_TOO_LARGE, shape, world, cx);
                }
                if plan.waits && last {
                    cx.write(b"HTTP/1.1 100 Continue\r\n\r\n");
                    self.facts.count(b'1');
                }
                return After::Begin(Exchange::receiving(plan.body, sink, shape, most));
            }
        };
        self.facts.count(status[0]);
        if let Some(access) = &mut self.access {
            let body = if shape.head_only { 0 } else { body };
            access.answered(&request, status, body, world, cx);
        }
        self.after(plan, None)
    }

    /// What follows a reply that is complete, or whose body follows.
    fn after(&self, plan: Plan, made: Option<Made<W>>) -> After<W> {
        let shape = plan.shape;
        match made {
            Some(made) => After::Begin(Exchange::streaming(plan.body, made, shape, self.drain_max)),
            None if shape.close && plan.body.is_done() => After::Close,
            None if shape.close => After::Leave,
            None if plan.body.is_done() => After::Keep,
            None => After::Begin(Exchange::discarding(plan.body, shape, self.drain_max)),
        }
    }

    /// Sends a reply that was made for this request.
    fn reject(
        &mut self,
        response: Response<W>,
        mut plan: Plan,
        discards: bool,
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> After<W> {
        plan.shape.close |= !discards;
        let made = self.respond(response, &mut plan.shape, world, cx);
        self.after(plan, made)
    }

    /// Ends the connection with a status: what follows on it cannot be trusted, or will not be read.
    pub(super) fn refuse(
        &mut self,
        status: Status,
        shape: Shape,
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> After<W> {
        self.date.set(cx.now().unix_seconds);
        self.respond(Response::page(status), &mut Shape { close: true, ..shape }, world, cx);
        After::Leave
    }

    /// Writes a reply's head, and its body if it is at hand; gives what makes it if it is not.
    pub(super) fn respond(
        &mut self,
        mut response: Response<W>,
        shape: &mut Shape,
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> Option<Made<W>> {
        let page;
        let (bytes, made) = match response.body {
            Body::Empty => (&[][..], None),
            Body::Page => {
                response.fields.extend_from_slice(shape.page.fields());
                if response.status == Status::SERVICE_UNAVAILABLE {
                    response.fields.extend_from_slice(b"Retry-After: 1\r\n");
                }
                let mut text = Vec::with_capacity(256);
                shape.page.push_page(response.status, response::location(&response.fields), &mut text);
                page = text;
                (&page[..], None)
            }
            Body::Bytes(bytes) => {
                page = bytes;
                (&page[..], None)
            }
            Body::Stream(stream) => {
                // To HTTP/1.0 only the connection's end tells where the body ends.
                shape.close |= !shape.is_11;
                let framing = if shape.is_11 { Framing::Chunked } else { Framing::UntilClose };
                (&[][..], Some(Made { stream, framing }))
            }
            Body::Sized { length, stream } => {
                (&[][..], Some(Made { stream, framing: Framing::Length(length) }))
            }
        };
        let form = match made.as_ref().map(|made| made.framing) {
            None => BodyForm::Length(bytes.len() as u64),
            Some(Framing::Length(length)) => BodyForm::Length(length),
            Some(Framing::Chunked) => BodyForm::Chunked,
            Some(Framing::UntilClose) => BodyForm::UntilClose,
        };
        self.text.clear();
        response::write_head(&mut self.text, response.status, &self.date, &response.fields, form);
        self.text.extend_from_slice(connection_field(*shape));
        self.text.extend_from_slice(b"\r\n");
        cx.write(&self.text);
        let bytes = if shape.head_only { &[] } else { bytes };
        let made = match made {
            Some(mut made) if shape.head_only => {
                let now = cx.now();
                made.stream.end(&mut Means { world, files: cx.files(), now });
                None
            }
            made => made,
        };
        if !bytes.is_empty() {
            cx.write(bytes);
        }
        let status = digits_of(response.status);
        self.facts.count(status[0]);
        if let Some(access) = &mut self.access {
            match &made {
                Some(_) => access.streamed(status, cx),
                None => access.replied(status, bytes.len() as u64, cx),
            }
        }
        made
    }
}

/// Begins the line of a request whose reply is told of later.
fn begin_line(access: &mut Option<Box<AccessLog>>, request: &Request<'_>, cx: &Cx<'_>) {
    if let Some(access) = access {
        access.begin(request, cx);
    }
}

/// Holds a reply that was made just now, and so has no validators, to the request's conditions.
fn judge<W>(request: &Request<'_>, response: &mut Response<W>, world: &mut W, cx: &mut Cx<'_>) {
    let body = match of_generated(request) {
        Precondition::Proceed => return,
        Precondition::NotModified => {
            response.status = Status::NOT_MODIFIED;
            // What describes a body goes with it.
            let lines = response.fields.split_inclusive(|&byte| byte == b'\n');
            let lines: Vec<_> = lines.filter(|line| !line.starts_with(b"Content-")).collect();
            response.fields = lines.concat();
            mem::replace(&mut response.body, Body::Empty)
        }
        Precondition::Failed => mem::replace(response, Response::page(Status::PRECONDITION_FAILED)).body,
    };
    if let Body::Stream(mut stream) | Body::Sized { mut stream, .. } = body {
        let now = cx.now();
        stream.end(&mut Means { world, files: cx.files(), now });
    }
}

/// Whether the bits of an address are those of this host.
fn is_loopback(bits: &[u8; 16]) -> bool {
    core::net::Ipv6Addr::from(*bits).to_canonical().is_loopback()
}

/// Sends a reply that lies ready: as it is, or with the `Connection` field that this request needs.
fn send_ready(whole: &[u8], head: usize, shape: Shape, last: bool, cx: &mut Cx<'_>) {
    let field = connection_field(shape);
    if field.is_empty() && !shape.head_only {
        return if last { cx.write_last(&[whole]) } else { cx.write(whole) };
    }
    let (head, rest) = whole.split_at_checked(head).unwrap_or((whole, &[]));
    let rest = if shape.head_only { b"\r\n" } else { rest };
    if last {
        cx.write_last(&[head, field, rest]);
    } else {
        cx.write(head);
        cx.write(field);
        cx.write(rest);
    }
}

/// What the reply must say about the connection: HTTP/1.1 goes on unless told, HTTP/1.0 ends unless told.
fn connection_field(shape: Shape) -> &'static [u8] {
    match (shape.close, shape.is_11) {
        (true, _) => b"Connection: close\r\n",
        (false, true) => b"",
        (false, false) => b"Connection: keep-alive\r\n",
    }
}
