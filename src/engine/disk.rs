//! How much of a file can be sent without waiting for a disk.
//!
//! Linux tells of a byte whether it is in memory (preadv2(2), `RWF_NOWAIT`). A disk answers in what order it likes, and
//! asking for a byte has it read ahead from there: a piece is there up to the first byte that is not, whatever lies
//! behind it.
//!
//! ```text
//!             told: there                told: not there, though it was just sent
//! Unknown ────────────────▶ Trusted ───────────────────────────────────────▶ Mute
//!    └───────────────────────────────────────────────────────────────────────▲
//! ```

/// How often a piece is asked for, a millisecond or more each time, by a kernel that never said yet that one is there.
const UNKNOWN: u16 = 100;
/// And by one that did: a disk that spins up takes seconds, one that is dead must not keep a connection for ever.
const TRUSTED: u16 = 10_000;
/// Some kernels never say it: they are not asked.
const MUTE: u16 = 0;

/// What is known of the kernel's word.
pub(super) struct Disk {
    patience: u16,
}

impl Disk {
    pub(super) const fn new() -> Disk {
        Disk { patience: UNKNOWN }
    }

    /// Whether there is sense in asking.
    pub(super) fn tells(&self) -> bool {
        self.patience != MUTE
    }

    /// Whether a piece that was asked for so often, and is not there, is waited for.
    pub(super) fn waits(&self, asked: u16) -> bool {
        asked < self.patience
    }

    /// The kernel said of a piece that certainly is there whether it is: the only place where the state changes.
    pub(super) fn told(&mut self, there: bool) {
        self.patience = match (there, self.tells()) {
            (true, true) => TRUSTED,
            (false, true) | (_, false) => MUTE,
        };
    }
}

/// How far apart the bytes lie that are asked of, as long as all of them are there: the file is in memory, as most are.
const FAR: u64 = 64 * 1024;
/// And when one was not: no system's pages are smaller.
const NEAR: u64 = 4096;

/// Where the first byte that is not there lies, or `end`. `doubtful`: not all of what came before was there at once.
pub(super) fn there_until(at: u64, end: u64, doubtful: bool, is_there: &mut dyn FnMut(u64) -> bool) -> u64 {
    if !doubtful && walk(at, end, FAR, is_there) == end && (at == end || is_there(end - 1)) {
        return end;
    }
    walk(at, end, NEAR, is_there)
}

/// Asks of the first byte and of those at each multiple of `step`.
fn walk(at: u64, end: u64, step: u64, is_there: &mut dyn FnMut(u64) -> bool) -> u64 {
    let mut place = at;
    while place < end {
        if !is_there(place) {
            return place;
        }
        place = (place / step).saturating_add(1).saturating_mul(step);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_there_up_to_the_first_hole() {
        const PAGE: u64 = NEAR;
        // What is there, from where to where it is wanted, and how far it can be sent.
        type Case = (&'static [(u64, u64)], u64, u64, u64);
        let cases: &[Case] = &[
            (&[(0, 64 * PAGE)], 0, 64 * PAGE, 64 * PAGE),
            (&[], 0, 64 * PAGE, 0),
            // The disk answered with the end first, or with all but the beginning or a middle.
            (&[(63 * PAGE, 64 * PAGE)], 0, 64 * PAGE, 0),
            (&[(PAGE, 64 * PAGE)], 0, 64 * PAGE, 0),
            (&[(0, 16 * PAGE), (32 * PAGE, 64 * PAGE)], 0, 64 * PAGE, 16 * PAGE),
            (&[(0, 63 * PAGE)], 0, 64 * PAGE, 63 * PAGE),
            (&[(0, 3 * PAGE)], 100, 64 * PAGE, 3 * PAGE),
            (&[(0, 3 * PAGE)], 100, 3 * PAGE, 3 * PAGE),
            (&[(0, 1)], 0, 1, 1),
            (&[], 7, 7, 7),
            (&[(u64::MAX - 5, u64::MAX)], u64::MAX - 5, u64::MAX, u64::MAX),
        ];
        for (there, at, end, until) in cases {
            for doubtful in [false, true] {
                let mut asked = 0;
                let found = there_until(*at, *end, doubtful, &mut |place| {
                    asked += 1;
                    assert!((*at..*end).contains(&place));
                    there.iter().any(|(from, to)| (*from..*to).contains(&place))
                });
                assert_eq!(found, *until, "{there:?} {at} {end} {doubtful}");
                assert!(asked <= (end - at) / NEAR + (end - at) / FAR + 4);
            }
        }
    }

    #[test]
    fn a_kernel_is_trusted_as_far_as_it_tells() {
        let mut disk = Disk::new();
        assert!(disk.tells() && disk.waits(99) && !disk.waits(100));
        disk.told(true);
        assert!(disk.waits(9_999) && !disk.waits(10_000));
        disk.told(false);
        assert!(!disk.tells() && !disk.waits(0));
        disk.told(true);
        assert!(!disk.tells());
    }
}
