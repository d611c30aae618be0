//! One connection, driven without waiting, so that a few threads hold many.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::mutate::{Finish, Stream};
use crate::replies::shown;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server ended it after all that it had to say.
    Closed,
    /// The server reset it.
    Reset,
    /// We did not wait for the end.
    Left,
}

pub struct Talk {
    pub number: u64,
    pub stream: Stream,
    pub got: Vec<u8>,
    pub begun: Instant,
    socket: TcpStream,
    sent: usize,
    /// When the next step of ours is due.
    due: Instant,
    /// Whether all is sent, or cannot be sent any more.
    is_sent: bool,
    is_finished: bool,
    sips: usize,
}

impl Talk {
    pub fn begin(address: SocketAddr, number: u64, mut stream: Stream) -> Talk {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        let begun = Instant::now();
        stream.sends.reverse();
        let pause = stream.sends.last().map_or(0, |&(_, pause)| pause);
        let due = begun + Duration::from_millis(pause);
        let sips = if stream.sip.is_some() { 30 } else { 0 };
        Talk {
            number,
            stream,
            got: Vec::new(),
            begun,
            socket,
            sent: 0,
            due,
            is_sent: false,
            is_finished: false,
            sips,
        }
    }

    /// Does what can be done now: whether that was anything, and how it ended.
    pub fn step(&mut self, buffer: &mut [u8]) -> (bool, Option<End>) {
        let now = Instant::now();
        let mut is_busy = false;
        if !self.is_sent && now >= self.due {
            is_busy |= self.send(now);
        }
        if self.is_sent && !self.is_finished && now >= self.due {
            match self.stream.finish {
                Finish::HalfClose => drop(self.socket.shutdown(Shutdown::Write)),
                Finish::Wait => {}
                Finish::Leave(_) => return (true, Some(End::Left)),
                Finish::Reset(_) => {
                    gorgon_sys::reset_on_close(self.socket.as_fd()).unwrap();
                    return (true, Some(End::Left));
                }
            }
            self.is_finished = true;
        }
        let room = match self.stream.sip {
            Some(most) if self.sips > 0 => most,
            _ => buffer.len(),
        };
        if self.sips > 0 && now < self.due {
            return (is_busy, None);
        }
        match self.socket.read(&mut buffer[..room]) {
            Ok(0) => return (true, Some(End::Closed)),
            Ok(count) => {
                self.got.extend_from_slice(&buffer[..count]);
                if self.sips > 0 {
                    self.sips -= 1;
                    self.due = self.due.max(now + Duration::from_millis(1));
                }
                is_busy = true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (true, Some(End::Reset)),
            Err(error) => panic!("{error}"),
        }
        (is_busy, None)
    }

    fn send(&mut self, now: Instant) -> bool {
        let Some(&(end, _)) = self.stream.sends.last() else {
            self.is_sent = true;
            return true;
        };
        let is_over = match self.socket.write(&self.stream.bytes[self.sent..end.max(self.sent)]) {
            Ok(count) => {
                self.sent += count;
                false
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            // The server has ended; what it said before may still come.
            Err(_) => true,
        };
        if is_over {
            self.stream.sends.clear();
        } else if self.sent >= end {
            self.stream.sends.pop();
        } else {
            return true;
        }
        let pause = match (self.stream.sends.last(), self.stream.finish) {
            (Some(&(_, pause)), _) | (None, Finish::Leave(pause) | Finish::Reset(pause)) => pause,
            (None, Finish::HalfClose | Finish::Wait) => 0,
        };
        self.due = now + Duration::from_millis(pause);
        true
    }

    /// All that is needed to do it again.
    pub fn shown(&self, why: &str) -> String {
        format!(
            "stream {} after {:?}: {why}\nsent {}\ngot {}\nlast {:?}, read by {:?}, {} of its bytes sent",
            self.number,
            self.begun.elapsed(),
            shown(&self.stream.bytes),
            shown(&self.got),
            self.stream.finish,
            self.stream.sip,
            self.sent,
        )
    }
}
