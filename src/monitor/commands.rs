//! Does what sessions ask, over the tree of the running program, a little at a time.
//!
//! The loop calls [`work`] after each turn. Each session that has something to do and room for what comes of it gets
//! a slice, one after the other, until the turn's nodes are used up; then the loop goes on, and calls again.
//!
//! ```text
//!   change that comes back, if due
//!   for each session:   job? --no--> sample due? --no--> next command of its line --> done, or a job
//!                         |               |
//!                         +-- a node <----+      at the end: its frame, and the connection is woken
//! ```

use alloc::boxed::Box;
use alloc::string::String;

use super::failure::{Failure, expected, expected_of, failure, failure_of, failure_with, unknown};
use super::job::{Job, Plan, Timing};
use super::render;
use super::request::{Words, divide};
use super::roles;
use super::session::{Request, Session, WATCHES};
use super::sessions::{Entry, Sessions};
use super::timed::Timed;
use super::verbs::verb;
use crate::engine::values::ConnId;
use crate::text::duration;
use crate::text::nearest::nearest;
use crate::text::number::{parse_decimal, push_decimal_str};
use crate::tree::{Code, Role, Schema, Tree, Value};

mod change;
mod look;
mod place;
mod walk;

/// Nodes looked at in one call of [`work`], over all sessions.
const NODES: u32 = 256;

/// Nodes looked at for one session before it is another one's turn.
const SLICE: u32 = 64;

/// The shortest time between two samples, in milliseconds.
const LEAST_PERIOD: u64 = 100;

/// The time between two samples, in milliseconds, unless said.
const PERIOD: u64 = 1000;

/// Events that one look at the log takes at most.
const EVENTS: usize = 32;

/// Where a command is done: whose it is, and over what.
struct Desk<'a> {
    session: &'a mut Session,
    timed: &'a mut Timed,
    tree: &'a mut dyn Tree,
    /// Milliseconds, the same for all of a turn.
    now: u64,
    /// What is to be given for the command that was done.
    plan: Option<Plan>,
    /// Something was done that costs as much as a whole turn's nodes, or more: the configuration was changed, read or
    /// written. Nothing else is done before the loop has had its turn.
    spent: bool,
}

/// How a command is asked, beside its words.
struct Ask<'a> {
    tag: Option<&'a str>,
    json: bool,
    /// What stands behind `|`.
    action: Option<&'a str>,
}

/// What a verb does. It is called through a pointer: all of them inside of one function make that larger, not faster.
/// So do the steps on the way to it, which are kept apart as well.
type Run<'d> = fn(&mut Desk<'d>, &mut Words<'_>, &Ask<'_>) -> Result<(), Failure>;

/// Does a turn's share of what was asked. `wake` is told each connection whose session has output, reads again, or is
/// over. Gives when it wants to be called again, on the tree's clock in milliseconds: at once when that is not later
/// than now; nothing when only a peer can give it more to do.
pub fn work(sessions: &mut Sessions, tree: &mut dyn Tree, wake: &mut dyn FnMut(ConnId)) -> Option<u64> {
    let Sessions { slots, timed, turn } = sessions;
    let now = tree.milliseconds();
    if let Some(touched) = tree.touched() {
        change::reloaded(timed, &touched, tree);
    }
    change::take_back(timed, tree, now);
    let mut left = NODES;
    loop {
        let before = left;
        for _ in 0..slots.len() {
            if left == 0 {
                break;
            }
            *turn = if *turn + 1 < slots.len() { *turn + 1 } else { 0 };
            let Some(Some(entry)) = slots.get_mut(*turn) else { continue };
            let Entry { session, woken, .. } = &mut **entry;
            let slice = SLICE.min(left);
            let told = (session.output.given(), session.wants_input(), session.is_over());
            let mut desk = Desk { session, timed, tree, now, plan: None, spent: false };
            left -= slice - run(&mut desk, slice);
            if desk.spent {
                left = 0;
            }
            let session = &*desk.session;
            *woken |= told != (session.output.given(), session.wants_input(), session.is_over());
        }
        if left == 0 || left == before {
            break;
        }
    }
    let mut due = timed.next();
    for entry in slots.iter_mut().flatten() {
        let Entry { id, session, woken } = &mut **entry;
        if core::mem::take(woken) {
            wake(*id);
        }
        due = due.into_iter().chain(next(session, now)).min();
    }
    due
}

/// When a session wants to go on.
fn next(session: &Session, now: u64) -> Option<u64> {
    if !session.output.has_room() {
        return None;
    }
    if session.has_work() {
        return Some(now);
    }
    let timings = session.watches.iter().filter_map(|watch| watch.timing.as_ref());
    timings.filter(|timing| timing.every > 0).map(|timing| timing.due).min()
}

