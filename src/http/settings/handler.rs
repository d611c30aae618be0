//! The attributes of a handler of an HTTP server, kind `handler`.

use alloc::string::String;

use crate::tree::{About, Attribute, Kind, Unit, Value};

/// Settings of one handler; [`HANDLER`] tells what each one does.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[allow(missing_docs)] // Each field is the attribute of its name: the table is its documentation.
pub struct HandlerSettings {
    pub enabled: bool,
    /// One of the words of its attribute.
    pub kind: &'static str,
    /// The front of the paths it answers, by whole segments; empty for all.
    pub r#match: String,
    /// Empty for the server's own.
    pub root: String,
}

impl Default for HandlerSettings {
    /// The defaults of the table.
    fn default() -> Self {
        let mut settings = Self { enabled: false, kind: "", r#match: String::new(), root: String::new() };
        HANDLER.defaults(&mut settings);
        settings
    }
}

/// The kind `handler`: one answerer in the list of an HTTP server. Its name is `SERVER/NAME`.
pub static HANDLER: Kind<HandlerSettings> = Kind {
    name: "handler",
    help: "handler of an HTTP server",
    attributes: &[
        Attribute {
            about: About::live("enabled", Unit::Switch, "on", "Whether it is asked.").by_admin(),
            get: |s| Value::Switch(s.enabled),
            set: |s, v| v.into_bool(&mut s.enabled),
        },
        Attribute {
            about: About::live(
                "kind",
                Unit::Choice("files|status|metrics|health"),
                "files",
                "What it answers with. files: those beneath root; status: what the program does, for people; metrics: \
                 the same as Prometheus reads it; health: that it is well.",
            )
            .by_admin(),
            get: |s| Value::Choice(s.kind),
            set: |s, v| v.into_choice(&mut s.kind),
        },
        Attribute {
            about: About::live(
                "match",
                Unit::Text,
                "",
                "The front of the paths it answers. It fits whole segments: /a fits /a and /a/b. Empty fits all.",
            )
            .by_admin(),
            get: |s| Value::Text(s.r#match.clone()),
            set: |s, v| v.into_text().map(|text| s.r#match = text),
        },
        Attribute {
            about: About::live(
                "root",
                Unit::Text,
                "",
                "Directory of the files, for kind=files. Empty is the root of the server.",
            )
            .by_admin(),
            get: |s| Value::Text(s.root.clone()),
            set: |s, v| v.into_text().map(|text| s.root = text),
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds() {
        crate::tree::tests::check_table(&HANDLER);
    }
}
