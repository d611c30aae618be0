//! A helper process: a copy of this one that does one thing, at the other end of a socket.

use rustix::fd::{AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;

/// A helper process. Dropping it neither ends nor awaits it: it ends by itself when its socket does.
pub struct Child {
    id: libc::pid_t,
}

impl Child {
    /// Starts a helper: a copy of this process that runs `work` with one end of a socket and then ends; gives the other
    /// end, which does not block. The helper has no other descriptor, its standard streams are empty, and signals that
    /// end or stop a server do not reach it. `work` must not return to what the caller was doing, so it cannot.
    ///
    /// This process must have a single thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(work: fn(OwnedFd)) -> Result<(Child, OwnedFd), Errno> {
        let (ours, theirs) = crate::socket::pair()?;
        // SAFETY: with a single thread, no lock is held by anybody who is not in the copy, so it may do whatever this
        // process may.
        match unsafe { libc::fork() } {
            -1 => Err(crate::error::last_error()),
            0 => {
                if let Some(socket) = settle(&theirs) {
                    work(socket);
                }
                // SAFETY: it ends the process at once. What this process would do at its end is not the copy's to do.
                unsafe { libc::_exit(0) }
            }
            id => Ok((Child { id }, ours)),
        }
    }

    /// Ends it. The system forgets it by [`Child::reap`].
    ///
    /// # Errors
    /// The child, if it has not ended yet.
    pub fn end(self) -> Result<(), Child> {
        // What was awaited is nobody's number, or another's: only one that still runs is killed.
        let child = match self.reap() {
            Ok(()) => return Ok(()),
            Err(child) => child,
        };
        // SAFETY: the call takes no memory. The number is that of our child until it is awaited, by this thread alone.
        unsafe { libc::kill(child.id, libc::SIGKILL) };
        child.reap()
    }

    /// Lets the system forget it if it has ended, else gives it back.
    ///
    /// # Errors
    /// The child, which still runs.
    pub fn reap(self) -> Result<(), Child> {
        // SAFETY: a null status is allowed, and WNOHANG returns at once.
        match unsafe { libc::waitpid(self.id, core::ptr::null_mut(), libc::WNOHANG) } {
            0 => Err(self),
            _ => Ok(()),
        }
    }
}

/// Closes a descriptor in a process of its own. To free what a large file held takes the system seconds for some
/// gigabytes, and whoever closes the last descriptor of a file without a name waits for it.
///
/// This process must have a single thread, or the other threads no need of what this one closes.
pub fn close_elsewhere(file: OwnedFd) {
    // SAFETY: the copies make only calls that take plain numbers, and end by _exit.
    match unsafe { libc::fork() } {
        // Then it is closed here.
        -1 => {}
        0 => {
            // The copy's own copy is nobody's child once this one has ended, so nobody need await it.
            // SAFETY: as above.
            if unsafe { libc::fork() } == 0 {
                // It keeps nothing else open: a connection that ends has to be seen to end.
                // SAFETY: nothing of this copy's is used again.
                unsafe {
                    if file.as_raw_fd() == PLACE || libc::dup2(file.as_raw_fd(), PLACE) == PLACE {
                        for stream in 0..PLACE {
                            libc::close(stream);
                        }
                        close_from(PLACE + 1);
                    }
                }
            }
            // SAFETY: it ends the process at once, and with it closes what is left.
            unsafe { libc::_exit(0) }
        }
        id => loop {
            // SAFETY: the number is that of our child, which ends at once; a null status is allowed.
            let waited = unsafe { libc::waitpid(id, core::ptr::null_mut(), 0) };
            if waited >= 0 || crate::error::last_error() != Errno::INTR {
                break;
            }
        },
    }
}

