//! What a server can answer with.

mod extras;
pub mod files;
pub mod listing;
mod partial;
mod twins;
