//! Where a log goes, as it is written in settings.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// Where a log goes.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum LogTarget {
    /// Standard output: `-` or `stdout`.
    Output,
    /// A file: `file:PATH` or PATH.
    File(Vec<u8>),
    /// A log daemon at a Unix socket: `syslog:` for `/dev/log`, or `syslog:/PATH`.
    Unix(Vec<u8>),
    /// A log daemon elsewhere: `syslog:udp:ADDR:PORT`.
    Udp(SocketAddr),
}

impl LogTarget {
    /// Reads a target; none for an empty text or `off`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Option<LogTarget>, String> {
        let wrong = "expected a path, -, off, syslog:, syslog:/PATH or syslog:udp:ADDR:PORT";
        Ok(Some(match text {
            "" | "off" => return Ok(None),
            "-" | "stdout" => LogTarget::Output,
            text => match text.strip_prefix("syslog:") {
                Some("") => LogTarget::Unix(b"/dev/log".to_vec()),
                Some(path) if path.starts_with('/') => LogTarget::Unix(path.as_bytes().to_vec()),
                Some(rest) => match rest.strip_prefix("udp:").map(str::parse) {
                    Some(Ok(address)) => LogTarget::Udp(address),
                    Some(Err(_)) | None => return Err(wrong.to_owned()),
                },
                None => match text.strip_prefix("file:").unwrap_or(text) {
                    path if path.is_empty() || path.contains('\0') => return Err(wrong.to_owned()),
                    path => LogTarget::File(path.as_bytes().to_vec()),
                },
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let file = |path: &str| Some(LogTarget::File(path.as_bytes().to_vec()));
        let unix = |path: &str| Some(LogTarget::Unix(path.as_bytes().to_vec()));
        for (text, target) in [
            ("", None),
            ("off", None),
            ("-", Some(LogTarget::Output)),
            ("stdout", Some(LogTarget::Output)),
            ("/var/log/a", file("/var/log/a")),
            ("a.log", file("a.log")),
            ("file:a.log", file("a.log")),
            ("file:off", file("off")),
            ("syslog:", unix("/dev/log")),
            ("syslog:/run/log", unix("/run/log")),
            ("syslog:udp:127.0.0.1:514", Some(LogTarget::Udp("127.0.0.1:514".parse().unwrap()))),
            ("syslog:udp:[::1]:514", Some(LogTarget::Udp("[::1]:514".parse().unwrap()))),
        ] {
            assert_eq!(LogTarget::parse(text), Ok(target), "{text}");
        }
        for text in ["file:", "syslog:x", "syslog:udp:", "syslog:udp:host:514", "syslog:udp:1.2.3.4", "a\0b"]
        {
            assert!(LogTarget::parse(text).is_err(), "{text}");
        }
    }
}
