//! How many descriptors this process may have.

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The soft and the hard limit of open descriptors (getrlimit(2), `RLIMIT_NOFILE`).
pub fn descriptors() -> (u64, u64) {
    let limit = getrlimit(Resource::Nofile);
    (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX))
}

/// Raises the soft limit to the hard one; gives what it was and what it is.
///
/// # Errors
/// The system's; the limit stays as it was then.
pub fn raise_descriptors() -> Result<(u64, u64), Errno> {
    let limit = getrlimit(Resource::Nofile);
    let before = limit.current.unwrap_or(u64::MAX);
    // macOS refuses "unlimited": a limit of OPEN_MAX is what it grants.
    let most = match limit.maximum {
        None if cfg!(target_vendor = "apple") => Some(10_240),
        other => other,
    };
    if most.unwrap_or(u64::MAX) > before {
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: limit.maximum })?;
    }
    Ok((before, descriptors().0))
}

/// A descriptor that is good for nothing but to be closed when one is needed.
///
/// # Errors
/// The system's, when there is none.
pub fn reserve_descriptor() -> Result<OwnedFd, Errno> {
    crate::socket::new_socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM)
}
