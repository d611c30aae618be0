//! What a server can answer with.

pub mod auth;
mod entry;
mod extras;
pub mod files;
mod fixed;
pub mod health;
pub mod listing;
mod partial;
pub mod redirect;
mod resolve;
pub mod status;
mod twins;
pub mod upload;
