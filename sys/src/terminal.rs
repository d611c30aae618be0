//! A terminal in a mode of its own, and back again whatever happens.
//!
//! ```text
//!             Guard::take            SIGTSTP, or suspend()
//!   as it was ───────────▶ taken ──────────────────────────▶ stopped, as it was
//!       ▲                  │   ▲                                   │
//!       │  drop, a signal  │   └───────────────────────────────────┘
//!       └── that ends, ────┘             SIGCONT
//!           a panic
//! ```
//! A signal that ends the program, be it that something is broken, first gives the terminal back, and then ends it as it
//! would have. The handlers call only what POSIX lets a handler call; tcsetattr(3) and write(2) are among that. Nothing can
//! be done about `SIGKILL`.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode as FileMode, OFlags};
use rustix::io::Errno;

/// What a terminal is taken for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each key at once and none echoed, those that send signals included; Enter is a carriage return. Output is left as
    /// it was, so that a line feed still begins a line.
    Keys,
    /// Whole lines that are not echoed: a password.
    Silent,
}

/// What the handlers need. Written only while [`STATE`] is [`CHANGING`], read only while it is not.
struct Saved {
    fd: libc::c_int,
    /// As it was found.
    before: libc::termios,
    /// As it was set.
    taken: libc::termios,
    /// What is written when it is given back.
    leave: &'static [u8],
    /// What is written when it is taken again after a stop.
    enter: &'static [u8],
}

/// Nobody has it.
const FREE: u8 = 0;
/// [`SAVED`] is being written.
const CHANGING: u8 = 1;
/// It is in its own mode.
const TAKEN: u8 = 2;
/// It was given back for as long as the program is stopped.
const STOPPED: u8 = 3;

/// The handler can be given nothing, so there is one state for the process.
static STATE: AtomicU8 = AtomicU8::new(FREE);
static SAVED: Place = Place(UnsafeCell::new(MaybeUninit::uninit()));
static RESIZED: AtomicBool = AtomicBool::new(false);
/// The same, for the wait that it ends.
static NOTICED: AtomicBool = AtomicBool::new(false);

struct Place(UnsafeCell<MaybeUninit<Saved>>);

// SAFETY: `STATE` says who may touch it: one writer between FREE and TAKEN, and readers at TAKEN and STOPPED only.
unsafe impl Sync for Place {}

/// A terminal that is taken. There is one at a time; it is given back when this is dropped.
pub struct Guard {
    /// What the signals did before.
    before: [MaybeUninit<libc::sigaction>; TAKEN_SIGNALS.len() + OF_LINUX.len()],
}

/// Signals that end a program on Linux alone; `SIGSTKFLT`, which nothing sends, is none of them on every processor.
#[cfg(any(target_os = "linux", target_os = "android"))]
const OF_LINUX: [libc::c_int; 2] = [libc::SIGIO, libc::SIGPWR];
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const OF_LINUX: [libc::c_int; 0] = [];

