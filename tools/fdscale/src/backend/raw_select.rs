//! select(2) with nothing around it: one set of bits as long as need be, its copy, and the tokens by descriptor.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Backend, interrupted_is_none};
use crate::sys_calls::{Word, select};

const BITS: usize = Word::BITS as usize;

/// The set.
#[derive(Default)]
pub struct RawSelect {
    asked: Vec<Word>,
    ready: Vec<Word>,
    tokens: Vec<u32>,
    /// One more than the highest descriptor in the set.
    bound: usize,
    told: usize,
}

impl Backend for RawSelect {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        let fd = usize::try_from(fd.as_raw_fd()).map_err(|_| io::ErrorKind::InvalidInput)?;
        if cfg!(target_vendor = "apple") && fd >= 1024 {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        if self.tokens.len() <= fd {
            let words = fd / BITS + 1;
            self.tokens.resize(words * BITS, u32::MAX);
            self.asked.resize(words, 0);
            self.ready.resize(words, 0);
        }
        if let (Some(word), Some(place)) = (self.asked.get_mut(fd / BITS), self.tokens.get_mut(fd)) {
            *word |= 1 << (fd % BITS);
            *place = token;
            self.bound = self.bound.max(fd + 1);
        }
        Ok(())
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        let fd = usize::try_from(fd.as_raw_fd()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let word = self.asked.get_mut(fd / BITS).ok_or(io::ErrorKind::NotFound)?;
        *word &= !(1 << (fd % BITS));
        while self.bound > 0 {
            let last = self.bound - 1;
            if self.asked.get(last / BITS).is_some_and(|word| word >> (last % BITS) & 1 == 1) {
                break;
            }
            self.bound = last;
        }
        Ok(())
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        self.ready.copy_from_slice(&self.asked);
        let bound = i32::try_from(self.bound).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.told = 0;
        self.told = interrupted_is_none(select(bound, &mut self.ready, milliseconds))?;
        Ok(())
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        let mut left = self.told;
        for (at, word) in self.ready.iter().enumerate() {
            if left == 0 {
                return;
            }
            let mut bits = *word;
            while bits != 0 && left > 0 {
                let fd = at * BITS + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                left -= 1;
                if let Some(token) = self.tokens.get(fd) {
                    handle(*token);
                }
            }
        }
    }
}
