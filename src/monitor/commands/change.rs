//! Verbs that change something: `set`, `keep`, `call`, transactions, `save`; and the changes that come back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::place::{exists, missing, parse};
use super::{Ask, Desk};
use crate::monitor::failure::{Failure, expected, failure, fill, unknown};
use crate::monitor::filter::attribute;
use crate::monitor::job::{Plan, Walk};
use crate::monitor::render::{self, escape};
use crate::monitor::request::Words;
use crate::monitor::session::STEPS;
use crate::monitor::timed::{self, AGAIN, Change, TIMED, Timed};
use crate::text::duration::{self, rounded};
use crate::text::join::separated;
use crate::text::nearest::nearest;
use crate::text::number::push_decimal_str;
use crate::text::split::split_once;
use crate::tree::{Code, Path, Schema, Step, Tree, Value};

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
    let mut text = String::new();
    let Some(path) = Path::parse(path) else { return text };
    let schema = tree.schemas().iter().find(|schema| schema.name == path.kind);
    if let Some((place, _)) = schema.and_then(|schema| schema.find(key)) {
        if let Some(value) = tree.get(&path, place) {
            value.print(&mut text);
        }
    }
    text
}

/// The configuration was read again: what it says now stays, and nothing comes back on a node that is gone, should there
/// be another of its name later.
pub(super) fn reloaded(timed: &mut Timed, touched: &[String], tree: &mut dyn Tree) {
    timed.forget(&mut |change| {
        let name = fill("%.%", &[&change.path, change.attribute()]);
        let is_there = parse(tree, &change.path).is_ok_and(|(schema, path)| exists(tree, schema, path.name));
        !is_there
            || touched.contains(&name)
            || tree.said(&change.path, &change.key).is_some_and(|said| said == change.set)
    });
}

/// Sets back what is due: all at once, for values that were set together may hold only together; where that fails, each
/// half of it, and so on: what fails is found in few steps. What cannot be set back yet waits on.
#[inline(never)]
pub(super) fn take_back(timed: &mut Timed, tree: &mut dyn Tree, now: u64) {
    let mut due = timed.take_due(now);
    // What was set again by others stays, and a node that is gone has nothing.
    due.retain(|change| value(tree, &change.path, &change.key) == change.set);
    let (mut told, count) = (0, due.len());
    let mut parts = Vec::from([due]);
    while let Some(mut part) = parts.pop() {
        let Some(first) = part.first() else { continue };
        let steps = timed::steps(&mut part.iter().map(|change| &**change));
        let result = tree.change(&steps, &first.actor);
        if result.is_err() && part.len() > 1 {
            let rest = part.split_off(part.len() / 2);
            parts.extend([rest, part]);
            continue;
        }
        let (end, words) = match &result {
            Ok(()) => (", was ", ""),
            Err(trouble) => (" failed, and is tried again: ", trouble.message.as_str()),
        };
        for mut change in part {
            // Once is enough to tell that it fails.
            if result.is_ok() || !change.failed {
                told += 1;
                if told <= NOTED {
                    let words = if result.is_ok() { or_empty(&change.set) } else { words };
                    let Change { path, key, actor, .. } = &*change;
                    tree.note(&[&fill(
                        "%: time is over: %.%=%%%",
                        &[&actor.who, path, key, change.before(), end, words],
                    )]);
                }
            }
            if result.is_err() {
                (change.failed, change.due) = (true, now.saturating_add(AGAIN));
                timed.push(change);
            }
        }
    }
    if told > NOTED {
        let mut all = String::new();
        push_decimal_str(count as u64, &mut all);
        tree.note(&["time is over: ", &all, " changes in all"]);
    }
}

