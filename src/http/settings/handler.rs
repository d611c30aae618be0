//! The attributes of a handler of an HTTP server, kind `handler`.

use alloc::string::String;

use super::checks::{set_match, set_realm, set_to};
use crate::live;
use crate::tree::{Attribute, Kind, Unit, Value};

/// Settings of one handler; [`HANDLER`] tells what each one does.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[allow(missing_docs)] // Each field is the attribute of its name: the table is its documentation.
pub struct HandlerSettings {
    pub enabled: bool,
    /// One of the words of its attribute.
    pub kind: &'static str,
    /// The front of the paths it answers, by whole segments, without a slash at its end; empty for all.
    pub r#match: String,
    /// Empty for the server's own.
    pub root: String,
    pub auth_file: String,
    pub auth_realm: String,
    pub directory: String,
    /// Bytes, 0 for any number.
    pub upload_max: u64,
    /// Bytes.
    pub upload_reserve: u64,
    pub to: String,
    /// The digits.
    pub status: &'static str,
}

impl Default for HandlerSettings {
    /// The defaults of the table.
    fn default() -> Self {
        let mut settings = Self {
            enabled: false,
            kind: "",
            r#match: String::new(),
            root: String::new(),
            auth_file: String::new(),
            auth_realm: String::new(),
            directory: String::new(),
            upload_max: 0,
            upload_reserve: 0,
            to: String::new(),
            status: "",
        };
        HANDLER.defaults(&mut settings);
        settings
    }
}

