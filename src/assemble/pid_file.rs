//! The file of the process's number, as the setting `pid_file` names it.

use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::string::String;

use gorgon_sys::{Claim, PidFile, privilege};

use super::{Failure, failure};
use crate::text::file_path;
use crate::text::join::joined;

/// Takes the name, while that can be done: before user, root directory or sandbox change. None for an empty path. The
/// number is written by [`PidFile::write`] once all is ready.
///
/// # Errors
/// Another process runs with it, something else is there, or the system's.
pub fn claim(path: &str) -> Result<Option<PidFile>, Box<Failure>> {
    if path.is_empty() {
        return Ok(None);
    }
    let refuse = |message: &str| {
        Box::new(Failure {
            message: joined(&["--gorgon.pid_file=", path, ": ", message]),
            usage: true,
            error: None,
        })
    };
    let bytes = path.as_bytes();
    let name = file_path::file_name(bytes).filter(|name| !matches!(*name, b"." | b".."));
    let name = name.filter(|_name| !path.ends_with('/')).and_then(|name| CString::new(name).ok());
    let Some(name) = name else { return Err(refuse("expected the path of a file")) };
    let system =
        |error| Box::new(Failure { usage: true, ..*failure(&joined(&["--gorgon.pid_file=", path]), error) });
    let directory = privilege::open_to_name(file_path::parent(bytes)).map_err(system)?;
    PidFile::claim(directory, name).map(Some).map_err(|claim| match claim {
        Claim::Held(number) if number.is_empty() => refuse("another process is starting with it"),
        Claim::Held(number) => {
            refuse(&joined(&["process ", &*String::from_utf8_lossy(&number), " runs with it"]))
        }
        Claim::Foreign => refuse("it is there, and is no file of a process's number"),
        Claim::System(error) => system(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str) -> String {
        match claim(path) {
            Err(failure) if failure.usage => failure.message,
            Ok(_) | Err(_) => panic!("{path} was not refused"),
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(claim("").is_ok_and(|file| file.is_none()));
        for path in ["/", "..", "/tmp/..", "/tmp/x/", "/tmp/a\0b"] {
            assert!(refused(path).ends_with("expected the path of a file"), "{path:?}");
        }
        assert!(refused("/no/such/x.pid").contains("No such file"));
        let place = std::env::temp_dir().join(format!("gorgon-claim-{}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        let path = place.join("x.pid");
        let path = path.to_str().unwrap();
        std::fs::write(path, "not a number").unwrap();
        assert!(refused(path).contains("no file of a process"));
        std::fs::remove_file(path).unwrap();
        let file = claim(path).unwrap().unwrap();
        assert!(refused(path).ends_with("another process is starting with it"));
        file.write().unwrap();
        let number = std::process::id().to_string();
        assert_eq!(refused(path), format!("--gorgon.pid_file={path}: process {number} runs with it"));
        drop(file);
        assert!(!std::path::Path::new(path).exists());
        std::fs::remove_dir(place).unwrap();
    }
}
