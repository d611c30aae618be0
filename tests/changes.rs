//! Files that change while they are served.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::fs::{File, FileTimes};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use common::{Directory, Reply, Server};

/// A strong tag names one content, also for a file that is written in place, over and over, and whose time is set back.
#[test]
fn a_strong_tag_names_one_content() {
    let directory = Directory::new();
    let path = directory.file("file", vec![b'0'; 12_000]);
    let server = Server::start(directory.path(), &["--http.main.file_cache", "0"]);
    let stop = AtomicBool::new(false);
    let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
    let mut replies = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = File::options().write(true).open(&path).unwrap();
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                file.write_all_at(&[b'a' + (number % 26) as u8; 12_000], 0).unwrap();
                let time = long_ago + Duration::from_secs(number);
                file.set_times(FileTimes::new().set_modified(time)).unwrap();
                std::thread::sleep(Duration::from_micros(100));
            }
        });
        let end = Instant::now() + Duration::from_millis(700);
        while Instant::now() < end {
            let mut request = b"GET /file HTTP/1.1\r\nHost: h\r\n\r\n".repeat(19);
            request.extend_from_slice(b"GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            replies.push(server.talk(&request));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for reply in replies.iter().flat_map(|all| Reply::all(all)) {
        let tag = reply.field("ETag").unwrap();
        if !tag.starts_with("W/") {
            let known = seen.entry(tag.clone()).or_insert_with(|| reply.body.clone());
            assert!(*known == reply.body, "{tag}");
        }
    }
    assert!(seen.len() > 10, "only {} tags were strong", seen.len());
}
