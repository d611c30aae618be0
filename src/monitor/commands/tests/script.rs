//! What is asked and what is answered.

use super::*;
use crate::monitor::verbs::verbs;

#[test]
fn looking() {
    let mut peer = Peer::new(Role::View);
    let version = env!("CARGO_PKG_VERSION");
    let row = "protocol=1 pid=4711 role=view who=\"anna from 127.0.0.1\"";
    assert_eq!(peer.ask("hello"), format!("/process version={version} {row}\nok\n"));
    let row = "\"protocol\":1,\"pid\":4711,\"role\":\"view\",\"who\":\"anna from 127.0.0.1\"";
    assert_eq!(
        peer.ask("json hello"),
        format!("{{\"path\":\"/process\",\"version\":\"{version}\",{row}}}\nok\n")
    );
    peer.script(&[
        ("", ""),
        ("  ", ""),
        ("# a remark", ""),
        ("ls", "/process\n/loop\n/config\n/http\n/handler\n/connection\nok\n"),
        ("ls /http", "/http/main\n/http/v1.local\nok\n"),
        ("ls /http/*", "/http/main\n/http/v1.local\nok\n"),
        ("ls /", "/process\n/loop\n/config\n/http\n/handler\n/connection\nok\n"),
        ("ls /http/main", "ok\n"),
        ("ls /handler/main", "/handler/main/files\n/handler/main/status\nok\n"),
        ("ls /handler/main/*", "/handler/main/files\n/handler/main/status\nok\n"),
        ("ls /handler/main/files", "ok\n"),
        ("ls /handler/mian", "error missing there is no /handler/mian\n"),
        ("ls /handler/mai", "error missing there is no /handler/mai\n"),
        ("ls /loop", "ok\n"),
        ("ls /connection", "ok\n"),
        ("json ls /handler", "{\"path\":\"/handler/main/files\"}\n{\"path\":\"/handler/main/status\"}\nok\n"),
        ("ls http", "error syntax expected a path such as /http/main, not http\n"),
        ("ls /htp", "error unknown no kind is named htp; did you mean http?\n"),
        ("ls /http/mian", "error missing there is no /http/mian\n"),
        ("ls /loop/x", "error missing there is no /loop/x\n"),
        ("ls /http x", "error syntax expected the end, not x\n"),
        ("get /process", "/process.version=0.1\n/process.pid=4711\nok\n"),
        ("get /loop", "/loop.turns=1000000\n/loop.slowest=-\nok\n"),
        ("json get /loop", "{\"path\":\"/loop\",\"turns\":1000000,\"slowest\":null}\nok\n"),
        ("get /loop.turns", "/loop.turns=1000000\nok\n"),
        ("get /http/main root clients", "/http/main.root=.\n/http/main.clients=\"\"\nok\n"),
        ("get /http/main.root", "/http/main.root=.\nok\n"),
        ("get /http/v1.local root", "/http/v1.local.root=.\nok\n"),
        ("get /http/v1.local.root", "/http/v1.local.root=.\nok\n"),
        ("get /http/* write_buffer", "/http/main.write_buffer=16K\n/http/v1.local.write_buffer=16K\nok\n"),
        ("get /http/*.hidden", "/http/main.hidden=off\n/http/v1.local.hidden=off\nok\n"),
        (
            "json get /http/* write_buffer hidden idle_timeout",
            "{\"path\":\"/http/main\",\"write_buffer\":16384,\"hidden\":false,\"idle_timeout\":60}\n\
             {\"path\":\"/http/v1.local\",\"write_buffer\":16384,\"hidden\":false,\"idle_timeout\":60}\nok\n",
        ),
        ("get /connection/*", "ok\n"),
        ("get", "error syntax expected a path\n"),
        ("get /http", "error syntax expected /http/NAME or /http/*\n"),
        ("get /http/", "error syntax expected a path such as /http/main, not /http/\n"),
        ("get /loop/x", "error missing there is no /loop/x\n"),
        ("get /http/mian", "error missing there is no /http/mian\n"),
        ("get /http/v2.local", "error missing there is no /http/v2.local\n"),
        ("get /nothing", "error unknown no kind is named nothing\n"),
        ("get /http/main rot", "error unknown http has no attribute rot; did you mean root?\n"),
        ("get /http/main.rot", "error unknown http has no attribute rot; did you mean root?\n"),
        ("format json", "ok\n"),
        ("get /loop slowest", "{\"path\":\"/loop\",\"slowest\":null}\nok\n"),
        ("kv get /loop slowest", "/loop.slowest=-\nok\n"),
        ("format xml", "error syntax expected kv or json\n"),
        ("format kv x", "error syntax expected the end, not x\n"),
        ("format kv", "ok\n"),
        ("json", "error syntax expected a verb; help lists them\n"),
        ("eval 1", "error unknown no verb is named eval; help lists them\n"),
        ("gte /loop", "error unknown no verb is named gte; did you mean get?\n"),
        ("get \"/loop", "error syntax expected a closing \"\n"),
        ("get /loop | close", "error syntax expected no | but behind find\n"),
        ("\"ls\" '/config'", "ok\n"),
        ("get \"/x\\x1b\"", "error unknown no kind is named x\\x1b\n"),
    ]);
    assert!(peer.due.is_none() && peer.sessions.is_idle());
    assert_eq!(peer.session().refused, 0);
    let (commands, refused) = peer.session().take_counters();
    assert!(commands > 40 && refused == 0);
    assert_eq!(peer.session().take_counters(), (0, 0));
}

