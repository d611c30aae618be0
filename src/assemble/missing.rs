//! Unix sockets whose files somebody has removed: who cleans up a directory of temporary files, say. The socket listens on, but
//! nobody finds it any more, so it is made again.
//!
//! ```text
//!            looked at every few seconds, at a reload, and when the program goes on after a stop
//!   there ─────────────────────────────────────────────────▶ gone ──▶ bound again ──▶ there
//!     └──▶ something else lies there: that is somebody's, and is told once ──▶ gone ──▶ ..
//! ```

use alloc::boxed::Box;

use gorgon_sys::{Address, Errno};

use super::listeners::{Socket, State, bind_one, cannot_listen, display};
use super::running::Running;
use super::sockets::too_many;
use super::{Failure, failure};
use crate::engine::Reactor;
use crate::world::World;

/// How often they are looked at, in milliseconds; first so long after the loop begins to count.
pub(super) const PERIOD: u64 = 5000;

impl Running {
    /// When they are looked at next, for [`Loop::set_alarm`](crate::engine::Loop::set_alarm).
    pub(super) fn next_look(&self) -> Option<u64> {
        (!self.served.sockets.0.is_empty()).then_some(self.look)
    }

    /// Looks whether each lies where it was made, and makes those again that do not. Where the root directory is another
    /// one, paths mean something else than when the program started, and nothing is looked for.
    pub(super) fn look_for_sockets(&mut self, reactor: &mut Reactor<World>) {
        let now = reactor.lp().now();
        self.look = now.milliseconds.saturating_add(PERIOD);
        if !self.settings.process.chroot.is_empty() || reactor.lp().is_draining() {
            return;
        }
        for at in 0..self.served.sockets.0.len() {
            let Some(socket) = self.served.sockets.0.get_mut(at) else { return };
            let address = Address::Unix(socket.path.clone());
            let wrong = match socket.state() {
                State::There => {
                    socket.told = false;
                    continue;
                }
                State::Other => {
                    let mut failure = failure(&display(&address), Errno::EXIST);
                    failure
                        .message
                        .push_str("; something else lies in its place, and nobody reaches it there");
                    failure
                }
                State::Gone => match self.bind_again(at, &address, reactor) {
                    Ok(()) => {
                        let words = ["listens on ", &display(&address), " again, whose file was gone"];
                        reactor.world().note(now, &words);
                        continue;
                    }
                    Err(failure) => failure,
                },
            };
            if let Some(socket) = self.served.sockets.0.get_mut(at) {
                if !core::mem::replace(&mut socket.told, true) {
                    reactor.world().note(now, &[&wrong.message]);
                }
            }
        }
    }

    /// Makes one again, for whoever it belongs to.
    fn bind_again(
        &mut self,
        at: usize,
        address: &Address,
        reactor: &mut Reactor<World>,
    ) -> Result<(), Box<Failure>> {
        let mut found = None;
        for bound in &mut self.bound {
            if let Some((id, _)) = bound.sockets.iter_mut().find(|(_, other)| other == address) {
                found = Some((id, bound.service, bound.buffers, bound.options, bound.rule.text.is_empty()));
            }
        }
        let Some((id, service, buffers, options, by_default)) = found else { return Ok(()) };
        #[cfg(feature = "monitor")]
        if by_default {
            self.host.make_place(&options);
        }
        #[cfg(not(feature = "monitor"))]
        let _ = by_default;
        let shown = display(address);
        let (socket, _) = bind_one(address, &options).map_err(|error| cannot_listen(&shown, error))?;
        let (Some(place), Address::Unix(path)) = (self.served.sockets.0.get_mut(at), address) else {
            return Ok(());
        };
        if let Some(new) = Socket::find(path) {
            *place = new;
        }
        let new = reactor.lp().add_listener(socket, service, buffers);
        let new = new.map_err(|error| too_many(address, error))?;
        reactor.lp().remove_listener(*id);
        *id = new;
        Ok(())
    }
}
