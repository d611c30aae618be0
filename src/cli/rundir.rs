//! Where the sockets of monitors lie that nobody chose another place for: `RUNDIR/PID.sock`.
//!
//! | who | RUNDIR |
//! |---|---|
//! | who has `$RUNTIME_DIRECTORY` | that |
//! | root | `/run/gorgon`, or else `/run/gorgon-UID` |
//! | others | `$XDG_RUNTIME_DIR/gorgon`, or else `/tmp/gorgon-UID` |
//!
//! The directory is its owner's alone, unless the monitor lets others in. One who starts as root and becomes another gives
//! it to that user, who has to remove the socket at the end; root reaches it in any case. So `/run/gorgon` belongs to
//! whom the first becomes; one who becomes somebody else has a directory beside it, for neither may remove, or answer in
//! place of, what is the other's. In `/run` nobody but root puts anything there first.

use alloc::borrow::ToOwned;
use alloc::ffi::CString;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use gorgon_sys::{
    Address, AsFd, Directory, Errno, FileKind, OwnedFd, connect, describe, give_file, is_running,
    make_directory, open_directory, privilege, process_id, set_mode, stat, try_lock,
};

use crate::text::file_path;
use crate::text::join::joined;
use crate::text::number::{parse_decimal, push_decimal};

/// Where root keeps its own.
const ROOT: &[u8] = b"/run/gorgon";
/// Where that lies, and how the names of those beside it begin.
const BESIDE: (&[u8], &[u8]) = (b"/run", b"gorgon-");
/// How the names end.
const END: &[u8] = b".sock";
/// What others need of the directory to reach what is in it.
const OTHERS: u32 = 0o055;
/// Room for the names that are listed at once.
const SLICE: usize = 8 * 1024;
/// The most sockets that are looked at in one directory, and the most directories.
const SOCKETS: usize = 1000;
/// Why a directory is not used.
const FOREIGN: &str = "it belongs to somebody else";

/// What the environment says of where sockets go. What is no absolute path is passed over, as the XDG base directory
/// specification wants it.
#[derive(Clone, Copy, Default)]
pub struct Runtime<'a> {
    /// `RUNTIME_DIRECTORY` of systemd.exec(5): what a supervisor of services made for this one, with colons between if
    /// it made several.
    pub service: Option<&'a [u8]>,
    /// `XDG_RUNTIME_DIR`: where all of the user's processes keep what is theirs.
    pub user: Option<&'a [u8]>,
}

/// The directory of one user's process.
#[must_use]
pub fn directory(user: u32, runtime: Runtime<'_>) -> Vec<u8> {
    let first = |paths: &'_ [u8]| paths.split(|byte| *byte == b':').next().map(ToOwned::to_owned);
    if let Some(service) = runtime.service.filter(|paths| paths.starts_with(b"/")).and_then(first) {
        return service;
    }
    if user == 0 {
        return ROOT.to_owned();
    }
    match runtime.user.filter(|path| path.starts_with(b"/")) {
        Some(path) => [path, b"/gorgon"].concat(),
        None => numbered(b"/tmp", user),
    }
}

/// `PLACE/gorgon-UID`
fn numbered(place: &[u8], user: u32) -> Vec<u8> {
    let mut path = [place, b"/", BESIDE.1].concat();
    push_decimal(user.into(), &mut path);
    path
}

/// Makes the directory ready for the socket of this process, and gives the socket's path. What dead processes left there
/// is removed. `becomes` is the user and group that the process will have; `others` says whether its monitor lets others
/// in than root and that user, who then have to reach the socket.
///
/// # Errors
/// One line: the directory cannot be made, or somebody else may change what is in it.
pub fn prepare(runtime: Runtime<'_>, becomes: Option<(u32, u32)>, others: bool) -> Result<Vec<u8>, String> {
    let user = privilege::identity().0;
    let mut path = directory(user, runtime);
    if !claim(&path, becomes, others)? {
        path = numbered(BESIDE.0, becomes.map_or(user, |(user, _)| user));
        if !claim(&path, becomes, others)? {
            return Err(line(&path, FOREIGN));
        }
    }
    Ok([&*path, b"/", &name(process_id())].concat())
}

