//! Verbs that change something: `set`, `keep`, `call`, transactions, `save`; and the changes that come back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::place::{exists, missing, parse};
use super::{Ask, Desk, decimal};
use crate::monitor::failure::{
    Failure, expected, expected_of, expected_with, failure, failure_of, failure_with, fill, unknown,
};
use crate::monitor::filter::attribute;
use crate::monitor::render::{self, escape};
use crate::monitor::request::Words;
use crate::monitor::session::STEPS;
use crate::monitor::timed::{self, AGAIN, Change, TIMED, Timed};
use crate::text::duration::{self, rounded};
use crate::text::join::separated;
use crate::text::nearest::nearest;
use crate::tree::{Actor, Code, Method, Path, Schema, Step, Tree, Value};

/// Nodes changed by one command, or coming back at once, whose earlier values are noted; the others are counted.
pub(super) const NOTED: usize = 16;

/// What the paths of connections begin with, which are in no configuration.
const CONNECTIONS: &str = "/connection/";

/// A text that a sentence ends with.
fn or_empty(text: &str) -> &str {
    if text.is_empty() { "empty" } else { text }
}

/// The value of an attribute now, as text; empty when there is none.
fn value(tree: &mut dyn Tree, path: &str, key: &str) -> String {
    if let Some(text) = tree.part(path, key) {
        return text;
    }
    if let Ok((schema, name)) = parse(tree, path) {
        let place = schema.find(key).map(|(place, _)| place);
        if let Some(value) = place.and_then(|place| tree.get(&Path { kind: schema.name, name }, place)) {
            return value.text();
        }
    }
    String::new()
}

/// The configuration was read again: what it says now stays, and nothing comes back on a node that is gone, should there
/// be another of its name later.
pub(super) fn reloaded(timed: &mut Timed, touched: &[String], tree: &mut dyn Tree) {
    timed.forget(&mut |change| {
        let is_there = parse(tree, &change.path).is_ok_and(|(schema, name)| exists(tree, schema, name));
        !is_there
            || touched.contains(&fill("%.%", &[&change.path, change.attribute()]))
            || tree.said(&change.path, &change.key).is_some_and(|said| said == change.set)
    });
}

/// Sets back what is due. What cannot be set back yet waits on.
#[inline(never)]
pub(super) fn take_back(timed: &mut Timed, tree: &mut dyn Tree, now: u64) {
    let mut due = timed.take_due(now);
    // What was set again by others stays, and a node that is gone has nothing. Of rules, only a part can have been set
    // again: the whole would be forgotten.
    due.forget(&mut |change| {
        let now = value(tree, &change.path, &change.key);
        now != change.set && (change.key != "listen" || now.is_empty())
    });
    let mut told = 0;
    set_back(&mut due.changes, tree, &mut told);
    if told > NOTED {
        tree.note(&["time is over: ", &decimal(due.count() as u64), " changes in all"]);
    }
    due.forget(&mut |change| !change.failed);
    for change in &mut due.changes {
        change.due = now.saturating_add(AGAIN);
    }
    timed.append(due);
}

/// Sets these back: all at once, for values that were set together may hold only together; where that fails, each half
/// of it, and so on: what fails is found in few steps.
fn set_back(changes: &mut [Box<Change>], tree: &mut dyn Tree, told: &mut usize) {
    let Some(first) = changes.first() else { return };
    let result = tree.change(&timed::steps(changes, |change| &change.back), &first.actor);
    if result.is_err() && changes.len() > 1 {
        let (front, rest) = changes.split_at_mut(changes.len() / 2);
        set_back(front, tree, told);
        return set_back(rest, tree, told);
    }
    for change in changes {
        let has_failed = core::mem::replace(&mut change.failed, result.is_err());
        let (text, last) = match &result {
            Ok(()) => ("time is over: %.%=%, was %", or_empty(&change.set)),
            // Once is enough to tell that it fails.
            Err(_) if has_failed => continue,
            Err(trouble) => ("time is over: %.%=% failed, and is tried again: %", &*trouble.message),
        };
        *told += 1;
        if *told <= NOTED {
            note(tree, &change.actor, text, &[&change.path, &change.key, change.before(), last]);
        }
    }
}

