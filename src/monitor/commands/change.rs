//! Verbs that change something: `set`, `keep`, `call`, transactions, `save`; and the changes that come back.

use alloc::string::String;
use alloc::vec::Vec;

use super::Desk;
use super::place::{exists, missing, parse};
use crate::monitor::filter::{attribute, unknown};
use crate::monitor::job::Plan;
use crate::monitor::request::{Words, syntax};
use crate::monitor::session::STEPS;
use crate::monitor::timed::{Change, TIMED, Timed};
use crate::text::duration;
use crate::text::nearest::nearest;
use crate::tree::{Code, Method, Path, Schema, Step, Tree, Trouble, Value};

/// Words of the form KEY=VALUE.
pub(super) fn pairs(words: Vec<String>) -> Result<Vec<(String, String)>, Trouble> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for word in words {
        let pair = word.split_once('=').filter(|(key, _)| !key.is_empty());
        let (key, text) = pair.ok_or_else(|| syntax(&["KEY=VALUE, not ", &word].concat()))?;
        if pairs.iter().any(|(other, _)| other == key) {
            return Err(Trouble::new(Code::Conflict, &[key, " is there twice"]));
        }
        pairs.push((String::from(key), String::from(text)));
    }
    if pairs.is_empty() { Err(syntax("KEY=VALUE")) } else { Ok(pairs) }
}

