//! The clients of a monitor, in the same program: they block, and know nothing of the loop.
//!
//! [`target`] says which monitor, [`connection`] talks to it ([`login`], [`mod@password`], [`framing`], [`untagged`]),
//! [`words`] and [`record`] take apart what is typed and what comes, [`output`] shows it ([`sorted`], [`table`]).
//! [`monitor()`] is the command line on top of that ([`interactive`], [`completion`]), [`mod@top`] the screen.

pub mod completion;
pub mod connection;
pub mod framing;
pub mod interactive;
pub mod login;
mod monitor;
pub mod options;
pub mod output;
pub mod password;
pub mod record;
pub mod sorted;
pub mod table;
pub mod target;
pub mod top;
pub mod untagged;
pub mod words;

use alloc::boxed::Box;
use alloc::string::String;

use self::options::{Options, Tool};
use super::arguments::Arguments;
use super::terminal;
use crate::text::join::joined;

/// A function that looks up a variable of the environment.
pub type Environment<'i, 'a> = &'i dyn Fn(&str) -> Option<&'a [u8]>;

/// Why a client cannot go on. It is handed up through everything, so it is one pointer.
#[cfg_attr(test, derive(Debug))]
pub struct Failure(Box<Reason>);

/// The reason for a failure.
#[cfg_attr(test, derive(Debug))]
pub struct Reason {
    /// In words, without the program's name.
    pub message: String,
    /// Whether it lies in what the user asked for.
    pub usage: bool,
}

impl Failure {
    /// One that lies in what was asked for.
    #[must_use]
    #[inline(never)]
    pub fn usage(words: &[&str]) -> Failure {
        Failure(Box::new(Reason { message: joined(words), usage: true }))
    }

    /// One of the system's, or of the server's.
    #[must_use]
    #[inline(never)]
    pub fn failed(words: &[&str]) -> Failure {
        Failure(Box::new(Reason { message: joined(words), usage: false }))
    }

    /// Nobody reads what is written, which is nobody's fault and not worth a word.
    fn unread() -> Failure {
        Failure::failed(&[])
    }
}

impl core::ops::Deref for Failure {
    type Target = Reason;
    fn deref(&self) -> &Reason {
        &self.0
    }
}

/// `gorgon monitor`: gets the arguments that follow that word, and gives the exit code: 0; 1 when a command or the
/// connection failed, which standard error says; 2 for wrong usage.
pub fn monitor(args: Arguments<'_, '_>, environment: Environment<'_, '_>) -> u8 {
    run(Tool::Monitor, args, &mut |options| monitor::run(options, environment, ""))
}

/// `gorgon top`: as for [`monitor`].
pub fn top(args: Arguments<'_, '_>, environment: Environment<'_, '_>) -> u8 {
    run(Tool::Top, args, &mut |options| top::run(options, environment))
}

/// `gorgon reload`: as for [`monitor`], with what to do said already.
pub fn reload(args: Arguments<'_, '_>, environment: Environment<'_, '_>) -> u8 {
    let own: [&[u8]; 2] = [b"-c", b"call /config reload"];
    let args = &mut own.into_iter().chain(args);
    run(Tool::Reload, args, &mut |options| monitor::run(options, environment, "nothing differs\n"))
}

fn run(tool: Tool, args: Arguments<'_, '_>, work: &mut dyn FnMut(&Options) -> Result<bool, Failure>) -> u8 {
    let outcome = match options::parse(tool, args) {
        Ok(Some(options)) => work(&options),
        Ok(None) => Ok(terminal::say(tool.help())),
        Err(message) => Err(Failure::usage(&[&message, "\ngorgon: see gorgon ", tool.name(), " --help"])),
    };
    match outcome {
        Ok(well) => u8::from(!well),
        Err(failure) => {
            if !failure.message.is_empty() {
                terminal::complain(&joined(&["gorgon: ", &failure.message, "\n"]));
            }
            1 + u8::from(failure.usage)
        }
    }
}

/// A failure of the system's in words.
#[inline(never)]
fn system(what: &str, error: gorgon_sys::Errno) -> Failure {
    Failure::failed(&[what, &gorgon_sys::describe(error)])
}

#[cfg(test)]
mod tests;
