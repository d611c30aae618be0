#![allow(clippy::indexing_slicing)]

use super::*;
use crate::engine::values::Files;
use crate::fs::MemoryFs;

struct World(MemoryFs, Directories);

impl Filesystems for World {
    fn filesystem(&self, number: usize) -> Option<&dyn Filesystem> {
        (number == 7).then_some(&self.0)
    }

    fn listed(&mut self, number: usize) -> (Option<&dyn Filesystem>, &mut Directories) {
        ((number == 7).then_some(&self.0 as &dyn Filesystem), &mut self.1)
    }
}

fn path(buffer: &mut VPathBuf, url: &str) {
    buffer.set_url(url.as_bytes()).unwrap();
}

fn add(fs: &MemoryFs, url: &str, content: &[u8]) {
    let mut buffer = VPathBuf::default();
    fs.add_file(buffer.set_url(url.as_bytes()).unwrap(), content).unwrap();
}

fn body(world: &mut World, url: &str, form: Form, hidden: bool, query: &str) -> ListingBody {
    let mut at = VPathBuf::default();
    path(&mut at, url);
    ListingBody {
        filesystem: 7,
        hidden,
        upload: false,
        directory: Some(world.1.insert(world.0.list(at.path()).unwrap(), 0)),
        path: at,
        form,
        order: Order::of_query(query.as_bytes()),
        stage: Stage::Head,
        slice: Vec::new(),
        slice_at: 0,
        gathered: Gathered::default(),
        given: 0,
        text: Vec::new(),
        text_at: 0,
        first: true,
    }
}

fn fill(body: &mut ListingBody, world: &mut World, out: &mut [u8]) -> Fill {
    body.fill(out, &mut Means { world, files: &mut Files::default(), now: Now::default() })
}

fn end(body: &mut ListingBody, world: &mut World) {
    body.end(&mut Means { world, files: &mut Files::default(), now: Now::default() });
}

/// How many directories are open, and the bytes that are held.
fn used(world: &World) -> (usize, usize) {
    (world.1.open(), world.1.held)
}

/// All of it, through room of so many bytes.
fn whole(body: &mut ListingBody, world: &mut World, room: usize) -> String {
    let (mut all, mut out) = (Vec::new(), vec![0; room]);
    loop {
        match fill(body, world, &mut out) {
            Fill::Some(count) => {
                assert!(count > 0);
                all.extend_from_slice(&out[..count]);
            }
            Fill::End(count) => {
                all.extend_from_slice(&out[..count]);
                return String::from_utf8(all).unwrap();
            }
            Fill::Pending | Fill::Disk | Fill::Failed => panic!("it stopped"),
        }
    }
}

fn whole_of(world: &mut World, (url, form, hidden, query): (&str, Form, bool, &str), room: usize) -> String {
    let mut body = body(world, url, form, hidden, query);
    let all = whole(&mut body, world, room);
    end(&mut body, world);
    all
}

