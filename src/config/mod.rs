//! The configuration: what was set, and the settings of every node that come of it.

pub mod edit;
pub mod settings;
