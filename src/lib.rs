//! Gorgon: one small process, one thread, one loop, that serves files.
//!
//! The layers, in reading order. Each imports only from those above it; `tests/layers.rs` checks it.
//!
//! | row | modules | what they are |
//! |---|---|---|
//! | 0 | `gorgon-sys` (the `sys` crate) | every system call, and all `unsafe` |
//! | 1 | [`text`] | small codecs: percent, HTML escapes, sizes and times |
//! | 2 | [`tree`] | attribute tables: every setting, declared once |
//! | 3 | [`engine`], [`fs`] | the loop with its slots, pages and timers; files beneath a root |
//! | 4 | [`http`] | the protocol: machines without I/O |
//! | 4s | `http::service` | the one adapter between the protocol and the loop |
//! | 5 | `http::handlers::status` | handlers that join two worlds |
//! | 6 | [`world`], [`config`], [`cli`], [`assemble`] | what the program shares, its settings, its command line, its assembly |
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

pub mod assemble;
pub mod cli;
pub mod config;
pub mod world;
