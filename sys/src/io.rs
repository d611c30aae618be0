//! Bytes in and out: what a call on a socket or a file can end with is one of four words, [`Io`].
//!
//! | word | recv, read | send, write, sendfile |
//! |---|---|---|
//! | `Done(n)` | `n` bytes came, `n` > 0 (or no room was given) | `n` bytes were taken, perhaps fewer than given |
//! | `Blocked` | nothing is there yet (`EAGAIN`) | the socket is full |
//! | `Ended` | end of file, the peer's end | the peer is gone (`EPIPE`, `ECONNRESET`); sendfile: the file ends here |
//! | `Failed` | anything else | anything else |
//!
//! `EINTR` is not seen: the call is made again. A send never raises `SIGPIPE`.

use core::mem::MaybeUninit;
use rustix::fd::BorrowedFd;
use rustix::io::{Errno, IoSlice};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

/// What a call ended with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Io {
    /// So many bytes were moved.
    Done(usize),
    /// It would have to wait.
    Blocked,
    /// There is no more, or nobody there.
    Ended,
    /// It failed for another reason.
    Failed(Errno),
}

/// The flags of every send: no signal when the peer is gone.
#[cfg(not(target_vendor = "apple"))]
pub(crate) const QUIET: SendFlags = SendFlags::NOSIGNAL;
/// macOS has no such flag: the program ignores the signal.
#[cfg(target_vendor = "apple")]
pub(crate) const QUIET: SendFlags = SendFlags::empty();

/// Makes a call until no signal interrupts it.
#[inline]
fn again(mut call: impl FnMut() -> Result<usize, Errno>) -> Result<usize, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// So many milliseconds as poll(2) takes them.
pub(crate) fn timespec(milliseconds: u32) -> rustix::event::Timespec {
    rustix::event::Timespec {
        tv_sec: (milliseconds / 1000).into(),
        // Not everywhere 64 bits wide.
        tv_nsec: (milliseconds % 1000 * 1_000_000) as _,
    }
}

/// Whether a descriptor takes bytes, or will within so many milliseconds (poll(2)). A pipe that does takes `PIPE_BUF`
/// bytes without blocking.
pub fn wait_writable(fd: BorrowedFd<'_>, milliseconds: u32) -> bool {
    let time = timespec(milliseconds);
    let mut polled = [rustix::event::PollFd::from_borrowed_fd(fd, rustix::event::PollFlags::OUT)];
    again(|| rustix::event::poll(&mut polled, Some(&time))).is_ok_and(|count| count > 0)
}

#[inline]
fn incoming(result: Result<usize, Errno>, asked: usize) -> Io {
    match result {
        Ok(0) if asked > 0 => Io::Ended,
        Ok(count) => Io::Done(count),
        Err(Errno::AGAIN) => Io::Blocked,
        Err(error) => Io::Failed(error),
    }
}

#[inline]
fn outgoing(result: Result<usize, Errno>) -> Io {
    match result {
        Ok(count) => Io::Done(count),
        Err(Errno::AGAIN) => Io::Blocked,
        Err(Errno::PIPE | Errno::CONNRESET) => Io::Ended,
        Err(error) => Io::Failed(error),
    }
}

/// Lets a test build shorten a call or fail it; in other builds it is nothing at all.
macro_rules! meddle {
    ($direction:ident, $length:expr) => {{
        #[cfg(feature = "fault")]
        let length = match crate::fault::meddle(crate::fault::Direction::$direction, $length) {
            Ok(length) => length,
            Err(outcome) => return outcome,
        };
        #[cfg(not(feature = "fault"))]
        let length = $length;
        length
    }};
}

