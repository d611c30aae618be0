//! Where the settings come from: the file, as it was read last, and how it is read again and written.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{Broken, InPlace, Refused, Replacement};

use super::live::look;
use super::notify::Notifier;
use super::presence;
use super::running::{self, Running};
use super::standing::standing;
use crate::cli::configured::verdict;
use crate::cli::process::{GORGON, ProcessSettings};
use crate::config::difference::Difference;
use crate::config::files::SystemFiles;
use crate::config::kind::NodeKind;
use crate::config::load::{Inputs, Loaded};
use crate::config::overlay::overlay;
use crate::config::problems::Problems;
use crate::config::save;
use crate::config::settings::Settings;
use crate::engine::Reactor;
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;
use crate::tree::{Code, Path, Problem, Trouble};
use crate::world::World;

/// The configuration of the running program.
pub(super) struct Configured<'c> {
    /// What it is read from; none for a command line alone.
    inputs: Option<&'c Inputs<'c>>,
    /// What it said when it was read last.
    base: Settings,
    /// When that was, in milliseconds on the loop's clock.
    pub(super) loaded: u64,
    pub(super) reloads: u64,
    pub(super) failures: u64,
    /// What the file says otherwise since it was read again; nothing if it was not, or that was asked for.
    pub(super) touched: Option<Vec<String>>,
    /// All that was wrong the last time.
    pub(super) last_failure: String,
}

/// Problems of one reload that become events each.
const TOLD: usize = 16;
/// There is none.
const NO_FILE: &str = "it was started without a configuration file";
/// What cannot be saved, behind who would, and why not.
const NOT_WRITTEN: &str = "; chown it, or name who may by --user; see /process.rights";

