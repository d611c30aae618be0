//! Verbs that change something: `set`, `keep`, `call`, transactions, `save`; and the changes that come back.

use alloc::string::String;
use alloc::vec::Vec;

use super::Desk;
use super::place::{exists, missing, parse};
use crate::monitor::failure::{Failure, expected, failure, unknown};
use crate::monitor::filter::attribute;
use crate::monitor::job::Plan;
use crate::monitor::request::Words;
use crate::monitor::session::STEPS;
use crate::monitor::timed::{Change, TIMED, Timed};
use crate::text::duration;
use crate::text::nearest::nearest;
use crate::tree::{Code, Path, Schema, Step, Tree};

/// The value of an attribute now, as text.
fn value(tree: &mut dyn Tree, path: &str, key: &str) -> Option<String> {
    let path = Path::parse(path)?;
    let schema = tree.schemas().iter().find(|schema| schema.name == path.kind)?;
    let value = tree.get(&path, schema.find(key)?.0)?;
    let mut text = String::new();
    value.print(&mut text);
    Some(text)
}

/// Sets back what is due.
pub(super) fn take_back(timed: &mut Timed, tree: &mut dyn Tree, now: u64) {
    while let Some(Change { path, key, back, set, actor, .. }) = timed.take_due(now) {
        if value(tree, &path, &key).as_ref() != Some(&set) {
            continue;
        }
        let what = [&path, ".", &key, "=", &back].concat();
        let result = tree.change(&[Step::Set { path, key, text: back }], &actor);
        let (end, words) = match &result {
            Ok(()) => (", was ", &set),
            Err(trouble) => (" failed: ", &trouble.message),
        };
        tree.note(&[&actor.who, ": time is over: ", &what, end, words]);
    }
}