/// Works for one session on at most `nodes` nodes; gives how many are left.
fn run(desk: &mut Desk<'_>, mut nodes: u32) -> u32 {
    while nodes > 0 && !desk.spent && desk.session.output.has_room() && !desk.session.is_over() {
        match desk.session.job.take() {
            Some(job) => desk.go_on(job),
            None => {
                if !desk.sample() && !desk.answer() {
                    break;
                }
            }
        }
        nodes -= 1;
    }
    // What was found is changed before anything else can happen to it.
    if let Some(mut job) = desk.session.job.take() {
        let result = match &mut job.plan {
            Plan::Walk(walk) => desk.apply(walk, job.json),
            Plan::Text { .. } | Plan::Log { .. } | Plan::Schema { .. } => Ok(()),
        };
        match result {
            Ok(()) => desk.session.job = Some(job),
            Err(trouble) => desk.finish(job, Err(trouble)),
        }
    }
    nodes
}

impl<'d> Desk<'d> {
    /// Begins the next sample that is due, if there is one.
    #[inline(never)]
    fn sample(&mut self) -> bool {
        let Desk { session, tree, now, .. } = self;
        let output = &session.output;
        let place = session.watches.iter_mut().position(|watch| {
            let Some(timing) = &mut watch.timing else { return false };
            let left = output.has_left(timing.end);
            let Plan::Log { next, end } = &mut watch.plan else {
                let due = timing.due <= *now;
                if due {
                    timing.pass(*now, left);
                }
                return due && left;
            };
            let mut kept = 0;
            *end = tree.events(*next, &mut |_| kept += 1);
            // Those between are not kept any more.
            let first = end.saturating_sub(kept);
            if timing.end > 0 {
                timing.dropped += first.saturating_sub(*next);
            }
            *next = first;
            left && kept > 0
        });
        let Some(place) = place else { return false };
        let mut watch = session.watches.remove(place);
        if let Plan::Walk(walk) = &mut watch.plan {
            walk.rewind();
        }
        watch.left = 0;
        let dropped = watch.timing.as_mut().map_or(0, |timing| core::mem::take(&mut timing.dropped));
        if dropped > 0 {
            self.about_watch(&watch, "dropped", &Value::Count(dropped));
        }
        self.session.job = Some(watch);
        true
    }

    /// A row about a watch itself, in its sample.
    fn about_watch(&mut self, watch: &Job, key: &str, value: &Value) {
        let out = &mut self.session.output.part;
        render::open("watch", "", watch.json, out);
        let tag = watch.tag.as_deref().unwrap_or("-");
        render::name("tag", tag, watch.json, out);
        render::field(key, value, watch.json, out);
        render::close(watch.json, out);
    }

    /// Takes a job one step further.
    #[inline(never)]
    fn go_on(&mut self, mut job: Box<Job>) {
        let before = self.session.output.part.len();
        let step = match &mut job.plan {
            Plan::Text { text, at } => Ok(self.give_line(text, at, job.json)),
            Plan::Schema { kinds, item } => Ok(self.give_schema(kinds, item, job.json)),
            // What follows comes in the next sample.
            Plan::Log { next, end } => Ok(self.give_events(next, *end, job.json) && job.timing.is_none()),
            Plan::Walk(walk) => self.walk(walk, job.json),
        };
        let output = &mut self.session.output;
        if job.timing.is_none() {
            output.settle(job.tag.as_deref());
        } else if output.part.len() > output.sample() && matches!(job.plan, Plan::Walk(_)) {
            output.part.truncate(before);
            job.left += 1;
        }
        if matches!(step, Ok(true)) {
            self.session.job = Some(job);
        } else {
            self.finish(job, step.map(|_| ()));
        }
    }

    /// Ends a reply or a sample.
    fn finish(&mut self, mut job: Box<Job>, result: Result<(), Failure>) {
        if job.timing.is_none() {
            return self.end(job.tag.as_deref(), result);
        }
        let ends = result.is_err();
        if job.left > 0 {
            self.about_watch(&job, "left", &Value::Count(job.left));
        }
        if let Err(trouble) = result {
            self.about_watch(&job, "over", &Value::Text(trouble.message));
        }
        let end = self.session.output.push(job.tag.as_deref());
        if let (false, Some(timing)) = (ends, &mut job.timing) {
            timing.end = end;
            self.session.watches.push(job);
        }
        self.session.end_if_ended();
    }

    /// Ends a reply, and counts it.
    fn end(&mut self, tag: Option<&str>, result: Result<(), Failure>) {
        self.session.commands += 1;
        // What was meant to be one change is not to be done in part.
        self.session.spoilt |= result.is_err() && self.session.steps.is_some();
        if matches!(&result, Err(trouble) if trouble.code == Code::Refused) {
            self.session.refused += 1;
        }
        self.session.output.end(tag, result);
    }

    /// Begins the next command, if there is one.
    #[inline(never)]
    fn answer(&mut self) -> bool {
        if !self.session.has_work() {
            return false;
        }
        // Without a command, the line is at its end, and the session reads again.
        let Some(Request { tag, text }) = self.session.next_request() else { return true };
        let mut json = self.session.json;
        let result = text.and_then(|text| self.command(&text, tag.as_deref(), &mut json));
        match (result, self.plan.take()) {
            (Ok(()), Some(plan)) => self.session.job = Some(Job::new(plan, json, tag, None)),
            (result, _) => self.end(tag.as_deref(), result),
        }
        true
    }

