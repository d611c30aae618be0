//! What was asked about each descriptor, found by its number.
//!
//! Systems give out the lowest free number, so tables as long as the highest one are dense: nine bytes each.

use alloc::vec::Vec;

use rustix::fd::RawFd;
use rustix::io::Errno;

use super::Ready;

/// Tokens and interests by descriptor.
pub(super) struct Registry {
    tokens: Vec<u64>,
    /// As long as `tokens`; the last one is never free.
    interests: Vec<Option<Ready>>,
}

impl Registry {
    pub(super) const fn new() -> Registry {
        Registry { tokens: Vec::new(), interests: Vec::new() }
    }

    /// Makes room for `fd`, so that [`Registry::set`] can not fail after the system was told.
    pub(super) fn reserve(&mut self, fd: RawFd) -> Result<(), Errno> {
        let length = usize::try_from(fd).map_err(|_| Errno::BADF)?.saturating_add(1);
        let more = length.saturating_sub(self.tokens.len());
        self.tokens.try_reserve(more).map_err(|_| Errno::NOMEM)?;
        self.interests.try_reserve(more).map_err(|_| Errno::NOMEM)
    }

    /// Registers `fd`, or changes what it is registered with.
    pub(super) fn set(&mut self, fd: RawFd, token: u64, interest: Ready) {
        let Ok(index) = usize::try_from(fd) else { return };
        if index >= self.tokens.len() {
            self.tokens.resize(index + 1, 0);
            self.interests.resize(index + 1, None);
        }
        if let (Some(to), Some(asked)) = (self.tokens.get_mut(index), self.interests.get_mut(index)) {
            *to = token;
            *asked = Some(interest);
        }
    }

    /// The token and the interest of `fd`, if it is registered.
    pub(super) fn get(&self, fd: RawFd) -> Option<(u64, Ready)> {
        let index = usize::try_from(fd).ok()?;
        let interest = (*self.interests.get(index)?)?;
        Some((*self.tokens.get(index)?, interest))
    }

    /// Forgets `fd`; returns what its interest was, if it was registered.
    pub(super) fn forget(&mut self, fd: RawFd) -> Option<Ready> {
        let interest = self.interests.get_mut(usize::try_from(fd).ok()?)?.take();
        while let Some(None) = self.interests.last() {
            self.interests.pop();
            self.tokens.pop();
        }
        interest
    }

    /// One more than the highest registered descriptor; 0 when there is none.
    pub(super) fn bound(&self) -> RawFd {
        RawFd::try_from(self.tokens.len()).unwrap_or(RawFd::MAX)
    }
}
