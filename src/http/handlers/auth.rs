//! The handler *auth*: stands before the others, and lets through who has a name and its password (RFC 7617).
//!
//! | the request has | answer |
//! |---|---|
//! | no Authorization, or one that is not Basic | 401, with the challenge |
//! | credentials of which nothing is known | none yet: they are checked, and the request is asked again |
//! | credentials that are known to be right | the next handler's |
//! | credentials that are known to be wrong | 401, with the challenge |
//! | credentials that cannot be checked now | 503 |
//! | with `cors`: the question whether a page may send it (OPTIONS) | the next handler's, for it never has credentials |

use alloc::vec::Vec;

use super::super::authorization;
use super::super::field::Name;
use super::super::handler::{Handler, Hx, Reply, Response};
use super::super::logins::{Answer, HasLogins, Verdict};
use super::super::method::Method;
use super::super::request::Request;
use super::super::response;
use super::super::status::Status;
use super::extras;

/// The handler.
pub struct AuthHandler {
    /// The number of its logins.
    logins: usize,
    challenge: Vec<u8>,
    cors: bool,
    /// Reused from request to request: `name:password`.
    credentials: Vec<u8>,
}

impl AuthHandler {
    /// A handler that asks for credentials in a realm, and looks them up in the logins of that number.
    #[must_use]
    pub fn new(realm: &str, cors: bool, logins: usize) -> AuthHandler {
        let value = [b"Basic realm=\"", realm.as_bytes(), b"\", charset=\"UTF-8\""].concat();
        let mut challenge = Vec::new();
        response::field(&mut challenge, b"WWW-Authenticate", &value);
        AuthHandler { logins, challenge, cors, credentials: Vec::new() }
    }

    fn verdict<W: HasLogins>(&mut self, request: &Request<'_>, world: &mut W, hx: &Hx<'_>) -> Answer {
        if !authorization::credentials(request, &mut self.credentials) {
            return Answer::Known(Verdict::Refused);
        }
        let answer = world
            .logins(self.logins)
            .map(|logins| logins.ask(&self.credentials, hx.conn, hx.client, hx.now.milliseconds));
        self.credentials.fill(0);
        answer.unwrap_or(Answer::Known(Verdict::Unavailable))
    }
}

/// Whether a request asks for what a page may send (Fetch standard, section 3.2.2).
fn is_preflight(request: &Request<'_>) -> bool {
    request.method() == Method::Options
        && request.has_any(Name::Origin.mask())
        && request.fields().any(|(name, _)| name.eq_ignore_ascii_case(b"Access-Control-Request-Method"))
}

impl<W: HasLogins> Handler<W> for AuthHandler {
    fn handle<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        if self.cors && is_preflight(request) {
            return Reply::Pass;
        }
        let mut response = match self.verdict(request, world, hx) {
            Answer::Wait => return Reply::Wait,
            Answer::Known(Verdict::Granted) => {
                hx.granted = true;
                return Reply::Pass;
            }
            Answer::Known(Verdict::Refused) => {
                let mut response = Response::page(Status::UNAUTHORIZED);
                response.fields.extend_from_slice(&self.challenge);
                response
            }
            Answer::Known(Verdict::Unavailable) => Response::page(Status::SERVICE_UNAVAILABLE),
        };
        if self.cors {
            extras::open_to_all(request, false, &mut response);
        }
        Reply::Respond(response)
    }

    fn wants_addresses(&self) -> bool {
        true
    }
}
