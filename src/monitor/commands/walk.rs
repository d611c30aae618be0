//! Verbs that go over nodes: `ls`, `get`, `find`, and what is done to the nodes that are found.

use alloc::string::String;
use alloc::vec::Vec;

use super::place::{exists, missing, parse};
use super::{Desk, SLICE, kind};
use crate::monitor::filter::{Filter, attribute, order};
use crate::monitor::job::{Action, Plan, ROWS, Shape, Walk};
use crate::monitor::render;
use crate::monitor::request::Words;
use crate::text::number::{parse_decimal, push_decimal_str};
use crate::tree::{Code, Path, Step, Trouble, Value};

/// Nodes changed by one command whose earlier values are noted; the others are counted.
const NOTED: usize = 16;

impl Desk<'_> {
    pub(super) fn ls(&mut self, mut words: Words<'_>, json: bool) -> Result<Option<Plan>, Trouble> {
        let Some(text) = words.word()? else {
            for schema in self.tree.schemas() {
                let out = &mut self.session.output.part;
                render::open(&Path { kind: schema.name, name: "" }, json, out);
                render::close(json, out);
            }
            return Ok(None);
        };
        words.end()?;
        let (schema, path) = parse(self.tree, text.trim_end_matches("/*"))?;
        if !schema.named && path.name.is_empty() {
            return Ok(None);
        }
        let mut walk = Walk::new(schema, Shape::Path);
        if !path.name.is_empty() {
            if !exists(self.tree, schema, path.name) {
                return Err(missing(&text));
            }
            walk.prefix = [path.name, "/"].concat();
        }
        Ok(Some(Plan::Walk(walk)))
    }

    pub(super) fn get(&mut self, mut words: Words<'_>) -> Result<Option<Plan>, Trouble> {
        let plan = self.get_some(&mut words)?;
        words.end()?;
        Ok(plan)
    }

    /// A path and keys, up to the end or `every`.
    pub(super) fn get_some(&mut self, words: &mut Words<'_>) -> Result<Option<Plan>, Trouble> {
        let place = self.place(&words.expect("a path")?, true)?;
        let mut walk = Walk::new(place.schema, Shape::Lines);
        walk.keys.extend(place.key);
        while !words.is_empty() && !words.clone().take("every") {
            walk.keys.push(attribute(place.schema, &words.expect("an attribute")?)?.0);
        }
        if !place.is_all() {
            walk.one = Some(place.name);
        }
        walk.rewind();
        Ok(Some(Plan::Walk(walk)))
    }

    pub(super) fn find(
        &mut self,
        words: &mut Words<'_>,
        action: Option<&str>,
    ) -> Result<Option<Plan>, Trouble> {
        let name = words.expect("a kind")?;
        let schema = kind(self.tree, name.strip_prefix('/').unwrap_or(&name))?;
        let mut walk = Walk::new(schema, Shape::Row);
        if !schema.named {
            walk.one = Some(String::new());
        }
        if words.take("where") {
            walk.filter = Filter::parse(words, schema)?;
        }
        loop {
            if words.take("show") {
                for key in words.expect("attributes behind show")?.split(',') {
                    walk.keys.push(attribute(schema, key)?.0);
                }
            } else if words.take("sort") {
                let key = words.expect("an attribute behind sort")?;
                let plain = key.strip_prefix('-').unwrap_or(&key);
                walk.sort = Some((attribute(schema, plain)?.0, plain.len() < key.len()));
            } else if words.take("limit") {
                let text = words.expect("a number behind limit")?;
                walk.limit = parse_decimal(text.as_bytes()).ok_or_else(|| {
                    Trouble::new(Code::Invalid, &["expected a number behind limit, not ", &text])
                })?;
            } else {
                break;
            }
        }
        if let Some(text) = action {
            walk.action = self.action(&walk, text.trim_ascii())?;
            walk.kept = self.session.steps.as_ref().map_or(0, Vec::len);
        }
        walk.rewind();
        Ok(Some(Plan::Walk(walk)))
    }

    /// What stands behind `|`.
    fn action(&mut self, walk: &Walk, text: &str) -> Result<Action, Trouble> {
        let schema = walk.schema;
        let told = String::from(text);
        let mut words = Words::new(text);
        let name = words.expect("a method or set behind |")?;
        if name == "set" {
            let pairs = super::change::pairs(words.all()?)?;
            for (key, text) in &pairs {
                self.hold_attribute(schema, key, text)?;
            }
            return Ok(Action::Set { pairs, told });
        }
        let method = super::change::method(schema, &name)?;
        self.hold_role(method.role, method.name)?;
        Ok(Action::Call { method, words: words.all()?, told })
    }

    /// Looks at one node, or asks for the names of some more. False at the end.
    pub(super) fn walk(&mut self, walk: &mut Walk, json: bool) -> Result<bool, Trouble> {
        if walk.giving {
            let row = walk.rows.get_mut(walk.at).map(|(_, name)| core::mem::take(name));
            walk.at += 1;
            let Some(name) = row else { return self.walked(walk, json) };
            self.meet(walk, &name, json)?;
            return Ok(true);
        }
        if walk.found >= walk.limit && walk.sort.is_none() {
            return self.walked(walk, json);
        }
        let names = core::mem::take(&mut walk.batch);
        let rest = names.get(walk.at..).unwrap_or_default();
        if let Some((name, _)) = rest.split_once('\n') {
            walk.at += name.len() + 1;
            let result = self.look(walk, name, json);
            walk.batch = names;
            return result.map(|()| true);
        }
        // The names that were looked at make room for the next ones.
        walk.batch = names;
        walk.batch.clear();
        walk.at = 0;
        if let Some(from) = walk.from {
            let batch = &mut walk.batch;
            walk.from = self.tree.names(walk.schema, from, &mut |name| batch.extend([name, "\n"]));
            return Ok(true);
        }
        if walk.sort.is_some() {
            walk.giving = true;
            return Ok(true);
        }
        self.walked(walk, json)
    }

    /// Looks whether a node is meant.
    fn look(&mut self, walk: &mut Walk, name: &str, json: bool) -> Result<(), Trouble> {
        if !name.starts_with(walk.prefix.as_str()) {
            return Ok(());
        }
        let path = Path { kind: walk.schema.name, name };
        let tree = &mut *self.tree;
        if walk.filter.accepts(&mut |place| tree.get(&path, place)) != Some(true) {
            return Ok(());
        }
        let Some((place, down)) = walk.sort else { return self.meet(walk, name, json) };
        let Some(value) = tree.get(&path, place) else { return Ok(()) };
        let rows = &mut walk.rows;
        let stays = |other: &Value| {
            let order = order(other, &value);
            let unknown = *other == Value::Nothing || value == Value::Nothing;
            if down && !unknown { order.is_ge() } else { order.is_le() }
        };
        let at = rows.partition_point(|(other, _)| stays(other));
        let most = usize::try_from(walk.limit).unwrap_or(usize::MAX);
        if at >= most {
            return Ok(());
        }
        rows.insert(at, (value, String::from(name)));
        rows.truncate(most);
        if rows.len() > ROWS {
            return Err(Trouble::new(
                Code::Limit,
                &["sort keeps at most 4096 rows; a limit or a narrower where helps"],
            ));
        }
        Ok(())
    }

    /// A node that is meant is shown, or something is done to it.
    fn meet(&mut self, walk: &mut Walk, name: &str, json: bool) -> Result<(), Trouble> {
        let path = Path { kind: walk.schema.name, name };
        let mut text = String::new();
        match &walk.action {
            Action::Show => {
                walk.found += u64::from(self.show(walk, &path, json)?);
                return Ok(());
            }
            Action::Call { method, words, .. } if !method.configures => {
                let done = self.tree.call(&path, method, words, self.session.actor());
                match done {
                    Ok(_) => walk.done += 1,
                    // It went by itself.
                    Err(trouble) if trouble.code == Code::Missing => {}
                    Err(trouble) => drop(walk.trouble.get_or_insert(trouble)),
                }
            }
            Action::Call { method, words, .. } => {
                path.print(&mut text);
                walk.steps.push(Step::Call { path: text, method, words: words.clone() });
            }
            Action::Set { pairs, .. } => {
                path.print(&mut text);
                for (key, value) in pairs {
                    let (path, key, text) = (text.clone(), key.clone(), value.clone());
                    walk.steps.push(Step::Set { path, key, text });
                }
            }
        }
        walk.found += 1;
        if walk.steps.len() >= SLICE as usize { self.apply(walk, json) } else { Ok(()) }
    }

    /// Shows a node; false when it is gone.
    fn show(&mut self, walk: &Walk, path: &Path<'_>, json: bool) -> Result<bool, Trouble> {
        let out = &mut self.session.output.part;
        let before = out.len();
        let lines = walk.shape == Shape::Lines && !json;
        if !lines {
            render::open(path, json, out);
        }
        let mut at = 0;
        loop {
            let place = match walk.shape {
                Shape::Path => None,
                _ if walk.keys.is_empty() => Some(at),
                _ => walk.keys.get(at).copied(),
            };
            at += 1;
            let Some((place, about)) = place.and_then(|place| Some((place, (walk.schema.about)(place)?)))
            else {
                break;
            };
            let Some(value) = self.tree.get(path, place) else {
                out.truncate(before);
                if walk.one.is_some() {
                    let mut text = String::new();
                    path.print(&mut text);
                    return Err(missing(&text));
                }
                return Ok(false);
            };
            if lines {
                render::line(path, about.name, &value, out);
            } else {
                render::field(about.name, &value, json, out);
            }
        }
        if !lines {
            render::close(json, out);
        }
        Ok(true)
    }

    /// Does what was gathered, all of it or nothing, or puts it off until `commit`.
    pub(super) fn apply(&mut self, walk: &mut Walk, json: bool) -> Result<(), Trouble> {
        let each = match &walk.action {
            _ if walk.steps.is_empty() => return Ok(()),
            Action::Set { pairs, .. } => pairs.len().max(1),
            _ => 1,
        };
        let steps = core::mem::take(&mut walk.steps);
        let nodes = steps.len() / each;
        let told = NOTED.saturating_sub(walk.done as usize) * each;
        let result = self.change(steps, told);
        if result.is_ok() {
            walk.done += nodes as u64;
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
    fn walked(&mut self, walk: &mut Walk, json: bool) -> Result<bool, Trouble> {
        self.apply(walk, json)?;
        if !matches!(walk.action, Action::Show) {
            self.counted(walk, json);
        }
        walk.trouble.take().map_or(Ok(false), Err)
    }

    /// Says what an action found and did, and notes it.
    fn counted(&mut self, walk: &Walk, json: bool) {
        let out = &mut self.session.output.part;
        render::open(&Path { kind: walk.schema.name, name: "" }, json, out);
        render::count("found", walk.found, json, out);
        render::count("done", walk.done, json, out);
        render::close(json, out);
        let (Action::Call { told, .. } | Action::Set { told, .. }) = &walk.action else { return };
        if walk.done > 0 && self.session.steps.is_none() {
            let mut done = String::new();
            push_decimal_str(walk.done, &mut done);
            let actor = self.session.actor();
            self.tree.note(&[&actor.who, ": ", told, " on ", &done, " of /", walk.schema.name]);
        }
    }
}
