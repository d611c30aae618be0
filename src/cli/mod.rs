//! The command line: arguments and environment into settings, and the help they are described by.

pub mod arguments;
#[cfg(feature = "monitor")]
pub mod ask;
#[cfg(feature = "monitor")]
pub mod client;
pub mod command;
pub mod configured;
pub mod help;
#[cfg(feature = "monitor")]
pub mod keys;
#[cfg(feature = "monitor")]
pub mod line_editor;
mod node;
#[cfg(feature = "monitor")]
pub mod passwd;
pub mod process;
#[cfg(feature = "monitor")]
pub mod rundir;
pub mod terminal;
pub mod user;
