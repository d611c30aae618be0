//! Telling a service manager how we are: datagrams as sd_notify(3) has them, a line feed as s6 has it.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};

use crate::io::{Io, wait_writable, write};

/// The socket of a service manager, connected from the start: its path means nothing in another root directory.
pub struct Notify {
    socket: OwnedFd,
    address: SocketAddrUnix,
}

impl Notify {
    /// Connects to what `NOTIFY_SOCKET` names: a path, or after `@` an abstract name (Linux).
    ///
    /// # Errors
    /// `EAFNOSUPPORT` for another kind of address; what connecting ends with.
    pub fn open(name: &[u8]) -> Result<Notify, Errno> {
        let address = match name {
            [b'/', ..] => SocketAddrUnix::new(name)?,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            [b'@', name @ ..] if !name.is_empty() => SocketAddrUnix::new_abstract_name(name)?,
            _ => return Err(Errno::AFNOSUPPORT),
        };
        let socket = crate::socket::new_socket(AddressFamily::UNIX, SocketType::DGRAM)?;
        rustix::net::connect(&socket, &address)?;
        Ok(Notify { socket, address })
    }

    /// Sends one datagram without waiting. A manager that has made its socket anew is connected to once more, where it
    /// can still be reached.
    pub fn send(&self, text: &[u8]) -> Io {
        match crate::io::send(self.socket.as_fd(), text) {
            Io::Ended | Io::Failed(Errno::CONNREFUSED | Errno::NOTCONN) => {
                match rustix::net::connect(&self.socket, &self.address) {
                    Ok(()) => crate::io::send(self.socket.as_fd(), text),
                    Err(error) => Io::Failed(error),
                }
            }
            outcome => outcome,
        }
    }
}

/// A descriptor that somebody reads from until a line feed comes.
pub struct ReadyPipe(OwnedFd);

impl ReadyPipe {
    /// Takes the descriptor of that number, which this process was started with.
    ///
    /// # Errors
    /// `EBADF` when there is none, or none that can be written to.
    pub fn inherit(number: u32) -> Result<ReadyPipe, Errno> {
        let pipe = crate::inherited::inherit(number)?;
        let flags = rustix::fs::fcntl_getfl(&pipe)?;
        if flags.intersection(OFlags::RWMODE) == OFlags::RDONLY {
            return Err(Errno::BADF);
        }
        Ok(ReadyPipe(pipe))
    }

    /// Writes the line feed without waiting, and closes the descriptor. Gives it back when there was no room.
    ///
    /// # Errors
    /// The pipe, to be tried again.
    pub fn ready(self) -> Result<(), ReadyPipe> {
        if !wait_writable(self.0.as_fd(), 0) {
            return Err(self);
        }
        match write(self.0.as_fd(), b"\n") {
            Io::Blocked => Err(self),
            // A reader that is gone does not want to know.
            Io::Done(_) | Io::Ended | Io::Failed(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixDatagram;

    fn receive(socket: &UnixDatagram) -> Vec<u8> {
        let mut text = vec![0; 200];
        let count = socket.recv(&mut text).unwrap();
        text.truncate(count);
        text
    }

    #[test]
    fn a_manager_is_told() {
        let path = std::env::temp_dir().join(format!("gorgon-notify-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let name = path.as_os_str().as_encoded_bytes();
        assert_eq!(Notify::open(name).err(), Some(Errno::NOENT));
        let manager = UnixDatagram::bind(&path).unwrap();
        let notify = Notify::open(name).unwrap();
        assert_eq!(notify.send(b"READY=1"), Io::Done(7));
        assert_eq!(receive(&manager), b"READY=1");
        drop(manager);
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(notify.send(b"STOPPING=1"), Io::Failed(_)));
        // It came back.
        let manager = UnixDatagram::bind(&path).unwrap();
        assert_eq!(notify.send(b"STATUS=x"), Io::Done(8));
        assert_eq!(receive(&manager), b"STATUS=x");
        // It does not read: nobody waits for it.
        let mut sent = 0;
        while let Io::Done(_) = notify.send(&[b'x'; 1000]) {
            sent += 1;
            assert!(sent < 100_000);
        }
        assert_eq!(notify.send(b"WATCHDOG=1"), Io::Blocked);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn only_paths_and_abstract_names_are_known() {
        for name in [b"".as_slice(), b"@", b"relative", b"vsock:2:9999", b"/a\0b"] {
            assert!(Notify::open(name).is_err(), "{name:?}");
        }
        let long = [b"/".as_slice(), &[b'x'; 200]].concat();
        assert_eq!(Notify::open(&long).err(), Some(Errno::NAMETOOLONG));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abstract_name_is_one() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("gorgon-notify-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let notify = Notify::open(format!("@{name}").as_bytes()).unwrap();
        assert_eq!(notify.send(b"READY=1"), Io::Done(7));
        assert_eq!(receive(&manager), b"READY=1");
    }

    /// Both ends of a pipe, as a process is started with them.
    fn pipe() -> (u32, u32) {
        let (reader, writer) = std::io::pipe().unwrap();
        [OwnedFd::from(reader), writer.into()]
            .map(|end| {
                rustix::io::fcntl_setfd(&end, rustix::io::FdFlags::empty()).unwrap();
                end.into_raw_fd() as u32
            })
            .into()
    }

    #[test]
    fn a_line_feed_says_it_once() {
        let (reader, writer) = pipe();
        let ready = ReadyPipe::inherit(writer).unwrap();
        assert!(ReadyPipe::inherit(reader).is_err(), "nothing can be written there");
        assert!(ReadyPipe::inherit(2).is_err());
        assert!(ready.ready().is_ok(), "the reader is gone, and that is no matter");

        let (reader, writer) = pipe();
        let reader = crate::inherited::inherit(reader).unwrap();
        assert!(ReadyPipe::inherit(writer).unwrap().ready().is_ok());
        let mut bytes = [0; 8];
        assert_eq!(crate::io::read(reader.as_fd(), &mut bytes), Io::Done(1));
        assert_eq!(bytes[0], b'\n');
        assert_eq!(crate::io::read(reader.as_fd(), &mut bytes), Io::Ended, "it is closed");
    }
}
