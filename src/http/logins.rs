//! Who may come in: verdicts that are known, and credentials that wait for theirs. This is what the handler, which asks,
//! and the service that has passwords checked share.
//!
//! ```text
//!            ask                next                 decide
//!  (unknown) ───▶ queued ──────────────▶ being checked ─────▶ granted, for five minutes
//!                   │                        │        └─────▶ refused, for two seconds
//!                   └──── give_up ───────────┴──────────────▶ unavailable, for one
//! ```
//!
//! Hashing a password is slow on purpose, so a verdict is kept, by a digest of the credentials: 128 bits of SipHash under
//! a key that is made at start and never shown. Who does not know it can neither make credentials that fall on another's
//! digest, nor learn anything from how long a comparison takes. (HMAC with a cryptographic hash would be larger and no
//! better: nobody sees the digest, so there is nothing to find but by trying, online.)

use alloc::vec::Vec;

use crate::engine::values::ConnId;
use crate::text::siphash::{self, siphash};

/// Credentials that may wait at once. More are told to come again.
const PENDING_MAX: usize = 64;
/// Those of one address among them, once half of the places are taken: a flood of wrong passwords from one place leaves
/// the others theirs.
const PENDING_OF_ONE: usize = 16;
/// Those beside that, whose credentials were right before: no flood locks out who was let in today.
const RETURNING_MAX: usize = 64;
/// Connections that may wait for those at once: several may have sent the same ones.
const WAITERS_MAX: usize = 4096;
/// Verdicts kept of those who may come in.
const GRANTED_MAX: usize = 256;
/// Other verdicts kept: they go before those, so that wrong passwords drive out no right ones.
const OTHERS_MAX: usize = 64;
/// How long it is remembered who was let in, beyond the time that holds, in milliseconds.
const REMEMBERED: u64 = 3_600_000;
/// How long credentials wait at most, in milliseconds.
pub const PATIENCE: u64 = 10_000;

/// What gives a handler the logins: a part of what the program shares.
pub trait HasLogins {
    /// The logins of that number; each file of users has its own.
    fn logins(&mut self, number: usize) -> Option<&mut Logins>;
}

/// What is known of credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Verdict {
    /// Name and password are right.
    Granted,
    /// They are not.
    Refused,
    /// They could not be checked, or too many wait for it.
    Unavailable,
}

impl Verdict {
    /// How long it holds, in milliseconds: what was right may be changed, what was wrong is tried again.
    fn lifetime(self) -> u64 {
        match self {
            Verdict::Granted => 300_000,
            Verdict::Refused => 2000,
            Verdict::Unavailable => 1000,
        }
    }
}

/// The answer to who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Answer {
    /// It is known.
    Known(Verdict),
    /// The connection is woken when it is.
    Wait,
}

/// A digest of credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Digest(u128);

impl Digest {
    /// Compares all bits, wherever they differ.
    fn is(self, other: Digest) -> bool {
        self.0 ^ other.0 == 0
    }
}

struct Known {
    digest: Digest,
    until: u64,
    verdict: Verdict,
}

struct Pending {
    digest: Digest,
    /// `name:password`; gone with the verdict.
    credentials: Vec<u8>,
    since: u64,
    /// It is being checked.
    taken: bool,
    /// The address that it came from, if it is one that counts.
    from: Option<[u8; 16]>,
    /// It was right before.
    returning: bool,
}

/// The logins by one file of users.
#[derive(Default)]
pub struct Logins {
    key: siphash::Key,
    /// In the order in which they were found.
    known: Vec<Known>,
    /// In the order in which they were asked for.
    pending: Vec<Pending>,
    waiters: Vec<(Digest, ConnId)>,
    /// Where the credentials came from that were checked last.
    served: Option<[u8; 16]>,
}

impl Logins {
    /// No logins yet; `key` is of random numbers.
    #[must_use]
    pub fn new(key: siphash::Key) -> Logins {
        Logins { key, ..Logins::default() }
    }

    /// What is known of credentials; if nothing is, they are queued and the connection waits. `from` is the address it
    /// comes from, if that counts. `now` is in milliseconds.
    pub fn ask(&mut self, credentials: &[u8], conn: ConnId, from: Option<[u8; 16]>, now: u64) -> Answer {
        let digest = Digest(siphash(self.key, credentials));
        let known = self.known.iter().find(|known| known.digest.is(digest));
        if let Some(known) = known.filter(|known| now < known.until) {
            return Answer::Known(known.verdict);
        }
        let returning = known.is_some_and(|known| known.verdict == Verdict::Granted);
        if self.waiters.len() >= WAITERS_MAX {
            return Answer::Known(Verdict::Unavailable);
        }
        if !self.pending.iter().any(|pending| pending.digest.is(digest)) {
            let alike = |pending: &&Pending| pending.returning == returning;
            let count = self.pending.iter().filter(alike).count();
            let of_one =
                from.map_or(0, |_| self.pending.iter().filter(|pending| pending.from == from).count());
            let crowded = count >= PENDING_MAX / 2 && of_one >= PENDING_OF_ONE;
            if if returning { count >= RETURNING_MAX } else { count >= PENDING_MAX || crowded } {
                return Answer::Known(Verdict::Unavailable);
            }
            let credentials = credentials.to_vec();
            self.pending.push(Pending { digest, credentials, since: now, taken: false, from, returning });
        }
        if !self.waiters.contains(&(digest, conn)) {
            self.waiters.push((digest, conn));
        }
        Answer::Wait
    }

