//! Thousands of streams that are almost right, against the real program: it neither crashes nor hangs, its replies are
//! always understood, and what it holds and what lies on the disk is afterwards as before.
//!
//! `GORGON_STREAMS` sets how many streams there are over all configurations, `GORGON_SEED` which ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod mutate;
mod replies;
mod talk;

use common::{Directory, PATIENCE, Server};
use corpus::Seed;
use mutate::{Finish, Stream};
use replies::{Known, shown};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use talk::{End, Talk};

/// Over all configurations.
const STREAMS: u64 = 20_000;
const THREADS: usize = 4;
/// Connections of one thread at once.
const EACH: usize = 16;
/// No stream may take longer: several times what the timeouts below add up to, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(20);
/// No stream waits for longer than these together.
const TIMES: &[&str] = &[
    "--http.main.header_timeout=1500ms",
    "--http.main.idle_timeout=300ms",
    "--http.main.rate_grace=2s",
    "--http.main.linger_timeout=300ms",
    "--gorgon.page_memory=1M",
];

/// A server's arguments, and what they change.
struct Configuration {
    /// Which part of a run's streams it has, of [`SHARES`].
    share: u64,
    arguments: &'static [&'static str],
    /// Everyone has to log in.
    asks: bool,
    /// The answers to the streams as they are in the corpus are those told there.
    is_plain: bool,
}

const SHARES: u64 = 5;

#[test]
fn nothing_is_kept() {
    let arguments = &["--gorgon.poller=epoll", "--upload=in", "--http.main.file_cache=0"];
    run(&Configuration { share: 0, arguments, asks: false, is_plain: true });
}

#[test]
fn other_origins() {
    let arguments = &["--gorgon.poller=poll", "--upload=in", "--cors", "--http.main.file_cache=64K"];
    run(&Configuration { share: 1, arguments, asks: false, is_plain: true });
}

#[test]
fn one_page_for_all() {
    let arguments = &["--gorgon.poller=select", "--upload=in", "--spa", "--http.main.sendfile=off"];
    run(&Configuration { share: 2, arguments, asks: false, is_plain: false });
}

#[test]
fn passwords() {
    let arguments = &["--upload=in", "--http.main.file_cache=64K"];
    run(&Configuration { share: 3, arguments, asks: true, is_plain: false });
}

#[test]
fn little_room() {
    let arguments = &[
        "--upload=in",
        "--http.main.upload_max=20K",
        "--http.main.read_buffer=512",
        "--http.main.write_buffer=1K",
        "--http.main.send_buffer=8K",
        "--http.main.receive_buffer=4K",
        "--http.main.drain_max=1K",
        "--http.main.defer_accept=0",
        "--http.main.max_connections=64",
        "--http.main.file_cache=0",
    ];
    run(&Configuration { share: 4, arguments, asks: false, is_plain: false });
}

/// What is counted over a run.
#[derive(Default)]
struct Counts {
    replies: AtomicUsize,
    resets: AtomicUsize,
    left: AtomicUsize,
    compared: AtomicUsize,
}

/// A run against one server.
struct Run<'a> {
    server: &'a Server,
    corpus: &'a [Seed],
    /// The statuses that each stream of the corpus was first answered with.
    first: Vec<Vec<u16>>,
    known: Known,
    aborts: Option<u64>,
    seed: u64,
    next: AtomicU64,
    end: u64,
    counts: Counts,
    failed: AtomicBool,
    failures: Mutex<Vec<String>>,
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
}

