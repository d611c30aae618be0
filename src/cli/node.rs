//! The nodes that have settings, as the command line, the environment and the help see them.

use super::process::GORGON;
#[cfg(feature = "http")]
use crate::http::settings::HTTP;
use crate::tree::About;

/// A node with settings. Each kind but `gorgon` could have several; this build has one of each.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Node {
    /// The HTTP server `main`.
    #[cfg(feature = "http")]
    Http,
    /// The process.
    Process,
}

impl Node {
    /// All of them, in the order they are shown.
    pub(super) const ALL: &'static [Self] = &[
        #[cfg(feature = "http")]
        Self::Http,
        Self::Process,
    ];

    /// The word of its kind.
    pub(super) fn kind(self) -> &'static str {
        match self {
            #[cfg(feature = "http")]
            Self::Http => HTTP.name,
            Self::Process => GORGON.name,
        }
    }

    /// What it is.
    pub(super) fn help(self) -> &'static str {
        match self {
            #[cfg(feature = "http")]
            Self::Http => HTTP.help,
            Self::Process => GORGON.help,
        }
    }

    /// Its name, if nodes of its kind have one.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "http")]
            Self::Http => Some("main"),
            Self::Process => None,
        }
    }

    /// What goes before a key on the command line.
    pub(super) fn flag_prefix(self) -> &'static str {
        match self {
            #[cfg(feature = "http")]
            Self::Http => "--http.main.",
            Self::Process => "--gorgon.",
        }
    }

    /// What goes before a key, in capitals, in the environment.
    pub(super) fn environment_prefix(self) -> &'static str {
        match self {
            #[cfg(feature = "http")]
            Self::Http => "GORGON_HTTP_MAIN_",
            Self::Process => "GORGON_",
        }
    }

    /// Its attributes.
    pub(super) fn abouts(self) -> impl Iterator<Item = &'static About> {
        (0..).map_while(move |index| self.about(index))
    }

    /// The attribute at that place. Out of line, for it is the body of many loops and none of them is hot.
    #[inline(never)]
    fn about(self, index: usize) -> Option<&'static About> {
        match self {
            #[cfg(feature = "http")]
            Self::Http => HTTP.attributes.get(index).map(|attribute| &attribute.about),
            Self::Process => GORGON.attributes.get(index).map(|attribute| &attribute.about),
        }
    }

    /// The attribute of that key.
    pub(super) fn find(self, key: &str) -> Option<&'static About> {
        self.abouts().find(|about| about.name == key)
    }
}