    /// The credentials that are next; they are being checked from now on. Those that were right before come first, then
    /// those that do not come from where the last ones came from, then those that have waited longest.
    pub fn take(&mut self) -> Option<(Digest, &[u8])> {
        let served = self.served;
        let rank = |pending: &&mut Pending| (!pending.returning, served.is_some() && pending.from == served);
        let pending = self.pending.iter_mut().filter(|pending| !pending.taken).min_by_key(rank)?;
        pending.taken = true;
        self.served = pending.from;
        Some((pending.digest, &pending.credentials))
    }

    /// Those being checked are queued again: what they are checked against has changed.
    pub fn requeue(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.taken = false);
    }

    /// Keeps a verdict, and calls `wake` with each connection that waits for it. `now` is in milliseconds.
    pub fn decide(&mut self, digest: Digest, verdict: Verdict, now: u64, wake: &mut dyn FnMut(ConnId)) {
        self.pending.retain(|pending| !pending.digest.is(digest));
        self.expire(now);
        self.known.retain(|known| !known.digest.is(digest));
        let granted = verdict == Verdict::Granted;
        let alike = |known: &Known| (known.verdict == Verdict::Granted) == granted;
        let most = if granted { GRANTED_MAX } else { OTHERS_MAX };
        if self.known.iter().filter(|known| alike(known)).count() >= most {
            if let Some(oldest) = self.known.iter().position(alike) {
                self.known.remove(oldest);
            }
        }
        self.known.push(Known { digest, until: now + verdict.lifetime(), verdict });
        self.waiters.retain(|(awaited, conn)| {
            let waits = !awaited.is(digest);
            if !waits {
                wake(*conn);
            }
            waits
        });
    }

    /// Those who have waited too long, or all, get no verdict. `now` is in milliseconds.
    pub fn give_up(&mut self, all: bool, now: u64, wake: &mut dyn FnMut(ConnId)) {
        let late = |pending: &&Pending| all || now.saturating_sub(pending.since) >= PATIENCE;
        while let Some(digest) = self.pending.iter().find(late).map(|pending| pending.digest) {
            self.decide(digest, Verdict::Unavailable, now, wake);
        }
    }

    /// Ends them; gives the connections that wait for a verdict.
    #[must_use]
    pub fn into_waiters(self) -> Vec<ConnId> {
        self.waiters.into_iter().map(|(_, conn)| conn).collect()
    }

    /// Forgets all verdicts: what they were found with has changed.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// Forgets the verdicts whose time is over; of those who were let in it is still known that they were, for an hour.
    /// `now` is in milliseconds.
    pub fn expire(&mut self, now: u64) {
        self.known.retain(|known| {
            let more = if known.verdict == Verdict::Granted { REMEMBERED } else { 0 };
            now < known.until + more
        });
    }

    /// Whether no verdict holds and nobody waits. `now` is in milliseconds.
    pub fn is_quiet(&self, now: u64) -> bool {
        self.pending.is_empty() && self.known.iter().all(|known| now >= known.until)
    }

    /// Whether some wait to be checked.
    pub fn is_queued(&self) -> bool {
        self.pending.iter().any(|pending| !pending.taken)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GRANTED: Answer = Answer::Known(Verdict::Granted);
    const REFUSED: Answer = Answer::Known(Verdict::Refused);
    const UNAVAILABLE: Answer = Answer::Known(Verdict::Unavailable);

    fn conn(number: u64) -> ConnId {
        ConnId::test(number)
    }

    fn decide(logins: &mut Logins, verdict: Verdict, now: u64) -> Vec<ConnId> {
        let digest = logins.take().unwrap().0;
        let mut woken = Vec::new();
        logins.decide(digest, verdict, now, &mut |id| woken.push(id));
        woken
    }

    #[test]
    fn all_who_ask_the_same_wait_for_one_verdict() {
        let mut logins = Logins::default();
        for number in [1, 2, 1] {
            assert_eq!(logins.ask(b"a:b", conn(number), None, 0), Answer::Wait);
        }
        assert_eq!(logins.ask(b"a:c", conn(3), None, 0), Answer::Wait);
        assert_eq!(logins.take().unwrap().1, b"a:b");
        assert_eq!(logins.take().unwrap().1, b"a:c");
        assert!(logins.take().is_none());
        logins.requeue();
        assert_eq!(decide(&mut logins, Verdict::Granted, 10), [conn(1), conn(2)]);
        assert_eq!(decide(&mut logins, Verdict::Refused, 10), [conn(3)]);
        assert!(logins.take().is_none());
        assert_eq!(logins.ask(b"a:b", conn(4), None, 300_009), GRANTED);
        assert_eq!(logins.ask(b"a:c", conn(4), None, 2009), REFUSED);
        assert!(!logins.is_queued());
        assert_eq!(logins.ask(b"a:c", conn(4), None, 2010), Answer::Wait);
        assert_eq!(logins.ask(b"a:b", conn(4), None, 300_010), Answer::Wait);
    }

    #[test]
    fn verdicts_are_forgotten() {
        let mut logins = Logins::default();
        assert!(logins.is_quiet(0));
        logins.ask(b"a:b", conn(1), None, 0);
        assert!(!logins.is_quiet(0) && logins.is_queued());
        decide(&mut logins, Verdict::Granted, 0);
        logins.expire(299_999);
        assert!(!logins.is_quiet(0));
        logins.expire(300_000);
        assert!(logins.is_quiet(300_000));
        logins.ask(b"a:b", conn(1), None, 300_000);
        decide(&mut logins, Verdict::Granted, 300_000);
        logins.forget();
        assert!(logins.is_quiet(0));
        assert_eq!(logins.ask(b"a:b", conn(1), None, 0), Answer::Wait);
    }

    #[test]
    fn a_flood_from_one_place_leaves_the_others_theirs() {
        let mut logins = Logins::default();
        let (one, other) = (Some([1; 16]), Some([2; 16]));
        assert_eq!(logins.ask(b"was:here", conn(1), one, 0), Answer::Wait);
        decide(&mut logins, Verdict::Granted, 0);
        let now = 400_000;
        let flood = |logins: &mut Logins, from| {
            (0..100_u32)
                .filter(|number| logins.ask(&number.to_be_bytes(), conn(2), from, now) == Answer::Wait)
                .count()
        };
        assert_eq!(flood(&mut logins, one), PENDING_MAX / 2);
        assert_eq!(logins.ask(b"a:b", conn(3), other, now), Answer::Wait);
        assert_eq!(logins.ask(b"was:here", conn(1), one, now), Answer::Wait);
        assert_eq!(logins.take().unwrap().1, b"was:here", "who was let in before goes first");
        assert_eq!(logins.take().unwrap().1, b"a:b", "then those from elsewhere");
        assert_eq!(logins.take().unwrap().1, 0_u32.to_be_bytes());
        // Where nobody knows where they come from they are all alike, but for those who return.
        let mut logins = Logins::default();
        assert_eq!(logins.ask(b"was:here", conn(1), None, 0), Answer::Wait);
        decide(&mut logins, Verdict::Granted, 0);
        assert_eq!(flood(&mut logins, None), PENDING_MAX);
        assert_eq!(logins.ask(b"a:b", conn(3), None, now), UNAVAILABLE);
        assert_eq!(logins.ask(b"was:here", conn(1), None, now), Answer::Wait);
    }

    #[test]
    fn who_waits_too_long_is_told() {
        let mut logins = Logins::default();
        logins.ask(b"a:b", conn(1), None, 0);
        logins.ask(b"a:c", conn(2), None, 1);
        logins.take();
        let mut woken = Vec::new();
        for now in [9999, PATIENCE] {
            logins.give_up(false, now, &mut |id| woken.push((now, id)));
        }
        assert_eq!(woken, [(PATIENCE, conn(1))]);
        assert_eq!(logins.ask(b"a:b", conn(1), None, PATIENCE), UNAVAILABLE);
        logins.give_up(true, PATIENCE, &mut |id| woken.push((0, id)));
        assert_eq!(woken.last(), Some(&(0, conn(2))));
        assert!(logins.take().is_none() && logins.waiters.is_empty());
        logins.ask(b"a:d", conn(3), None, PATIENCE);
        assert_eq!(logins.into_waiters(), [conn(3)]);
    }

    #[test]
    fn tables_are_bounded() {
        let mut logins = Logins::default();
        for number in 0..300_u32 {
            assert_eq!(logins.ask(&number.to_be_bytes(), conn(1), None, 0), Answer::Wait);
            decide(&mut logins, Verdict::Granted, 0);
        }
        for number in 300..500_u32 {
            assert_eq!(logins.ask(&number.to_be_bytes(), conn(1), None, 0), Answer::Wait);
            decide(&mut logins, Verdict::Refused, 0);
        }
        assert_eq!(logins.known.len(), GRANTED_MAX + OTHERS_MAX);
        assert_eq!(logins.ask(&44_u32.to_be_bytes(), conn(1), None, 0), GRANTED);
        assert_eq!(logins.ask(&436_u32.to_be_bytes(), conn(1), None, 0), REFUSED);
        for number in 0..64_u32 {
            assert_eq!(logins.ask(&(1000 + number).to_be_bytes(), conn(1), None, 0), Answer::Wait);
        }
        assert_eq!(logins.ask(b"more", conn(1), None, 0), UNAVAILABLE);
        for number in 64..4096 {
            assert_eq!(logins.ask(&1000_u32.to_be_bytes(), conn(number), None, 0), Answer::Wait);
        }
        assert_eq!(logins.ask(&1000_u32.to_be_bytes(), conn(1), None, 0), UNAVAILABLE);
    }
}
