//! The verbs, with their words and their help.

use super::failure::{Failure, fill, unknown};
use crate::text::nearest::nearest;
use crate::tree::Role;

/// One a line: name, role, words, help, with tabs between. One text, for a table of texts costs more.
const VERBS: &str = "\
hello\tview\t\tTell the version, the process and your role. It is a good first request.
ls\tview\t[PATH]\tList what is below a path. Without one, the kinds of nodes.
get\tview\tPATH [KEY...]\tShow attributes of a node. All of them, or those that are named; /KIND/* is every node of a \
kind, and PATH.KEY one attribute.
set\tview\tPATH KEY=VALUE... [for TIME]\tChange attributes of a node, all or none. With for, the earlier values come \
back by themselves when the time is over, unless they are set again or kept; at most 1024 changes wait so.
keep\tview\t[PATH [KEY...]]\tLet a change that was made for a time last. /KIND/* is every node of a kind. Without a \
path, show what waits to come back.
call\tview\tPATH METHOD [WORD...]\tHave a node do something. help KIND tells what it can do.
find\tview\tKIND [where EXPR] [show KEY,..] [sort [-]KEY] [limit N] [| ACTION]\tShow nodes, one a line. EXPR is KEY \
OPERATOR VALUE with = != < <= > >= or ~ (contains), or a switch alone, joined by and, or, not and parentheses. ACTION \
is a method of the kind or set KEY=VALUE [for TIME], done to each node instead of showing it. sort keeps 4096 rows.
watch\tview\tPATH [KEY...] [every TIME] | watch find ... [every TIME]\tShow nodes now, and again \
every second, or every TIME, which is at least 100ms. A sample is dropped, and counted, while the one before it has not left. A watch without a tag ends with the \
next line; there are at most 8.
unwatch\tview\t[TAG]\tEnd the watch of that tag, or all.
begin\tview\t\tBegin a transaction. Each set, and each call that configures, is checked and kept, at most 256 of them, \
until commit.
commit\tview\t\tDo all that was kept since begin, or nothing: when one fails, or when any command failed since begin.
abort\tview\t\tForget all that was kept since begin.
log\tview\t[N] | log follow [N]\tShow the last N events, 20 unless said. With follow, also those that come.
schema\tview\t[KIND]\tShow every attribute and method of a kind, or of all, for programs.
save\tadmin\t\tWrite what was changed live into the configuration file. Comments in it are kept; that \
of a rule or of an item on a line of its own goes with it. Changes for a time are not written. A file of a foreign owner or group, or in a directory where none can be made, is written to in its place.
help\tview\t[VERB | KIND | KIND.KEY | KIND.METHOD]\tExplain a verb, a kind, an attribute or a method.
format\tview\tkv|json\tSet how replies are written. Before any other verb, kv or json sets it for that one.
kv\tview\tVERB ...\tWrite the reply to one request as key=value.
json\tview\tVERB ...\tWrite the reply to one request as JSON, an object a line.
quit\tview\t\tEnd the session.
exit\tview\t\tEnd the session.
";

/// What may be taken for a verb: methods, one a line, behind the paths that have them.
const METHODS: &str = "\
/config reload
/config revert
/config diff
PATH start
PATH stop
PATH drain
PATH close
PATH add
PATH remove
";

/// One verb.
pub struct Verb {
    /// Its place among all of them.
    pub place: usize,
    /// Its name.
    pub name: &'static str,
    /// Who may use it at all; what it is used on may ask for more.
    pub role: Role,
    /// Its words, as help shows them.
    pub words: &'static str,
    /// What it does. The first sentence stands alone as the short help.
    pub help: &'static str,
}

/// All of them, in the order that help shows them.
#[must_use]
pub fn verbs() -> Verbs {
    Verbs { place: 0, rest: VERBS }
}

/// See [`verbs`].
pub struct Verbs {
    place: usize,
    rest: &'static str,
}

impl Verbs {
    /// What goes before this sign, which is passed over.
    #[inline(never)]
    fn part(&mut self, end: char) -> Option<&'static str> {
        let (part, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(part)
    }
}

impl Iterator for Verbs {
    type Item = Verb;

    #[inline(never)]
    fn next(&mut self) -> Option<Verb> {
        let (name, role, words) = (self.part('\t')?, self.part('\t')?, self.part('\t')?);
        let (help, place) = (self.part('\n')?, self.place);
        self.place += 1;
        let role = if role == "admin" { Role::Admin } else { Role::View };
        Some(Verb { place, name, role, words, help })
    }
}

/// The verb of that name.
///
/// # Errors
/// There is none; the nearest one is named, or where all of them are told.
pub fn verb(name: &str) -> Result<Verb, Failure> {
    verbs().find(|verb| verb.name == name).ok_or_else(|| {
        // A command of the program, or what nodes do, is a method here.
        let mut call = None;
        let mut methods = Verbs { place: 0, rest: METHODS };
        while let Some(path) = methods.part(' ') {
            if methods.part('\n') == Some(name) {
                call = Some(fill("call % %", &[path, name]));
            }
        }
        let nearest = call.as_deref().or_else(|| nearest(name, &mut verbs().map(|verb| verb.name)));
        let text =
            if nearest.is_some() { "no verb is named %" } else { "no verb is named %; help lists them" };
        unknown(text, &[name], nearest)
    })
}

#[cfg(test)]
mod tests;