fn run(configuration: &Configuration) {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let (seed, streams) = (number("GORGON_SEED", now), number("GORGON_STREAMS", STREAMS));
    println!("GORGON_SEED={seed} GORGON_STREAMS={streams}");
    let share = streams.div_ceil(SHARES);
    let from = configuration.share * share;
    let end = from + share;
    let corpus = corpus::corpus(if configuration.asks { corpus::LOGIN } else { "" });
    let directory = Directory::new();
    corpus::write_site(&directory);
    let users = directory.path().join("users");
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o600)).unwrap();
    common::give(&users);
    let log = directory.path().join("log");
    let mut arguments = [TIMES, configuration.arguments].concat();
    arguments.extend(["--http.main.access_log_format=json", "--access-log", log.to_str().unwrap()]);
    if configuration.asks {
        arguments.extend(["--auth-file", users.to_str().unwrap()]);
    }
    let before = contents(directory.path());
    let mut server = Server::start(&directory.path().join("root"), &arguments);

    let known = known(&server);
    let first: Vec<Vec<u16>> = corpus.iter().map(|seed| answers(&server, seed, &known)).collect();
    if configuration.is_plain {
        let wrong: Vec<_> =
            corpus.iter().zip(&first).filter(|(seed, first)| seed.statuses != **first).collect();
        for (seed, first) in &wrong {
            println!("{first:?}, not {:?}, to {}", seed.statuses, shown(&seed.bytes));
        }
        assert!(wrong.is_empty());
    }
    std::thread::sleep(Duration::from_millis(1500));
    let (descriptors, memory) = (held(&server, configuration, directory.path()), private_dirty(&server));

    let begun = Instant::now();
    let run = Run {
        server: &server,
        corpus: &corpus,
        first,
        known,
        aborts: aborts(),
        seed,
        next: AtomicU64::new(from),
        end,
        counts: Counts::default(),
        failed: AtomicBool::new(false),
        failures: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| run.work());
        }
    });
    let elapsed = begun.elapsed();
    let counts = &run.counts;
    let replies = counts.replies.load(Ordering::Relaxed);
    println!(
        "{:?}: {} streams in {elapsed:?}: {replies} replies, {} resets, {} left, {} compared",
        configuration.arguments,
        end - from,
        counts.resets.load(Ordering::Relaxed),
        counts.left.load(Ordering::Relaxed),
        counts.compared.load(Ordering::Relaxed),
    );
    let failures = run.failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.iter().take(3).cloned().collect::<Vec<_>>().join("\n\n"));

    // What it holds.
    assert!(server.runs(), "it ended");
    let asked = Instant::now();
    let status = server.get("/a.txt").status;
    assert!(status == if configuration.asks { 401 } else { 200 } && asked.elapsed() < Duration::from_secs(1));
    until("descriptors are given back", &|| held(&server, configuration, directory.path()) == descriptors);
    until("memory is given back", &|| private_dirty(&server) < memory + 400);
    println!("memory: {memory} kB, then {} kB", private_dirty(&server));
    let time = processor_time(&server);
    std::thread::sleep(Duration::from_secs(1));
    let used = processor_time(&server) - time;
    assert!(used <= Duration::from_millis(30), "{used:?} for nothing");
    server.signal("TERM");
    assert!(server.child.wait().unwrap().success());

    // What lies on the disk.
    let mut after = contents(directory.path());
    after.remove(&log);
    let inside = directory.path().join("root/in");
    let uploads: Vec<PathBuf> = after.keys().filter(|path| path.starts_with(&inside)).cloned().collect();
    for path in &uploads {
        let name = path.file_name().unwrap();
        assert!(!gorgon::fs::draft::is_draft_name(name.as_encoded_bytes()), "a draft is left: {path:?}");
        // Nobody can send a directory, so all of them are in this one.
        assert_eq!(path.parent(), Some(inside.as_path()));
        after.remove(path);
    }
    let outside: BTreeMap<_, _> = before.into_iter().filter(|(path, _)| !path.starts_with(&inside)).collect();
    assert!(after == outside, "{:?}, not {:?}", after.keys(), outside.keys());
    println!("{} uploads", uploads.len());
    check_log(&log, replies);
}

impl Run<'_> {
    /// Holds some connections at once until there are no more streams.
    fn work(&self) {
        let mut talks: Vec<Talk> = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            while talks.len() < EACH && !self.failed.load(Ordering::Relaxed) {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                if number >= self.end {
                    break;
                }
                let stream = mutate::stream(self.corpus, self.seed, number);
                talks.push(Talk::begin(self.server.address, number, stream));
            }
            if talks.is_empty() {
                return;
            }
            let mut is_busy = false;
            let mut at = 0;
            while let Some(talk) = talks.get_mut(at) {
                let (did, end) = talk.step(&mut buffer);
                is_busy |= did;
                let told = match end {
                    Some(end) => self.check(talk, end),
                    None if talk.begun.elapsed() > LONGEST => Err("it hangs".to_owned()),
                    None => {
                        at += 1;
                        continue;
                    }
                };
                if let Err(why) = told {
                    self.failed.store(true, Ordering::Relaxed);
                    self.failures.lock().unwrap().push(talk.shown(&why));
                }
                talks.swap_remove(at);
            }
            if !is_busy {
                std::thread::sleep(Duration::from_micros(300));
            }
        }
    }

    fn check(&self, talk: &Talk, end: End) -> Result<(), String> {
        match end {
            End::Closed => {}
            End::Reset => _ = self.counts.resets.fetch_add(1, Ordering::Relaxed),
            End::Left => _ = self.counts.left.fetch_add(1, Ordering::Relaxed),
        }
        // What is sent at once can all be read, and then nothing is a reason for a reset, which might take a reply along.
        let is_short = talk.stream.pieces == 1 && talk.stream.bytes.len() < 512;
        if end == End::Reset && is_short && aborts() == self.aborts {
            return Err("it is reset".to_owned());
        }
        let told = replies::read(&talk.got, &talk.stream.bytes, end != End::Closed, &self.known)?;
        // Those who are turned away at the door are not written down.
        let written = told.statuses.iter().filter(|status| **status != 503).count();
        self.counts.replies.fetch_add(written, Ordering::Relaxed);
        // What depends on what was uploaded before, or on how busy the server is, may differ.
        let is_waited = matches!(talk.stream.finish, Finish::HalfClose | Finish::Wait);
        if end != End::Closed
            || !is_waited
            || !corpus::is_steady(&talk.stream.bytes)
            || is_late(&told.statuses)
        {
            return Ok(());
        }
        let expected = match talk.stream.whole {
            Some(place) => self.first[place].clone(),
            None if talk.stream.pieces == 1 || talk.stream.finish == Finish::Wait => return Ok(()),
            None => match self.again(talk)? {
                Some(statuses) => statuses,
                None => return Ok(()),
            },
        };
        self.counts.compared.fetch_add(1, Ordering::Relaxed);
        if agree(&told.statuses, &expected) {
            Ok(())
        } else {
            Err(format!("{:?}, but {expected:?} in one piece", told.statuses))
        }
    }

    /// The statuses that a stream is answered with when it is sent in one piece.
    fn again(&self, talk: &Talk) -> Result<Option<Vec<u16>>, String> {
        let stream = Stream::whole(talk.stream.bytes.clone());
        let mut talk = Talk::begin(self.server.address, talk.number, stream);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match talk.step(&mut buffer) {
                (_, Some(End::Closed)) => break,
                (_, Some(End::Reset | End::Left)) => return Ok(None),
                (_, None) if talk.begun.elapsed() > LONGEST => return Err(talk.shown("it hangs")),
                (is_busy, None) => {
                    if !is_busy {
                        std::thread::sleep(Duration::from_micros(50));
                    }
                }
            }
        }
        let told = replies::read(&talk.got, &talk.stream.bytes, false, &self.known)?;
        Ok((!is_late(&told.statuses)).then_some(told.statuses))
    }
}