/// The same of that directory alone. Says whether it is ours: for root it may be the one of somebody whom another process
/// has become.
///
/// # Errors
/// As for [`prepare`].
pub fn claim(path: &[u8], becomes: Option<(u32, u32)>, others: bool) -> Result<bool, String> {
    claim_as(path, privilege::identity().0, becomes, others)
}

fn claim_as(path: &[u8], user: u32, becomes: Option<(u32, u32)>, others: bool) -> Result<bool, String> {
    let told = |error: Errno| match error {
        Errno::NOTDIR | Errno::LOOP => line(path, "expected a directory, and no link to one"),
        error => line(path, &describe(error)),
    };
    make_directory(path).map_err(told)?;
    let mut listing = open_directory(path).and_then(Directory::new).map_err(told)?;
    // Of two who want to give it away one does: whom it belongs to is asked afterwards. Who cannot have the lock goes
    // elsewhere rather than wait, for others may hold it too.
    let locked = user == 0 && listing.fd().is_ok_and(try_lock);
    let found = listing.fd().and_then(stat).map_err(told)?;
    if found.user != user && user != 0 {
        return Err(line(path, FOREIGN));
    }
    if found.mode & 0o022 != 0 {
        return Err(line(path, "expected a directory that nobody else may write to"));
    }
    let given = becomes.filter(|(other, _)| user == 0 && *other != found.user);
    if found.user != user && (becomes.is_none() || given.is_some()) {
        return Ok(false);
    }
    let is_used = remove_dead(path, &mut listing);
    if let Some((user, group)) = given {
        // Those who stay root have theirs there, and so may others where the directory is not our own.
        if is_used || !locked || (path != ROOT && holds_others(&mut listing)) {
            return Ok(false);
        }
        let directory = listing.fd().map_err(told)?;
        give_file(directory, user, group).map_err(told)?;
    }
    if others && found.mode & OTHERS != OTHERS {
        set_mode(listing.fd().map_err(told)?, 0o755).map_err(told)?;
    }
    Ok(true)
}

/// Whether something is in a directory that is not named after a process.
fn holds_others(listing: &mut Directory) -> bool {
    let mut found = listing.rewind().is_err();
    let mut room = [MaybeUninit::uninit(); SLICE];
    let mut look = |text: &[u8], _kind, _inode| found |= process(text).is_none();
    while let Ok(true) = listing.next_slice(&mut room, &mut look) {}
    found
}

/// Lets others reach what is in the directory: its monitor lets them in from now on.
///
/// # Errors
/// The system's.
pub fn open_to_others(path: &[u8]) -> Result<(), Errno> {
    let listing = open_directory(path).and_then(Directory::new)?;
    let directory = listing.fd()?;
    if stat(directory)?.mode & OTHERS == OTHERS { Ok(()) } else { set_mode(directory, 0o755) }
}

/// The permission bits of the socket: that others may connect says nothing, for the monitor asks who they are.
#[must_use]
pub fn socket_mode(others: bool) -> u32 {
    if others { 0o666 } else { 0o600 }
}

/// The directories in which monitors are looked for: those of this user, root's, and those beside that.
#[must_use]
pub fn places(runtime: Runtime<'_>) -> Vec<Vec<u8>> {
    let user = privilege::identity().0;
    let mut places = alloc::vec![directory(user, runtime)];
    let mut add = |place: Vec<u8>| {
        if !places.contains(&place) {
            places.push(place);
        }
    };
    add(numbered(b"/tmp", user));
    add(ROOT.to_owned());
    beside(BESIDE.0).into_iter().for_each(add);
    places
}

