//! The monitor: a line protocol through which the running program is looked at and changed.
//!
//! ```text
//!   socket  ->  Session::feed  ->  a line waits        (the service reads; it knows nobody's nodes)
//!                                       |
//!                               commands::work         (after each turn of the loop, over `dyn Tree`)
//!                                       |
//!   socket  <-  Session::output  <-  its frames        (the service is woken, and writes)
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`request`] | a line to commands, tags and words |
//! | [`roles`] | who may what of those who come by a Unix socket, on the kernel's word |
//! | [`login`], [`keys`] | who comes by TCP proves who it is, by a file of keys |
//! | [`medusa`] | how Medusa talked, for its clients |
//! | [`session`] | one peer: what it has asked, what waits for it; the states are drawn there |
//! | [`service`] | their sockets |
//! | [`sessions`] | all of them, with what they share: changes for a time ([`timed`]), counters |
//! | [`failure`] | why something is not done |
//! | [`filter`] | the expression behind `where` |
//! | [`render`] | values, rows and prose, as key=value or as JSON |
//! | [`verbs`] | the table of verbs with their help |
//! | [`commands`] | what verbs do, a slice of nodes at a time |
//!
//! Whatever is asked costs the same memory: a line, the output up to its limit, and, for `sort`, the rows kept. A find
//! over a million connections gives its rows as the peer reads them, and everybody else is served between its slices.
//! Nobody logged in costs nothing: no byte per connection, and one test per turn.
//!
//! Anti-goals: no evaluation of code, no reflection, nothing beyond the nodes and methods of the tables; no file's
//! content and no environment; no second way to change a setting.

pub mod failure;
pub mod filter;
mod job;
pub mod keys;
pub mod login;
pub mod medusa;
mod output;
pub mod refusals;
pub mod render;
pub mod request;
pub mod roles;
pub mod service;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod timed;
pub mod verbs;

pub mod commands;

#[cfg(any(test, feature = "memory"))]
pub mod memory;

pub use session::Session;
pub use sessions::Sessions;
