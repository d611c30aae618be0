//! Faults by seed: what the system may do at any time and does in a test only when asked to.
//!
//! A plan holds for the thread that set it, so that tests side by side do not disturb each other. The same seed gives the
//! same faults for the same calls.

use core::cell::Cell;

use rustix::io::Errno;

use crate::io::Io;

/// How often each fault happens, in percent of the calls it can happen to; 0 is never.
#[derive(Clone, Copy, Default, Debug)]
pub struct Plan {
    /// The start of the random numbers.
    pub seed: u32,
    /// A receive or read gives fewer bytes than there are.
    pub short_read: u32,
    /// A send or write takes fewer bytes than it could.
    pub short_write: u32,
    /// An accept is interrupted by a signal. (Other calls are made again at once: nobody sees those.)
    pub interrupted: u32,
    /// A call says that it would have to wait though it would not.
    pub blocked: u32,
    /// There is no descriptor for a connection that waits to be accepted.
    pub accept_full: u32,
    /// A disk is full.
    pub no_space: u32,
    /// A connection is reset.
    pub reset: u32,
}

thread_local! {
    static PLAN: Cell<Option<Plan>> = const { Cell::new(None) };
}

/// Has this thread's calls fail by a plan.
pub fn set(plan: Plan) {
    PLAN.set(Some(Plan { seed: plan.seed.wrapping_mul(2_654_435_761) | 1, ..plan }));
}

/// Ends the faults.
pub fn clear() {
    PLAN.set(None);
}

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into a buffer.
    In,
    /// To a socket.
    Out,
    /// To a file.
    File,
    /// Out of a file: a disk is waited for, and it knows no reset.
    Disk,
}

/// A number below 100 for the next decision, and one more for its size.
fn roll(plan: &mut Plan) -> (u32, u32) {
    // xorshift32: enough to be different from call to call.
    let mut next = || {
        plan.seed ^= plan.seed << 13;
        plan.seed ^= plan.seed >> 17;
        plan.seed ^= plan.seed << 5;
        plan.seed
    };
    (next() % 100, next())
}

/// What a call on a descriptor may do: the length it may use, or what it ends with.
pub(crate) fn meddle(direction: Direction, length: usize) -> Result<usize, Io> {
    let Some(mut plan) = PLAN.get() else { return Ok(length) };
    let (chance, size) = roll(&mut plan);
    PLAN.set(Some(plan));
    let (short, failure) = match direction {
        Direction::In => (plan.short_read, (plan.reset, Errno::CONNRESET)),
        Direction::Out => (plan.short_write, (plan.reset, Errno::CONNRESET)),
        Direction::File => (plan.short_write, (plan.no_space, Errno::NOSPC)),
        Direction::Disk => (plan.short_read, (0, Errno::IO)),
    };
    if chance < failure.0 {
        return Err(Io::Failed(failure.1));
    }
    if chance < failure.0 + plan.blocked && matches!(direction, Direction::In | Direction::Out) {
        return Err(Io::Blocked);
    }
    if chance < failure.0 + plan.blocked + short && length > 1 {
        return Ok(1 + size as usize % (length - 1));
    }
    Ok(length)
}

/// Whether an accept is to end with an error.
pub(crate) fn interrupts() -> Option<Errno> {
    let mut plan = PLAN.get()?;
    let (chance, _) = roll(&mut plan);
    PLAN.set(Some(plan));
    (chance < plan.interrupted).then_some(Errno::INTR)
}

/// Whether an accept is to find no descriptor.
pub(crate) fn accept_full() -> bool {
    let Some(mut plan) = PLAN.get() else { return false };
    let (chance, _) = roll(&mut plan);
    PLAN.set(Some(plan));
    chance < plan.accept_full
}