#[test]
fn finding() {
    let mut peer = Peer::with(Role::View, MemoryTree::new().with_connections(12), 64 << 10);
    peer.script(&[
        (
            "find connection where idle > 9s",
            "/connection/10-70 server=main peer=10.0.0.10 state=idle idle=10s sent=100 user=\"anna b\" \
             write_buffer=16K traced=off\n\
             /connection/11-77 server=main peer=10.0.0.11 state=idle idle=11s sent=110 user=- write_buffer=16K \
             traced=off\nok\n",
        ),
        (
            "json find /connection where idle>=10s and user=\"anna b\" show user,idle",
            "{\"path\":\"/connection/10-70\",\"user\":\"anna b\",\"idle\":10}\nok\n",
        ),
        ("find connection where idle > 1h", "ok\n"),
        (
            "find connection show peer limit 2",
            "/connection/0-0 peer=10.0.0.0\n/connection/1-7 peer=10.0.0.1\nok\n",
        ),
        (
            "find connection where state = busy show idle sort -idle",
            "/connection/8-56 idle=8s\n/connection/4-28 idle=4s\n/connection/0-0 idle=0s\nok\n",
        ),
        (
            "find connection sort -sent limit 2 show sent",
            "/connection/11-77 sent=110\n/connection/10-70 sent=100\nok\n",
        ),
        (
            "find connection sort user limit 4 show user",
            "/connection/0-0 user=\"anna b\"\n/connection/5-35 user=\"anna b\"\n\
             /connection/10-70 user=\"anna b\"\n/connection/1-7 user=-\nok\n",
        ),
        ("find connection sort -user limit 1 show user", "/connection/0-0 user=\"anna b\"\nok\n"),
        ("find connection limit 0", "ok\n"),
        ("find connection sort idle limit 0", "ok\n"),
        ("find loop show turns", "/loop turns=1000000\nok\n"),
        ("find loop where turns < 5", "ok\n"),
        ("find", "error syntax expected a kind\n"),
        ("find conection", "error unknown no kind is named conection; did you mean connection?\n"),
        ("find http where", "error syntax expected an attribute\n"),
        ("find http where rot = 1", "error unknown http has no attribute rot; did you mean root?\n"),
        ("find http where write_buffer > 1x", "error invalid write_buffer: expected a size such as 4K\n"),
        ("find http where root", "error syntax expected = != < <= > >= or ~ behind root\n"),
        ("find http where (hidden", "error syntax expected and, or or )\n"),
        ("find http where hidden hidden", "error syntax expected the end, not hidden\n"),
        ("find http show root,", "error unknown http has no attribute \n"),
        ("find http show", "error syntax expected attributes behind show\n"),
        ("find http sort", "error syntax expected an attribute behind sort\n"),
        ("find http sort rot", "error unknown http has no attribute rot; did you mean root?\n"),
        ("find http limit -1", "error invalid expected a number behind limit, not -1\n"),
        ("find http limit", "error syntax expected a number behind limit\n"),
        ("find http every 1s", "error syntax expected the end, not every\n"),
        ("find http |", "error syntax expected a method or set behind |\n"),
        ("find connection | clos", "error unknown connection has no method clos; did you mean close?\n"),
        ("find connection | close", "error refused close is for the role operate; yours is view\n"),
        ("find http | set root=/x", "error refused root is for the role admin; yours is view\n"),
    ]);
    assert_eq!(peer.tree.count("connection"), 12);
    let deep = ["find http where ", &"(".repeat(17), "hidden"].concat();
    assert_eq!(peer.ask(&deep), "error limit an expression goes at most 16 levels deep\n");
    let long = ["find http where hidden", &" or hidden".repeat(64)].concat();
    assert_eq!(peer.ask(&long), "error limit an expression has at most 64 comparisons\n");
    assert_eq!(peer.ask(long.strip_suffix(" or hidden").unwrap()), "ok\n");
}

