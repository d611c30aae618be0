//! Random bytes of the kernel's.

use rustix::io::Errno;

/// Fills a buffer with bytes that nobody can guess.
///
/// # Errors
/// The system's; `ENOSYS` on Linux older than 3.17.
pub fn fill_random(buffer: &mut [u8]) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty()) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        // getentropy(2) gives at most 256 bytes at a time.
        for part in buffer.chunks_mut(256) {
            // SAFETY: the pointer and the length are those of a slice that we may write.
            if unsafe { libc::getentropy(part.as_mut_ptr().cast(), part.len()) } != 0 {
                return Err(crate::error::last_error());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_fillings_differ() {
        let (mut one, mut two) = ([0; 300], [0; 300]);
        super::fill_random(&mut one).unwrap();
        super::fill_random(&mut two).unwrap();
        assert_ne!(one, two);
    }
}
