//! Helper processes that services have no use for any more: each is ended, and awaited as soon as the system says that
//! one has ended (`SIGCHLD`), so that none stays behind as a zombie. Nobody waits for that.

use gorgon_sys::Child;

use super::event_loop::Loop;

impl Loop {
    /// Ends a helper process, now, and has it awaited.
    pub fn end_child(&mut self, child: Child) {
        self.children.extend(child.end().err());
    }

    /// Has the system forget those that have ended. To be called after a signal.
    pub(super) fn reap_children(&mut self) {
        let ended = core::mem::take(&mut self.children);
        self.children.extend(ended.into_iter().filter_map(|child| child.reap().err()));
        gorgon_sys::reap_orphans();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gorgon_sys::{AsFd, Io, OwnedFd, PollerKind, read};

    fn listen(socket: OwnedFd) {
        while let Io::Done(1..) = read(socket.as_fd(), &mut [0]) {}
    }

    #[test]
    fn who_is_ended_is_awaited() {
        let mut lp = Loop::new(PollerKind::available()[0], 1 << 20).unwrap();
        for _ in 0..3 {
            let (child, _socket) = Child::start(listen).unwrap();
            lp.end_child(child);
        }
        for _ in 0..1000 {
            lp.reap_children();
            if lp.children.is_empty() {
                return;
            }
            std::thread::sleep(core::time::Duration::from_millis(10));
        }
        panic!("{} are left", lp.children.len());
    }
}