/// The directories beside root's, by their names.
fn beside(run: &[u8]) -> Vec<Vec<u8>> {
    let Ok(mut listing) = open_directory(run).and_then(Directory::new) else { return Vec::new() };
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut room = [MaybeUninit::uninit(); SLICE];
    let mut add = |text: &[u8], _kind, _inode| {
        if found.len() < SOCKETS && text.starts_with(BESIDE.1) {
            let path = [run, b"/", text].concat();
            found.insert(found.partition_point(|other| *other < path), path);
        }
    };
    while let Ok(true) = listing.next_slice(&mut room, &mut add) {}
    found
}

/// Whether it lies in a directory that nobody but root writes to.
fn is_roots(place: &[u8]) -> bool {
    place == ROOT || file_path::parent(place) == BESIDE.0
}

/// A socket that somebody answers on.
pub struct Found {
    /// The process, if it is known: what the socket is named after, or what the system says.
    pub process: Option<u32>,
    /// Where it lies.
    pub path: Vec<u8>,
    /// The connection, unless too many wait there.
    pub socket: Option<OwnedFd>,
}

/// What was found where.
pub struct Search {
    /// The directories that were looked into.
    pub places: Vec<Vec<u8>>,
    /// Who answers: first the sockets named after processes, by their numbers, then those with names that somebody chose.
    pub found: Vec<Found>,
    /// The sockets and directories that this user may not use.
    pub denied: Vec<Vec<u8>>,
}

/// Looks for the sockets that somebody answers on.
#[must_use]
pub fn find_monitors(places: Vec<Vec<u8>>) -> Search {
    let user = privilege::identity().0;
    let mut search = Search { places: Vec::new(), found: Vec::new(), denied: Vec::new() };
    places.iter().for_each(|place| find_in(place, user, &mut search));
    search.places = places;
    search
}

fn find_in(place: &[u8], user: u32, search: &mut Search) {
    let mut listing = match open_directory(place).and_then(Directory::new) {
        Ok(listing) => listing,
        Err(Errno::ACCESS) => return search.denied.push(place.to_owned()),
        Err(_) => return,
    };
    // In a directory of somebody else's anybody could answer. What is in /run is as root says.
    let owner = listing.fd().and_then(stat).map_or(u32::MAX, |found| found.user);
    if owner != user && owner != 0 && !is_roots(place) {
        return;
    }
    for name in sockets(&mut listing) {
        let path = [place, b"/", &*name].concat();
        let socket = match connect(&Address::Unix(path.clone())) {
            Ok((socket, _)) => Some(socket),
            // One with many who wait is there too.
            Err(Errno::AGAIN) => None,
            Err(Errno::ACCESS) => {
                search.denied.push(path);
                continue;
            }
            Err(_) => continue,
        };
        let listens = |socket: &OwnedFd| gorgon_sys::peer_credentials(socket.as_fd()).ok()?.pid;
        let process = process(&name).or_else(|| socket.as_ref().and_then(listens));
        search.found.push(Found { process, path, socket });
    }
}

/// The names in a directory that end as those of sockets do: first those of processes, by their numbers.
fn sockets(listing: &mut Directory) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut room = [MaybeUninit::uninit(); SLICE];
    let number = |text: &[u8]| process(text).unwrap_or(u32::MAX);
    let mut add = |text: &[u8], _kind, _inode| {
        if found.len() < SOCKETS && text.len() > END.len() && text.ends_with(END) {
            let own = number(text);
            let at = found.partition_point(|other| (number(other), other.as_slice()) < (own, text));
            found.insert(at, text.to_owned());
        }
    };
    while let Ok(true) = listing.next_slice(&mut room, &mut add) {}
    found
}

/// The process that a socket is named after: in another form than ours it is none.
fn process(text: &[u8]) -> Option<u32> {
    let number = text.strip_suffix(END).and_then(parse_decimal);
    number.and_then(|number| u32::try_from(number).ok()).filter(|number| *name(*number) == *text)
}

