//! What is done with the backends.

pub mod chain;

use std::io;
use std::process::ExitCode;

use crate::measure::Bench;

/// Measures a workload by its name.
///
/// # Errors
/// When a backend was wrong.
pub fn run(_bench: &mut Bench, _name: &str) -> io::Result<()> {
    Ok(())
}

/// The part of a workload that is done in a process of its own.
pub fn helper(_words: &[String]) -> ExitCode {
    ExitCode::from(2)
}
