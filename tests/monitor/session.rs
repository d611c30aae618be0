//! A session with the monitor that takes its frames as strictly as the manual has them.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::common::PATIENCE;

/// What came.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Frame {
    Part(String, String),
    End(String, String, String),
    Push(String, String),
}

/// A connection to the monitor.
pub struct Session {
    pub stream: UnixStream,
    got: Vec<u8>,
    asked: u32,
}

impl Session {
    pub fn new(path: &Path) -> Session {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Session { stream, got: Vec::new(), asked: 0 }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Asks, and gives the code and the text of the answer. Samples that come before it are passed over.
    pub fn try_ask(&mut self, command: &str) -> (String, String) {
        self.asked += 1;
        let tag = format!("t{}", self.asked);
        self.send(format!("@{tag} {command}\n"));
        let mut body = String::new();
        loop {
            match self.frame() {
                Frame::Part(own, part) => {
                    assert_eq!(own, tag);
                    body.push_str(&part);
                }
                Frame::End(own, code, part) => {
                    assert_eq!(own, tag);
                    return (code, body + &part);
                }
                Frame::Push(..) => assert!(body.is_empty(), "a sample inside of a reply"),
            }
        }
    }

    /// Asks for what is answered well.
    pub fn ask(&mut self, command: &str) -> String {
        let (code, text) = self.try_ask(command);
        assert_eq!(code, "ok", "{command}: {text}");
        text
    }

    /// Whether it is over, with nothing more to come.
    pub fn ends(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).is_ok() && rest.is_empty()
    }

    /// One attribute.
    pub fn value(&mut self, path: &str) -> String {
        let text = self.ask(&format!("get {path}"));
        let (name, value) = text.trim_end().split_once('=').unwrap();
        assert_eq!(name, path);
        value.to_owned()
    }

    /// The next frame.
    pub fn frame(&mut self) -> Frame {
        let line = self.line();
        let words: Vec<&str> = line[1..].split(' ').collect();
        let tag = words[0].to_owned();
        assert!(!tag.is_empty() && tag.len() <= 32, "{line:?}");
        let length = words.last().unwrap();
        assert!(length.bytes().all(|byte| byte.is_ascii_digit()), "{line:?}");
        assert!(*length == "0" || !length.starts_with('0'), "{line:?}");
        let text = self.take(length.parse().unwrap());
        match (line.as_bytes()[0], words.len()) {
            (b'+', 2) => Frame::Part(tag, text),
            (b'!', 2) => Frame::Push(tag, text),
            (b'=', 3) => Frame::End(tag, words[1].to_owned(), text),
            _ => panic!("what is {line:?}?"),
        }
    }

    /// The next sample of a watch.
    pub fn sample(&mut self, tag: &str) -> String {
        loop {
            if let Frame::Push(own, text) = self.frame() {
                if own == tag {
                    return text;
                }
            }
        }
    }

    /// A line, without its end.
    pub fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.got.iter().position(|byte| *byte == b'\n') {
                let line = self.take(end + 1);
                return line[..end].to_owned();
            }
            self.fill();
        }
    }

    fn take(&mut self, count: usize) -> String {
        while self.got.len() < count {
            self.fill();
        }
        String::from_utf8(self.got.drain(..count).collect()).unwrap()
    }

    fn fill(&mut self) {
        let mut room = [0; 4096];
        let count = self.stream.read(&mut room).unwrap();
        assert!(count > 0, "it ended after {:?}", String::from_utf8_lossy(&self.got));
        self.got.extend_from_slice(&room[..count]);
    }
}

/// Sends bytes, ends our side, and gives all that comes back.
pub fn talk(path: &Path, bytes: impl AsRef<[u8]>) -> String {
    let mut session = Session::new(path);
    // One who has been refused is not listened to.
    let _ = session.stream.write_all(bytes.as_ref());
    let _ = session.stream.shutdown(Shutdown::Write);
    let mut all = Vec::new();
    session.stream.read_to_end(&mut all).unwrap();
    String::from_utf8(all).unwrap()
}
