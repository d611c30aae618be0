//! The command as it is called: what it says, how it ends, and that it leaves nothing behind.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything here may take: far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn finish(mut command: Command) -> Output {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Read beside, so that a full pipe keeps nobody.
    let mut output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut output, &mut text).map(|_| text)
    });
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} goes on");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut output = child.wait_with_output().unwrap();
    output.stdout = reader.join().unwrap().unwrap();
    output
}

fn fdscale(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fdscale"));
    command.args(words.split_whitespace());
    command
}

/// The program with at most so many descriptors.
fn limited(words: &str, descriptors: u64) -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_fdscale")]).args(words.split_whitespace());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_backend_tells_the_truth() {
    let output = finish(fdscale("--quick --check"));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("gorgon-poll") && said.contains("engine-select"), "{said}");
    assert!(said.lines().all(|line| line.contains(" right in ")), "{said}");
}

#[test]
fn a_low_limit_is_named() {
    for words in ["chain", "chain-timeouts", "churn", "idle-tcp", "memory"] {
        let words = format!("--quick --rounds 1 --quiet --workloads {words}");
        let output = finish(limited(&words, 64));
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{words}: {said}{}", text(&output.stderr));
        assert!(said.contains("RLIMIT_NOFILE (hard)"), "{words}: {said}");
        assert!(said.contains(" 64"), "{words}: {said}");
    }
}

#[test]
fn it_does_with_hardly_a_descriptor() {
    for descriptors in [8, 12, 20, 30] {
        let output = finish(limited("--quick --rounds 1 --quiet --seconds 5", descriptors));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{descriptors}: {said}");
        let output = finish(limited("--quick --check", descriptors));
        // Too few to check anything is a failure, and is said.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{descriptors}: {}", text(&output.stderr));
    }
}

#[test]
fn the_right_number_of_points_is_measured() {
    let words = "--quick --rounds 2 --descriptors 10,20 --active 1,5 --workloads chain --backends raw,gorgon-poll --quiet";
    let output = finish(fdscale(words));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("gorgon-poll") && !said.contains("gorgon-select"), "{said}");
}

#[test]
fn mistakes_are_usage() {
    for words in ["--frobnicate", "--rounds 0", "--workloads none", "--backends nobody", "diff one"] {
        let output = finish(fdscale(words));
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(output.stdout.is_empty(), "{words}");
        assert!(text(&output.stderr).starts_with("fdscale: "), "{words}");
    }
    assert_eq!(finish(fdscale("--help")).status.code(), Some(0));
    assert_eq!(finish(fdscale("--version")).status.code(), Some(0));
}

#[test]
fn another_user_can_run_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Where that user can get at it.
    let copy = std::env::temp_dir().join(format!("fdscale-test-{}", std::process::id()));
    std::fs::copy(env!("CARGO_BIN_EXE_fdscale"), &copy).unwrap();
    let mut command = Command::new(&copy);
    let words =
        "--quick --rounds 1 --quiet --seconds 10 --workloads chain,churn,idle-tcp,memory --descriptors 50";
    command.args(words.split_whitespace()).uid(65_534).gid(65_534).current_dir("/");
    let output = finish(command);
    std::fs::remove_file(&copy).unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

/// In a mount namespace of its own with nothing at /proc, where that can be had.
#[cfg(target_os = "linux")]
#[test]
fn it_does_without_proc() {
    let script = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
    let words =
        "--quick --rounds 1 --quiet --seconds 10 --workloads chain,churn,idle-tcp,memory --descriptors 50";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_fdscale")]).args(words.split_whitespace());
    let may = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /proc"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !may {
        return;
    }
    let output = finish(command);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("idle-tcp") && said.contains("memory"), "{said}");
}

/// Processes that run this program.
#[cfg(target_os = "linux")]
fn running(program: &std::path::Path) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| std::fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == program))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_leaves_no_helpers() {
    // A copy, so that those of other tests are not seen.
    let copy = std::env::temp_dir().join(format!("fdscale-kill-{}", std::process::id()));
    std::fs::copy(env!("CARGO_BIN_EXE_fdscale"), &copy).unwrap();
    let mut child = Command::new(&copy)
        .args(["--workloads", "idle-tcp", "--descriptors", "400", "--backends", "raw-select", "--quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while running(&copy) < 2 {
        assert!(begun.elapsed() < PATIENCE && child.try_wait().unwrap().is_none(), "no helper was seen");
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while running(&copy) > 0 {
        assert!(begun.elapsed() < PATIENCE, "helpers are left");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::remove_file(&copy).unwrap();
}

#[test]
fn the_server_is_measured_and_ended() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_fdscale")).parent().unwrap().join("gorgon");
    let words =
        "--quick --rounds 1 --quiet --workloads server --descriptors 30 --backends gorgon --format csv";
    let output = finish(fdscale(words));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    // It may not have been built.
    assert_eq!(program.is_file(), said.contains("p99"), "{said}");
}
