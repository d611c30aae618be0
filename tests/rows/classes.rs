//! The classes of bugs of small servers.
