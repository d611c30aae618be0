//! What host this is, as far as it tells; every question may go unanswered.

use std::fs;

use crate::record::Machine;

/// The host.
pub fn machine() -> Machine {
    let name = rustix::system::uname();
    let system =
        [name.sysname(), name.release(), name.machine()].map(|part| part.to_string_lossy().into_owned());
    Machine {
        system: system.join(" "),
        processor: processor().unwrap_or_default(),
        processors: std::thread::available_parallelism().map_or(1, |count| count.get() as u32),
        memory: memory("MemTotal").unwrap_or(0),
    }
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    // x86 and POWER say the name so; ARM says but numbers.
    let line = text.lines().find(|line| line.starts_with("model name") || line.starts_with("cpu\t"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// A line of /proc/meminfo, in bytes.
pub fn memory(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
    let number = line.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    number.checked_mul(1024)
}

/// Bytes of this process that are in memory (proc(5), `statm`).
pub fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages = text.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}
