use super::*;
use crate::config::check::check;
use crate::http::settings::HttpSettings;
use crate::http::settings::handler::HandlerSettings;
use std::vec;

fn settings() -> Settings {
    let mut settings = Settings::default();
    let mut server = HttpServer::new("main", HttpSettings::default());
    for name in ["a", "b", "c"] {
        server.handlers.push(HandlerNode { name: name.to_owned(), settings: HandlerSettings::default() });
    }
    settings.servers.push(server);
    settings
}

fn set(path: &str, key: &str, text: &str) -> Step {
    Step::Set { path: path.to_owned(), key: key.to_owned(), text: text.to_owned() }
}

fn call(path: &str, line: &str) -> Step {
    let mut words = line.split(' ').map(str::to_owned);
    let name = words.next().unwrap();
    let all = [&[ADD], SERVER_METHODS, HANDLER_METHODS, MONITOR_METHODS];
    let method = all.iter().copied().flatten().find(|method| method.name == name).unwrap();
    Step::Call { path: path.to_owned(), method, words: words.collect() }
}

fn order(settings: &Settings) -> String {
    settings.servers[0].handlers.iter().map(|handler| handler.name.as_str()).collect()
}

#[test]
fn values_are_set() {
    let mut settings = settings();
    assert!(edit(&mut settings, &set("/gorgon", "grace", "3s")).is_ok());
    assert!(edit(&mut settings, &set("/http/main", "listen", ":81")).is_ok());
    assert!(edit(&mut settings, &set("/handler/main/b", "match", "/b")).is_ok());
    assert_eq!(settings.process.grace, 3000);
    assert_eq!(settings.servers[0].listeners.len(), 1);
    assert_eq!(settings.servers[0].listeners[0].text, ":81");
    assert_eq!(settings.servers[0].handlers[1].settings.r#match, "/b");
}

#[test]
fn nodes_come_and_go() {
    let mut settings = settings();
    assert!(edit(&mut settings, &call("/config", "add /http/two listen=:82 root=/srv")).is_ok());
    assert_eq!(settings.servers[1].settings.root, b"/srv");
    assert!(edit(&mut settings, &call("/config", "add /handler/two/x kind=status match=/s")).is_ok());
    assert_eq!(settings.servers[1].handlers[0].settings.kind, "status");
    assert!(edit(&mut settings, &call("/config", "add /monitor/m listen=unix:/tmp/m")).is_ok());
    assert_eq!(settings.monitors[0].listeners.len(), 1);
    assert!(edit(&mut settings, &call("/http/two", "stop")).is_ok());
    assert!(!settings.servers[1].settings.enabled);
    assert!(edit(&mut settings, &call("/http/two", "start")).is_ok());
    assert!(settings.servers[1].settings.enabled);
    assert!(edit(&mut settings, &call("/http/two", "drain")).is_ok());
    assert!(!settings.servers[1].settings.enabled);
    assert!(edit(&mut settings, &call("/http/two", "remove")).is_ok());
    assert!(edit(&mut settings, &call("/monitor/m", "remove")).is_ok());
    assert_eq!((settings.servers.len(), settings.monitors.len()), (1, 0));
}

#[test]
fn the_files_of_a_server_are_a_handler_too() {
    let mut settings = settings();
    for (step, on) in [
        (set("/handler/main/files", "enabled", "off"), false),
        (call("/handler/main/files", "start"), true),
        (call("/handler/main/files", "remove"), false),
        (set("/http/main", "files", "on"), true),
        (call("/handler/main/files", "stop"), false),
    ] {
        assert!(edit(&mut settings, &step).is_ok());
        assert_eq!(settings.servers[0].settings.files, on);
    }
    // One of that name in the configuration is another.
    assert!(edit(&mut settings, &call("/config", "add /handler/main/files match=/x")).is_ok());
    assert!(edit(&mut settings, &set("/handler/main/files", "enabled", "off")).is_ok());
    assert!(!settings.servers[0].handlers[3].settings.enabled && !settings.servers[0].settings.files);
}

#[test]
fn steps_are_told_by_where_they_are_kept() {
    let mut settings = settings();
    let of = |settings: &Settings, step: &Step| match canonical(settings, step) {
        Step::Set { path, key, text } => [&*path, ".", &key, "=", &text].concat(),
        Step::Call { path, method, .. } => [&*path, " ", method.name].concat(),
    };
    for (step, told) in [
        (set("/handler/main/files", "enabled", "off"), "/http/main.files=off"),
        (set("/handler/main/files", "match", "/"), "/handler/main/files.match=/"),
        (set("/handler/main/files", "enabled", "on"), "/http/main.files=on"),
        (set("/handler/main/a", "enabled", "off"), "/handler/main/a.enabled=off"),
        (set("/handler/none/files", "enabled", "off"), "/handler/none/files.enabled=off"),
        (call("/handler/main/files", "start"), "/http/main.files=on"),
        (call("/handler/main/files", "remove"), "/http/main.files=off"),
        (call("/handler/main/a", "remove"), "/handler/main/a remove"),
        (call("/http/main", "stop"), "/http/main.enabled=off"),
        (call("/http/main", "remove"), "/http/main remove"),
    ] {
        assert_eq!(of(&settings, &step), told);
    }
    assert!(edit(&mut settings, &call("/config", "add /handler/main/files match=/x")).is_ok());
    let step = set("/handler/main/files", "enabled", "off");
    assert_eq!(of(&settings, &step), "/handler/main/files.enabled=off");
}

#[test]
fn what_a_server_makes_of_its_own_settings_is_set_there() {
    let mut settings = settings();
    settings.servers[0].settings.auth_file = "/users".to_owned();
    settings.servers[0].settings.upload = "in".to_owned();
    for (name, key) in [("auth", "auth_file"), ("upload", "upload")] {
        let path = ["/handler/main/", name].concat();
        for step in
            [set(&path, "match", "/"), call(&path, "stop"), call(&path, "move last"), call(&path, "remove")]
        {
            let trouble = edit(&mut settings, &step).unwrap_err();
            let words = [": it is what ", key, " of /http/main makes it"].concat();
            assert!(
                trouble.code == Code::Conflict && trouble.message.contains(&words),
                "{}",
                trouble.message
            );
        }
    }
}

#[test]
fn a_server_that_is_added_says_what_it_serves() {
    let mut settings = settings();
    assert!(edit(&mut settings, &call("/config", "add /http/two listen=:82")).is_ok());
    let wrong = check(&settings);
    assert!(wrong.iter().any(|wrong| wrong.node.name == "two" && wrong.key == "root"), "{wrong:?}");
    // A later step of a transaction may say it.
    assert!(edit(&mut settings, &set("/http/two", "root", ".")).is_ok());
    assert!(check(&settings).is_empty());
}

#[test]
fn handlers_change_places() {
    for (line, expected) in [
        ("move first", "bac"),
        ("move last", "acb"),
        ("move before a", "bac"),
        ("move after c", "acb"),
        ("move before c", "abc"),
        ("remove", "ac"),
    ] {
        let mut settings = settings();
        assert!(edit(&mut settings, &call("/handler/main/b", line)).is_ok(), "{line}");
        assert_eq!(order(&settings), expected, "{line}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    let long = ["add /http/", &"n".repeat(NAME + 1)].concat();
    for (step, code, words) in [
        (set("loop", "a", "b"), Code::Syntax, "/KIND/NAME"),
        (set("/http/none", "root", "/"), Code::Missing, "no such node"),
        (set("/handler/main/none", "match", "/"), Code::Missing, "no such node"),
        (set("/handler/none", "match", "/"), Code::Missing, "no such node"),
        (set("/monitor/none", "legacy", "on"), Code::Missing, "no such node"),
        (set("/gorgon/x", "grace", "1s"), Code::Missing, "no such node"),
        (set("/loop", "turns", "1"), Code::Missing, "no such node"),
        (set("/http/main", "rot", "/"), Code::Unknown, "did you mean root"),
        (set("/http/main", "root", ""), Code::Invalid, "/http/main.root: expected a directory"),
        (set("/http/main", "write_buffer", "3K"), Code::Invalid, "expected"),
        (set("/gorgon", "poller", "poll"), Code::Refused, "start anew"),
        (call("/config", "add /http/main"), Code::Conflict, "is there already"),
        (call("/config", "add /handler/main/a"), Code::Conflict, "is there already"),
        (call("/config", "add /handler/none/a"), Code::Missing, "no such server"),
        (call("/config", "add /handler/a"), Code::Syntax, "/handler/SERVER/NAME"),
        (call("/config", "add /http/a*b"), Code::Invalid, "a name"),
        (call("/config", "add /http/a/b"), Code::Invalid, "a name"),
        (call("/config", &long), Code::Invalid, "a name"),
        (call("/config", "add /loop"), Code::Unknown, "of that kind"),
        (call("/config", "add /http/b root"), Code::Syntax, "KEY=VALUE"),
        (call("/config", "add /http/b rot=/"), Code::Unknown, "did you mean"),
        (call("/handler/main/a", "move"), Code::Syntax, "first, last"),
        (call("/handler/main/a", "move before"), Code::Syntax, "first, last"),
        (call("/handler/main/a", "move before a"), Code::Missing, "no such handler"),
        (call("/http/none", "remove"), Code::Missing, "no such node"),
        (call("/handler/main/files", "move first"), Code::Conflict, "what files of /http/main makes it"),
        (set("/handler/main/files", "match", "/z"), Code::Conflict, "what files of /http/main makes it"),
        (set("/handler/main/upload", "match", "/z"), Code::Missing, "no such node"),
        (call("/http/none", "stop"), Code::Missing, "no such node"),
        (call("/loop", "remove"), Code::Unknown, "no such method"),
    ] {
        let trouble = edit(&mut settings(), &step).unwrap_err();
        assert!(
            trouble.code == code && trouble.message.contains(words),
            "{}: {}",
            code.word(),
            trouble.message
        );
    }
    let mut settings = settings();
    for number in 1..NODES {
        assert!(edit(&mut settings, &call("/config", &format!("add /http/n{number}"))).is_ok());
    }
    let trouble = edit(&mut settings, &call("/config", "add /http/more")).unwrap_err();
    assert!(trouble.code == Code::Limit);
    let none = Step::Call { path: "/config".to_owned(), method: &ADD, words: vec![] };
    assert!(edit(&mut settings, &none).is_err());
}
