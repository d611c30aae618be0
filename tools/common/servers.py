"""Starts Gorgon, the physical limit and the peers that are installed, each as one process on one core.

Used by tools/compare and tools/idle-memory. Standard library only. Every configuration is written into the
temporary directory that the caller gives; every process that is started is ended by its own id.
"""

import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
NAMES = ["gorgon", "ceiling", "ceiling-split", "nginx", "nginx-cache", "lighttpd", "h2o"]
DESCRIPTORS = 20000

NGINX = """\
daemon off; master_process off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.err;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
  access_log off; sendfile on; keepalive_requests 2000000000; keepalive_timeout 600s;
  client_header_timeout 600s; types {{ text/plain txt; }} default_type text/plain;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  {cache}
  server {{ listen 127.0.0.1:{port} backlog=4096; root {root}; autoindex on; }}
}}
"""
NGINX_CACHE = "open_file_cache max=1000 inactive=600s; open_file_cache_valid 60s;"

LIGHTTPD = """\
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{dir}/lighttpd.err"
server.max-fds = 20000
server.max-connections = 19000
server.listen-backlog = 4096
server.max-keep-alive-requests = 2000000000
server.max-keep-alive-idle = 600
server.max-read-idle = 600
server.network-backend = "sendfile"
dir-listing.activate = "enable"
mimetype.assign = ( ".txt" => "text/plain" )
"""

H2O = """\
num-threads: 1
max-connections: 19000
tcp-fastopen: 0
{user}
http1-request-timeout: 600
pid-file: {dir}/h2o.pid
error-log: {dir}/h2o.err
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {port}
    paths:
      "/":
        file.dir: {root}
"""


class Unavailable(Exception):
    """This server cannot be run here; the text says why."""


