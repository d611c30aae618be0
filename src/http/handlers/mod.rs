//! What a server can answer with.

pub mod files;
mod partial;
