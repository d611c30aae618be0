//! Gorgon: one small process, one thread, one loop, that serves files.
//!
//! The layers, in reading order. Each imports only from those above it; `tests/layers.rs` checks it.
//!
//! | row | modules | what they are |
//! |---|---|---|
//! | 0 | `gorgon-sys` (the `sys` crate) | every system call, and all `unsafe` |
//! | 1 | [`text`] | small codecs: percent, HTML escapes, sizes and times, INI lines |
//! | 2 | [`tree`] | attribute tables: every setting, declared once; the `Tree` that a monitor works over |
//! | 3 | [`engine`], [`fs`] | the loop with its slots, pages and timers; files beneath a root |
//! | 4 | [`http`], [`monitor`] | the protocols: machines without I/O |
//! | 4s | `http::service`, `monitor::service` | the one adapter between each protocol and the loop |
//! | 5 | `monitor::commands`, `http::handlers::status` | what joins two worlds: the verbs of the monitor and the status page, over any tree |
//! | 6 | [`world`], [`config`], [`cli`], [`assemble`] | what the program shares, its settings, its command line, its assembly |
//!
//! A change of the configuration, be it a file that is read again or a `set` of the monitor, is new
//! [`config::settings::Settings`] and the difference to those that hold, which [`assemble`] applies as a whole or not at
//! all.
//!
//! Anti-goals: no async runtime, no threads in the loop, no `Rc`, `RefCell` or mutable globals, no macro that hides
//! control flow, no generic tower, no feature without a user.
#![forbid(unsafe_code)]
#![cfg_attr(not(any(test, feature = "memory")), no_std)]

extern crate alloc;

pub mod text;
pub mod tree;

pub mod engine;
pub mod fs;

#[cfg(feature = "http")]
pub mod http;

#[cfg(feature = "monitor")]
pub mod monitor;

// It puts servers together; without a protocol that serves there is nothing to put together.
#[cfg(feature = "http")]
pub mod assemble;
pub mod cli;
pub mod config;
pub mod world;