/// Notes something with who did it.
#[inline(never)]
fn note(tree: &mut dyn Tree, actor: &Actor, text: &str, words: &[&str]) {
    // A word of a call may hold a line feed; an event is one line.
    let mut line = Vec::new();
    escape(&fill(text, words), &mut line);
    tree.note(&[&actor.who, ": ", core::str::from_utf8(&line).unwrap_or_default()]);
}

impl Desk<'_> {
    /// Notes something that the session did.
    pub(super) fn note(&mut self, text: &str, words: &[&str]) {
        note(self.tree, &self.session.actor, text, words);
    }

    /// Holds that the session may set an attribute to a text.
    fn hold_attribute(&self, schema: &'static Schema, key: &str, text: &str) -> Result<(), Failure> {
        let (_, about) = attribute(schema, key)?;
        self.hold_role(about.role, key)?;
        if !about.live {
            let (fact, start) = ("% is a fact; nobody sets it", "% changes only when the program starts");
            return Err(failure_of(Code::Refused, if about.fact { fact } else { start }, key));
        }
        let wrong = about.unit.parse(text).err();
        wrong.map_or(Ok(()), |wrong| Err(failure_with(Code::Invalid, "%: %", &[key, &wrong])))
    }

    /// Appends the steps of KEY=VALUE..., each of them allowed.
    pub(super) fn sets(
        &self,
        schema: &'static Schema,
        path: &str,
        words: &[&str],
        steps: &mut Vec<Step>,
    ) -> Result<(), Failure> {
        if words.is_empty() {
            return Err(expected("KEY=VALUE"));
        }
        for word in words {
            let Some((key, text)) = word.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(expected_of("KEY=VALUE, not %", word));
            };
            for step in &*steps {
                if matches!(step, Step::Set { key: other, .. } if other == key) {
                    return Err(failure_of(Code::Conflict, "% is there twice", key));
                }
            }
            self.hold_attribute(schema, key, text)?;
            steps.push(Step::set(path, key, text));
        }
        Ok(())
    }

    /// Appends the one step of a method that the session may call.
    pub(super) fn method(
        &self,
        schema: &'static Schema,
        name: &str,
        path: &str,
        words: &mut Words<'_>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Failure> {
        let mut list = Vec::new();
        while let Some(word) = words.word()? {
            list.push(String::from(word));
        }
        let Some(method) = schema.method(name) else {
            let near = nearest(name, &mut schema.methods.iter().map(|method| method.name));
            return Err(unknown("% has no method %", &[schema.name, name], near));
        };
        self.hold_role(method.role, method.name)?;
        if !method.takes(&list) {
            return Err(match method.words {
                "" => failure_of(Code::Syntax, "% takes no words", method.name),
                forms => expected_with("% %", &[method.name, forms]),
            });
        }
        steps.push(Step::Call { path: String::from(path), method, words: list });
        Ok(())
    }

    pub(super) fn set(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let text = words.expect("a path")?;
        let (mut path, mut list) = (Some(text), Vec::new());
        // `get` writes PATH.KEY=VALUE; that can be set again.
        if let Some((front, _)) = text.split_once('=') {
            path = front.rsplit_once('.').map(|(path, _)| path);
            list.push(path.and_then(|path| text.get(path.len() + 1..)).unwrap_or_default());
        }
        words.all(&mut list)?;
        let Some(path) = path else { return Err(expected("a path and KEY=VALUE")) };
        let due = self.due(&mut list)?;
        let schema = self.node_to_change(path)?;
        let mut steps = Vec::new();
        self.sets(schema, path, &list, &mut steps)?;
        self.change_for(steps, due, usize::MAX)
    }

    /// Takes `for TIME` off the end of words; gives when that is over.
    pub(super) fn due(&self, words: &mut Vec<&str>) -> Result<Option<u64>, Failure> {
        let Some(at) = words.iter().rposition(|word| *word == "for") else { return Ok(None) };
        let last = words.get(at + 1).filter(|_| words.len() == at + 2);
        let time = last.and_then(|time| duration::parse(time));
        if time.is_none() {
            return Err(failure(Code::Invalid, "expected a time such as 10m behind for, and no more"));
        }
        if self.session.steps.is_some() {
            return Err(failure(Code::Conflict, "in a transaction nothing is set for a time"));
        }
        words.truncate(at);
        Ok(time.map(|time| self.now.saturating_add(time)))
    }

    /// The kind of a node that is there, or that an earlier step of the transaction will add.
    fn node_to_change(&mut self, text: &str) -> Result<&'static Schema, Failure> {
        let (schema, name) = parse(self.tree, text)?;
        let mut found = exists(self.tree, schema, name);
        for step in self.session.steps.as_deref().unwrap_or_default() {
            found |=
                matches!(step, Step::Call { words, .. } if words.first().is_some_and(|word| word == text));
        }
        if found { Ok(schema) } else { Err(missing(schema.name, name)) }
    }

    /// Makes changes; those that have a time come back when they are due. So many of them are noted.
    #[inline(never)]
    pub(super) fn change_for(
        &mut self,
        steps: Vec<Step>,
        due: Option<u64>,
        told: usize,
    ) -> Result<(), Failure> {
        let Some(due) = due else { return self.change(steps, told) };
        let mut new = Timed::default();
        for (step, asked) in self.tree.canonical(&steps)?.iter().zip(&steps) {
            let (Step::Set { path: node, .. } | Step::Call { path: node, .. }) = asked;
            self.will_wait(step, node, due, &mut new)?;
        }
        // Those of connections that have gone meanwhile are no more than places.
        let tree = &mut *self.tree;
        self.timed.forget(&mut |change| {
            change.path.starts_with(CONNECTIONS) && value(tree, &change.path, &change.key).is_empty()
        });
        let mut waiting = self.timed.count();
        for Change { path, key, .. } in new.waiting() {
            waiting += usize::from(self.timed.find(path, key).is_none());
        }
        if waiting > TIMED {
            return Err(failure(Code::Limit, "at most 1024 changes wait to come back"));
        }
        self.change(timed::steps(&new.changes, |change| &change.set), told)?;
        let mut length = String::new();
        duration::print(due.saturating_sub(self.now), &mut length);
        for (place, change) in new.changes.iter_mut().enumerate() {
            let Change { path, key, .. } = &**change;
            if place < told {
                self.note("%.% is % again in %", &[path, key, or_empty(change.before()), &length]);
            }
            change.set = value(self.tree, path, key);
        }
        self.timed.append(new);
        Ok(())
    }

    /// Adds what comes back of a step to `new`. It was asked for by a node's name.
    #[inline(never)]
    fn will_wait(&mut self, step: &Step, node: &str, due: u64, new: &mut Timed) -> Result<(), Failure> {
        let Step::Set { path, key, text } = step else { return Ok(()) };
        if path.starts_with(CONNECTIONS) && matches!(key.as_str(), "send_buffer" | "receive_buffer") {
            let why = "% of a connection cannot come back: the kernel does not return to its own tuning";
            return Err(failure_of(Code::Refused, why, key));
        }
        // Of two that come to the same attribute, the second holds what the first has set.
        new.forget(&mut |change| change.is(path, key));
        // What comes back is the last value that was to stay.
        let back = match self.timed.find(path, key) {
            Some(change) => change.back.clone(),
            // It would hold for good what a part of it was set to for a time.
            None if self.timed.waiting().any(|change| change.is_of(path, key)) => {
                return Err(failure_of(
                    Code::Conflict,
                    "a part of % waits to come back; keep that first",
                    key,
                ));
            }
            None => value(self.tree, path, key),
        };
        let mut due = due;
        if key.starts_with("listen[") {
            // With the rules, a part of them comes back.
            if let Some(whole) = self.timed.find(path, "listen") {
                due = due.min(whole.due);
            }
        }
        let (path, key, node, set) = (path.clone(), key.clone(), String::from(node), text.clone());
        let actor = self.session.actor.clone();
        new.push(Box::new(Change { path, key, node, back, due, set, actor, failed: false }));
        Ok(())
    }

    pub(super) fn keep(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        if words.is_empty() {
            self.waiting(ask.json);
            return Ok(());
        }
        let walk = self.place(words, true)?;
        let node = Path { kind: walk.schema.name, name: &walk.name }.text();
        let mut kept = Timed::default();
        for (at, about) in walk.schema.abouts().enumerate() {
            let meant = walk.keys.is_empty() || walk.keys.contains(&at);
            if meant && !about.fact && self.timed.count() > 0 {
                let taken = self.take_timed(walk.one, &node, about.name());
                let allowed =
                    if taken.count() > 0 { self.hold_role(about.role, about.name()) } else { Ok(()) };
                kept.append(taken);
                if allowed.is_err() {
                    // None is kept unless all may be.
                    self.timed.append(kept);
                    return allowed;
                }
            }
        }
        if kept.count() == 0 {
            return Err(failure_of(Code::Conflict, "nothing of % is set for a time", &node));
        }
        self.note("keep % of %", &[&decimal(kept.count() as u64), &node]);
        Ok(())
    }

    /// Takes what an attribute of one node, or of all nodes of its kind, was set to for a time.
    #[inline(never)]
    fn take_timed(&mut self, one: bool, node: &str, name: &str) -> Timed {
        if !one {
            let front = node.trim_end_matches('*');
            return self.timed.take(&mut |change| match change.of_listener() {
                Some(key) => key == name && front == "/listener/",
                None => change.key == name && change.path.starts_with(front),
            });
        }
        // It waits by the node that keeps the attribute.
        let step = Step::set(node, name, &value(self.tree, node, name));
        match self.tree.canonical(&[step]).unwrap_or_default().first() {
            Some(Step::Set { path, key, .. }) => self.timed.take(&mut |change| change.is_of(path, key)),
            _ => Timed::default(),
        }
    }

    /// Tells what was set for a time, and for how long that holds.
    #[inline(never)]
    fn waiting(&mut self, json: bool) {
        let mut out = Vec::new();
        for change in self.timed.waiting() {
            let (path, key) = match change.of_listener() {
                Some(key) => (&change.node, key),
                None => (&change.path, &*change.key),
            };
            let Some(path) = Path::parse(path) else { continue };
            let left = Value::Time(rounded(change.due.saturating_sub(self.now)));
            render::open(path.kind, path.name, json, &mut out);
            render::text("attribute", key, json, &mut out);
            render::text("value", &change.set, json, &mut out);
            render::text("earlier", &change.back, json, &mut out);
            render::field("left", &left, json, &mut out);
            render::close(json, &mut out);
        }
        self.give_text(String::from_utf8(out).unwrap_or_default());
    }

    pub(super) fn call(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let text = words.expect("a path")?;
        let (schema, name) = parse(self.tree, text)?;
        let mut steps = Vec::new();
        self.method(schema, words.expect("a method")?, text, words, &mut steps)?;
        self.node_to_change(text)?;
        if let Some(step @ Step::Call { method, words, .. }) = steps.first() {
            if !method.configures {
                let text = self.call_at_once(schema, name, method, words)?;
                let done = self.about_step(step);
                self.note("%", &[&done]);
                self.give_text(text);
                return Ok(());
            }
        }
        self.change(steps, 1)
    }

    /// Calls a method that does not configure.
    #[inline(never)]
    pub(super) fn call_at_once(
        &mut self,
        schema: &'static Schema,
        name: &str,
        method: &'static Method,
        words: &[String],
    ) -> Result<String, Failure> {
        self.spent |= !schema.named;
        self.tree.call(&Path { kind: schema.name, name }, method, words, &self.session.actor)
    }

    /// Makes changes, all of them or none, or puts them off until `commit`. So many steps of them are noted.
    pub(super) fn change(&mut self, mut steps: Vec<Step>, told: usize) -> Result<(), Failure> {
        match &mut self.session.steps {
            Some(kept) if kept.len() + steps.len() > STEPS => {
                Err(failure(Code::Limit, "a transaction has at most 256 steps"))
            }
            Some(kept) => {
                kept.append(&mut steps);
                Ok(())
            }
            None if steps.is_empty() => Ok(()),
            None => self.make(&steps, told),
        }
    }

    /// Makes changes, all of them or none.
    #[inline(never)]
    fn make(&mut self, steps: &[Step], told: usize) -> Result<(), Failure> {
        let mut notes = Vec::new();
        for step in steps.iter().take(told) {
            notes.push(self.about_step(step));
        }
        // Where nothing waits, nothing is looked for by its name.
        let canonical = match self.timed.count() {
            0 => Vec::new(),
            _ => self.tree.canonical(steps)?,
        };
        self.spent = true;
        self.tree.change(steps, &self.session.actor)?;
        self.timed.forget(&mut |change| {
            canonical.iter().any(|step| match step {
                Step::Set { path, key, .. } => change.is_of(path, key),
                Step::Call { path, method, .. } => match method.name {
                    // Another node of that name is not the one that they were set of.
                    "remove" => change.is_below(path),
                    // What is in no file is not taken back.
                    "revert" => !change.path.starts_with(CONNECTIONS),
                    _ => false,
                },
            })
        });
        for text in &notes {
            self.note("%", &[text]);
        }
        Ok(())
    }

    /// What is noted of a step that is to be made.
    #[inline(never)]
    fn about_step(&mut self, step: &Step) -> String {
        match step {
            Step::Set { path, key, text } => {
                fill("%.%=%, was %", &[path, key, text, or_empty(&value(self.tree, path, key))])
            }
            Step::Call { path, method, words } => {
                let words = separated(&mut words.iter().map(String::as_str), " ");
                let between = if words.is_empty() { "" } else { " " };
                fill("% %%%", &[path, method.name, between, &words])
            }
        }
    }

    pub(super) fn begin(&mut self, _: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        if self.session.steps.is_some() {
            return Err(failure(Code::Conflict, "a transaction is open; commit or abort ends it"));
        }
        self.session.steps = Some(Vec::new());
        Ok(())
    }

    /// Does what the transaction kept; it is over, whatever becomes of that.
    pub(super) fn commit(&mut self, _: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let spoilt = core::mem::take(&mut self.session.spoilt);
        match self.session.steps.take() {
            None => Err(failure(Code::Conflict, "no transaction is open; begin opens one")),
            Some(_) if spoilt => {
                Err(failure(Code::Conflict, "a command since begin failed, so nothing was done"))
            }
            Some(steps) => self.change(steps, usize::MAX),
        }
    }

    pub(super) fn abort(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        if let Some(steps) = &mut self.session.steps {
            steps.clear();
        }
        self.session.spoilt = false;
        self.commit(words, ask)
    }

    pub(super) fn save(&mut self, _: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let passing = timed::steps(&self.timed.changes, |change| &change.back);
        self.spent = true;
        let text = self.tree.save(&passing, &self.session.actor)?;
        self.note("save", &[]);
        self.give_text(text);
        Ok(())
    }
}
