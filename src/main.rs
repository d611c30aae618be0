//! The `gorgon` program: reads its command line, and does what that says.
#![forbid(unsafe_code)]
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use gorgon::cli::arguments::{self, Command};
use gorgon::cli::{help, terminal};
use gorgon::tree::Problem;
use gorgon_sys::PollerKind;
use gorgon_sys::runtime::Start;

/// Wrong usage or configuration.
const USAGE: u8 = 2;
/// What else fails.
const FAILURE: u8 = 1;

gorgon_sys::program!(run);

fn run(start: &Start) -> u8 {
    let command = arguments::parse(&mut start.arguments(), &|name| start.variable(name));
    let settings = match command {
        Ok(Command::Help) => return print(&help::help()),
        Ok(Command::Version) => {
            let pollers: Vec<&str> = PollerKind::available().iter().map(|kind| kind.name()).collect();
            return print(&help::version(&pollers));
        }
        Ok(Command::Serve(settings)) => settings,
        Err(problems) => return refuse(&problems),
    };
    let strangers = arguments::strangers(&mut start.variables().map(|(name, _)| name));
    if !strangers.is_empty() {
        return refuse(&strangers);
    }
    match gorgon::assemble::serve(&settings) {
        Ok(()) => 0,
        Err(failure) => {
            terminal::complain(&["gorgon: ", &failure.message, "\n"].concat());
            if failure.usage { USAGE } else { FAILURE }
        }
    }
}

fn refuse(problems: &[Problem]) -> u8 {
    terminal::complain(&arguments::print_problems(problems));
    USAGE
}

fn print(text: &str) -> u8 {
    if terminal::say(text) { 0 } else { FAILURE }
}
