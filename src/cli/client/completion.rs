//! What the word before the cursor can become: verbs, paths, keys, values. Pure: it says what it would have to ask.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::record::Record;
use super::words::split_unquoted;

/// The verbs, and the words that may go before one.
const VERBS: &str = "abort begin call commit exit find format get help hello json keep kv log ls quit save schema set unwatch watch";
/// Paths that are remembered; more are asked for again.
const LISTS: usize = 64;

/// What can stand where the cursor is.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Completion {
    /// Where in the line the word begins, in bytes.
    pub start: usize,
    /// What it can become.
    pub words: Vec<String>,
    /// Whether more can follow without a blank.
    pub open: bool,
}

/// What is to be done.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub enum Wanted {
    /// Complete it so.
    Words(Completion),
    /// Ask the server this and tell [`Known::learn`], then try again.
    Ask(String),
}

/// An attribute or a method, as `schema` tells it.
struct Item {
    kind: String,
    name: String,
    unit: String,
    method: bool,
}

/// What the server has told.
#[derive(Default)]
pub struct Known {
    schema: Option<Vec<Item>>,
    /// What was asked, and the paths that were told.
    lists: Vec<(String, Vec<String>)>,
}

impl Known {
    /// Takes the answer to what was asked.
    pub fn learn(&mut self, question: &str, answer: &str) {
        let records = answer.lines().filter_map(Record::parse);
        if question == "schema" {
            let items = records.filter_map(|record| {
                let place = record.path.strip_prefix("/schema/")?;
                let method =
                    record.fields.first().filter(|(key, _)| key.is_empty()).map(|(_, name)| name.as_str());
                let (kind, name) = match method {
                    Some(name) => (place, name),
                    None => place.split_once('.')?,
                };
                let unit = ["choices", "values", "unit"]
                    .into_iter()
                    .find_map(|key| record.get(key))
                    .unwrap_or_default();
                Some(Item {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                    unit: unit.to_owned(),
                    method: method.is_some(),
                })
            });
            self.schema = Some(items.collect());
            return;
        }
        if self.lists.len() >= LISTS {
            self.lists.remove(0);
        }
        self.lists.push((question.to_owned(), records.map(|record| record.path).collect()));
    }

    fn paths(&self, question: &str) -> Option<&[String]> {
        self.lists.iter().find(|(asked, _)| asked == question).map(|(_, paths)| paths.as_slice())
    }

    fn names<'a>(&'a self, kind: &'a str, method: bool) -> impl Iterator<Item = &'a Item> {
        let all = self.schema.as_deref().unwrap_or_default();
        all.iter().filter(move |item| item.method == method && (kind.is_empty() || item.kind == kind))
    }
}

/// Whether a line may be remembered: not one that begins with a blank, and none with a secret in it.
#[must_use]
pub fn is_worth_keeping(line: &str) -> bool {
    let small = line.to_ascii_lowercase();
    !line.starts_with(' ') && !["password", "secret", "passwd"].iter().any(|word| small.contains(word))
}

