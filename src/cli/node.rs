//! The nodes that there are without a configuration, as the command line, the environment and the help see them: one of
//! each kind, those with names named `main`.

use crate::config::kind::NodeKind;

/// The kinds of them, in the order they are shown.
pub(super) const ALL: &[NodeKind] = &[
    #[cfg(feature = "http")]
    NodeKind::Http,
    #[cfg(feature = "monitor")]
    NodeKind::Monitor,
    NodeKind::Process,
];

/// What goes before a key on the command line.
pub(super) fn flag_prefix(kind: NodeKind) -> &'static str {
    match kind {
        #[cfg(feature = "http")]
        NodeKind::Http => "--http.main.",
        #[cfg(feature = "http")]
        NodeKind::Handler => "--handler.main/NAME.",
        #[cfg(feature = "monitor")]
        NodeKind::Monitor => "--monitor.main.",
        NodeKind::Process => "--gorgon.",
    }
}

/// What goes before a key, in capitals, in the environment.
pub(super) fn environment_prefix(kind: NodeKind) -> &'static str {
    match kind {
        #[cfg(feature = "http")]
        NodeKind::Http => "GORGON_HTTP_MAIN_",
        #[cfg(feature = "http")]
        NodeKind::Handler => "GORGON_HANDLER_MAIN_NAME_",
        #[cfg(feature = "monitor")]
        NodeKind::Monitor => "GORGON_MONITOR_MAIN_",
        NodeKind::Process => "GORGON_",
    }
}
