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

/// A failure in some words.
#[must_use]
#[inline(never)]
pub fn failure(code: Code, text: &str, words: &[&str]) -> Failure {
    Box::new(Trouble { code, message: fill(text, words) })
}

/// It cannot be read: what was expected instead.
#[must_use]
#[inline(never)]
pub fn expected(text: &str, words: &[&str]) -> Failure {
    let mut message = String::from("expected ");
    push_filled(&mut message, text, words);
    Box::new(Trouble { code: Code::Syntax, message })
}

/// Something has no such name, and perhaps one that is near.
#[must_use]
pub fn unknown(text: &str, words: &[&str], nearest: Option<&str>) -> Failure {
    let mut failure = failure(Code::Unknown, text, words);
    if let Some(nearest) = nearest {
        push_filled(&mut failure.message, "; did you mean %?", &[nearest]);
    }
    failure
}
