//! What a server can answer with.

pub mod files;
pub mod listing;
