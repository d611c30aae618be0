"""Runs a program on a terminal of its own, as a shell does, and does to it what the lines of standard input say.

    pty.py COLUMNS ROWS PROGRAM [ARGUMENT..]

    send TEXT      types it (escapes as in Python)
    expect TEXT    waits until it is written, after what was expected before
    resize C R     another size
    signal NAME    to the program
    stopped        waits until the program is stopped, then lets it go on

Ends when the program has ended. Tells, on standard output: all that was written, how it ended, the most memory that it
had in kB, and whether the terminal is as it was. Exit 1 when something did not come.
"""
import codecs, fcntl, os, resource, select, signal, struct, sys, termios, time

PATIENCE = 30
columns, rows = int(sys.argv[1]), int(sys.argv[2])
program = sys.argv[3:]
user, side = os.openpty()
states, said = os.pipe()


def resize(columns, rows):
    fcntl.ioctl(user, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def modes():
    found = termios.tcgetattr(side)
    return found[:4]


resize(columns, rows)
before = modes()
go_on, going = os.pipe()
leader = os.fork()
if leader == 0:
    # What a shell is to its jobs: without it, nothing can be stopped.
    os.setsid()
    fcntl.ioctl(side, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(side, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for stream in range(3):
            os.dup2(side, stream)
        os.closerange(3, 64)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.execv(program[0], program)
    os.write(said, b"job %d\n" % job)
    while True:
        _, status, used = os.wait4(job, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.tcsetpgrp(side, os.getpgrp())
            os.write(said, b"stopped\n")
            os.read(go_on, 1)
            os.tcsetpgrp(side, job)
            os.kill(job, signal.SIGCONT)
        else:
            end = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            os.write(said, b"peak %d\nended %d\n" % (used.ru_maxrss, end))
            os._exit(0)

written, place, told = b"", 0, b""


def take(seconds):
    """Takes what the program writes and what the leader says."""
    global written, told
    ready, _, _ = select.select([user, states], [], [], seconds)
    if user in ready:
        try:
            written += os.read(user, 65536)
        except OSError:
            pass
    if states in ready:
        told += os.read(states, 4096)


def wait(what, found):
    end = time.monotonic() + PATIENCE
    while not found():
        if time.monotonic() > end:
            print("it did not come: %r\nwritten: %r\ntold: %r" % (what, written, told))
            if b"job" in told and b"ended" not in told:
                os.kill(int(told.split()[1]), signal.SIGKILL)
            sys.exit(1)
        take(0.1)


wait("job", lambda: b"job" in told)
job = int(told.split()[1])
stops = 0
for line in sys.stdin:
    verb, _, rest = line.rstrip("\n").partition(" ")
    text = codecs.escape_decode(rest.encode())[0]
    if verb == "send":
        os.write(user, text)
    elif verb == "expect":
        wait(text, lambda: text in written[place:])
        place += written[place:].index(text) + len(text)
    elif verb == "resize":
        resize(*map(int, rest.split()))
    elif verb == "signal":
        os.kill(job, getattr(signal, rest))
    elif verb == "stopped":
        stops += 1
        wait("stopped", lambda: told.count(b"stopped") >= stops)
        print("while stopped: %s" % ("as it was" if modes() == before else "changed"))
        os.write(going, b"x")
    else:
        sys.exit("what is %s?" % verb)
wait("ended", lambda: b"ended" in told)
take(0.2)
print("ended: %d" % int(told.split(b"ended ")[1].split()[0]))
print("peak: %d" % int(told.split(b"peak ")[1].split()[0]))
print("terminal: %s" % ("as it was" if modes() == before else "changed"))
print("written: %r" % written)