/// Completes the last word of what is before the cursor.
#[must_use]
pub fn complete(before: &str, known: &Known) -> Wanted {
    let command = split_unquoted(before, b';').pop().unwrap_or_default();
    let mut words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
    let word = if command.ends_with(' ') { "" } else { words.pop().unwrap_or_default() };
    let start = before.len() - word.len();
    while matches!(words.first(), Some(&"json" | &"kv")) {
        words.remove(0);
    }
    let found = |words: Vec<String>| found(start, words);
    let fixed = |list: &str| found(matching(word, list.split(' ')));
    let Some((&verb, rest)) = words.split_first() else { return fixed(VERBS) };
    let path = match (verb, rest) {
        ("format", []) => return fixed("kv json"),
        ("log", []) => return fixed("follow"),
        ("watch", []) if !word.starts_with('/') && !word.is_empty() => return fixed("find"),
        ("get" | "set" | "keep" | "call" | "watch" | "ls", []) => {
            return complete_path(word, start, verb, known);
        }
        ("get" | "set" | "keep" | "call", [path, ..]) => path,
        ("watch", [path, ..]) if *path != "find" => path,
        ("find" | "watch" | "schema" | "help", _) => "",
        _ => return found(Vec::new()),
    };
    if known.schema.is_none() {
        return Wanted::Ask("schema".to_owned());
    }
    let kind = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let names = |kind, method, more: &[&str], end: &str| {
        let mut words: Vec<String> =
            known.names(kind, method).map(|item| [&item.name, end].concat()).collect();
        words.extend(more.iter().map(|word| (*word).to_owned()));
        found(matching(word, words.iter().map(String::as_str)))
    };
    match verb {
        "set" => match word.split_once('=') {
            Some((key, value)) => values(kind, key, value, before.len() - value.len(), known),
            None => names(kind, false, &["for"], "="),
        },
        "get" | "keep" => names(kind, false, &[], ""),
        "watch" if !path.is_empty() => names(kind, false, &["every"], ""),
        "call" if rest.len() == 1 => names(kind, true, &[], ""),
        "schema" | "help" if rest.is_empty() => {
            let mut kinds = kinds(known);
            if verb == "help" {
                kinds.extend(VERBS.split(' ').map(ToOwned::to_owned));
            }
            found(matching(word, kinds.iter().map(String::as_str)))
        }
        "find" | "watch" => {
            let rest = if verb == "find" { rest } else { rest.get(1..).unwrap_or_default() };
            let Some((&kind, rest)) = rest.split_first() else {
                let kinds = kinds(known);
                return found(matching(word, kinds.iter().map(String::as_str)));
            };
            match rest.last() {
                Some(&"|") => names(kind, true, &["set", "sort", "csv"], ""),
                Some(&"set") => names(kind, false, &[], "="),
                Some(&("where" | "and" | "or" | "not" | "(" | "show" | "sort")) => {
                    names(kind, false, &[], "")
                }
                Some(_) | None => fixed("where show sort limit and or every |"),
            }
        }
        _ => found(Vec::new()),
    }
}

fn kinds(known: &Known) -> Vec<String> {
    let mut kinds: Vec<String> = known.names("", false).map(|item| item.kind.clone()).collect();
    kinds.dedup();
    kinds
}

/// A path: the kinds, the nodes of one, or after a dot the keys of a node.
fn complete_path(word: &str, start: usize, verb: &str, known: &Known) -> Wanted {
    let mut parts = word.splitn(3, '/');
    let (_, kind, name) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
    let last = name.unwrap_or(kind);
    if let (Some((_, _)), "get" | "watch") = (last.rsplit_once('.'), verb) {
        if known.schema.is_none() {
            return Wanted::Ask("schema".to_owned());
        }
        let kind = kind.split('.').next().unwrap_or_default();
        let front = word.get(..word.rfind('.').map_or(0, |dot| dot + 1)).unwrap_or_default();
        let words: Vec<String> = known.names(kind, false).map(|item| [front, &item.name].concat()).collect();
        return found(start, matching(word, words.iter().map(String::as_str)));
    }
    let Some(kinds) = known.paths("ls") else { return Wanted::Ask("ls".to_owned()) };
    if name.is_none() && !kinds.iter().any(|path| path == word) {
        return Wanted::Words(Completion {
            start,
            words: matching(word, kinds.iter().map(String::as_str)),
            open: true,
        });
    }
    let question = ["ls /", kind].concat();
    match known.paths(&question) {
        Some(paths) => found(start, matching(word, paths.iter().map(String::as_str))),
        None => Wanted::Ask(question),
    }
}

/// Words of which any is whole, unless it ends in what wants more.
fn found(start: usize, words: Vec<String>) -> Wanted {
    let open = words.first().is_some_and(|word| word.ends_with('='));
    Wanted::Words(Completion { start, words, open })
}

