//! What a supervisor of services tells by the environment, taken out of it: it is for this process alone.

use gorgon_sys::runtime::Start;

/// The variables of sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3), as they were.
#[derive(Clone, Copy, Default)]
pub struct Environment {
    /// `NOTIFY_SOCKET`: where to tell how we are.
    pub notify_socket: Option<&'static [u8]>,
    /// `WATCHDOG_USEC`: microseconds within which to say that we live.
    pub watchdog_time: Option<&'static [u8]>,
    /// `WATCHDOG_PID`: for which process that is meant; for any without it.
    pub watchdog_process: Option<&'static [u8]>,
    /// `LISTEN_PID`: for which process the sockets are meant.
    pub listen_process: Option<&'static [u8]>,
    /// `LISTEN_FDS`: how many sockets are passed, from descriptor 3 on.
    pub listen_count: Option<&'static [u8]>,
    /// `LISTEN_FDNAMES`: their names, with colons between.
    pub listen_names: Option<&'static [u8]>,
    /// `RUNTIME_DIRECTORY` of systemd.exec(5): where this service keeps its sockets.
    pub service_directory: Option<&'static [u8]>,
    /// Where the user's processes keep their sockets (the XDG base directories).
    pub runtime_directory: Option<&'static [u8]>,
}

impl Environment {
    /// Reads them, and takes them out of the environment.
    #[must_use]
    pub fn take(start: &Start) -> Environment {
        let take = |name| {
            let value = start.variable(name);
            start.forget(name);
            value
        };
        start.forget("LISTEN_PIDFDID");
        Environment {
            notify_socket: take("NOTIFY_SOCKET"),
            watchdog_time: take("WATCHDOG_USEC"),
            watchdog_process: take("WATCHDOG_PID"),
            listen_process: take("LISTEN_PID"),
            listen_count: take("LISTEN_FDS"),
            listen_names: take("LISTEN_FDNAMES"),
            service_directory: start.variable("RUNTIME_DIRECTORY"),
            runtime_directory: start.variable("XDG_RUNTIME_DIR"),
        }
    }
}
