//! What the system says of a failure: its number, and its words for that.

use alloc::string::String;

use rustix::io::Errno;

/// The error of the C library's call that has just failed.
pub(crate) fn last_error() -> Errno {
    // SAFETY: the place is good as long as the thread.
    Errno::from_raw_os_error(unsafe { *errno_place() })
}

/// Where this thread's `errno` lies: good for as long as the thread lives. The handler of a signal leaves there what it
/// found, which may be no error at all.
pub(crate) fn errno_place() -> *mut libc::c_int {
    #[cfg(any(target_os = "illumos", target_os = "solaris"))]
    use libc::___errno as place;
    #[cfg(any(target_os = "netbsd", target_os = "openbsd", target_os = "android"))]
    use libc::__errno as place;
    #[cfg(any(
        target_os = "linux",
        target_os = "dragonfly",
        target_os = "emscripten",
        target_os = "hurd"
    ))]
    use libc::__errno_location as place;
    #[cfg(any(target_os = "freebsd", target_vendor = "apple"))]
    use libc::__error as place;
    // SAFETY: the function has no preconditions.
    unsafe { place() }
}

/// The system's words for an error: `No such file or directory`.
#[must_use]
pub fn describe(error: Errno) -> String {
    let mut text = [0_u8; 128];
    // The last byte stays zero, whatever the call does.
    let room = text.len() - 1;
    // SAFETY: the buffer outlives the call and has as many bytes as are told. What the call gives back says only
    // whether it knew the error; it writes words in either case.
    let _known = unsafe { libc::strerror_r(error.raw_os_error(), text.as_mut_ptr().cast(), room) };
    let words = text.split(|&byte| byte == 0).next().unwrap_or(&[]);
    String::from_utf8_lossy(words).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_words() {
        for error in [Errno::NOENT, Errno::ACCESS, Errno::ADDRINUSE, Errno::MFILE] {
            let wanted = std::io::Error::from(error).to_string();
            assert_eq!(wanted.split(" (os error").next(), Some(describe(error).as_str()));
        }
        assert!(!describe(Errno::from_raw_os_error(4000)).is_empty());
    }

    #[test]
    fn the_last_error_is_that_of_the_last_call() {
        // SAFETY: the call takes a number.
        assert_eq!(unsafe { libc::close(-1) }, -1);
        assert_eq!(last_error(), Errno::BADF);
    }
}
