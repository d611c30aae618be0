//! Clients that connect and are silent from then on, in processes of their own: each holds as many as its limits allow.
//! They come from several loopback addresses, for one has no more ports than `ip_local_port_range`.
//!
//! A helper ends when its standard input does, so none outlives its parent; its connections are reset when they are
//! closed, so that none is left in TIME-WAIT.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// Connections of one source address: fewer than the usual 28,232 ports.
const PER_SOURCE: u64 = 20_000;
/// Descriptors of a helper that are no connections.
const SPARE: u64 = 32;
/// Most helpers.
const MOST: u64 = 64;
/// How long connecting may take without any progress.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a client says that speaks.
pub const REQUEST: &[u8] = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The clients.
#[derive(Default)]
pub struct Crowd {
    helpers: Vec<Helper>,
}

struct Helper {
    child: Child,
    output: ChildStdout,
    said: Vec<u8>,
    /// How many are connected, and the error that ended it.
    result: Option<(u64, Option<i32>)>,
}

impl Crowd {
    /// Has so many clients connect while `meanwhile` is called again and again; it may sleep. Gives how many are there,
    /// and why not all of them.
    ///
    /// # Errors
    /// Those of `meanwhile`, or when no helper can be started.
    pub fn gather(
        &mut self,
        address: SocketAddr,
        count: u64,
        speaks: bool,
        mut meanwhile: impl FnMut() -> io::Result<u64>,
    ) -> io::Result<(u64, Option<io::Error>)> {
        let each = gorgon_sys::descriptors().1.saturating_sub(SPARE).clamp(1, 1 << 20);
        let before = self.helpers.len();
        let mut left = count;
        while left > 0 && (self.helpers.len() as u64) < MOST {
            let part = left.min(each);
            self.helpers.push(Helper::start(address, self.helpers.len(), part, speaks)?);
            left -= part;
        }
        let (mut moved, mut seen) = (Instant::now(), 0);
        loop {
            let progress = meanwhile()?;
            if progress != seen {
                (moved, seen) = (Instant::now(), progress);
            }
            let mine = self.helpers.get_mut(before..).unwrap_or_default();
            mine.iter_mut().for_each(Helper::listen);
            if mine.iter().all(|helper| helper.result.is_some()) {
                break;
            }
            if moved.elapsed() > PATIENCE {
                return Err(io::Error::other("clients could not connect"));
            }
        }
        meanwhile()?;
        let results =
            self.helpers.get(before..).unwrap_or_default().iter().filter_map(|helper| helper.result);
        let connected = results.clone().map(|(count, _)| count).sum();
        let mut error = results.filter_map(|(_, error)| error).next().map(io::Error::from_raw_os_error);
        if left > 0 {
            error.get_or_insert(io::Error::from_raw_os_error(libc::EMFILE));
        }
        Ok((connected, error))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // All are told first, so that they end together.
        self.helpers.iter_mut().for_each(|helper| drop(helper.child.stdin.take()));
        self.helpers.iter_mut().for_each(|helper| super::reap(&mut helper.child, Duration::from_secs(5)));
    }
}

