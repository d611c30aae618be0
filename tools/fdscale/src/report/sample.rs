//! Made-up records for tests to draw and print. The figures are of the size that measured ones have.

use crate::record::{Limit, Machine, Point, Record, Series, Stop};

/// The same random numbers each time (xorshift).
pub struct Dice(u64);

impl Dice {
    /// Dice of their own for each seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next one.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next one, from 0 and below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }
}

/// A curve from descriptors and minima.
pub fn series(
    key: (&str, &str, &str, u64),
    unit: &str,
    points: &[(u64, f64)],
    skipped: Option<&str>,
) -> Series {
    let (workload, measure, backend, active) = key;
    let point = |&(descriptors, minimum): &(u64, f64)| Point {
        descriptors,
        minimum,
        median: minimum * 1.0625,
        spread: minimum * 0.0625,
        runs: 25,
    };
    Series {
        workload: workload.into(),
        measure: measure.into(),
        unit: unit.into(),
        backend: backend.into(),
        active,
        points: points.iter().map(point).collect(),
        skipped: skipped.map(str::to_owned),
    }
}

/// A host of two processors.
pub fn machine() -> Machine {
    Machine {
        system: "Linux 6.18.0 x86_64".into(),
        processor: "AMD EPYC 7B13".into(),
        processors: 2,
        memory: 8 << 30,
    }
}

/// One workload, three curves.
pub fn small() -> Record {
    let chain = |backend| ("chain", "pass", backend, 1);
    let limit = "the limit of 20000 descriptors is in the way";
    Record {
        machine: machine(),
        command: vec!["fdscale".into(), "--to".into(), "10000".into()],
        started: 1_795_593_600,
        seconds: 12.5,
        series: vec![
            series(chain("raw-epoll"), "ns", &[(100, 2400.), (1000, 3400.), (9900, 3300.)], None),
            series(chain("gorgon-epoll"), "ns", &[(100, 2450.), (1000, 3350.), (9900, 3500.)], None),
            series(chain("raw-poll"), "ns", &[(100, 6900.), (1000, 68e3)], Some(limit)),
        ],
        limits: vec![
            Limit {
                name: "RLIMIT_NOFILE (hard)".into(),
                value: Some(20_000),
                raise: "LimitNOFILE= in the unit, or /etc/security/limits.conf".into(),
            },
            Limit { name: "fs.nr_open".into(), value: Some(1_048_576), raise: "sysctl fs.nr_open=N".into() },
            Limit { name: "memory".into(), value: None, raise: "more memory".into() },
        ],
        stopped: Some(Stop {
            limit: "RLIMIT_NOFILE (hard)".into(),
            reached: 9900,
            wanted: 10_000,
            error: "Too many open files (os error 24)".into(),
        }),
    }
}

/// Everything that a full run measures, over a host with six libraries.
pub fn record() -> Record {
    const COUNTS: [u64; 9] = [100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
    let flat = |scale: f64| -> Vec<(u64, f64)> {
        COUNTS
            .iter()
            .zip([2400., 2700., 3400., 3350., 3300., 3400., 3500., 3480., 3600.])
            .map(|(&n, v)| (n, v * scale))
            .collect()
    };
    let linear = |base: f64, each: [f64; 5]| -> Vec<(u64, f64)> {
        COUNTS.iter().zip(each).map(|(&n, each)| (n, base + n as f64 * each)).collect()
    };
    let einval = "poll fails with EINVAL: 30,000 is more than RLIMIT_NOFILE, which is 20,000";
    let set = "select ends at the limit of descriptors, which is 20,000";
    let chain = |backend| ("chain", "pass", backend, 1);
    let busy = |backend| ("chain", "event", backend, 100);
    let mut list = vec![
        series(chain("raw-epoll"), "ns", &flat(1.0), None),
        series(chain("gorgon-epoll"), "ns", &flat(1.03), None),
        series(chain("engine-epoll"), "ns", &flat(1.24), None),
        series(chain("mio"), "ns", &flat(0.97), None),
        series(chain("libev-epoll"), "ns", &flat(1.35), None),
        series(chain("libevent-epoll"), "ns", &flat(1.52), None),
        series(chain("raw-poll"), "ns", &linear(2000., [49., 55., 66., 90., 157.]), Some(einval)),
        series(chain("gorgon-poll"), "ns", &linear(2050., [50., 56., 67., 92., 160.]), Some(einval)),
        series(chain("libevent-poll"), "ns", &linear(2900., [57., 64., 74., 120., 230.]), Some(einval)),
        series(chain("raw-select"), "ns", &linear(2000., [52., 54., 57., 120., 210.]), Some(set)),
        series(chain("gorgon-select"), "ns", &linear(2100., [54., 56., 59., 125., 215.]), Some(set)),
        series(busy("raw-epoll"), "ns", &flat(0.99), None),
        series(busy("raw-poll"), "ns", &linear(1750., [0.1, 1.5, 1.2, 3., 5.6]), Some(einval)),
        series(busy("raw-select"), "ns", &linear(1700., [0.2, 1.4, 1.1, 3.2, 6.1]), Some(set)),
        series(
            ("memory", "kernel", "raw-epoll", 0),
            "bytes",
            &[(1000, 4420.), (10_000, 4405.), (100_000, 4398.)],
            None,
        ),
        series(
            ("memory", "user", "gorgon-epoll", 0),
            "bytes",
            &[(1000, 66.), (10_000, 64.5), (100_000, 64.)],
            None,
        ),
        series(("server", "p99", "engine-epoll", 0), "ns", &[], Some("not built with the feature http")),
    ];
    // One that was not quiet.
    if let Some(point) = list.get_mut(5).and_then(|series| series.points.last_mut()) {
        point.spread = point.median * 0.6;
    }
    Record {
        command: vec!["fdscale".into(), "--to".into(), "1000000".into()],
        seconds: 734.0,
        series: list,
        stopped: Some(Stop {
            limit: "RLIMIT_NOFILE (hard)".into(),
            reached: 1_000_000,
            wanted: 3_000_000,
            error: "Too many open files (os error 24)".into(),
        }),
        ..small()
    }
}
