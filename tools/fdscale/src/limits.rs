//! What limits descriptors on this host, which of the limits was met, and how each is raised.

use std::{fs, io};

use crate::machine;
use crate::record::{Limit, Stop};

/// Of the soft limit.
pub const SOFT: &str = "RLIMIT_NOFILE (soft)";
/// Of the hard limit.
pub const HARD: &str = "RLIMIT_NOFILE (hard)";
const OPEN: &str = "fs.nr_open";
const FILES: &str = "fs.file-max";
const WATCHES: &str = "fs.epoll.max_user_watches";
const PORTS: &str = "net.ipv4.ip_local_port_range";
const MEMORY: &str = "memory";
const PROCESSES: &str = "RLIMIT_NPROC";

/// What the kernel keeps for a pair of sockets and their watch, in bytes, rounded up: see the workload `memory`.
const PAIR_BYTES: u64 = 6 * 1024;
/// Memory that is left alone.
const SPARE_BYTES: u64 = 64 << 20;

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
}

/// How many local ports there are for one address and one peer.
fn ports() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
    let (first, last) = (numbers.next()?, numbers.next()?);
    Some(last.checked_sub(first)? + 1)
}

/// All limits that bear on descriptors. `soft` is what the soft limit was before the tool raised it.
pub fn all(soft: u64) -> Vec<Limit> {
    let limit = |name: &str, value: Option<u64>, raise: &str| Limit {
        name: name.to_owned(),
        value,
        raise: raise.to_owned(),
    };
    let (_, hard) = gorgon_sys::descriptors();
    let mut all = vec![
        limit(SOFT, Some(soft), "ulimit -Sn, up to the hard one; this tool and Gorgon do so themselves"),
        limit(
            HARD,
            Some(hard),
            "root: ulimit -Hn, LimitNOFILE= of the service, or /etc/security/limits.conf",
        ),
    ];
    if cfg!(any(target_os = "linux", target_os = "android")) {
        let read = |name: &str| number(&format!("/proc/sys/{}", name.replace('.', "/")));
        all.extend([
            limit(OPEN, read(OPEN), "sysctl fs.nr_open=N: the most that a hard limit can be"),
            limit(FILES, read(FILES), "sysctl fs.file-max=N: open files of all processes; root may have more"),
            limit(WATCHES, read(WATCHES), "sysctl fs.epoll.max_user_watches=N: for each user, in all of epoll"),
            limit(
                PORTS,
                ports(),
                "sysctl net.ipv4.ip_local_port_range=\"1024 65535\": outgoing connections of one address to one \
                 address and port; more source addresses have more",
            ),
        ]);
    }
    all.push(limit(
        MEMORY,
        machine::memory("MemAvailable"),
        "more memory: 4 to 6 KB in the kernel for a connection",
    ));
    all
}

/// Whether so many pairs of sockets fit in the memory that is free.
///
/// # Errors
/// The limit, with how many would fit.
pub fn memory_for(pairs: u64) -> Result<(), Stop> {
    let Some(free) = machine::memory("MemAvailable") else { return Ok(()) };
    let fit = free.saturating_sub(SPARE_BYTES) / PAIR_BYTES;
    if fit >= pairs {
        return Ok(());
    }
    let error = format!("{} MiB are free", free >> 20);
    Err(Stop { limit: MEMORY.to_owned(), reached: fit, wanted: pairs, error })
}

/// The limit that an error tells of; none, if it tells of none.
pub fn met(error: &io::Error, reached: u64, wanted: u64) -> Option<Stop> {
    let limit = match error.raw_os_error()? {
        libc::EMFILE => descriptors(),
        libc::ENFILE => FILES,
        libc::ENOSPC => WATCHES,
        libc::EADDRNOTAVAIL => PORTS,
        libc::ENOMEM | libc::ENOBUFS => MEMORY,
        // Of fork(2).
        libc::EAGAIN => PROCESSES,
        _ => return None,
    };
    Some(Stop { limit: limit.to_owned(), reached, wanted, error: error.to_string() })
}

/// Which of the limits of one process's descriptors it was.
fn descriptors() -> &'static str {
    let (soft, hard) = gorgon_sys::descriptors();
    if soft < hard {
        return SOFT;
    }
    match number("/proc/sys/fs/nr_open") {
        Some(most) if hard >= most => OPEN,
        _ => HARD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_their_limits() {
        for (error, name) in [
            (libc::ENFILE, FILES),
            (libc::ENOSPC, WATCHES),
            (libc::EADDRNOTAVAIL, PORTS),
            (libc::ENOMEM, MEMORY),
            (libc::EAGAIN, PROCESSES),
        ] {
            let stop = met(&io::Error::from_raw_os_error(error), 3, 5).unwrap();
            assert_eq!((stop.limit.as_str(), stop.reached, stop.wanted), (name, 3, 5));
            assert!(!stop.error.is_empty());
        }
        let stop = met(&io::Error::from_raw_os_error(libc::EMFILE), 3, 5).unwrap();
        assert!([SOFT, HARD, OPEN].contains(&stop.limit.as_str()));
        assert_eq!(met(&io::Error::from_raw_os_error(libc::EINVAL), 3, 5), None);
        assert_eq!(met(&io::Error::other("x"), 3, 5), None);
    }

    #[test]
    fn every_limit_says_how_it_is_raised() {
        assert!(all(7).iter().all(|limit| !limit.raise.is_empty()));
        assert_eq!(all(7)[0].value, Some(7));
        assert!(memory_for(1).is_ok());
        if machine::memory("MemAvailable").is_some() {
            assert_eq!(memory_for(1 << 40).unwrap_err().limit, MEMORY);
        }
    }
}
