//! What the word before the cursor can become: verbs, paths, keys, values. Pure: it says what it would have to ask.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::record::Record;
use super::words::split_unquoted;
use crate::cli::line_editor::find;
use crate::monitor::verbs::verbs;
use crate::text::join::joined;

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
    /// What its values are, or what a method takes.
    unit: String,
    method: bool,
    /// Whether it cannot be set.
    fact: bool,
}

/// What the server has told.
#[derive(Default)]
pub struct Known {
    schema: Option<Vec<Item>>,
    /// What was asked, and the paths that were told.
    lists: Vec<(String, Vec<String>)>,
}

/// What a line of the schema tells.
fn item(record: &Record) -> Option<Item> {
    let place = record.path.strip_prefix("/schema/")?;
    let method = record.fields.first().filter(|(key, _)| key.is_empty()).map(|(_, name)| name.as_str());
    let (kind, name) = match method {
        Some(name) => (place, name),
        None => place.split_once('.')?,
    };
    let unit = ["choices", "unit", "args"].iter().find_map(|key| record.get(key)).unwrap_or_default();
    let fact = record.get("fact") == Some("on");
    let (kind, name, unit) = (kind.to_owned(), name.to_owned(), unit.to_owned());
    Some(Item { kind, name, unit, method: method.is_some(), fact })
}

impl Known {
    /// Takes the answer to what was asked.
    pub fn learn(&mut self, question: &str, answer: &str) {
        let of_schema = question == "schema";
        let (mut items, mut paths) = (Vec::new(), Vec::new());
        for record in answer.lines().filter_map(Record::parse) {
            if of_schema {
                items.extend(item(&record));
            } else {
                paths.push(record.path);
            }
        }
        if of_schema {
            self.schema = Some(items);
            return;
        }
        if self.lists.len() >= LISTS {
            self.lists.remove(0);
        }
        self.lists.push((question.to_owned(), paths));
    }

    fn paths(&self, question: &str) -> Option<&[String]> {
        self.lists.iter().find(|(asked, _)| asked == question).map(|(_, paths)| paths.as_slice())
    }

    fn items(&self) -> &[Item] {
        self.schema.as_deref().unwrap_or_default()
    }
}

/// What a word can become, as it is gathered.
struct Gathered<'a> {
    word: &'a str,
    known: &'a Known,
    words: Vec<String>,
}

impl Gathered<'_> {
    #[inline(never)]
    fn add(&mut self, parts: &[&str]) {
        let whole = joined(parts);
        if whole.starts_with(self.word) && !self.words.contains(&whole) {
            self.words.push(whole);
        }
    }

    #[inline(never)]
    fn list(&mut self, list: &str) {
        list.split(' ').for_each(|word| self.add(&[word]));
    }

    fn verbs(&mut self) {
        verbs().for_each(|verb| self.add(&[verb.name]));
    }

    /// The attributes or the methods of a kind, with something before and behind them.
    #[inline(never)]
    fn names(&mut self, kind: &str, method: bool, front: &str, end: &str) {
        for item in self.known.items() {
            // What is to be set ends so.
            if item.kind == kind && item.method == method && !(item.fact && end == "=") {
                self.add(&[front, &item.name, end]);
            }
        }
    }

    fn kinds(&mut self) {
        self.known.items().iter().for_each(|item| self.add(&[&item.kind]));
    }

    /// The words that a method takes first, as far as they can be told: those that are not for something else. Gives
    /// whether it is a path.
    fn takes(&mut self, kind: &str, method: &str) -> bool {
        let is = |item: &&Item| item.method && item.kind == kind && item.name == method;
        let takes = self.known.items().iter().find(is).map_or("", |item| item.unit.as_str());
        for word in takes.split('|').filter_map(|words| words.trim_ascii().split(' ').next()) {
            if word.bytes().all(|byte| byte.is_ascii_lowercase()) && !word.is_empty() {
                self.add(&[word]);
            }
        }
        takes.starts_with("PATH")
    }

    /// The values of an attribute, as far as they can be told.
    fn values(&mut self, kind: &str, key: &str) {
        let item = self.known.items().iter().find(|item| item.kind == kind && item.name == key);
        let unit = item.map_or("", |item| item.unit.as_str());
        let choices = if unit == "switch" { "on,off" } else { unit };
        if choices.contains(',') {
            choices.split(',').for_each(|value| self.add(&[value]));
        }
    }
}

