//! The file of keys of a monitor: looked at before each login, and read again when it is another one.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{AsFd, Errno, FileKind, FileStat, describe, open_file, read_open, stat, stat_path};

use super::super::keys::{FILE_MAX, Keys, Problem};
use crate::text::join::push_all;
use crate::text::number::push_decimal_str;

/// What tells one state of a file from another: where it is, how long, and when it changed.
type Stamp = [u64; 7];

/// Why a file gives no keys.
enum Wrong {
    System(Errno),
    Text(Problem),
}

impl From<Errno> for Wrong {
    fn from(error: Errno) -> Wrong {
        Wrong::System(error)
    }
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Wrong {
        Wrong::Text(problem)
    }
}

/// Keys, and where they come from.
#[derive(Default)]
pub struct KeyFile {
    /// Empty for keys that are in no file.
    path: String,
    keys: Keys,
    /// What was read last, or could not be; all 0 where nothing was.
    stamp: Stamp,
    /// The users that a file may belong to, beside root.
    owners: Vec<u32>,
}

impl KeyFile {
    /// Reads a file. It has to belong to root or to one of some users: whom the program runs as, now and later.
    ///
    /// # Errors
    /// In one line: the file cannot be read, others can read it, or a line of it is wrong.
    pub fn open(path: &str, owners: &[u32]) -> Result<KeyFile, String> {
        let (path, owners) = (path.to_owned(), owners.to_vec());
        let mut file = KeyFile { path, keys: Keys::default(), stamp: Stamp::default(), owners };
        file.read("")?;
        Ok(file)
    }

    /// Keys that are in no file: of a password that was asked for.
    #[must_use]
    pub fn in_memory(keys: Keys) -> KeyFile {
        KeyFile { keys, ..KeyFile::default() }
    }

    /// The keys as they were read last.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Reads the file again if it is another one, and says whether it was. One that is gone holds no keys; one that is
    /// wrong changes nothing.
    ///
    /// # Errors
    /// In one line, what is wrong with it; once for each time that it changes.
    pub fn refresh(&mut self) -> Result<bool, String> {
        if self.path.is_empty() {
            return Ok(false);
        }
        match stat_path(&*self.path) {
            Ok(found) if self.is_new(&stamp(&found)) => {
                self.read("; the keys stay as they were")?;
                return Ok(true);
            }
            Err(Errno::NOENT) => {
                self.keys = Keys::default();
                if self.is_new(&Stamp::default()) {
                    return Err(self.line(0, "it is gone, so nobody can log in", ""));
                }
            }
            // Nothing new; or whom the program runs as may not look at it, and what was read at start still counts.
            Ok(_) | Err(_) => {}
        }
        Ok(false)
    }

    /// Remembers a state; whether it is another one than before.
    #[inline(never)]
    fn is_new(&mut self, stamp: &Stamp) -> bool {
        let new = self.stamp != *stamp;
        self.stamp = *stamp;
        new
    }

    /// Reads the file. Where it is wrong, it is also told what that means.
    #[inline(never)]
    fn read(&mut self, meaning: &str) -> Result<(), String> {
        self.try_read().map_err(|wrong| match wrong {
            Wrong::System(error) => self.line(0, &describe(error), meaning),
            Wrong::Text(Problem { line, expected }) => self.line(line, expected, meaning),
        })
    }

    fn try_read(&mut self) -> Result<(), Wrong> {
        let file = open_file(&*self.path)?;
        let found = stat(file.as_fd());
        // By reference: it would be copied otherwise.
        let found = found.as_ref().map_err(|error| *error)?;
        self.check(found)?;
        self.keys = Keys::parse(&read_open(&file, FILE_MAX + 1)?)?;
        self.is_new(&stamp(found));
        Ok(())
    }

    /// Whose the file is, and who may read it.
    fn check(&self, found: &FileStat) -> Result<(), Problem> {
        let expected = if found.kind != FileKind::File {
            "expected a file"
        } else if found.mode & 0o027 != 0 {
            "expected a file that nobody else can read, nor its group write to; chmod 600 makes it one"
        } else if found.user != 0 && !self.owners.contains(&found.user) {
            "expected a file of root's, or of the user that the program runs as"
        } else {
            return Ok(());
        };
        Err(Problem { line: 0, expected })
    }

    /// `FILE:LINE: what`, without the line if it is 0, and what that means.
    fn line(&self, number: u32, what: &str, meaning: &str) -> String {
        let mut text = self.path.clone();
        if number > 0 {
            text.push(':');
            push_decimal_str(number.into(), &mut text);
        }
        push_all(&mut text, &[": ", what, meaning]);
        text
    }
}

