//! Asks servers of the domain name system for the names of clients: the service that [`Names`](super::names::Names) waits
//! for.
//!
//! Each question goes out by a socket of its own, connected to the server: the kernel picks a port that cannot be foreseen
//! and passes on nothing that others send. Port and number of the question are what a liar would have to guess.

use alloc::vec::Vec;
use core::net::SocketAddr;

use gorgon_sys::{Address, Errno, datagrams, fill_random};

use super::event_loop::Loop;
use super::limits::Limits;
use super::names::HasNames;
use super::service::{Cx, Service};
use super::values::{ConnId, Key, Next, Timeout};
use ask::{Ask, Step};

mod ask;

/// The most lookups at once.
const ASKS: usize = 8;
/// How long an answer is waited for, in milliseconds.
const PATIENCE: u64 = 2000;
/// The class of that time.
const ANSWER: Timeout = Timeout(1);

/// The service.
pub struct Resolver {
    servers: Vec<SocketAddr>,
    /// The server that is asked next.
    next: usize,
    /// Its own.
    number: u8,
    asks: Vec<Asking>,
}

struct Asking {
    ask: Ask,
    /// The socket that the answer comes by; none while a question waits to be sent.
    conn: Option<ConnId>,
}

impl Resolver {
    /// A service that asks these servers in turn.
    #[must_use]
    pub fn new(servers: Vec<SocketAddr>) -> Resolver {
        Resolver { servers, next: 0, number: u8::MAX, asks: Vec::new() }
    }

    /// What it is to be added with.
    #[must_use]
    pub fn limits() -> Limits {
        let mut limits = Limits::default();
        if let Some(time) = limits.timeouts.get_mut(usize::from(ANSWER.0)) {
            *time = PATIENCE;
        }
        limits
    }

    fn place(&self, id: ConnId) -> Option<usize> {
        self.asks.iter().position(|asking| asking.conn == Some(id))
    }

    /// Does what a lookup wants. Whatever it is, the socket it had is of no more use.
    fn step<W: HasNames>(&mut self, place: usize, step: Step, world: &mut W, lp: &mut Loop) {
        let Some(asking) = self.asks.get_mut(place) else { return };
        asking.conn = None;
        if let Step::Done(name) = step {
            let asking = self.asks.swap_remove(place);
            world.names().settle(asking.ask.ip, name, lp.now().milliseconds);
        }
        lp.settle_soon();
    }

    /// Opens a socket for a question that waits; it is sent when that is there.
    fn connect(&mut self, lp: &mut Loop) -> Result<ConnId, Errno> {
        let server = self.servers.get(self.next % self.servers.len().max(1)).ok_or(Errno::NOENT)?;
        self.next = self.next.wrapping_add(1);
        lp.adopt(datagrams(&Address::Ip(*server))?, self.number)
    }
}

impl<W: HasNames> Service<W> for Resolver {
    fn on_open(&mut self, _key: &mut Key, _world: &mut W, cx: &mut Cx<'_>) -> Next {
        let id = cx.id();
        let Some(asking) = self.place(id).and_then(|place| self.asks.get_mut(place)) else {
            return Next::Close;
        };
        let mut number = [0; 2];
        if fill_random(&mut number).is_err() {
            return Next::Close;
        }
        cx.write(&asking.ask.message(u16::from_ne_bytes(number)));
        Next::Read(ANSWER)
    }

    fn on_bytes(&mut self, _key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Next) {
        let id = cx.id();
        let Some(place) = self.place(id) else { return (input.len(), Next::Close) };
        match self.asks.get_mut(place).map(|asking| asking.ask.hear(input)) {
            Some(Step::Wait) => (input.len(), Next::More),
            Some(step) => {
                self.step(place, step, world, cx.lp());
                (input.len(), Next::Close)
            }
            None => (input.len(), Next::Close),
        }
    }

    fn on_drained(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::More
    }

    fn on_wake(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::More
    }

    fn on_timeout(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Close
    }

    /// A datagram without bytes looks like an end.
    fn on_end(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Close
    }

    fn on_close(&mut self, _key: Key, id: ConnId, world: &mut W, lp: &mut Loop) {
        // One that has its answer has no socket any more.
        let Some(place) = self.place(id) else { return };
        if let Some(step) = self.asks.get_mut(place).map(|asking| asking.ask.fail()) {
            self.step(place, step, world, lp);
        }
    }

    fn on_added(&mut self, service: u8) {
        self.number = service;
    }

    /// What it was at is left to the one that follows it.
    fn on_removed(&mut self, world: &mut W, lp: &mut Loop) {
        for asking in self.asks.drain(..) {
            world.names().put_back(asking.ask.ip);
        }
        lp.settle_soon();
    }

    fn settle(&mut self, world: &mut W, lp: &mut Loop) {
        if self.asks.is_empty() && !world.names().is_wanted() {
            return;
        }
        while self.asks.len() < ASKS {
            let Some(ip) = world.names().next_wanted() else { break };
            self.asks.push(Asking { ask: Ask::new(ip), conn: None });
        }
        let mut place = 0;
        while place < self.asks.len() {
            if self.asks.get(place).is_some_and(|asking| asking.conn.is_none()) {
                match self.connect(lp) {
                    Ok(id) => {
                        if let Some(asking) = self.asks.get_mut(place) {
                            asking.conn = Some(id);
                        }
                    }
                    Err(_) => {
                        // No server can be reached, or there is no descriptor left: as if nobody answered, at once.
                        let asking = self.asks.swap_remove(place);
                        world.names().settle(asking.ask.ip, None, lp.now().milliseconds);
                        continue;
                    }
                }
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests;
