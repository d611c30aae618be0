//! Binds what `listen` asks for, and says where it answers.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use gorgon_sys::{Address, AsFd, BorrowedFd, Errno, FileKind, FileStat, ListenOptions, OwnedFd, privilege};

use super::{Failure, failure};
use crate::http::settings::HttpSettings;
use crate::text::address::push_socket_address;
use crate::text::file_path;
use crate::text::join::{joined, push_all};
use crate::text::listen::Listen;
use crate::tree::rule::ListenRule;

/// What a listener is made with: as its rule says, or else its server.
pub(super) fn options(http: &HttpSettings, rule: &ListenRule) -> ListenOptions {
    let given = |size: u32| Some(size).filter(|size| *size > 0);
    let seconds = u32::try_from(http.defer_accept.div_ceil(1000)).unwrap_or(u32::MAX);
    ListenOptions {
        backlog: rule.backlog.unwrap_or(http.backlog),
        defer_accept: given(seconds),
        send_buffer: given(rule.send_buffer.unwrap_or(http.send_buffer)),
        receive_buffer: given(rule.receive_buffer.unwrap_or(http.receive_buffer)),
        mode: rule.mode,
        freebind: false,
        beside: false,
    }
}

/// Binds one rule of `listen`: one socket for each address it means.
pub(super) fn bind(
    listen: &Listen,
    options: &ListenOptions,
) -> Result<Vec<(OwnedFd, Address)>, Box<Failure>> {
    let both = |v4: Ipv4Addr, v6: Ipv6Addr, port: u16| {
        // A free port of one family may be taken in the other: then another one is tried.
        let mut attempts = if port == 0 { 16 } else { 1 };
        loop {
            attempts -= 1;
            let first = bind_one(&Address::Ip(SocketAddr::new(v4.into(), port)), options);
            let taken = match &first {
                Ok((_, Address::Ip(address))) => address.port(),
                Ok((_, Address::Unix(_))) | Err(_) => port,
            };
            let second = bind_one(&Address::Ip(SocketAddr::new(v6.into(), taken)), options);
            let missing = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL, Errno::PROTONOSUPPORT];
            match (first, second) {
                (Ok(first), Ok(second)) => return Ok(vec![first, second]),
                // A host need not have both families.
                (Ok(only), Err(error)) | (Err(error), Ok(only)) if missing.contains(&error) => {
                    return Ok(vec![only]);
                }
                (Ok(_), Err(Errno::ADDRINUSE)) if attempts > 0 => {}
                (Ok(_), Err(error)) => return Err((error, SocketAddr::new(v6.into(), port))),
                (Err(error), _) => return Err((error, SocketAddr::new(v4.into(), port))),
            }
        }
    };
    let outcome = match listen {
        Listen::Any { port } => both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED, *port),
        Listen::Localhost { port } => both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST, *port),
        Listen::Ip(address) => {
            bind_one(&Address::Ip(*address), options).map(|one| vec![one]).map_err(|error| (error, *address))
        }
        Listen::Passed(name) => {
            let message =
                ["listen=fd:", &*String::from_utf8_lossy(name), ": no socket of that name was passed"];
            return Err(Box::new(Failure { message: message.concat(), usage: true, error: None }));
        }
        Listen::Unix(path) => {
            let address = Address::Unix(path.clone());
            return match bind_one(&address, options) {
                Ok(one) => Ok(vec![one]),
                Err(error) => Err(cannot_listen(&display(&address), error)),
            };
        }
    };
    outcome.map_err(|(error, address)| cannot_listen(&display(&Address::Ip(address)), error))
}

/// Has a socket that stays be as if it were made with these options rather than those before; its kernel's buffers are the
/// loop's to set.
///
/// # Errors
/// What the system does not do: the socket serves all the same.
pub(super) fn retune(
    socket: BorrowedFd<'_>,
    address: &Address,
    (before, now): (&ListenOptions, &ListenOptions),
    sockets: &Sockets,
) -> Result<(), Errno> {
    if before.backlog != now.backlog {
        gorgon_sys::listen_again(socket, now.backlog)?;
    }
    match address {
        Address::Unix(path) if before.mode != now.mode => {
            match sockets.set_mode(path, now.mode.unwrap_or_else(gorgon_sys::unmasked_mode)) {
                // One that was passed is as its maker will have it.
                Err(Errno::NOENT) => Ok(()),
                outcome => outcome,
            }
        }
        Address::Unix(_) => Ok(()),
        Address::Ip(_) => {
            if before.defer_accept != now.defer_accept {
                gorgon_sys::set_defer_accept(socket, now.defer_accept.unwrap_or(0));
            }
            Ok(())
        }
    }
}

pub(super) fn bind_one(address: &Address, options: &ListenOptions) -> Result<(OwnedFd, Address), Errno> {
    let socket = gorgon_sys::listen(address, options)?;
    let address = match address {
        Address::Ip(_) => gorgon_sys::local_address(socket.as_fd())?,
        Address::Unix(_) => address.clone(),
    };
    Ok((socket, address))
}

pub(super) fn cannot_listen(address: &str, error: Errno) -> Box<Failure> {
    let mut failure =
        Box::new(Failure { usage: true, ..*failure(&joined(&["cannot listen on ", address]), error) });
    let kind = address.strip_prefix("unix:").and_then(|path| gorgon_sys::stat_path(path.as_bytes()).ok());
    if kind.is_some_and(|stat| matches!(stat.kind, FileKind::File | FileKind::Directory)) {
        failure.message.push_str("; it is there, and is no socket");
    }
    if error == Errno::ACCESS && !address.starts_with("unix:") {
        failure.message.push_str("; ports below 1024 want root, or CAP_NET_BIND_SERVICE");
    }
    failure
}

