//! One set of tests over every filesystem that can be written to: what one answers, the other answers too.

use core::sync::atomic::{AtomicU32, Ordering};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use gorgon_sys::{Errno, FileKind, Lookup, Symlinks};
use quickcheck::quickcheck;

use super::{Filesystem, FsError, LocalFs, MemoryFs, Opened, VPath};

/// A directory that goes away with its value.
pub(super) struct Place(pub(super) PathBuf);

impl Place {
    pub(super) fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gorgon-fs-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.join("root")).unwrap();
        Place(path)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.0.join("root")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn v(path: &str) -> VPath<'_> {
    VPath::new(path.as_bytes()).unwrap()
}

const LOOKUPS: [Lookup; 2] = [Lookup::Openat2, Lookup::Walk];

/// Links and a socket as both filesystems have them at first.
const LINKS: [(&str, &str); 7] = [
    ("to_file", "dir/file"),
    ("to_dir", "dir"),
    ("out", "../outside"),
    ("absolute", "/etc"),
    ("loop", "loop"),
    ("dangling", "new"),
    ("round", "./dir/../to_dir/./file"),
];

fn memory() -> MemoryFs {
    let fs = MemoryFs::new();
    fs.make_dir(v("/dir"), 0o755).unwrap();
    fs.add_file(v("/dir/file"), b"content").unwrap();
    for (name, target) in LINKS {
        fs.add_link(v(&format!("/{name}")), target.as_bytes()).unwrap();
    }
    fs.add_other(v("/socket")).unwrap();
    fs
}

fn local(lookup: Lookup) -> (LocalFs, Place, UnixListener) {
    let place = Place::new();
    std::fs::write(place.0.join("outside"), "secret").unwrap();
    let fs = LocalFs::with_lookup(place.root(), Symlinks::Inside, lookup).unwrap();
    fs.make_dir(v("/dir"), 0o755).unwrap();
    write(&fs, "/dir/file", b"content").unwrap();
    for (name, target) in LINKS {
        symlink(target, place.root().join(name)).unwrap();
    }
    let socket = UnixListener::bind(place.root().join("socket")).unwrap();
    (fs, place, socket)
}

/// Over the one in memory, and over the local one with each way to look paths up.
fn over_both(test: fn(&dyn Filesystem)) {
    test(&memory());
    for lookup in LOOKUPS {
        let (fs, _place, _socket) = local(lookup);
        test(&fs);
    }
}

fn write(fs: &dyn Filesystem, path: &str, content: &[u8]) -> Result<(), FsError> {
    let fd = fs.create(v(path), 0o600, false)?;
    File::from(fd).write_all(content).unwrap();
    Ok(())
}

/// What opening comes to, in a form that can be compared.
fn read(fs: &dyn Filesystem, path: &str) -> Result<String, FsError> {
    Ok(match fs.open(v(path))? {
        Opened::File(fd, stat) => {
            assert_eq!(stat.kind, FileKind::File);
            let mut content = String::new();
            File::from(fd).read_to_string(&mut content).unwrap();
            assert_eq!(content.len() as u64, stat.size);
            content
        }
        Opened::Directory(stat) => {
            assert_eq!(stat.kind, FileKind::Directory);
            "(directory)".into()
        }
        Opened::Other(stat) => {
            assert_eq!(stat.kind, FileKind::Other);
            "(other)".into()
        }
    })
}

fn names(fs: &dyn Filesystem, path: &str) -> Result<Vec<String>, FsError> {
    let mut listing = fs.list(v(path))?;
    let mut found = Vec::new();
    loop {
        let more = listing.next_slice(&mut |name, kind| found.push((name.to_vec(), kind)))?;
        if !more {
            break;
        }
    }
    let mut names = Vec::new();
    for (name, kind) in found {
        let stat = listing.stat(&name).unwrap();
        assert!(kind.is_none_or(|kind| kind == stat.kind));
        names.push(format!("{}:{:?}", String::from_utf8(name).unwrap(), stat.kind));
    }
    names.sort();
    Ok(names)
}

