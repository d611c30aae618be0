use super::*;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gorgon-log-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn options(size: u64, keep: u32) -> LogOptions {
    LogOptions { size, keep, json: false, warns: false }
}

fn at(milliseconds: u64) -> Now {
    Now { milliseconds, unix_seconds: 971_211_336, ..Now::default() }
}

#[test]
fn lines_are_gathered() {
    let directory = scratch("gathered");
    let path = directory.join("a");
    let mut log = Log::open(LogTarget::File(bytes(&path)), options(0, 0)).unwrap();
    let text = || std::fs::read_to_string(&path).unwrap();
    log.push(b"one\n", at(0));
    assert!(log.wants_timer() && !log.wants_timer());
    log.push(b"two\n", at(1));
    assert_eq!(text(), "");
    log.timer(at(1000));
    assert_eq!(text(), "one\ntwo\n");
    assert!(!log.wants_timer());
    // Many are written at once without a timer.
    let line = [[b'x'; 1023].as_slice(), b"\n"].concat();
    for _ in 0..60 {
        log.push(&line, at(1001));
    }
    assert_eq!(text().len(), 8 + 48 * 1024);
    assert!(log.wants_timer() && log.flush(at(1002)) && text().len() == 8 + 60 * 1024);
}

#[test]
fn a_file_is_opened_anew() {
    let directory = scratch("anew");
    let (path, old) = (directory.join("a"), directory.join("b"));
    let mut log = Log::open(LogTarget::File(bytes(&path)), options(0, 0)).unwrap();
    let text = |path| std::fs::read_to_string(path).unwrap();
    log.push(b"one\n", at(0));
    std::fs::rename(&path, &old).unwrap();
    // When told, what was gathered before goes where it belongs.
    log.reopen(at(10));
    log.push(b"two\n", at(20));
    log.flush(at(30));
    assert_eq!((text(&old), text(&path)), ("one\n".to_owned(), "two\n".to_owned()));
    // Without being told, once a second.
    std::fs::remove_file(&path).unwrap();
    log.push(b"three\n", at(2000));
    log.flush(at(2000));
    assert_eq!(text(&path), "three\n");
    // Where it cannot be opened the old one goes on.
    std::fs::rename(&path, &old).unwrap();
    std::fs::create_dir(&path).unwrap();
    log.push(b"four\n", at(4000));
    log.flush(at(4000));
    assert_eq!(text(&old), "three\nfour\n");
}

#[test]
fn rotation_keeps_to_its_cap() {
    for keep in [0, 1, 3] {
        let directory = scratch(&format!("rotation{keep}"));
        let path = directory.join("a");
        // Left behind when five were kept.
        for number in 1..=5 {
            std::fs::write(directory.join(format!("a.{number}")), "old").unwrap();
        }
        let mut log = Log::open(LogTarget::File(bytes(&path)), options(1000, keep)).unwrap();
        let mut last = Vec::new();
        for number in 0..300 {
            last = format!("line {number:04} {}\n", "x".repeat(30)).into_bytes();
            log.push(&last, at(number));
            if number % 3 == 0 {
                log.flush(at(number));
            }
            let sizes: Vec<u64> = std::fs::read_dir(&directory)
                .unwrap()
                .map(|e| e.unwrap().metadata().unwrap().len())
                .collect();
            assert!(sizes.iter().all(|size| *size <= 1000), "{sizes:?}");
        }
        log.flush(at(300));
        let mut names: Vec<_> = std::fs::read_dir(&directory)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected: Vec<String> =
            core::iter::once("a".to_owned()).chain((1..=keep).map(|n| format!("a.{n}"))).collect();
        assert_eq!(names, expected);
        assert!(std::fs::read(directory.join("a")).unwrap().ends_with(&last));
        if keep > 0 {
            // No line is lost or split between one file and the next.
            let first = std::fs::read_to_string(directory.join("a")).unwrap();
            let second = std::fs::read_to_string(directory.join("a.1")).unwrap();
            let number = |line: &str| line[5..9].parse::<u32>().unwrap();
            let joined = number(second.lines().last().unwrap()) + 1;
            assert_eq!(number(first.lines().next().unwrap()), joined);
        }
    }
}

#[test]
fn a_daemon_may_come_and_go_and_be_slow() {
    let directory = scratch("daemon");
    let path = directory.join("socket");
    let mut log = Log::open(LogTarget::Unix(bytes(&path)), options(0, 0)).unwrap();
    log.push(b"one\n", at(0));
    assert!(!log.flush(at(0)));
    for text in ["one", "two"] {
        let _gone = std::fs::remove_file(&path);
        let daemon = UnixDatagram::bind(&path).unwrap();
        if text == "two" {
            log.push(b"two\n", at(0));
        }
        assert!(log.flush(at(0)));
        let mut message = [0; 100];
        let length = daemon.recv(&mut message).unwrap();
        let message = String::from_utf8_lossy(&message[..length]).into_owned();
        assert!(message.starts_with("<30>Oct 1"), "{message}");
        assert!(message.ends_with(&format!("gorgon[{}]: {text}", std::process::id())), "{message}");
    }
    // It reads nothing: what the socket and the buffer hold is kept, and the rest counted.
    std::fs::remove_file(&path).unwrap();
    let daemon = UnixDatagram::bind(&path).unwrap();
    daemon.set_nonblocking(true).unwrap();
    for number in 0..10_000 {
        log.push(format!("line {number} {}\n", "x".repeat(90)).as_bytes(), at(0));
    }
    assert!(log.dropped > 8_000 && log.buffer.len() <= CAPACITY && log.wants_timer());
    let (mut lines, mut message) = (Vec::new(), [0; 200]);
    for _ in 0..1000 {
        while let Ok(length) = daemon.recv(&mut message) {
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            lines.push(text.split_once("]: ").unwrap().1.to_owned());
        }
        if log.flush(at(0)) {
            break;
        }
    }
    while let Ok(length) = daemon.recv(&mut message) {
        lines.push(String::from_utf8_lossy(&message[..length]).split_once("]: ").unwrap().1.to_owned());
    }
    let told = lines.pop().unwrap();
    let count: usize = told.strip_prefix("# gorgon: lines dropped here: ").unwrap().parse().unwrap();
    assert_eq!(lines.len() + count, 10_000);
    assert!(lines.iter().enumerate().all(|(at, line)| line.starts_with(&format!("line {at} "))));
}

#[test]
fn a_full_disk_is_borne() {
    let directory = scratch("full");
    let path = directory.join("a");
    let mut log = Log::open(LogTarget::File(bytes(&path)), options(0, 0)).unwrap();
    gorgon_sys::fault::set(gorgon_sys::fault::Plan { seed: 1, no_space: 100, ..Default::default() });
    for number in 0..10_000 {
        log.push(format!("line {number} of those that find no room\n").as_bytes(), at(0));
    }
    assert!(!log.flush(at(0)) && log.dropped > 5_000);
    // Now it takes some, never a whole batch, and in the middle of a line.
    for seed in 0..200 {
        gorgon_sys::fault::set(gorgon_sys::fault::Plan {
            seed,
            short_write: 70,
            no_space: 20,
            ..Default::default()
        });
        log.flush(at(0));
    }
    gorgon_sys::fault::clear();
    log.flush(at(0));
    assert!(log.flush(at(0)));
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (told, lines) = lines.split_last().unwrap();
    let count: usize = told.strip_prefix("# gorgon: lines dropped here: ").unwrap().parse().unwrap();
    assert_eq!(lines.len() + count, 10_000);
    assert!(lines.iter().enumerate().all(|(at, line)| line.starts_with(&format!("line {at} of"))));
}