/// Three that the program only notices, and those that end it, but for what no system sends by itself: `SIGSTKFLT` and the
/// real-time signals.
const TAKEN_SIGNALS: [libc::c_int; 22] = [
    libc::SIGTSTP,
    libc::SIGCONT,
    libc::SIGWINCH,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGABRT,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSYS,
    libc::SIGTRAP,
    libc::SIGPIPE,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

impl Guard {
    /// Takes a terminal. `enter` is written to it now and after each stop, `leave` when it is given back: what switches
    /// its screen, say. Both may be empty.
    ///
    /// # Errors
    /// `ENOTTY` for what is none, `EBUSY` while another is taken.
    pub fn take(
        terminal: BorrowedFd<'_>,
        mode: Mode,
        enter: &'static [u8],
        leave: &'static [u8],
    ) -> Result<Guard, Errno> {
        let before = attributes(terminal)?;
        let mut taken = before;
        taken.c_lflag &= !libc::ECHO;
        taken.c_lflag |= libc::ECHONL;
        if mode == Mode::Keys {
            taken.c_lflag &= !(libc::ECHONL | libc::ICANON | libc::ISIG | libc::IEXTEN);
            taken.c_iflag &= !(libc::IXON | libc::ICRNL | libc::INLCR | libc::IGNCR | libc::ISTRIP);
            taken.c_cc[libc::VMIN] = 1;
            taken.c_cc[libc::VTIME] = 0;
        }
        if STATE.compare_exchange(FREE, CHANGING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Err(Errno::BUSY);
        }
        let saved = Saved { fd: terminal.as_raw_fd(), before, taken, leave, enter };
        // SAFETY: CHANGING is ours alone, so nobody reads it.
        unsafe { (*SAVED.0.get()).write(saved) };
        STATE.store(TAKEN, Ordering::SeqCst);
        let mut guard = Guard { before: [MaybeUninit::uninit(); TAKEN_SIGNALS.len() + OF_LINUX.len()] };
        for (number, place) in TAKEN_SIGNALS.into_iter().chain(OF_LINUX).zip(&mut guard.before) {
            // SAFETY: the place has room for what the signal did before, which the call puts there.
            unsafe {
                act(number, handle as extern "C" fn(libc::c_int) as libc::sighandler_t, place.as_mut_ptr());
                let noticed = matches!(number, libc::SIGTSTP | libc::SIGCONT | libc::SIGWINCH);
                // One that is ignored ends nothing, and stays so.
                if !noticed && place.assume_init_ref().sa_sigaction == libc::SIG_IGN {
                    libc::sigaction(number, place.as_ptr(), core::ptr::null_mut());
                }
            }
        }
        // Dropped on failure, it undoes what was done.
        set(terminal.as_raw_fd(), &taken)?;
        put(terminal.as_raw_fd(), enter);
        Ok(guard)
    }

    /// Gives the terminal back, stops the program as Ctrl-Z does, and takes it again when it goes on.
    pub fn suspend(&self) {
        // SAFETY: the signal is taken, and its handler does the rest.
        unsafe { libc::raise(libc::SIGTSTP) };
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        for (number, place) in TAKEN_SIGNALS.into_iter().chain(OF_LINUX).zip(&self.before) {
            // SAFETY: `take` had the place filled for each signal; what is there is what the signal did before.
            unsafe { libc::sigaction(number, place.as_ptr(), core::ptr::null_mut()) };
        }
        STATE.store(FREE, Ordering::SeqCst);
    }
}

/// Gives the terminal back, if it is taken: for the end of the program that runs no destructors. Safe in a handler.
pub fn restore() {
    if STATE.compare_exchange(TAKEN, STOPPED, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
        // SAFETY: at STOPPED nobody writes it.
        let saved = unsafe { (*SAVED.0.get()).assume_init_ref() };
        // One that another job has now is not ours to change, and to try would stop this process.
        if is_ours(saved.fd) {
            put(saved.fd, saved.leave);
            // It may be gone, which cannot be told to anybody.
            let _outcome = set(saved.fd, &saved.before);
        }
    }
}

/// Takes it again after a stop.
fn take_again() {
    let state = STATE.load(Ordering::SeqCst);
    if state == STOPPED || state == TAKEN {
        // SAFETY: at STOPPED and TAKEN nobody writes it.
        let saved = unsafe { (*SAVED.0.get()).assume_init_ref() };
        if is_ours(saved.fd) {
            let _outcome = set(saved.fd, &saved.taken);
            put(saved.fd, saved.enter);
            STATE.store(TAKEN, Ordering::SeqCst);
        }
        notice();
    }
}

/// The window may be another one.
fn notice() {
    RESIZED.store(true, Ordering::SeqCst);
    NOTICED.store(true, Ordering::SeqCst);
}

extern "C" fn handle(number: libc::c_int) {
    let errno = crate::error::errno_place();
    // SAFETY: the place is this thread's own.
    let before = unsafe { *errno };
    match number {
        libc::SIGWINCH => notice(),
        libc::SIGCONT => take_again(),
        libc::SIGTSTP => {
            restore();
            // It stops here: the signal is not blocked in its handler (SA_NODEFER), and does what it does by itself.
            // SAFETY: both calls may be made in a handler; nobody asks what the signal did before.
            unsafe {
                act(number, libc::SIG_DFL, core::ptr::null_mut());
                libc::raise(number);
                act(
                    number,
                    handle as extern "C" fn(libc::c_int) as libc::sighandler_t,
                    core::ptr::null_mut(),
                );
            }
            // Going on is a signal too, which has done this unless somebody has it blocked.
            if STATE.load(Ordering::SeqCst) == STOPPED {
                take_again();
            }
        }
        _ => {
            restore();
            // SAFETY: as above; the signal now ends the process.
            unsafe {
                act(number, libc::SIG_DFL, core::ptr::null_mut());
                libc::raise(number);
            }
        }
    }
    // SAFETY: as above.
    unsafe { *errno = before };
}

/// Sets what a signal does, and tells what it did before.
///
/// # Safety
/// `before` is null or has room for one. An action that is a handler does only what a handler may.
unsafe fn act(number: libc::c_int, action: libc::sighandler_t, before: *mut libc::sigaction) {
    // SAFETY: an all-zero sigaction is a valid one; the rest is the caller's. It can fail only for a wrong number.
    unsafe {
        let mut new: libc::sigaction = core::mem::zeroed();
        new.sa_sigaction = action;
        new.sa_flags = libc::SA_RESTART | libc::SA_NODEFER;
        libc::sigemptyset(&raw mut new.sa_mask);
        libc::sigaction(number, &raw const new, before);
    }
}

/// Whether no other job has the terminal. One that is not that of this session is nobody's.
fn is_ours(fd: libc::c_int) -> bool {
    // SAFETY: both calls take numbers, and may be made in a handler.
    let (owner, own) = unsafe { (libc::tcgetpgrp(fd), libc::getpgrp()) };
    owner < 0 || owner == own
}

fn attributes(terminal: BorrowedFd<'_>) -> Result<libc::termios, Errno> {
    let mut place = MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: the place outlives the call.
    let outcome = unsafe { libc::tcgetattr(terminal.as_raw_fd(), place.as_mut_ptr()) };
    if outcome != 0 {
        return Err(crate::error::last_error());
    }
    // SAFETY: the call filled it; and all zeros would be valid too.
    Ok(unsafe { place.assume_init() })
}

fn set(fd: libc::c_int, attributes: &libc::termios) -> Result<(), Errno> {
    loop {
        // SAFETY: the attributes outlive the call.
        if unsafe { libc::tcsetattr(fd, libc::TCSADRAIN, attributes) } == 0 {
            return Ok(());
        }
        match crate::error::last_error() {
            Errno::INTR => {}
            error => return Err(error),
        }
    }
}

/// Writes a few bytes, in a handler too. A terminal that takes none of them is not waited for.
fn put(fd: libc::c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the pointer and the length are of one live slice.
        let count = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(count) {
            Ok(count) if count > 0 => bytes = bytes.get(count..).unwrap_or(&[]),
            Ok(_) | Err(_) => return,
        }
    }
}

