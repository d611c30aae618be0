//! The `gorgon` program: reads its command line, and does what that says.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gorgon::cli::arguments::{self, Command};
use gorgon::cli::{help, terminal};
use gorgon::tree::Problem;
use gorgon_sys::PollerKind;

/// Wrong usage or configuration; what else fails is 1.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = arguments::parse(&mut std::env::args_os().skip(1), &|name| std::env::var_os(name));
    let settings = match command {
        Ok(Command::Help) => return print(&help::help()),
        Ok(Command::Version) => {
            let pollers: Vec<&str> = PollerKind::available().iter().map(|kind| kind.name()).collect();
            return print(&help::version(&pollers));
        }
        Ok(Command::Serve(settings)) => settings,
        Err(problems) => return refuse(&problems),
    };
    let strangers = arguments::strangers(&mut std::env::vars_os().map(|(name, _)| name));
    if !strangers.is_empty() {
        return refuse(&strangers);
    }
    match gorgon::assemble::serve(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&["gorgon: ", &failure.message, "\n"].concat());
            ExitCode::from(if failure.usage { USAGE } else { 1 })
        }
    }
}

fn refuse(problems: &[Problem]) -> ExitCode {
    terminal::complain(&arguments::print_problems(problems));
    ExitCode::from(USAGE)
}

fn print(text: &str) -> ExitCode {
    if terminal::say(text) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