/// The values that an attribute can have, as far as they can be told.
fn values(kind: &str, key: &str, value: &str, start: usize, known: &Known) -> Wanted {
    let unit = known.names(kind, false).find(|item| item.name == key).map_or("", |item| item.unit.as_str());
    let words = if unit.eq_ignore_ascii_case("switch") {
        matching(value, ["on", "off"].into_iter())
    } else if unit.contains(['|', ',']) {
        matching(value, unit.split(['|', ',']))
    } else {
        Vec::new()
    };
    found(start, words)
}

fn matching<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Vec<String> {
    words.filter(|known| known.starts_with(word)).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "\
/schema/http.root unit=text role=admin
/schema/http.hidden unit=switch
/schema/http.symlinks unit=choice choices=never,inside,all
/schema/http stop args=\"\"
/schema/http start args=\"\"
/schema/connection.idle unit=time
/schema/connection.server unit=text
/schema/connection close args=\"\"
";

    fn known() -> Known {
        let mut known = Known::default();
        known.learn("schema", SCHEMA);
        known.learn("ls", "/http\n/loop\n");
        known.learn("ls /http", "/http/main\n/http/mirror\n");
        known.learn("ls /loop", "/loop\n");
        known
    }

    #[test]
    fn words_are_completed() {
        for (before, wanted) in [
            ("", VERBS),
            ("se", "set"),
            ("ls; g", "get"),
            ("json g", "get"),
            ("get ", "/http /loop"),
            ("get /l", "/loop"),
            ("get /loop", "/loop"),
            ("get /http", "/http/main /http/mirror"),
            ("get /http/m", "/http/main /http/mirror"),
            ("get /http/mi", "/http/mirror"),
            ("get /http/main.h", "/http/main.hidden"),
            ("get /http/main s", "symlinks"),
            ("set /http/main ", "root= hidden= symlinks= for"),
            ("set /http/main hidden=o", "on off"),
            ("set /http/main symlinks=", "never inside all"),
            ("set /http/main root=", ""),
            ("call /http/main st", "stop start"),
            ("call /http/main stop ", ""),
            ("find c", "connection"),
            ("find ", "http connection"),
            ("find connection w", "where"),
            ("find connection where ", "idle server"),
            ("find connection where idle > 60s and s", "server"),
            ("find connection | c", "close csv"),
            ("find connection | set i", "idle="),
            ("watch f", "find"),
            ("watch find connection where i", "idle"),
            ("watch /http/main r", "root"),
            ("schema h", "http"),
            ("help sc", "schema"),
            ("log ", "follow"),
            ("format k", "kv"),
            ("nonsense ", ""),
            ("quit x", ""),
        ] {
            let Wanted::Words(Completion { start, words, .. }) = complete(before, &known()) else {
                panic!("{before}")
            };
            assert_eq!(words.join(" "), wanted, "{before}");
            assert!(words.iter().all(|word| word.starts_with(&before[start..])), "{before}");
        }
    }

    #[test]
    fn what_is_not_known_is_asked() {
        for (before, question) in [
            ("get /", "ls"),
            ("set /http/", "ls"),
            ("get /http/main ", "schema"),
            ("find ", "schema"),
            ("get /loop.t", "schema"),
        ] {
            let mut known = Known::default();
            assert_eq!(complete(before, &known), Wanted::Ask(question.to_owned()), "{before}");
            known.learn(question, "");
            assert!(complete(before, &known) != Wanted::Ask(question.to_owned()), "{before}");
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        for line in [" ls", "set /x password=a", "set /x MySecret=a", "gorgon passwd x"] {
            assert!(!is_worth_keeping(line), "{line}");
        }
        assert!(is_worth_keeping("get /http/main"));
    }

    quickcheck::quickcheck! {
        fn any_line_is_borne(before: String) -> bool {
            match complete(&before, &known()) {
                Wanted::Words(found) => before.is_char_boundary(found.start),
                Wanted::Ask(question) => question.starts_with("ls"),
            }
        }
    }
}