/// Whether the window may have changed since this was asked: its size, or all of it after a stop.
pub fn take_resized() -> bool {
    RESIZED.swap(false, Ordering::SeqCst)
}

/// The size of a terminal's window: columns and rows. None where it is not known.
#[must_use]
pub fn window_size(terminal: BorrowedFd<'_>) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request writes one winsize, to a place that outlives the call.
    let outcome = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ as _, &raw mut size) };
    (outcome == 0 && size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// The terminal of this process, whatever its standard streams are.
///
/// # Errors
/// `ENXIO` when it has none.
pub fn open_terminal() -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::io::retry_on_intr(|| rustix::fs::open(c"/dev/tty", flags, FileMode::empty()))
}

/// Waits until one of two descriptors has something to read or has ended, for so many milliseconds at most (poll(2)). A
/// signal ends the wait early, so that its flag is looked at.
///
/// # Errors
/// The system's.
pub fn wait_readable(
    one: BorrowedFd<'_>,
    two: Option<BorrowedFd<'_>>,
    milliseconds: Option<u32>,
) -> Result<(bool, bool), Errno> {
    let both = two.is_some();
    let mut polled = [
        PollFd::from_borrowed_fd(one, PollFlags::IN),
        PollFd::from_borrowed_fd(two.unwrap_or(one), PollFlags::IN),
    ];
    match poll_noticing(if both { &mut polled } else { &mut polled[..1] }, milliseconds) {
        Err(Errno::INTR) => return Ok((false, false)),
        outcome => outcome?,
    };
    let [one, two] = polled;
    Ok((!one.revents().is_empty(), both && !two.revents().is_empty()))
}

/// Polls, and is interrupted by a signal that is only noticed even if it came just before: it is held back until the wait
/// has begun, or else its flag would not be looked at before the next key.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn poll_noticing(polled: &mut [PollFd<'_>], milliseconds: Option<u32>) -> Result<(), Errno> {
    let time = milliseconds.map(|milliseconds| libc::timespec {
        tv_sec: (milliseconds / 1000) as _,
        tv_nsec: (milliseconds % 1000 * 1_000_000) as _,
    });
    let time = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    let (mut held, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: both sets outlive the calls and are filled by those that come first; `PollFd` has the layout of `pollfd`, as
    // rustix promises, and pointer and length are of one live slice.
    let count = unsafe {
        libc::sigemptyset(held.as_mut_ptr());
        libc::sigaddset(held.as_mut_ptr(), libc::SIGWINCH);
        libc::sigaddset(held.as_mut_ptr(), libc::SIGCONT);
        libc::sigprocmask(libc::SIG_BLOCK, held.as_ptr(), before.as_mut_ptr());
        let count = if NOTICED.swap(false, Ordering::SeqCst) {
            *crate::error::errno_place() = libc::EINTR;
            -1
        } else {
            libc::ppoll(polled.as_mut_ptr().cast(), polled.len() as libc::nfds_t, time, before.as_ptr())
        };
        let errno = *crate::error::errno_place();
        libc::sigprocmask(libc::SIG_SETMASK, before.as_ptr(), core::ptr::null_mut());
        *crate::error::errno_place() = errno;
        count
    };
    if count < 0 { Err(crate::error::last_error()) } else { Ok(()) }
}

