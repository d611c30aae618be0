//! The kinds of nodes that can be configured in this build.

use crate::cli::process::GORGON;
#[cfg(feature = "http")]
use crate::http::settings::HTTP;
#[cfg(feature = "http")]
use crate::http::settings::handler::HANDLER;
#[cfg(feature = "monitor")]
use crate::monitor::settings::MONITOR;
use crate::tree::About;

/// A kind of node with settings.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum NodeKind {
    /// An HTTP server.
    #[cfg(feature = "http")]
    Http,
    /// A handler of an HTTP server; its name is `SERVER/NAME`.
    #[cfg(feature = "http")]
    Handler,
    /// A monitor.
    #[cfg(feature = "monitor")]
    Monitor,
    /// The process, of which there is one, without a name.
    Process,
}

/// Kinds of other builds: to name one of them is no mistake of typing.
const ELSEWHERE: &str = "http handler monitor ftp vhost fs program group fcgi-program eventlistener";

impl NodeKind {
    /// All of them, in the order they are shown.
    pub const ALL: &'static [NodeKind] = &[
        #[cfg(feature = "http")]
        NodeKind::Http,
        #[cfg(feature = "http")]
        NodeKind::Handler,
        #[cfg(feature = "monitor")]
        NodeKind::Monitor,
        NodeKind::Process,
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            #[cfg(feature = "http")]
            NodeKind::Http => HTTP.name,
            #[cfg(feature = "http")]
            NodeKind::Handler => HANDLER.name,
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => MONITOR.name,
            NodeKind::Process => GORGON.name,
        }
    }

    /// What such a node is.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            #[cfg(feature = "http")]
            NodeKind::Http => HTTP.help,
            #[cfg(feature = "http")]
            NodeKind::Handler => HANDLER.help,
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => MONITOR.help,
            NodeKind::Process => GORGON.help,
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<NodeKind> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Whether another build has a kind of that word.
    #[must_use]
    pub fn is_elsewhere(word: &str) -> bool {
        ELSEWHERE.split(' ').any(|other| other == word)
    }

    /// Whether its nodes have names.
    #[must_use]
    pub fn is_named(self) -> bool {
        self != NodeKind::Process
    }

    /// Whether its nodes belong to servers.
    #[must_use]
    pub fn is_handler(self) -> bool {
        #[cfg(feature = "http")]
        return self == NodeKind::Handler;
        #[cfg(not(feature = "http"))]
        false
    }

    /// The key that nothing stands for where it is not given: the directory that the program happens to be started in is
    /// no default for a server that others describe.
    #[must_use]
    pub fn wanted(self) -> Option<&'static str> {
        #[cfg(feature = "http")]
        if self == NodeKind::Http {
            return Some("root");
        }
        None
    }

    /// Its attributes.
    pub fn abouts(self) -> impl Iterator<Item = &'static About> {
        (0..).map_while(move |index| self.about(index))
    }

    /// The attribute at that place. Out of line, for it is the body of many loops and none of them is hot.
    #[inline(never)]
    #[must_use]
    pub fn about(self, index: usize) -> Option<&'static About> {
        match self {
            #[cfg(feature = "http")]
            NodeKind::Http => HTTP.attributes.get(index).map(|attribute| &attribute.about),
            #[cfg(feature = "http")]
            NodeKind::Handler => HANDLER.attributes.get(index).map(|attribute| &attribute.about),
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => MONITOR.attributes.get(index).map(|attribute| &attribute.about),
            NodeKind::Process => GORGON.attributes.get(index).map(|attribute| &attribute.about),
        }
    }

    /// The attribute of that key.
    #[must_use]
    pub fn find(self, key: &str) -> Option<&'static About> {
        self.abouts().find(|about| about.name() == key)
    }
}
