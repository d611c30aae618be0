//! Any command line, one argument a line; a line `NAME=value` is also that variable of the environment.
#![no_main]

use gorgon::cli::arguments::{parse, print_problems};
use gorgon::cli::command::Command;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let lines = || input.split(|byte| *byte == b'\n');
    let variable =
        |name: &str| lines().find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    match parse(&mut lines(), &variable) {
        Ok(Command::Serve(settings)) => {
            assert!(
                settings.servers.iter().all(|server| server.listeners.len() == server.settings.listen.len())
            );
        }
        Ok(_) => {}
        Err(problems) => {
            assert!(!problems.is_empty() && !print_problems(&problems, lines().next()).is_empty())
        }
    }
});
