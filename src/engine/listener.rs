//! Listening sockets: accepting, and pausing when there is no room.

use gorgon_sys::{AsFd, Errno, OwnedFd, PollerKind, Ready};

use super::event_loop::Loop;

/// A listening socket and what its connections begin with.
pub struct Listener {
    pub(super) fd: OwnedFd,
    pub(super) service: u8,
    /// Buffer sizes as powers of two.
    pub(super) read_size: u8,
    pub(super) write_size: u8,
    pub(super) paused: bool,
}

/// The poller's token of a listener: generation 0, which no connection has.
pub(super) fn token(number: usize) -> u64 {
    number as u64
}

/// The poller's token of the signals.
pub(super) const SIGNALS: u64 = u32::MAX as u64;

impl Loop {
    /// Adds a listening socket that belongs to a service.
    ///
    /// # Errors
    /// The poller's, when it cannot watch the socket.
    pub fn add_listener(
        &mut self,
        fd: OwnedFd,
        service: u8,
        read_size: u8,
        write_size: u8,
    ) -> Result<(), Errno> {
        if self.listeners.len() >= usize::from(u8::MAX) {
            return Err(Errno::NOSPC);
        }
        self.poller.add(fd.as_fd(), token(self.listeners.len()), Ready::READ)?;
        self.listeners.push(Some(Listener { fd, service, read_size, write_size, paused: false }));
        Ok(())
    }

    /// Stops accepting on one listener until room is made.
    pub(super) fn pause(&mut self, number: usize) {
        let Some(Some(listener)) = self.listeners.get_mut(number) else { return };
        if !listener.paused && self.poller.change(listener.fd.as_fd(), token(number), Ready::NONE).is_ok() {
            listener.paused = true;
            self.paused += 1;
            self.counters.pauses += 1;
        }
    }

    /// Lets listeners accept again whose service has room, if descriptors are free.
    pub(super) fn resume_listeners(&mut self) {
        if self.paused == 0 || !self.take_reserve() {
            return;
        }
        for number in 0..self.listeners.len() {
            let Some(Some(listener)) = self.listeners.get(number) else { continue };
            let full =
                self.services.get(usize::from(listener.service)).is_some_and(|service| service.is_full());
            if !listener.paused || full {
                continue;
            }
            if self.poller.change(listener.fd.as_fd(), token(number), Ready::READ).is_ok() {
                if let Some(Some(listener)) = self.listeners.get_mut(number) {
                    listener.paused = false;
                }
                self.paused -= 1;
            }
        }
    }

    /// Keeps one descriptor in reserve. It is let go when the last one is used up, so that a file that is being asked
    /// for can still be opened, and to get it back is the proof that there is room again.
    pub(super) fn take_reserve(&mut self) -> bool {
        if self.reserve.is_none() {
            self.reserve = gorgon_sys::reserve_descriptor().ok();
        }
        self.reserve.is_some()
    }

    /// Closes every listening socket.
    pub(super) fn close_listeners(&mut self) {
        for listener in self.listeners.iter_mut() {
            if let Some(listener) = listener.take() {
                self.poller.closing(listener.fd.as_fd());
            }
        }
        self.paused = 0;
    }

    /// The name of the poller in use.
    pub fn poller(&self) -> PollerKind {
        self.poller.kind()
    }
}
