//! Drafts of the filesystem in memory.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gorgon_sys::{Errno, FileStat, OwnedFd, temporary_file};

use super::{Node, SPACE, Tree, What, error_of, front_of};
use crate::fs::draft::{Draft, draft_name, may_replace, write_all};
use crate::fs::filesystem::FsError;
use crate::fs::path::VPath;

/// A draft, in a directory that was there when it was made.
pub(super) struct MemoryDraft {
    tree: Arc<Mutex<Tree>>,
    directory: Vec<u8>,
    name: Vec<u8>,
    /// What is written to, and the key of its node for now: empty once it has another one.
    file: Option<OwnedFd>,
    draft: Vec<u8>,
}

impl MemoryDraft {
    pub(super) fn new(tree: &Arc<Mutex<Tree>>, area: VPath<'_>, path: VPath<'_>) -> Result<Self, FsError> {
        if path.is_directory_form() {
            return Err(FsError::IsDirectory);
        }
        let locked = tree.lock().unwrap_or_else(PoisonError::into_inner);
        let within = locked.find(area, true)?;
        locked.want_directory(&within)?;
        let directory = locked.find_beneath(&within, path.parent())?;
        drop(locked);
        let name = path.name().to_vec();
        Ok(MemoryDraft { tree: Arc::clone(tree), directory, name, file: None, draft: Vec::new() })
    }

    fn key(&self, name: &[u8]) -> Vec<u8> {
        [&front_of(&self.directory), name].concat()
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft for MemoryDraft {
    fn target(&self) -> Result<Option<FileStat>, FsError> {
        let tree = self.tree();
        tree.nodes.get(&self.key(&self.name)).map(Node::stat).transpose()
    }

    fn space(&self) -> Result<u64, FsError> {
        Ok(SPACE)
    }

    fn begin(&mut self) -> Result<(), FsError> {
        if self.file.is_none() {
            let key = self.key(&draft_name(&self.name)?);
            let file = File::from(temporary_file()?);
            let written = file.try_clone().map_err(|error| error_of(&error))?;
            let mut tree = self.tree();
            tree.want_directory(&self.directory)?;
            tree.add(key.clone(), 0o644, What::File(file));
            drop(tree);
            (self.file, self.draft) = (Some(written.into()), key);
        }
        Ok(())
    }

    fn write(&mut self, data: &[u8]) -> Result<(), FsError> {
        write_all(self.file.as_ref().ok_or(FsError::NotFound)?, data)
    }

    fn commit(mut self: Box<Self>, replace: bool) -> Result<(FileStat, bool), FsError> {
        let target = self.target()?;
        if !replace && target.is_some() {
            return Err(FsError::Exists);
        }
        target.map_or(Ok(()), |stat| may_replace(stat.kind))?;
        let mut tree = self.tree();
        let node = tree.nodes.remove(&self.draft).ok_or(FsError::Other(Errno::NOENT))?;
        let stat = node.stat();
        tree.nodes.insert(self.key(&self.name), node);
        drop(tree);
        self.draft.clear();
        Ok((stat?, target.is_some()))
    }
}

impl Drop for MemoryDraft {
    fn drop(&mut self) {
        if !self.draft.is_empty() {
            let draft = std::mem::take(&mut self.draft);
            self.tree().nodes.remove(&draft);
        }
    }
}
