//! The generator: from a seed and a number a stream and the manner in which it is sent, always the same ones.

use crate::corpus::Seed;

/// Marsaglia's xorshift with 64 bits.
pub struct Random(u64);

impl Random {
    /// The sequence of one stream of a run.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut random = Random((seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1);
        (0..8).for_each(|_| _ = random.next());
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Less than `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Whether something happens that does so many times in a hundred.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// What becomes of a connection when all is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Our side is ended, and all that comes is read.
    HalfClose,
    /// The server is awaited.
    Wait,
    /// It is closed after so many milliseconds, read or not.
    Leave(u64),
    /// The same with a reset.
    Reset(u64),
}

/// One stream.
pub struct Stream {
    pub bytes: Vec<u8>,
    /// The place in the corpus of what it is, if it is not changed.
    pub whole: Option<usize>,
    /// How many sends there are.
    pub pieces: usize,
    /// Where each send ends, and how many milliseconds pass before it.
    pub sends: Vec<(usize, u64)>,
    pub finish: Finish,
    /// At most so many bytes are read at once, with a millisecond between, for a while.
    pub sip: Option<usize>,
}

impl Stream {
    /// A stream in one piece, whose answers are awaited.
    pub fn whole(bytes: Vec<u8>) -> Stream {
        let sends = vec![(bytes.len(), 0)];
        Stream { bytes, whole: None, pieces: 1, sends, finish: Finish::HalfClose, sip: None }
    }
}

/// What servers trip over.
const TOKENS: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\t",
    b" ",
    b"\x7f",
    b"\xff",
    b"\xc0\xaf",
    b":",
    b",",
    b";",
    b"\"",
    b"0",
    b"-1",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551616",
    b"ffffffffffffffff",
    b"chunked",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 10\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Range: bytes=0-0,-1\r\n",
    b"%2e",
    b"%00",
    b"%",
    b"..",
    b"/../",
    b"//",
    b"\\",
    b"?",
    b"#",
    b"*",
    b"HTTP/1.0",
    b"http://",
    b"bytes=",
    b"0\r\n\r\n",
    b"<script>",
    b"\xe2\x80\xa8",
    b"GET ",
    b"PUT /in/",
    b"/in/",
    b"Authorization: Basic YWxpY2U6c2hh\r\n",
];

/// A stream of the run.
pub fn stream(corpus: &[Seed], seed: u64, number: u64) -> Stream {
    let mut random = Random::new(seed, number);
    let place = random.below(corpus.len());
    let mut bytes = corpus[place].bytes.clone();
    let is_changed = random.chance(88);
    if is_changed {
        for _ in 0..1 + random.below(4) {
            change(&mut bytes, corpus, &mut random);
        }
    }
    // Where it is cut into sends: not at all, at a few places, or after each of the first bytes.
    let mut sends = Vec::new();
    let pauses = random.chance(20);
    let pause = |random: &mut Random| if pauses { random.below(12) as u64 } else { 0 };
    match random.below(10) {
        0..6 => {}
        6..9 => {
            let mut ends: Vec<usize> = (0..1 + random.below(5)).map(|_| random.below(bytes.len())).collect();
            ends.sort_unstable();
            sends.extend(ends.into_iter().map(|end| (end, pause(&mut random))));
        }
        _ => sends.extend((1..bytes.len().min(60)).map(|end| (end, u64::from(pauses)))),
    }
    sends.push((bytes.len(), pause(&mut random)));
    let finish = match random.below(200) {
        0..3 => Finish::Wait,
        3..16 => Finish::Leave(random.below(6) as u64),
        16..30 => Finish::Reset(random.below(6) as u64),
        _ => Finish::HalfClose,
    };
    // A reset may as well come before all is sent.
    if matches!(finish, Finish::Reset(_)) && random.chance(50) {
        sends.truncate(1 + random.below(sends.len()));
    }
    let sip = random.chance(7).then(|| 1 + random.below(2000));
    let pieces = sends.len();
    Stream { bytes, whole: (!is_changed).then_some(place), pieces, sends, finish, sip }
}

fn change(bytes: &mut Vec<u8>, corpus: &[Seed], random: &mut Random) {
    // Most of what matters is in the first lines.
    let reach = if random.chance(70) { bytes.len().min(200) } else { bytes.len() };
    let at = random.below(reach + 1).min(bytes.len());
    let most = if random.chance(80) { 12 } else { 2000 };
    let end = (at + 1 + random.below(most)).min(bytes.len());
    match random.below(11) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => drop(bytes.drain(at..end)),
        3 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy.repeat(1 + random.below(3)));
        }
        4 => {
            let other = &corpus[random.below(corpus.len())].bytes;
            let from = random.below(other.len());
            let until = (from + 1 + random.below(400)).min(other.len());
            bytes.splice(at..end.min(at + random.below(20)).max(at), other[from..until].iter().copied());
        }
        5 => bytes.truncate(random.below(bytes.len() + 1)),
        6 => {
            let byte = random.pick(TOKENS)[0];
            let count = [20, 300, 5000, 20_000][random.below(4)];
            bytes.splice(at..at, std::iter::repeat_n(byte, count));
        }
        7 => bytes.extend_from_slice(&corpus[random.below(corpus.len())].bytes),
        8 => {
            if let Some(digit) = bytes[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
                *digit = b'0' + random.below(10) as u8;
            }
        }
        _ => {
            let token = random.pick(TOKENS);
            bytes.splice(at..at, token.iter().copied());
        }
    }
    bytes.truncate(200_000);
}
