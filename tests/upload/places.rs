//! Where files may go, which pages may send them, and what the page is that sends them.

use super::common::{Server, gorgon};
use super::{ask, has_draft, names, put, served, site};
use std::path::Path;
use std::process::Stdio;

#[test]
fn nothing_outside_is_written() {
    let (directory, root, _) = served(&[]);
    let link = std::os::unix::fs::symlink::<&str, _>;
    link("../../outside", root.join("in/out")).unwrap();
    link("../../outside/secret", root.join("in/file")).unwrap();
    link("/tmp", root.join("in/tmp")).unwrap();
    link("..", root.join("in/up")).unwrap();
    link("new", root.join("in/dangling")).unwrap();
    link("sub", root.join("in/inner")).unwrap();
    for symlinks in ["never", "inside", "all"] {
        let server = Server::start(&root, &["--upload", "in", &format!("--http.main.symlinks={symlinks}")]);
        for (target, status) in [
            ("/in/../x", 405),
            ("/in/%2e%2e/x", 405),
            ("/in/%2e%2e/%2e%2e/x", 400),
            ("/in/../../outside/x", 400),
            ("/in/..%2fx", 404),
            ("/in/sub/../../index.html", 405),
            ("/in/a%00b", 400),
            ("/in//../x", 405),
            ("/in/file", 403),
            ("/in/dangling", 403),
            ("/in/out", 403),
            ("/in/out/x", if symlinks == "all" { 201 } else { 403 }),
            ("/in/tmp/gorgon-none/x", if symlinks == "all" { 409 } else { 403 }),
            ("/in/up/x", if symlinks == "all" { 201 } else { 403 }),
            ("/in/inner/y", if symlinks == "never" { 403 } else { 201 }),
        ] {
            let reply = put(&server, target, "", b"x");
            assert_eq!(reply.status, status, "{symlinks} {target}");
        }
        if symlinks != "all" {
            assert_eq!(names(&directory.path().join("outside")), ["secret"]);
            assert_eq!(names(&root), ["in", "index.html"]);
        }
        let _ = std::fs::remove_file(root.join("in/sub/y"));
    }
    assert_eq!(std::fs::read(directory.path().join("outside/secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read(root.join("index.html")).unwrap(), b"<p>index");
}

#[test]
fn pages_of_other_origins() {
    let (_directory, _root, server) = served(&[]);
    let foreign = "Origin: http://evil\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(put(&server, "/in/x", foreign, b"x").status, 403);
    assert_eq!(server.get("/in/x").status, 404);
    let asked = "Origin: http://evil\r\nAccess-Control-Request-Method: PUT\r\n";
    assert_eq!(ask(&server, "OPTIONS", "/in/x", asked, b"").field("access-control-allow-origin"), None);
    let (_directory, _root, server) = served(&["--cors"]);
    let allowed = ask(&server, "OPTIONS", "/in/x", asked, b"");
    assert_eq!(allowed.field("access-control-allow-origin").as_deref(), Some("*"));
    assert_eq!(allowed.field("access-control-allow-methods").as_deref(), Some("GET, HEAD, PUT, OPTIONS"));
    let reply = put(&server, "/in/x", foreign, b"x");
    assert_eq!((reply.status, reply.field("access-control-allow-origin").as_deref()), (201, Some("*")));
    let elsewhere = ask(&server, "OPTIONS", "/", asked, b"");
    assert_eq!(elsewhere.field("access-control-allow-methods").as_deref(), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn the_page_has_a_form_where_files_can_be_uploaded() {
    let (_directory, root, server) = served(&[]);
    std::fs::write(root.join("in/<script>alert(1)<"), "x").unwrap();
    std::fs::create_dir(root.join("other")).unwrap();
    for target in ["/in/", "/in/sub/"] {
        let page = server.get(target);
        let text = String::from_utf8_lossy(&page.body);
        assert!(text.contains("type=\"file\" multiple") && text.contains("<noscript>"), "{target}");
        assert!(text.contains("<table>") && text.ends_with("</html>\n"));
        assert_eq!(text.matches("<script").count(), 1);
        let policy = page.field("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("script-src 'sha256-"));
        assert!(!policy.contains("script-src 'unsafe"));
    }
    let other = server.get("/other/");
    assert!(!String::from_utf8_lossy(&other.body).contains("script"));
    assert!(!other.field("content-security-policy").unwrap().contains("script"));
    let json = ask(&server, "GET", "/in/", "Accept: application/json\r\n", b"");
    assert!(json.body.starts_with(b"[") && !String::from_utf8_lossy(&json.body).contains("noscript"));
    // Without listings there are no names.
    let server = Server::start(&root, &["--upload", "in", "--no-listing"]);
    let page = server.get("/in/");
    let text = String::from_utf8_lossy(&page.body);
    assert_eq!(page.status, 200);
    assert!(text.contains("type=\"file\"") && !text.contains("old.txt") && !text.contains("<table>"));
    assert!(page.field("content-security-policy").unwrap().contains("sha256-"));
    assert_eq!(server.get("/other/").status, 403);
    assert_eq!(server.get("/in/none/").status, 404);
}

#[test]
fn where_the_directory_may_be() {
    let (directory, root) = site();
    let top = directory.path();
    let start = |from: &Path, arguments: &[&str]| {
        let mut command = gorgon();
        command.current_dir(from).args(["-l", "127.0.0.1:0"]).args(arguments);
        Server::spawn(command)
    };
    for (from, arguments, target) in [
        (&root, &["--upload", ".", "."][..], "/a"),
        (&root, &["--upload=."], "/a"),
        (&root, &["--upload", "in"], "/in/a"),
        (&top.to_path_buf(), &["root", "--upload", "root/in"], "/in/a"),
        (&top.to_path_buf(), &["root", "--upload", "in"], "/in/a"),
        (&top.to_path_buf(), &["root", "--upload", "in/sub/"], "/in/sub/a"),
        (&top.to_path_buf(), &["root", "--upload", root.join("in").to_str().unwrap()], "/in/a"),
        (&top.to_path_buf(), &["root/", "--http.main.upload=./in/../in"], "/in/a"),
    ] {
        let server = start(from, arguments);
        assert!(server.report.contains("Uploads to /"), "{}", server.report);
        assert!(matches!(put(&server, target, "", b"x").status, 201 | 204), "{arguments:?}");
        let above = Path::new(target).parent().unwrap().parent().map(|above| above.join("a"));
        if let Some(above) = above {
            assert_eq!(put(&server, above.to_str().unwrap(), "", b"x").status, 405, "{arguments:?}");
        }
    }
    std::os::unix::fs::symlink("../outside", root.join("leads_out")).unwrap();
    std::fs::create_dir(root.join(".hidden")).unwrap();
    for (arguments, why) in [
        (&["root", "--upload", "none"][..], "no such thing"),
        (&["root", "--upload", "outside"], "no such thing"),
        (&["root", "--upload", ".."], "no such thing"),
        (&["root", "--upload", "/"], "no such thing"),
        (&["root", "--upload", "leads_out"], "no such thing"),
        (&["root", "--upload", "index.html"], "not a directory"),
        (&["root", "--upload", ".hidden"], "--hidden"),
        (&["root/index.html", "--upload", "."], "needs a directory"),
    ] {
        let output = gorgon().current_dir(top).args(arguments).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {said}");
        assert!(said.contains(why) && said.contains("--upload"), "{arguments:?} {said}");
        assert!(said.lines().count() <= 2, "{said}");
    }
    let server = Server::start(&root, &["--upload", ".hidden", "--hidden"]);
    assert_eq!(put(&server, "/.hidden/x", "", b"x").status, 201);
    assert!(!has_draft(&root) && !has_draft(&root.join("in")));
}