#[test]
fn opening() {
    over_both(|fs| {
        for (path, expected) in [
            ("/", Ok("(directory)")),
            ("/dir", Ok("(directory)")),
            ("/dir/", Ok("(directory)")),
            ("/dir/file", Ok("content")),
            ("/dir/file/", Err(FsError::NotDirectory)),
            ("/dir/file/x", Err(FsError::NotDirectory)),
            ("/none", Err(FsError::NotFound)),
            ("/none/", Err(FsError::NotFound)),
            ("/none/x", Err(FsError::NotFound)),
            ("/to_file", Ok("content")),
            ("/to_file/", Err(FsError::NotDirectory)),
            ("/to_dir", Ok("(directory)")),
            ("/to_dir/file", Ok("content")),
            ("/round", Ok("content")),
            ("/out", Err(FsError::Escapes)),
            ("/absolute", Err(FsError::Escapes)),
            ("/absolute/passwd", Err(FsError::Escapes)),
            ("/loop", Err(FsError::Loop)),
            ("/dangling", Err(FsError::NotFound)),
            ("/socket", Ok("(other)")),
            ("/socket/", Err(FsError::NotDirectory)),
        ] {
            assert_eq!(read(fs, path), expected.map(String::from), "{path}");
            assert_eq!(fs.stat(v(path)).map(|_| ()), expected.map(|_| ()), "{path}");
            assert_eq!(fs.space(v(path)).map(|_| ()).err(), expected.err(), "{path}");
        }
    });
}

#[test]
fn listing() {
    over_both(|fs| {
        let all = [
            "absolute:Symlink",
            "dangling:Symlink",
            "dir:Directory",
            "loop:Symlink",
            "out:Symlink",
            "round:Symlink",
            "socket:Other",
            "to_dir:Symlink",
            "to_file:Symlink",
        ];
        assert_eq!(names(fs, "/").unwrap(), all);
        for path in ["/dir", "/dir/", "/to_dir", "/to_dir/"] {
            assert_eq!(names(fs, path).unwrap(), ["file:File"], "{path}");
        }
        for (path, error) in [
            ("/none", FsError::NotFound),
            ("/dir/file", FsError::NotDirectory),
            ("/dir/file/", FsError::NotDirectory),
            ("/socket", FsError::NotDirectory),
            ("/out", FsError::Escapes),
        ] {
            assert_eq!(names(fs, path), Err(error), "{path}");
        }
        let listing = fs.list(v("/dir")).unwrap();
        for name in ["", ".", "..", "../dir", "x", "file/", "./file", "/etc", "file\0"] {
            assert!(listing.stat(name.as_bytes()).is_err(), "{name}");
        }
        fs.make_dir(v("/many"), 0o755).unwrap();
        for number in 0..300 {
            write(fs, &format!("/many/{number:03}"), b"").unwrap();
        }
        let many: Vec<String> = (0..300).map(|number| format!("{number:03}:File")).collect();
        assert_eq!(names(fs, "/many").unwrap(), many);
    });
}

#[test]
fn links() {
    over_both(|fs| {
        for (name, target) in LINKS {
            assert_eq!(fs.read_link(v(&format!("/{name}"))).unwrap(), target.as_bytes());
        }
        assert_eq!(fs.read_link(v("/to_dir/file")), Err(FsError::Other(Errno::INVAL)));
        assert_eq!(fs.read_link(v("/")), Err(FsError::Other(Errno::INVAL)));
        assert_eq!(fs.read_link(v("/none")), Err(FsError::NotFound));
    });
}

