//! Listening sockets: accepting, and pausing when there is no room.

use gorgon_sys::{Accepted, AsFd, Errno, OwnedFd, PollerKind, Ready, accept};

use super::conn::Mode;
use super::event_loop::Loop;
use super::reactor::{Call, Reactor};
use super::timers::Owner;

/// Most connections accepted per listener and turn.
const ACCEPTS: usize = 64;

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
        if !self.take_reserve() || self.paused == 0 {
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

impl<W> Reactor<W> {
    /// Accepts what waits on a listener. Each connection is read from at once, and made known to the poller only when
    /// there is nothing to read yet. Says whether more may be waiting.
    pub(super) fn accept(&mut self, number: usize) -> bool {
        for _ in 0..ACCEPTS {
            let Some(Some(listener)) = self.lp.listeners.get(number) else { return false };
            let (service, sizes) = (listener.service, (listener.read_size, listener.write_size));
            if self.lp.services.get(usize::from(service)).is_none_or(|service| service.is_full()) {
                self.lp.pause(number);
                return false;
            }
            match accept(listener.fd.as_fd()) {
                Accepted::Connection(fd, _address) => {
                    self.lp.counters.accepted += 1;
                    let Ok(id) = self.lp.add_conn(fd, service, sizes, Mode::Reading) else {
                        return self.refuse(number);
                    };
                    self.run(id, Call::Open);
                    self.readable(id);
                }
                Accepted::Again => {}
                Accepted::Blocked => return false,
                Accepted::Full(_) | Accepted::Failed(_) => return self.refuse(number),
            }
        }
        true
    }

    /// There is no descriptor or no memory for a connection: what can be let go is, and accepting waits for room.
    fn refuse(&mut self, number: usize) -> bool {
        self.lp.reserve = None;
        self.lp.pause(number);
        self.plan_accept();
        false
    }

    pub(super) fn plan_accept(&mut self) {
        if !self.lp.accept_set {
            self.lp.accept_set = true;
            self.lp.timers.set(self.lp.now.milliseconds + 1000, Owner::Accept);
        }
    }
}