/// Where a wait cannot begin and let signals in at once.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn poll_noticing(polled: &mut [PollFd<'_>], milliseconds: Option<u32>) -> Result<(), Errno> {
    let time = milliseconds.map(crate::io::timespec);
    rustix::event::poll(polled, time.as_ref()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::{AsFd, FromRawFd};

    /// What handlers do is seen by every thread.
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// A pseudo-terminal: the side of the user, and that of the program.
    fn pseudo_terminal() -> (OwnedFd, OwnedFd) {
        let (mut user, mut program) = (0, 0);
        let none = core::ptr::null_mut();
        let mut size = libc::winsize { ws_row: 7, ws_col: 33, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the places outlive the call; null stands for what is not asked for.
        let outcome = unsafe {
            libc::openpty(&raw mut user, &raw mut program, none, none.cast(), (&raw mut size).cast())
        };
        assert_eq!(outcome, 0);
        // SAFETY: the call made both, for us alone.
        unsafe { (OwnedFd::from_raw_fd(user), OwnedFd::from_raw_fd(program)) }
    }

    #[test]
    fn a_terminal_is_taken_and_given_back() {
        let _alone = ALONE.lock();
        let (user, program) = pseudo_terminal();
        assert_eq!(window_size(program.as_fd()), Some((33, 7)));
        let before = attributes(program.as_fd()).unwrap();
        assert_ne!(before.c_lflag & libc::ECHO, 0);
        for mode in [Mode::Keys, Mode::Silent] {
            let guard = Guard::take(program.as_fd(), mode, b"<", b">").unwrap();
            let taken = attributes(program.as_fd()).unwrap();
            assert_eq!(taken.c_lflag & libc::ECHO, 0);
            assert_eq!(taken.c_lflag & libc::ICANON != 0, mode == Mode::Silent);
            assert_eq!(Guard::take(program.as_fd(), mode, b"", b"").err(), Some(Errno::BUSY));
            // SAFETY: the signal is taken, and only noticed.
            unsafe { libc::raise(libc::SIGWINCH) };
            assert!(take_resized() && !take_resized());
            drop(guard);
        }
        let after = attributes(program.as_fd()).unwrap();
        assert_eq!((after.c_lflag, after.c_iflag), (before.c_lflag, before.c_iflag));
        // The kernel hands over what was written piece by piece.
        let mut told = Vec::new();
        while told.len() < 4 {
            let mut piece = [0; 8];
            let crate::io::Io::Done(count) = crate::io::read(user.as_fd(), &mut piece) else {
                panic!("{told:?}")
            };
            assert_ne!(count, 0);
            told.extend_from_slice(&piece[..count]);
        }
        assert_eq!(told, b"<><>");
        let file = crate::open_root(std::env::temp_dir()).unwrap();
        assert_eq!(Guard::take(file.as_fd(), Mode::Keys, b"", b"").err(), Some(Errno::NOTTY));
        assert_eq!(window_size(file.as_fd()), None);
    }

    #[test]
    fn two_are_waited_for() {
        let _alone = ALONE.lock();
        NOTICED.store(false, Ordering::SeqCst);
        let (one, other) = crate::pair().unwrap();
        let (two, another) = crate::pair().unwrap();
        let wait = |both: bool| wait_readable(one.as_fd(), both.then_some(two.as_fd()), Some(0)).unwrap();
        assert_eq!(wait(true), (false, false));
        crate::send(another.as_fd(), b"x");
        assert_eq!((wait(true), wait(false)), ((false, true), (false, false)));
        drop(other);
        assert_eq!((wait(true), wait(false)), ((true, true), (true, false)));
        // What was noticed before the wait began ends it, in place of what is there to be read.
        let wait_for_ever = || wait_readable(two.as_fd(), None, None).unwrap();
        let mut byte = [0];
        assert_eq!(crate::io::read(two.as_fd(), &mut byte), crate::io::Io::Done(1));
        NOTICED.store(true, Ordering::SeqCst);
        if cfg!(any(target_os = "linux", target_os = "freebsd")) {
            assert_eq!(wait_for_ever(), (false, false));
        }
    }
}
