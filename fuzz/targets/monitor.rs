//! Lines of monitor sessions over a tree in memory: whatever is asked, the output keeps within its limit, ends, and its
//! frames are whole; and in pieces it is answered as in one.
#![no_main]

use gorgon::engine::values::ConnId;
use gorgon::monitor::memory::MemoryTree;
use gorgon::monitor::{Sessions, commands};
use gorgon::tree::{Actor, Role};
use gorgon_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

/// More than the output's limit with the longest row that the tree gives.
const MOST: usize = (64 << 10) + (20 << 10);

fuzz_target!(|input: (u8, [u16; 4], &[u8])| {
    let (choice, cuts, text) = input;
    let role = [Role::View, Role::Operate, Role::Admin][usize::from(choice % 3)];
    let whole = session(role, &[text], usize::MAX);
    let taken = 1 + usize::from(choice) * 16;
    let parts = session(role, &pieces(text, &cuts), taken);
    let [whole, parts] = [whole, parts].map(|answers| match answers {
        Ok(out) => Ok(bodies(&out)),
        Err(out) => Err(bodies(&out)),
    });
    // Watches push, and values come back, when there is time: only what is asked without is answered alike.
    if let (Ok(whole), Ok(parts)) = (whole, parts) {
        assert!(whole == parts);
    }
});

/// What a session answers to input in these pieces, with so many bytes taken at a time; an error when some of it came
/// by itself.
fn session(role: Role, input: &[&[u8]], taken: usize) -> Result<Vec<u8>, Vec<u8>> {
    let mut tree = MemoryTree::new().with_connections(70);
    let mut sessions = Sessions::default();
    let actor = Actor { role, who: "fuzz".to_owned() };
    let number = sessions.open(ConnId::test(1), actor, 0);
    let (mut out, mut alone) = (Vec::new(), true);
    for piece in input {
        let mut piece = *piece;
        for turn in 0.. {
            assert!(turn < 1_000_000, "it does not end");
            let session = sessions.get(number).expect("a session");
            let used = session.feed(piece);
            piece = &piece[used..];
            let more = step(&mut sessions, &mut tree, number, taken, &mut out);
            let busy = sessions.get(number).is_some_and(|session| session.has_work());
            alone &= sessions.timed().waiting().count() == 0 && (busy || sessions.is_idle());
            if !more && piece.is_empty() || sessions.get(number).is_some_and(|session| session.is_over()) {
                break;
            }
        }
    }
    sessions.get(number).expect("a session").end_input();
    while step(&mut sessions, &mut tree, number, taken, &mut out) {}
    let session = sessions.get(number).expect("a session");
    assert!(session.is_over() && session.output().is_empty() && !session.has_work());
    assert!(sessions.timed().waiting().count() <= 64);
    // What was set for a time comes back.
    tree.now += 1 << 60;
    while commands::work(&mut sessions, &mut tree, &mut |_| {}).is_some_and(|due| due <= tree.now) {}
    sessions.close(number);
    assert!(sessions.count() == 0);
    if alone { Ok(out) } else { Err(out) }
}

/// One turn; false when nothing is left to do at once.
fn step(
    sessions: &mut Sessions,
    tree: &mut MemoryTree,
    number: u32,
    taken: usize,
    out: &mut Vec<u8>,
) -> bool {
    let due = commands::work(sessions, tree, &mut |_| {});
    let session = sessions.get(number).expect("a session");
    assert!(session.output().len() <= MOST, "{}", session.output().len());
    let count = session.output().len().min(taken);
    out.extend_from_slice(&session.output()[..count]);
    session.sent(count);
    count > 0 || due.is_some_and(|due| due <= tree.now)
}

/// The answers without the frames that divide them: for each tag what was said, and what had none.
fn bodies(mut answers: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    while !answers.is_empty() {
        let end = answers.iter().position(|byte| *byte == b'\n').expect("a line");
        let line = &answers[..end];
        answers = &answers[end + 1..];
        if !matches!(line.first(), Some(b'+' | b'=' | b'!')) {
            let known = line.is_empty()
                || line == b"ok"
                || line.starts_with(b"error ")
                || line.starts_with(b"  ")
                || line.starts_with(b"/")
                || line.starts_with(b"{");
            assert!(known, "{}", String::from_utf8_lossy(line));
            found.extend_from_slice(line);
            found.push(b'\n');
            continue;
        }
        let blank = line.iter().rposition(|byte| *byte == b' ').expect("a length");
        let length = std::str::from_utf8(&line[blank + 1..]).expect("digits").parse().expect("a length");
        let (body, rest) = answers.split_at(length);
        assert!(!body.contains(&0) && std::str::from_utf8(body).is_ok());
        answers = rest;
        found.extend_from_slice(body);
        if line[0] != b'+' {
            found.extend_from_slice(&line[..blank]);
            found.push(b'\n');
        }
    }
    found
}
