//! Texts before and after.

use super::*;

fn http(name: &str) -> NodeId {
    NodeId::new(NodeKind::Http, name)
}

/// Sets a value given as text, with both line ends, and has everything but it stay.
#[track_caller]
fn after(text: &str, key: &str, new: &str) -> String {
    let about = NodeKind::Http.find(key).unwrap();
    let value = about.unit.parse(new).unwrap();
    let changed = set(text, &http("main"), about, &value);
    // A text without a line end does not say which it has.
    if !text.contains('\n') {
        return changed;
    }
    let windows = set(&text.replace('\n', "\r\n"), &http("main"), about, &value);
    assert_eq!(windows, changed.replace('\n', "\r\n"));
    changed
}

#[test]
fn a_value_changes_alone() {
    for (before, key, new, changed) in [
        ("[http:main]\nroot = /\n", "root", "/srv", "[http:main]\nroot = /srv\n"),
        ("[http:main]\nroot=/ ; here\nindex=a", "root", "/srv", "[http:main]\nroot=/srv ; here\nindex=a"),
        ("[http:main]\nroot=/", "root", "/srv", "[http:main]\nroot=/srv\n"),
        ("[ http : main ] ; x\n\troot", "root", "/srv", "[ http : main ] ; x\n\troot\nroot = /srv\n"),
        ("[http:main]\nroot\t:  /  ;x\n", "root", "/a ;b", "[http:main]\nroot\t:  \"/a ;b\"  ;x\n"),
        ("[http:main]\nroot = \"/a ;b\"  ;x\n", "root", "/100%", "[http:main]\nroot = /100%%  ;x\n"),
        ("[http:main]\nupload = u ; x\n", "upload", "", "[http:main]\nupload =  ; x\n"),
        ("[http:main]\nupload = u\n", "upload", "", "[http:main]\nupload =\n"),
        ("[http:main]\nupload=\n", "upload", "u", "[http:main]\nupload= u\n"),
        ("[http:main]\nupload = ; x\n", "upload", "u", "[http:main]\nupload = u ; x\n"),
        ("[http:main]\nindex = a,\n  b\nroot=/\n", "index", "c", "[http:main]\nindex = c\nroot=/\n"),
    ] {
        assert_eq!(after(before, key, new), changed, "{before:?}");
    }
}

#[test]
fn a_new_key_goes_to_the_end_of_its_section() {
    for (before, changed) in [
        ("[http:main]\n", "[http:main]\nhidden = on\n"),
        ("[http:main]", "[http:main]\nhidden = on\n"),
        (
            "; top\n[http:main]\nroot = /\n\n; of the other\n[http:b]\nhidden = off\n",
            "; top\n[http:main]\nroot = /\nhidden = on\n\n; of the other\n[http:b]\nhidden = off\n",
        ),
        (
            "[http:b]\nhidden=off\n[http:main]\nlisten =\n  :80\n  :81 ; x\n\n",
            "[http:b]\nhidden=off\n[http:main]\nlisten =\n  :80\n  :81 ; x\nhidden = on\n\n",
        ),
        (
            "[http:main]\nroot=/\n;hidden = off\n;index = x\n",
            "[http:main]\nroot=/\n;hidden = off\nhidden = on\n;index = x\n",
        ),
        (
            "[http:main]\nroot=/\n# hidden  : off\n\n[gorgon]\n",
            "[http:main]\nroot=/\n# hidden  : off\nhidden = on\n\n[gorgon]\n",
        ),
        // No such section.
        ("[gorgon]\n", "[gorgon]\n"),
    ] {
        assert_eq!(after(before, "hidden", "on"), changed, "{before:?}");
    }
}

