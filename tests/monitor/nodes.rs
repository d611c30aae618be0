//! What the nodes of the real program take, and what they say when they do not.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use crate::common::give;
use crate::host::{Host, site};
use crate::session::talk;

/// The last line of what a line is answered.
fn last(host: &Host, line: &str) -> String {
    let told = talk(&host.socket(), [line, "\n"].concat());
    told.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_server_is_added_with_what_it_serves_or_not_at_all() {
    let host = Host::with("", "");
    let root = host.directory.path().join("site");
    let root = root.display();
    assert_eq!(
        last(&host, "call /config add /http/two listen=127.0.0.1:0"),
        "error conflict /http/two.root: expected the directory or file to serve"
    );
    assert_eq!(last(&host, "get /http/two"), "error missing there is no /http/two");
    let add = "begin; call /config add /http/two listen=127.0.0.1:0";
    assert_eq!(last(&host, &format!("{add}; set /http/two root={root}; commit")), "ok");
    assert_eq!(last(&host, "call /config add /http/three listen=127.0.0.1:0 root=."), "ok");
}

#[test]
fn the_files_of_a_server_stay_to_be_seen() {
    let host = Host::with("", "[handler:main/x]\nkind = health\nmatch = /x");
    let listed = "/handler/main/x\n/handler/main/files\nok\n";
    assert_eq!(talk(&host.socket(), "ls /handler\n"), listed);
    assert_eq!(last(&host, "call /handler/main/files stop"), "ok");
    assert_eq!(host.server.get("/a.txt").status, 404);
    assert_eq!(talk(&host.socket(), "ls /handler/main\n"), listed);
    assert_eq!(
        talk(&host.socket(), "find handler where server = main and not enabled show server,kind,asked\n"),
        "/handler/main/files server=main kind=files asked=-\nok\n"
    );
    let why = "error conflict /handler/main/files: it is what files of /http/main makes it, and where; add a handler \
               to have another";
    assert_eq!(last(&host, "call /handler/main/files move first"), why);
    assert_eq!(last(&host, "set /handler/main/files match=/z"), why);
    assert_eq!(
        last(&host, "find handler where kind = files | set match=/z"),
        "error conflict /handler/main/files has no match to set"
    );
    assert_eq!(last(&host, "call /handler/main/files start"), "ok");
    assert_eq!(host.server.get("/a.txt").status, 200);
    assert_eq!(
        talk(&host.socket(), "get /handler/main/files.enabled\n"),
        "/handler/main/files.enabled=on\nok\n"
    );
    // One that is stopped has it too.
    assert_eq!(last(&host, "call /http/main drain"), "ok");
    assert_eq!(talk(&host.socket(), "ls /handler\n"), listed);
}

#[test]
fn what_is_set_of_all_is_set_of_those_that_have_it() {
    let host = Host::with("", "");
    assert_eq!(
        talk(
            &host.socket(),
            "find listener | set write_buffer=8K; find listener where server = main show write_buffer\n"
        )
        .lines()
        .filter(|line| !line.starts_with("/listener/127"))
        .collect::<Vec<_>>(),
        ["/listener found=2 done=1", "ok", "ok"]
    );
    assert!(
        talk(&host.socket(), "find listener where write_buffer = 8K show server\n").contains("server=main")
    );
    assert_eq!(
        last(&host, "find listener where server != main | set write_buffer=8K").split(' ').nth(1),
        Some("conflict")
    );
    // The level of the log, as the switches that it goes before.
    assert_eq!(last(&host, "set /gorgon log_level=debug"), "ok");
    // Networks stand for the addresses of theirs.
    let mut client = host.server.connect();
    client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let found = |line: &str| talk(&host.socket(), [line, "\n"].concat()).matches("server=").count();
    assert!((0..10_000).any(|_| found("find connection where server = main show server") == 1));
    assert_eq!(found("find connection where peer = 127.0.0.0/8 show server"), 1);
    assert_eq!(found("find connection where peer != 127.0.0.0/8 show server"), 1);
}

#[test]
fn words_that_a_method_does_not_take_do_nothing() {
    let host = Host::with("", "");
    for line in [
        "call /http/main stop for 2s",
        "call /http/main remove if-empty",
        "call /monitor/main stop x",
        "call /http/main start x",
    ] {
        assert!(last(&host, line).starts_with("error syntax "), "{line}");
        assert!(last(&host, line).ends_with(" takes no words"), "{line}");
    }
    assert_eq!(host.server.get("/a.txt").status, 200);
}

/// Reads to the end of a head.
fn read_head(client: &mut std::net::TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(0);
        let last = head.len() - 1;
        client.read_exact(&mut head[last..]).unwrap();
    }
}

#[test]
fn who_downloads_what_is_told_while_it_goes_out() {
    const LENGTH: usize = 40 << 20;
    let directory = site();
    let huge = std::fs::File::create(directory.path().join("site/huge")).unwrap();
    huge.set_len(LENGTH as u64).unwrap();
    // The password is pw.
    let users = directory.file("users", "bob:$5$saltsalt$0rl.MZtoLLPP3X0Rdl8riRnphIcAXJY27/aOAyK2hB5\n");
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o600)).unwrap();
    give(&users);
    let place = directory.path().display();
    let more =
        format!("[http:drop]\nlisten = 127.0.0.1:0\nroot = {place}/site\nauth_file = {}\n", users.display());
    let host = Host::on(directory, "", &more);
    let mut session = host.session();
    let listeners = session.ask("find listener where server = drop show server");
    let address = listeners.strip_prefix("/listener/").and_then(|rest| rest.split_once(' ')).unwrap().0;
    let seen = "find connection where server = drop show state,request,login";
    for sendfile in ["on", "off"] {
        session.ask(&format!("set /http/drop sendfile={sendfile}"));
        let mut client = std::net::TcpStream::connect(address).unwrap();
        client.write_all(b"GET /huge HTTP/1.1\r\nHost: h\r\nAuthorization: Basic Ym9iOnB3\r\n\r\n").unwrap();
        // It has begun, and more is to come than sockets hold.
        read_head(&mut client);
        let told = session.ask(seen);
        assert!(told.ends_with(" state=writing request=\"GET /huge HTTP/1.1\" login=bob\n"), "{told}");
        let body = &mut vec![0; LENGTH];
        client.read_exact(body).unwrap();
        let told = session.ask(seen);
        assert!(told.ends_with(" state=idle request=- login=-\n"), "{told}");
        // Nobody looks at the password of a request that no handler sees; bob's was right, eve's is not known.
        let options =
            b"OPTIONS * HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ZXZlOng=\r\nContent-Length: 9\r\n\r\n";
        client.write_all(options).unwrap();
        read_head(&mut client);
        let told = session.ask(seen);
        assert!(told.ends_with(" request=\"OPTIONS * HTTP/1.1\" login=-\n"), "{told}");
        drop(client);
        assert!((0..10_000).any(|_| !session.ask(seen).contains("state=")));
    }
}
