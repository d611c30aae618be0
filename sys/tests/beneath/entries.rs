//! Acts on names, modes, times and open files beneath a root.

use super::*;

#[test]
fn names_are_acted_on_without_following() {
    for lookup in lookups() {
        let temporary = tree();
        let root = open_root(temporary.path("root")).unwrap();
        let root = root.as_fd();
        let inside = Symlinks::Inside;
        let link = |path: &[u8]| stat_link_beneath(lookup, root, path, inside).map(|found| found.kind);
        assert_eq!(link(b"escape"), Ok(FileKind::Symlink));
        assert_eq!(link(b"to_dir"), Ok(FileKind::Symlink));
        assert_eq!(link(b"to_dir/"), Ok(FileKind::Directory));
        assert_eq!(link(b"to_dir/up"), Ok(FileKind::Symlink));
        assert_eq!(link(b"file"), Ok(FileKind::File));
        assert_eq!(link(b"file/"), Err(Errno::NOTDIR));
        assert_eq!(link(b""), Ok(FileKind::Directory));
        assert_eq!(link(b".."), Err(Errno::XDEV));
        assert_eq!(link(b"a/../.."), Err(Errno::XDEV));
        assert_eq!(link(b"escape_dir/secret"), Err(Errno::XDEV));
        assert_eq!(
            stat_link_beneath(lookup, root, b"escape", Symlinks::Never).unwrap().kind,
            FileKind::Symlink
        );
        assert_eq!(
            stat_link_beneath(lookup, root, b"to_dir/up", Symlinks::Never).map(|found| found.kind),
            Err(Errno::LOOP)
        );

        let read = |path: &[u8]| read_link_beneath(lookup, root, path, inside);
        assert_eq!(read(b"escape"), Ok(b"../outside/secret".to_vec()));
        assert_eq!(read(b"to_dir/up"), Ok(b"../file".to_vec()));
        for (path, errno) in [
            (&b"file"[..], Errno::INVAL),
            (b"", Errno::INVAL),
            (b"to_dir/", Errno::INVAL),
            (b"..", Errno::XDEV),
            (b"missing", Errno::NOENT),
            (b"to_file/", Errno::NOTDIR),
            (b"escape_dir/x", Errno::XDEV),
        ] {
            assert_eq!(read(path), Err(errno));
        }

        let mkdir = |path: &[u8]| mkdir_beneath(lookup, root, path, 0o750, inside);
        assert_eq!(mkdir(b"made"), Ok(()));
        assert_eq!(mkdir(b"to_dir/made/"), Ok(()));
        assert!(temporary.path("root/a/made").is_dir());
        assert_eq!(mkdir(b"made"), Err(Errno::EXIST));
        assert_eq!(mkdir(b"dangling"), Err(Errno::EXIST));
        assert_eq!(mkdir(b"escape_dir/made"), Err(Errno::XDEV));
        assert_eq!(mkdir(b"../made"), Err(Errno::XDEV));
        assert_eq!(mkdir(b"/made"), Err(Errno::XDEV));
        assert_eq!(mkdir(b""), Err(Errno::EXIST));

        let rename = |from: &[u8], to: &[u8]| rename_beneath(lookup, root, from, to, inside);
        assert_eq!(rename(b"made", b"a/b/moved/"), Ok(()));
        assert_eq!(rename(b"file", b"file2/"), Err(Errno::NOTDIR));
        assert_eq!(rename(b"file/", b"file2"), Err(Errno::NOTDIR));
        assert_eq!(rename(b"file", b"to_dir/moved"), Ok(()));
        assert_eq!(rename(b"a/moved", b"file"), Ok(()));
        assert_eq!(rename(b"file", b"escape_dir/file"), Err(Errno::XDEV));
        assert_eq!(rename(b"absolute_dir/secret", b"stolen"), Err(Errno::XDEV));
        assert_eq!(rename(b"missing", b"x"), Err(Errno::NOENT));
        assert_eq!(rename(b"escape", b"escaped"), Ok(()));
        assert_eq!(link(b"escaped"), Ok(FileKind::Symlink));

        let unlink = |path: &[u8]| unlink_beneath(lookup, root, path, inside);
        let directory = unlink(b"a").unwrap_err();
        assert!(directory == Errno::ISDIR || directory == Errno::PERM);
        assert_eq!(unlink(b"to_dir/"), Err(Errno::NOTDIR));
        assert_eq!(unlink(b"escaped"), Ok(()));
        assert_eq!(unlink(b"absolute"), Ok(()));
        assert_eq!(unlink(b"escape_dir/secret"), Err(Errno::XDEV));
        assert_eq!(unlink(b"to_dir/file"), Ok(()));
        assert!(unlink(b"..").is_err() && unlink(b"").is_err());
        assert!(temporary.path("outside/secret").exists() && !temporary.path("root/a/file").exists());

        let rmdir = |path: &[u8]| rmdir_beneath(lookup, root, path, inside);
        assert_eq!(rmdir(b"to_dir/b/moved/"), Ok(()));
        assert_eq!(rmdir(b"to_dir"), Err(Errno::NOTDIR));
        assert_eq!(rmdir(b"to_dir/"), Err(Errno::NOTDIR));
        assert_eq!(rmdir(b"escape_dir/dir"), Err(Errno::XDEV));
        let full = rmdir(b"a").unwrap_err();
        assert!(full == Errno::NOTEMPTY || full == Errno::EXIST);
        assert!(rmdir(b"..").is_err() && rmdir(b"").is_err() && rmdir(b"a/made/.").is_err());
    }
}