    /// Does a command, or says what is to be given for it.
    #[inline(never)]
    fn command(&mut self, text: &str, tag: Option<&str>, json: &mut bool) -> Result<(), Failure> {
        let (text, action) = divide(text, b'|');
        let mut text = text.as_bytes().to_vec();
        let mut words = Words::new(&mut text);
        if words.take("kv") {
            *json = false;
        }
        if words.take("json") {
            *json = true;
        }
        let verb = verb(words.expect("a verb; help lists them")?)?;
        self.hold_role(verb.role, verb.name)?;
        if action.is_some() && verb.name != "find" {
            return Err(expected("no | but behind find"));
        }
        if verb.words.is_empty() {
            words.end()?;
        }
        // In the order of the table of verbs.
        let run: Run<'d> = match verb.place {
            0 => Self::hello,
            1 => Self::ls,
            2 => Self::get,
            3 => Self::set,
            4 => Self::keep,
            5 => Self::call,
            6 => Self::find,
            7 => Self::watch,
            8 => Self::unwatch,
            9 => Self::begin,
            10 => Self::commit,
            11 => Self::abort,
            12 => Self::log,
            13 => Self::schema,
            14 => Self::save,
            15 => Self::help,
            16 => Self::format,
            19 | 20 => Self::quit,
            // A form stands before a verb.
            _ => return Err(expected_of("a verb behind %", verb.name)),
        };
        run(self, &mut words, &Ask { tag, json: *json, action })?;
        words.end()
    }

    /// Says what is to be given for the command.
    fn give(&mut self, plan: Plan) {
        self.plan = Some(plan);
    }

    /// Gives these lines.
    #[inline(never)]
    fn give_text(&mut self, text: String) {
        self.give(Plan::Text { text, at: 0 });
    }

    fn format(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let json = words.take("json");
        if !json && !words.take("kv") {
            return Err(expected("kv or json"));
        }
        words.end()?;
        self.session.json = json;
        Ok(())
    }

    fn quit(&mut self, _: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        self.session.quit();
        Ok(())
    }

    /// Holds that the session's role suffices.
    fn hold_role(&self, role: Role, what: &str) -> Result<(), Failure> {
        let own = self.session.actor().role;
        if own >= role {
            return Ok(());
        }
        Err(failure_with(
            Code::Refused,
            "% is for the role %; yours is %",
            &[what, roles::word(role), roles::word(own)],
        ))
    }

    /// Begins a watch of the plan.
    fn add_watch(&mut self, ask: &Ask<'_>, every: u64) -> Result<(), Failure> {
        let Some(plan) = self.plan.take() else { return Ok(()) };
        if self.session.watches.len() >= WATCHES {
            return Err(failure(Code::Limit, "a session has at most 8 watches"));
        }
        if ask.tag.is_some() && self.session.watches.iter().any(|watch| watch.tag.as_deref() == ask.tag) {
            return Err(failure(Code::Conflict, "there is a watch of that tag"));
        }
        let timing = Some(Timing { every, due: self.now, dropped: 0, end: 0 });
        let tag = ask.tag.map(String::from);
        self.session.watches.push(Job::new(plan, ask.json, tag, timing));
        Ok(())
    }

    fn watch(&mut self, words: &mut Words<'_>, ask: &Ask<'_>) -> Result<(), Failure> {
        let run: Run<'d> = if words.take("find") { Self::find } else { Self::get };
        run(self, words, ask)?;
        let mut every = PERIOD;
        if words.take("every") {
            let text = words.expect("a time behind every")?;
            every = duration::parse(text).unwrap_or(0);
            if every < LEAST_PERIOD {
                let wrong = "expected a time of at least 100ms behind every, not %";
                return Err(failure_of(Code::Invalid, wrong, text));
            }
        }
        words.end()?;
        self.add_watch(ask, every)
    }

    fn unwatch(&mut self, words: &mut Words<'_>, _: &Ask<'_>) -> Result<(), Failure> {
        let wanted = words.word()?;
        words.end()?;
        let found = self.session.end_watches(&|watch| wanted.is_none() || watch.tag.as_deref() == wanted);
        match wanted {
            Some(tag) if !found => Err(failure_of(Code::Missing, "there is no watch of the tag %", tag)),
            _ => Ok(()),
        }
    }
}

/// A number that was asked for.
fn number(text: &str, what: &str) -> Result<u64, Failure> {
    let wrong = || failure_with(Code::Invalid, "expected %, not %", &[what, text]);
    parse_decimal(text.as_bytes()).ok_or_else(wrong)
}

/// A number as text.
fn decimal(number: u64) -> String {
    let mut text = String::new();
    push_decimal_str(number, &mut text);
    text
}

/// The kind of that name.
fn kind(tree: &dyn Tree, name: &str) -> Result<&'static Schema, Failure> {
    let kinds = tree.schemas();
    kinds.iter().find(|schema| schema.name == name).ok_or_else(|| {
        let near = nearest(name, &mut kinds.iter().map(|schema| schema.name));
        unknown("no kind is named %", &[name], near)
    })
}

#[cfg(test)]
mod tests;
