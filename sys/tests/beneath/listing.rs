//! Directories listed in slices.

use super::*;

#[test]
fn directories_list_in_slices() {
    let temporary = Temporary::new();
    let names: Vec<String> = (0..1_000).map(|number| format!("entry{number:04}")).collect();
    for name in &names {
        fs::write(temporary.path(name), "").unwrap();
    }
    fs::create_dir(temporary.path("sub")).unwrap();
    symlink("sub", temporary.path("link")).unwrap();
    let mut directory = Directory::new(open_root(&temporary.0).unwrap()).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 1_024];
    for _ in 0..2 {
        let (mut listed, mut slices) = (Vec::new(), 0);
        let mut each = |name: &[u8], kind: Option<FileKind>, inode: u64| {
            listed.push((String::from_utf8(name.to_vec()).unwrap(), kind, inode));
        };
        while directory.next_slice(&mut buffer, &mut each).unwrap() {
            slices += 1;
        }
        assert!(slices >= 7);
        listed.sort_by(|one, other| one.0.cmp(&other.0));
        let mut expected = names.clone();
        expected.extend(["link".into(), "sub".into()]);
        assert_eq!(listed.iter().map(|entry| entry.0.clone()).collect::<Vec<_>>(), expected);
        for (name, kind, inode) in listed {
            let found = directory.stat(name.as_bytes()).unwrap();
            assert_eq!(inode, found.inode);
            assert!(kind.is_none_or(|kind| kind == found.kind));
        }
        // At the end it stays there until it is told to start again.
        assert!(!directory.next_slice(&mut buffer, &mut |_, _, _| unreachable!()).unwrap());
        directory.rewind().unwrap();
    }
    assert_eq!(directory.stat(b"link").unwrap().kind, FileKind::Symlink);
    for name in [&b""[..], b"..", b"sub/..", b"a\0"] {
        assert!(directory.stat(name).is_err_and(|errno| errno == Errno::INVAL));
    }
    #[cfg(target_os = "linux")]
    for size in [0, 7, 16] {
        let small = &mut buffer[..size];
        assert_eq!(directory.next_slice(small, &mut |_, _, _| {}), Err(Errno::INVAL));
    }
}

#[test]
fn a_removed_directory_lists_nothing() {
    let temporary = Temporary::new();
    fs::create_dir(temporary.path("gone")).unwrap();
    let mut directory = Directory::new(open_root(temporary.path("gone")).unwrap()).unwrap();
    fs::remove_dir(temporary.path("gone")).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 1_024];
    while directory.next_slice(&mut buffer, &mut |_, _, _| unreachable!()).unwrap() {}
}
