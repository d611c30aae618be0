//! Who is in while the rules change that they were let in by.

use super::*;

#[test]
fn who_is_in_goes_by_the_rules_that_hold() {
    let mut host = Host::new(false);
    let mut client = host.unix();
    client.say("begin\n");
    host.heard(&mut client, "ok\n");
    let mut anna = host.tcp();
    let greeting = host.heard(&mut anna, "\n");
    anna.say(strong(&greeting, "anna", "secret"));
    host.heard(&mut anna, "ok operate ");
    // The same rules change nothing.
    host.change(access(false));
    client.say("commit\n");
    assert_eq!(host.heard(&mut client, "ok\n"), "ok\n");
    let mut text = String::new();
    print_line("anna", Role::View, b"other", b"12345678", 4096, &mut text);
    let keys = Keys::parse(text.as_bytes()).ok().unwrap();
    client.say("begin\n");
    host.heard(&mut client, "ok\n");
    host.change(Access { keys: Some(KeyFile::in_memory(keys)), ..access(false) });
    host.until("less", |world| world.sessions.iter().any(|(_, one)| one.actor().role == Role::View));
    // Root has a role but where its number means nobody in particular.
    let mut roles = Roles::default();
    roles.leave_out(Unmapped::read((Some(b""), Some(b"")), privilege::identity()));
    host.change(Access { roles, keys: None, ..access(false) });
    assert!(host.rest(&mut client).ends_with("error refused you have no role any more\n"));
    anna.say("format kv\n");
    host.heard(&mut anna, "ok\n");
    host.change(Access { keys: Some(KeyFile::default()), ..access(false) });
    assert!(host.rest(&mut anna).ends_with("error refused you have no role any more\n"));
    host.until("gone", |world| world.sessions.count() == 0);
    assert!(host.notes().contains(": the role of anna from 127.0.0.1 is now view"));
}

/// As soon as somebody asks for something: nobody need log in before.
#[test]
fn a_key_that_is_gone_lets_nobody_stay() {
    let mut host = Host::new(false);
    let path = std::env::temp_dir().join(format!("gorgon-login-keys-{}", std::process::id()));
    let write = |role| {
        let mut text = String::new();
        print_line("anna", role, b"secret", b"12345678", 4096, &mut text);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    write(Role::Admin);
    let keys = KeyFile::open(path.to_str().unwrap(), &[privilege::identity().0]).ok().unwrap();
    host.change(Access { keys: Some(keys), ..access(false) });
    let mut anna = host.tcp();
    let greeting = host.heard(&mut anna, "\n");
    anna.say(strong(&greeting, "anna", "secret"));
    host.heard(&mut anna, "ok admin ");
    anna.say("begin\n");
    host.heard(&mut anna, "ok\n");
    write(Role::View);
    anna.say("commit\n");
    let text = host.heard(&mut anna, "\n");
    assert!(text.starts_with("error conflict"), "{text}");
    std::fs::remove_file(&path).unwrap();
    anna.say("ls\n");
    assert!(host.rest(&mut anna).ends_with("error refused you have no role any more\n"));
}
