//! What `dist` holds for supervisors of services: each can be read by what will read it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Directory;
use std::path::{Path, PathBuf};
use std::process::Command;

fn dist(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dist").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(dist(name)).unwrap()
}

/// All files of a directory and those beneath.
fn files(place: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Whether a program is here to check with. Says what is not tested if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

#[test]
fn scripts_are_shell() {
    let mut all = Vec::new();
    files(&dist(""), &mut all);
    let scripts: Vec<PathBuf> = all
        .into_iter()
        .filter(|path| std::fs::read(path).unwrap().starts_with(b"#!"))
        .filter(|path| {
            let first = std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
            first.starts_with("#!/bin/sh") || first == "#!/sbin/openrc-run"
        })
        .collect();
    assert!(scripts.len() >= 11, "{scripts:?}");
    let checked = has("shellcheck");
    for script in &scripts {
        assert!(Command::new("sh").arg("-n").arg(script).status().unwrap().success(), "{script:?}");
        if checked {
            let output = Command::new("shellcheck").args(["-s", "sh"]).arg(script).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// The instance differs from the one server in its names alone.
#[test]
fn the_units_are_one() {
    let settings = |name: &str| -> Vec<String> {
        let text = text(name).replace("gorgon/%i.conf", "gorgon/gorgon.conf").replace("gorgon-%i", "gorgon");
        let settings = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        settings.map(str::to_owned).filter(|line| !line.starts_with("Description=")).collect()
    };
    assert_eq!(settings("systemd/gorgon.service"), settings("systemd/gorgon@.service"));
}

#[test]
fn systemd_knows_every_line_of_the_units() {
    if !has("systemd-analyze") {
        return;
    }
    let directory = Directory::new();
    let names = ["gorgon.service", "gorgon@.service", "gorgon.socket"];
    let units = names.map(|name| {
        // It looks whether the program is there.
        let text = text(&format!("systemd/{name}")).replace("/usr/bin/gorgon", "/bin/sh");
        directory.file(&name.replace("@.", "@one."), text)
    });
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // What it says of other units of this system is not our matter.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("gorgon")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn s6_is_told_by_the_descriptor_that_is_written_to() {
    let number: u32 = text("s6/gorgon/notification-fd").trim().parse().unwrap();
    assert!(number > 2 && text("s6/gorgon/run").contains(&format!("--gorgon.notify_fd={number}\n")));
}

#[test]
#[cfg(all(feature = "http", feature = "monitor"))]
fn the_files_that_come_along_are_right() {
    for name in ["debian/gorgon.conf", "container/gorgon.conf"] {
        let mut command = common::gorgon();
        // What they name is there once they are installed.
        command.args(["dump", "-c"]).arg(dist(name));
        let output = common::finish(command);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What looks whether the program is well asks at the socket that its configuration names.
#[test]
fn the_container_is_asked_where_it_listens() {
    let configuration = text("container/gorgon.conf");
    let socket = configuration.lines().find_map(|line| line.strip_prefix("listen = unix:")).unwrap();
    let wanted = format!("CMD [\"/gorgon\", \"monitor\", \"{socket}\", \"-c\", \"hello\"]");
    assert!(text("container/Dockerfile").contains(&wanted));
    // Without a section of monitors the socket is named after the process.
    assert!(!text("debian/gorgon.conf").contains("[monitor"));
    assert!(text("runit/gorgon/check").contains("gorgon monitor \"$(cat supervise/pid)\" -c hello"));
}

#[test]
fn all_read_the_same_file() {
    for name in [
        "systemd/gorgon.service",
        "openrc/gorgon",
        "runit/gorgon/run",
        "s6/gorgon/run",
        "procd/gorgon.init",
        "container/Dockerfile",
    ] {
        assert!(text(name).contains("/etc/gorgon/gorgon.conf"), "{name}");
    }
}
