//! poll(2) with nothing around it: one array of entries, and one of tokens beside it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Backend, interrupted_is_none};
use crate::sys_calls::poll;

/// The entries.
#[derive(Default)]
pub struct RawPoll {
    entries: Vec<libc::pollfd>,
    tokens: Vec<u32>,
    told: usize,
}

impl Backend for RawPoll {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        self.entries.push(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        self.tokens.push(token);
        Ok(())
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        // The newest first: short-lived ones are found at once.
        let at = self.entries.iter().rposition(|entry| entry.fd == fd.as_raw_fd());
        let at = at.ok_or(io::ErrorKind::NotFound)?;
        self.entries.swap_remove(at);
        self.tokens.swap_remove(at);
        Ok(())
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        self.told = interrupted_is_none(poll(&mut self.entries, milliseconds))?;
        Ok(())
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        let mut left = self.told;
        for (entry, token) in self.entries.iter().zip(&self.tokens) {
            if left == 0 {
                return;
            }
            if entry.revents != 0 {
                left -= 1;
                handle(*token);
            }
        }
    }
}