impl<'c> Configured<'c> {
    /// As the program was started.
    pub(super) fn new(inputs: Option<&'c Inputs<'c>>, base: Settings) -> Configured<'c> {
        Configured {
            inputs,
            base,
            loaded: 0,
            reloads: 0,
            failures: 0,
            touched: None,
            last_failure: String::new(),
        }
    }

    /// The file; empty for none.
    pub(super) fn path(&self) -> &str {
        self.inputs.map_or("", |inputs| &inputs.path)
    }

    /// How many values differ from those that the file had.
    pub(super) fn count_changed(&self, settings: &Settings) -> u64 {
        let difference = Difference::between(&self.base, settings);
        (difference.changed.len()
            + difference.added.len()
            + difference.removed.len()
            + difference.reordered.len()) as u64
    }

    /// What the file said of an attribute when it was read last.
    pub(super) fn said(&self, path: &str, key: &str) -> Option<String> {
        let Path { kind, name } = Path::parse(path)?;
        let kind = NodeKind::from_word(kind)?;
        let place = kind.abouts().position(|about| about.name() == key)?;
        let mut text = String::new();
        self.base.value(kind, name, place)?.print(&mut text);
        Some(text)
    }

    /// The settings without what was changed live since the file was read or saved. What holds for as long as the
    /// program runs is no such change, even where the file says something else by now.
    pub(super) fn reverted(&self, settings: &Settings) -> Settings {
        let mut base = self.base.clone();
        keep_fixed(&mut base.process, &settings.process);
        base
    }

    /// Reads the file again, and has what differs take effect; what was changed live and it does not touch stays. Gives
    /// lines that say what changed. Whoever asks for it, the supervisor of services is told.
    ///
    /// # Errors
    /// All that is wrong: then nothing has changed.
    pub(super) fn reload(
        &mut self,
        running: &mut Running,
        reactor: &mut Reactor<World>,
        notifier: &mut Notifier,
    ) -> Result<String, Box<Trouble>> {
        let now = reactor.lp().now();
        notifier.reloading(now.milliseconds);
        running.look_for_sockets(reactor);
        let mut outcome = self.read(running, reactor);
        let status = match &outcome {
            Ok(_) => standing(running),
            Err(_) => "Serving as before; the last reload failed".to_owned(),
        };
        notifier.ready(&status, now.milliseconds);
        match &mut outcome {
            Ok((report, doubts)) => {
                self.reloads += 1;
                self.loaded = reactor.lp().now().milliseconds;
                self.last_failure.clear();
                let mut words = String::from("reloaded ");
                words.push_str(self.path());
                words.push_str(if report.is_empty() { ": nothing differs" } else { ": " });
                words.push_str(&one_line(report));
                reactor.world().note(now, &[&words]);
                for doubt in doubts.lines().take(TOLD) {
                    reactor.world().note(now, &[doubt]);
                }
            }
            Err(trouble) => {
                self.failures += 1;
                // One event for each problem, for a line of those is bounded.
                let mut problems = trouble.message.split('\n');
                for problem in problems.by_ref().take(TOLD) {
                    reactor.world().note(now, &["nothing was reloaded: ", problem]);
                }
                let more = problems.count();
                if more > 0 {
                    let mut words = String::from("nothing was reloaded: ");
                    push_decimal_str(more as u64, &mut words);
                    reactor.world().note(now, &[&words, " more problems, see /config.last_failure"]);
                }
                trouble.message = one_line(&trouble.message);
                trouble.message.clone_into(&mut self.last_failure);
            }
        }
        outcome.map(|(report, doubts)| report + &doubts)
    }

    /// Lines that say what changed, and what is odd.
    fn read(
        &mut self,
        running: &mut Running,
        reactor: &mut Reactor<World>,
    ) -> Result<(String, String), Box<Trouble>> {
        let inputs = self.inputs.ok_or_else(|| Trouble::new(Code::Failed, &[NO_FILE]))?;
        let loaded = load(inputs, &running.settings)?;
        let doubts = doubts(&loaded, &running.settings);
        let (new, fixed) = self.beside(&loaded.settings, &running.settings);
        let report = Difference::between(&running.settings, &new).print(&new);
        // What was changed live may contradict what the file says now.
        let outcome = look(&new).and_then(|()| running.change(new, reactor));
        outcome.map_err(|trouble| with_others(trouble, &loaded, &running.settings))?;
        let touched = self.touched.get_or_insert_default();
        for change in &Difference::between(&self.base, &loaded.settings).changed {
            let mut path = String::new();
            Path { kind: change.node.kind.word(), name: &change.node.name }.print(&mut path);
            push_all(&mut path, &[".", change.about.name()]);
            touched.push(path);
        }
        self.base = loaded.settings;
        let mut report = report;
        for key in fixed {
            push_all(&mut report, &["/gorgon.", key, ": takes effect when the program starts anew\n"]);
        }
        Ok((report, doubts))
    }

    /// What would hold if a file were read that says `fresh`, and the keys that only a start changes.
    fn beside(&self, fresh: &Settings, running: &Settings) -> (Settings, Vec<&'static str>) {
        let mut new = overlay(&self.base, running, fresh);
        let fixed = keep_fixed(&mut new.process, &running.process);
        (new, fixed)
    }

    /// Says what is odd about the file as it is now. That is also what a reload would not make use of: what only a start
    /// wants, and what was changed live.
    ///
    /// # Errors
    /// What a reload would be refused for, in its words, as far as that can be told without doing it.
    pub(super) fn check(&self, running: &Running) -> Result<String, Box<Trouble>> {
        let outcome = self.examine(running);
        outcome.map_err(|mut trouble| {
            trouble.message = one_line(&trouble.message);
            trouble
        })
    }

    /// The same, each error a line.
    fn examine(&self, now: &Running) -> Result<String, Box<Trouble>> {
        let running = &now.settings;
        let inputs = self.inputs.ok_or_else(|| Trouble::new(Code::Failed, &[NO_FILE]))?;
        let mut loaded = load(inputs, running)?;
        let (mut new, _) = self.beside(&loaded.settings, running);
        let mut outcome = look(&new);
        #[cfg(feature = "monitor")]
        let keyless = now.find_keyless(&new);
        // A reload leaves that file alone.
        new.process.pid_file.clear();
        core::mem::swap(&mut loaded.settings, &mut new);
        let found = look_around(&loaded, running).into_list();
        loaded.settings = new;
        if let Some(first) = found.first().filter(|_| outcome.is_ok()) {
            let mut line = String::new();
            first.print(&mut line);
            outcome = Err(running::trouble(line));
        }
        #[cfg(feature = "monitor")]
        if let Some(failure) = keyless.filter(|_| outcome.is_ok()) {
            outcome = Err(running::trouble(failure.message));
        }
        outcome.map_err(|trouble| with_others(trouble, &loaded, running))?;
        Ok(doubts(&loaded, running) + &verdict(&inputs.path, &loaded))
    }

    /// Says what differs between the file as it is now and what runs.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn diff(&self, settings: &Settings) -> Result<String, String> {
        let inputs = self.inputs.ok_or_else(|| NO_FILE.to_owned())?;
        let loaded = inputs.load(&SystemFiles).map_err(|problems| all_of(&problems))?;
        Ok(Difference::between(settings, &loaded.settings).print(&loaded.settings))
    }

    /// Has the files say what the settings are; gives lines that say what was written. `user` is who the program is.
    ///
    /// # Errors
    /// It cannot be said there, or not written.
    pub(super) fn save(&mut self, wanted: &Settings, user: &str) -> Result<String, String> {
        let inputs = self.inputs.ok_or_else(|| NO_FILE.to_owned())?;
        // What was changed in the file meanwhile, and not reloaded, would be undone without a word.
        let now = inputs.load(&SystemFiles).map_err(|problems| all_of(&problems))?;
        if now.settings != self.base {
            return Err(joined(&[
                &*inputs.path,
                " says something else than when it was read; reload it first",
            ]));
        }
        let saved = save::save(inputs, &SystemFiles, wanted).map_err(|problems| all_of(&problems))?;
        let may_not =
            |path: &str, other| joined(&[path, ": ", user, " may not write it, ", other, NOT_WRITTEN]);
        let wrong = |path: &str, error, more| joined(&[path, ": ", &gorgon_sys::describe(error), more]);
        let mut prepared = Vec::new();
        for (path, text) in &saved.files {
            let new = Replacement::prepare(path.as_bytes(), text.as_bytes());
            let new = new.map_err(|refused| match refused {
                Refused::Foreign => may_not(path, "and no new file could have its owner and group"),
                Refused::Alone => may_not(path, "nor make files beside it"),
                Refused::System(error) => wrong(path, error, ""),
            });
            prepared.push((path, new?));
        }
        let mut report = saved.report;
        for (path, new) in prepared {
            let way = new.commit().map_err(|Broken { error, torn }| {
                let more = if torn { "; what it holds now may be neither text as a whole" } else { "" };
                wrong(path, error, more)
            })?;
            let why = match way {
                None => continue,
                Some(InPlace::Foreign) => "a new file could not have its owner and group",
                Some(InPlace::Alone) => "no file can be made beside it",
                Some(InPlace::Mounted) => "it is mounted there",
            };
            push_all(&mut report, &[path, ": written in its place, for ", why, "\n"]);
        }
        wanted.clone_into(&mut self.base);
        Ok(report)
    }
}

