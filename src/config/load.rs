//! Reads a configuration as often as it is asked for: at the start, and again at each reload.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::build::build;
use super::files::Files;
use super::kind::NodeKind;
use super::overrides::{self, Override, apply_environment, apply_flags};
use super::problems::Problems;
use super::reader::{self, Surroundings};
use super::settings::Settings;
use super::source::Source;
#[cfg(feature = "http")]
use crate::http::settings::ROOT;
#[cfg(feature = "http")]
use crate::text::join::joined;
use crate::tree::Problem;

/// Where the file is looked for last.
pub const DEFAULT_PATH: &str = "/etc/gorgon/gorgon.conf";

/// What a configuration is read from: the same at each reload.
#[derive(Clone)]
pub struct Inputs<'e> {
    /// The file.
    pub path: String,
    /// What the command line says.
    pub flags: Vec<Override>,
    /// Looks up a variable of the environment.
    pub environment: &'e dyn Fn(&str) -> Option<&'static [u8]>,
    /// The name of this host.
    pub host: String,
}

/// A configuration without a mistake.
#[derive(Clone)]
pub struct Loaded {
    /// What was given, and where.
    pub source: Source,
    /// What comes of it.
    pub settings: Settings,
    /// What is odd, but can be borne.
    pub warnings: Vec<Problem>,
}

/// What the running program was configured by.
pub struct Configuration<'a, 'e> {
    /// What to read it from again.
    pub inputs: &'a Inputs<'e>,
    /// What was given.
    pub source: &'a Source,
}

impl Inputs<'_> {
    /// Reads all of it.
    ///
    /// # Errors
    /// All that is wrong, in the order of the files.
    pub fn load(&self, files: &dyn Files) -> Result<Loaded, Vec<Problem>> {
        match self.examine(files) {
            (Some(loaded), problems) if problems.is_empty() => Ok(loaded),
            (_, problems) => Err(problems.into_list()),
        }
    }

    /// Reads all of it, and what can be told of it in spite of what is wrong: a wrong value is its default there. Nothing
    /// if it could not be read at all.
    pub fn examine(&self, files: &dyn Files) -> (Option<Loaded>, Problems) {
        let mut problems = Problems::default();
        let surroundings = Surroundings { files, environment: self.environment, host: &self.host };
        let mut source = reader::read(&self.path, &surroundings, &mut problems);
        if problems.is_full() || source.files.is_empty() {
            // It could not be read at all, or not to its end; what else there is to say comes of that.
            return (None, problems);
        }
        if problems.is_empty() && source.nodes.is_empty() {
            // A file that was emptied by mistake would close all that it had.
            problems.add(&self.path, "nothing is configured: expected a section, as [http:main] or [gorgon]");
            return (None, problems);
        }
        complete(&mut source);
        apply_flags(&mut source, &self.flags, &mut problems);
        apply_environment(&mut source, self.environment, &mut problems);
        check(&source, &mut problems);
        let settings = build(&source, &mut problems);
        let warnings = core::mem::take(&mut problems.warnings);
        (Some(Loaded { source, settings, warnings }), problems)
    }
}

/// Adds the nodes that there are without being named: the process, and a monitor where no other is.
fn complete(source: &mut Source) {
    source.ensure(NodeKind::Process, "");
    #[cfg(feature = "monitor")]
    if source.of_kind(NodeKind::Monitor).next().is_none() {
        source.ensure(NodeKind::Monitor, "main");
    }
}

impl Source {
    /// The nodes that there are without a configuration: an HTTP server, a monitor and the process.
    #[must_use]
    pub fn without_file() -> Source {
        let mut source = Source::default();
        #[cfg(feature = "http")]
        source.ensure(NodeKind::Http, "main");
        complete(&mut source);
        source
    }
}

/// What is asked of a file, and not of the command line alone.
fn check(source: &Source, problems: &mut Problems) {
    #[cfg(feature = "http")]
    for node in &source.nodes {
        if node.excused || node.kind.wanted().is_none_or(|key| node.given(key).is_some()) {
            continue;
        }
        let message = joined(&["[", &node.section(), "]: expected root, ", ROOT]);
        match node.place {
            Some(place) => problems.add_at(source, place, &message),
            None => problems.add(&source.show_node(node), &message),
        }
    }
    #[cfg(not(feature = "http"))]
    let _ = (source, problems);
}

/// The settings without a file: an HTTP server `main`, with the directory or file to serve if it is given, and a monitor.
///
/// # Errors
/// All that is wrong.
pub fn without_file<'e>(
    target: Option<&[u8]>,
    flags: &[Override],
    environment: &dyn Fn(&str) -> Option<&'e [u8]>,
    problems: &mut Problems,
) -> (Source, Settings) {
    let mut source = Source::without_file();
    apply_flags(&mut source, flags, problems);
    let hide_root = |name: &str| {
        let hidden = target.is_some() && name == "GORGON_HTTP_MAIN_ROOT";
        environment(name).filter(|_| !hidden)
    };
    apply_environment(&mut source, &hide_root, problems);
    #[allow(unused_mut)] // A build without HTTP serves no directory.
    let mut settings = build(&source, problems);
    #[cfg(feature = "http")]
    if let (Some(target), Some(server)) = (target, settings.servers.first_mut()) {
        target.clone_into(&mut server.settings.root);
    }
    #[cfg(not(feature = "http"))]
    if let Some(target) = target {
        problems.add(&String::from_utf8_lossy(target), "nothing in this build serves files");
    }
    (source, settings)
}

/// The file to read: the one that was named, or `$GORGON_CONF`, or [`DEFAULT_PATH`].
///
/// # Errors
/// The variable is not UTF-8.
pub fn find_path<'e>(
    named: Option<&str>,
    environment: &dyn Fn(&str) -> Option<&'e [u8]>,
) -> Result<String, Problem> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    match environment(overrides::CONF).filter(|path| !path.is_empty()) {
        None => Ok(DEFAULT_PATH.to_owned()),
        Some(path) => core::str::from_utf8(path)
            .map(str::to_owned)
            .map_err(|_| Problem::new(overrides::CONF, "expected UTF-8")),
    }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
pub(crate) mod tests;
