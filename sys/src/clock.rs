//! The time, read once a turn.

use rustix::time::{ClockId, clock_gettime};

/// Two clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Nanoseconds on a clock that is never set.
    pub monotonic_ns: u64,
    /// Seconds since 1970-01-01 UTC.
    pub unix_seconds: i64,
    /// The fraction of that second, in nanoseconds.
    pub unix_nanos: u32,
}

/// The time now. Two calls that do not enter the kernel where there is a vDSO.
pub fn now() -> Times {
    let monotonic = clock_gettime(ClockId::Monotonic);
    let real = clock_gettime(ClockId::Realtime);
    let seconds = u64::try_from(monotonic.tv_sec).unwrap_or(0);
    Times {
        monotonic_ns: seconds.saturating_mul(1_000_000_000).saturating_add(monotonic.tv_nsec as u64),
        unix_seconds: real.tv_sec,
        unix_nanos: real.tv_nsec as u32,
    }
}
