//! What stands in a value for something else: `%(here)s`, `%(host_node_name)s`, `%(ENV_NAME)s`, and `%%` for a `%`.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::text::join::joined;
use crate::text::nearest::nearest;
use crate::text::split::split_once;

/// What values may name.
pub(super) struct Names<'a, 'e> {
    /// The directory of the file.
    pub(super) here: &'a str,
    /// The name of this host.
    pub(super) host: &'a str,
    /// A variable of the environment.
    pub(super) environment: &'a dyn Fn(&str) -> Option<&'e [u8]>,
}

/// A text with all that put in. `lone` is set where a `%` begins nothing; it stands for itself.
///
/// # Errors
/// What is named and is not there.
pub(super) fn expand(text: &str, names: &Names<'_, '_>, lone: &mut bool) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|name| split_once(name, ")s")) {
            out.push_str(&value(name, names)?);
            rest = after;
        } else {
            *lone = true;
            out.push('%');
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn value(name: &str, names: &Names<'_, '_>) -> Result<String, String> {
    match name {
        "here" => return Ok(names.here.to_owned()),
        "host_node_name" => return Ok(names.host.to_owned()),
        _ => {}
    }
    let Some(variable) = name.strip_prefix("ENV_") else {
        let message = joined(&["%(", name, ")s: there are %(here)s, %(host_node_name)s and %(ENV_NAME)s"]);
        return Err(match nearest(name, &mut ["here", "host_node_name"].into_iter()) {
            Some(near) => joined(&[&message, "; did you mean %(", near, ")s?"]),
            None => message,
        });
    };
    let Some(bytes) = (names.environment)(variable) else {
        return Err(joined(&["%(", name, ")s: the environment has no ", variable]));
    };
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(joined(&["%(", name, ")s: expected UTF-8 in ", variable])),
    }
}

/// A text that is read as it is: each `%` twice.
pub(super) fn escape(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> (Result<String, String>, bool) {
        let environment = |name: &str| match name {
            "HOME" => Some(&b"/home/%(here)s"[..]),
            "ODD" => Some(&b"\xff"[..]),
            _ => None,
        };
        let names = Names { here: "/etc", host: "box", environment: &environment };
        let mut lone = false;
        let text = expand(text, &names, &mut lone);
        (text, lone)
    }

    #[test]
    fn puts_in_what_is_named() {
        for (text, result, lone) in [
            ("", "", false),
            ("plain", "plain", false),
            ("%(here)s/a", "/etc/a", false),
            ("a%(host_node_name)sb", "aboxb", false),
            // Once, and no more.
            ("%(ENV_HOME)s", "/home/%(here)s", false),
            ("100%%", "100%", false),
            ("%%(here)s", "%(here)s", false),
            ("%%%(here)s", "%/etc", false),
            ("100%", "100%", true),
            ("%20", "%20", true),
            ("%(here", "%(here", true),
            ("%()", "%()", true),
        ] {
            assert_eq!(expanded(text), (Ok(result.to_owned()), lone), "{text}");
        }
    }

    #[test]
    fn names_what_is_not_there() {
        for (text, message) in [
            ("%(hree)s", "did you mean %(here)s?"),
            ("%()s", "there are %(here)s"),
            ("%(ENV_NONE)s", "the environment has no NONE"),
            ("%(ENV_)s", "the environment has no "),
            ("%(ENV_ODD)s", "expected UTF-8 in ODD"),
            ("%(program_name)s", "there are"),
        ] {
            assert!(expanded(text).0.is_err_and(|found| found.contains(message)), "{text}");
        }
    }

    quickcheck::quickcheck! {
        fn what_is_escaped_comes_back(text: String) -> bool {
            expanded(&escape(&text)) == (Ok(text), false)
        }
    }
}