/// Reads all of it.
///
/// # Errors
/// All that is wrong; then with what it names and the system has not.
fn load(inputs: &Inputs<'_>, running: &Settings) -> Result<Loaded, Box<Trouble>> {
    let (loaded, mut problems) = inputs.examine(&SystemFiles);
    match loaded {
        Some(loaded) if problems.is_empty() => return Ok(loaded),
        Some(loaded) => problems.join(look_around(&loaded, running)),
        None => {}
    }
    let mut text = String::new();
    push_lines(&problems.into_list(), &mut text);
    Err(running::trouble(text))
}

/// A trouble, which ends at the first that is wrong, with all else that is to be mended, each a line.
fn with_others(mut trouble: Box<Trouble>, loaded: &Loaded, running: &Settings) -> Box<Trouble> {
    let all = look_around(loaded, running).into_list();
    let mut text = loaded.source.locate(&trouble.message);
    if all.iter().any(|one| one.says(&text)) {
        text.clear();
    }
    push_lines(&all, &mut text);
    trouble.message = text;
    trouble
}

/// Appends all problems, each a line but for the end of the last.
#[inline(never)]
fn push_lines(problems: &[Problem], text: &mut String) {
    for problem in problems {
        if !text.is_empty() {
            text.push('\n');
        }
        problem.print(text);
    }
}

/// What is odd about a configuration, and what it names that the system has not: each a line.
fn doubts(loaded: &Loaded, running: &Settings) -> String {
    let mut text = String::new();
    let mut add = |problems: &[Problem]| {
        for problem in problems {
            text.push_str("warning: ");
            problem.print(&mut text);
            text.push('\n');
        }
    };
    add(&loaded.warnings);
    let found = look_around(loaded, running);
    add(&found.warnings);
    add(&found.into_list());
    text
}

/// What a configuration names and the system has not, beside what is in use.
fn look_around(loaded: &Loaded, running: &Settings) -> Problems {
    // Within another root directory names mean something else than where they were written.
    if running.process.chroot.is_empty() {
        presence::look(loaded, Some(running))
    } else {
        Problems::default()
    }
}

/// All that is wrong, in one line.
#[inline(never)]
fn all_of(problems: &[Problem]) -> String {
    let mut text = String::new();
    push_lines(problems, &mut text);
    one_line(&text)
}

/// Lines in one, for what the monitor answers and what is noted have no more.
#[inline(never)]
fn one_line(lines: &str) -> String {
    lines.trim_ascii_end().replace('\n', "; ")
}

/// The attributes of the process that hold for as long as it runs go back to what they are; gives those that would be
/// others.
fn keep_fixed(new: &mut ProcessSettings, now: &ProcessSettings) -> Vec<&'static str> {
    let fixed = GORGON.attributes.iter().filter(|attribute| !attribute.about.live);
    let mut kept = Vec::new();
    for attribute in fixed {
        let mut value = (attribute.get)(now);
        if (attribute.get)(new) != value && attribute.set.is_some_and(|set| set(new, &mut value).is_ok()) {
            kept.push(attribute.about.name());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_one_line() {
        let problem = |message: &str| Problem { place: "web.conf:6".to_owned(), message: message.to_owned() };
        assert_eq!(all_of(&[problem("rot")]), "web.conf:6: rot");
        assert_eq!(all_of(&[problem("rot"), problem("hiden")]), "web.conf:6: rot; web.conf:6: hiden");
    }
}