impl Desk<'_> {
    /// Notes something with who did it.
    pub(super) fn note(&mut self, text: &str, words: &[&str]) {
        // A word of a call may hold a line feed; an event is one line.
        let mut line = Vec::new();
        escape(&fill(text, words), &mut line);
        let line = String::from_utf8(line).unwrap_or_default();
        self.tree.note(&[&self.session.actor.who, ": ", &line]);
    }

    /// Holds that the session may set an attribute to a text.
    fn hold_attribute(&self, schema: &'static Schema, key: &str, text: &str) -> Result<(), Failure> {
        let (_, about) = attribute(schema, key)?;
        if about.fact {
            return Err(failure(Code::Refused, "% is a fact; nobody sets it", &[key]));
        }
        self.hold_role(about.role, key)?;
        if !about.live {
            return Err(failure(Code::Refused, "% changes only when the program starts", &[key]));
        }
        match about.unit.parse(text) {
            Ok(_) => Ok(()),
            Err(expected) => Err(failure(Code::Invalid, "%: %", &[key, &expected])),
        }
    }

    /// The steps of KEY=VALUE..., each of them allowed.
    pub(super) fn sets(
        &self,
        schema: &'static Schema,
        path: &str,
        words: &[&str],
    ) -> Result<Vec<Step>, Failure> {
        if words.is_empty() {
            return Err(expected("KEY=VALUE", &[]));
        }
        let mut steps: Vec<Step> = Vec::new();
        for word in words {
            let Some((key, text)) = word.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(expected("KEY=VALUE, not %", &[word]));
            };
            for step in &steps {
                if matches!(step, Step::Set { key: other, .. } if other == key) {
                    return Err(failure(Code::Conflict, "% is there twice", &[key]));
                }
            }
            self.hold_attribute(schema, key, text)?;
            steps.push(Step::set(path, key, text));
        }
        Ok(steps)
    }

    /// The one step of a method that the session may call.
    pub(super) fn method(
        &self,
        schema: &'static Schema,
        name: &str,
        path: &str,
        words: &mut Words<'_>,
    ) -> Result<Vec<Step>, Failure> {
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
                "" => failure(Code::Syntax, "% takes no words", &[method.name]),
                forms => expected("% %", &[method.name, forms]),
            });
        }
        Ok(vec![Step::Call { path: String::from(path), method, words: list }])
    }

    pub(super) fn set(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let text = words.expect("a path")?;
        let (mut path, mut words) = (text, words.all()?);
        // `get` writes PATH.KEY=VALUE; that can be set again.
        if let Some((front, _)) = text.split_once('=') {
            let Some((front, _)) = front.rsplit_once('.') else {
                return Err(expected("a path and KEY=VALUE", &[]));
            };
            words.insert(0, text.get(front.len() + 1..).unwrap_or_default());
            path = front;
        }
        let due = self.due(&mut words)?;
        let schema = self.node_to_change(path)?;
        let steps = self.sets(schema, path, &words)?;
        match due {
            None => self.change(steps, usize::MAX),
            Some(due) => self.change_for(&steps, due, usize::MAX),
        }
    }

    /// Takes `for TIME` off the end of words; gives when that is over.
    pub(super) fn due(&self, words: &mut Vec<&str>) -> Result<Option<u64>, Failure> {
        let at = words.iter().rposition(|word| *word == "for").filter(|at| at + 1 < words.len());
        let Some(at) = at else { return Ok(None) };
        let length = separated(&mut words.iter().skip(at + 1).copied(), " ");
        let time = duration::parse(&length);
        if time.is_none() {
            return Err(failure(Code::Invalid, "expected a time such as 10m behind for, not %", &[&length]));
        }
        if self.session.steps.is_some() {
            return Err(failure(Code::Conflict, "in a transaction nothing is set for a time", &[]));
        }
        words.truncate(at);
        Ok(time.map(|time| self.now.saturating_add(time)))
    }

    /// The kind of a node that is there, or that an earlier step of the transaction will add.
    fn node_to_change(&mut self, text: &str) -> Result<&'static Schema, Failure> {
        let (schema, path) = parse(self.tree, text)?;
        let adds = |step: &Step| matches!(step, Step::Call { words, .. } if words.first().is_some_and(|word| word == text));
        let found = exists(self.tree, schema, path.name) || self.session.steps.iter().flatten().any(adds);
        if found { Ok(schema) } else { Err(missing(text)) }
    }

    /// Sets values that come back when they are due. So many of them are noted.
    #[inline(never)]
    pub(super) fn change_for(&mut self, steps: &[Step], due: u64, told: usize) -> Result<(), Failure> {
        let mut last: Vec<(Step, &str)> = Vec::new();
        for (step, asked) in self.tree.canonical(steps)?.into_iter().zip(steps) {
            // Of two that come to the same attribute, the second holds what the first has set.
            let is = |other: &Step| match (other, &step) {
                (Step::Set { path, key, .. }, Step::Set { path: of, key: name, .. }) => {
                    (path, key) == (of, name)
                }
                _ => false,
            };
            last.retain(|(other, _)| !is(other));
            let (Step::Set { path: node, .. } | Step::Call { path: node, .. }) = asked;
            last.push((step, node));
        }
        let (last, nodes): (Vec<Step>, Vec<&str>) = last.into_iter().unzip();
        let steps = &*last;
        let actor = &self.session.actor;
        let mut waiting = self.timed.count();
        let mut new = Vec::new();
        for (step, node) in steps.iter().zip(nodes) {
            let Step::Set { path, key, text } = step else { continue };
            if path.starts_with(CONNECTIONS) && matches!(key.as_str(), "send_buffer" | "receive_buffer") {
                let why = "% of a connection cannot come back: the kernel does not return to its own tuning";
                return Err(failure(Code::Refused, why, &[key]));
            }
            // What comes back is the last value that was to stay.
            let back = match self.timed.find(path, key) {
                Some(change) => change.back.clone(),
                None => {
                    waiting += 1;
                    value(self.tree, path, key)
                }
            };
            let (path, key, set, actor) = (path.clone(), key.clone(), text.clone(), actor.clone());
            let node = String::from(node);
            new.push(Box::new(Change { path, key, node, back, due, set, actor, failed: false }));
        }
        if waiting > TIMED {
            // Those of connections that have gone meanwhile are no more than places.
            let tree = &mut *self.tree;
            self.timed.forget(&mut |change| {
                let is_gone = change.path.starts_with("/connection/")
                    && value(tree, &change.path, &change.key).is_empty();
                waiting -= usize::from(is_gone);
                is_gone
            });
        }
        if waiting > TIMED {
            return Err(failure(Code::Limit, "at most 1024 changes wait to come back", &[]));
        }
        self.change(last, told)?;
        let mut length = String::new();
        duration::print(due.saturating_sub(self.now), &mut length);
        for (place, mut change) in new.into_iter().enumerate() {
            if place < told {
                let Change { path, key, .. } = &*change;
                self.note("%.% is % again in %", &[path, key, or_empty(change.before()), &length]);
            }
            change.set = value(self.tree, &change.path, &change.key);
            self.timed.push(change);
        }
        Ok(())
    }

    /// The step that an attribute of a node waits by, if it does: it is of where the attribute is kept.
    #[inline(never)]
    fn waits(&mut self, node: &str, key: &str) -> Option<Vec<Step>> {
        let step = Step::set(node, key, &value(self.tree, node, key));
        let steps = self.tree.canonical(&[step]).ok()?;
        let Some(Step::Set { path, key, .. }) = steps.last() else { return None };
        self.timed.find(path, key)?;
        Some(steps)
    }

    pub(super) fn keep(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        if words.is_empty() {
            return self.waiting(ask.json);
        }
        let walk = self.place(words, true)?;
        let mut node = String::new();
        let name = walk.one.as_deref().unwrap_or("*");
        Path { kind: walk.schema.name, name }.print(&mut node);
        if walk.one.is_none() {
            return self.keep_all(&walk, &node);
        }
        let mut kept = Vec::new();
        for (at, about) in walk.schema.abouts().enumerate() {
            let asked = walk.keys.is_empty() || walk.keys.contains(&at);
            if !asked || about.fact || self.timed.count() == 0 {
                continue;
            }
            if let Some(steps) = self.waits(&node, about.name()) {
                self.hold_role(about.role, about.name())?;
                kept.push(steps);
            }
        }
        if kept.is_empty() {
            return Err(failure(Code::Conflict, "nothing of % is set for a time", &[&node]));
        }
        for step in kept.iter().flatten() {
            let Step::Set { path, key, .. } = step else { continue };
            if self.timed.find(path, key).is_some() {
                self.timed.forget(&mut |change| change.is_of(path, key));
                self.note("keep %.%", &[path, key]);
            }
        }
        Ok(())
    }

    /// Tells what was set for a time, and for how long that holds.
    fn waiting(&mut self, json: bool) -> Result<(), Failure> {
        let mut out = Vec::new();
        for change in self.timed.waiting() {
            // A part of a rule is the buffer of a listener, and kept by that one's name.
            let (path, key) = match split_once(&change.key, "].") {
                Some((_, key)) => (&*change.node, key),
                None => (&*change.path, &*change.key),
            };
            let Some(path) = Path::parse(path) else { continue };
            let left = Value::Time(rounded(change.due.saturating_sub(self.now)));
            render::open(&path, json, &mut out);
            for (name, text) in [("attribute", key), ("value", &change.set), ("earlier", &change.back)] {
                render::text(name, text, json, &mut out);
            }
            render::field("left", &left, json, &mut out);
            render::close(json, &mut out);
        }
        let text = String::from_utf8(out).unwrap_or_default();
        self.plan = Some(Plan::Text { text, at: 0 });
        Ok(())
    }

    /// Keeps what was changed for a time of all nodes of a kind.
    #[inline(never)]
    fn keep_all(&mut self, walk: &Walk, path: &str) -> Result<(), Failure> {
        let front = path.trim_end_matches('*');
        let before = self.timed.count();
        // None is kept unless all may be.
        for keeps in [false, true] {
            for (at, about) in walk.schema.abouts().enumerate() {
                let is = |change: &Change| match split_once(&change.key, "].") {
                    // A part of a rule is the buffer of a listener.
                    Some((_, key)) => key == about.name() && walk.schema.name == "listener",
                    None => change.key == about.name() && change.path.starts_with(front),
                };
                let asked = walk.keys.is_empty() || walk.keys.contains(&at);
                if asked && keeps {
                    self.timed.forget(&mut |change| is(change));
                } else if asked && self.timed.waiting().any(&is) {
                    self.hold_role(about.role, about.name())?;
                }
            }
        }
        if self.timed.count() == before {
            return Err(failure(Code::Conflict, "nothing of % is set for a time", &[path]));
        }
        let mut kept = String::new();
        push_decimal_str((before - self.timed.count()) as u64, &mut kept);
        self.note("keep % of %", &[&kept, path]);
        Ok(())
    }

    pub(super) fn call(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let text = words.expect("a path")?;
        let (schema, path) = parse(self.tree, text)?;
        let steps = self.method(schema, words.expect("a method")?, text, words)?;
        self.node_to_change(text)?;
        if let Some(step @ Step::Call { method, words, .. }) = steps.first() {
            if !method.configures {
                self.spent |= !schema.named;
                let text = self.tree.call(&path, method, words, &self.session.actor)?;
                self.note_step(step, "");
                self.plan = Some(Plan::Text { text, at: 0 });
                return Ok(());
            }
        }
        self.change(steps, 1)
    }

    /// Makes changes, all of them or none, or puts them off until `commit`. So many steps of them are noted.
    pub(super) fn change(&mut self, steps: Vec<Step>, told: usize) -> Result<(), Failure> {
        if let Some(kept) = &mut self.session.steps {
            if kept.len() + steps.len() > STEPS {
                return Err(failure(Code::Limit, "a transaction has at most 256 steps", &[]));
            }
            kept.extend(steps);
            return Ok(());
        }
        if steps.is_empty() {
            return Ok(());
        }
        let mut olds = Vec::new();
        for step in steps.iter().take(told) {
            olds.push(match step {
                Step::Set { path, key, .. } => value(self.tree, path, key),
                Step::Call { .. } => String::new(),
            });
        }
        // Where nothing waits, nothing is looked for by its name.
        let canonical = match self.timed.count() {
            0 => Vec::new(),
            _ => self.tree.canonical(&steps)?,
        };
        self.spent = true;
        self.tree.change(&steps, &self.session.actor)?;
        for step in &canonical {
            match step {
                Step::Set { path, key, .. } => self.timed.forget(&mut |change| change.is_of(path, key)),
                Step::Call { path, method, .. } => match method.name {
                    // Another node of that name is not the one that they were set of.
                    "remove" => self.timed.forget_node(path),
                    // What is in no file is not taken back.
                    "revert" => self.timed.forget(&mut |change| !change.path.starts_with(CONNECTIONS)),
                    _ => {}
                },
            }
        }
        for (step, old) in steps.iter().zip(&olds) {
            self.note_step(step, old);
        }
        Ok(())
    }

    fn note_step(&mut self, step: &Step, old: &str) {
        match step {
            Step::Set { path, key, text } => self.note("%.%=%, was %", &[path, key, text, or_empty(old)]),
            Step::Call { path, method, words } => {
                let words = separated(&mut words.iter().map(String::as_str), " ");
                let between = if words.is_empty() { "" } else { " " };
                self.note("% %%%", &[path, method.name, between, &words]);
            }
        }
    }

    pub(super) fn begin(&mut self, _: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        if self.session.steps.is_some() {
            return Err(failure(Code::Conflict, "a transaction is open; commit or abort ends it", &[]));
        }
        self.session.steps = Some(Vec::new());
        Ok(())
    }

    /// Does what the transaction kept; it is over, whatever becomes of that.
    pub(super) fn commit(&mut self, _: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let spoilt = core::mem::take(&mut self.session.spoilt);
        match self.session.steps.take() {
            None => Err(failure(Code::Conflict, "no transaction is open; begin opens one", &[])),
            Some(_) if spoilt => {
                Err(failure(Code::Conflict, "a command since begin failed, so nothing was done", &[]))
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
        let passing = timed::steps(&mut self.timed.waiting());
        self.spent = true;
        let text = self.tree.save(&passing, &self.session.actor)?;
        self.note("save", &[]);
        self.plan = Some(Plan::Text { text, at: 0 });
        Ok(())
    }
}