impl Desk<'_> {
    /// Notes something with who did it.
    pub(super) fn note(&mut self, words: &[&str]) {
        let who = &self.session.actor().who;
        self.tree.note(&[&[who.as_str(), ": "], words].concat());
    }

    /// Holds that the session may set an attribute to a text.
    fn hold_attribute(&self, schema: &'static Schema, key: &str, text: &str) -> Result<(), Failure> {
        let (_, about) = attribute(schema, key)?;
        if about.fact {
            return Err(failure(Code::Refused, &[key, " is a fact; nobody sets it"]));
        }
        self.hold_role(about.role, key)?;
        if !about.live {
            return Err(failure(Code::Refused, &[key, " changes only when the program starts"]));
        }
        match about.unit.parse(text) {
            Ok(_) => Ok(()),
            Err(expected) => Err(failure(Code::Invalid, &[key, ": ", &expected])),
        }
    }

    /// The steps of KEY=VALUE..., each of them allowed.
    pub(super) fn sets(
        &self,
        schema: &'static Schema,
        path: &str,
        words: Vec<String>,
    ) -> Result<Vec<Step>, Failure> {
        if words.is_empty() {
            return Err(expected(&["KEY=VALUE"]));
        }
        let mut steps: Vec<Step> = Vec::new();
        for word in &words {
            let Some((key, text)) = word.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(expected(&["KEY=VALUE, not ", word]));
            };
            for step in &steps {
                if matches!(step, Step::Set { key: other, .. } if other == key) {
                    return Err(failure(Code::Conflict, &[key, " is there twice"]));
                }
            }
            self.hold_attribute(schema, key, text)?;
            let (path, key, text) = (String::from(path), String::from(key), String::from(text));
            steps.push(Step::Set { path, key, text });
        }
        Ok(steps)
    }

    /// The step of a method that the session may call.
    pub(super) fn method(
        &self,
        schema: &'static Schema,
        name: &str,
        path: &str,
        words: Vec<String>,
    ) -> Result<Step, Failure> {
        let Some(method) = schema.method(name) else {
            let near = nearest(name, &mut schema.methods.iter().map(|method| method.name));
            return Err(unknown(&[schema.name, " has no method ", name], near));
        };
        self.hold_role(method.role, method.name)?;
        Ok(Step::Call { path: String::from(path), method, words })
    }

    pub(super) fn set(&mut self, mut words: Words<'_>) -> Result<(), Failure> {
        let mut path = words.expect("a path")?;
        let mut rest = words.all()?;
        // `get` writes PATH.KEY=VALUE; that can be set again.
        if let Some(end) = path.find('=') {
            let front = path.get(..end).unwrap_or_default();
            let Some(dot) = front.rfind('.') else { return Err(expected(&["a path and KEY=VALUE"])) };
            let pair = path.split_off(dot);
            rest.insert(0, String::from(pair.trim_start_matches('.')));
        }
        let mut time = None;
        if let [.., word, length] = rest.as_slice() {
            if word == "for" {
                time = duration::parse(length);
                if time.is_none() {
                    let wrong = &["expected a time such as 10m behind for, not ", length];
                    return Err(failure(Code::Invalid, wrong));
                }
                rest.truncate(rest.len() - 2);
            }
        }
        let schema = self.node_to_change(&path)?;
        let steps = self.sets(schema, &path, rest)?;
        match time {
            None => self.change(steps, usize::MAX),
            Some(time) => self.change_for(steps, time),
        }
    }

    /// The kind of a node that is there, or that an earlier step of the transaction will add.
    fn node_to_change(&mut self, text: &str) -> Result<&'static Schema, Failure> {
        let (schema, path) = parse(self.tree, text)?;
        let adds = |step: &Step| matches!(step, Step::Call { words, .. } if words.first().is_some_and(|word| word == text));
        let found = exists(self.tree, schema, path.name) || self.session.steps.iter().flatten().any(adds);
        if found { Ok(schema) } else { Err(missing(text)) }
    }

    /// Sets values that come back after a time.
    fn change_for(&mut self, steps: Vec<Step>, time: u64) -> Result<(), Failure> {
        if self.session.steps.is_some() {
            return Err(failure(Code::Conflict, &["in a transaction nothing is set for a time"]));
        }
        let due = self.now.saturating_add(time);
        let mut fresh = self.timed.changes.len();
        let mut changes = Vec::new();
        for step in &steps {
            let Step::Set { path, key, .. } = step else { continue };
            // What comes back is the last value that was to stay.
            let back = match self.timed.find(path, key) {
                Some(change) => Some(change.back.clone()),
                None => {
                    fresh += 1;
                    value(self.tree, path, key)
                }
            };
            let (path, key, back) = (path.clone(), key.clone(), back.unwrap_or_default());
            let actor = self.session.actor().clone();
            changes.push(Change { path, key, back, due, set: String::new(), actor });
        }
        if fresh > TIMED {
            return Err(failure(Code::Limit, &["at most 64 changes wait to come back"]));
        }
        self.change(steps, usize::MAX)?;
        let mut length = String::new();
        duration::print(time, &mut length);
        for mut change in changes {
            let Change { path, key, back, .. } = &change;
            self.note(&[path, ".", key, " is ", back, " again in ", &length]);
            change.set = value(self.tree, path, key).unwrap_or_default();
            self.timed.changes.push(change);
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, mut words: Words<'_>) -> Result<(), Failure> {
        let place = self.place(&words.expect("a path")?, false)?;
        let mut keys = words.all()?;
        if let Some(about) = place.key.and_then(place.schema.about) {
            keys.push(String::from(about.name));
        }
        for key in &keys {
            attribute(place.schema, key)?;
        }
        let path = place.text();
        let mut kept = Vec::new();
        for change in &self.timed.changes {
            if change.path == path && (keys.is_empty() || keys.contains(&change.key)) {
                let (_, about) = attribute(place.schema, &change.key)?;
                self.hold_role(about.role, about.name)?;
                kept.push(about.name);
            }
        }
        if kept.is_empty() {
            return Err(failure(Code::Conflict, &["nothing of ", &path, " is set for a time"]));
        }
        for key in kept {
            self.note(&["keep ", &path, ".", key]);
            self.timed.forget(&path, key);
        }
        Ok(())
    }

    pub(super) fn call(&mut self, mut words: Words<'_>) -> Result<(), Failure> {
        let text = words.expect("a path")?;
        let (schema, path) = parse(self.tree, &text)?;
        let step = self.method(schema, &words.expect("a method")?, &text, words.all()?)?;
        self.node_to_change(&text)?;
        if let Step::Call { method, words, .. } = &step {
            if !method.configures {
                let text = self.tree.call(&path, method, words, self.session.actor())?;
                self.note_step(&step, "");
                self.plan = Some(Plan::Text { text, at: 0 });
                return Ok(());
            }
        }
        self.change([step].into(), 1)
    }

    /// Makes changes, all of them or none, or puts them off until `commit`. So many steps of them are noted.
    pub(super) fn change(&mut self, steps: Vec<Step>, told: usize) -> Result<(), Failure> {
        if let Some(kept) = &mut self.session.steps {
            if kept.len() + steps.len() > STEPS {
                return Err(failure(Code::Limit, &["a transaction has at most 256 steps"]));
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
                Step::Set { path, key, .. } => value(self.tree, path, key).unwrap_or_default(),
                Step::Call { .. } => String::new(),
            });
        }
        self.tree.change(&steps, self.session.actor())?;
        for (place, step) in steps.iter().enumerate() {
            if let Step::Set { path, key, .. } = step {
                self.timed.forget(path, key);
            }
            if let Some(old) = olds.get(place) {
                self.note_step(step, old);
            }
        }
        Ok(())
    }

    fn note_step(&mut self, step: &Step, old: &str) {
        match step {
            Step::Set { path, key, text } => self.note(&[path, ".", key, "=", text, ", was ", old]),
            Step::Call { path, method, words } => {
                self.note(&[
                    path,
                    " ",
                    method.name,
                    if words.is_empty() { "" } else { " " },
                    &words.join(" "),
                ]);
            }
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        if self.session.steps.is_some() {
            return Err(failure(Code::Conflict, &["a transaction is open; commit or abort ends it"]));
        }
        self.session.steps = Some(Vec::new());
        Ok(())
    }

    /// Ends the transaction, whatever becomes of it.
    pub(super) fn end_transaction(&mut self, commits: bool) -> Result<(), Failure> {
        match self.session.steps.take() {
            None => Err(failure(Code::Conflict, &["no transaction is open; begin opens one"])),
            Some(steps) if commits => self.change(steps, usize::MAX),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn save(&mut self) -> Result<(), Failure> {
        let mut passing = Vec::new();
        for change in &self.timed.changes {
            passing.push((change.path.clone(), change.key.clone(), change.back.clone()));
        }
        let text = self.tree.save(&passing, self.session.actor())?;
        self.note(&["save"]);
        self.plan = Some(Plan::Text { text, at: 0 });
        Ok(())
    }
}
