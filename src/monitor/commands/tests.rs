//! Every verb and every error, over a tree in memory.

use super::*;
use crate::monitor::memory::MemoryTree;
use crate::monitor::session::Session;
use crate::tree::{Actor, Path};

mod changes;
mod crowds;
mod script;
mod timed;
mod watches;

/// Somebody logged in.
struct Peer {
    sessions: Sessions,
    tree: MemoryTree,
    number: u32,
    woken: Vec<ConnId>,
    /// What the last call of [`work`] said.
    due: Option<u64>,
}

fn actor(role: Role) -> Actor {
    Actor { role, who: "anna from 127.0.0.1".to_owned() }
}

impl Peer {
    fn new(role: Role) -> Peer {
        Peer::with(role, MemoryTree::new(), 64 << 10)
    }

    fn with(role: Role, tree: MemoryTree, room: usize) -> Peer {
        let mut sessions = Sessions::default();
        let session = Session::with_room(actor(role), tree.now, room);
        let number = sessions.add(ConnId::test(1), session);
        Peer { sessions, tree, number, woken: Vec::new(), due: None }
    }

    /// Another session over the same tree; its number.
    fn join(&mut self, role: Role) -> u32 {
        self.sessions.open(ConnId::test(2), actor(role), self.tree.now)
    }

    fn session(&mut self) -> &mut Session {
        self.sessions.get(self.number).unwrap()
    }

    fn work(&mut self) {
        let woken = &mut self.woken;
        self.due = work(&mut self.sessions, &mut self.tree, &mut |id| woken.push(id));
    }

    /// Works until nothing is to be done at once; gives what came, `room` bytes taken at a time.
    fn settle(&mut self, room: usize) -> String {
        let mut out = Vec::new();
        for turn in 0.. {
            assert!(turn < 100_000, "it does not end: {}", String::from_utf8_lossy(&out));
            self.work();
            let now = self.tree.now;
            let session = self.session();
            let count = session.output().len().min(room);
            out.extend_from_slice(&session.output()[..count]);
            session.sent(count);
            if count == 0 && self.due.is_none_or(|due| due > now) {
                break;
            }
        }
        String::from_utf8(out).unwrap()
    }

    /// The answer to some lines.
    fn ask(&mut self, lines: &str) -> String {
        let mut input = [lines, "\n"].concat().into_bytes();
        let mut out = String::new();
        while !input.is_empty() {
            let used = self.session().feed(&input);
            input.drain(..used);
            out.push_str(&self.settle(usize::MAX));
            if self.session().is_over() {
                break;
            }
        }
        out
    }

    /// Holds that lines get answers.
    fn script(&mut self, script: &[(&str, &str)]) {
        for (lines, answer) in script {
            assert_eq!(self.ask(lines), *answer, "{lines}");
        }
    }
}