#[test]
fn rules_keep_their_lines() {
    let text =
        "[http:main]\nlisten =  ; all\n  ; the first\n  :80 ; one\n\t; the second\n\t:81\n\n  :82\nroot=/\n";
    for (new, changed) in [
        (":80,:81,:82", text.to_owned()),
        (":80,:82", text.replace("\t; the second\n\t:81\n", "")),
        (":80,:81,:82,:83 backlog=1", text.replace("  :82\n", "  :82\n  :83 backlog=1\n")),
        (":82,:81", "[http:main]\nlisten =  ; all\n\n  :82\n\t; the second\n\t:81\nroot=/\n".to_owned()),
        (":81", "[http:main]\nlisten =  ; all\n\t; the second\n\t:81\nroot=/\n".to_owned()),
        (":9", "[http:main]\nlisten = :9  ; all\nroot=/\n".to_owned()),
    ] {
        assert_eq!(after(text, "listen", new), changed, "{new}");
    }
    assert_eq!(
        after("[http:main]\nlisten = :80 ; x\nroot=/\n", "listen", ":80,:81"),
        "[http:main]\nlisten = :80 ; x\n  :81\nroot=/\n"
    );
    assert_eq!(
        after("[http:main]\nlisten = :80, :81\n", "listen", ":81,:82"),
        "[http:main]\nlisten =\n  :81\n  :82\n"
    );
    assert_eq!(after("[http:main]\n", "listen", ":81,:82"), "[http:main]\nlisten =\n  :81\n  :82\n");
}

#[test]
fn sections_come_and_go() {
    let handler = NodeId::new(NodeKind::Handler, "main/x");
    for (before, changed) in [
        ("", "[handler:main/x]\n"),
        ("[http:main]", "[http:main]\n\n[handler:main/x]\n"),
        ("[http:main]\n", "[http:main]\n\n[handler:main/x]\n"),
        ("[http:main]\n\n", "[http:main]\n\n[handler:main/x]\n"),
        ("[http:main]\r\nroot=/\r\n", "[http:main]\r\nroot=/\r\n\r\n[handler:main/x]\r\n"),
    ] {
        assert_eq!(add(before, &handler), changed, "{before:?}");
        assert!(has(changed, &handler) && !has(before, &handler));
    }
    // Behind what belongs to the last one of its server, or to that.
    for (before, behind) in [
        ("[http:main]\nroot=/\n; its end\n\n; two\n[http:two]\n", "; its end\n"),
        ("[http:main]\nroot=/\n\n[handler:main/a]\n;kind = files\n\n[http:two]\n", ";kind = files\n"),
        ("[handler:main/a]\nmatch=/a\n\n[http:main]\nroot=/\n\n[handler:mai/b]\n", "match=/a\n"),
        ("[ http : main ]\nroot=/\n\n[handler:main.x/b]\n\n; the end\n", "root=/\n"),
        ("[http:two]\n\n[handler : main/a]\nx=1\n\n; the end\n", "x=1\n"),
        ("[http:two]\n[http:mai]\n", "[http:mai]\n"),
    ] {
        let changed = before.replace(behind, &[behind, "\n[handler:main/x]\n"].concat());
        assert_eq!(add(before, &handler), changed, "{before:?}");
        let windows = add(&before.replace('\n', "\r\n"), &handler);
        assert_eq!(windows, changed.replace('\n', "\r\n"), "{before:?}");
    }
    assert_eq!(
        add("[http:main]\n; of two\n\n[http:two]\n", &http("x")),
        "[http:main]\n; of two\n\n[http:two]\n\n[http:x]\n"
    );
    assert_eq!(
        add("[http:main]\nroot=/\n; two\n[http:two]\n", &handler),
        "[http:main]\nroot=/\n\n[handler:main/x]\n; two\n[http:two]\n"
    );
    let text = "; top\n[http:main]\nroot=/\n; inside\nlisten=\n  :80\n\n; next\n[http:b]\nroot=/\n";
    assert_eq!(remove(text, &http("main")), "; next\n[http:b]\nroot=/\n");
    assert_eq!(remove(text, &http("b")), text.strip_suffix("\n; next\n[http:b]\nroot=/\n").unwrap());
    assert_eq!(remove(text, &http("c")), text);
}

