//! One request and its answer.

/// What of a request shapes the framing of its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Shape {
    /// The request is HTTP/1.1, so chunks may be sent.
    pub is_11: bool,
    /// The answer has no body (HEAD).
    pub head_only: bool,
    /// The connection ends after the answer.
    pub close: bool,
}
