//! Verbs that tell what there is: `hello`, `help`, `schema`, `log`.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Ask, Desk, EVENTS, kind, number};
use crate::monitor::failure::{Failure, fill, push_filled};
use crate::monitor::filter::attribute;
use crate::monitor::job::Plan;
use crate::monitor::render;
use crate::monitor::request::Words;
use crate::monitor::roles;
use crate::monitor::session::Session;
use crate::monitor::verbs::{verb, verbs};
use crate::text::join::{joined, separated};
use crate::text::number::push_decimal;
use crate::text::wrap::wrap;
use crate::tree::{About, Method, Path, Schema, Unit, Value, first_sentence};

/// Events that `log` shows unless said.
const LAST: u64 = 20;

/// The column where the short help of `help` begins, without the two blanks of prose.
const COLUMN: usize = 24;

/// Columns of the help, without these blanks.
const WIDTH: usize = render::WIDTH - 2;

impl Desk<'_> {
    pub(super) fn hello(&mut self, _: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        let json = ask.json;
        let path = Path { kind: "process", name: "" };
        let place = kind(self.tree, path.kind)?.find("pid");
        let pid = place.and_then(|(place, _)| self.tree.get(&path, place));
        let Session { actor, output, .. } = &mut *self.session;
        let out = &mut output.part;
        render::open(path.kind, path.name, json, out);
        render::text("version", env!("CARGO_PKG_VERSION"), json, out);
        render::count("protocol", 1, json, out);
        render::field("pid", &pid.unwrap_or(Value::Nothing), json, out);
        render::text("role", roles::word(actor.role), json, out);
        render::text("who", &actor.who, json, out);
        render::close(json, out);
        Ok(())
    }

    /// Gives one line of a text. False when there is none.
    pub(super) fn give_line(&mut self, text: &str, at: &mut usize, json: bool) -> bool {
        let rest = text.get(*at..).unwrap_or_default();
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        *at += line.len() + 1;
        if !rest.is_empty() {
            render::prose(line, json, &mut self.session.output.part);
        }
        !rest.is_empty()
    }

    pub(super) fn log(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        let follow = words.take("follow");
        let mut last = LAST;
        if let Some(text) = words.word()? {
            last = number(text, "a number of events")?;
        }
        words.end()?;
        let end = self.tree.events(u64::MAX, &mut |_| {});
        self.give(Plan::Log { next: end.saturating_sub(last), end });
        if follow { self.add_watch(ask, 0) } else { Ok(()) }
    }

    /// Gives some events. False when the last was given.
    #[inline(never)]
    pub(super) fn give_events(&mut self, next: &mut u64, end: u64, json: bool) -> bool {
        let mut kept = 0;
        let after = self.tree.events(*next, &mut |_| kept += 1);
        // Those before the first are not kept any more.
        *next = after.saturating_sub(kept);
        let last = end.min(*next + EVENTS as u64);
        let out = &mut self.session.output.part;
        self.tree.events(*next, &mut |line| {
            if *next >= last {
                return;
            }
            if json {
                out.extend_from_slice(b"{\"number\":");
                push_decimal(*next, out);
                render::text("text", line, true, out);
                render::close(true, out);
            } else {
                out.extend_from_slice(b"  ");
                render::escape(line, out);
                out.push(b'\n');
            }
            *next += 1;
        });
        *next < end.min(after)
    }

    pub(super) fn schema(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let mut kinds = self.tree.schemas();
        if let Some(name) = words.word()? {
            kinds = core::slice::from_ref(kind(self.tree, name)?);
        }
        self.give(Plan::Schema { kinds, item: 0 });
        Ok(())
    }

    /// Gives one row of the tables. False when there is none.
    #[inline(never)]
    pub(super) fn give_schema(
        &mut self,
        kinds: &mut &'static [Schema],
        item: &mut usize,
        json: bool,
    ) -> bool {
        let Some((schema, rest)) = kinds.split_first() else { return false };
        let out = &mut self.session.output.part;
        let at = *item;
        *item += 1;
        if at == 0 {
            render::open("schema", schema.name, json, out);
            render::switch("named", schema.named, json, out);
            render::text("help", schema.help, json, out);
        } else if let Some(about) = (schema.about)(at - 1) {
            let name = joined(&[schema.name, ".", about.name()]);
            render::open("schema", &name, json, out);
            attribute_row(about, json, out);
        } else if let Some(method) = schema.methods.get(at - 1 - schema.abouts().count()) {
            render::open("schema", schema.name, json, out);
            method_row(method, json, out);
        } else {
            *kinds = rest;
            *item = 0;
            return true;
        }
        render::close(json, out);
        true
    }

    pub(super) fn help(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let mut text = String::new();
        match words.word()? {
            None => self.help_all(&mut text),
            Some(name) => self.help_one(name, &mut text)?,
        }
        self.give_text(text);
        Ok(())
    }

    #[inline(never)]
    fn help_all(&self, out: &mut String) {
        for verb in verbs() {
            entry(verb.name, &[], verb.help, out);
        }
        let kinds = separated(&mut self.tree.schemas().iter().map(|schema| schema.name), " ");
        section("kinds:", &[], &kinds, out);
        entry("help VERB|KIND|KIND.KEY|KIND.METHOD", &[], "Tell more.", out);
    }

    fn help_one(&self, name: &str, out: &mut String) -> Result<(), Failure> {
        if let Some((name, key)) = name.split_once('.') {
            let schema = kind(self.tree, name)?;
            if let Some(method) = schema.method(key) {
                method_help(schema, method, out);
                return Ok(());
            }
            attribute_help(schema, attribute(schema, key)?.1, out);
            return Ok(());
        }
        // One name may be both: there is a verb log, and a kind.
        let (schema, verb) = (kind(self.tree, name), verb(name));
        if let Ok(verb) = &verb {
            section("% %", &[verb.name, verb.words], verb.help, out);
        }
        let Ok(schema) = schema else {
            // What it is nearest to is looked for among the verbs.
            return verb.map(|_| ());
        };
        section("%:", &[schema.name], schema.help, out);
        for about in schema.abouts() {
            entry("%=%", &[about.name(), about.unit.placeholder()], about.help(), out);
        }
        for method in schema.methods {
            entry("call .. % %", &[method.name, method.words], method.help, out);
        }
        Ok(())
    }
}

