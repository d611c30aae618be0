//! The `gorgon` program: reads its command line, and does what that says.
#![forbid(unsafe_code)]
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "http")]
use gorgon::assemble::environment::Environment;
use gorgon::cli::arguments;
#[cfg(feature = "monitor")]
use gorgon::cli::client;
#[cfg(feature = "http")]
use gorgon::cli::command;
use gorgon::cli::command::{Command, Configured};
use gorgon::cli::{configured, help, terminal};
use gorgon::config::files::SystemFiles;
use gorgon::config::load::{Configuration, Inputs, Loaded, find_path};
use gorgon::config::overrides::strangers;
use gorgon::config::problems::Problems;
use gorgon::config::settings::Settings;
use gorgon::config::source::Source;
use gorgon::tree::Problem;
#[cfg(feature = "http")]
use gorgon_sys::Errno;
use gorgon_sys::PollerKind;
use gorgon_sys::runtime::Start;

/// Wrong usage or configuration.
const USAGE: u8 = 2;
/// What else fails.
const FAILURE: u8 = 1;

gorgon_sys::program!(run);

fn run(start: &Start) -> u8 {
    let environment = |name: &str| start.variable(name);
    let environment: &dyn Fn(&str) -> Option<&'static [u8]> = &environment;
    let command = match arguments::parse(&mut start.arguments(), environment) {
        Ok(command) => command,
        Err(problems) => return refuse(&problems, start.arguments().next()),
    };
    match command {
        Command::Help(None) => print(&help::help()),
        Command::Help(Some(word)) => print(&help::command_help(word)),
        Command::Version => {
            let pollers: Vec<&str> = PollerKind::available().iter().map(|kind| kind.name()).collect();
            print(&help::version(&pollers))
        }
        Command::Serve(settings) => {
            let nodes = Source::without_file();
            let strangers = strangers(&nodes, &mut start.variables().map(|(name, _)| name));
            if strangers.is_empty() { serve(&settings, None, start) } else { refuse(&strangers, None) }
        }
        Command::Run(config) => {
            // What is served is looked at anyway.
            let look = |loaded: &Loaded, refused| if refused { look(loaded) } else { Problems::default() };
            examine(config, start, environment, &look, &|inputs, loaded| {
                let configuration = Configuration { inputs, source: &loaded.source };
                serve(&loaded.settings, Some((&configuration, loaded)), start)
            })
        }
        Command::Check(config) => {
            examine(config, start, environment, &|loaded, _| look(loaded), &|inputs, loaded| {
                print(&configured::verdict(&inputs.path, loaded))
            })
        }
        Command::Dump { config, json } => with(config, start, environment, &|_, loaded| {
            if configured::print(loaded, json) { 0 } else { FAILURE }
        }),
        Command::Diff { config, other } => with(config, start, environment, &|inputs, loaded| {
            let other = match configured::with_file(inputs, &other).load(&SystemFiles) {
                Ok(other) => other,
                Err(problems) => return complain(&problems),
            };
            let text = configured::difference(loaded, &other);
            // As diff(1) has it: 1 is that something differs, and more is trouble.
            if !terminal::say(&text) { USAGE } else { u8::from(!text.is_empty()) }
        }),
        #[cfg(feature = "monitor")]
        Command::Other("passwd", args) => gorgon::cli::passwd::run(&mut args.into_iter()),
        #[cfg(feature = "monitor")]
        Command::Other("monitor", args) => client::monitor(&mut args.into_iter(), environment),
        #[cfg(feature = "monitor")]
        Command::Other("reload", args) => client::reload(&mut args.into_iter(), environment),
        #[cfg(feature = "monitor")]
        Command::Other("top", args) => client::top(&mut args.into_iter(), environment),
        // No other command is in this build.
        Command::Other(..) => USAGE,
    }
}

