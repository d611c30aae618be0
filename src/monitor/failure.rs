//! Why a request is not done: what replies give behind their code.

use alloc::boxed::Box;
use alloc::string::String;

use crate::tree::{Code, Trouble};

/// [`Trouble`] in a box: it is rare, and results stay small.
pub type Failure = Box<Trouble>;

/// Fills words into a text, each in the place of a `%`. It takes less code than a list that has the text in pieces.
#[must_use]
pub fn fill(text: &str, words: &[&str]) -> String {
    let mut filled = String::new();
    push_filled(&mut filled, text, words);
    filled
}

/// Appends a text with words in it, as [`fill`] does.
#[inline(never)]
pub fn push_filled(out: &mut String, text: &str, words: &[&str]) {
    let mut words = words.iter();
    for character in text.chars() {
        match character {
            '%' => out.push_str(words.next().copied().unwrap_or_default()),
            other => out.push(other),
        }
    }
}

/// A failure that is told by its text alone.
#[must_use]
#[inline(never)]
pub fn failure(code: Code, text: &str) -> Failure {
    failure_with(code, text, &[])
}

/// A failure with one word in its text.
#[must_use]
#[inline(never)]
pub fn failure_of(code: Code, text: &str, word: &str) -> Failure {
    failure_with(code, text, &[word])
}

/// A failure with words in its text, as [`fill`] does it.
#[must_use]
#[inline(never)]
pub fn failure_with(code: Code, text: &str, words: &[&str]) -> Failure {
    Box::new(Trouble { code, message: fill(text, words) })
}

/// It cannot be read: what was expected instead.
#[must_use]
#[inline(never)]
pub fn expected(text: &str) -> Failure {
    expected_with(text, &[])
}

/// It cannot be read: what was expected instead, with one word in its text.
#[must_use]
#[inline(never)]
pub fn expected_of(text: &str, word: &str) -> Failure {
    expected_with(text, &[word])
}

/// It cannot be read: what was expected instead, with words in its text.
#[must_use]
#[inline(never)]
pub fn expected_with(text: &str, words: &[&str]) -> Failure {
    let mut message = String::from("expected ");
    push_filled(&mut message, text, words);
    Box::new(Trouble { code: Code::Syntax, message })
}

/// Something has no such name, and perhaps one that is near.
#[must_use]
pub fn unknown(text: &str, words: &[&str], nearest: Option<&str>) -> Failure {
    let mut failure = failure_with(Code::Unknown, text, words);
    if let Some(nearest) = nearest {
        push_filled(&mut failure.message, "; did you mean %?", &[nearest]);
    }
    failure
}