#[test]
fn help_and_schema() {
    let mut peer = Peer::new(Role::View);
    let all = peer.ask("help");
    for verb in verbs() {
        assert!(all.contains(&["\n  ", verb.name, " "].concat()) || all.starts_with("  hello "), "{all}");
        let help = peer.ask(&["help ", verb.name].concat());
        assert!(help.starts_with(&["  ", verb.name].concat()) && help.ends_with("\nok\n"), "{help}");
        // It is known to those who do commands too.
        if !matches!(verb.name, "kv" | "json" | "help") {
            let answer = peer.ask(&["@x ", verb.name, " \"\" \"\" \"\""].concat());
            assert!(answer.contains("=x ") && !answer.contains(" verb"), "{answer}");
        }
    }
    assert!(all.contains("\n  kinds: process loop config http handler connection\n"), "{all}");
    peer.script(&[
        (
            "help http",
            "  http: A server.\n\
             \x20 enabled=SWITCH          Serve at all\n\
             \x20 root=TEXT               The directory that is served\n\
             \x20 write_buffer=BUFFER     Room for output\n\
             \x20 idle_timeout=TIME       How long a connection may wait for its next request\n\
             \x20 hidden=SWITCH           Serve names that begin with a dot\n\
             \x20 clients=LIST            Rules for some clients\n\
             \x20 requests=COUNT          Requests answered\n\
             \x20 call .. stop            Do it\n\
             \x20 call .. drain           Do it\nok\n",
        ),
        (
            "help http.write_buffer",
            "  http.write_buffer=BUFFER: Room for output. It is lent while a reply does not\n\
             \x20   fit.\n\
             \x20 It takes a power of two from 512 to 1M, such as 64K, or a range such as\n\
             \x20   auto:4K..256K; its default is 16K. The role operate may set it.\nok\n",
        ),
        (
            "help http.stop",
            "  call /http/NAME stop\n    Do it. It is done at once.\n    The role admin may do it.\nok\n",
        ),
        ("help http.requests", "  http.requests=COUNT: Requests answered.\n  It is a fact; nobody sets it.\nok\n"),
        (
            "json help unwatch",
            "{\"text\":\"unwatch [TAG]\"}\n{\"text\":\"  End the watch of that tag, or all.\"}\nok\n",
        ),
        ("help hlp", "error unknown no verb is named hlp; did you mean help?\n"),
        ("help htp.x", "error unknown no kind is named htp; did you mean http?\n"),
        ("help http.rot", "error unknown http has no attribute rot; did you mean root?\n"),
        ("help a b", "error unknown no verb is named a; help lists them\n"),
        ("help get x", "error syntax expected the end, not x\n"),
        (
            "schema handler",
            "/schema/handler named=on help=\"A handler.\"\n\
             /schema/handler.match unit=text default=/ role=admin live=on fact=off counter=off \
             help=\"The path it answers below.\"\n\
             /schema/handler.enabled unit=switch default=on role=admin live=on fact=off counter=off \
             help=\"Whether it answers.\"\n\
             /schema/handler move args=\"first | last | before NAME | after NAME\" role=admin configures=on \
             help=\"Do it. It is done at once.\"\n\
             /schema/handler remove args=\"\" role=admin configures=on help=\"Do it. It is done at once.\"\nok\n",
        ),
        ("schema handlers", "error unknown no kind is named handlers; did you mean handler?\n"),
        ("schema http x", "error syntax expected the end, not x\n"),
    ]);
    let schema = peer.ask("json schema");
    assert!(schema.contains(
        "{\"path\":\"/schema/connection.state\",\"unit\":\"choice\",\"choices\":[\"idle\",\"busy\"],"
    ));
    assert!(
        schema.contains("{\"path\":\"/schema/connection\",\"method\":\"close\",\"args\":\"\","),
        "{schema}"
    );
    assert_eq!(schema.lines().count(), 6 + 22 + 11 + 1);
    for text in [all, peer.ask("help connection")] {
        for line in text.lines() {
            assert!(line.len() <= render::WIDTH && (line.starts_with("  ") || line == "ok"), "{line}");
        }
    }
}