#[test]
fn modes_and_times_are_set_beneath_only() {
    for lookup in lookups() {
        let temporary = tree();
        let root = open_root(temporary.path("root")).unwrap();
        let root = root.as_fd();
        let (never, inside) = (Symlinks::Never, Symlinks::Inside);
        let mode = |path: &[u8]| stat_beneath(lookup, root, path, inside).unwrap().mode;
        assert_eq!(chmod_beneath(lookup, root, b"file", 0o604, never), Ok(()));
        assert_eq!(mode(b"file"), 0o604);
        assert_eq!(chmod_beneath(lookup, root, b"to_file", 0o600, never), Err(Errno::LOOP));
        assert_eq!(mode(b"file"), 0o604);
        assert_eq!(chmod_beneath(lookup, root, b"to_file", 0o640, inside), Ok(()));
        assert_eq!(mode(b"file"), 0o640);
        assert_eq!(chmod_beneath(lookup, root, b"a/b", 0o1711, never), Ok(()));
        assert_eq!(mode(b"a/b"), 0o1711);
        assert_eq!(chmod_beneath(lookup, root, b"escape", 0o600, inside), Err(Errno::XDEV));
        assert_eq!(chmod_beneath(lookup, root, b"..", 0o600, inside), Err(Errno::XDEV));

        let times = |path: &[u8], seconds, nanoseconds, policy| {
            set_times_beneath(lookup, root, path, seconds, nanoseconds, policy)
        };
        let modified = |path: &[u8]| {
            let found = stat_beneath(lookup, root, path, inside).unwrap();
            (found.modified, found.modified_ns)
        };
        assert_eq!(times(b"file", 1_000_000_000, 999_999_999, never), Ok(()));
        assert_eq!(modified(b"file"), (1_000_000_000, 999_999_999));
        assert_eq!(times(b"file", -1, 0, never), Ok(()));
        assert_eq!(modified(b"file"), (-1, 0));
        // After 2038.
        assert_eq!(times(b"a", 5_000_000_000, 1, never), Ok(()));
        assert_eq!(modified(b"a"), (5_000_000_000, 1));
        assert_eq!(times(b"file", 0, 1_000_000_000, never), Err(Errno::INVAL));
        assert_eq!(times(b"to_file", 0, 0, never), Err(Errno::LOOP));
        assert_eq!(times(b"absolute", 0, 0, inside), Err(Errno::XDEV));
        let secret = fs::metadata(temporary.path("outside/secret")).unwrap();
        assert!(secret.mtime() > 1_000_000_000);
    }
}

#[test]
fn open_files_tell_and_change() {
    let temporary = tree();
    let root = open_root(temporary.path("root")).unwrap();
    let how = OpenHow::Append { mode: 0o600 };
    let fd = open_beneath(Lookup::Walk, root.as_fd(), b"file", how, Symlinks::Never).unwrap();
    truncate(fd.as_fd(), 5_000).unwrap();
    sync(fd.as_fd()).unwrap();
    let found = stat(fd.as_fd()).unwrap();
    let known = fs::metadata(temporary.path("root/file")).unwrap();
    assert_eq!((found.kind, found.size), (FileKind::File, 5_000));
    assert_eq!((found.inode, found.device, found.links), (known.ino(), known.dev(), known.nlink()));
    assert_eq!((found.mode, found.user, found.group), (known.mode() & 0o7777, known.uid(), known.gid()));
    assert_eq!((found.modified, i64::from(found.modified_ns)), (known.mtime(), known.mtime_nsec()));
    assert!(space(root.as_fd()).unwrap() > 0);
}
