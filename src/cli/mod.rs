//! The command line: arguments and environment into settings, and the help they are described by.

pub mod arguments;
pub mod command;
pub mod configured;
pub mod help;
mod node;
pub mod process;
pub mod terminal;
pub mod user;