fn names(json: &str) -> Vec<&str> {
    json.split("{\"name\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

fn world() -> World {
    let fs = MemoryFs::new();
    let mut buffer = VPathBuf::default();
    fs.make_dir(buffer.set_url(b"/sub").unwrap(), 0o755).unwrap();
    fs.make_dir(buffer.set_url(b"/.well-known").unwrap(), 0o755).unwrap();
    add(&fs, "/b", b"bb");
    add(&fs, "/A", b"a");
    add(&fs, "/.hidden", b"");
    add(&fs, "/sub/%3Cscript%3E", b"");
    fs.add_other(buffer.set_url(b"/fifo").unwrap()).unwrap();
    for (link, target) in
        [("/to-b", "b"), ("/to-sub", "sub"), ("/to-none", "none"), ("/out", "../x"), ("/to-fifo", "fifo")]
    {
        fs.add_link(buffer.set_url(link.as_bytes()).unwrap(), target.as_bytes()).unwrap();
    }
    World(fs, Directories::default())
}

#[test]
fn what_is_listed() {
    let mut world = world();
    for (url, hidden, query, expected) in [
        ("/", false, "", &["sub", "to-sub", "A", "b", "to-b"][..]),
        ("/", true, "", &["sub", "to-sub", ".hidden", "A", "b", "to-b"]),
        ("/", false, "order=desc", &["to-sub", "sub", "to-b", "b", "A"]),
        ("/", false, "sort=size", &["sub", "to-sub", "A", "b", "to-b"]),
        ("/sub/", false, "", &["<script>"]),
        ("/.well-known/", true, "", &[]),
    ] {
        let json = whole_of(&mut world, (url, Form::Json, hidden, query), 4096);
        assert_eq!(names(&json), expected, "{url} {query}");
        assert!(json.starts_with('[') && json.ends_with("\n]\n"), "{json}");
    }
    assert_eq!(used(&world), (0, 0));
}

#[test]
fn pages() {
    let mut world = world();
    let root = whole_of(&mut world, ("/", Form::Html, false, ""), 4096);
    assert!(root.contains("<title>/</title>") && !root.contains("../"));
    let sub = whole_of(&mut world, ("/sub/", Form::Html, false, ""), 4096);
    assert!(sub.contains("<title>/sub/</title>") && sub.contains("href=\"../\""));
    assert!(sub.contains("&lt;script&gt;") && !sub.contains("<script"));
}

#[test]
fn room_makes_no_difference() {
    let mut world = world();
    for form in [Form::Html, Form::Json] {
        let expected = whole_of(&mut world, ("/", form, false, ""), 1 << 16);
        for room in 1..400 {
            let found = whole_of(&mut world, ("/", form, false, ""), room);
            assert_eq!(found, expected, "{room}");
        }
    }
}

#[test]
fn more_than_may_be_held_is_not_sorted() {
    for entries in [SORTED_ENTRIES, SORTED_ENTRIES + 1] {
        let fs = MemoryFs::new();
        // The other way round than they lie.
        for number in 0..entries {
            add(&fs, &["/", &number.to_string()].concat(), b"");
        }
        let mut world = World(fs, Directories::default());
        let mut listing = body(&mut world, "/", Form::Html, false, "order=desc");
        let page = whole(&mut listing, &mut world, 16 << 10);
        assert_eq!(page.matches("href=\"./").count(), entries);
        assert_eq!(page.contains("Too many"), entries > SORTED_ENTRIES);
        assert_eq!(page.find("./0\"") > page.find("./99\""), entries == SORTED_ENTRIES);
        assert_eq!(used(&world), (0, 0));
    }
}

#[test]
fn what_all_hold_together_is_bounded() {
    let mut world = world();
    world.1.held = SORTED_TOTAL;
    let page = whole_of(&mut world, ("/", Form::Html, false, ""), 4096);
    assert!(page.contains("Too many") && page.matches("href=\"./").count() == 5);
    assert_eq!(world.1.held, SORTED_TOTAL);
    let mut begun = body(&mut world, "/", Form::Html, false, "");
    assert_eq!(world.1.open(), 1);
    assert!(matches!(fill(&mut begun, &mut world, &mut [0; 256]), Fill::Some(256)));
    end(&mut begun, &mut world);
    assert_eq!(used(&world), (0, SORTED_TOTAL));
}

#[test]
fn a_call_has_an_end() {
    // Entries that cost a look each, and none is shown.
    let fs = MemoryFs::new();
    let mut buffer = VPathBuf::default();
    for number in 0..1000 {
        let name = ["/", &number.to_string()].concat();
        fs.add_link(buffer.set_url(name.as_bytes()).unwrap(), b"none").unwrap();
    }
    let mut world = World(fs, Directories::default());
    let mut listing = body(&mut world, "/", Form::Json, false, "");
    let json = whole(&mut listing, &mut world, 1 << 16);
    assert!(json.len() > 4 && json.trim_start_matches('[').trim() == "]", "{json}");
}