/// The URLs that an address answers on.
pub(super) fn push_urls(address: &Address, report: &mut String) {
    let Address::Ip(bound) = address else {
        push_all(report, &["  ", &display(address), "\n"]);
        return;
    };
    let hosts = if bound.ip().is_unspecified() {
        let mut hosts = gorgon_sys::interface_addresses();
        hosts.retain(|host| host.is_ipv4() == bound.is_ipv4());
        // Loopback first, and not pages of them on a host with many.
        if let Some(loopback) = hosts.iter().position(|host| host.is_loopback()) {
            hosts.swap(0, loopback);
        }
        hosts.truncate(8);
        if hosts.is_empty() { vec![bound.ip()] } else { hosts }
    } else {
        vec![bound.ip()]
    };
    for host in hosts {
        let shown = display(&Address::Ip(SocketAddr::new(host, bound.port())));
        let shown = shown.strip_suffix(":80").unwrap_or(&shown);
        push_all(report, &["  http://", shown, "/\n"]);
    }
}

pub(super) fn display(address: &Address) -> String {
    match address {
        Address::Ip(address) => {
            let mut shown = String::new();
            push_socket_address(address, &mut shown);
            shown
        }
        Address::Unix(path) => joined(&["unix:", &*String::from_utf8_lossy(path)]),
    }
}

/// A Unix socket that was made here.
pub(super) struct Socket {
    /// Where it was asked for.
    pub(super) path: Vec<u8>,
    /// Where it lies, held open: a path means something else after a change of the root directory.
    pub(super) directory: OwnedFd,
    name: CString,
    stat: FileStat,
    /// That it is not there, or cannot be made again, was told.
    pub(super) told: bool,
}

/// What lies where one was made.
pub(super) enum State {
    There,
    Gone,
    Other,
}

impl Socket {
    /// What lies at the path, which has just been made. None where it cannot be known again.
    pub(super) fn find(path: &[u8]) -> Option<Socket> {
        let name = CString::new(file_path::file_name(path)?).ok()?;
        let directory = privilege::open_to_name(file_path::parent(path)).ok()?;
        let stat = privilege::stat_name(directory.as_fd(), &name).ok()?;
        // What somebody has put in its place since is not ours to give away or remove.
        if stat.kind != FileKind::Other {
            return None;
        }
        Some(Socket { path: path.to_owned(), directory, name, stat, told: false })
    }

    /// Gives it to a user, who then may remove it even where others may not.
    pub(super) fn give(&self, user: u32, group: u32) -> Result<(), Errno> {
        let key = (self.stat.device, self.stat.inode);
        privilege::give_socket(self.directory.as_fd(), &self.name, key, user, group)
    }

    /// Whether this process may remove it, for all that the directory says.
    pub(super) fn can_be_removed(&self) -> bool {
        privilege::may_write(self.directory.as_fd())
    }

    /// Has it have other permission bits.
    fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        let key = (self.stat.device, self.stat.inode);
        privilege::set_socket_mode(self.directory.as_fd(), &self.name, key, mode)
    }

    /// Removes it, unless something else lies there by now.
    fn remove(&self) {
        if self.is_there() {
            // Somebody may remove it meanwhile, or it may not be ours to remove: then there is nothing to do.
            let _gone = privilege::unlink_name(self.directory.as_fd(), &self.name);
        }
    }

    /// Whether the same lies there still. The inode alone may be given to the next file.
    fn is_there(&self) -> bool {
        let key = |stat: &FileStat| (stat.device, stat.inode, stat.modified, stat.modified_ns);
        privilege::stat_name(self.directory.as_fd(), &self.name)
            .is_ok_and(|stat| key(&stat) == key(&self.stat))
    }

    /// What lies at the path by which others look for it, whatever has become of the directory. While the socket is open
    /// its inode is given to nobody else.
    pub(super) fn state(&self) -> State {
        let key = |stat: &FileStat| (stat.device, stat.inode);
        match gorgon_sys::stat_link(&*self.path) {
            Ok(stat) if key(&stat) == key(&self.stat) => State::There,
            Ok(_) => State::Other,
            // A path that is not whole meant something else when the program started.
            Err(Errno::NOENT | Errno::NOTDIR) if self.path.starts_with(b"/") => State::Gone,
            Err(_) => State::There,
        }
    }
}

/// The Unix sockets: removed when the program ends, unless something else lies there by then, such as the socket of a
/// successor.
#[derive(Default)]
pub(super) struct Sockets(pub(super) Vec<Socket>);

impl Sockets {
    /// Sets the permission bits of the one that was made at that path.
    ///
    /// # Errors
    /// The system's; `ENOENT` for one that was not made here.
    pub(super) fn set_mode(&self, path: &[u8], mode: u32) -> Result<(), Errno> {
        self.0.iter().find(|socket| socket.path == path).ok_or(Errno::NOENT)?.set_mode(mode)
    }

    /// Removes the one that was made at that path.
    pub(super) fn remove(&mut self, path: &[u8]) {
        if let Some(at) = self.0.iter().position(|socket| socket.path == path) {
            self.0.remove(at).remove();
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.0.iter().for_each(Socket::remove);
    }
}
