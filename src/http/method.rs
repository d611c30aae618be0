//! Request methods (RFC 9110, section 9; RFC 5789; RFC 4918).

/// A method that exists. One we do not serve is answered 405; a token that is none of these, 501.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub enum Method {
    /// Send the resource.
    #[default]
    Get,
    /// Send its head alone.
    Head,
    /// Process the body.
    Post,
    /// Replace the resource.
    Put,
    /// Remove it.
    Delete,
    /// Tell what may be done.
    Options,
    /// Echo the request: never served.
    Trace,
    /// Open a tunnel: never served.
    Connect,
    /// Change a part (RFC 5789).
    Patch,
    /// WebDAV: list properties.
    Propfind,
    /// WebDAV: change properties.
    Proppatch,
    /// WebDAV: make a collection.
    Mkcol,
    /// WebDAV: copy.
    Copy,
    /// WebDAV: move.
    Move,
    /// WebDAV: lock.
    Lock,
    /// WebDAV: unlock.
    Unlock,
}

const ALL: [Method; 16] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Connect,
    Method::Patch,
    Method::Propfind,
    Method::Proppatch,
    Method::Mkcol,
    Method::Copy,
    Method::Move,
    Method::Lock,
    Method::Unlock,
];

impl Method {
    /// What a file may be asked, as the value of Allow.
    pub const ALLOW: &'static str = "GET, HEAD, OPTIONS";

    /// The same where files can be uploaded.
    pub const ALLOW_PUT: &'static str = "GET, HEAD, PUT, OPTIONS";

    /// The method of that name. Case counts (RFC 9110, section 9.1).
    #[must_use]
    pub fn find(name: &[u8]) -> Option<Self> {
        ALL.into_iter().find(|method| method.name().as_bytes() == name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Patch => "PATCH",
            Self::Propfind => "PROPFIND",
            Self::Proppatch => "PROPPATCH",
            Self::Mkcol => "MKCOL",
            Self::Copy => "COPY",
            Self::Move => "MOVE",
            Self::Lock => "LOCK",
            Self::Unlock => "UNLOCK",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_by_its_name() {
        for method in ALL {
            assert_eq!(Method::find(method.name().as_bytes()), Some(method));
            assert_eq!(Method::find(method.name().to_lowercase().as_bytes()), None);
        }
        for name in ["", "G", "GETS", "BREW", "PRI"] {
            assert_eq!(Method::find(name.as_bytes()), None, "{name}");
        }
        for name in [Method::ALLOW, Method::ALLOW_PUT].join(", ").split(", ") {
            assert!(Method::find(name.as_bytes()).is_some(), "{name}");
        }
    }
}
