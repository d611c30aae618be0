//! The monitor: a line protocol through which the running program is looked at and changed.
//!
//! Who comes by a Unix socket is known by the kernel's word ([`roles`]); who comes by TCP proves it ([`login`], [`keys`]).

pub mod keys;
pub mod login;
pub mod medusa;
pub mod roles;
pub mod settings;
