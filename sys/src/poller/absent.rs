//! Stands in for a poller this system does not have: there is no value of it, so its calls cost no code.

use alloc::vec::Vec;

use rustix::fd::BorrowedFd;
use rustix::io::Errno;

use super::{Event, Ready};

/// A poller that can not be made here.
pub enum Absent {}

// Which systems lack which poller differs, and one may lack none.
#[allow(dead_code)]
impl Absent {
    pub(super) fn new() -> Result<Absent, Errno> {
        Err(Errno::NOSYS)
    }

    pub(super) fn add(&mut self, _: BorrowedFd<'_>, _: u64, _: Ready) -> Result<(), Errno> {
        match *self {}
    }

    pub(super) fn change(&mut self, _: BorrowedFd<'_>, _: u64, _: Ready) -> Result<(), Errno> {
        match *self {}
    }

    pub(super) fn remove(&mut self, _: BorrowedFd<'_>) -> Result<(), Errno> {
        match *self {}
    }

    pub(super) fn closing(&mut self, _: BorrowedFd<'_>) {
        match *self {}
    }

    pub(super) fn wait(&mut self, _: Option<u32>, _: &mut Vec<Event>) -> Result<(), Errno> {
        match *self {}
    }
}
