//! A monitor that says what a test has it say.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is answered to a command.
pub enum Answer {
    /// A reply.
    Well(String),
    /// Code and message.
    Wrong(&'static str, &'static str),
    /// A reply, and then samples for ever.
    Samples(String),
    /// Bytes as they are, and the end.
    Raw(Vec<u8>),
    /// The end, without a word.
    End,
    /// A part that never ends, until the client is gone.
    Endless,
    /// Nothing, and the connection stays.
    Silence,
}

/// A monitor on a Unix socket.
pub struct Fake {
    pub path: PathBuf,
    /// The commands that came, without their tags.
    pub heard: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Listens at a path, for connections one after another.
    pub fn new(path: &Path, answer: impl Fn(&str) -> Answer + Send + 'static) -> Fake {
        let listener = UnixListener::bind(path).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(mut stream) = connection else { return };
                let reader = BufReader::new(stream.try_clone().unwrap());
                serve(reader, &mut stream, &answer, &kept);
            }
        });
        Fake { path: path.to_owned(), heard }
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Answers a client until it is gone.
pub fn serve(
    reader: impl Read,
    stream: &mut (impl Write + Send),
    answer: &dyn Fn(&str) -> Answer,
    heard: &Mutex<Vec<String>>,
) {
    for line in BufReader::new(reader).lines() {
        let Ok(line) = line else { return };
        let (tag, command) = line.strip_prefix('@').and_then(|rest| rest.split_once(' ')).expect("a tag");
        heard.lock().unwrap().push(command.to_owned());
        let written = match answer(command) {
            Answer::Well(body) => stream.write_all(&framed(tag, &body)),
            Answer::Wrong(code, message) => {
                stream.write_all(format!("={tag} {code} {}\n{message}", message.len()).as_bytes())
            }
            Answer::Samples(sample) => {
                let written = stream.write_all(&framed(tag, ""));
                let push = format!("!{tag} {}\n{sample}", sample.len());
                // A few at once, so that a client that counts has all of them.
                written.and_then(|()| stream.write_all(push.repeat(3).as_bytes()))
            }
            Answer::Raw(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Answer::Endless => {
                let mut written = stream.write_all(format!("+{tag} 18446744073709551615\n").as_bytes());
                while written.is_ok() {
                    written = stream.write_all(&[b'x'; 65536]);
                }
                return;
            }
            Answer::End => return,
            Answer::Silence => Ok(()),
        };
        if written.and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// A reply in parts that end where nobody would expect it.
fn framed(tag: &str, body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let cut = body.len() / 3;
    if cut > 0 {
        out.extend_from_slice(format!("+{tag} {cut}\n").as_bytes());
        out.extend_from_slice(&body.as_bytes()[..cut]);
    }
    out.extend_from_slice(format!("={tag} ok {}\n", body.len() - cut).as_bytes());
    out.extend_from_slice(&body.as_bytes()[cut..]);
    out
}