impl HandlerSettings {
    /// What is wrong with settings each of which is right: the key at fault and what was expected.
    #[must_use]
    pub fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        let is = |kind: &str| self.kind == kind;
        // What is set for another kind would be as if it were not there.
        let strays = [
            ("root", !self.root.is_empty() && !is("files"), "expected nothing, or kind=files"),
            ("auth_file", !self.auth_file.is_empty() && !is("auth"), "expected nothing, or kind=auth"),
            ("directory", !self.directory.is_empty() && !is("upload"), "expected nothing, or kind=upload"),
            ("to", !self.to.is_empty() && !is("redirect"), "expected nothing, or kind=redirect"),
        ];
        if let Some((key, _, expected)) = strays.into_iter().find(|(_, wrong, _)| *wrong) {
            return Some((key, expected));
        }
        match self.kind {
            "auth" if self.auth_file.is_empty() => Some(("auth_file", "expected a file of users")),
            "upload" if self.directory.is_empty() => Some(("directory", "expected a directory")),
            "upload" if !self.r#match.is_empty() => {
                Some(("match", "expected nothing, for directory says where uploads go"))
            }
            "redirect" if self.to.is_empty() => Some(("to", "expected a path or a URL")),
            "redirect" if self.leads_to_itself() => {
                Some(("to", "expected what does not begin with match, for that would be redirected again"))
            }
            // They would hide all that is served.
            "status" | "metrics" | "health" if self.r#match.is_empty() => {
                Some(("match", "expected a path, such as /-/status"))
            }
            _ => None,
        }
    }

    /// Whether a redirection leads to what is redirected.
    fn leads_to_itself(&self) -> bool {
        let rest = self.to.strip_prefix(self.r#match.as_str());
        self.to.starts_with('/') && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The kind `handler`: one answerer in the list of an HTTP server. Its name is `SERVER/NAME`.
pub static HANDLER: Kind<HandlerSettings> = Kind {
    name: "handler",
    help: "handler of an HTTP server",
    attributes: &[
        Attribute {
            about: live!("enabled", Unit::Switch, "on", "Whether it is asked.").by_admin(),
            get: |s| Value::Switch(s.enabled),
            set: Some(|s, v| v.store_bool(&mut s.enabled)),
        },
        Attribute {
            about: live!(
                "kind",
                Unit::Choice("files|status|metrics|health|auth|upload|redirect"),
                "files",
                "What it answers with. files: those beneath root; status: what the program does, for people; metrics: \
                 the same as Prometheus reads it; health: that it is well; auth: nothing, to those who have a name and \
                 its password; upload: it takes files, where directory says in place of match; redirect: another place.",
            )
            .by_admin(),
            get: |s| Value::Choice(s.kind),
            set: Some(|s, v| v.store_choice(&mut s.kind)),
        },
        Attribute {
            about: live!(
                "match",
                Unit::Text,
                "",
                "The front of the paths it answers. It fits whole segments: /a fits /a and /a/b. Empty fits all.",
            )
            .by_admin(),
            get: |s| Value::Text(s.r#match.clone()),
            set: Some(|s, v| set_match(&mut s.r#match, v)),
        },
        Attribute {
            about: live!(
                "root",
                Unit::Text,
                "",
                "Directory of the files, for kind=files. What match fits is a part of the path: with match=/a, /a/b is \
                 the file a/b in it. Empty is the root of the server.",
            )
            .by_admin(),
            get: |s| Value::Text(s.root.clone()),
            set: Some(|s, v| v.store_text(&mut s.root)),
        },
        Attribute {
            about: live!(
                "auth_file",
                Unit::Text,
                "",
                "File of users, as htpasswd makes it, for kind=auth. Handlers after it are asked only for those in it.",
            )
            .by_admin(),
            get: |s| Value::Text(s.auth_file.clone()),
            set: Some(|s, v| v.store_text(&mut s.auth_file)),
        },
        Attribute {
            about: live!(
                "auth_realm",
                Unit::Text,
                "Gorgon",
                "Name of what auth_file protects. Browsers may show it when they ask for the password.",
            )
            .by_admin(),
            get: |s| Value::Text(s.auth_realm.clone()),
            set: Some(|s, v| set_realm(&mut s.auth_realm, v)),
        },
        Attribute {
            about: live!(
                "directory",
                Unit::Text,
                "",
                "Directory that takes files by PUT, for kind=upload. It is the root of the server or lies beneath it, \
                 and is named from here or from the root.",
            )
            .by_admin(),
            get: |s| Value::Text(s.directory.clone()),
            set: Some(|s, v| v.store_text(&mut s.directory)),
        },
        Attribute {
            about: live!(
                "upload_max",
                Unit::Size { min: 0, max: 1 << 50, power_of_two: false },
                "0",
                "Largest file that can be uploaded, 0 for what the disk holds. A larger one is answered 413.",
            ),
            get: |s| Value::Size(s.upload_max),
            set: Some(|s, v| v.store_u64(&mut s.upload_max)),
        },
        Attribute {
            about: live!(
                "upload_reserve",
                Unit::Size { min: 0, max: 1 << 50, power_of_two: false },
                "16M",
                "Free space that uploads leave. One that would take of it is answered 507; 0 lets them fill the disk.",
            ),
            get: |s| Value::Size(s.upload_reserve),
            set: Some(|s, v| v.store_u64(&mut s.upload_reserve)),
        },
        Attribute {
            about: live!(
                "to",
                Unit::Text,
                "",
                "Path or URL that stands in place of match, for kind=redirect. The rest of the path and the query are \
                 kept.",
            )
            .by_admin(),
            get: |s| Value::Text(s.to.clone()),
            set: Some(|s, v| set_to(&mut s.to, v)),
        },
        Attribute {
            about: live!(
                "status",
                Unit::Choice("301|302|307|308"),
                "302",
                "Status of a redirection. 301 and 308 are for good, and browsers remember them; after 307 and 308 the \
                 method stays.",
            )
            .by_admin(),
            get: |s| Value::Choice(s.status),
            set: Some(|s, v| v.store_choice(&mut s.status)),
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

    fn with(pairs: &[(&str, &str)]) -> Result<HandlerSettings, String> {
        let mut settings = HandlerSettings::default();
        for (key, text) in pairs {
            HANDLER.set_text(&mut settings, key, text).map_err(|problem| problem.message)?;
        }
        Ok(settings)
    }

    #[test]
    fn places_are_paths_or_urls() {
        for text in ["/a", "/a/b.html", "http://example.org", "https://example.org:8443/a", "/%C3%A9", "/"] {
            assert!(with(&[("to", text)]).is_ok(), "{text}");
        }
        for text in [
            "a",
            "//example.org",
            "/\\example.org",
            "ftp://example.org",
            "http://",
            "https:///a",
            "/a?b",
            "/a#b",
            "/a b",
            "/\u{e9}",
            "javascript:x",
            "http://a@b/",
        ] {
            assert!(with(&[("to", text)]).is_err(), "{text}");
        }
        for (text, kept) in [("/a", "/a"), ("/a/", "/a"), ("/", ""), ("", "")] {
            assert_eq!(with(&[("match", text)]).unwrap().r#match, kept);
        }
        for text in ["a", "//a", "/a//b", "/a/../b", "/./a"] {
            assert!(with(&[("match", text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn contradictions_are_found() {
        for (pairs, key) in [
            (&[][..], None),
            (&[("kind", "files"), ("root", "/srv")], None),
            (&[("kind", "status")], Some("match")),
            (&[("kind", "status"), ("match", "/-/status")], None),
            (&[("kind", "health"), ("match", "/"), ("root", "/srv")], Some("root")),
            (&[("kind", "metrics"), ("match", "/")], Some("match")),
            (&[("kind", "auth")], Some("auth_file")),
            (&[("kind", "auth"), ("auth_file", "/etc/users"), ("match", "/private")], None),
            (&[("kind", "files"), ("auth_file", "/etc/users")], Some("auth_file")),
            (&[("kind", "upload")], Some("directory")),
            (&[("kind", "upload"), ("directory", "in")], None),
            (&[("kind", "upload"), ("directory", "in"), ("match", "/in")], Some("match")),
            (&[("kind", "redirect"), ("match", "/old")], Some("to")),
            (&[("kind", "redirect"), ("match", "/old"), ("to", "/new")], None),
            (&[("kind", "redirect"), ("match", "/old"), ("to", "/older")], None),
            (&[("kind", "redirect"), ("match", "/old"), ("to", "/old")], Some("to")),
            (&[("kind", "redirect"), ("match", "/old"), ("to", "/old/er")], Some("to")),
            (&[("kind", "redirect"), ("to", "/new")], Some("to")),
            (&[("kind", "redirect"), ("to", "https://example.org")], None),
            (&[("to", "/new")], Some("to")),
        ] {
            let found = with(pairs).unwrap().contradiction();
            assert_eq!(found.map(|(key, _)| key), key, "{pairs:?}");
        }
    }
}