#[test]
fn the_log() {
    let mut peer = Peer::new(Role::View);
    peer.script(&[("log", "ok\n"), ("log 5", "ok\n")]);
    for number in 0..100_u32 {
        peer.tree.note(&["event ", &number.to_string(), "\u{7}"]);
    }
    peer.script(&[
        ("log 2", "  event 98\\x07\n  event 99\\x07\nok\n"),
        ("json log 1", "{\"number\":99,\"text\":\"event 99\\u0007\"}\nok\n"),
        ("log 0", "ok\n"),
        ("log x", "error invalid expected a number of events, not x\n"),
        ("log 1 x", "error syntax expected the end, not x\n"),
    ]);
    assert_eq!(peer.ask("log").lines().count(), 21);
    // More than one step gives, and more than are kept.
    let all = peer.ask("log 1000");
    assert_eq!(all.lines().count(), 65);
    assert!(all.starts_with("  event 36\\x07\n  event 37"), "{all}");
}

#[test]
fn tags_and_batches() {
    let mut peer = Peer::new(Role::View);
    peer.script(&[
        ("@1 ls /loop", "=1 ok 0\n"),
        ("@a.b get /loop slowest", "=a.b ok 16\n/loop.slowest=-\n"),
        ("@x eval", "=x unknown 38\nno verb is named eval; help lists them"),
        (
            "get /loop slowest; @t get /loop slowest ;; eval; ls /loop;",
            "/loop.slowest=-\nok\n=t ok 16\n/loop.slowest=-\nerror unknown no verb is named eval; help lists them\nok\n",
        ),
        ("ls '/a;b'; ls /loop", "error unknown no kind is named a;b\nok\n"),
        (";", ""),
        ("@ ls", "error syntax expected after @ a tag of 1 to 32 letters, digits, _ . or -\n"),
        ("@x", "=x syntax 32\nexpected a verb; help lists them"),
        ("@1 ls /loop\r\nls /loop", "=1 ok 0\nok\n"),
        ("@1 ls /loop; @2 quit; @3 hello", "=1 ok 0\n=2 ok 0\n"),
    ]);
}