/// Whether a line may be remembered: not one that begins with a blank, and none with a secret in it.
#[must_use]
pub fn is_worth_keeping(line: &str) -> bool {
    let small = line.to_ascii_lowercase();
    !line.starts_with(' ')
        && !["password", "secret", "passwd"].iter().any(|word| find(&small, word).is_some())
}

/// Completes the last word of what is before the cursor.
#[must_use]
pub fn complete(before: &str, known: &Known) -> Wanted {
    let command = split_unquoted(before, b';').pop().unwrap_or_default();
    let mut words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
    let word = if command.ends_with(' ') { "" } else { words.pop().unwrap_or_default() };
    let front = words.iter().take_while(|word| matches!(**word, "json" | "kv")).count();
    words.drain(..front);
    let mut found = Gathered { word, known, words: Vec::new() };
    let (verb, object) = (words.first().copied().unwrap_or_default(), words.get(1).copied());
    let last = words.last().copied();
    let wants_path = matches!(verb, "get" | "set" | "keep" | "call" | "watch" | "ls");
    let finds = verb == "find" || (verb == "watch" && object == Some("find"));
    let mut open = false;
    match (verb, object) {
        ("", _) => found.verbs(),
        ("format", None) => found.list("kv json"),
        ("log", None) => found.list("follow"),
        ("watch", None) if !word.starts_with('/') && !word.is_empty() => found.list("find"),
        (_, None) if wants_path => match path(&mut found, verb) {
            Ok(kind) => open = kind,
            Err(question) => return Wanted::Ask(question),
        },
        ("find" | "schema" | "help", _) | ("get" | "set" | "keep" | "call" | "watch", Some(_)) => {
            if known.schema.is_none() {
                return Wanted::Ask("schema".to_owned());
            }
            // Of a path, or the word behind find.
            let object = object.unwrap_or_default();
            let kind = object.trim_start_matches('/').split('/').next().unwrap_or_default();
            match verb {
                _ if finds => {
                    let mut behind =
                        command.split(' ').filter(|word| !word.is_empty()).skip_while(|word| *word != "find");
                    let kind = behind.nth(1).unwrap_or_default();
                    if let Err(question) = condition(&mut found, kind, &words, verb) {
                        return Wanted::Ask(question);
                    }
                }
                "set" => match word.split_once('=') {
                    Some((key, value)) => {
                        found.word = value;
                        found.values(kind, key);
                    }
                    None => {
                        found.names(kind, false, "", "=");
                        found.list("for");
                    }
                },
                "call" if last == Some(object) => found.names(kind, true, "", ""),
                "call" if words.len() == 3 && found.takes(kind, last.unwrap_or_default()) => {
                    match path(&mut found, verb) {
                        Ok(kind) => open = kind,
                        Err(question) => return Wanted::Ask(question),
                    }
                }
                "schema" | "help" if object.is_empty() => {
                    found.kinds();
                    if verb == "help" {
                        found.verbs();
                    }
                }
                "get" | "keep" | "watch" => {
                    found.names(kind, false, "", "");
                    if verb == "watch" {
                        found.list("every");
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
    open |= found.words.first().is_some_and(|word| word.ends_with('='));
    Wanted::Words(Completion { start: before.len() - found.word.len(), words: found.words, open })
}

/// The comparisons of a condition.
const OPERATORS: &str = "= != < <= > >= ~";

/// What stands behind `find KIND`; `words` are those before the one that is completed.
///
/// # Errors
/// What has to be asked first.
fn condition(found: &mut Gathered<'_>, kind: &str, words: &[&str], verb: &str) -> Result<(), String> {
    let mut back = words.iter().rev().copied();
    let (last, before, key) = (back.next(), back.next(), back.next());
    let (last, before) = (last.unwrap_or_default(), before.unwrap_or_default());
    let compares = |word: &str| OPERATORS.split(' ').any(|operator| operator == word);
    match last {
        "find" => found.kinds(),
        "|" => {
            found.names(kind, true, "", "");
            found.list("set sort csv");
        }
        "set" => found.names(kind, false, "", "="),
        "where" | "and" | "or" | "not" | "(" | "show" | "sort" => found.names(kind, false, "", ""),
        "limit" | "every" => {}
        _ if compares(last) && before == "server" => {
            let servers = found.known.paths("ls /http").ok_or("ls /http")?;
            servers.iter().filter_map(|path| path.strip_prefix("/http/")).for_each(|name| found.add(&[name]));
        }
        _ if compares(last) => found.values(kind, before),
        _ => {
            // Each once, in this order; what is compared can be a switch alone.
            let clauses = ["where", "show", "sort", "limit"];
            let given = |clause: &&str| words.contains(clause);
            let next = clauses.iter().rposition(given).map_or(0, |at| at + 1);
            if next == 1 {
                if !compares(before) && last != ")" && key.is_some() {
                    found.list(OPERATORS);
                }
                found.list("and or");
            }
            clauses.iter().skip(next).for_each(|clause| found.add(&[clause]));
            found.list(if verb == "watch" { "every |" } else { "|" });
        }
    }
    Ok(())
}

/// A path: the kinds, the nodes of one, or after a dot the keys of a node. Gives whether it can go on without a blank.
///
/// # Errors
/// What has to be asked first.
fn path(found: &mut Gathered<'_>, verb: &str) -> Result<bool, String> {
    let (word, known) = (found.word, found.known);
    let rest = word.strip_prefix('/').unwrap_or_default();
    let (kind, name) = rest.split_once('/').map_or((rest, None), |(kind, name)| (kind, Some(name)));
    let dot = word.rfind('.').filter(|_| matches!(verb, "get" | "watch"));
    if let Some(dot) = dot {
        if known.schema.is_none() {
            return Err("schema".to_owned());
        }
        let kind = kind.split('.').next().unwrap_or_default();
        found.names(kind, false, word.get(..=dot).unwrap_or_default(), "");
        return Ok(false);
    }
    let kinds = known.paths("ls").ok_or_else(|| "ls".to_owned())?;
    let among = name.is_some() || kinds.iter().any(|path| path == word);
    let question = joined(&["ls /", kind]);
    let paths = if among { known.paths(&question).ok_or(question)? } else { kinds };
    paths.iter().for_each(|path| found.add(&[path]));
    Ok(!among)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"/schema/http.root unit=text role=admin
/schema/http.hidden unit=switch
/schema/http.symlinks unit=choice choices=never,inside,all
/schema/http stop args=""
/schema/http start args=""
/schema/connection.idle unit=time
/schema/connection.server unit=text
/schema/connection.state unit=choice choices=idle,reading,writing fact=on
/schema/connection.tls unit=switch fact=on
/schema/handler move args="first | last | before NAME | after NAME"
/schema/config add args="PATH [KEY=VALUE ...]"
/schema/connection close args=""
"#;

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
            ("qu", "quit"),
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
            ("call /handler/main/a move ", "first last before after"),
            ("call /handler/main/a move b", "before"),
            ("call /handler/main/a move before ", ""),
            ("call /config add ", "/http /loop"),
            ("call /config add /http/m", "/http/main /http/mirror"),
            ("find connection ", "where show sort limit |"),
            ("find connection where state ", "= != < <= > >= ~ and or show sort limit |"),
            ("find connection where state = ", "idle reading writing"),
            ("find connection where idle > 1s and state != r", "reading"),
            ("kv find connection where tls = ", "on off"),
            ("find connection where server = ", "main mirror"),
            ("find connection where idle > ", ""),
            ("find connection where state = idle ", "and or show sort limit |"),
            ("find connection sort idle ", "limit |"),
            ("find connection limit ", ""),
            ("find connection | set state=", ""),
            ("watch find connection where state = ", "idle reading writing"),
            ("watch find connection ", "where show sort limit every |"),
            ("find c", "connection config"),
            ("find ", "http connection handler config"),
            ("find connection w", "where"),
            ("find connection where ", "idle server state tls"),
            ("find connection where idle > 60s and s", "server state"),
            ("find connection | c", "close csv"),
            ("find connection | set i", "idle="),
            ("watch f", "find"),
            ("watch find connection where i", "idle"),
            ("watch /http/main r", "root"),
            ("schema h", "http handler"),
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
