//! A configuration with every value that holds, and where each comes from.

use alloc::string::String;
use alloc::vec::Vec;

use super::expand::escape;
use super::nodes::NodeId;
use super::settings::Settings;
use super::source::{Source, section};
use crate::text::ini;
use crate::text::join::{joined, push_all};
use crate::text::json::push_string;
use crate::tree::{About, Unit, Value};

/// As an INI file of the same meaning; where a value comes from stands in a comment behind it.
#[must_use]
pub fn dump(source: &Source, settings: &Settings) -> String {
    let mut out = String::new();
    for node in settings.nodes() {
        if !out.is_empty() {
            out.push('\n');
        }
        push_all(&mut out, &["[", &section(node.kind, &node.name), "]\n"]);
        each(settings, &node, &mut |about, value| {
            let comment = joined(&["  ; ", &origin(source, &node, about)]);
            push_pair(about, &value, &comment, "\n", &mut out);
        });
    }
    out
}

/// As JSON: an object a line for each node, with its `path`, its values, and below `from` where they come from.
#[must_use]
pub fn dump_json(source: &Source, settings: &Settings) -> String {
    let mut out = Vec::new();
    for node in settings.nodes() {
        let mut from = Vec::new();
        push_key(b'{', "path", &mut out);
        push_string(path(&node).as_bytes(), &mut out);
        each(settings, &node, &mut |about, value| {
            push_key(b',', about.name(), &mut out);
            value.push_json(&mut out);
            push_key(if from.is_empty() { b'{' } else { b',' }, about.name(), &mut from);
            push_string(origin(source, &node, about).as_bytes(), &mut from);
        });
        push_key(b',', "from", &mut out);
        out.extend_from_slice(&from);
        out.extend_from_slice(b"}}\n");
    }
    String::from_utf8(out).unwrap_or_default()
}

fn push_key(before: u8, key: &str, out: &mut Vec<u8>) {
    out.push(before);
    push_string(key.as_bytes(), out);
    out.push(b':');
}

/// A node's path, as the monitor names it.
fn path(node: &NodeId) -> String {
    let name = if node.kind.is_named() { joined(&["/", &node.name]) } else { String::new() };
    joined(&["/", node.kind.word(), &name])
}

fn each(settings: &Settings, node: &NodeId, take: &mut dyn FnMut(&'static About, Value)) {
    for (at, about) in node.kind.abouts().enumerate().filter(|(_, about)| !about.fact) {
        if let Some(value) = settings.value(node.kind, &node.name, at) {
            take(about, value);
        }
    }
}

fn origin(source: &Source, node: &NodeId, about: &About) -> String {
    let given = source.find(node.kind, &node.name).and_then(|node| node.given(about.name()));
    given.map_or_else(|| String::from("default"), |given| source.show_origin(&given.origin))
}

/// Appends `KEY = VALUE`, so that it is read as it is, with a comment behind its first line. Of several rules each has a
/// line.
pub(super) fn push_pair(about: &About, value: &Value, comment: &str, end: &str, out: &mut String) {
    push_all(out, &[about.name(), " ="]);
    match (about.unit, value) {
        (Unit::Rules, Value::List(rules)) if rules.len() > 1 => {
            push_all(out, &[comment, end]);
            for rule in rules {
                out.push_str("  ");
                ini::push_value(&escape(rule), out);
                out.push_str(end);
            }
        }
        _ => {
            let mut text = String::new();
            value.print(&mut text);
            if !text.is_empty() {
                out.push(' ');
                ini::push_value(&escape(&text), out);
            }
            push_all(out, &[comment, end]);
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests {
    use super::super::load::tests::{Texts, good, load_with};
    use super::*;

    const TEXT: &str = "[http:main]\nroot = \"/srv/50%%; \"\nauth_realm=a \\b\nlisten=:80 write_buffer=auto:4K..64K\n  unix:/a b \
        mode=600\nindex=a,b\nheader_timeout=1500ms\nclients=10.0.0.0/8 read_buffer=1K\ncache_control=\n\
        [handler:main/b]\nkind=status\nmatch=/s\n[handler:main/a]\nmatch=/x\n[http:two]\nroot=/\nlisten=:81\n[gorgon]\ngrace=1s\n";

    #[test]
    fn what_is_dumped_is_a_configuration_of_the_same_meaning() {
        let text = TEXT.replace("a \\b", "ab");
        let loaded = good(&text);
        let dumped = dump(&loaded.source, &loaded.settings);
        let again = good(&dumped);
        assert!(again.settings == loaded.settings, "{dumped}");
        assert!(again.warnings.is_empty());
        // And each value that was given says where.
        for line in [
            "index = a,b  ; /etc/g.conf:6",
            "listen =  ; /etc/g.conf:4",
            "  unix:/a b mode=600",
            "root = \"/srv/50%%; \"  ; /etc/g.conf:2",
            "header_timeout = 1500ms  ; /etc/g.conf:7",
            "fields_max = 100  ; default",
            "[handler:main/b]",
        ] {
            assert!(dumped.lines().any(|found| found == line), "{line}: {dumped}");
        }
        // The second dump has the same values.
        let values = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split("  ; ").next().unwrap().to_owned()).collect()
        };
        assert_eq!(values(&dumped), values(&dump(&again.source, &again.settings)));
    }

    #[test]
    fn origins_of_all_sorts() {
        let files = Texts::new(&[("/etc/g.conf", "[http:main]\nroot=/\n")]);
        let loaded = load_with(&files, &["--hidden", "-l:1"], &[("GORGON_GRACE", "2s")]).unwrap();
        let dumped = dump(&loaded.source, &loaded.settings);
        for line in [
            "hidden = on  ; --hidden",
            "listen = :1  ; -l:1",
            "grace = 2s  ; GORGON_GRACE=2s",
            "[monitor:main]",
        ] {
            assert!(dumped.lines().any(|found| found == line), "{line}: {dumped}");
        }
    }

    #[test]
    fn as_json() {
        let loaded = good(&TEXT.replace("a \\b", "ab"));
        let lines = dump_json(&loaded.source, &loaded.settings);
        let line = |path: &str| lines.lines().find(|line| line.starts_with(path)).unwrap().to_owned();
        let main = line("{\"path\":\"/http/main\",");
        for part in [
            "\"root\":\"/srv/50%; \"",
            "\"index\":[\"a\",\"b\"]",
            "\"header_timeout\":1.5,",
            "\"idle_timeout\":60,",
            "\"read_buffer\":4096,",
            "\"hidden\":false",
            "\"listen\":\"/etc/g.conf:4\"",
        ] {
            assert!(main.contains(part), "{part}: {main}");
        }
        assert!(line("{\"path\":\"/gorgon\",").contains("\"grace\":1,"));
        assert!(line("{\"path\":\"/handler/main/b\",").ends_with("\"status\":\"default\"}}"));
    }
}