#[test]
fn writing() {
    over_both(|fs| {
        write(fs, "/a", b"first and long").unwrap();
        write(fs, "/a", b"second").unwrap();
        assert_eq!(read(fs, "/a").unwrap(), "second");
        for more in ["+", "-"] {
            File::from(fs.append(v("/a"), 0o600).unwrap()).write_all(more.as_bytes()).unwrap();
        }
        assert_eq!(read(fs, "/a").unwrap(), "second+-");
        assert_eq!(fs.create(v("/a"), 0o600, true).map(|_| ()), Err(FsError::Exists));
        File::from(fs.append(v("/dir/b"), 0o640).unwrap()).write_all(b"b").unwrap();
        assert_eq!(fs.stat(v("/dir/b")).unwrap().mode, 0o640);
        assert_eq!(fs.stat(v("/dir/b")).unwrap().size, 1);
        // Through a link to what is not there yet.
        assert_eq!(fs.create(v("/dangling"), 0o600, true).map(|_| ()), Err(FsError::Exists));
        write(fs, "/dangling", b"new").unwrap();
        assert_eq!(read(fs, "/new").unwrap(), "new");
        for (path, error) in [
            ("/", FsError::IsDirectory),
            ("/dir", FsError::IsDirectory),
            ("/dir/", FsError::IsDirectory),
            ("/fresh/", FsError::IsDirectory),
            ("/none/x", FsError::NotFound),
            ("/a/x", FsError::NotDirectory),
            ("/out", FsError::Escapes),
            ("/absolute/x", FsError::Escapes),
            ("/loop", FsError::Loop),
            ("/socket", FsError::Other(Errno::NXIO)),
        ] {
            assert_eq!(write(fs, path, b"x"), Err(error), "{path}");
            assert_eq!(fs.append(v(path), 0o600).map(|_| ()), Err(error), "{path}");
        }
        assert_eq!(read(fs, "/fresh"), Err(FsError::NotFound));
    });
}

/// The kinds of what a directory holds, drafts told by their names.
fn drafts(fs: &dyn Filesystem, path: &str) -> usize {
    let all = names(fs, path).unwrap();
    all.iter().filter(|name| super::draft::is_draft_name(name.trim_end_matches(":File").as_bytes())).count()
}

fn upload(fs: &dyn Filesystem, area: &str, path: &str, replace: bool) -> Result<bool, FsError> {
    let mut draft = fs.draft(v(area), v(path))?;
    draft.begin()?;
    draft.write(b"one ")?;
    draft.write(b"")?;
    draft.write(b"two")?;
    let (stat, replaced) = draft.commit(replace)?;
    assert_eq!((stat.kind, stat.size), (FileKind::File, 7));
    Ok(replaced)
}

#[test]
fn drafts_get_their_names_when_they_are_complete() {
    over_both(|fs| {
        let mut draft = fs.draft(v("/"), v("/dir/new")).unwrap();
        assert!(draft.target().unwrap().is_none() && draft.space().unwrap() > 0);
        assert_eq!(drafts(fs, "/dir"), 0);
        assert_eq!(draft.write(b"early"), Err(FsError::NotFound));
        draft.begin().unwrap();
        draft.begin().unwrap();
        assert_eq!((drafts(fs, "/dir"), read(fs, "/dir/new")), (1, Err(FsError::NotFound)));
        draft.write(b"content").unwrap();
        let (stat, replaced) = draft.commit(false).unwrap();
        assert!(!replaced);
        assert_eq!(fs.stat(v("/dir/new")).unwrap().inode, stat.inode);
        assert_eq!((drafts(fs, "/dir"), read(fs, "/dir/new").unwrap()), (0, "content".into()));
        // In place of what is there, or not.
        assert_eq!(upload(fs, "/dir", "/new", true), Ok(true));
        assert_eq!(upload(fs, "/dir/", "/new", false), Err(FsError::Exists));
        assert_eq!(upload(fs, "/", "/to_dir/new", true), Ok(true));
        assert_eq!(read(fs, "/dir/new").unwrap(), "one two");
        // One that is dropped leaves nothing, whether it was begun or not.
        drop(fs.draft(v("/"), v("/dir/gone")));
        let mut draft = fs.draft(v("/"), v("/dir/gone")).unwrap();
        draft.begin().unwrap();
        draft.write(b"half").unwrap();
        drop(draft);
        assert_eq!(names(fs, "/dir").unwrap(), ["file:File", "new:File"]);
        // Two of one name do not disturb each other, and of two that must be new one wins.
        let mut both = [(); 2].map(|()| fs.draft(v("/"), v("/dir/twice")).unwrap());
        both.iter_mut().for_each(|draft| draft.begin().unwrap());
        let [mut one, mut other] = both;
        one.write(b"1").unwrap();
        other.write(b"2").unwrap();
        assert!(!one.commit(false).unwrap().1);
        assert_eq!(other.commit(false).err(), Some(FsError::Exists));
        assert_eq!(read(fs, "/dir/twice").unwrap(), "1");
        assert_eq!(drafts(fs, "/dir"), 0);
    });
}

