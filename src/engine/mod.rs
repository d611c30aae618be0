//! The loop: slots, pages, listeners, timers, and the one place where services are called.
//!
//! Read in this order: [`values`] (what travels), [`conn`] (a connection and its modes), [`pages`], [`output`] and
//! [`buffers`] (what it holds, and how large), [`timeouts`] and [`timers`], [`listener`] and [`clients`] (who comes in;
//! [`client`]: one of them), [`service`] (what a protocol gives and gets), [`services`] (how protocols come and go),
//! [`log`], [`names`] with [`resolver`] and `naming` (what clients are called, and what that brings them), and
//! [`reactor`], the loop itself, which reads from top to bottom. What can be seen of it while it runs is in [`connection`], [`facts`] and [`statistics`].
//!
//! Rules of ownership: the reactor owns everything; ids travel and references do not outlive a call; a service never
//! calls a service; what changes the tables from outside a connection's own call is queued and done in `settle`.

mod accept;
pub mod buffers;
mod children;
pub mod client;
pub mod clients;
pub mod conn;
pub mod connection;
mod connections;
mod disk;
mod drain;
pub mod event_loop;
pub mod facts;
pub mod files;
pub mod gather;
mod interest;
pub mod limits;
pub mod listener;
pub mod log;
pub mod names;
mod naming;
pub mod output;
pub mod pages;
pub mod reactor;
pub mod refused;
pub mod resolver;
pub mod retired;
mod scarcity;
pub mod service;
pub mod services;
mod settle;
mod sight;
pub mod slab;
pub mod statistics;
pub mod timeouts;
pub mod timers;
pub mod values;

pub use buffers::Buffers;
pub use client::Client;
pub use event_loop::Loop;
pub use limits::{Counters, Limits, ServiceCounters};
pub use listener::{Listener, ListenerId};
pub use reactor::{Reactor, Turn};
pub use service::{Cx, Service, Sight};
