//! Measures how waiting for many descriptors grows on this host, where it ends, and what sets the limit.

pub mod json;
pub mod record;
pub mod report;

fn main() {}