#[test]
fn drafts_stay_in_their_area_and_follow_no_link() {
    over_both(|fs| {
        fs.make_dir(v("/dir/sub"), 0o755).unwrap();
        for (area, path, error) in [
            ("/", "/dir", FsError::IsDirectory),
            ("/", "/", FsError::IsDirectory),
            ("/", "/new/", FsError::IsDirectory),
            ("/", "/none/x", FsError::NotFound),
            ("/none", "/x", FsError::NotFound),
            ("/", "/dir/file/x", FsError::NotDirectory),
            ("/dir/file", "/x", FsError::NotDirectory),
            // Links as the last segment, wherever they lead, and what is no file.
            ("/", "/to_file", FsError::Loop),
            ("/", "/to_dir", FsError::Loop),
            ("/", "/dangling", FsError::Loop),
            ("/", "/out", FsError::Loop),
            ("/", "/socket", FsError::Busy),
            // Links on the way.
            ("/", "/absolute/x", FsError::Escapes),
            ("/absolute", "/x", FsError::Escapes),
            ("/", "/loop/x", FsError::Loop),
        ] {
            assert_eq!(upload(fs, area, path, true), Err(error), "{area} {path}");
        }
        assert_eq!(drafts(fs, "/"), 0);
        assert_eq!(fs.read_link(v("/dangling")).unwrap(), b"new");
        // A link that stays beneath the root leads out of the area all the same.
        fs.make_dir(v("/dir/outside"), 0o755).unwrap();
        fs.rename(v("/out"), v("/dir/sub/out")).unwrap();
        assert_eq!(upload(fs, "/", "/dir/sub/out/x", true), Ok(false));
        assert_eq!(upload(fs, "/dir", "/sub/out/x", true), Ok(true));
        assert_eq!(upload(fs, "/dir/sub", "/out/x", true), Err(FsError::Escapes));
    });
}

#[test]
fn what_is_open_stays_when_its_name_goes() {
    over_both(|fs| {
        let Opened::File(fd, _) = fs.open(v("/dir/file")).unwrap() else { panic!("no file") };
        fs.remove(v("/dir/file")).unwrap();
        let mut content = String::new();
        File::from(fd).read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
    });
}

#[test]
fn names_change() {
    over_both(|fs| {
        fs.make_dir(v("/new_dir/"), 0o700).unwrap();
        assert_eq!(fs.stat(v("/new_dir")).unwrap().mode, 0o700);
        let inode = fs.stat(v("/dir/file")).unwrap().inode;
        fs.rename(v("/dir/file"), v("/new_dir/moved")).unwrap();
        assert_eq!(fs.stat(v("/new_dir/moved")).unwrap().inode, inode);
        fs.rename(v("/new_dir"), v("/dir")).unwrap();
        assert_eq!(read(fs, "/to_dir/moved").unwrap(), "content");
        fs.rename(v("/to_dir"), v("/link")).unwrap();
        assert_eq!(fs.read_link(v("/link")).unwrap(), b"dir");
        write(fs, "/a", b"a").unwrap();
        write(fs, "/b", b"b").unwrap();
        fs.rename(v("/a"), v("/b")).unwrap();
        assert_eq!(read(fs, "/b").unwrap(), "a");
        fs.make_dir(v("/empty"), 0o755).unwrap();
        for (from, to, error) in [
            ("/none", "/x", FsError::NotFound),
            ("/b", "/none/x", FsError::NotFound),
            ("/b", "/dir", FsError::IsDirectory),
            ("/dir", "/b", FsError::NotDirectory),
            ("/empty", "/dir", FsError::NotEmpty),
            ("/dir", "/dir/sub", FsError::Other(Errno::INVAL)),
            ("/", "/x", FsError::Busy),
            ("/b", "/", FsError::Busy),
            ("/b/", "/x", FsError::NotDirectory),
            ("/b", "/x/", FsError::NotDirectory),
            ("/b", "/absolute/x", FsError::Escapes),
        ] {
            assert_eq!(fs.rename(v(from), v(to)), Err(error), "{from} {to}");
        }
        for (path, error) in [
            ("/none", FsError::NotFound),
            ("/dir", FsError::IsDirectory),
            ("/dir/", FsError::IsDirectory),
            ("/b/", FsError::NotDirectory),
            ("/", FsError::IsDirectory),
            ("/absolute/passwd", FsError::Escapes),
        ] {
            assert_eq!(fs.remove(v(path)), Err(error), "{path}");
        }
        for (path, error) in [
            ("/none", FsError::NotFound),
            ("/b", FsError::NotDirectory),
            ("/dir", FsError::NotEmpty),
            ("/link", FsError::NotDirectory),
            ("/link/", FsError::NotDirectory),
            ("/", FsError::Busy),
        ] {
            assert_eq!(fs.remove_dir(v(path)), Err(error), "{path}");
        }
        for path in ["/dir", "/b", "/dangling", "/"] {
            assert_eq!(fs.make_dir(v(path), 0o755), Err(FsError::Exists), "{path}");
        }
        assert_eq!(fs.make_dir(v("/none/x"), 0o755), Err(FsError::NotFound));
        fs.remove(v("/dangling")).unwrap();
        fs.remove(v("/b")).unwrap();
        fs.remove_dir(v("/empty/")).unwrap();
        assert_eq!(read(fs, "/b"), Err(FsError::NotFound));
    });
}

