"""This machine: what is on it, building, and processes measured alone."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
# The server's core and the client's.
SERVER, CLIENT = 0, 1
# No client may take longer than this, in seconds.
LONGEST = 600


class Usage:
    """What one process took."""

    def __init__(self, begun, wall, cpu, peak, out):
        # Moments and seconds; the peak in MiB, 0 where nobody looked in time.
        self.begun, self.wall, self.cpu, self.peak, self.out = begun, wall, cpu, peak, out


def say(text):
    print(text, file=sys.stderr, flush=True)


def check():
    """Ends with what is missing and how to get it."""
    missing = []
    for tool, how in (("nginx", "Debian: apt install nginx-light"), ("oha", "cargo install oha"), ("cargo", "rustup")):
        if not tool_at(tool):
            missing.append(f"{tool} ({how})")
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        missing.append("aiohttp for this python3 (pip install aiohttp uvloop orjson)")
    if missing:
        sys.exit("missing: " + "; ".join(missing))
    if len(os.sched_getaffinity(0)) < 2:
        say("note: there is one core, which the server and the clients share; the figures mean little")


def tool_at(name):
    """Where a tool is: in $OHA and the like, in the path, or where administrators have theirs."""
    given = os.environ.get(name.upper())
    return given or shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def pin(core):
    """Puts this process on a core, where there is one of that number."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def run(command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def measure(command, env=None):
    """Runs a client on its core and gives what it took; ends everything if the client fails or takes too long."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        begun = time.monotonic()
        client = subprocess.Popen(
            command, stdout=out, stderr=errors, env={**os.environ, **(env or {})}, preexec_fn=lambda: pin(CLIENT)
        )
        watch = Watch(client.pid)
        _, status, usage = os.wait4(client.pid, 0)
        wall = time.monotonic() - begun
        client.returncode = os.waitstatus_to_exitcode(status)
        peak = watch.end()
        out.seek(0), errors.seek(0)
        said, complaint = out.read(), errors.read()
    if client.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {client.returncode}: {complaint[-2000:]}{said[-2000:]}")
    return Usage(begun, wall, usage.ru_utime + usage.ru_stime, peak, said)


class Watch(threading.Thread):
    """Looks at the peak memory of a process, and ends it if it takes too long.

    The kernel's own figure for a process that has ended begins with the memory of the one that started it.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.status, self.pid, self.peak, self.over = pathlib.Path(f"/proc/{pid}/status"), pid, 0, threading.Event()
        self.start()

    def run(self):
        latest = time.monotonic() + LONGEST
        while not self.over.wait(0.01):
            self.look()
            if time.monotonic() > latest:
                os.kill(self.pid, signal.SIGKILL)
                return

    def look(self):
        try:
            found = re.search(r"VmHWM:\s*(\d+) kB", self.status.read_text())
        except (FileNotFoundError, ProcessLookupError):
            return
        # Between fork and exec it is this interpreter with all that it holds.
        if found and not self.is_still_us():
            self.peak = max(self.peak, int(found.group(1)) / 1024)

    def is_still_us(self):
        try:
            return self.status.with_name("cmdline").read_bytes() == pathlib.Path("/proc/self/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return True

    def end(self):
        self.over.set()
        self.join()
        return self.peak


def built(binary):
    """The binary of outpour and that of the bench that writes the data."""
    if binary is None:
        say("building outpour")
        subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=PROJECT, check=True)
        binary = pathlib.Path(target(), "release", "outpour")
    command = ["cargo", "bench", "--bench", "stages", "--no-run", "--locked", "--quiet", "--message-format=json"]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    messages = map(json.loads, done.stdout.splitlines())
    benches = [one["executable"] for one in messages if one.get("executable") and "bench" in one["target"]["kind"]]
    return binary.resolve(), benches[0]


def target():
    done = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked"],
        cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True,
    )
    return json.loads(done.stdout)["target_directory"]


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (done.stdout.splitlines() or ["unknown"])[0]


def described(binary):
    """The machine and the versions, in a sentence."""
    import aiohttp

    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    parts = [
        f"{len(os.sched_getaffinity(0))} cores of {model.group(1) if model else os.uname().machine}",
        f"Linux {os.uname().release.split('-')[0]}",
        first_line(tool_at("nginx"), "-v").replace("nginx version: ", ""),
        first_line(tool_at("oha"), "--version"),
        f"Python {sys.version.split()[0]}, aiohttp {aiohttp.__version__}{extras()}",
        first_line("rustc", "--version"),
        f"{first_line(str(binary), '--version')} {origin(binary)}",
    ]
    return "; ".join(parts)


def extras():
    found = []
    for name in ("uvloop", "orjson"):
        try:
            found.append(f", {name} {__import__(name).__version__}")
        except ImportError:
            found.append(f", no {name}")
    return "".join(found)


def origin(binary):
    """What the binary was made of, where it is this tree's."""
    if pathlib.Path(target(), "release", "outpour").resolve() != binary:
        return "from elsewhere"
    return f"at commit {commit()}"


def commit():
    changed = first_line("git", "-C", str(PROJECT), "status", "--porcelain", "--untracked-files=no") != "unknown"
    head = first_line("git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD")
    return f"{head}, with changes" if changed else head
