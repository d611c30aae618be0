//! How the program starts and ends, and where its memory comes from: what the standard library does for others.
//!
//! [`program!`](crate::program) makes a function of type [`Run`] the program. The C library calls `main`, which
//! ignores `SIGPIPE`, opens those of the descriptors 0 to 2 that are closed, and calls that function.
//!
//! Where a panic ends the process (`panic = "abort"`, as in a release build) nothing of the standard library is linked:
//! this module also has the heap and what is done at a panic. Where a panic unwinds, which tests need, the standard
//! library has both.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{CStr, c_char, c_int};
use core::panic::PanicInfo;

/// A program: gets what it was started with, and gives its exit code.
pub type Run = fn(&Start) -> u8;

/// What the program was started with.
pub struct Start {
    /// The arguments, the program's name first, with a null pointer after them.
    arguments: *const *const c_char,
    /// The environment, with a null pointer after it.
    environment: *const *const c_char,
}

impl Start {
    /// The arguments that follow the program's name.
    pub fn arguments(&self) -> impl Iterator<Item = &'static [u8]> + use<> {
        texts(self.arguments).skip(1)
    }

    /// The variables of the environment: name and value. What has no `=` is none.
    pub fn variables(&self) -> impl Iterator<Item = (&'static [u8], &'static [u8])> + use<> {
        texts(self.environment).filter_map(|text| {
            // A name may begin with `=`, as the standard library has it.
            let at = text.iter().skip(1).position(|&byte| byte == b'=')?.saturating_add(1);
            let (name, value) = text.split_at_checked(at)?;
            Some((name, value.get(1..)?))
        })
    }

    /// The value of a variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&'static [u8]> {
        self.variables().find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| value)
    }
}

impl Start {
    /// Takes a variable out of the environment: what is started from here does not get it. Its value stays good for whoever
    /// has read it.
    pub fn forget(&self, name: &str) {
        let mut at = self.environment.cast_mut();
        if at.is_null() {
            return;
        }
        let mut kept = at;
        loop {
            // SAFETY: `begin` made the only `Start`; its list is the C library's, which may be changed, and ends with a null
            // pointer. This one is before that end or at it.
            let text = unsafe { *at };
            // SAFETY: each but the last is a C string.
            let other = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes());
            let named = other.and_then(|other| other.strip_prefix(name.as_bytes()));
            if named.is_none_or(|rest| rest.first() != Some(&b'=')) {
                // SAFETY: it is at or before the place that was read.
                unsafe { *kept = text };
                // SAFETY: so it is no further than one behind the end.
                kept = unsafe { kept.add(1) };
            }
            if text.is_null() {
                break;
            }
            // SAFETY: the end was not reached.
            at = unsafe { at.add(1) };
        }
    }
}

/// The C strings of a list of [`Start`].
fn texts(list: *const *const c_char) -> impl Iterator<Item = &'static [u8]> {
    let mut at = list;
    core::iter::from_fn(move || {
        if at.is_null() {
            return None;
        }
        // SAFETY: `begin` made the only `Start`, from lists that end with a null pointer; this one is before that end or
        // at it.
        let text = unsafe { *at };
        if text.is_null() {
            return None;
        }
        // SAFETY: the end was not reached.
        at = unsafe { at.add(1) };
        // SAFETY: each is a C string that stays as it is as long as the program runs: nobody here changes one. What
        // [`Start::forget`] does to the list leaves a null pointer at its old end, so an end is found in any case.
        Some(unsafe { CStr::from_ptr(text) }.to_bytes())
    })
}

/// Makes ready, runs, and gives the exit code. For [`program!`](crate::program) alone.
///
/// # Safety
/// Called once, by `main`, with what the C library gave to it.
#[doc(hidden)]
pub unsafe fn begin(arguments: *const *const c_char, environment: *const *const c_char, run: Run) -> c_int {
    open_streams();
    // SAFETY: to ignore a signal needs no handler. A peer or a reader that is gone is told by EPIPE instead.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    c_int::from(run(&Start { arguments, environment }))
}

