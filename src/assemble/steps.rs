//! Steps of a change by the nodes that keep what they change: what is set of a listener is a part of a rule of its server.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::listeners::display;
use super::live::{CONNECTIONS, Live};
use super::sockets::Bound;
use crate::config::edit::{REVERT, canonical, edit};
use crate::config::settings::Settings;
use crate::text::join::joined;
use crate::text::number::{parse_decimal, push_decimal_str};
use crate::text::split::split_once;
use crate::tree::rule::{ListenRule, set_in_rule};
use crate::tree::{Code, Step, Trouble};

/// What the name of a part of a rule of `listen` begins with: `listen[1].write_buffer`.
const PART: &str = "listen[";

/// The server, the place of the rule, and the key of such a part.
pub(super) fn part<'s>(path: &'s str, key: &'s str) -> Option<(&'s str, usize, &'s str)> {
    let (number, key) = split_once(key.strip_prefix(PART)?, "].")?;
    let place = parse_decimal(number.as_bytes())?.checked_sub(1)?;
    Some((path.strip_prefix("/http/")?, usize::try_from(place).ok()?, key))
}

/// Does a step on settings, which may be of such a part.
pub(super) fn edit_part(settings: &mut Settings, step: &Step) -> Result<(), Box<Trouble>> {
    let Step::Set { path, key, text } = step else { return edit(settings, step) };
    let Some((name, place, key)) = part(path, key) else { return edit(settings, step) };
    let server = settings.servers.iter_mut().find(|server| server.name == name);
    let Some((server, rule)) = server.and_then(|server| {
        let rule = set_in_rule(server.settings.listen.get(place)?, key, text);
        Some((server, rule))
    }) else {
        return Err(Trouble::new(Code::Missing, &[path, ": no such rule"]));
    };
    if let Err(wrong) = ListenRule::parse(&rule) {
        return Err(Trouble::new(Code::Invalid, &[path, ".listen: ", &wrong]));
    }
    server.settings.listen.get_mut(place).map(|old| core::mem::replace(old, rule));
    server.read_rules();
    Ok(())
}

impl Live<'_, '_> {
    /// A step that changes a listener's buffer, as one that changes a part of its rule.
    fn of_listener(&self, new: &Settings, name: &str, key: &str, text: &str) -> Result<Step, Box<Trouble>> {
        let missing = || Trouble::new(Code::Missing, &["/listener/", name, ": no such node"]);
        let is = |bound: &Bound| bound.sockets.iter().any(|(_, address)| display(address) == name);
        let servers = self.running.servers.iter();
        let mut all = servers.flat_map(|server| {
            self.running.bound_of(server.service).enumerate().map(move |bound| (&server.name, bound))
        });
        let (server, (place, bound)) = all.find(|(_, (_, bound))| is(bound)).ok_or_else(missing)?;
        if !matches!(key, "read_buffer" | "write_buffer") {
            return Err(Trouble::new(Code::Unknown, &["/listener/", name, ".", key, ": no such setting"]));
        }
        // Sockets are in the order of their rules, and two rules may read the same.
        let settings = new.servers.iter().find(|other| other.name == *server).ok_or_else(missing)?;
        if settings.listeners.get(place).is_none_or(|rule| rule.listen != bound.rule.listen) {
            return Err(missing());
        }
        let mut number = String::new();
        push_decimal_str(place as u64 + 1, &mut number);
        Ok(Step::Set {
            path: joined(&["/http/", server]),
            key: joined(&[PART, &number, "].", key]),
            text: text.to_owned(),
        })
    }

    /// A step by the name of the node that keeps what it changes.
    fn named(&self, new: &Settings, step: &Step) -> Result<Step, Box<Trouble>> {
        if let Step::Set { path, key, text } = step {
            if let Some(name) = path.strip_prefix("/listener/") {
                return self.of_listener(new, name, key, text);
            }
        }
        Ok(canonical(new, step))
    }

    /// The settings that steps lead to, and the same steps on the nodes that are kept in settings. What is set of
    /// connections is in no settings.
    pub(super) fn resolve(&self, steps: &[Step]) -> Result<(Settings, Vec<Step>), Box<Trouble>> {
        let mut new = self.running.settings.clone();
        let mut resolved = Vec::new();
        for step in steps {
            let step = match step {
                Step::Set { path, .. } if path.starts_with(CONNECTIONS) => {
                    resolved.push(step.clone());
                    continue;
                }
                Step::Call { path, method, .. } if path == "/config" && method.name == REVERT.name => {
                    new = self.configured.reverted(&new);
                    resolved.push(step.clone());
                    continue;
                }
                Step::Set { .. } | Step::Call { .. } => self.named(&new, step)?,
            };
            edit_part(&mut new, &step)?;
            resolved.push(step);
        }
        Ok((new, resolved))
    }
}