/// Has the system forget the children that have ended and that nobody else awaits: to the first process of a container
/// those are given whose parents have ended. To be called when a child has ended, and when those that are known by a
/// [`Child`] have been looked at. Elsewhere it does nothing.
pub fn reap_orphans() {
    if rustix::process::getpid().is_init() {
        // Who is awaited here and known by a `Child` is missed by nobody: it counts as reaped.
        // SAFETY: a null status is allowed, and WNOHANG returns at once.
        while unsafe { libc::waitpid(-1, core::ptr::null_mut(), libc::WNOHANG) } > 0 {}
    }
}

/// Where the helper's socket is.
const PLACE: libc::c_int = 3;

/// In the helper: leaves it its socket, which blocks, and nothing else.
fn settle(socket: &OwnedFd) -> Option<OwnedFd> {
    for signal in [
        libc::SIGTERM,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGHUP,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGTSTP,
        libc::SIGPIPE,
    ] {
        // SAFETY: to ignore a signal needs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: the calls take descriptors, a constant path and plain numbers. Those that are closed here belong to values
    // of this process's other copy; this copy never drops them, for it ends by _exit.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for stream in 0..3 {
            // Out of reach in another root directory, say; then there is nothing at all.
            if null < 0 {
                libc::close(stream);
            } else {
                libc::dup2(null, stream);
            }
        }
        let fd = socket.as_raw_fd();
        if fd != PLACE && libc::dup2(fd, PLACE) < 0 {
            return None;
        }
        let flags = libc::fcntl(PLACE, libc::F_GETFL);
        libc::fcntl(PLACE, libc::F_SETFL, flags & !libc::O_NONBLOCK);
        close_from(PLACE + 1);
        Some(OwnedFd::from_raw_fd(PLACE))
    }
}

/// Closes every descriptor from this number on.
///
/// # Safety
/// Nobody may use them after that.
unsafe fn close_from(first: libc::c_int) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // SAFETY: the call takes plain numbers; closing is what the caller allows.
        let done = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
        if done == 0 {
            return;
        }
    }
    // A kernel without that call: one after the other, as many as there may be.
    let limit = crate::limits::descriptors().0;
    for fd in first..libc::c_int::try_from(limit).unwrap_or(1 << 20).min(1 << 20) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::{Io, read, write};
    use rustix::fd::AsFd;

    fn echo(socket: OwnedFd) {
        let mut byte = [0];
        while let Io::Done(1) = read(socket.as_fd(), &mut byte) {
            // SAFETY: the call takes a number.
            let others = (0..100).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0).count();
            byte[0] += others as u8;
            write(socket.as_fd(), &byte);
        }
    }

    fn answer(socket: &OwnedFd) -> Io {
        let mut byte = [0];
        for _ in 0..1000 {
            match read(socket.as_fd(), &mut byte) {
                Io::Done(1) => return Io::Done(byte[0].into()),
                Io::Blocked => std::thread::sleep(core::time::Duration::from_millis(10)),
                other => return other,
            }
        }
        Io::Blocked
    }

    #[test]
    fn a_helper_answers_until_its_socket_ends() {
        let (child, socket) = Child::start(echo).unwrap();
        for number in [1, 2] {
            write(socket.as_fd(), &[number]);
            // Three streams and the socket.
            assert_eq!(answer(&socket), Io::Done(usize::from(number) + 4));
            // SAFETY: the number is that of our child.
            unsafe { libc::kill(child.id, libc::SIGTERM) };
        }
        let Err(child) = child.reap() else { panic!("it ended") };
        drop(socket);
        let mut left = Some(child);
        for _ in 0..1000 {
            left = left.and_then(|child| child.reap().err());
            std::thread::sleep(core::time::Duration::from_millis(10));
            if left.is_none() {
                return;
            }
        }
        panic!("it did not end");
    }

    #[test]
    fn a_killed_helper_ends_its_socket() {
        let (child, socket) = Child::start(echo).unwrap();
        let mut left = child.end().err();
        assert_eq!(answer(&socket), Io::Ended);
        for _ in 0..1000 {
            left = left.and_then(|child| child.end().err());
            if left.is_none() {
                return;
            }
            std::thread::sleep(core::time::Duration::from_millis(10));
        }
        panic!("it did not end");
    }
}