#[test]
fn sections_change_places() {
    let text = "[http:m]\nroot=/\n\n; of x\n[handler:m/x]\nkind=files\n\n[handler:m/y]\n\n[gorgon]\n[handler:m/z]\nmatch=/z";
    let order = |names: &str| {
        let nodes: Vec<NodeId> = names.split(' ').map(|name| NodeId::new(NodeKind::Handler, name)).collect();
        reorder(text, &nodes)
    };
    assert_eq!(order("m/x m/y m/z"), text);
    assert_eq!(
        order("m/z m/x m/y"),
        "[http:m]\nroot=/\n\n[handler:m/z]\nmatch=/z\n\n; of x\n[handler:m/x]\nkind=files\n\n[gorgon]\n[handler:m/y]\n"
    );
}

#[test]
fn comments_go_with_the_section_that_they_stand_above() {
    let text = "[http:m]\nroot=/\n; of a\n;  and more\n[handler:m/a] ; a\nmatch=/a ; /a\n;kind = files\n; of b\n\
                [handler:m/b]\nmatch=/b\n; b ends\n\n; of none\n\n; of c\n[handler:m/c]\nmatch=/c\n; the end\n";
    let (a, b, c) = (
        "; of a\n;  and more\n[handler:m/a] ; a\nmatch=/a ; /a\n;kind = files\n",
        "; of b\n[handler:m/b]\nmatch=/b\n; b ends\n",
        "; of c\n[handler:m/c]\nmatch=/c\n",
    );
    let made = |order: [&str; 3]| {
        let [one, two, three] = order;
        ["[http:m]\nroot=/\n", one, two, "\n; of none\n\n", three, "; the end\n"].concat()
    };
    assert_eq!(made([a, b, c]), text);
    for (names, order) in [("c a b", [c, a, b]), ("b a c", [b, a, c]), ("c b a", [c, b, a])] {
        let nodes = names.split(' ').map(|name| NodeId::new(NodeKind::Handler, &["m/", name].concat()));
        let nodes: Vec<NodeId> = nodes.collect();
        // A comment at the end of a section is not to become that of the next one.
        let parted = [b, "\n"].concat();
        let order = order.map(|part| if part == b && order[1] != b { &*parted } else { part });
        assert_eq!(reorder(text, &nodes), made(order), "{names}");
        let windows = reorder(&text.replace('\n', "\r\n"), &nodes);
        assert_eq!(windows, made(order).replace('\n', "\r\n"), "{names}");
    }
    for (name, left) in [
        ("m/a", made(["", b, c])),
        ("m/b", made([a, "", c]).replace("\n\n; of none", "\n; of none")),
        ("m/c", made([a, b, ""])),
    ] {
        assert_eq!(remove(text, &NodeId::new(NodeKind::Handler, name)), left, "{name}");
    }
}

#[test]
fn comments_go_with_the_rule_that_they_stand_above() {
    let text =
        "[http:main]\nlisten = ; all\n  ; of none\n\n  ; one\n  :81 ; 1\n  ; two\n  :82\n  :83\nroot=/\n";
    for (new, changed) in [
        (":82,:83", text.replace("\n  ; one\n  :81 ; 1\n", "")),
        (
            ":82,:81,:83",
            text.replace("\n  ; one\n  :81 ; 1\n  ; two\n  :82\n", "")
                .replace("  ; of none\n", "  ; two\n  :82\n  ; of none\n\n  ; one\n  :81 ; 1\n"),
        ),
        (":81,:83", text.replace("  ; two\n  :82\n", "")),
    ] {
        assert_eq!(after(text, "listen", new), changed, "{new}");
    }
}