/// Does something with a configuration, once it is read.
fn with<'e>(
    config: Configured,
    start: &Start,
    environment: &'e dyn Fn(&str) -> Option<&'static [u8]>,
    act: &dyn Fn(&Inputs<'e>, &Loaded) -> u8,
) -> u8 {
    examine(config, start, environment, &|_, _| Problems::default(), act)
}

/// The same, once more of it was looked at, which is told whether it is refused already: all that is wrong is told together.
fn examine<'e>(
    config: Configured,
    start: &Start,
    environment: &'e dyn Fn(&str) -> Option<&'static [u8]>,
    look: &dyn Fn(&Loaded, bool) -> Problems,
    act: &dyn Fn(&Inputs<'e>, &Loaded) -> u8,
) -> u8 {
    let path = match find_path(config.path.as_deref(), environment) {
        Ok(path) => path,
        Err(problem) => return complain(&[problem]),
    };
    let host = String::from_utf8_lossy(&gorgon_sys::host_name()).into_owned();
    let inputs = Inputs { path, flags: config.flags, environment, host };
    let (loaded, mut problems) = inputs.examine(&SystemFiles);
    let Some(loaded) = loaded else { return complain(&problems.into_list()) };
    let strangers = strangers(&loaded.source, &mut start.variables().map(|(name, _)| name));
    problems.join(look(&loaded, !(problems.is_empty() && strangers.is_empty())));
    warn(&loaded.warnings);
    warn(&problems.warnings);
    let mut problems = problems.into_list();
    problems.extend(strangers);
    if !problems.is_empty() {
        return complain(&problems);
    }
    act(&inputs, &loaded)
}

/// What a configuration names and the system has not.
#[cfg(feature = "http")]
fn look(loaded: &Loaded) -> Problems {
    gorgon::assemble::presence::look(loaded, None)
}

#[cfg(not(feature = "http"))]
fn look(_: &Loaded) -> Problems {
    Problems::default()
}

#[cfg(feature = "http")]
fn serve(settings: &Settings, file: Option<(&Configuration<'_, '_>, &Loaded)>, start: &Start) -> u8 {
    let configuration = file.map(|(configuration, _)| configuration);
    match gorgon::assemble::serve(settings, configuration, &Environment::take(start)) {
        Ok(()) => 0,
        Err(failure) => {
            // A word that is no file may have been meant as a command.
            let root = settings.servers.first().map(|server| String::from_utf8_lossy(&server.settings.root));
            let word = root.filter(|_| configuration.is_none() && failure.error == Some(Errno::NOENT));
            let word = word.filter(|word| failure.message.starts_with(&**word));
            let hint = word.and_then(|word| command::hint(&word)).unwrap_or_default();
            if let Some((_, loaded)) = file {
                // It ends at the first that is wrong, but all is to be mended.
                let message = loaded.source.locate(&failure.message);
                let all = look(loaded).into_list();
                if !all.iter().any(|one| one.says(&message)) {
                    terminal::complain(&["gorgon: ", &message, "\n"].concat());
                }
                complain(&all);
            } else {
                terminal::complain(&["gorgon: ", &failure.message, &hint, "\n"].concat());
            }
            if failure.usage { USAGE } else { FAILURE }
        }
    }
}

#[cfg(not(feature = "http"))]
fn serve(_: &Settings, _: Option<(&Configuration<'_, '_>, &Loaded)>, _: &Start) -> u8 {
    terminal::complain("gorgon: nothing in this build serves\n");
    USAGE
}

fn refuse(problems: &[Problem], first: Option<&[u8]>) -> u8 {
    terminal::complain(&arguments::print_problems(problems, first));
    USAGE
}

fn complain(problems: &[Problem]) -> u8 {
    terminal::complain(&configured::print_problems(problems, ""));
    USAGE
}

fn warn(problems: &[Problem]) {
    if !problems.is_empty() {
        terminal::complain(&configured::print_problems(problems, "warning: "));
    }
}

fn print(text: &str) -> u8 {
    if terminal::say(text) { 0 } else { FAILURE }
}
