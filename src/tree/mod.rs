//! Attribute tables: every setting of every kind of node, declared once, with its unit, default and help.
//!
//! A kind of node (`http`, `gorgon`) is one static [`Kind`]: a list of [`Attribute`]s, each with what it is
//! ([`About`]) and how it is read from and written into the settings it belongs to. `--help`, the manual page, the
//! command line and the environment are renderings of these tables; nothing else declares a setting or a default.
//!
//! ```text
//!             Unit::parse              Attribute::set
//!   text  ------------------>  Value  --------------->  settings struct
//!         <------------------         <---------------
//!             Value::print             Attribute::get
//! ```
//!
//! [`Schema`] is a kind with its type left out, and [`Tree`] the nodes of the running program: what the monitor reads,
//! changes and watches.

mod buffer;
mod kind;
mod problem;
pub mod rule;
mod schema;
mod unit;
mod value;

pub use buffer::Buffer;
pub use kind::{About, Attribute, Flag, Kind, Role, Set, first_sentence};
pub use problem::Problem;
pub use schema::{Actor, Code, Method, Path, Schema, Step, Tree, Trouble};
pub use unit::Unit;
pub use value::Value;

#[cfg(test)]
pub(crate) mod tests;