/// What is only changed is the same rule still.
#[test]
fn a_rule_that_says_something_else_keeps_its_comments() {
    let text = "[http:main]\nlisten =\n  ; here for all\n  127.0.0.1:80    ; first\n  ; for the sensors\n\
                \t127.0.0.1:81 write_buffer=512 ; sensors\n  ; gone\n\n  :82\n; after\nroot=/\n";
    for (new, changed) in [
        (
            "127.0.0.1:80,127.0.0.1:81 write_buffer=2K,:82",
            text.replace("write_buffer=512 ;", "write_buffer=2K ;"),
        ),
        (
            "127.0.0.1:80 backlog=1,127.0.0.1:81",
            text.replace(":80  ", ":80 backlog=1  ")
                .replace(" write_buffer=512 ;", " ;")
                .replace("  ; gone\n\n  :82\n", "")
                .replace("listen =\n", "listen =\n  ; gone\n"),
        ),
        (
            "127.0.0.1:81 backlog=1",
            text.replace("write_buffer=512", "backlog=1")
                .replace("  ; here for all\n  127.0.0.1:80    ; first\n", "")
                .replace("  ; gone\n\n  :82\n", "")
                .replace("listen =\n", "listen =\n  ; gone\n"),
        ),
    ] {
        assert_eq!(after(text, "listen", new), changed, "{new}");
    }
    for (before, new, changed) in [
        ("listen = :80 ; x\n", ":80 backlog=1", "listen = :80 backlog=1 ; x\n"),
        ("listen = :80 ; x\n  :81 ; y\n", ":80 backlog=1,:81", "listen = :80 backlog=1 ; x\n  :81 ; y\n"),
        ("listen = :80 backlog=1, :81 ; x\n", ":80,:81", "listen = :80 ; x\n  :81\n"),
        ("listen =\n  :80, :81 ; x\n", ":80,:81 backlog=1", "listen =\n  :80\n  :81 backlog=1\n"),
        ("listen =\n  \":80\" ; x\n", ":80 backlog=1", "listen =\n  :80 backlog=1 ; x\n"),
        ("listen = \"\"\n", ":80,:81", "listen =\n  :80\n  :81\n"),
    ] {
        let head = "[http:main]\n";
        assert_eq!(after(&[head, before].concat(), "listen", new), [head, changed].concat(), "{before:?}");
    }
}

/// As rules do, where each stands on a line. One of several items on a line has none of its own.
#[test]
fn items_of_a_list_keep_their_lines() {
    let text = "[http:main]\nindex = ; names\n  ; first\n  a.html, ; plain\n  ; older\n  b.htm, c.htm ; both\n\td.htm\nroot=/\n";
    for (new, changed) in [
        ("a.html,b.htm,c.htm,d.htm,e", text.replace("\td.htm\n", "\td.htm\n  e\n")),
        ("a.html,b.htm,c.htm", text.replace("\td.htm\n", "")),
        (
            "a.html,c.htm,d.htm",
            text.replace("  ; older\n  b.htm, c.htm ; both\n", "  c.htm\n")
                .replace("; names\n", "; names\n  ; older\n"),
        ),
        (
            "d.htm,b.htm,c.htm,a.html",
            "[http:main]\nindex = ; names\n\td.htm\n  ; older\n  b.htm, c.htm ; both\n  ; first\n  a.html ; plain\nroot=/\n"
                .to_owned(),
        ),
        ("x", "[http:main]\nindex = x ; names\n  ; older\nroot=/\n".to_owned()),
        ("", "[http:main]\nindex = ; names\n  ; older\nroot=/\n".to_owned()),
    ] {
        assert_eq!(after(text, "index", new), changed, "{new}");
    }
    for (before, new, changed) in [
        ("index = a, b, ; two\n  ; three\n  c\n", "a,b,d,c", "index = a, b, ; two\n  d\n  ; three\n  c\n"),
        ("index = a, b, ; two\n  ; three\n  c\n", "a,b", "index = a, b ; two\n"),
        ("index = a ; one\n  b,\n", "a,c", "index = a ; one\n  c\n"),
        ("index = a ; is \"so\"\n", "b\"c", "index = \"b\\\"c\" ; is \"so\"\n"),
        ("index = a,\n  \"b,\" ; two\n  c\n", "a,b", "index = a,\n  b ; two\n"),
        ("index = a, b ; both\n", "a,b,c", "index = a,b,c ; both\n"),
    ] {
        let head = "[http:main]\n";
        assert_eq!(after(&[head, before].concat(), "index", new), [head, changed].concat(), "{before:?}");
    }
    let ended = "[http:main]\nlisten =\n  ; one\n  :80,\n  ; two\n  :81\n";
    assert_eq!(after(ended, "listen", ":80,:82"), ended.replace("  ; two\n  :81", "  :82"));
}
