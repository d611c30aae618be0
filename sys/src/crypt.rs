//! crypt(3) of the system's own library, which is found when it is wanted and not before: a program that checks no
//! password does not load it.

use core::ffi::{CStr, c_char, c_void};

/// The function: a password and what to hash it with, a whole hash or the front of one. Null or a text that begins with
/// `*` is a failure.
type Function = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char;

/// The system's crypt(3).
pub struct Crypt(Function);

/// Libraries that have it, the newest first; the C library itself has it on some systems.
const LIBRARIES: [&CStr; 4] = [c"libcrypt.so.2", c"libcrypt.so.1", c"libcrypt.so.5", c"libcrypt.so"];

impl Crypt {
    /// Finds it.
    pub fn load() -> Option<Crypt> {
        // The C library's own comes last: it may know DES only (macOS).
        let handles = LIBRARIES.into_iter().map(|name| {
            // SAFETY: the name is a C string. What runs on loading is the system's own library.
            unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }
        });
        handles.filter(|handle| !handle.is_null()).chain([libc::RTLD_DEFAULT]).find_map(function)
    }

    /// Whether `hash` is the hash of `password`; nothing when it cannot tell, for it does not know the scheme, or one of
    /// them is not to its liking.
    pub fn check(&self, password: &CStr, hash: &CStr) -> Option<bool> {
        // SAFETY: both are C strings. The result is one that is good until the next call, of which there is none before
        // it was read: this value is not shared among threads.
        let made = unsafe {
            let made = self.0(password.as_ptr(), hash.as_ptr());
            if made.is_null() {
                return None;
            }
            CStr::from_ptr(made)
        };
        let (made, hash) = (made.to_bytes(), hash.to_bytes());
        (!made.starts_with(b"*")).then(|| {
            let difference = made.iter().zip(hash).fold(0, |found, (one, two)| found | (one ^ two));
            made.len() == hash.len() && core::hint::black_box(difference) == 0
        })
    }
}

/// The function in a library.
fn function(library: *mut c_void) -> Option<Crypt> {
    // SAFETY: the handle is one of dlopen's, or stands for all that is loaded; the name is a C string.
    let found = unsafe { libc::dlsym(library, c"crypt".as_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: crypt has this type wherever POSIX is followed; a function's address fits a function pointer.
    Some(Crypt(unsafe { core::mem::transmute::<*mut c_void, Function>(found) }))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_systems_own_hashes_are_checked() {
        // Where the library is not installed there is nothing to test.
        let Some(crypt) = Crypt::load() else { return };
        let hash = c"$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/";
        assert_eq!(crypt.check(c"password", hash), Some(true));
        assert_eq!(crypt.check(c"passwore", hash), Some(false));
        assert_eq!(crypt.check(c"", hash), Some(false));
        assert_eq!(crypt.check(c"password", c"$none$x"), None);
    }
}
