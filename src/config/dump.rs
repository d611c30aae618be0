//! A configuration with every value that holds, and where each comes from.

use alloc::string::String;
use alloc::vec::Vec;

use super::expand::escape;
use super::nodes::NodeId;
use super::settings::Settings;
use super::source::{Source, section};
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;
use crate::text::{ini, json};
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
    let mut out = String::new();
    for node in settings.nodes() {
        let mut from = String::new();
        out.push_str("{\"path\":");
        push_string(&path(&node), &mut out);
        each(settings, &node, &mut |about, value| {
            out.push(',');
            push_string(about.name(), &mut out);
            out.push(':');
            push_json(&value, &mut out);
            from.push(if from.is_empty() { '{' } else { ',' });
            push_string(about.name(), &mut from);
            from.push(':');
            push_string(&origin(source, &node, about), &mut from);
        });
        push_all(&mut out, &[",\"from\":", &from, "}}\n"]);
    }
    out
}

/// A node's path, as the monitor names it.
fn path(node: &NodeId) -> String {
    if node.kind.is_named() {
        joined(&["/", node.kind.word(), "/", &node.name])
    } else {
        String::from("/process")
    }
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

fn push_json(value: &Value, out: &mut String) {
    match value {
        Value::Size(number) | Value::Count(number) => push_decimal_str(*number, out),
        Value::Time(milliseconds) => push_seconds(*milliseconds, out),
        Value::Switch(on) => out.push_str(if *on { "true" } else { "false" }),
        Value::Buffer(buffer) if buffer.least == buffer.most => push_decimal_str(buffer.most_bytes(), out),
        Value::Choice(_) | Value::Text(_) | Value::Buffer(_) => {
            let mut text = String::new();
            value.print(&mut text);
            push_string(&text, out);
        }
        Value::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                push_string(item, out);
            }
            out.push(']');
        }
        Value::Nothing => out.push_str("null"),
    }
}

/// Seconds, with as many decimals as there are.
fn push_seconds(milliseconds: u64, out: &mut String) {
    push_decimal_str(milliseconds / 1000, out);
    let mut rest = milliseconds % 1000;
    if rest > 0 {
        out.push('.');
        while rest > 0 {
            push_decimal_str(rest / 100, out);
            rest = rest % 100 * 10;
        }
    }
}

fn push_string(text: &str, out: &mut String) {
    let mut bytes = Vec::new();
    json::push_string(text.as_bytes(), &mut bytes);
    out.push_str(&String::from_utf8_lossy(&bytes));
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
        assert!(line("{\"path\":\"/process\",").contains("\"grace\":1,"));
        assert!(line("{\"path\":\"/handler/main/b\",").ends_with("\"status\":\"default\"}}"));
        let mut seconds = String::new();
        for milliseconds in [0, 1, 20, 300, 1010, 61_000] {
            push_seconds(milliseconds, &mut seconds);
            seconds.push(' ');
        }
        assert_eq!(seconds, "0 0.001 0.02 0.3 1.01 61 ");
    }
}
