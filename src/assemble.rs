//! Puts the program together from its settings, and runs it: the only place that names every protocol.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;

use gorgon_sys::{Errno, PollerKind, Signal, Signals};

use crate::cli::process::Level;
use crate::cli::terminal;
use crate::config::load::Configuration;
use crate::config::settings::Settings;
use crate::engine::{Loop, Reactor};
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;
use crate::world::World;

pub mod activation;
#[cfg(feature = "http")]
mod beside;
mod configured;
mod domains;
pub mod environment;
mod handlers;
mod http;
pub mod late;
mod leaving;
mod listeners;
mod live;
mod missing;
#[cfg(feature = "monitor")]
mod monitors;
mod nodes;
pub mod notify;
pub mod pid_file;
pub mod presence;
mod privileges;
mod roots;
mod run;
mod running;
mod schemas;
mod sockets;
mod standing;
mod steps;
mod told;
mod uploads;
use activation::Activation;
use configured::Configured;
use environment::Environment;
use notify::Notifier;
use privileges::Plan;
use running::Running;

/// The most that any connection reads at once, in bytes: what a read buffer may be set to while the program runs.
const LARGEST_READ: usize = 1 << 20;

/// Why the program cannot run or go on.
#[cfg_attr(test, derive(Debug))]
pub struct Failure {
    /// One line that names the thing.
    pub message: String,
    /// Whether it lies in what the user asked for, rather than in the system.
    pub usage: bool,
    /// The system's error, where it was one.
    pub error: Option<Errno>,
}

/// Serves until a signal ends it. `configuration` is what the settings come from, if it was a file.
///
/// # Errors
/// What cannot be had at start, or the failure of the poller.
pub fn serve(
    settings: &Settings,
    configuration: Option<&Configuration<'_, '_>>,
    environment: &Environment,
) -> Result<(), Box<Failure>> {
    let process = &settings.process;
    let plan = Plan::new(process, configuration.is_some())?;
    let (mut notifier, warning) = Notifier::new(environment, process.notify_fd)?;
    let passed = Activation::take(environment)?;
    let raised = gorgon_sys::raise_descriptors();
    let limit = gorgon_sys::descriptors().0;
    let poller = poller(process.poller)?;
    let page_memory = usize::try_from(process.page_memory).unwrap_or(usize::MAX);
    let lp = Loop::new(poller, page_memory).map_err(|error| failure(poller.name(), error))?;
    let mut reactor = Reactor::new(lp, World::default(), LARGEST_READ).map_err(|e| failure("memory", e))?;
    let level = process.level();
    if let Some(warning) = warning.filter(|_| level >= Level::Warn) {
        terminal::complain(&joined(&["gorgon: warning: ", &warning, "\n"]));
    }
    let mut report = String::new();
    if let Some(configuration) = configuration {
        push_all(&mut report, &["Configuration: ", &configuration.inputs.path, "\n"]);
    }
    let mut running = Running::new(limit);
    running.served.by_file = configuration.is_some();
    #[cfg(feature = "monitor")]
    {
        running.host.runtime = crate::cli::rundir::Runtime {
            service: environment.service_directory,
            user: environment.runtime_directory,
        };
        running.host.becomes = plan.becomes();
        running.host.quiet = level < Level::Warn;
        running.host.read_maps();
    }
    running.late.retries = match process.listen_retry {
        "auto" => configuration.is_some(),
        word => word == "on",
    };
    // Later the file may be out of reach.
    running.domains.read();
    #[cfg(feature = "monitor")]
    running.host.ask(&settings.monitors)?;
    running.pass(passed, settings)?;
    running.apply(settings.clone(), &mut reactor, &mut report)?;
    running.served.pid_file = pid_file::claim(&process.pid_file)?;
    let mut taken = vec![Signal::Terminate, Signal::Interrupt, Signal::Quit];
    taken.extend([Signal::User1, Signal::User2, Signal::Child, Signal::Continue]);
    // A terminal that hangs up ends the program; from anybody else it means to read the configuration again.
    if configuration.is_some() || !gorgon_sys::is_terminal(gorgon_sys::standard_input()) {
        taken.push(Signal::Hangup);
    }
    let signals = Signals::install(&taken);
    let watched = signals.and_then(|signals| reactor.watch_signals(signals));
    watched.map_err(|error| failure("signals", error))?;
    let at = report.len();
    if let Some((user, group)) = plan.becomes() {
        reactor.lp().give_listeners(user, group);
    }
    plan.carry_out(&mut running.served, reactor.world(), &mut report)?;
    running.set_rights(report.get(at..).unwrap_or_default());
    running.start(&mut reactor)?;
    #[cfg(feature = "monitor")]
    monitors::push_report(&running, &mut report);
    report.push_str("Descriptors: ");
    push_decimal_str(limit, &mut report);
    match raised {
        Ok((before, after)) if before != after => {
            report.push_str(", raised from ");
            push_decimal_str(before, &mut report);
        }
        Ok(_) => {}
        Err(_) => report.push_str(", which cannot be raised"),
    }
    push_all(&mut report, &["; poller: ", poller.name(), "\n"]);
    if level >= Level::Info {
        terminal::report(&report);
    }
    // What only the start took.
    drop(report);
    gorgon_sys::trim_heap();
    let now = reactor.lp().now();
    reactor.world().note(now, &["started"]);
    reactor.world().speaks = level.tells_events(configuration.is_some());
    if let Some(file) = &running.served.pid_file {
        file.write().map_err(|error| failure(&process.pid_file, error))?;
    }
    notifier.ready(&standing::standing(&running), now.milliseconds);
    let inputs = configuration.map(|configuration| configuration.inputs);
    let mut configured = Configured::new(inputs, settings.clone());
    let outcome = run::run(&mut reactor, &mut running, &mut configured, &mut notifier);
    let now = reactor.lp().now();
    notifier.stopping("ending", now.milliseconds);
    reactor.world().finish_logs(now);
    if running.settings.process.level() >= Level::Debug {
        terminal::report(&summary(reactor.lp()));
    }
    drop(running);
    // A signal that comes now is taken as those before it were, and changes nothing: were the handlers dropped here, it
    // would end the process in another way than the one before it.
    core::mem::forget(reactor);
    outcome
}

/// What was done, for those who want to know at the end.
fn summary(lp: &Loop) -> String {
    let counters = lp.counters();
    let mut text = String::new();
    for (count, what) in [
        (counters.accepted, " connections, "),
        (counters.refused, " refused, "),
        (counters.bytes_received, " bytes in, "),
        (counters.bytes_sent, " bytes out, "),
        (counters.turns, " turns, waited for the disk "),
        (counters.disk_waits, " times, for descriptors "),
        (counters.pauses, " times, for memory "),
        (counters.page_waits, "\n"),
    ] {
        push_decimal_str(count, &mut text);
        text.push_str(what);
    }
    text
}

/// The poller that was asked for, or the best there is.
fn poller(name: &str) -> Result<PollerKind, Box<Failure>> {
    let available = PollerKind::available();
    let found = match name {
        "auto" => available.first().copied(),
        name => PollerKind::from_name(name).filter(|kind| available.contains(kind)),
    };
    found.ok_or_else(|| {
        Box::new(Failure {
            message: joined(&["--gorgon.poller=", name, ": this system has no such poller"]),
            usage: true,
            error: None,
        })
    })
}

/// Names the thing, then says what the system said of it.
fn failure(thing: &str, error: Errno) -> Box<Failure> {
    Box::new(Failure {
        message: joined(&[thing, ": ", &gorgon_sys::describe(error)]),
        usage: false,
        error: Some(error),
    })
}
