//! What a run found out: the one thing that measuring makes, and that tables, plots and comparisons are made of.

/// The form of a record as it is written; raised when a reader of the old form would misread the new one.
pub const VERSION: u32 = 1;

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Where it ran.
    pub machine: Machine,
    /// The words of the command line.
    pub command: Vec<String>,
    /// When it began, in seconds since 1970.
    pub started: i64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was measured.
    pub series: Vec<Series>,
    /// The limits of the host that bear on descriptors.
    pub limits: Vec<Limit>,
    /// What kept it from going further, if something did.
    pub stopped: Option<Stop>,
}

/// The host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// `Linux 6.18.0 x86_64`
    pub system: String,
    /// The processor's own name for itself.
    pub processor: String,
    /// Processors that may be used.
    pub processors: u32,
    /// Bytes of memory; 0 if not known.
    pub memory: u64,
}

/// One curve: what something costs as descriptors grow.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// `chain`, `chain-timeouts`, `churn`, `idle-tcp`, `memory`, `server`.
    pub workload: String,
    /// What is measured of it: `pass`, `wait`, `io`, `event`, `register`, `user`, `kernel`, `p50`, `p99`.
    pub measure: String,
    /// `ns` or `bytes`; every value is in it.
    pub unit: String,
    /// `raw-epoll`, `gorgon-epoll`, `engine-epoll`, `mio`, `libevent-epoll`, ..
    pub backend: String,
    /// How many descriptors are active at a time.
    pub active: u64,
    /// In order of descriptors.
    pub points: Vec<Point>,
    /// Why there are no points, or no more of them.
    pub skipped: Option<String>,
}

/// One measured place of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// How many descriptors are watched.
    pub descriptors: u64,
    /// The least of all runs.
    pub minimum: f64,
    /// The median of all runs.
    pub median: f64,
    /// The distance between the quartiles of all runs.
    pub spread: f64,
    /// How many runs there were.
    pub runs: u32,
}

/// A limit of the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// `RLIMIT_NOFILE (soft)`, `RLIMIT_NOFILE (hard)`, `fs.nr_open`, `fs.file-max`, `fs.epoll.max_user_watches`,
    /// `net.ipv4.ip_local_port_range`, `memory`, ..
    pub name: String,
    /// Its value; none when it cannot be read.
    pub value: Option<u64>,
    /// How it is raised, in one line.
    pub raise: String,
}

/// What stopped a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The name of the limit.
    pub limit: String,
    /// How many descriptors were reached.
    pub reached: u64,
    /// How many were asked for.
    pub wanted: u64,
    /// The system's words.
    pub error: String,
}
