//! Paths of requests, as segments that cannot leave the root.

/// Why a path of a request is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum PathError {
    /// A `%` without its two digits, or a NUL.
    Invalid,
    /// An encoded `/`.
    EncodedSlash,
    /// Longer than any file's path.
    TooLong,
}
