//! The router: a list of handlers, and the first that answers wins.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::values::{Files, Now};

use super::handler::{Handler, Hx, Reply};
use super::request::Request;

/// A server's handlers, in order.
pub struct Router<W> {
    handlers: Vec<Mount<W>>,
}

struct Mount<W> {
    /// Whole segments of the decoded path: `/a` is the front of `/a` and `/a/b`, not of `/ab`. Empty fits all.
    prefix: Box<[u8]>,
    handler: Box<dyn Handler<W>>,
}

impl<W> Default for Router<W> {
    fn default() -> Self {
        Router { handlers: Vec::new() }
    }
}

impl<W> Router<W> {
    /// Adds a handler after all others, for paths below `prefix`.
    pub fn add(&mut self, prefix: &[u8], handler: Box<dyn Handler<W>>) {
        let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
        self.handlers.push(Mount { prefix: prefix.into(), handler });
    }

    /// Asks one after the other.
    pub fn route<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        for mount in &mut self.handlers {
            if !is_below(hx.path.as_bytes(), &mount.prefix) {
                continue;
            }
            match mount.handler.handle(request, world, hx) {
                Reply::Pass => {}
                reply => return reply,
            }
        }
        Reply::Pass
    }

    /// Has every handler let go what it need not keep; says whether one wants to be asked again.
    pub fn sweep(&mut self, now: Now, files: &mut Files) -> bool {
        self.handlers.iter_mut().fold(false, |again, mount| mount.handler.sweep(now, files) | again)
    }
}

/// Whether a path lies at or below a prefix, by whole segments.
pub(super) fn is_below(path: &[u8], prefix: &[u8]) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_whole_segments() {
        for (path, prefix, below) in [
            ("/a", "", true),
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a/b", "/a", true),
            ("/ab", "/a", false),
            ("/", "/a", false),
            ("/b/a", "/a", false),
        ] {
            assert_eq!(is_below(path.as_bytes(), prefix.as_bytes()), below, "{path} below {prefix}");
        }
    }
}