#[inline(never)]
fn stamp(found: &FileStat) -> Stamp {
    let (modified, changed) = (found.modified as u64, found.changed as u64);
    let parts = (found.modified_ns.into(), found.changed_ns.into());
    [found.device, found.inode, found.size, modified, parts.0, changed, parts.1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Place(std::path::PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let name = format!("gorgon-keys-{name}-{}", std::process::id());
            Place(std::env::temp_dir().join(name))
        }
        fn path(&self) -> &str {
            self.0.to_str().unwrap()
        }
        fn write(&self, text: &str, mode: u32) {
            // Another inode each time, as an editor or `gorgon passwd` has it.
            let draft = self.0.with_extension("draft");
            std::fs::write(&draft, text).unwrap();
            std::fs::set_permissions(&draft, PermissionsExt::from_mode(mode)).unwrap();
            std::fs::rename(&draft, &self.0).unwrap();
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _gone = std::fs::remove_file(&self.0);
        }
    }

    fn own() -> [u32; 1] {
        [gorgon_sys::privilege::identity().0]
    }

    fn passwords(file: &KeyFile) -> Vec<String> {
        file.keys().legacy().map(|(password, _)| String::from_utf8(password.to_vec()).unwrap()).collect()
    }

    #[test]
    fn only_a_private_file_is_read() {
        let place = Place::new("private");
        for (mode, good) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o644, false),
            (0o604, false),
            (0o660, false),
            (0o602, false),
        ] {
            place.write("legacy::one\n", mode);
            let opened = KeyFile::open(place.path(), &own());
            assert_eq!(opened.is_ok(), good, "{mode:o}");
            assert!(good || opened.err().unwrap().contains("chmod 600"));
        }
        place.write("\nwrong\n", 0o600);
        let message = KeyFile::open(place.path(), &own()).err().unwrap();
        assert!(message.starts_with(&[place.path(), ":2: expected USER"].concat()), "{message}");
        if own() == [0] {
            place.write("legacy::one\n", 0o600);
            std::os::unix::fs::chown(&place.0, Some(4711), None).unwrap();
            assert!(KeyFile::open(place.path(), &own()).err().unwrap().contains("root's"));
            assert!(KeyFile::open(place.path(), &[0, 4711]).is_ok());
        }
        assert!(KeyFile::open("/", &own()).err().unwrap().contains("expected a file"));
        assert!(KeyFile::open("/dev/null", &own()).err().unwrap().contains("expected a file"));
        assert!(KeyFile::open("/nowhere", &own()).is_err());
        place.write(&"#".repeat(FILE_MAX + 1), 0o600);
        assert!(KeyFile::open(place.path(), &own()).err().unwrap().contains("64 KiB"));
    }

    #[test]
    fn another_file_is_read_again() {
        let place = Place::new("again");
        place.write("legacy::one\n", 0o600);
        let mut file = KeyFile::open(place.path(), &own()).unwrap();
        file.refresh().unwrap();
        assert_eq!(passwords(&file), ["one"]);
        place.write("legacy::two\n", 0o600);
        file.refresh().unwrap();
        assert_eq!(passwords(&file), ["two"]);
        // What is wrong is told once.
        place.write("wrong\n", 0o600);
        assert!(file.refresh().unwrap_err().ends_with("; the keys stay as they were"));
        file.refresh().unwrap();
        assert_eq!(passwords(&file), ["two"]);
        place.write("legacy::three\n", 0o644);
        assert!(file.refresh().unwrap_err().contains("chmod 600"));
        assert_eq!(passwords(&file), ["two"]);
        std::fs::set_permissions(&place.0, PermissionsExt::from_mode(0o600)).unwrap();
        file.refresh().unwrap();
        assert_eq!(passwords(&file), ["three"]);
        std::fs::remove_file(&place.0).unwrap();
        assert!(file.refresh().unwrap_err().contains("gone"));
        file.refresh().unwrap();
        assert!(passwords(&file).is_empty());
        place.write("legacy::four\n", 0o600);
        file.refresh().unwrap();
        assert_eq!(passwords(&file), ["four"]);
        let keys = Keys::of_password("admin", crate::tree::Role::Admin, b"five", [0; 16], true);
        let mut file = KeyFile::in_memory(keys);
        file.refresh().unwrap();
        assert_eq!(passwords(&file), ["five"]);
    }
}
