//! Any command line, one argument a line; a line `NAME=value` is also that variable of the environment.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use gorgon::cli::arguments::{Command, parse, print_problems};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let lines = || input.split(|byte| *byte == b'\n');
    let variable = |name: &str| {
        let value = lines().find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        Some(OsString::from_vec(value.to_vec()))
    };
    match parse(&mut lines().map(|line| OsString::from_vec(line.to_vec())), &variable) {
        Ok(Command::Help | Command::Version) => {}
        Ok(Command::Serve(settings)) => assert!(!settings.listeners.is_empty()),
        Err(problems) => assert!(!problems.is_empty() && !print_problems(&problems).is_empty()),
    }
});
