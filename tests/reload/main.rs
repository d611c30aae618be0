//! Reloads, and changes by the monitor, of the real program while clients use it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(all(feature = "http", feature = "monitor"))]

mod changes;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod host;
mod lasting;
mod listeners;
mod monitors;
mod observed;
mod passwords;
mod rights;
mod servers;
mod sockets;
mod timed;
mod undone;