#[test]
fn attributes_change() {
    over_both(|fs| {
        for path in ["/dir/file", "/dir", "/to_file"] {
            fs.set_times(v(path), 1_000_000_000, 123_456_000).unwrap();
            let stat = fs.stat(v(path)).unwrap();
            assert_eq!((stat.modified, stat.modified_ns), (1_000_000_000, 123_456_000), "{path}");
            fs.chmod(v(path), 0o700).unwrap();
            assert_eq!(fs.stat(v(path)).unwrap().mode, 0o700, "{path}");
        }
        for (path, error) in [
            ("/none", FsError::NotFound),
            ("/dir/file/", FsError::NotDirectory),
            ("/out", FsError::Escapes),
            ("/loop", FsError::Loop),
        ] {
            assert_eq!(fs.set_times(v(path), 0, 0), Err(error), "{path}");
            assert_eq!(fs.chmod(v(path), 0o600), Err(error), "{path}");
        }
        assert_eq!(fs.set_times(v("/dir"), 0, 1_000_000_000), Err(FsError::Other(Errno::INVAL)));
    });
}

/// One act, chosen by three bytes; what comes of it, in a form that can be compared.
fn act(fs: &dyn Filesystem, verb: u8, first: u8, second: u8) -> Result<String, FsError> {
    const PATHS: [&str; 16] = [
        "/",
        "/dir",
        "/dir/",
        "/dir/file",
        "/dir/file/",
        "/a",
        "/a/",
        "/a/b",
        "/a/b/c",
        "/to_dir",
        "/to_dir/",
        "/to_dir/a",
        "/to_file",
        "/out",
        "/dangling",
        "/loop/x",
    ];
    let (path, other) = (PATHS[usize::from(first) % 16], PATHS[usize::from(second) % 16]);
    let done = |()| String::new();
    match verb % 10 {
        0 => read(fs, path),
        1 => names(fs, path).map(|names| names.join(" ")),
        2 => write(fs, path, other.as_bytes()).map(done),
        3 => fs.append(v(path), 0o600).map(|fd| File::from(fd).write_all(b"+").unwrap()).map(done),
        4 => fs.create(v(path), 0o600, true).map(drop).map(done),
        5 => fs.rename(v(path), v(other)).map(done),
        6 => fs.remove(v(path)).map(done),
        7 => fs.make_dir(v(path), 0o755).map(done),
        8 => fs.remove_dir(v(path)).map(done),
        _ => fs.read_link(v(path)).map(|target| String::from_utf8(target).unwrap()),
    }
}

quickcheck! {
    /// Whatever is done, both answer alike.
    fn both_agree(acts: Vec<(u8, u8, u8)>) -> bool {
        for lookup in LOOKUPS {
            let memory = memory();
            let (local, _place, _socket) = local(lookup);
            for &(verb, first, second) in &acts {
                let (left, right) = (act(&memory, verb, first, second), act(&local, verb, first, second));
                assert_eq!(left, right, "{} {} {}", verb % 10, first % 16, second % 16);
            }
        }
        true
    }
}
