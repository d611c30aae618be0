//! The configuration: what was set, where, and the settings of every node that come of it.
//!
//! ```text
//!   files --reader--> Source --overrides--> Source --build--> Settings --assemble--> the running program
//!                       flags, environment                       |
//!                                                                +-- dump, difference, overlay
//!   changed Settings --save, editor--> files
//! ```
//!
//! Gorgon's dialect is strict: what is unknown, given twice or wrong is told with its file and line, what was expected
//! and the nearest name there is, all of it at once. Files are read through [`files::Files`]; the rest is pure.

pub mod build;
pub mod check;
pub mod difference;
pub mod dump;
#[cfg(feature = "http")]
pub mod edit;
pub mod editor;
pub mod files;
pub mod hints;
pub mod kind;
pub mod load;
pub mod nodes;
pub mod overlay;
pub mod overrides;
pub mod problems;
pub mod reader;
pub mod save;
pub mod settings;
pub mod source;

mod expand;
