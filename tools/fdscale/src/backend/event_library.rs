//! libevent and libev, where they are installed.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::Backend;
use crate::sys_calls::event_library::{Libev, Libevent};

/// Either of them, with or without deadlines.
pub struct EventLibrary<L> {
    loaded: L,
    /// Deadlines were asked for: they wake a wait.
    renewed: bool,
}

impl<L> EventLibrary<L> {
    /// A backend of a loop that watches nothing.
    pub fn new(library: L) -> EventLibrary<L> {
        EventLibrary { loaded: library, renewed: false }
    }
}

/// Both have the same methods under the same names.
macro_rules! backend {
    ($library:ty) => {
        impl Backend for EventLibrary<$library> {
            fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
                self.loaded.add(fd.as_raw_fd(), token)
            }

            fn remove(&mut self, _fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
                self.loaded.remove(token)
            }

            fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
                let own = self.renewed && milliseconds > 0;
                self.loaded.wait(if own { None } else { Some(milliseconds) })
            }

            fn each(&mut self, mut handle: impl FnMut(u32)) {
                for token in self.loaded.told() {
                    handle(*token);
                }
            }

            fn renew(&mut self, token: u32) {
                self.renewed = true;
                self.loaded.renew(token);
            }

            fn has_timers(&self) -> bool {
                true
            }
        }
    };
}

backend!(Libevent);
backend!(Libev);
