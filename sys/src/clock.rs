//! The time, read once a turn.

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

/// Nanoseconds on a clock that is never set. A call that does not enter the kernel where there is a vDSO.
pub fn monotonic() -> u64 {
    let monotonic = clock(libc::CLOCK_MONOTONIC);
    // Since the system started: below zero never, and no overflow in centuries.
    let seconds = monotonic.tv_sec as u64;
    seconds * 1_000_000_000 + monotonic.tv_nsec as u64
}

/// Nanoseconds on that clock as it was at the kernel's last tick, some milliseconds ago at most: cheap enough to be
/// read for everything that is done in a turn. Where there is no such clock it is the exact one.
pub fn coarse() -> u64 {
    #[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64"))]
    {
        let time = clock(libc::CLOCK_MONOTONIC_COARSE);
        u64::try_from(time.tv_sec)
            .unwrap_or(0)
            .saturating_mul(1_000_000_000)
            .saturating_add(time.tv_nsec as u64)
    }
    #[cfg(not(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64")))]
    monotonic()
}

/// The time now, on both clocks.
pub fn now() -> Times {
    let monotonic_ns = monotonic();
    let real = clock(libc::CLOCK_REALTIME);
    Times { monotonic_ns, unix_seconds: real.tv_sec, unix_nanos: real.tv_nsec as u32 }
}

/// What a clock says. The C library finds the vDSO for itself, so rustix need not; the latter is for systems whose C
/// library has 32 bits for a time.
#[inline(always)]
fn clock(clock: libc::clockid_t) -> rustix::time::Timespec {
    #[cfg(target_pointer_width = "64")]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the place outlives the call. It cannot fail: every system has both clocks.
        let _zero = unsafe { libc::clock_gettime(clock, &raw mut time) };
        rustix::time::Timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_nsec }
    }
    #[cfg(not(target_pointer_width = "64"))]
    rustix::time::clock_gettime(if clock == libc::CLOCK_MONOTONIC {
        rustix::time::ClockId::Monotonic
    } else {
        rustix::time::ClockId::Realtime
    })
}

/// How many seconds local time is ahead of UTC at a time, by the zone that `TZ` or the system's own setting names: 0
/// where it cannot be told. The zone is read from its file by the first call, and not again.
pub fn local_offset(unix_seconds: i64) -> i32 {
    // 32 bits wide on some old systems, whose zones are as old.
    let time = unix_seconds as _;
    let mut parts = core::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values that outlive the call, and a `tm` of zeros is a valid one. The call reads the
    // environment, which nothing in this program changes.
    let done = unsafe { !libc::localtime_r(&raw const time, parts.as_mut_ptr()).is_null() };
    // SAFETY: it was made of zeros, all of which are valid, whether or not the call wrote to it.
    let parts = unsafe { parts.assume_init() };
    if done { i32::try_from(parts.tm_gmtoff).unwrap_or(0) } else { 0 }
}
