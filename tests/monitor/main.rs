//! The monitor of the real program, and its clients: over its sockets, from other users, by TCP and on a terminal.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(all(feature = "http", feature = "monitor", target_os = "linux"))]

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod host;
mod nodes;
mod passwords;
mod places;
mod session;
mod terminal;
mod verbs;
