use super::*;

/// A model of three connections, whose bytes are typed.
pub fn model(typed: &str) -> (Model, Act) {
    let mut model = Model::new(1000);
    let lines = [
        "/connection/1-1 peer=10.0.0.1 port=4001 server=main state=idle age=70s idle=12s sent=1500K received=512 \
         read_buffer=4K write_buffer=16K file=-",
        "/connection/2-1 peer=2001:db8::1 port=4002 server=main state=writing age=250ms idle=0s sent=0 \
         received=1K read_buffer=4K write_buffer=64K file=/srv/big.iso",
        "/connection/3-1 peer=\"\\x1b[31m\" port=7 server=api state=idle age=3h idle=59m sent=5M received=7 \
         read_buffer=4K write_buffer=16K file=-",
    ];
    let records = lines.iter().map(|line| Record::parse(line).unwrap()).collect();
    model.take(Question::Connections, records);
    let mut act = Act::Nothing;
    for byte in typed.bytes() {
        act = model.byte(byte, 2);
    }
    (model, act)
}

#[test]
fn keys_select() {
    for (typed, row) in [
        ("", 0),
        ("\x1b[B", 1),
        ("\x1b[B\x1b[B\x1b[B\x1b[B", 2),
        ("\x1b[B\x1b[B\x1b[A", 1),
        ("\x1b[A", 0),
        ("\x1b[6~", 2),
        ("\x1b[6~\x1b[5~", 0),
        ("\x1b[F", 2),
        ("\x1b[F\x1b[H", 0),
    ] {
        assert_eq!(model(typed).0.row(), row, "{typed:?}");
    }
    let (mut model, _) = model("\x1b[B");
    let mut left = model.sample.connections.clone();
    left.remove(0);
    model.take(Question::Connections, left);
    assert_eq!((model.row(), model.selected.as_str()), (0, "/connection/2-1"), "it is still the same one");
    model.take(Question::Connections, Vec::new());
    assert_eq!((model.row(), model.selected.as_str()), (0, ""));
    assert_eq!(model.byte(b'k', 2), Act::Nothing);
    assert_eq!(model.byte(b'w', 2), Act::Nothing);
}

#[test]
fn keys_act() {
    let send = |text: &str| Act::Send(text.to_owned());
    for (typed, wanted) in [
        ("q", Act::Quit),
        ("\x03", Act::Quit),
        ("?\x03", Act::Quit),
        ("?q", Act::Paint),
        ("\x1a", Act::Suspend),
        ("/\x1a", Act::Suspend),
        ("\x0c", Act::Clear),
        ("s", Act::Look),
        ("r", Act::Look),
        (" ", Act::Paint),
        ("  ", Act::Look),
        ("x", Act::Nothing),
        ("ky", send("call /connection/1-1 close")),
        ("\x1b[BcY", send("call /connection/2-1 close")),
        ("kn", Act::Paint),
        ("k\r", Act::Paint),
        ("w64K\r", send("set /connection/1-1 write_buffer=64K")),
        ("R auto\r", send("set /connection/1-1 read_buffer=auto")),
        ("w\r", Act::Paint),
        ("w1 2\r", Act::Paint),
        ("w1;quit\r", Act::Paint),
        ("w1\x03", Act::Paint),
        ("/idle > 1s\r", Act::Look),
    ] {
        assert_eq!(model(typed).1, wanted, "{typed:?}");
    }
    let (mut model, _) = model("w64");
    model.byte(0x1b, 2);
    assert!(model.is_waiting());
    assert_eq!(model.settle(), Act::Paint);
    assert!(matches!(model.mode, Mode::Table));
}

#[test]
fn requests_follow_the_keys() {
    for (typed, wanted) in [
        ("", "kv find connection limit 500"),
        ("s", "kv find connection sort peer limit 500"),
        ("sr", "kv find connection sort -peer limit 500"),
        ("ssss", "kv find connection sort age limit 500"),
        ("sssssssssss", "kv find connection limit 500"),
        ("/idle>1s\rss", "kv find connection where (idle>1s) sort server limit 500"),
        ("/a\r/\x7f\r", "kv find connection limit 500"),
    ] {
        assert_eq!(model(typed).0.request(Question::Connections), wanted, "{typed:?}");
    }
    assert_eq!(model("s").0.request(Question::Loop), "kv get /loop");
}

#[test]
fn a_wrong_filter_is_told_until_it_is_right() {
    let (mut model, _) = model("/x\r");
    model.fail(Question::Connections, "unknown: no key x".to_owned());
    assert_eq!(model.notice, "unknown: no key x");
    model.fail(Question::Memory, "not here".to_owned());
    assert_eq!(model.notice, "unknown: no key x");
    model.take(Question::Connections, Vec::new());
    assert_eq!(model.notice, "");
}

#[test]
fn a_filter_that_is_refused_leaves_the_one_before() {
    let (mut model, _) = model("/idle>1s\r");
    let _ = model.request(Question::Connections);
    let rows = model.sample.connections.clone();
    model.take(Question::Connections, rows);
    "/\x15x\r".bytes().for_each(|byte| drop(model.byte(byte, 2)));
    let _ = model.request(Question::Connections);
    assert_eq!(model.accepted, "idle>1s", "until there is an answer");
    model.fail(Question::Connections, "unknown: no key x".to_owned());
    assert_eq!((model.filter.as_str(), model.sample.connections.len()), ("idle>1s", 3));
    assert_eq!(model.request(Question::Connections), "kv find connection where (idle>1s) limit 500");
    let rows = model.sample.connections.clone();
    model.take(Question::Connections, rows);
    assert_eq!(model.notice, "unknown: no key x", "until the next key");
}

#[test]
fn what_was_told_goes_with_the_next_key() {
    let (mut model, _) = model("w1 2\r");
    assert!(!model.notice.is_empty());
    assert_eq!((model.byte(b'x', 2), model.notice.as_str()), (Act::Paint, ""));
    assert_eq!(model.byte(b'x', 2), Act::Nothing);
}

#[test]
fn escape_shows_all() {
    let (mut model, _) = model("/idle>1s\r\x1b");
    assert_eq!((model.settle(), model.filter.as_str()), (Act::Look, ""));
}

#[test]
fn who_looks_is_not_selected_at_first() {
    let mut model = Model::new(1000);
    let lines = ["/connection/1-1 server=monitor:main", "/connection/2-1 server=main"];
    let records: Vec<Record> = lines.iter().map(|line| Record::parse(line).unwrap()).collect();
    model.take(Question::Connections, records.get(..1).unwrap().to_vec());
    assert_eq!(model.row(), 0);
    let mut model = Model::new(1000);
    model.take(Question::Connections, records);
    assert_eq!(model.row(), 1);
}

#[test]
fn the_interval_has_ends() {
    assert_eq!(model("+").0.interval, 2000);
    assert_eq!(model("--").0.interval, 250);
    assert_eq!(model(&"-".repeat(20)).0.interval, 100);
    assert_eq!(model(&"+".repeat(20)).0.interval, 60_000);
}
