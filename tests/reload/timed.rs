//! What is set for a time, when the file is read again and where listeners are many.

use std::io::Read;

use crate::common::free_port;
use crate::host::{Program, connect, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";

#[test]
fn what_the_file_says_now_does_not_go_back() {
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    monitor.ask("set /http/one hidden=on idle_timeout=7s spa=on for 1h").unwrap();
    // One it says as well, one it says something else of, and of one nothing.
    program.reload(&[ONE, "hidden = on\nidle_timeout = 9s\n"].concat()).unwrap();
    let told = monitor.ask("keep").unwrap();
    assert!(
        told.starts_with("/http/one attribute=spa value=on earlier=off left=") && told.lines().count() == 1,
        "{told}"
    );
    assert_eq!(
        (monitor.value("/http/one.hidden"), monitor.value("/http/one.idle_timeout")),
        ("on".into(), "9s".into())
    );
    // By a signal it is the same.
    program.write(&[ONE, "spa = on\n"].concat());
    let reloads = monitor.value("/config.reloads");
    program.server.signal("HUP");
    until("it was reloaded", || monitor.value("/config.reloads") != reloads);
    assert_eq!(monitor.ask("keep").unwrap(), "");
}

#[test]
fn nothing_comes_back_on_a_server_that_came_again() {
    let two = "[http:two]\nroot = %(here)s/two\nlisten = 127.0.0.1:0\n";
    let program = Program::start(&[ONE, two].concat());
    let mut monitor = program.monitor();
    monitor.ask("set /http/two hidden=on for 1h").unwrap();
    monitor.ask("find listener where server = two | set write_buffer=8K for 1h").unwrap();
    assert_eq!(monitor.ask("keep").unwrap().lines().count(), 2);
    program.reload(ONE).unwrap();
    program.reload(&[ONE, two].concat()).unwrap();
    assert_eq!(monitor.ask("keep").unwrap(), "");
}

#[test]
fn each_listener_waits_for_itself() {
    let program = Program::start(
        "[http:one]\nroot = %(here)s/one\nlisten =\n  127.0.0.1:0\n  127.0.0.1:0 write_buffer=64K backlog=9\n",
    );
    let mut monitor = program.monitor();
    let names: Vec<String> =
        program.addresses("one").iter().map(|address| format!("/listener/{address}")).collect();
    let before = monitor.value("/http/one.listen");
    monitor.ask(&format!("set {} write_buffer=8K for 1h", names[0])).unwrap();
    monitor.ask(&format!("set {} write_buffer=8K for 1s", names[1])).unwrap();
    let told = monitor.ask("keep").unwrap();
    let wanted = format!("{} attribute=write_buffer value=8K earlier=\"\" left=", names[0]);
    assert!(told.starts_with(&wanted), "{told}");
    until("one is back", || monitor.value(&format!("{}.write_buffer", names[1])) == "64K");
    assert_eq!(monitor.value(&format!("{}.write_buffer", names[0])), "8K");
    assert_eq!(monitor.ask("keep").unwrap().lines().count(), 1);
    // Set again, for a shorter time, what comes back is what was there at first; also while the server does not serve.
    monitor.ask(&format!("set {} write_buffer=32K read_buffer=8K for 2s", names[0])).unwrap();
    monitor.ask("call /http/one drain").unwrap();
    until("all is back", || monitor.ask("keep").unwrap().is_empty());
    assert_eq!(
        monitor.value("/http/one.listen"),
        before.replace("write_buffer=64K backlog=9", "backlog=9 write_buffer=64K")
    );
    monitor.ask("call /http/one start").unwrap();
    let names: Vec<String> =
        program.addresses("one").iter().map(|address| format!("/listener/{address}")).collect();
    // What waits is not written; what is kept, or set of all rules, waits no more.
    monitor.ask(&format!("set {} write_buffer=8K for 1h", names[0])).unwrap();
    monitor.ask("save").unwrap();
    let file = std::fs::read_to_string(program.directory.path().join("web.conf")).unwrap();
    assert!(!file.contains("=8K"), "{file}");
    monitor.ask(&format!("keep {}", names[0])).unwrap();
    assert_eq!(monitor.ask("keep").unwrap(), "");
    monitor.ask(&format!("set {} write_buffer=16K for 1h", names[1])).unwrap();
    monitor.ask("keep /listener/*").unwrap();
    monitor.ask(&format!("set {} write_buffer=32K for 1h", names[1])).unwrap();
    monitor.ask("set /http/one listen=127.0.0.1:0").unwrap();
    assert_eq!(monitor.ask("keep").unwrap(), "");
    let _serves = connect(program.address("one"));
}

/// What is set of a part meanwhile is no reason for the whole to stay.
#[test]
fn rules_come_back_though_a_part_of_them_was_set() {
    let ports = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let all = format!("{} backlog=9,{} write_buffer=64K", ports[0], ports[1]);
    let program = Program::start(&format!("[http:one]\nroot = %(here)s/one\nlisten = {all}\n"));
    let mut monitor = program.monitor();
    // It comes back with the whole, be it that of another place by then.
    for (length, place) in [("", 0), (" for 1h", 0), (" for 2s", 1)] {
        monitor.ask(&format!("set /http/one listen={} for 1s", ports[place])).unwrap();
        monitor.ask(&format!("set /listener/{} write_buffer=64K{length}", ports[place])).unwrap();
        assert_eq!(monitor.value("/http/one.listen"), format!("{} write_buffer=64K", ports[place]));
        until("the rules are back", || monitor.value("/http/one.listen") == all);
        until("all is back", || monitor.ask("keep").unwrap().is_empty());
        let _serves = connect(ports[1].parse().unwrap());
    }
    assert!(monitor.ask("log").unwrap().contains("time is over: /http/one.listen="));
}

/// What comes back is what was to stay, so a part that was not to stay goes first.
#[test]
fn rules_are_not_set_for_a_time_while_a_part_of_them_is() {
    let ports = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let program = Program::start(&format!("[http:one]\nroot = %(here)s/one\nlisten = {}\n", ports[0]));
    let mut monitor = program.monitor();
    let part = format!("set /listener/{} write_buffer=16K for 1h", ports[0]);
    monitor.ask(&part).unwrap();
    let both = format!("set /http/one listen={},{} for 1s", ports[0], ports[1]);
    assert_eq!(
        monitor.ask(&both).unwrap_err(),
        "conflict a part of listen waits to come back; keep that first"
    );
    assert_eq!(monitor.value("/http/one.listen"), format!("{} write_buffer=16K", ports[0]));
    // It is kept with what it is a part of, too.
    monitor.ask("keep /http/one.listen").unwrap();
    monitor.ask(&both).unwrap();
    let back = format!("{} write_buffer=16K", ports[0]);
    until("the rules are back", || monitor.value("/http/one.listen") == back);
    // Set for good, the part is set with them.
    monitor.ask(&part).unwrap();
    monitor.ask(&format!("set /http/one listen={}", ports[0])).unwrap();
    assert_eq!(monitor.ask("keep").unwrap(), "");
}

#[test]
fn how_much_is_said_changes_while_it_runs() {
    let (program, mut said) = Program::start_heard(ONE);
    let mut monitor = program.monitor();
    let address = program.address("one");
    let values = |monitor: &mut crate::host::Monitor| {
        ["verbose", "quiet", "log_level"].map(|key| monitor.value(&["/gorgon.", key].concat()))
    };
    assert_eq!(values(&mut monitor), ["off", "off", "info"]);
    let get = |name: &str| {
        crate::host::get(address, &["/a.txt?", name].concat());
    };
    get("first");
    monitor.ask("set /gorgon log_level=debug").unwrap();
    assert_eq!(values(&mut monitor), ["on", "off", "debug"]);
    get("second");
    until("the line is out", || monitor.value("/log.logs") == "1");
    monitor.ask("set /gorgon verbose=off").unwrap();
    assert_eq!(values(&mut monitor), ["off", "off", "info"]);
    get("third");
    monitor.ask("set /gorgon quiet=on").unwrap();
    assert_eq!(values(&mut monitor), ["off", "on", "error"]);
    program.reload(&[ONE, "[gorgon]\nverbose = on\n"].concat()).unwrap();
    assert_eq!(values(&mut monitor), ["on", "off", "debug"]);
    get("fourth");
    program.server.signal("TERM");
    let mut told = String::new();
    said.read_to_string(&mut told).unwrap();
    for (name, is) in [("first", false), ("second", true), ("third", false), ("fourth", true)] {
        assert_eq!(told.contains(&["/a.txt?", name].concat()), is, "{name}: {told}");
    }
    assert!(told.contains(" connections, 0 refused, "), "at the end what was done is told: {told}");
}
