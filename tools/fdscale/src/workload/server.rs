//! Gorgon itself: how long the reply to a small GET takes while many connections idle between requests.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use gorgon_sys::{PollerKind, Signal};

use super::Place;
use super::crowd::{Crowd, REQUEST, read_reply};
use crate::limits;
use crate::measure::Bench;
use crate::sample::{Curve, quantile};

/// Requests of one run.
const REQUESTS: usize = 500;
const ROUNDS: u32 = 5;
/// Descriptors of the server that are no idle connections.
const SPARE: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take until all are connected and have been served once.
const CROWDED: Duration = Duration::from_secs(60);

/// Measures the server with all of its pollers; gives how many connections there could be.
///
/// # Errors
/// None as of now: a server that cannot be started is left out.
pub fn measure(bench: &mut Bench, place: &Place) -> io::Result<u64> {
    let most = gorgon_sys::descriptors().1.saturating_sub(SPARE);
    let mut count = place.wanted.min(most);
    if let Err(stop) = limits::memory_for(count) {
        count = stop.reached;
        bench.stop(stop);
    } else if count < place.wanted {
        let error = io::Error::from_raw_os_error(libc::EMFILE);
        if let Some(stop) = limits::met(&error, count, place.wanted) {
            bench.stop(stop);
        }
    }
    if count <= place.last {
        return Ok(count);
    }
    let program = match program(bench) {
        Ok(program) => program,
        Err(reason) => {
            bench.sheet.skip(&curve("p50", "gorgon".to_owned()), &reason);
            return Ok(0);
        }
    };
    let mut calls: Vec<PollerKind> = PollerKind::available().to_vec();
    calls.retain(|call| bench.options.wants(&name(*call)));
    let rounds = bench.options.rounds.min(ROUNDS);
    for round in 0..rounds {
        bench.dice.shuffle(&mut calls);
        for (at, call) in calls.clone().into_iter().enumerate() {
            if round > 0 && !place.has_time() {
                return Ok(count);
            }
            let share = (f64::from(round) + at as f64 / calls.len() as f64) / f64::from(rounds);
            place.tell(bench, share, &format!("server {count} {}", call.name()));
            match latency(&program, call, count) {
                Ok(times) => {
                    bench.sheet.note(&curve("p50", name(call)), count, quantile(&times, 0.5));
                    bench.sheet.note(&curve("p99", name(call)), count, quantile(&times, 0.99));
                }
                Err(error) => {
                    bench.sheet.skip(&curve("p50", name(call)), &format!("at {count}: {error}"));
                    calls.retain(|other| *other != call);
                }
            }
        }
    }
    Ok(count)
}

fn name(call: PollerKind) -> String {
    format!("gorgon-{}", call.name())
}

fn curve(measure: &'static str, backend: String) -> Curve {
    Curve { workload: "server", measure, unit: "ns", backend, active: 1 }
}

/// The server's program: the one given, or the one beside this.
fn program(bench: &Bench) -> Result<PathBuf, String> {
    let own = || Some(std::env::current_exe().ok()?.parent()?.join("gorgon"));
    let Some(path) = bench.options.gorgon.clone().or_else(own) else {
        return Err("no program of the server: --gorgon FILE".to_owned());
    };
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("there is no {}: --gorgon FILE", path.display()))
}

/// A directory with one small file, which is removed in the end.
struct Site(PathBuf);

impl Site {
    fn new() -> io::Result<Site> {
        let site = Site(std::env::temp_dir().join(format!("fdscale-{}", std::process::id())));
        // Not one that is there already: somebody else made it.
        fs::create_dir(&site.0)?;
        fs::write(site.0.join("small"), "x")?;
        Ok(site)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The server, ended in the end: by a helper that ends it when this program ends, however that does.
struct Server {
    helper: Child,
    address: SocketAddr,
}

impl Server {
    fn start(program: &Path, call: PollerKind) -> io::Result<Server> {
        let mut helper = Command::new(std::env::current_exe()?)
            .args(["helper", "serve"])
            .arg(program)
            .arg(call.name())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = helper.stdout.take();
        let mut server = Server { helper, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        // It says its address before anything else, or ends.
        for line in BufReader::new(output.ok_or(io::ErrorKind::BrokenPipe)?).lines().take(50) {
            let line = line?;
            let url = line.trim().strip_prefix("http://");
            if let Some(address) = url.and_then(|url| url.trim_end_matches('/').parse().ok()) {
                server.address = address;
            }
            if line.contains("Descriptors:") && server.address.port() != 0 {
                return Ok(server);
            }
        }
        Err(io::Error::other("the server did not start"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.helper.stdin.take());
        super::reap(&mut self.helper, PATIENCE);
    }
}

/// The helper: serves one small file with this program until its own input ends.
pub fn helper(program: &str, poller: &str) -> ExitCode {
    // Neither does it end by a word from the terminal, which the others get as well: it has to clear up.
    let _signals = gorgon_sys::Signals::install(&[Signal::Interrupt, Signal::Terminate]);
    let Ok(site) = Site::new() else { return ExitCode::from(1) };
    let child = Command::new(program)
        .args(["-l", "127.0.0.1:0", "--http.main.idle_timeout=1h", "--http.main.defer_accept=0"])
        .arg(format!("--gorgon.poller={poller}"))
        .arg(&site.0)
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return ExitCode::from(1) };
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    let _ = child.kill();
    let _ = child.wait();
    ExitCode::SUCCESS
}

/// Sorted times of requests, in nanoseconds, while so many others idle.
fn latency(program: &Path, call: PollerKind, count: u64) -> io::Result<Vec<f64>> {
    let server = Server::start(program, call)?;
    let mut crowd = Crowd::default();
    let begun = Instant::now();
    let (connected, error) = crowd.gather(server.address, count, true, || {
        std::thread::sleep(Duration::from_millis(1));
        // What the helpers do is not seen from here.
        if begun.elapsed() > CROWDED {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(begun.elapsed().as_secs())
        }
    })?;
    if let Some(error) = error {
        return Err(error);
    }
    if connected < count {
        return Err(io::Error::other(format!("{connected} connected")));
    }
    let mut stream = TcpStream::connect(server.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut times = Vec::with_capacity(REQUESTS);
    for number in 0..REQUESTS + REQUESTS / 5 {
        let begun = Instant::now();
        stream.write_all(REQUEST)?;
        read_reply(&mut stream)?;
        // The first fifth warms up.
        if number >= REQUESTS / 5 {
            times.push(begun.elapsed().as_nanos() as f64);
        }
    }
    times.sort_by(f64::total_cmp);
    drop(crowd);
    Ok(times)
}
