//! Commands that are typed: the line editor on a terminal, with a history that stays, and completion from the server.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::terminal::{Guard, Mode, take_resized, wait_readable, window_size};
use gorgon_sys::{Io, standard_input, standard_output};

use super::completion::{self, Completion, Known, Wanted};
use super::connection::{Reply, gone};
use super::monitor::{Session, Went};
use super::record::Record;
use super::{Environment, Failure, system};
use crate::cli::line_editor::{HISTORY, LONGEST, LineEditor, Step};
use crate::cli::terminal;
use crate::text::columns::{push_blanks, width_of};
use crate::text::join::{joined, separated};
use crate::text::number::push_decimal_str;

/// The most of the history file that is read, and from which on its older half is dropped.
const FILE: usize = 64 * 1024;
/// The most that a list of completions is made of, in bytes.
const LISTED: usize = 256 * 1024;
/// The same of the greeting that the prompt is made of.
const HELLO: usize = 1024;

/// Reads and does lines until there are no more.
///
/// # Errors
/// The connection's and the terminal's.
pub fn run(session: &mut Session<'_>, prompt: &str, environment: Environment<'_, '_>) -> Result<(), Failure> {
    let mut editor = LineEditor::default();
    let file = history_file(environment);
    if let Some(file) = &file {
        load(file, &mut editor);
    }
    let mut known = Known::default();
    let mut pending = Vec::new();
    while let Some(line) = read_line(session, &mut editor, prompt, &mut known, &mut pending)? {
        if completion::is_worth_keeping(&line) {
            editor.remember(&line);
            if let Some(file) = &file {
                // That it cannot be kept is no reason to stop.
                let _outcome = gorgon_sys::append_private(file.as_slice(), joined(&[&line, "\n"]).as_bytes());
            }
        }
        // What is wrong with a line, such as its length, does not end the conversation.
        match session.line(&line) {
            Ok(Went::Over) => return Ok(()),
            Ok(Went::Well | Went::Wrong) => {}
            Err(failure) if failure.usage => {
                terminal::complain(&joined(&["gorgon: ", &failure.message, "\n"]))
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// `PID> `, with the role if it is not all that one may have.
///
/// # Errors
/// The connection's.
pub fn prompt(session: &mut Session<'_>) -> Result<String, Failure> {
    if session.connection.is_foreign() {
        return Ok("gorgon> ".to_owned());
    }
    let (reply, text) = session.connection.ask_briefly("kv hello", HELLO)?;
    let record = Record::parse(text.trim_ascii_end()).filter(|_| reply == Reply::Done);
    Ok(match record {
        Some(record) => {
            let role = record.get("role").filter(|role| *role != "admin").unwrap_or_default();
            let blank = if role.is_empty() { "" } else { " " };
            super::table::visible(&joined(&[record.get("pid").unwrap_or("gorgon"), blank, role, "> "]))
        }
        None => "gorgon> ".to_owned(),
    })
}

/// One line; none at the end of them. `pending` is what was typed ahead.
fn read_line(
    session: &mut Session<'_>,
    editor: &mut LineEditor,
    prompt: &str,
    known: &mut Known,
    pending: &mut Vec<u8>,
) -> Result<Option<String>, Failure> {
    let guard =
        Guard::take(standard_input(), Mode::Keys, b"", b"").map_err(|error| system("terminal: ", error))?;
    let prompt = &joined(&[prompt, session.prompt()]);
    draw(editor, prompt, "")?;
    loop {
        for (at, &byte) in pending.clone().iter().enumerate() {
            let (before, line) = match editor.feed(byte) {
                Step::Nothing => continue,
                Step::Draw => ("", None),
                Step::Clear => ("\x1b[H\x1b[2J", None),
                Step::Interrupt => ("^C\n", None),
                Step::Suspend => {
                    guard.suspend();
                    ("", None)
                }
                Step::Complete => {
                    let list = complete(session, editor, known)?;
                    if !list.is_empty() {
                        say(&joined(&["\n", &list]))?;
                    }
                    ("", None)
                }
                Step::Line(line) => ("\n", Some(Some(line))),
                Step::TooLong => {
                    say("\n")?;
                    terminal::complain(&too_long());
                    ("", None)
                }
                Step::End => ("\n", Some(None)),
            };
            if let Some(line) = line {
                pending.drain(..=at);
                say(before)?;
                return Ok(line);
            }
            draw(editor, prompt, before)?;
        }
        pending.clear();
        let waited = wait_readable(standard_input(), Some(session.connection.as_fd()), None);
        let (typed, came) = waited.map_err(|error| system("poll: ", error))?;
        if take_resized() {
            draw(editor, prompt, "")?;
        }
        if came {
            session.connection.fill()?;
            if session.connection.is_legacy() {
                // Nobody asked for it, so it is shown above what is typed.
                let stray = session.connection.take_stray();
                if !stray.is_empty() {
                    say(&joined(&["\r\x1b[K", &super::table::visible(&stray), "\n"]))?;
                    draw(editor, prompt, "")?;
                }
            } else {
                session.connection.drain(&mut |_, _| {})?;
            }
            if session.connection.has_ended() {
                say("\n")?;
                return Err(gone());
            }
        }
        if typed {
            let mut piece = [0; 64];
            match gorgon_sys::read(standard_input(), &mut piece) {
                Io::Done(count) => pending.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Io::Blocked => {}
                // The terminal is gone.
                Io::Ended | Io::Failed(_) => return Ok(None),
            }
        }
    }
}

/// What is said of a line that had no room for all of it.
fn too_long() -> String {
    let mut text = "gorgon: a line is at most ".to_owned();
    push_decimal_str(LONGEST as u64, &mut text);
    text.push_str(" bytes long; this one was longer, and is not done\n");
    text
}

fn draw(editor: &mut LineEditor, prompt: &str, before: &str) -> Result<(), Failure> {
    let mut out = before.to_owned();
    editor.draw(prompt, columns(), &mut out);
    say(&out)
}

fn columns() -> usize {
    window_size(standard_output()).map_or(80, |(columns, _)| columns.into())
}

fn say(text: &str) -> Result<(), Failure> {
    if terminal::say(text) { Ok(()) } else { Err(Failure::unread()) }
}

/// Completes the word before the cursor; gives the list of what it could be, if it could be several.
fn complete(
    session: &mut Session<'_>,
    editor: &mut LineEditor,
    known: &mut Known,
) -> Result<String, Failure> {
    if session.connection.is_legacy() {
        return Ok(String::new());
    }
    // What is not known is asked for, each once, then it is tried again.
    for _ in 0..4 {
        match completion::complete(editor.before_cursor(), known) {
            Wanted::Words(Completion { start, words, open }) => {
                let several = editor.complete(start, &words, open);
                let mut list = String::new();
                if several {
                    let typed = editor.before_cursor().get(start..).unwrap_or_default();
                    let front = typed.rfind('/').map_or(0, |slash| slash + 1);
                    let mut ends = Vec::new();
                    words.iter().for_each(|word| ends.push(word.get(front..).unwrap_or(word)));
                    push_list(&ends, columns(), &mut list);
                }
                return Ok(list);
            }
            Wanted::Ask(question) => {
                let (reply, text) = session.connection.ask_briefly(&joined(&["kv ", &question]), LISTED)?;
                known.learn(&question, if reply == Reply::Done { &text } else { "" });
            }
        }
    }
    Ok(String::new())
}

/// Appends words in columns, as many as there is room for.
fn push_list(words: &[&str], columns: usize, out: &mut String) {
    let widest = words.iter().map(|word| width_of(word)).max().unwrap_or(0) + 2;
    let each = (columns / widest).max(1);
    for row in words.chunks(each).take(20) {
        for word in row {
            crate::text::columns::push_visible(word.as_bytes(), out);
            push_blanks(widest.saturating_sub(width_of(word)), out);
        }
        out.push('\n');
    }
    if words.len() > 20 * each {
        out.push_str("..\n");
    }
}

fn history_file(environment: Environment<'_, '_>) -> Option<Vec<u8>> {
    let home = environment("HOME").filter(|home| home.first() == Some(&b'/'))?;
    Some([home, b"/.gorgon_history"].concat())
}

/// Reads the history; one that has grown long loses its older half.
fn load(file: &[u8], editor: &mut LineEditor) {
    let Ok(text) = gorgon_sys::read_file(file, FILE) else { return };
    let text = String::from_utf8_lossy(&text);
    let mut lines = Vec::new();
    for line in text.lines() {
        if !line.contains(char::is_control) {
            lines.push(line);
        }
    }
    let kept = lines.get(lines.len().saturating_sub(HISTORY)..).unwrap_or_default();
    kept.iter().for_each(|line| editor.remember(line));
    if text.len() > FILE / 2 {
        let new = [file, b".new"].concat();
        let half = kept.get(kept.len() / 2..).unwrap_or_default();
        let half = separated(&mut half.iter().copied(), "\n") + "\n";
        let _gone = gorgon_sys::unlink(new.as_slice());
        if gorgon_sys::create_private(new.as_slice(), half.as_bytes()).is_ok() {
            // At worst it stays as long as it was.
            let _outcome = gorgon_sys::rename(new.as_slice(), file);
        }
    }
}