/// Opens `/dev/null` for each standard stream that is closed: a socket or file that got such a number would have
/// messages written into it.
fn open_streams() {
    for stream in 0..=2 {
        // SAFETY: the call asks for the flags of a number.
        if unsafe { libc::fcntl(stream, libc::F_GETFD) } >= 0 {
            continue;
        }
        // SAFETY: the path is a C string. The lowest free number is this one, for those below it are open.
        if unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } < 0 {
            // SAFETY: it does not return.
            unsafe { libc::abort() };
        }
    }
}

/// The heap of the C library.
pub struct Heap;

/// What malloc aligns to, at the least, on every system here.
const ALIGNMENT: usize = size_of::<usize>() * 2;

// SAFETY: the calls below are those of the C library, which gives memory that is nobody else's, of the size that was
// asked for and aligned as `malloc` does or as asked for, and takes back what it gave whichever way. Nothing here panics.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGNMENT {
            // SAFETY: any size will do.
            return unsafe { libc::malloc(layout.size()) }.cast();
        }
        let mut place = core::ptr::null_mut();
        // SAFETY: the pointer outlives the call, and the alignment is a power of two that is a multiple of a pointer's.
        match unsafe { libc::posix_memalign(&raw mut place, layout.align(), layout.size()) } {
            0 => place.cast(),
            _ => core::ptr::null_mut(),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGNMENT {
            // SAFETY: any size will do.
            return unsafe { libc::calloc(layout.size(), 1) }.cast();
        }
        // SAFETY: as for the caller of this.
        let place = unsafe { self.alloc(layout) };
        if !place.is_null() {
            // SAFETY: it has that many bytes.
            unsafe { core::ptr::write_bytes(place, 0, layout.size()) };
        }
        place
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= ALIGNMENT {
            // SAFETY: the C library gave it.
            return unsafe { libc::realloc(old.cast(), size) }.cast();
        }
        // SAFETY: the caller's size fits this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as for the caller of this.
        let new = unsafe { self.alloc(wanted) };
        if !new.is_null() {
            // SAFETY: both have as many bytes as the smaller one, and are not the same.
            unsafe { core::ptr::copy_nonoverlapping(old, new, layout.size().min(size)) };
            // SAFETY: the caller gives it up.
            unsafe { self.dealloc(old, layout) };
        }
        new
    }

    unsafe fn dealloc(&self, place: *mut u8, _layout: Layout) {
        // SAFETY: the C library gave it.
        unsafe { libc::free(place.cast()) }
    }
}

/// Says where the program is wrong, and ends it. What is wrong stands in the source there; to say it would take the
/// machinery that puts values into texts, which then is all linked.
pub fn panicked(info: &PanicInfo<'_>) -> ! {
    crate::terminal::restore();
    let mut number = [0; 10];
    let (file, line) = info.location().map_or(("?", 0), |place| (place.file(), place.line()));
    for part in [b"gorgon: panicked at ", file.as_bytes(), b":", digits(line, &mut number), b"\n"] {
        // That nobody listens cannot be told to anybody.
        let _outcome = crate::io::write(crate::standard::standard_error(), part);
    }
    // SAFETY: it does not return.
    unsafe { libc::abort() }
}

/// A number in decimal digits.
pub(crate) fn digits(number: u32, room: &mut [u8; 10]) -> &[u8] {
    let mut rest = number;
    let mut start = room.len();
    for place in room.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    room.get(start..).unwrap_or_default()
}

/// Makes a function of type [`Run`](crate::runtime::Run) the program. Its crate is `no_std` and `no_main`.
#[macro_export]
macro_rules! program {
    ($run:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            _count: ::core::ffi::c_int,
            arguments: *const *const ::core::ffi::c_char,
            environment: *const *const ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            // SAFETY: the C library calls this, once, with these.
            unsafe { $crate::runtime::begin(arguments, environment, $run) }
        }

        $crate::foundation!();
    };
}

/// What the program stands on: the standard library where panics unwind, else this crate.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! foundation {
    () => {
        #[cfg(panic = "unwind")]
        extern crate std;

        #[cfg(not(panic = "unwind"))]
        #[global_allocator]
        static HEAP: $crate::runtime::Heap = $crate::runtime::Heap;

        #[cfg(not(panic = "unwind"))]
        #[panic_handler]
        fn panicked(info: &::core::panic::PanicInfo<'_>) -> ! {
            $crate::runtime::panicked(info)
        }

        /// What the libraries that come with the compiler were told to unwind by. Nothing unwinds, so nobody calls it.
        #[cfg(not(panic = "unwind"))]
        #[unsafe(no_mangle)]
        extern "C" fn rust_eh_personality() {}
    };
}

