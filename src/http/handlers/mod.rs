//! What a server can answer with.

mod extras;
pub mod files;
mod twins;