/// Receives from a socket what stays there to be received again (recv(2), `MSG_PEEK`).
pub fn peek(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Io {
    let length = meddle!(In, buffer.len());
    let Some(buffer) = buffer.get_mut(..length) else { return Io::Done(0) };
    incoming(
        again(|| rustix::net::recv(socket, &mut *buffer, RecvFlags::PEEK).map(|(count, _)| count)),
        length,
    )
}

/// Receives from a socket (recv(2)).
#[inline]
pub fn recv(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Io {
    let length = meddle!(In, buffer.len());
    let Some(buffer) = buffer.get_mut(..length) else { return Io::Done(0) };
    incoming(
        again(|| rustix::net::recv(socket, &mut *buffer, RecvFlags::empty()).map(|(count, _)| count)),
        length,
    )
}

/// Sends to a socket (send(2)).
#[inline]
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> Io {
    let length = meddle!(Out, bytes.len());
    let bytes = bytes.get(..length).unwrap_or(bytes);
    outgoing(again(|| rustix::net::send(socket, bytes, QUIET)))
}

/// The most parts that [`send_vectored`] sends at once.
const PARTS: usize = 5;

/// Sends several parts in one call (sendmsg(2)): of more than five, the first five.
#[inline]
pub fn send_vectored(socket: BorrowedFd<'_>, parts: &[&[u8]]) -> Io {
    let whole: usize = parts.iter().map(|part| part.len()).sum();
    let length = meddle!(Out, whole);
    if length < whole {
        // Only a test shortens: the front of the first part that has any bytes.
        let first =
            parts.iter().find(|part| !part.is_empty()).and_then(|part| part.get(..length.min(part.len())));
        return outgoing(again(|| rustix::net::send(socket, first.unwrap_or(&[]), QUIET)));
    }
    let slices: [IoSlice<'_>; PARTS] =
        core::array::from_fn(|at| IoSlice::new(parts.get(at).copied().unwrap_or_default()));
    let parts = slices.get(..parts.len()).unwrap_or(&slices);
    let mut none = SendAncillaryBuffer::default();
    outgoing(again(|| rustix::net::sendmsg(socket, parts, &mut none, QUIET)))
}

/// Reads from a file, pipe or terminal (read(2)).
pub fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Io {
    let length = meddle!(In, buffer.len());
    let Some(buffer) = buffer.get_mut(..length) else { return Io::Done(0) };
    incoming(again(|| rustix::io::read(fd, &mut *buffer)), length)
}

/// Writes to a file, pipe or terminal (write(2)).
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Io {
    let length = meddle!(File, bytes.len());
    outgoing(again(|| rustix::io::write(fd, bytes.get(..length).unwrap_or(bytes))))
}

/// Reads from a place of a file, which does not move its offset (pread(2)).
pub fn read_at(file: BorrowedFd<'_>, buffer: &mut [u8], at: u64) -> Io {
    let length = meddle!(Disk, buffer.len());
    let Some(buffer) = buffer.get_mut(..length) else { return Io::Done(0) };
    incoming(again(|| rustix::io::pread(file, &mut *buffer, at)), length)
}

/// Reads from a place of a file what the page cache holds: `Blocked` says that a disk would have to be waited for
/// (preadv2(2), `RWF_NOWAIT`). Systems and file systems that cannot tell answer `Failed`.
#[cfg(target_os = "linux")]
pub fn read_at_cached(file: BorrowedFd<'_>, buffer: &mut [u8], at: u64) -> Io {
    let length = meddle!(In, buffer.len());
    let Some(buffer) = buffer.get_mut(..length) else { return Io::Done(0) };
    let flags = rustix::io::ReadWriteFlags::NOWAIT;
    incoming(
        again(|| rustix::io::preadv2(file, &mut [rustix::io::IoSliceMut::new(buffer)], at, flags)),
        length,
    )
}

/// See above: here nothing can tell.
#[cfg(not(target_os = "linux"))]
pub fn read_at_cached(_file: BorrowedFd<'_>, _buffer: &mut [u8], _at: u64) -> Io {
    Io::Failed(Errno::OPNOTSUPP)
}

/// Asks the disk for a part of a file, without waiting for it (posix_fadvise(2), `WILLNEED`).
pub fn read_ahead(file: BorrowedFd<'_>, at: u64, length: u64) {
    #[cfg(not(any(
        target_vendor = "apple",
        target_os = "openbsd",
        target_os = "netbsd",
        target_os = "dragonfly"
    )))]
    {
        let length = core::num::NonZeroU64::new(length);
        // An advice: that it was not taken shows in the time it takes, nowhere else.
        let _advice = rustix::fs::fadvise(file, at, length, rustix::fs::Advice::WillNeed);
    }
    #[cfg(any(
        target_vendor = "apple",
        target_os = "openbsd",
        target_os = "netbsd",
        target_os = "dragonfly"
    ))]
    let _ = (file, at, length);
}

