//! Why a request is not done: what replies give behind their code.

use alloc::boxed::Box;

use crate::tree::{Code, Trouble};

/// [`Trouble`] in a box: it is rare, and results stay small.
pub type Failure = Box<Trouble>;

/// A failure in a few words.
#[must_use]
#[inline(never)]
pub fn failure(code: Code, words: &[&str]) -> Failure {
    Box::new(Trouble::new(code, words))
}

/// It cannot be read: what was expected instead.
#[must_use]
#[inline(never)]
pub fn expected(words: &[&str]) -> Failure {
    let mut failure = failure(Code::Syntax, words);
    failure.message.insert_str(0, "expected ");
    failure
}

/// Something has no such name, and perhaps one that is near.
#[must_use]
pub fn unknown(words: &[&str], nearest: Option<&str>) -> Failure {
    let mut failure = failure(Code::Unknown, words);
    if let Some(nearest) = nearest {
        failure.message.extend(["; did you mean ", nearest, "?"]);
    }
    failure
}
