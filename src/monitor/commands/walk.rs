//! Verbs that go over nodes: `ls`, `get`, `find`, and what is done to the nodes that are found.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::change::NOTED;
use super::place::{exists, missing, parse};
use super::{Ask, Desk, SLICE, decimal, kind, number};
use crate::monitor::failure::{Failure, failure, failure_with};
use crate::monitor::filter::{Key, attribute};
use crate::monitor::job::{Plan, ROWS, Row, Shape, Walk};
use crate::monitor::render;
use crate::monitor::request::Words;
use crate::text::join::joined;
use crate::tree::{Code, Path, Step, Value};

impl Desk<'_> {
    pub(super) fn ls(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        let Some(text) = words.word()?.filter(|text| *text != "/") else {
            for schema in self.tree.schemas() {
                let out = &mut self.session.output.part;
                render::open(schema.name, "", ask.json, out);
                render::close(ask.json, out);
            }
            return Ok(());
        };
        let (schema, name) = parse(self.tree, text.strip_suffix("/*").unwrap_or(text))?;
        if schema.named || !name.is_empty() {
            let mut walk = Walk::new(schema, Shape::Path);
            if !name.is_empty() {
                walk.within = !exists(self.tree, schema, name);
                walk.prefix = joined(&[name, "/"]);
            }
            self.give(Plan::Walk(walk));
        }
        Ok(())
    }

    pub(super) fn get(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let walk = self.place(words, true)?;
        self.give_walk(walk);
        Ok(())
    }

    #[inline(never)]
    fn give_walk(&mut self, mut walk: Box<Walk>) {
        walk.rewind();
        self.give(Plan::Walk(walk));
    }

    pub(super) fn find(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        let name = words.expect("a kind")?;
        let schema = kind(self.tree, name.strip_prefix('/').unwrap_or(name))?;
        let mut walk = Walk::new(schema, Shape::Row);
        if words.take("where") {
            walk.filter.read(words, schema)?;
        }
        loop {
            if words.take("show") {
                for key in words.expect("attributes behind show")?.split(',') {
                    walk.show(key)?;
                }
            } else if words.take("sort") {
                let key = words.expect("an attribute behind sort")?;
                let plain = key.strip_prefix('-');
                let (place, _) = attribute(schema, plain.unwrap_or(key))?;
                walk.sort = Some((place, plain.is_some()));
            } else if words.take("limit") {
                let text = words.expect("a number behind limit")?;
                walk.limit = number(text, "a number behind limit")?;
            } else {
                break;
            }
        }
        if let Some(text) = ask.action {
            self.action(&mut walk, text)?;
        }
        self.give_walk(walk);
        Ok(())
    }

    /// Takes what stands behind `|`: its steps, and when they are over.
    #[inline(never)]
    fn action(&self, walk: &mut Walk, text: &str) -> Result<(), Failure> {
        walk.told.push_str(text.trim_ascii());
        walk.kept = self.session.steps.as_ref().map_or(0, Vec::len);
        let mut text = text.as_bytes().to_vec();
        let mut words = Words::new(&mut text);
        let name = words.expect("a method or set behind |")?;
        if name == "set" {
            let mut list = Vec::new();
            words.all(&mut list)?;
            walk.due = self.due(&mut list)?;
            return self.sets(walk.schema, "", &list, &mut walk.action);
        }
        self.method(walk.schema, name, "", &mut words, &mut walk.action)
    }

    /// Looks at one node, or asks for the names of some more. False at the end.
    #[inline(never)]
    pub(super) fn walk(&mut self, walk: &mut Walk, json: bool) -> Result<bool, Failure> {
        if walk.giving {
            let row = walk.rows.get_mut(walk.at).map(|row| core::mem::take(&mut row.name));
            walk.at += 1;
            let Some(name) = row else { return self.walked(walk, json) };
            return self.meet(walk, &name, json).map(|()| true);
        }
        if walk.found >= walk.limit && walk.sort.is_none() {
            return self.walked(walk, json);
        }
        let rest = walk.batch.get(walk.at..).unwrap_or_default();
        if let Some((name, _)) = rest.split_once('\n') {
            let name = String::from(name);
            walk.at += name.len() + 1;
            return self.look(walk, &name, json).map(|()| true);
        }
        // The names that were looked at make room for the next ones.
        walk.batch.clear();
        walk.at = 0;
        if let Some(from) = walk.from {
            let batch = &mut walk.batch;
            walk.from = self.tree.names(walk.schema, from, &mut |name| {
                batch.push_str(name);
                batch.push('\n');
            });
            return Ok(true);
        }
        if walk.sort.is_some() {
            walk.giving = true;
            return Ok(true);
        }
        self.walked(walk, json)
    }

    /// Looks whether a node is meant.
    #[inline(never)]
    fn look(&mut self, walk: &mut Walk, name: &str, json: bool) -> Result<(), Failure> {
        let path = Path { kind: walk.schema.name, name };
        let tree = &mut *self.tree;
        if !name.starts_with(walk.prefix.as_str())
            || walk.filter.accepts(&mut |place| tree.get(&path, place)) != Some(true)
        {
            return Ok(());
        }
        let Some((place, down)) = walk.sort else { return self.meet(walk, name, json) };
        let Some(value) = tree.get(&path, place) else { return Ok(()) };
        let key = Key::of(&value);
        let rows = &mut walk.rows;
        // From the end, where one that is not kept is refused at once.
        let (mut low, mut high) = (0, rows.len());
        while low < high {
            let middle = (low + high) / 2;
            let before = rows.get(middle).is_none_or(|row| row.key.goes_before(&key, down));
            (low, high) = if before { (middle + 1, high) } else { (low, middle) };
        }
        if low as u64 >= walk.limit {
            return Ok(());
        }
        if rows.len() as u64 >= walk.limit {
            rows.pop();
        }
        if rows.len() >= ROWS {
            return Err(failure(
                Code::Limit,
                "sort keeps at most 4096 rows; a limit or a narrower where helps",
            ));
        }
        rows.insert(low, Box::new(Row { key, name: String::from(name) }));
        Ok(())
    }

    /// A node that is meant is shown, or something is done to it.
    fn meet(&mut self, walk: &mut Walk, name: &str, json: bool) -> Result<(), Failure> {
        let path = Path { kind: walk.schema.name, name };
        if walk.action.is_empty() {
            walk.found += u64::from(self.show(walk, &path, json)?);
            return Ok(());
        }
        walk.found += 1;
        for step in &walk.action {
            let Step::Set { key, .. } = step else { break };
            let place = walk.schema.find(key).map_or(0, |(place, _)| place);
            if matches!(self.tree.get(&path, place), Some(Value::Nothing)) {
                // One of another sort, as a listener of a monitor: the others are set all the same.
                if walk.lacks.is_none() {
                    walk.lacks =
                        Some(failure_with(Code::Conflict, "% has no % to set", &[&path.text(), key]));
                }
                return Ok(());
            }
        }
        for step in &walk.action {
            if let Step::Call { method, words, .. } = step {
                if !method.configures {
                    match self.call_at_once(walk.schema, name, method, words) {
                        Ok(_) => walk.done += 1,
                        // It went by itself.
                        Err(trouble) if trouble.code == Code::Missing => {}
                        Err(trouble) => {
                            walk.trouble.get_or_insert(trouble);
                        }
                    }
                    return Ok(());
                }
            }
            let mut step = step.clone();
            let (Step::Set { path: node, .. } | Step::Call { path: node, .. }) = &mut step;
            path.print(node);
            walk.steps.push(step);
        }
        if walk.steps.len() >= SLICE as usize { self.apply(walk, json) } else { Ok(()) }
    }

    /// Shows a node; false when it is gone.
    #[inline(never)]
    fn show(&mut self, walk: &Walk, path: &Path<'_>, json: bool) -> Result<bool, Failure> {
        let out = &mut self.session.output.part;
        let before = out.len();
        let lines = walk.shape == Shape::Lines && !json;
        if !lines {
            render::open(path.kind, path.name, json, out);
        }
        let mut at = 0;
        loop {
            let place = match walk.shape {
                Shape::Path => None,
                _ if walk.keys.is_empty() => Some(at),
                _ => walk.keys.get(at).copied(),
            };
            let Some(place) = place else { break };
            let Some(about) = (walk.schema.about)(place) else { break };
            at += 1;
            let Some(value) = self.tree.get(path, place) else {
                out.truncate(before);
                if walk.one {
                    return Err(missing(path.kind, path.name));
                }
                return Ok(false);
            };
            if lines {
                render::line(path, about.name(), &value, out);
            } else {
                render::field(about.name(), &value, json, out);
            }
        }
        if !lines {
            render::close(json, out);
        }
        Ok(true)
    }

    /// Does what was gathered, all of it or nothing, or puts it off until `commit`.
    pub(super) fn apply(&mut self, walk: &mut Walk, json: bool) -> Result<(), Failure> {
        let steps = core::mem::take(&mut walk.steps);
        if steps.is_empty() {
            return Ok(());
        }
        let each = walk.action.len().max(1);
        let nodes = (steps.len() / each) as u64;
        let told = NOTED.saturating_sub(walk.done as usize) * each;
        let result = self.change_for(steps, walk.due, told);
        if result.is_ok() {
            walk.done += nodes;
        } else {
            if let Some(steps) = &mut self.session.steps {
                steps.truncate(walk.kept);
                walk.done = 0;
            }
            // The count goes before the error.
            self.counted(walk, json);
        }
        result
    }

    /// The end of a walk.
    fn walked(&mut self, walk: &mut Walk, json: bool) -> Result<bool, Failure> {
        self.apply(walk, json)?;
        if !walk.action.is_empty() {
            self.counted(walk, json);
        }
        if walk.within && walk.found == 0 {
            // It was looked for as what others begin with.
            walk.prefix.pop();
            return Err(missing(walk.schema.name, &walk.prefix));
        }
        let lacks = walk.lacks.take().filter(|_| walk.done == 0);
        walk.trouble.take().or(lacks).map_or(Ok(false), Err)
    }

    /// Says what an action found and did, and notes it.
    fn counted(&mut self, walk: &Walk, json: bool) {
        let out = &mut self.session.output.part;
        render::open(walk.schema.name, "", json, out);
        render::count("found", walk.found, json, out);
        render::count("done", walk.done, json, out);
        render::close(json, out);
        if walk.done > 0 && self.session.steps.is_none() {
            self.note("% on % of /%", &[&walk.told, &decimal(walk.done), walk.schema.name]);
        }
    }
}