/// The standard library is there in any case, for rustix uses it.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! foundation {
    () => {
        extern crate std;
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_gives_what_it_was_given() {
        let list = |texts: &[&'static CStr]| -> Vec<*const c_char> {
            texts.iter().map(|text| text.as_ptr()).chain([core::ptr::null()]).collect()
        };
        let arguments = list(&[c"gorgon", c"-l", c"", c"a=b"]);
        let environment = list(&[c"A=1", c"B=", c"none", c"", c"=C=2", c"A=3", c"D=x=y"]);
        let start = Start { arguments: arguments.as_ptr(), environment: environment.as_ptr() };
        assert!(start.arguments().eq([b"-l".as_slice(), b"", b"a=b"]));
        let names = [b"A".as_slice(), b"B", b"=C", b"A", b"D"];
        assert!(start.variables().map(|(name, _)| name).eq(names));
        for (name, value) in
            [("A", Some("1")), ("B", Some("")), ("D", Some("x=y")), ("none", None), ("", None)]
        {
            assert_eq!(start.variable(name), value.map(str::as_bytes), "{name}");
        }
        let nothing = [core::ptr::null()];
        let start = Start { arguments: core::ptr::null(), environment: nothing.as_ptr() };
        assert_eq!((start.arguments().count(), start.variables().count()), (0, 0));
    }

    #[test]
    fn what_is_forgotten_is_not_handed_on() {
        let texts =
            [c"A=1", c"NOTIFY_SOCKET=/x", c"NOTIFY_SOCKETS=2", c"NOTIFY_SOCKET=y", c"B=", c"NOTIFY_SOCKET"];
        let mut list: Vec<*const c_char> =
            texts.iter().map(|text| text.as_ptr()).chain([core::ptr::null()]).collect();
        let start = Start { arguments: core::ptr::null(), environment: list.as_mut_ptr() };
        let value = start.variable("NOTIFY_SOCKET");
        start.forget("NOTIFY_SOCKET");
        start.forget("none");
        assert_eq!(value, Some(b"/x".as_slice()));
        assert_eq!(start.variable("NOTIFY_SOCKET"), None);
        let left: Vec<_> = start.variables().map(|(name, _)| name).collect();
        assert_eq!(left, [b"A".as_slice(), b"NOTIFY_SOCKETS", b"B"]);
        start.forget("A");
        start.forget("B");
        assert_eq!(start.variables().count(), 1);
        Start { arguments: core::ptr::null(), environment: core::ptr::null() }.forget("A");
    }

    #[test]
    fn the_heap_keeps_what_is_in_it() {
        for (size, align) in [(1, 1), (24, 8), (24, 16), (100, 64), (5000, 4096)] {
            let layout = Layout::from_size_align(size, align).unwrap();
            let larger = Layout::from_size_align(size * 3, align).unwrap();
            // SAFETY: each block is used within its size, and given back once, with its layout.
            unsafe {
                let block = Heap.alloc_zeroed(layout);
                assert!(!block.is_null() && block.addr() % align == 0);
                assert!(core::slice::from_raw_parts(block, size).iter().all(|&byte| byte == 0));
                block.write_bytes(7, size);
                let block = Heap.realloc(block, layout, size * 3);
                assert!(!block.is_null() && block.addr() % align == 0);
                assert!(core::slice::from_raw_parts(block, size).iter().all(|&byte| byte == 7));
                let block = Heap.realloc(block, larger, size);
                assert!(core::slice::from_raw_parts(block, size).iter().all(|&byte| byte == 7));
                Heap.dealloc(block, layout);
            }
        }
    }

    #[test]
    fn lines_have_digits() {
        for number in [0, 7, 10, 407, 4_294_967_295] {
            assert_eq!(digits(number, &mut [0; 10]), format!("{number}").as_bytes());
        }
    }
}
