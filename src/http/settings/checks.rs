//! What the units of the table cannot check: the setters of attributes whose text goes somewhere as it is.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::text::log_target::LogTarget;
use crate::tree::Value;

pub(super) fn set_root(root: &mut Vec<u8>, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    if text.is_empty() {
        return Err("expected a directory or a file".to_owned());
    }
    *root = text.into_bytes();
    Ok(())
}

/// A name with a slash could lead out of the directory it is to stand for.
pub(super) fn set_index(index: &mut Vec<String>, value: &mut Value) -> Result<(), String> {
    let names = value.take_list()?;
    if names.iter().any(|name| name.contains('/') || name == "." || name == "..") {
        return Err("expected names of files, without a slash".to_owned());
    }
    *index = names;
    Ok(())
}

/// Each coding at most once, for the second could never be chosen.
pub(super) fn set_precompressed(codings: &mut Vec<String>, value: &mut Value) -> Result<(), String> {
    let names = value.take_list()?;
    let once = |name| names.iter().filter(|other| *other == name).count() == 1;
    if !names.iter().all(|name| ["br", "zstd", "gzip"].contains(&name.as_str()) && once(name)) {
        return Err("expected some of br, zstd and gzip, each once".to_owned());
    }
    *codings = names;
    Ok(())
}

/// The text goes into a field as it is.
pub(super) fn set_cache_control(field: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) || text.trim() != text {
        return Err("expected directives, such as max-age=3600, or nothing".to_owned());
    }
    *field = text;
    Ok(())
}

/// What is said for no file.
pub(super) const NONE: &str = "none";

/// An empty name, as of a variable that is not set, must not open to all what was to be protected: that has to be said.
pub(super) fn set_auth_file(file: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    if text.is_empty() {
        return Err("expected a file of users, or none".to_owned());
    }
    *file = if text == NONE { String::new() } else { text };
    Ok(())
}

/// The text goes into a quoted string as it is.
pub(super) fn set_realm(realm: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    if text.bytes().any(|byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\')) {
        return Err("expected a text without quotes, backslashes and control characters".to_owned());
    }
    *realm = text;
    Ok(())
}

/// The name goes into `Content-Type` as it is, so it is a token of RFC 9110, section 5.6.2.
pub(super) fn set_charset(charset: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        return Err("expected the name of a charset, such as utf-8, or nothing".to_owned());
    }
    *charset = text;
    Ok(())
}

pub(super) fn set_access_log(target: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    LogTarget::parse(&text)?;
    *target = text;
    Ok(())
}

/// Whole segments, as paths of requests have them when they are decoded.
pub(super) fn set_match(front: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    let path = text.strip_suffix('/').unwrap_or(&text);
    let mut segments = path.split('/');
    let begins = segments.next() == Some("");
    if !begins || segments.any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("expected a path, such as /docs, or nothing".to_owned());
    }
    *front = path.to_owned();
    Ok(())
}

/// The text goes into `Location` as it is, and a path is put after it: it must say all of the host, or nothing.
pub(super) fn set_to(to: &mut String, value: &mut Value) -> Result<(), String> {
    let text = value.take_text()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>".contains(&byte));
    let elsewhere = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let whole = match elsewhere {
        Some(rest) => {
            let host = rest.split('/').next().unwrap_or_default();
            !host.is_empty() && !host.contains('@')
        }
        None => text.is_empty() || (text.starts_with('/') && !text.starts_with("//")),
    };
    if !plain || !whole {
        return Err("expected a path, or a URL of http or https, without a query".to_owned());
    }
    *to = text;
    Ok(())
}