/// Appends a head with words in it, without blanks at its end.
fn push_head(head: &str, words: &[&str], out: &mut String) {
    push_filled(out, head, words);
    out.truncate(out.trim_ascii_end().len());
}

/// A head with words in it, and all of its help below, or behind a colon.
#[inline(never)]
fn section(head: &str, words: &[&str], help: &str, out: &mut String) {
    push_head(head, words, out);
    if !head.ends_with(':') {
        out.push('\n');
    }
    wrap(help, 2, WIDTH, out);
}

/// A head with words in it, and the first sentence of its help beside it.
#[inline(never)]
fn entry(head: &str, words: &[&str], help: &'static str, out: &mut String) {
    let start = out.len();
    push_head(head, words, out);
    if out.len() - start + 2 > COLUMN {
        out.push('\n');
    }
    wrap(first_sentence(help), COLUMN, WIDTH, out);
}

#[inline(never)]
fn attribute_help(schema: &Schema, about: &About, out: &mut String) {
    section("%.%=%:", &[schema.name, about.name(), about.unit.placeholder()], about.help(), out);
    if about.fact {
        out.push_str("It is a fact; nobody sets it.\n");
        return;
    }
    out.push_str("It takes");
    let mut expected = String::new();
    about.unit.describe(&mut expected);
    let default = if about.default().is_empty() { "empty" } else { about.default() };
    let end = if about.live { "" } else { ", before the program starts" };
    let words = [&expected, default, roles::word(about.role), end];
    wrap(&fill("%; its default is %. The role % may set it%.", &words), 2, WIDTH, out);
}

#[inline(never)]
fn method_help(schema: &Schema, method: &Method, out: &mut String) {
    let name = if schema.named { "/NAME" } else { "" };
    section("call /%% % %", &[schema.name, name, method.name, method.words], method.help, out);
    wrap(&fill("The role % may do it.", &[roles::word(method.role)]), 2, WIDTH, out);
}

#[inline(never)]
fn attribute_row(about: &About, json: bool, out: &mut Vec<u8>) {
    render::text("unit", &about.unit.placeholder().to_ascii_lowercase(), json, out);
    if let Unit::Choice(choices) = about.unit {
        let mut words = Vec::new();
        for word in choices.split('|') {
            words.push(String::from(word));
        }
        render::field("choices", &Value::List(words), json, out);
    }
    render::text("default", about.default(), json, out);
    render::text("role", roles::word(about.role), json, out);
    render::switch("live", about.live, json, out);
    render::switch("fact", about.fact, json, out);
    render::switch("counter", about.counter, json, out);
    render::text("help", about.help(), json, out);
}

#[inline(never)]
fn method_row(method: &Method, json: bool, out: &mut Vec<u8>) {
    render::name("method", method.name, json, out);
    render::text("args", method.words, json, out);
    render::text("role", roles::word(method.role), json, out);
    render::switch("configures", method.configures, json, out);
    render::text("help", method.help, json, out);
}
