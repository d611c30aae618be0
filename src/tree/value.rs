//! Values of attributes.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use super::Buffer;
use crate::text::json::push_string;
use crate::text::{duration, number, size};

/// One value, in the form its unit gives it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Value {
    /// Bytes.
    Size(u64),
    /// A number of things.
    Count(u64),
    /// Milliseconds.
    Time(u64),
    /// On or off.
    Switch(bool),
    /// One of the words of its unit.
    Choice(&'static str),
    /// Any text without control characters.
    Text(String),
    /// Texts, none of them empty.
    List(Vec<String>),
    /// The size of a buffer.
    Buffer(Buffer),
    /// Not known: a fact that this system does not tell.
    Nothing,
}

/// A value of another unit than the attribute's: no text leads here, for [`super::Unit::parse`] gives the right one.
const MISMATCH: &str = "a value of another unit";

impl Value {
    /// Appends it as JSON has it: bytes and numbers as numbers, times as seconds, `null` for what is not known. A buffer is
    /// a number when it is fixed, and a text when it is a range.
    #[inline(never)]
    pub fn push_json(&self, out: &mut Vec<u8>) {
        match self {
            Value::Size(number) | Value::Count(number) => number::push_decimal(*number, out),
            Value::Time(milliseconds) => duration::push_seconds(*milliseconds, out),
            Value::Switch(on) => out.extend_from_slice(if *on { b"true" } else { b"false" }),
            Value::Buffer(buffer) if buffer.least == buffer.most => {
                number::push_decimal(buffer.most_bytes(), out);
            }
            Value::Choice(_) | Value::Text(_) | Value::Buffer(_) => push_string(self.text().as_bytes(), out),
            Value::List(items) => {
                out.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    push_string(item.as_bytes(), out);
                }
                out.push(b']');
            }
            Value::Nothing => out.extend_from_slice(b"null"),
        }
    }

    /// Its text, as [`super::Unit::parse`] reads it.
    #[inline(never)]
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.print(&mut text);
        text
    }

    /// Appends the value as [`super::Unit::parse`] reads it.
    pub fn print(&self, out: &mut String) {
        match self {
            Self::Size(bytes) => size::print(*bytes, out),
            Self::Count(count) => number::push_decimal_str(*count, out),
            Self::Time(milliseconds) => duration::print(*milliseconds, out),
            Self::Switch(on) => out.push_str(if *on { "on" } else { "off" }),
            Self::Choice(word) => out.push_str(word),
            Self::Text(text) => out.push_str(text),
            Self::Buffer(buffer) => buffer.print(out),
            Self::Nothing => out.push('-'),
            Self::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    out.push_str(item);
                }
            }
        }
    }

    /// Stores a size, a count or a time.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn store_u64(&self, field: &mut u64) -> Result<(), String> {
        match self {
            Self::Size(number) | Self::Count(number) | Self::Time(number) => *field = *number,
            Self::Switch(_)
            | Self::Choice(_)
            | Self::Text(_)
            | Self::List(_)
            | Self::Buffer(_)
            | Self::Nothing => {
                return Err(MISMATCH.to_owned());
            }
        }
        Ok(())
    }

    /// Stores a size, a count or a time that fits; the unit's `max` sees to it.
    ///
    /// # Errors
    /// The value is of another unit, or too large.
    pub fn store_u32(&self, field: &mut u32) -> Result<(), String> {
        let mut wide = 0;
        self.store_u64(&mut wide)?;
        *field = u32::try_from(wide).map_err(|_| "too large".to_owned())?;
        Ok(())
    }

    /// Stores a switch.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn store_bool(&self, field: &mut bool) -> Result<(), String> {
        let Self::Switch(on) = self else { return Err(MISMATCH.to_owned()) };
        *field = *on;
        Ok(())
    }

    /// Stores a choice.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn store_choice(&self, field: &mut &'static str) -> Result<(), String> {
        let Self::Choice(word) = self else { return Err(MISMATCH.to_owned()) };
        *field = *word;
        Ok(())
    }

    /// Takes the text out of it.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn take_text(&mut self) -> Result<String, String> {
        let Self::Text(text) = self else { return Err(MISMATCH.to_owned()) };
        Ok(take(text))
    }

    /// Takes the list out of it.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn take_list(&mut self) -> Result<Vec<String>, String> {
        let Self::List(items) = self else { return Err(MISMATCH.to_owned()) };
        Ok(take(items))
    }

    /// Stores the text.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn store_text(&mut self, field: &mut String) -> Result<(), String> {
        *field = self.take_text()?;
        Ok(())
    }

    /// Stores the list.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn store_list(&mut self, field: &mut Vec<String>) -> Result<(), String> {
        *field = self.take_list()?;
        Ok(())
    }

    /// Stores the size of a buffer.
    ///
    /// # Errors
    /// The value is of another unit.
    pub fn store_buffer(&self, field: &mut Buffer) -> Result<(), String> {
        let Self::Buffer(buffer) = self else { return Err(MISMATCH.to_owned()) };
        *field = *buffer;
        Ok(())
    }
}