/// Removes the sockets of processes that are gone and do not answer; says whether some of other processes stay.
fn remove_dead(place: &[u8], listing: &mut Directory) -> bool {
    let mut stays = false;
    for name in sockets(listing) {
        let Some(process) = process(&name) else { continue };
        let path = Address::Unix([place, b"/", &name].concat());
        let (Ok(name), Ok(directory)) = (CString::new(name), listing.fd()) else { return true };
        // Linux refuses a connection to a file of another kind too.
        let is_socket =
            privilege::stat_name(directory, &name).is_ok_and(|found| found.kind == FileKind::Other);
        // One who has bound it and does not listen yet is running.
        if is_socket && !is_running(process) && matches!(connect(&path), Err(Errno::CONNREFUSED)) {
            // Another who starts may have removed it meanwhile.
            let _gone = privilege::unlink_name(directory, &name);
        } else {
            stays |= is_socket && process != process_id();
        }
    }
    stays
}

/// `PID.sock`
fn name(process: u32) -> Vec<u8> {
    let mut name = Vec::new();
    push_decimal(process.into(), &mut name);
    name.extend_from_slice(END);
    name
}

fn line(path: &[u8], what: &str) -> String {
    joined(&[&*String::from_utf8_lossy(path), ": ", what])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    fn place(name: &str) -> (PathBuf, Vec<u8>) {
        let path = std::env::temp_dir().join(format!("gorgon-rundir-{name}-{}", std::process::id()));
        (path.clone(), path.into_os_string().into_encoded_bytes())
    }

    fn own() -> u32 {
        privilege::identity().0
    }

    #[test]
    fn each_user_has_a_place() {
        let user = |user| Runtime { user: Some(user), ..Runtime::default() };
        let service = |paths| Runtime { service: Some(paths), user: Some(b"/run/user/7") };
        assert_eq!(directory(0, user(b"/run/user/0")), b"/run/gorgon");
        assert_eq!(directory(1000, user(b"/run/user/1000")), b"/run/user/1000/gorgon");
        for runtime in [Runtime::default(), user(b""), user(b"run")] {
            assert_eq!(directory(1000, runtime), b"/tmp/gorgon-1000");
        }
        for id in [0, 7] {
            assert_eq!(directory(id, service(b"/run/one")), b"/run/one");
            assert_eq!(directory(id, service(b"/run/one:/run/two")), b"/run/one");
        }
        for paths in [&b""[..], b"run", b":/run/two"] {
            assert_eq!(directory(7, service(paths)), b"/run/user/7/gorgon");
        }
        assert_eq!((socket_mode(false), socket_mode(true)), (0o600, 0o666));
    }

    #[test]
    fn a_directory_is_made_and_kept() {
        let (path, bytes) = place("made");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        claim_as(&bytes, own(), None, false).unwrap();
        assert_eq!(mode(), 0o700);
        claim_as(&bytes, own(), None, true).unwrap();
        assert_eq!(mode(), 0o755);
        claim_as(&bytes, own(), Some((0, 0)), false).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().uid(), own());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o775)).unwrap();
        assert!(claim_as(&bytes, own(), None, false).unwrap_err().contains("write to"));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        assert!(claim_as(&bytes, own() + 1, None, false).unwrap_err().ends_with("somebody else"));
        if own() == 0 {
            let claim = |becomes, others| claim_as(&bytes, 0, becomes, others).unwrap();
            let owner = || std::fs::metadata(&path).map(|found| (found.uid(), found.gid())).unwrap();
            // Whom a process that stays root would lose its socket to does not get it.
            let living = UnixListener::bind(path.join("1.sock")).unwrap();
            assert!(!claim(Some((4711, 4712)), false));
            assert!(claim(None, false));
            std::fs::remove_file(path.join("1.sock")).unwrap();
            drop(living);
            // Nor does one while another may be given it.
            let held = open_directory(&*bytes).unwrap();
            assert!(try_lock(held.as_fd()));
            assert!(!claim(Some((4711, 4712)), false));
            assert_eq!(owner(), (0, 0));
            drop(held);
            // Nor where something else lies.
            std::fs::write(path.join("token"), "root's").unwrap();
            assert!(!claim(Some((4711, 4712)), false));
            std::fs::remove_file(path.join("token")).unwrap();
            assert_eq!(owner(), (0, 0));
            assert!(claim(Some((4711, 4712)), false));
            assert_eq!(owner(), (4711, 4712));
            assert!(claim(Some((4711, 4712)), false));
            // It stays with whom it was given to first, and others leave it as it is.
            for becomes in [Some((4713, 4713)), None] {
                assert!(!claim(becomes, true));
            }
            assert_eq!((owner(), mode()), ((4711, 4712), 0o700));
        }
        let (link, link_bytes) = place("link");
        symlink(&path, &link).unwrap();
        assert!(claim_as(&link_bytes, own(), None, false).unwrap_err().contains("no link"));
        std::fs::remove_file(&link).unwrap();
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        assert!(claim_as(&bytes, own(), None, false).unwrap_err().contains("expected a directory"));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_living_are_found_and_the_dead_removed() {
        let (path, bytes) = place("found");
        claim_as(&bytes, own(), None, false).unwrap();
        let socket = |name: &str| path.join(name);
        let bind = |name: &str| UnixListener::bind(socket(name)).unwrap();
        let (_one, _two) = (bind("20.sock"), bind("3.sock"));
        let (_three, _four) = (bind("main.sock"), bind("b.sock"));
        drop([bind("2147483632.sock"), bind("1.sock"), bind("x.sock"), bind("04.sock"), bind("y.other")]);
        std::fs::write(socket("2147483633.sock"), "").unwrap();
        let found_by = |place: &[u8], user: u32| {
            let mut search = Search { places: Vec::new(), found: Vec::new(), denied: Vec::new() };
            find_in(place, user, &mut search);
            search
        };
        let found = found_by(&bytes, own()).found;
        let names = ["3.sock", "20.sock", "b.sock", "main.sock"];
        let wanted = names.map(|name| socket(name).into_os_string().into_encoded_bytes());
        assert!(found.iter().map(|found| &found.path).eq(&wanted));
        assert!(found.iter().all(|found| found.socket.is_some()));
        let myself = std::process::id();
        let processes = if cfg!(target_os = "linux") { Some(myself) } else { None };
        assert_eq!(
            found.iter().map(|found| found.process).collect::<Vec<_>>(),
            [Some(3), Some(20), processes, processes]
        );
        claim_as(&bytes, own(), None, false).unwrap();
        assert!(!socket("2147483632.sock").exists(), "its process is gone");
        // A process that runs may be about to listen; and what is none of ours stays.
        for name in ["1.sock", "3.sock", "20.sock", "b.sock", "x.sock", "04.sock", "2147483633.sock"] {
            assert!(socket(name).exists(), "{name}");
        }
        if own() != 0 {
            assert!(found_by(&bytes, own() + 1).found.is_empty());
            let set = |path: &std::path::Path, mode| {
                std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
            };
            set(&socket("3.sock"), 0);
            assert_eq!(found_by(&bytes, own()).denied, [wanted[0].clone()]);
            set(&path, 0);
            assert_eq!(found_by(&bytes, own()).denied, std::slice::from_ref(&bytes));
            set(&path, 0o700);
        }
        let nowhere = found_by(b"/nowhere", own());
        assert!(nowhere.found.is_empty() && nowhere.denied.is_empty());
        for name in ["gorgon-7", "gorgon", "gorgon-12"] {
            std::fs::create_dir(path.join(name)).unwrap();
        }
        let wanted = ["gorgon-12", "gorgon-7"].map(|name| socket(name).into_os_string().into_encoded_bytes());
        assert_eq!(beside(&bytes), wanted);
        assert!(beside(b"/nowhere").is_empty());
        assert!(is_roots(b"/run/gorgon") && is_roots(b"/run/gorgon-7"));
        assert!(
            !is_roots(b"/run/user/7/gorgon") && !is_roots(b"/tmp/gorgon-7") && !is_roots(b"run/gorgon-7")
        );
        std::fs::remove_dir_all(&path).unwrap();
    }
}
