//! The loop: slots, pages, listeners, timers, and the one place where services are called.
//!
//! Read in this order: [`values`] (what travels), [`conn`] (a connection and its modes), [`pages`] and [`output`] (its
//! buffers), [`timeouts`] and [`timers`], [`listener`] and [`clients`] (who comes in; [`client`]: one of them), [`service`] (what a protocol gives and gets), [`log`], and
//! [`reactor`], the loop itself, which reads from top to bottom.
//!
//! Rules of ownership: the reactor owns everything; ids travel and references do not outlive a call; a service never
//! calls a service; what changes the tables from outside a connection's own call is queued and done in `settle`.

pub mod client;
pub mod clients;
pub mod conn;
mod disk;
mod drain;
pub mod event_loop;
pub mod files;
pub mod gather;
mod interest;
pub mod listener;
pub mod log;
pub mod output;
pub mod pages;
pub mod reactor;
pub mod refused;
mod scarcity;
pub mod service;
mod sight;
pub mod slab;
pub mod timeouts;
pub mod timers;
pub mod values;

pub use client::Client;
pub use event_loop::{Limits, Loop};
pub use reactor::{Reactor, Turn};
pub use service::{Cx, Service, Sight};
