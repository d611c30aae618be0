//! Where paths lead under each policy, and what may be opened there.

use super::*;

#[test]
fn paths_lead_where_each_policy_says() {
    let temporary = tree();
    let root = open_root(temporary.path("root")).unwrap();
    let to = |name: &str| Ok(temporary.path(name));
    let file = to("root/file");
    let a = to("root/a");
    let deep = to("root/a/b/deep");
    let secret = to("outside/secret");
    let here = to("root");
    let no = |errno| Err(errno);
    let (noent, notdir, looped, xdev) =
        (no(Errno::NOENT), no(Errno::NOTDIR), no(Errno::LOOP), no(Errno::XDEV));
    let long = "n".repeat(256);
    let longest = "./".repeat(2047) + "a";
    let [almost_large, large] = ["a", "a/"].map(|end| "./".repeat(511) + end);
    let too_long = "./".repeat(2048);

    type Expected<'a> = &'a Result<PathBuf, Errno>;
    // path, then under Never, Inside, All
    let cases: Vec<(&str, [Expected<'_>; 3])> = vec![
        ("", [&here; 3]),
        (".", [&here; 3]),
        ("./", [&here; 3]),
        ("././/.", [&here; 3]),
        ("file", [&file; 3]),
        ("./file", [&file; 3]),
        (".//./file", [&file; 3]),
        ("a", [&a; 3]),
        ("a/", [&a; 3]),
        ("a//", [&a; 3]),
        ("a/.", [&a; 3]),
        ("a/b/..", [&a; 3]),
        ("a/b/../", [&a; 3]),
        ("a/..", [&here; 3]),
        ("a/b/deep", [&deep; 3]),
        ("a//b///deep", [&deep; 3]),
        ("a/../file", [&file; 3]),
        ("a/b/../../file", [&file; 3]),
        ("missing", [&noent; 3]),
        ("missing/", [&noent; 3]),
        ("missing/file", [&noent; 3]),
        ("missing/..", [&noent; 3]),
        ("a/missing", [&noent; 3]),
        ("file/", [&notdir; 3]),
        ("file//", [&notdir; 3]),
        ("file/x", [&notdir; 3]),
        ("file/.", [&notdir; 3]),
        ("file/..", [&notdir; 3]),
        ("a/file/x", [&notdir; 3]),
        ("..", [&xdev; 3]),
        ("../", [&xdev; 3]),
        ("../root", [&xdev; 3]),
        ("../outside/secret", [&xdev; 3]),
        ("a/../..", [&xdev; 3]),
        ("a/../../root/file", [&xdev; 3]),
        ("a/b/../../..", [&xdev; 3]),
        ("/", [&xdev; 3]),
        ("/file", [&xdev; 3]),
        ("//file", [&xdev; 3]),
        ("nul\0", [&Err(Errno::INVAL); 3]),
        ("to_file", [&looped, &file, &file]),
        ("to_file/", [&looped, &notdir, &notdir]),
        ("to_file/x", [&looped, &notdir, &notdir]),
        ("to_file_slash", [&looped, &notdir, &notdir]),
        ("to_deep", [&looped, &deep, &deep]),
        ("to_dir", [&looped, &a, &a]),
        ("to_dir/", [&looped, &a, &a]),
        ("to_dir/.", [&looped, &a, &a]),
        ("to_dir/..", [&looped, &here, &here]),
        ("to_dir_slash", [&looped, &a, &a]),
        ("to_dir_slash/b/deep", [&looped, &deep, &deep]),
        ("to_dir/b/deep", [&looped, &deep, &deep]),
        ("to_dir/b/../up", [&looped, &file, &file]),
        ("to_dots", [&looped, &here, &here]),
        ("to_dots/file", [&looped, &file, &file]),
        ("a/up", [&looped, &file, &file]),
        ("a/b/self", [&looped, &deep, &deep]),
        ("escape", [&looped, &xdev, &secret]),
        ("escape/", [&looped, &xdev, &notdir]),
        ("escape_dir/secret", [&looped, &xdev, &secret]),
        ("escape_dir/dir/../secret", [&looped, &xdev, &secret]),
        ("a/escape_deep", [&looped, &xdev, &secret]),
        ("to_dir/escape_deep", [&looped, &xdev, &secret]),
        ("back_in", [&looped, &xdev, &file]),
        ("absolute", [&looped, &xdev, &secret]),
        ("absolute_dir/secret", [&looped, &xdev, &secret]),
        ("absolute_inside", [&looped, &xdev, &file]),
        ("loop", [&looped; 3]),
        ("loop/x", [&looped; 3]),
        ("loop_up", [&looped; 3]),
        ("ping", [&looped; 3]),
        ("dangling", [&looped, &noent, &noent]),
        ("dangling/x", [&looped, &noent, &noent]),
        ("chain0", [&looped, &file, &file]),
        ("chain39", [&looped, &file, &file]),
        ("chain40", [&looped; 3]),
        ("chain41", [&looped; 3]),
        (&long, [&Err(Errno::NAMETOOLONG); 3]),
        (&almost_large, [&a; 3]),
        (&large, [&a; 3]),
        (&longest, [&a; 3]),
        (&too_long, [&Err(Errno::NAMETOOLONG); 3]),
    ];
    for (path, expected) in &cases {
        for (policy, expected) in POLICIES.into_iter().zip(expected) {
            let expected = expected.as_ref().map(|path| inode(path)).map_err(|&errno| errno);
            for lookup in lookups() {
                let told = format!("{path} {lookup:?} {policy:?}");
                let bytes = path.as_bytes();
                for how in [OpenHow::Read, OpenHow::Path] {
                    let opened = open_beneath(lookup, root.as_fd(), bytes, how, policy);
                    assert_eq!(outcome(opened), expected, "{told} {how:?}");
                }
                let described = stat_beneath(lookup, root.as_fd(), bytes, policy).map(|found| found.inode);
                assert_eq!(described, expected, "{told} stat");
            }
        }
    }
}

#[test]
fn detection_agrees_with_the_system() {
    let root = open_root(Path::new("/")).unwrap();
    let opened = open_beneath(Lookup::detect(), root.as_fd(), b"", OpenHow::Directory, Symlinks::Never);
    assert_eq!(outcome(opened), Ok(inode(Path::new("/"))));
}

#[test]
fn roots_are_directories() {
    let temporary = tree();
    assert_eq!(open_root(temporary.path("root/file")).unwrap_err(), Errno::NOTDIR);
    assert_eq!(open_root(temporary.path("missing")).unwrap_err(), Errno::NOENT);
    let file = fs::File::open(temporary.path("root/file")).unwrap();
    for lookup in lookups() {
        for path in [&b"x"[..], b"x/y", b"..", b"a/.."] {
            let opened = open_beneath(lookup, file.as_fd(), path, OpenHow::Read, Symlinks::Inside);
            assert_eq!(outcome(opened), Err(Errno::NOTDIR));
        }
    }
}

#[test]
fn only_directories_open_as_such() {
    let temporary = tree();
    let root = open_root(temporary.path("root")).unwrap();
    let a = Ok(inode(&temporary.path("root/a")));
    for lookup in lookups() {
        let open = |path: &[u8], policy| {
            outcome(open_beneath(lookup, root.as_fd(), path, OpenHow::Directory, policy))
        };
        assert_eq!(open(b"file", Symlinks::Never), Err(Errno::NOTDIR));
        assert_eq!(open(b"a", Symlinks::Never), a);
        assert_eq!(open(b"to_dir", Symlinks::Inside), a);
        assert_eq!(open(b"to_file", Symlinks::Inside), Err(Errno::NOTDIR));
        assert_eq!(open(b"to_dir", Symlinks::Never), Err(Errno::LOOP));
        assert_eq!(open(b"to_file", Symlinks::Never), Err(Errno::LOOP));
    }
}

#[test]
fn files_are_made_beneath_only() {
    let plain = OpenHow::Create { mode: 0o640, exclusive: false };
    let exclusive = OpenHow::Create { mode: 0o640, exclusive: true };
    let append = OpenHow::Append { mode: 0o640 };
    // path, how, policy, expected error
    let cases: &[(&str, OpenHow, Symlinks, Option<Errno>)] = &[
        ("new", plain, Symlinks::Never, None),
        ("new", exclusive, Symlinks::Never, None),
        ("new", append, Symlinks::Never, None),
        ("a/b/new", plain, Symlinks::Never, None),
        ("to_dir/new", plain, Symlinks::Inside, None),
        ("to_dir/new", plain, Symlinks::Never, Some(Errno::LOOP)),
        ("new/", plain, Symlinks::Never, Some(Errno::ISDIR)),
        ("new/", exclusive, Symlinks::Inside, Some(Errno::ISDIR)),
        ("to_new/", plain, Symlinks::Inside, Some(Errno::ISDIR)),
        ("file/", plain, Symlinks::Inside, Some(Errno::ISDIR)),
        ("a", plain, Symlinks::Inside, Some(Errno::ISDIR)),
        ("", plain, Symlinks::Inside, Some(Errno::ISDIR)),
        ("a/..", append, Symlinks::Inside, Some(Errno::ISDIR)),
        ("a/.", exclusive, Symlinks::Inside, Some(Errno::EXIST)),
        ("../new", plain, Symlinks::Inside, Some(Errno::XDEV)),
        ("missing/new", plain, Symlinks::Inside, Some(Errno::NOENT)),
        ("file/new", plain, Symlinks::Inside, Some(Errno::NOTDIR)),
        ("file", exclusive, Symlinks::Inside, Some(Errno::EXIST)),
        ("file", plain, Symlinks::Inside, None),
        ("file", append, Symlinks::Never, None),
        ("to_file", append, Symlinks::Never, Some(Errno::LOOP)),
        ("to_file", exclusive, Symlinks::Never, Some(Errno::EXIST)),
        ("to_file", plain, Symlinks::Inside, None),
        ("dangling", exclusive, Symlinks::All, Some(Errno::EXIST)),
        ("dangling", plain, Symlinks::Inside, None),
        ("to_new", plain, Symlinks::Inside, None),
        ("to_file_slash", plain, Symlinks::Inside, Some(Errno::ISDIR)),
        ("escape", plain, Symlinks::Inside, Some(Errno::XDEV)),
        ("escape", exclusive, Symlinks::Inside, Some(Errno::EXIST)),
        ("escape_dir/new", plain, Symlinks::Inside, Some(Errno::XDEV)),
        ("absolute_dir/new", plain, Symlinks::Inside, Some(Errno::XDEV)),
        ("absolute_dir/new", plain, Symlinks::All, None),
        ("absolute", append, Symlinks::All, None),
    ];
    for &(path, how, policy, expected) in cases {
        for lookup in lookups() {
            let temporary = tree();
            let root = open_root(temporary.path("root")).unwrap();
            let told = format!("{path} {how:?} {policy:?} {lookup:?}");
            let before =
                fs::metadata(temporary.path("root").join(path)).map(|found| found.len()).unwrap_or(0);
            let opened = open_beneath(lookup, root.as_fd(), path.as_bytes(), how, policy);
            assert_eq!(opened.as_ref().err().copied(), expected, "{told}");
            if let Ok(fd) = opened {
                std::io::Write::write_all(&mut fs::File::from(fd), b"more").unwrap();
                let kept = if matches!(how, OpenHow::Append { .. }) { before } else { 0 };
                assert_eq!(
                    fs::metadata(temporary.path("root").join(path)).unwrap().len(),
                    kept + 4,
                    "{told}"
                );
            }
            if policy != Symlinks::All {
                assert_eq!(fs::read(temporary.path("outside/secret")).unwrap(), b"outside/secret", "{told}");
                assert!(!temporary.path("outside/new").exists(), "{told}");
            }
        }
    }
}

#[test]
fn fifos_do_not_hang() {
    let temporary = tree();
    let fifo = temporary.path("root/fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let root = open_root(temporary.path("root")).unwrap();
    for lookup in lookups() {
        let open = |how| open_beneath(lookup, root.as_fd(), b"fifo", how, Symlinks::Never);
        let fd = open(OpenHow::Read).unwrap();
        assert_eq!(stat(fd.as_fd()).unwrap().kind, FileKind::Other);
        drop(fd);
        assert_eq!(open(OpenHow::Append { mode: 0 }).unwrap_err(), Errno::NXIO);
        assert_eq!(open(OpenHow::Directory).unwrap_err(), Errno::NOTDIR);
        let found = stat_beneath(lookup, root.as_fd(), b"fifo", Symlinks::Never).unwrap();
        assert_eq!((found.kind, found.inode), (FileKind::Other, inode(&fifo)));
    }
}

#[test]
fn permissions_hold() {
    let temporary = tree();
    let root = open_root(temporary.path("root")).unwrap();
    let mode = |name: &str, mode| {
        fs::set_permissions(temporary.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::write(temporary.path("root/a/hidden"), "").unwrap();
    fs::write(temporary.path("root/b_file"), "").unwrap();
    mode("root/a/hidden", 0);
    mode("root/a/b", 0o100);
    let superuser = fs::metadata(&temporary.0).unwrap().uid() == 0;
    for lookup in lookups() {
        let open =
            |path: &[u8], how| outcome(open_beneath(lookup, root.as_fd(), path, how, Symlinks::Inside));
        let refused = |inode: u64| if superuser { Ok(inode) } else { Err(Errno::ACCESS) };
        let hidden = inode(&temporary.path("root/a/hidden"));
        assert_eq!(open(b"a/hidden", OpenHow::Read), refused(hidden), "{lookup:?}");
        assert_eq!(open(b"a/hidden", OpenHow::Path), Ok(hidden), "{lookup:?}");
        let found = stat_beneath(lookup, root.as_fd(), b"a/hidden", Symlinks::Never).unwrap();
        assert_eq!((found.inode, found.mode), (hidden, 0));
        // Searchable but not listable.
        let deep = inode(&temporary.path("root/a/b/deep"));
        assert_eq!(open(b"a/b/deep", OpenHow::Read), Ok(deep), "{lookup:?}");
        assert_eq!(open(b"a/b/../b/deep", OpenHow::Read), Ok(deep), "{lookup:?}");
        assert_eq!(open(b"a/b", OpenHow::Directory), refused(inode(&temporary.path("root/a/b"))));

        // Not even searchable.
        mode("root/a/b", 0o400);
        let a = inode(&temporary.path("root/a"));
        for (path, inode) in [(&b"a/b/deep"[..], deep), (b"a/b/..", a), (b"a/b/../../a", a)] {
            assert_eq!(open(path, OpenHow::Read), refused(inode), "{lookup:?}");
        }
        let created = OpenHow::Create { mode: 0o600, exclusive: false };
        let expected = if superuser { Errno::ISDIR } else { Errno::ACCESS };
        assert_eq!(open(b"a/b/new/", created), Err(expected), "{lookup:?}");
        mode("root/a/b", 0o100);

        // The owner of what may not be read may change it all the same.
        chmod_beneath(lookup, root.as_fd(), b"a/hidden", 0o200, Symlinks::Never).unwrap();
        set_times_beneath(lookup, root.as_fd(), b"a/hidden", 77, 5, Symlinks::Never).unwrap();
        let found = stat_beneath(lookup, root.as_fd(), b"a/hidden", Symlinks::Never).unwrap();
        assert_eq!((found.mode, found.modified, found.modified_ns), (0o200, 77, 5));
        mode("root/a/hidden", 0);
    }
    mode("root/a/b", 0o700);
}

#[test]
fn names_are_any_bytes() {
    let temporary = tree();
    let root = open_root(temporary.path("root")).unwrap();
    let longest = vec![b'n'; 255];
    let names: [&[u8]; 7] = [b"\xff", b"new\nline", b" spaces ", b"...", b"..a", b"-\x01\x7f%00", &longest];
    for name in names {
        // Some filesystems hold names to UTF-8.
        if fs::write(temporary.path("root").join(std::ffi::OsStr::from_bytes(name)), name).is_err() {
            assert_eq!(name, b"\xff");
            continue;
        }
        for lookup in lookups() {
            for path in [name.to_vec(), [b"a/../", name].concat()] {
                let fd = open_beneath(lookup, root.as_fd(), &path, OpenHow::Read, Symlinks::Never).unwrap();
                assert_eq!(stat(fd.as_fd()).unwrap().size, name.len() as u64);
            }
        }
    }
    let too_long = vec![b'n'; 256];
    for lookup in lookups() {
        for path in [too_long.clone(), [&too_long[..], b"/x"].concat(), [b"a/", &too_long[..]].concat()] {
            let opened = open_beneath(lookup, root.as_fd(), &path, OpenHow::Read, Symlinks::Never);
            assert_eq!(opened.unwrap_err(), Errno::NAMETOOLONG);
        }
    }
}

#[test]
fn deep_paths_come_back_up() {
    let temporary = tree();
    let root = open_root(temporary.path("root")).unwrap();
    let depth = 200;
    let mut path = Vec::new();
    for _ in 0..depth {
        path.extend_from_slice(b"d/");
        mkdir_beneath(Lookup::Walk, root.as_fd(), &path, 0o755, Symlinks::Never).unwrap();
    }
    let file = inode(&temporary.path("root/file"));
    for back in 1..=depth {
        let mut path = path.clone();
        path.extend(b"../".repeat(back));
        let found = lookups().map(|lookup| {
            outcome(open_beneath(lookup, root.as_fd(), &path, OpenHow::Path, Symlinks::Inside))
        });
        assert!(found[0].is_ok());
        assert_eq!(found[0], found[1], "{back}");
    }
    path.extend(b"../".repeat(depth));
    path.extend_from_slice(b"file");
    for lookup in lookups() {
        for policy in POLICIES {
            assert_eq!(outcome(open_beneath(lookup, root.as_fd(), &path, OpenHow::Read, policy)), Ok(file));
        }
    }
}

/// The links of `/proc` that name nothing are refused; those that are links like others are not.
#[cfg(target_os = "linux")]
#[test]
fn magic_links_are_refused() {
    let root = open_root(Path::new("/proc")).unwrap();
    for lookup in lookups() {
        for policy in [Symlinks::Inside, Symlinks::All] {
            let open = |path: &[u8]| outcome(open_beneath(lookup, root.as_fd(), path, OpenHow::Path, policy));
            for path in [&b"self/root"[..], b"self/cwd/x", b"self/exe", b"self/ns/net", b"self/fd/0"] {
                assert_eq!(open(path), Err(Errno::LOOP), "{lookup:?} {policy:?}");
            }
            assert!(open(b"self/stat").is_ok() && open(b"mounts").is_ok());
        }
    }
}