/// Whether a stream was answered alike both times. Only of the last head, if our end cuts it, may what is wrong be told
/// in one case and not in the other: it is looked for no sooner than a line is there, unless all comes at once.
fn agree(one: &[u16], other: &[u16]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short == long || matches!(long.split_last(), Some((400.., before)) if before == short)
}

/// Whether somebody was too slow or too busy.
fn is_late(statuses: &[u16]) -> bool {
    statuses.iter().any(|status| matches!(status, 408 | 503))
}

/// The statuses that a stream of the corpus is answered with, sent as it is.
fn answers(server: &Server, seed: &Seed, known: &Known) -> Vec<u16> {
    let got = server.talk(&seed.bytes);
    let told = replies::read(&got, &seed.bytes, false, known);
    told.unwrap_or_else(|why| panic!("{why}, to {}", shown(&seed.bytes))).statuses
}

/// The content of the files, by entity tag, that every answer is held against.
fn known(server: &Server) -> Known {
    corpus::FILES
        .iter()
        .map(|name| {
            let target: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let request = format!(
                "GET /{} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{}\r\n",
                target.replace("%2f", "/"),
                corpus::LOGIN
            );
            let reply = common::Reply::first(&server.talk(request.as_bytes()), false).0;
            assert_eq!((reply.status, &reply.body), (200, &corpus::content(name)), "{name}");
            (reply.field("etag").unwrap(), reply.body)
        })
        .collect()
}

/// Descriptors. Where files are kept in memory some are kept open too, and do not count.
fn held(server: &Server, configuration: &Configuration, site: &Path) -> usize {
    if configuration.arguments.contains(&"--http.main.file_cache=0") {
        return server.descriptors();
    }
    let entries = std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap();
    let links = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let root = site.join("root");
    links.filter(|link| !link.starts_with(&root) || link.is_dir()).count()
}

/// How many connections the kernel has reset because others have taken its memory for TCP.
fn aborts() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let place = lines.next()?.split(' ').position(|name| name == "TCPAbortOnMemory")?;
    lines.next()?.split(' ').nth(place)?.parse().ok()
}

/// Kilobytes that the process alone has written to.
fn private_dirty(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", server.child.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}

/// Processor time used so far.
fn processor_time(server: &Server) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // utime and stime in hundredths of a second (proc(5)).
    Duration::from_millis(10 * (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()))
}

fn until(what: &str, is_so: &dyn Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Everything below a directory: what files contain, and when they were changed.
fn contents(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, i64)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let data = path.symlink_metadata().unwrap();
        if data.is_dir() {
            all.append(&mut contents(&path));
        } else {
            all.insert(path.clone(), (std::fs::read(&path).unwrap(), data.mtime()));
        }
    }
    all
}

/// Each line must be an object, and there is one at least for each reply that is no 503.
fn check_log(log: &Path, replies: usize) {
    let script = "
import json, sys
lines = open(sys.argv[1], 'rb').read().split(b'\\n')
assert lines.pop() == b''
for line in lines:
    entry = json.loads(line.decode('utf-8'))
    assert type(entry) is dict and not any(ord(c) < 32 or ord(c) == 127 for c in line.decode('utf-8')), line
print(len(lines))";
    let Ok(output) = Command::new("python3").args(["-c", script]).arg(log).output() else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert!(lines >= replies, "{lines} lines for {replies} replies");
}
