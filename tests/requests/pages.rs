//! Pages of errors: each client gets the form it asks for, and no more than a status in it.

use super::*;

fn ask(server: &Server, method: &str, target: &str, accept: &str, status: u16) -> Reply {
    let accept = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
    check(server, format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{accept}\r\n").as_bytes(), status, Kept)
}

#[test]
fn by_what_the_client_takes() {
    let site = site();
    let server = Server::start(site.path(), &["--no-listing"]);
    let html = "text/html; charset=utf-8";
    let text = "text/plain; charset=utf-8";
    for (accept, media_type) in [
        ("", text),
        ("*/*", text),
        ("image/avif,image/webp,*/*;q=0.8", text),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", html),
        ("application/json", "application/json"),
        ("text/html;q=0.8, application/json", "application/json"),
    ] {
        for (target, status) in [("/none<script>", 404), ("/d", 301), ("/d/", 403)] {
            let reply = ask(&server, "GET", target, accept, status);
            has(&reply, &[("Content-Type", media_type), ("Vary", "Accept")]);
            let policy = (media_type == html).then(|| "default-src 'none'".to_owned());
            assert_eq!(reply.field("content-security-policy"), policy);
            assert!(!String::from_utf8_lossy(&reply.body).contains("script"));
            // HEAD is the same without the page.
            let head = ask(&server, "HEAD", target, accept, status);
            assert_eq!(undated(&head), undated(&reply));
        }
        has(&ask(&server, "POST", "/f", accept, 405), &[("Content-Type", media_type)]);
    }
    let page = |accept| String::from_utf8(ask(&server, "GET", "/none", accept, 404).body).unwrap();
    assert_eq!(page("*/*"), "404 Not Found\n");
    assert_eq!(page("application/json"), "{\"status\":404,\"error\":\"Not Found\"}\n");
    assert!(page("text/html").contains("<p>There is nothing at this address."));
    // What is no request is answered in one line, whatever it says that it takes.
    let refused = check(&server, b"GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n", 400, Closed);
    assert_eq!(refused.body, b"400 Bad Request\n");
}
