//! Signals as bytes on a descriptor, so that the loop reads them like everything else.
//!
//! The handler writes one byte into a pipe and does nothing else. The pipe is not blocking: when it is full, so many
//! signals wait already that one more tells nothing new.

use alloc::vec::Vec;

use core::sync::atomic::{AtomicI32, Ordering};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use crate::io::{Io, read};

/// A signal that means something to the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// `SIGTERM`
    Terminate,
    /// `SIGINT`
    Interrupt,
    /// `SIGQUIT`
    Quit,
    /// `SIGHUP`
    Hangup,
    /// `SIGUSR1`
    User1,
    /// `SIGUSR2`
    User2,
    /// `SIGCHLD`
    Child,
    /// `SIGCONT`
    Continue,
}

const NUMBERS: [(Signal, libc::c_int); 8] = [
    (Signal::Terminate, libc::SIGTERM),
    (Signal::Interrupt, libc::SIGINT),
    (Signal::Quit, libc::SIGQUIT),
    (Signal::Hangup, libc::SIGHUP),
    (Signal::User1, libc::SIGUSR1),
    (Signal::User2, libc::SIGUSR2),
    (Signal::Child, libc::SIGCHLD),
    (Signal::Continue, libc::SIGCONT),
];

/// The pipe's writing end; -1 when there is none. The handler can be given nothing, so this one number is global.
static WRITER: AtomicI32 = AtomicI32::new(-1);

extern "C" fn handler(number: libc::c_int) {
    // SAFETY: errno is this thread's own; write(2) is safe in a handler, and the descriptor is open for as long as it
    // stands in WRITER.
    unsafe {
        let errno = crate::error::errno_place();
        let before = *errno;
        let byte = number as u8;
        libc::write(WRITER.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *errno = before;
    }
}

/// The signals this process takes as bytes. There is one at a time; dropping it restores the signals' defaults.
pub struct Signals {
    reader: OwnedFd,
    _writer: OwnedFd,
    taken: Vec<libc::c_int>,
}

impl Signals {
    /// Takes these signals, and from then on ignores the one that says that a file has reached its limit: the write that
    /// did it fails, and that is enough.
    ///
    /// # Errors
    /// The system's; `EBUSY` when they are taken already.
    pub fn install(signals: &[Signal]) -> Result<Signals, Errno> {
        let (reader, writer) = crate::socket::pair()?;
        if WRITER.compare_exchange(-1, writer.as_raw_fd(), Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Err(Errno::BUSY);
        }
        let mut taken = Signals { reader, _writer: writer, taken: Vec::new() };
        act(libc::SIGXFSZ, libc::SIG_IGN)?;
        // Whoever starts a program may have blocked them for it.
        unblock(signals);
        for (signal, number) in NUMBERS {
            if signals.contains(&signal) {
                act(number, handler as extern "C" fn(libc::c_int) as libc::sighandler_t)?;
                taken.taken.push(number);
            }
        }
        Ok(taken)
    }

    /// The descriptor that is readable when a signal waits.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The next signal that came.
    pub fn read(&mut self) -> Option<Signal> {
        let mut byte = [0];
        match read(self.reader.as_fd(), &mut byte) {
            Io::Done(_) => {
                NUMBERS.iter().find(|(_, number)| [*number as u8] == byte).map(|(signal, _)| *signal)
            }
            Io::Blocked | Io::Ended | Io::Failed(_) => None,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for number in &self.taken {
            let _default = act(*number, libc::SIG_DFL);
        }
        WRITER.store(-1, Ordering::SeqCst);
    }
}

/// Has signals be delivered (sigprocmask(2)).
fn unblock(signals: &[Signal]) {
    // SAFETY: a set is plain memory that sigemptyset fills; all of it outlives the calls, and a null pointer says that
    // what was blocked before is of no interest.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for (signal, number) in NUMBERS {
            if signals.contains(&signal) {
                libc::sigaddset(&raw mut set, number);
            }
        }
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, core::ptr::null_mut());
    }
}

/// Sets what a signal does (sigaction(2)). Calls that it interrupts are begun again.
fn act(number: libc::c_int, action: libc::sighandler_t) -> Result<(), Errno> {
    // SAFETY: an all-zero sigaction is a valid one; the handler does only what a handler may.
    let outcome = unsafe {
        let mut new: libc::sigaction = core::mem::zeroed();
        new.sa_sigaction = action;
        new.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut new.sa_mask);
        libc::sigaction(number, &raw const new, core::ptr::null_mut())
    };
    if outcome == 0 {
        return Ok(());
    }
    Err(crate::error::last_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_becomes_a_byte() {
        // SAFETY: the set is filled before it is used, and outlives the calls.
        unsafe {
            let mut set: libc::sigset_t = core::mem::zeroed();
            libc::sigfillset(&raw mut set);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut());
        }
        let mut signals = Signals::install(&[Signal::User2, Signal::Child]).unwrap();
        assert_eq!(signals.read(), None);
        assert!(matches!(Signals::install(&[Signal::User1]), Err(Errno::BUSY)));
        // SAFETY: the signal is taken, so it ends nothing.
        unsafe { libc::raise(libc::SIGUSR2) };
        assert_eq!(signals.read(), Some(Signal::User2));
        assert_eq!(signals.read(), None);
    }
}
