//! Status codes (RFC 9110, section 15).

/// One status code.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Status(u16);

impl Status {
    /// 400
    pub const BAD_REQUEST: Self = Self(400);
    /// 404
    pub const NOT_FOUND: Self = Self(404);
    /// 414
    pub const URI_TOO_LONG: Self = Self(414);
    /// 431
    pub const FIELDS_TOO_LARGE: Self = Self(431);
    /// 501
    pub const NOT_IMPLEMENTED: Self = Self(501);
    /// 505
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }
}
