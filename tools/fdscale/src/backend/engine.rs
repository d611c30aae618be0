//! Gorgon's whole loop: its poller, its lookup of connections, its timers and the call of a service for each event.
//!
//! The loop owns what it watches and reads from it itself, so it is no [`Backend`](super::Backend): what is done with
//! what was read is its [`Handler`].

use std::io;
use std::os::fd::OwnedFd;

use gorgon::engine::values::{CLASSES, ConnId, Key, Next, Timeout};
use gorgon::engine::{Buffers, Cx, Limits, Loop, Reactor, Service};
use gorgon_sys::PollerKind;

/// The class of connections that wait for input: a minute, as a server would have it.
const IDLE: Timeout = Timeout(1);
/// How often the loop wakes when nothing happens, in milliseconds: what is lost is found out then.
const BEAT: u64 = 200;

/// Is told what connections received.
pub trait Handler {
    /// So many bytes came on the connection that was added as the `token`th.
    fn received(&mut self, token: u32, count: usize);

    /// Whether a connection is closed once it received something.
    fn ends(&self) -> bool {
        false
    }
}

/// What the loop and its service share.
pub struct World<H> {
    /// Who is told.
    pub handler: H,
    /// Connections opened so far.
    pub opened: u32,
    /// Connections closed so far.
    pub closed: u32,
    /// Connections whose time was over.
    pub expired: u32,
    /// Makes the loop wake from time to time.
    pub beats: bool,
}

struct Sink;

impl<H: Handler> Service<World<H>> for Sink {
    fn on_open(&mut self, key: &mut Key, world: &mut World<H>, _cx: &mut Cx<'_>) -> Next {
        *key = world.opened;
        world.opened += 1;
        Next::Read(IDLE)
    }

    fn on_bytes(
        &mut self,
        key: &mut Key,
        input: &[u8],
        world: &mut World<H>,
        _cx: &mut Cx<'_>,
    ) -> (usize, Next) {
        world.handler.received(*key, input.len());
        (input.len(), if world.handler.ends() { Next::Close } else { Next::Read(IDLE) })
    }

    fn on_drained(&mut self, _key: &mut Key, _world: &mut World<H>, _cx: &mut Cx<'_>) -> Next {
        Next::Read(IDLE)
    }

    fn on_wake(&mut self, _key: &mut Key, _world: &mut World<H>, _cx: &mut Cx<'_>) -> Next {
        Next::Read(IDLE)
    }

    fn on_timeout(&mut self, _key: &mut Key, world: &mut World<H>, _cx: &mut Cx<'_>) -> Next {
        world.expired += 1;
        Next::Read(IDLE)
    }

    fn on_end(&mut self, _key: &mut Key, _world: &mut World<H>, _cx: &mut Cx<'_>) -> Next {
        Next::Close
    }

    fn on_close(&mut self, _key: Key, _id: ConnId, world: &mut World<H>, _lp: &mut Loop) {
        world.closed += 1;
    }

    fn on_timer(&mut self, token: u32, service: u8, world: &mut World<H>, lp: &mut Loop) {
        if world.beats {
            lp.set_timer(BEAT, service, token);
        }
    }
}

/// The loop with one service.
pub struct Engine<H> {
    reactor: Reactor<World<H>>,
    service: u8,
    added: u32,
}

impl<H: Handler + 'static> Engine<H> {
    /// A loop over this poller that watches nothing.
    ///
    /// # Errors
    /// The system's.
    pub fn new(kind: PollerKind, handler: H) -> io::Result<Engine<H>> {
        let lp = Loop::new(kind, 1 << 24)?;
        let world = World { handler, opened: 0, closed: 0, expired: 0, beats: true };
        let mut reactor = Reactor::new(lp, world, 1 << 12)?;
        let mut timeouts = [0; CLASSES];
        timeouts[0] = 20_000;
        timeouts[1] = 60_000;
        let service = reactor.add_service(Box::new(Sink), Limits { timeouts, ..Limits::default() })?;
        reactor.lp().set_timer(BEAT, service, 0);
        Ok(Engine { reactor, service, added: 0 })
    }

    /// Has the loop watch a descriptor; tokens count from 0. It does so in a turn: see [`Engine::open_all`].
    ///
    /// # Errors
    /// When there is no room.
    pub fn add(&mut self, fd: OwnedFd) -> io::Result<()> {
        self.reactor.lp().adopt(fd, self.service)?;
        self.added += 1;
        Ok(())
    }

    /// Turns until all that was added is watched.
    ///
    /// # Errors
    /// The poller's; `ENOSPC` when it refused some.
    pub fn open_all(&mut self) -> io::Result<()> {
        // A few are opened in each turn; one that cannot be watched is closed.
        let most = self.added.saturating_add(16);
        for _ in 0..most {
            if self.reactor.world().opened == self.added && self.reactor.lp().counters().turns > 0 {
                break;
            }
            self.turn(true)?;
        }
        // One more: closes what could not be watched.
        self.turn(true)?;
        let world = self.reactor.world();
        if world.opened == self.added && world.closed == 0 {
            return Ok(());
        }
        Err(io::Error::from_raw_os_error(libc::ENOSPC))
    }

    /// Has the loop accept from a listening socket.
    ///
    /// # Errors
    /// The poller's.
    pub fn listen(&mut self, listener: OwnedFd) -> io::Result<()> {
        self.reactor.lp().add_listener(listener, self.service, Buffers::fixed(12, 14))?;
        Ok(())
    }

    /// Connections closed so far.
    pub fn closed(&mut self) -> u32 {
        self.reactor.world().closed
    }

    /// One turn of the loop, which waits if there is nothing to do, unless it is not to.
    ///
    /// # Errors
    /// The poller's.
    pub fn turn(&mut self, at_once: bool) -> io::Result<()> {
        if at_once {
            self.reactor.lp().settle_soon();
        }
        self.reactor.turn().map(drop).map_err(Into::into)
    }

    /// Who is told.
    pub fn handler(&mut self) -> &mut H {
        &mut self.reactor.world().handler
    }
}
