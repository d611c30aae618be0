//! What a server can answer with.

mod entry;
mod extras;
pub mod files;
pub mod listing;
mod partial;
mod resolve;
mod twins;
pub mod upload;
