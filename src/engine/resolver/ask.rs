//! Finds out the name of one address: a machine without I/O.
//!
//! ```text
//! names of the address? -> addresses of the first name? -> this address is among them: known
//!                      \-> of the next, three at most ../-> of none of them: there is no name
//! each question: two tries, then it has no answer
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::text::dns::{Answer, Question, Record, Unanswered, reverse_name};

/// How often a question is asked.
const TRIES: u32 = 2;
/// The most names of one address that are looked at.
const NAMES: usize = 3;
/// The most messages that do not answer before a try is given up.
const STRAYS: u32 = 32;

/// A lookup under way.
pub(super) struct Ask {
    /// Of which address.
    pub(super) ip: IpAddr,
    question: Question,
    /// The names that the address is said to have, the one that is asked about last. Empty while these are asked for.
    names: Vec<String>,
    /// For how many seconds they hold.
    seconds: u32,
    tries: u32,
    strays: u32,
}

/// What is to be done next.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Step {
    /// Ask the question, of a server that was not asked last.
    Ask,
    /// Wait on: this was no answer.
    Wait,
    /// It is over: the name and for how many seconds it holds, or none.
    Done(Option<(String, u32)>),
}

impl Ask {
    pub(super) fn new(ip: IpAddr) -> Ask {
        let question = Question { id: 0, name: reverse_name(ip), record: Record::Name };
        Ask { ip, question, names: Vec::new(), seconds: u32::MAX, tries: 0, strays: 0 }
    }

    /// The message to send, for one more try; `id` is one that nobody can guess.
    pub(super) fn message(&mut self, id: u16) -> Vec<u8> {
        self.question.id = id;
        self.tries += 1;
        self.strays = 0;
        let mut message = Vec::new();
        self.question.push(&mut message);
        message
    }

    /// Something came from the server.
    pub(super) fn hear(&mut self, message: &[u8]) -> Step {
        match self.question.read(message) {
            Ok(answer) => self.answered(answer),
            Err(Unanswered::Failed) => self.fail(),
            Err(Unanswered::Stray) => {
                self.strays += 1;
                if self.strays >= STRAYS { self.fail() } else { Step::Wait }
            }
        }
    }

    /// No answer came, or none can come.
    pub(super) fn fail(&mut self) -> Step {
        if self.tries < TRIES { Step::Ask } else { self.next_name() }
    }

    fn answered(&mut self, answer: Answer) -> Step {
        if self.question.record == Record::Name {
            self.names = answer.names;
            self.names.truncate(NAMES);
            // The first is looked at first.
            self.names.reverse();
            self.seconds = answer.seconds;
            return self.ask_about();
        }
        if answer.addresses.contains(&self.ip) {
            let seconds = self.seconds.min(answer.seconds);
            return Step::Done(self.names.pop().map(|name| (name, seconds)));
        }
        self.next_name()
    }

    fn next_name(&mut self) -> Step {
        self.names.pop();
        self.ask_about()
    }

    fn ask_about(&mut self) -> Step {
        let Some(name) = self.names.last() else { return Step::Done(None) };
        self.question.name.clone_from(name);
        self.question.record = if self.ip.is_ipv4() { Record::Ipv4 } else { Record::Ipv6 };
        self.tries = 0;
        Step::Ask
    }
}