/// The method of a kind.
pub(super) fn method(schema: &'static Schema, name: &str) -> Result<&'static Method, Trouble> {
    schema.method(name).ok_or_else(|| {
        let near = nearest(name, &mut schema.methods.iter().map(|method| method.name));
        unknown(&[schema.name, " has no method ", name], near)
    })
}

/// The value of an attribute now.
fn value(tree: &mut dyn Tree, path: &str, key: &str) -> Option<Value> {
    let path = Path::parse(path)?;
    let schema = tree.schemas().iter().find(|schema| schema.name == path.kind)?;
    tree.get(&path, schema.find(key)?.0)
}

fn printed(value: Option<Value>) -> String {
    let mut text = String::new();
    value.unwrap_or(Value::Nothing).print(&mut text);
    text
}

/// Sets back what is due.
pub(super) fn take_back(timed: &mut Timed, tree: &mut dyn Tree, now: u64) {
    while let Some(Change { path, key, back, value: set, actor, .. }) = timed.take_due(now) {
        let Some(is) = value(tree, &path, &key) else { continue };
        if is != set {
            continue;
        }
        let step = Step::Set { path: path.clone(), key: key.clone(), text: back.clone() };
        let set = printed(Some(set));
        let what = [path.as_str(), ".", &key, "=", &back].concat();
        match tree.change(&[step], &actor) {
            Ok(()) => tree.note(&[&actor.who, ": time is over: ", &what, ", was ", &set]),
            Err(trouble) => {
                tree.note(&[&actor.who, ": time is over, but not ", &what, ": ", &trouble.message])
            }
        }
    }
}

impl Desk<'_> {
    /// Holds that the session may set an attribute to a text.
    pub(super) fn hold_attribute(
        &self,
        schema: &'static Schema,
        key: &str,
        text: &str,
    ) -> Result<(), Trouble> {
        let (_, about) = attribute(schema, key)?;
        if about.fact {
            return Err(Trouble::new(Code::Refused, &[key, " is a fact; nobody sets it"]));
        }
        self.hold_role(about.role, key)?;
        if !about.live {
            return Err(Trouble::new(Code::Refused, &[key, " changes only when the program starts"]));
        }
        let wrong = |expected: String| Trouble::new(Code::Invalid, &[key, ": ", &expected]);
        about.unit.parse(text).map(drop).map_err(wrong)
    }

    pub(super) fn set(&mut self, mut words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        let mut text = words.expect("a path")?;
        let mut rest = words.all()?;
        // `get` writes PATH.KEY=VALUE; that can be set again.
        let front = text.split_once('=').map(|(front, value)| (String::from(front), String::from(value)));
        if let Some((front, value)) = front {
            let (path, key) = front.rsplit_once('.').ok_or_else(|| syntax("a path and KEY=VALUE"))?;
            text = String::from(path);
            rest.insert(0, [key, "=", &value].concat());
        }
        let mut time = None;
        if let [.., word, length] = rest.as_slice() {
            if word == "for" {
                let wrong =
                    || Trouble::new(Code::Invalid, &["expected a time such as 10m behind for, not ", length]);
                time = Some(duration::parse(length).ok_or_else(wrong)?);
                rest.truncate(rest.len() - 2);
            }
        }
        let pairs = pairs(rest)?;
        let schema = self.node_to_change(&text)?;
        for (key, value) in &pairs {
            self.hold_attribute(schema, key, value)?;
        }
        let set = |(key, value): &(String, String)| Step::Set {
            path: text.clone(),
            key: key.clone(),
            text: value.clone(),
        };
        let steps = pairs.iter().map(set).collect();
        match time {
            None => self.change(steps, usize::MAX)?,
            Some(time) => self.change_for(&text, &pairs, steps, time)?,
        }
        Ok(None)
    }

    /// The kind of a node that is there, or that an earlier step of the transaction will add.
    fn node_to_change(&mut self, text: &str) -> Result<&'static Schema, Trouble> {
        let (schema, path) = parse(self.tree, text)?;
        let added = self.session.steps.iter().flatten().any(
            |step| matches!(step, Step::Call { words, .. } if words.first().is_some_and(|word| word == text)),
        );
        if added || exists(self.tree, schema, path.name) { Ok(schema) } else { Err(missing(text)) }
    }

    /// Sets values that come back after a time.
    fn change_for(
        &mut self,
        path: &str,
        pairs: &[(String, String)],
        steps: Vec<Step>,
        time: u64,
    ) -> Result<(), Trouble> {
        if self.session.steps.is_some() {
            return Err(Trouble::new(Code::Conflict, &["in a transaction nothing is set for a time"]));
        }
        let fresh = pairs.iter().filter(|(key, _)| self.timed.find(path, key).is_none()).count();
        if self.timed.changes.len() + fresh > TIMED {
            return Err(Trouble::new(Code::Limit, &["at most 64 changes wait to come back"]));
        }
        // What comes back is the last value that was to stay.
        let mut backs = Vec::new();
        for (key, _) in pairs {
            let waiting = self.timed.find(path, key).map(|change| change.back.clone());
            backs.push(waiting.unwrap_or_else(|| printed(value(self.tree, path, key))));
        }
        self.change(steps, usize::MAX)?;
        let due = self.now.saturating_add(time);
        let mut length = String::new();
        duration::print(time, &mut length);
        for ((key, _), back) in pairs.iter().zip(backs) {
            let Some(set) = value(self.tree, path, key) else { continue };
            let actor = self.session.actor().clone();
            self.tree.note(&[&actor.who, ": ", path, ".", key, " is ", &back, " again in ", &length]);
            let (path, key) = (String::from(path), key.clone());
            self.timed.changes.push(Change { path, key, back, due, value: set, actor });
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, mut words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        let place = self.place(&words.expect("a path")?, false)?;
        let mut keys = words.all()?;
        keys.extend(place.key.and_then(place.schema.about).map(|about| String::from(about.name)));
        let path = place.text();
        for key in &keys {
            attribute(place.schema, key)?;
        }
        let asked = |change: &Change| change.path == path && (keys.is_empty() || keys.contains(&change.key));
        let mut found = false;
        for change in self.timed.changes.iter().filter(|change| asked(change)) {
            found = true;
            let (_, about) = attribute(place.schema, &change.key)?;
            self.hold_role(about.role, &change.key)?;
        }
        if !found {
            return Err(Trouble::new(Code::Conflict, &["nothing of ", &path, " is set for a time"]));
        }
        for change in self.timed.changes.iter().filter(|change| asked(change)) {
            self.tree.note(&[&self.session.actor().who, ": keep ", &path, ".", &change.key]);
        }
        self.timed.changes.retain(|change| !asked(change));
        Ok(None)
    }

    pub(super) fn call(&mut self, mut words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        let text = words.expect("a path")?;
        let (schema, path) = parse(self.tree, &text)?;
        let method = method(schema, &words.expect("a method")?)?;
        let words = words.all()?;
        self.hold_role(method.role, method.name)?;
        self.node_to_change(&text)?;
        if method.configures {
            self.change([Step::Call { path: text, method, words }].into(), 1)?;
            return Ok(None);
        }
        let said = self.tree.call(&path, method, &words, self.session.actor())?;
        self.note_call(&text, method, &words);
        Ok(Some(Plan::Text { text: said, at: 0 }))
    }

    /// Makes changes, all of them or none, or puts them off until `commit`. So many steps of them are noted.
    pub(super) fn change(&mut self, steps: Vec<Step>, told: usize) -> Result<(), Trouble> {
        if let Some(kept) = &mut self.session.steps {
            if kept.len() + steps.len() > STEPS {
                return Err(Trouble::new(Code::Limit, &["a transaction has at most 256 steps"]));
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
                Step::Set { path, key, .. } => printed(value(self.tree, path, key)),
                Step::Call { .. } => String::new(),
            });
        }
        self.tree.change(&steps, self.session.actor())?;
        for (step, old) in steps.iter().zip(olds) {
            match step {
                Step::Set { path, key, text } => {
                    let who = &self.session.actor().who;
                    self.tree.note(&[who, ": ", path, ".", key, "=", text, ", was ", &old]);
                }
                Step::Call { path, method, words } => self.note_call(path, method, words),
            }
        }
        for step in &steps {
            if let Step::Set { path, key, .. } = step {
                self.timed.forget(path, key);
            }
        }
        Ok(())
    }

    fn note_call(&mut self, path: &str, method: &Method, words: &[String]) {
        let mut parts: Vec<&str> = [&self.session.actor().who, ": ", path, " ", method.name].to_vec();
        for word in words {
            parts.extend([" ", word]);
        }
        self.tree.note(&parts);
    }

    pub(super) fn begin(&mut self, words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        words.end()?;
        if self.session.steps.is_some() {
            return Err(Trouble::new(Code::Conflict, &["a transaction is open; commit or abort ends it"]));
        }
        self.session.steps = Some(Vec::new());
        Ok(None)
    }

    pub(super) fn commit(&mut self, words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        words.end()?;
        let steps = self.transaction()?;
        self.change(steps, usize::MAX)?;
        Ok(None)
    }

    pub(super) fn abort(&mut self, words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        words.end()?;
        self.transaction().map(|_| None)
    }

    /// Takes what the transaction kept; it is over, whatever becomes of that.
    fn transaction(&mut self) -> Result<Vec<Step>, Trouble> {
        let steps = self.session.steps.take();
        steps.ok_or_else(|| Trouble::new(Code::Conflict, &["no transaction is open; begin opens one"]))
    }

    pub(super) fn save(&mut self, words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        words.end()?;
        let passing: Vec<(String, String, String)> = self
            .timed
            .waiting()
            .map(|change| (change.path.clone(), change.key.clone(), change.back.clone()))
            .collect();
        let text = self.tree.save(&passing, self.session.actor())?;
        self.tree.note(&[&self.session.actor().who, ": save"]);
        Ok(Some(Plan::Text { text, at: 0 }))
    }
}
