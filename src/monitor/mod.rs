//! The monitor: a line protocol through which the running program is looked at and changed.

pub mod settings;
