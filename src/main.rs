//! The `gorgon` program.
#![forbid(unsafe_code)]
fn main() {}