/// Sends a piece of a file to a socket within the kernel: sendfile(2) of Linux, FreeBSD and macOS, [`copy_file`] where
/// there is none, or where it does not take this kind of file. `Ended`: the file is shorter than `at`, or the peer gone.
#[inline]
pub fn sendfile(socket: BorrowedFd<'_>, file: BorrowedFd<'_>, at: u64, count: usize) -> Io {
    let count = meddle!(Out, count);
    if count == 0 {
        return Io::Done(0);
    }
    match sendfile_native(socket, file, at, count) {
        Ok(0) => Io::Ended,
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::NOTSOCK) => {
            copy_file(socket, file, at, count)
        }
        result => outgoing(result),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn sendfile_native(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    at: u64,
    count: usize,
) -> Result<usize, Errno> {
    again(|| {
        let mut offset = at;
        rustix::fs::sendfile(socket, file, Some(&mut offset), count)
    })
}

/// FreeBSD and macOS may take a part and say "interrupted" or "full" all the same: what was taken counts.
#[cfg(any(target_os = "freebsd", target_os = "dragonfly", target_vendor = "apple"))]
fn sendfile_native(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    at: u64,
    count: usize,
) -> Result<usize, Errno> {
    use rustix::fd::AsRawFd;
    let (file, socket) = (file.as_raw_fd(), socket.as_raw_fd());
    let at = libc::off_t::try_from(at).map_err(|_| Errno::INVAL)?;
    again(|| {
        // macOS takes how much to send from where it then tells how much was sent.
        let mut sent: libc::off_t = if cfg!(target_vendor = "apple") { count as libc::off_t } else { 0 };
        #[cfg(target_vendor = "apple")]
        // SAFETY: both descriptors are open for the call, `sent` outlives it, and there is no header to read.
        let outcome = unsafe { libc::sendfile(file, socket, at, &mut sent, core::ptr::null_mut(), 0) };
        #[cfg(not(target_vendor = "apple"))]
        // SAFETY: both descriptors are open for the call, `sent` outlives it, and there is no header to read.
        let outcome = unsafe { libc::sendfile(file, socket, at, count, core::ptr::null_mut(), &mut sent, 0) };
        match (outcome, sent) {
            (0, _) => Ok(sent as usize),
            (_, 1..) => Ok(sent as usize),
            _ => Err(crate::error::last_error()),
        }
    })
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_vendor = "apple"
)))]
fn sendfile_native(_: BorrowedFd<'_>, _: BorrowedFd<'_>, _: u64, _: usize) -> Result<usize, Errno> {
    Err(Errno::NOSYS)
}

/// The most that [`copy_file`] moves at once, in bytes: it lies on the stack.
const COPY: usize = 32 * 1024;

/// Sends a piece of a file by reading and sending it. What the socket does not take is read again the next time.
pub fn copy_file(socket: BorrowedFd<'_>, file: BorrowedFd<'_>, at: u64, count: usize) -> Io {
    let mut buffer = [MaybeUninit::<u8>::uninit(); COPY];
    let mut done = 0;
    while done < count {
        let Some(room) = buffer.get_mut(..COPY.min(count - done)) else { break };
        let bytes = loop {
            match rustix::io::pread(file, &mut *room, at.saturating_add(done as u64)) {
                Ok((bytes, _)) => break bytes,
                Err(Errno::INTR) => {}
                Err(_) if done > 0 => return Io::Done(done),
                Err(error) => return Io::Failed(error),
            }
        };
        if bytes.is_empty() {
            return if done > 0 { Io::Done(done) } else { Io::Ended };
        }
        let read = bytes.len();
        match outgoing(again(|| rustix::net::send(socket, &*bytes, QUIET))) {
            Io::Done(sent) => {
                done += sent;
                if sent < read {
                    return Io::Done(done);
                }
            }
            _ if done > 0 => return Io::Done(done),
            outcome => return outcome,
        }
    }
    Io::Done(done)
}
