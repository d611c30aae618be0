//! The command line: arguments and environment into settings, and the help they are described by.

pub mod arguments;
pub mod help;
mod node;
pub mod process;
pub mod rundir;
pub mod terminal;
pub mod user;
