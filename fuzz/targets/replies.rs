//! Anything a monitor may answer, however it is cut; and anything that may be typed.
#![no_main]

use gorgon::cli::client::framing::{Event, Framer};
use gorgon::cli::client::options::Form;
use gorgon::cli::client::output::Output;
use gorgon::cli::client::words::stages;
use gorgon::cli::line_editor::LineEditor;
use gorgon::text::columns::is_command;
use gorgon_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

/// The bodies of all parts, and the line that is none.
fn told(pieces: &[&[u8]]) -> (Vec<u8>, Option<String>) {
    let (mut framer, mut out) = (Framer::default(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match framer.next(rest) {
                Ok((_, Event::More)) => break,
                Ok((taken, Event::Piece(bytes))) => {
                    out.extend_from_slice(bytes);
                    rest = &rest[taken..];
                }
                Ok((taken, Event::Whole)) => rest = &rest[taken..],
                Err(line) => return (out, Some(line)),
            }
        }
    }
    (out, None)
}

fuzz_target!(|input: (&[u8], Vec<u16>, u8)| {
    let (bytes, cuts, columns) = input;
    let pieces = pieces(bytes, &cuts);
    let (whole, cut) = (told(&[bytes]), told(&pieces));
    // How much of a line that is none was seen depends on the cuts.
    assert!(whole.0 == cut.0 && whole.1.is_some() == cut.1.is_some());
    for form in [Form::Fitting, Form::Json, Form::Csv, Form::Table] {
        for command in ["", "| sort -idle"] {
            let mut output = Output::new(form, &stages(command).1, columns.into());
            pieces.iter().for_each(|piece| output.push(piece));
            let mut shown = String::new();
            while output.give_sorted() {
                shown.push_str(&output.take());
            }
            output.finish();
            shown.push_str(&output.take());
            shown.push_str(&output.take_trouble());
            assert!(shown.chars().all(|letter| "\r\n".contains(letter) || !is_command(letter)));
        }
    }
    let (mut editor, mut out) = (LineEditor::default(), String::new());
    for &byte in bytes {
        editor.feed(byte);
        editor.draw("> ", columns.into(), &mut out);
    }
});