impl Helper {
    fn start(address: SocketAddr, number: usize, count: u64, speaks: bool) -> io::Result<Helper> {
        let speech = if speaks { "speak" } else { "silent" };
        let mut child = Command::new(std::env::current_exe()?)
            .args([
                "helper",
                "connect",
                &address.to_string(),
                &number.to_string(),
                &count.to_string(),
                speech,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        match child.stdout.take() {
            Some(output) if rustix::io::ioctl_fionbio(&output, true).is_ok() => {
                Ok(Helper { child, output, said: Vec::new(), result: None })
            }
            _ => {
                drop(child.stdin.take());
                super::reap(&mut child, Duration::from_secs(1));
                Err(io::Error::other("no output of a helper"))
            }
        }
    }

    /// Takes what the helper said.
    fn listen(&mut self) {
        let mut room = [0; 64];
        if self.result.is_some() {
            return;
        }
        match self.output.read(&mut room) {
            Ok(count) if count > 0 => self.said.extend(room.iter().take(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // It is gone, and what it held with it.
            _ => self.result = Some((0, Some(libc::ECHILD))),
        }
        let said = String::from_utf8_lossy(&self.said);
        let Some(line) = said.strip_suffix('\n') else { return };
        let mut numbers = line.split(' ').filter_map(|word| word.parse::<i64>().ok());
        let count = numbers.next().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        let error = numbers.next().and_then(|error| i32::try_from(error).ok()).filter(|error| *error != 0);
        self.result = Some((count, error));
    }
}

/// The address from which a helper's connections come: there are 254 in each of 127.0.1.0/24 and on.
fn source(helper: u64, connection: u64) -> Ipv4Addr {
    let number = helper * 8 + connection / PER_SOURCE;
    let (high, low) = (number / 254 % 250 + 1, number % 254 + 1);
    Ipv4Addr::new(127, 0, high as u8, low as u8)
}

fn connect(to: SocketAddr, from: Ipv4Addr) -> io::Result<OwnedFd> {
    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::empty(), None)?;
    // Where there is no such address (macOS has but 127.0.0.1), the system's choice does.
    match rustix::net::bind(&socket, &SocketAddr::new(IpAddr::V4(from), 0)) {
        Ok(()) | Err(rustix::io::Errno::ADDRNOTAVAIL) => {}
        Err(error) => return Err(error.into()),
    }
    sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    rustix::net::connect(&socket, &to)?;
    Ok(socket)
}

/// Asks once and takes the reply, so that the connection idles between requests.
fn speak(socket: OwnedFd) -> io::Result<OwnedFd> {
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST)?;
    read_reply(&mut stream)?;
    Ok(stream.into())
}

/// Reads the reply to [`REQUEST`]: it ends with a body of one known byte.
///
/// # Errors
/// The system's, or that it ends too early.
pub fn read_reply(stream: &mut TcpStream) -> io::Result<()> {
    let mut room = [0; 2048];
    let mut length = 0;
    while !room.get(..length).is_some_and(|reply| reply.ends_with(b"\r\n\r\nx")) {
        let free = room.get_mut(length..).filter(|free| !free.is_empty());
        let Some(free) = free else { return Err(io::Error::other("a reply that was not asked for")) };
        match stream.read(free)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => length += count,
        }
    }
    Ok(())
}

/// The helper: connects, says how many there are, and waits for the end of its input.
pub fn helper(address: &str, helper: &str, count: &str, speech: &str) -> ExitCode {
    let (Ok(address), Ok(helper), Ok(count)) = (address.parse(), helper.parse::<u64>(), count.parse::<u64>())
    else {
        return ExitCode::from(2);
    };
    let mut sockets = Vec::new();
    let mut error = 0;
    for number in 0..count {
        let socket = connect(address, source(helper, number));
        match socket.and_then(|socket| if speech == "speak" { speak(socket) } else { Ok(socket) }) {
            Ok(socket) => sockets.push(socket),
            Err(failure) => {
                error = failure.raw_os_error().unwrap_or(libc::EIO);
                break;
            }
        }
    }
    let said = writeln!(io::stdout(), "{} {error}", sockets.len()).and_then(|()| io::stdout().flush());
    if said.is_err() {
        return ExitCode::from(1);
    }
    // Ends with the parent, however that ends.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    // Borrowed to say that they lived until now.
    sockets.iter().for_each(|socket| _ = socket.as_fd());
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_loopback_and_not_shared() {
        assert_eq!(source(0, 0), Ipv4Addr::new(127, 0, 1, 1));
        assert_eq!(source(0, PER_SOURCE), Ipv4Addr::new(127, 0, 1, 2));
        let mut all: Vec<Ipv4Addr> =
            (0..64).flat_map(|h| (0..8).map(move |n| source(h, n * PER_SOURCE))).collect();
        assert!(all.iter().all(|address| address.is_loopback() && address.octets()[3] != 255));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 64 * 8);
    }
}
