//! Listeners whose address no interface has yet: tried again and again, while the others serve.
//!
//! ```text
//! add -> wait 1 s -> try -> wait 2 s -> try -> .. -> wait 60 s -> try ..    until it is bound, or may not be
//! ```

use alloc::vec::Vec;

use gorgon_sys::{Address, Errno, ListenOptions, OwnedFd};

/// The first wait and the longest, in milliseconds.
const WAITS: (u64, u64) = (1000, 60_000);

/// Binds one address; gives the socket, and where it is then.
pub type Bind<'a> = &'a mut dyn FnMut(&Address, &ListenOptions) -> Result<(OwnedFd, Address), Errno>;

/// The listeners that wait.
#[derive(Default)]
pub struct Late {
    /// An address that is not there may come later.
    pub retries: bool,
    waiting: Vec<Waiting>,
}

struct Waiting {
    address: Address,
    options: ListenOptions,
    owner: u32,
    wait: u64,
    /// On the loop's clock, in milliseconds.
    due: u64,
}

/// What became of a listener that waited.
pub enum Came {
    /// It is bound.
    Bound(OwnedFd, Address),
    /// It will never be, for this process may not: where, and the system's word for it.
    Refused(Address, Errno),
}

impl Late {
    /// Whether an address may be there later.
    #[must_use]
    pub fn is_worth_waiting(error: Errno) -> bool {
        error == Errno::ADDRNOTAVAIL
    }

    /// Tries an address again in a second. `owner` is the caller's number for the server it belongs to.
    pub fn add(&mut self, address: Address, options: ListenOptions, owner: u32, now: u64) {
        let due = now.saturating_add(WAITS.0);
        self.waiting.push(Waiting { address, options, owner, wait: WAITS.0, due });
    }

    /// Forgets what an owner waits for: all of it, or one address.
    pub fn remove(&mut self, owner: u32, address: Option<&Address>) {
        let goes =
            |one: &Waiting| one.owner == owner && address.is_none_or(|address| *address == one.address);
        self.waiting.retain(|one| !goes(one));
    }

    /// Forgets all that is not wanted any more, by its owner and address.
    pub fn keep(&mut self, is_wanted: &dyn Fn(u32, &Address) -> bool) {
        self.waiting.retain(|one| is_wanted(one.owner, &one.address));
    }

    /// What an owner waits for.
    pub fn addresses(&self, owner: u32) -> impl Iterator<Item = &Address> {
        self.waiting.iter().filter(move |one| one.owner == owner).map(|one| &one.address)
    }

    /// When the next turn is wanted at the latest, for [`Loop::set_alarm`](crate::engine::Loop::set_alarm).
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.waiting.iter().map(|one| one.due).min()
    }

    /// After each turn of the loop: tries those whose time has come; gives what became of them, by owner.
    pub fn turn(&mut self, now: u64, bind: Bind<'_>) -> Vec<(u32, Came)> {
        let mut came = Vec::new();
        if self.next().is_none_or(|due| due > now) {
            return came;
        }
        self.waiting.retain_mut(|one| {
            if one.due > now {
                return true;
            }
            let outcome = match bind(&one.address, &one.options) {
                Ok((socket, address)) => Came::Bound(socket, address),
                // A right that was given up does not come back, nor does a family that the kernel has not.
                Err(error @ (Errno::ACCESS | Errno::PERM | Errno::AFNOSUPPORT)) => {
                    Came::Refused(one.address.clone(), error)
                }
                Err(_) => {
                    one.wait = one.wait.saturating_mul(2).min(WAITS.1);
                    one.due = now.saturating_add(one.wait);
                    return true;
                }
            };
            came.push((one.owner, outcome));
            false
        });
        came
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::Ip(text.parse().unwrap())
    }

    fn add(late: &mut Late, text: &str, owner: u32, now: u64) {
        late.add(address(text), ListenOptions::default(), owner, now);
    }

    #[test]
    fn it_is_tried_less_and_less_often() {
        let mut late = Late::default();
        assert_eq!(late.next(), None);
        add(&mut late, "192.0.2.1:80", 1, 500);
        let mut tried = Vec::new();
        while tried.len() < 9 {
            let now = late.next().unwrap();
            assert!(late.turn(now - 1, &mut |_, _| panic!("too early")).is_empty());
            let came = late.turn(now, &mut |_, _| Err(Errno::ADDRNOTAVAIL));
            assert!(came.is_empty());
            tried.push(now);
        }
        let gaps: Vec<u64> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(
            (tried[0], gaps.as_slice()),
            (1500, [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000].as_slice())
        );
        let now = late.next().unwrap();
        let came = late.turn(now, &mut |at, _| Ok((gorgon_sys::pair().unwrap().0, at.clone())));
        assert!(matches!(came.as_slice(), [(1, Came::Bound(_, at))] if *at == address("192.0.2.1:80")));
        assert_eq!(late.next(), None);
    }

    #[test]
    fn what_is_not_wanted_any_more_is_forgotten() {
        let mut late = Late::default();
        add(&mut late, "192.0.2.1:80", 1, 0);
        add(&mut late, "192.0.2.1:80", 2, 0);
        add(&mut late, "192.0.2.2:80", 1, 0);
        late.keep(&|owner, one| owner == 1 && *one == address("192.0.2.1:80"));
        assert_eq!(late.addresses(1).count(), 1);
        assert_eq!(late.addresses(2).count(), 0);
    }

    #[test]
    fn what_may_not_be_is_given_up() {
        let mut late = Late::default();
        for (owner, text) in [(1, "192.0.2.1:80"), (2, "192.0.2.2:80"), (2, "192.0.2.3:80")] {
            add(&mut late, text, owner, 0);
        }
        let came = late.turn(1000, &mut |at, _| {
            Err(if *at == address("192.0.2.2:80") { Errno::ACCESS } else { Errno::ADDRINUSE })
        });
        assert!(matches!(came.as_slice(), [(2, Came::Refused(_, Errno::ACCESS))]));
        assert_eq!(late.addresses(2).count(), 1);
        late.remove(2, Some(&address("192.0.2.1:80")));
        assert_eq!((late.addresses(1).count(), late.addresses(2).count()), (1, 1));
        late.remove(1, None);
        late.remove(2, Some(&address("192.0.2.3:80")));
        assert_eq!(late.next(), None);
    }

    #[test]
    fn only_an_address_that_is_not_there_is_waited_for() {
        assert!(Late::is_worth_waiting(Errno::ADDRNOTAVAIL));
        for error in [Errno::ADDRINUSE, Errno::ACCESS, Errno::AFNOSUPPORT, Errno::MFILE] {
            assert!(!Late::is_worth_waiting(error));
        }
    }
}