def find(program):
    """The path of an installed program, looking where servers are installed too, or None."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def built(name):
    """The path of one of this project's release binaries."""
    path = TARGET / "release" / name
    if not path.is_file():
        raise Unavailable(f"{path} is not built")
    return str(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit():
    """For a child before it becomes the server: as many descriptors as may be had, up to 20000."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def process_tree(pid):
    """The process and its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        found.append(one)
        queue.extend(children.get(one, []))
    return found


class Server:
    """One running server. Use as a context manager, or call stop()."""

    def __init__(self, name, root, scratch, core=None, ceiling=(), gorgon=(), check=("/1K.txt", 1024)):
        self.name = name
        self.port = free_port()
        self.directory = Path(scratch) / f"{name}-{self.port}"
        self.directory.mkdir()
        self.log = self.directory / "output"
        command = self._command(root, list(ceiling), list(gorgon))
        if core is not None:
            command = [find("taskset"), "-c", str(core)] + command
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                preexec_fn=raise_descriptor_limit,
            )
        try:
            self._wait(*check)
        except BaseException:
            self.stop()
            raise

    def _configured(self, text, **values):
        path = self.directory / "configuration"
        path.write_text(text.format(dir=self.directory, port=self.port, **values))
        return str(path)

    def _command(self, root, ceiling, gorgon):
        if self.name == "gorgon":
            return [built("gorgon"), str(root), "-l", f"127.0.0.1:{self.port}"] + gorgon
        if self.name in ("ceiling", "ceiling-split"):
            return [built("ceiling"), "--port", str(self.port)] + ceiling
        program = find({"nginx-cache": "nginx"}.get(self.name, self.name))
        if program is None:
            raise Unavailable("not installed")
        if self.name in ("nginx", "nginx-cache"):
            cache = NGINX_CACHE if self.name == "nginx-cache" else ""
            configuration = self._configured(NGINX, root=root, cache=cache)
            return [program, "-p", str(self.directory), "-e", f"{self.directory}/nginx.err", "-c", configuration]
        if self.name == "lighttpd":
            return [program, "-D", "-f", self._configured(LIGHTTPD, root=root)]
        if self.name == "h2o":
            user = "user: root" if os.geteuid() == 0 else ""
            return [program, "-m", "worker", "-c", self._configured(H2O, root=root, user=user)]
        raise Unavailable(f"no such server; there are {', '.join(NAMES)}")

    def _wait(self, path, length):
        """Until it answers, for 5 s at most; what it answers must be the file."""
        last = "no answer"
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if self.process.poll() is not None:
                said = self.log.read_text(errors="replace").strip()[-300:]
                raise Unavailable(f"ended at once with {self.process.returncode}: {said or 'no word'}")
            try:
                client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                client.request("GET", path)
                answer = client.getresponse()
                body = answer.read()
                client.close()
                if answer.status == 200 and len(body) == length:
                    return
                last = f"GET {path} gave {answer.status} and {len(body)} bytes, not 200 and {length}"
            except (OSError, http.client.HTTPException) as problem:
                last = str(problem)
            time.sleep(0.05)
        raise Unavailable(last)

    def pids(self):
        return process_tree(self.process.pid)

    def cpu_nanoseconds(self):
        """Time on a core so far, of all threads of all its processes; finer than the 10 ms ticks of stat."""
        total = 0
        for pid in self.pids():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
            except (OSError, IndexError, ValueError):
                continue
        return total

    def private_dirty(self):
        """Bytes of memory that only it has and that could not be dropped."""
        total = 0
        for pid in self.pids():
            try:
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Private_Dirty:"):
                        total += int(line.split()[1]) * 1024
            except OSError:
                continue
        return total

    def descriptors(self):
        total = 0
        for pid in self.pids():
            try:
                total += len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue
        return total

    def stop(self):
        tree = self.pids() if self.process.poll() is None else []
        end(self.process)
        # Its own children, should it have left any behind; all of them descend from what was started here.
        for pid in tree:
            if pid != self.process.pid and self._is_ours(pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass

    def _is_ours(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd") == str(self.directory)
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def end(process):
    """Ends one child: politely, then after 2 s not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def end_on_signals():
    """Makes TERM and INT unwind the stack, so that servers are ended and directories removed."""

    def leave(number, _frame):
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)


def first_line(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=5, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    return lines[0].strip() if lines else "?"


def facts(names):
    """What a record must say of the machine and the programs, as (name, text) pairs."""
    model = "?"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model", "cpu model")):
            model = line.partition(":")[2].strip()
            break
    memory = Path("/proc/meminfo").read_text().split()[1]
    found = [
        ("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("cpu", f"{model}, {os.cpu_count()} cores"),
        ("memory", f"{int(memory) // 1024} MiB"),
        ("kernel", f"{os.uname().sysname} {os.uname().release} {os.uname().machine}"),
        ("revision", first_line(["git", "describe", "--always", "--dirty"])),
    ]
    versions = {"nginx": ["nginx", "-v"], "lighttpd": ["lighttpd", "-v"], "h2o": ["h2o", "--version"]}
    for name in names:
        if name in versions and find(name):
            found.append((name, first_line([find(name)] + versions[name][1:])))
        elif name == "gorgon" and (TARGET / "release" / "gorgon").is_file():
            binary = TARGET / "release" / "gorgon"
            found.append((name, f"{first_line([str(binary), '--version'])}, {binary.stat().st_size} bytes"))
    return found


def table(head, rows):
    """A Markdown table, padded so that it reads well as it is; columns of numbers are set to the right."""
    cells = [[str(cell) for cell in row] for row in [head] + rows]
    columns = []
    for column in zip(*cells):
        width = max(len(cell) for cell in column)
        if all(cell[:1].isdigit() or cell[:1] == "-" for cell in column[1:]):
            columns.append(["-" * (width + 1) + ":"] + [f" {cell.rjust(width)} " for cell in column])
        else:
            columns.append(["-" * (width + 2)] + [f" {cell.ljust(width)} " for cell in column])
    rule, first, *rest = ("|" + "|".join(line) + "|" for line in zip(*columns))
    return "\n".join([first, rule, *rest])


def record(path, title, names, extra, head, rows):
    """Writes a dated record: Markdown, or CSV with the facts as comments when the name ends so."""
    known = facts(names) + extra
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        lines = [f"# {title}"] + [f"# {name}: {text}" for name, text in known]
        lines += [",".join(head)] + [",".join(str(cell) for cell in row) for row in rows]
        path.write_text("\n".join(lines) + "\n")
    else:
        told = "\n".join(f"- {name}: {text}" for name, text in known)
        path.write_text(f"# {title}\n\n{told}\n\n{table(head, rows)}\n")
    print(f"recorded in {path}")
