//! What the program's services share.

use crate::fs::Filesystem;
#[cfg(feature = "http")]
use crate::http::logins::Logins;

/// The world: one, handed to every call of a service.
#[derive(Default)]
pub struct World {
    filesystems: Vec<Box<dyn Filesystem>>,
    #[cfg(feature = "http")]
    directories: crate::http::handlers::listing::Directories,
    #[cfg(feature = "http")]
    logins: Logins,
}

impl World {
    /// Adds a filesystem; gives the number that handlers know it by.
    pub fn add_filesystem(&mut self, filesystem: Box<dyn Filesystem>) -> usize {
        self.filesystems.push(filesystem);
        self.filesystems.len() - 1
    }

    /// All of them, in the order they were added.
    pub fn filesystems(&self) -> impl Iterator<Item = &dyn Filesystem> {
        self.filesystems.iter().map(Box::as_ref)
    }
}

#[cfg(feature = "http")]
impl crate::http::handlers::files::Filesystems for World {
    fn filesystem(&self, number: usize) -> Option<&dyn Filesystem> {
        self.filesystems.get(number).map(Box::as_ref)
    }

    fn listed(
        &mut self,
        number: usize,
    ) -> Option<(&dyn Filesystem, &mut crate::http::handlers::listing::Directories)> {
        Some((self.filesystems.get(number)?.as_ref(), &mut self.directories))
    }
}

#[cfg(feature = "http")]
impl World {
    /// Takes the table of logins, whose key is made at start.
    pub fn set_logins(&mut self, logins: Logins) {
        self.logins = logins;
    }
}

#[cfg(feature = "http")]
impl crate::http::logins::HasLogins for World {
    fn logins(&mut self) -> &mut Logins {
        &mut self.logins
    }
}
