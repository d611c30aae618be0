use super::*;
use crate::cli::client::top::model::tests::model;
use crate::cli::client::top::sample::{Incoming, Question};

fn answer(model: &mut Model, question: Question, text: &str) {
    let mut incoming = Incoming::default();
    incoming.push(text.as_bytes());
    model.take(question, incoming.records());
}

/// Two looks, a second apart.
fn busy(typed: &str) -> Model {
    let (mut model, _) = model("");
    model.sample.hello = Record::parse("/process version=0.1.0 protocol=1 pid=4711 role=admin").unwrap();
    for (now, turns, sent, requests) in [(1, 100, "1M", 7), (2, 1334, "2M", 59)] {
        model.sample.rates.begin(now * 1_000_000_000);
        answer(&mut model, Question::Process, "/process.uptime=11520s\n");
        let text = format!(
            "/loop.turns={turns}\n/loop.busy={}ms\n/loop.slowest=12ms\n/loop.slowest_work=request\n/loop.sent={sent}\n\
             /loop.received=512\n/loop.connections=12\n",
            turns / 10
        );
        answer(&mut model, Question::Loop, &text);
        answer(&mut model, Question::Descriptors, "/descriptors.limit=1024\n/descriptors.used=12\n");
        answer(&mut model, Question::Memory, "/memory.pages=256\n/memory.page_memory=64M\n");
        let servers = format!(
            "/http/main open=3 accepted=17 requests={requests}\n/http/api open=0 accepted=0 requests=0\n"
        );
        answer(&mut model, Question::Servers, &servers);
    }
    for byte in typed.bytes() {
        model.byte(byte, 3);
    }
    model
}

fn screen(model: &Model, columns: usize, rows: usize) -> String {
    let lines = paint(model, columns, rows);
    assert_eq!(lines.len(), rows);
    let texts: Vec<String> = lines.into_iter().map(|line| line.text).collect();
    texts.join("\n")
}

#[test]
fn everything_is_seen() {
    let wanted = "\
gorgon 0.1.0  pid 4711  up 3h12m  role admin  every 1s
loop 1234 turns/s  busy 12.3%  slowest 12ms  by request  requests 52/s
in 0B/s  out 1M/s  connections 12  fds 12 of 1024  pages 256B of 64M
server      open  accepted  requests  requests/s
/http/main     3        17        59          52
/http/api      0         0         0           0
  peer                server  state    age   idle    in    out  reads  writes  what
> 10.0.0.1:4001       main    idle     70s    12s   512   1.5M     4K     16K
  [2001:db8::1]:4002  main    writing  250ms  0s    1K      0     4K     64K  /srv/big.iso
  \\x1b[31m:7          api     idle    180m    59m     7     5M     4K     16K

q quit  ? help  s sort  / filter  k close  w R buffers  space pause";
    let shown = screen(&busy(""), 100, 12);
    let squeeze = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(squeeze(&shown), squeeze(&wanted.replace("180m", "3h0m")));
    // And what is squeezed here stands in columns.
    let at = |line: usize, text: &str| shown.lines().nth(line).unwrap().find(text).map(|at| at + text.len());
    assert_eq!(at(6, "out"), at(7, "1.5M"));
    assert_eq!(at(6, "state").unwrap() - 5, at(8, "writing").unwrap() - 7);
}

#[test]
fn every_size_has_room() {
    for typed in ["", "?", "k", "/idle > 1s", "w64K", "\x1b[F", "sr "] {
        let model = busy(typed);
        for columns in 0..110 {
            for rows in [1, 2, 3, 5, 8, 11, 24, 60] {
                let lines = paint(&model, columns, rows);
                assert_eq!(lines.len(), rows);
                assert!(
                    lines.iter().all(|line| width_of(&line.text) <= columns),
                    "{typed:?} {columns} {rows}"
                );
            }
        }
    }
    let narrow = screen(&busy(""), 40, 12);
    assert!(
        narrow.contains("  peer                state    idle\n> 10.0.0.1:4001       idle      12s"),
        "{narrow}"
    );
}

#[test]
fn what_is_not_told_is_left_out() {
    let mut model = Model::new(250);
    assert_eq!(screen(&model, 80, 5).trim_end().lines().collect::<Vec<_>>()[..3], ["every 250ms", "", ""]);
    answer(&mut model, Question::Connections, "/connection/1-1 state=idle\n");
    let shown = screen(&model, 80, 6);
    assert!(shown.contains("  peer  state\n>       idle"), "{shown}");
}

#[test]
fn modes_are_seen() {
    for (typed, wanted) in [
        ("k", "close 10.0.0.1:4001? y or n"),
        ("/", "where"),
        ("w", "write buffer of 10.0.0.1:4001:"),
        ("\x1b[BR", "read buffer of [2001:db8::1]:4002:"),
        ("?", "send"),
        (" ", "PAUSED"),
        ("/idle > 1s\r", "where idle > 1s"),
        ("s", "+peer"),
        ("ssssr", "-age"),
        ("\x1b[B", "> [2001:db8::1]"),
    ] {
        let wanted = wanted.replace("send", "q        quit");
        let mut model = busy(typed);
        model.accepted.clone_from(&model.filter);
        let shown = screen(&model, 100, 24);
        assert!(shown.contains(&wanted), "{typed:?}: {shown}");
    }
    let mut model = busy("");
    model.fail(Question::Connections, "unknown: \x1b[2J".to_owned());
    assert!(screen(&model, 100, 24).ends_with("unknown: \\x1b[2J"));
}

#[test]
fn the_selected_row_is_always_seen() {
    let mut model = busy("");
    let many: String = (0..100).map(|number| format!("/connection/x{number} peer=p{number}\n")).collect();
    answer(&mut model, Question::Connections, &many);
    for row in 0..120 {
        let lines = paint(&model, 60, 15);
        let selected: Vec<&Line> = lines.iter().filter(|line| line.style == Style::Reverse).collect();
        assert_eq!(selected.len(), 1, "{row}");
        assert!(selected[0].text.starts_with(&format!("> p{}", row.min(99))), "{row}: {:?}", selected[0]);
        for byte in b"\x1b[B" {
            model.byte(*byte, page(&model, 15));
        }
    }
}

#[test]
fn many_servers_are_counted() {
    let mut model = busy("");
    let many: String = (0..9).map(|number| format!("/http/s{number} open=1\n")).collect();
    answer(&mut model, Question::Servers, &many);
    let shown = screen(&model, 80, 24);
    assert!(
        shown.contains("/http/s3") && !shown.contains("/http/s4") && shown.contains("and 5 more"),
        "{shown}"
    );
    assert!(!shown.contains("accepted"));
}

#[test]
fn times_and_rates_are_short() {
    for (value, wanted) in [
        ("0", "0s"),
        ("250ms", "250ms"),
        ("119s", "119s"),
        ("5m", "5m"),
        ("2h", "2h0m"),
        ("49h", "2d1h"),
        ("-", "-"),
        ("x\x1b", "x\\x1b"),
    ] {
        assert_eq!(time(value), wanted);
    }
    for (rate, wanted) in
        [(None, ""), (Some(0), "0"), (Some(150), "0.1"), (Some(9999), "9.9"), (Some(12_345), "12")]
    {
        assert_eq!(count(rate), wanted);
    }
}
