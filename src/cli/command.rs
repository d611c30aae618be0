//! What the program can be asked to do.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::overrides::Override;
use crate::config::settings::Settings;
use crate::text::join::push_all;
use crate::text::nearest::nearest;

/// What the program was asked to do.
pub enum Command<'a> {
    /// Print [`super::help::help`], or what it says of one command.
    Help(Option<&'static str>),
    /// Print [`super::help::version`].
    Version,
    /// Serve without a configuration.
    Serve(Box<Settings>),
    /// Serve what a configuration says.
    Run(Configured),
    /// Say what is wrong with a configuration.
    Check(Configured),
    /// Print a configuration with all of its values.
    Dump {
        /// The configuration.
        config: Configured,
        /// As JSON.
        json: bool,
    },
    /// Say what differs between a configuration and another.
    Diff {
        /// The one.
        config: Configured,
        /// The file of the other.
        other: String,
    },
    /// Another command with the arguments behind it, which it reads itself.
    Other(&'static str, Vec<&'a [u8]>),
}

/// A configuration that is not yet read.
pub struct Configured {
    /// The file that was named.
    pub path: Option<String>,
    /// What the command line says.
    pub flags: Vec<Override>,
}

/// Commands of which the rest of the command line is a configuration, and what they do.
pub const CONFIGURED: &[(&str, &str)] = &[
    ("run", "Serve what a configuration file says"),
    ("check", "Say what is wrong with a configuration file"),
    ("dump", "Print it with every value, and where each comes from"),
    ("diff", "Say what differs between it and another"),
];

/// Commands that read their arguments themselves, and what they do.
pub const OTHERS: &[(&str, &str)] = &[
    #[cfg(feature = "monitor")]
    ("monitor", "Look at a running gorgon and change it"),
    #[cfg(feature = "monitor")]
    ("top", "Show what a running gorgon does"),
    #[cfg(feature = "monitor")]
    ("reload", "Have a running gorgon read its configuration file again"),
    #[cfg(feature = "monitor")]
    ("passwd", "Make a line of the file of keys of a monitor"),
];

/// Words that are commands in other builds: a directory of such a name is given as `./ctl`, so that the meaning of a
/// command line does not depend on the build.
const ELSEWHERE: &str = "reload upgrade monitor top ftpd passwd supervisord ctl";

/// The command of that word in this build.
#[must_use]
pub fn find(word: &str) -> Option<&'static str> {
    let all = CONFIGURED.iter().chain(OTHERS);
    all.map(|(name, _)| *name).find(|name| *name == word)
}

/// Whether a word is a command in this build or another.
#[must_use]
pub fn is_command(word: &str) -> bool {
    find(word).is_some() || ELSEWHERE.split(' ').any(|name| name == word)
}

/// What may have been meant by a word that is no command, and no file either: nothing for a path.
#[must_use]
pub fn hint(word: &str) -> Option<String> {
    if word.contains(['/', '.']) {
        return None;
    }
    let names = || CONFIGURED.iter().chain(OTHERS).map(|(name, _)| *name);
    let mut text = String::new();
    match nearest(word, &mut names()) {
        Some(near) => push_all(&mut text, &["; did you mean gorgon ", near, "? Commands: "]),
        None => text.push_str("; commands: "),
    }
    for (at, name) in names().enumerate() {
        push_all(&mut text, &[if at == 0 { "" } else { ", " }, name]);
    }
    text.push_str(" (gorgon --help)");
    Some(text)
}
