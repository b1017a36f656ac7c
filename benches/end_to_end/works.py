"""The works: what each client is asked to do, and what of it counts."""

import json
import pathlib
import shutil
import sys

import machine
import servers

HERE = pathlib.Path(__file__).resolve().parent
# Requests under way at once, and records of a batch.
AT_ONCE, BATCH = 64, 100

CSV = "csv: {columns: {seats: integer, mrr: number, active: boolean, since: date}}"
MAP = """records:
  map: '{email, name: "\\(.firstName) \\(.lastName)", plan: (.plan | ascii_upcase), mrr, city: .address.city}'
"""
EXCLUDE = "records: {exclude: [note, country]}\n"
NEEDS = "needs: [{any_of: [email, id], because: the API finds the person by one of them}]"


class Place:
    """Where the works are done: the data, the binary, the servers."""

    def __init__(self, folder, binary, records, nginx, slow):
        self.folder, self.binary, self.records, self.nginx, self.slow = folder, binary, records, nginx, slow
        lines = self.data("ndjson").read_text().splitlines()
        self.single, self.batch = folder / "single.json", folder / "batch.json"
        self.single.write_text(lines[0])
        self.batch.write_text(f"[{','.join(lines[:BATCH])}]")

    def data(self, extension):
        return self.folder / f"people.{extension}"


class Result:
    """One run: microseconds of CPU for a unit, units a second, MiB at the peak."""

    def __init__(self, usage, units):
        self.cpu, self.rate, self.peak = usage.cpu * 1e6 / units, units / usage.wall, usage.peak


class Work:
    """A client and what it does; `beside` names the work of the same round that it is compared with."""

    def __init__(self, name, what, unit, measure, beside=None, goals=()):
        self.name, self.what, self.unit, self.beside, self.goals = name, what, unit, beside, goals
        self.measure = measure


class Goal:
    """A bound on a figure: `cpu`, `rate`, `peak` or, beside another work, `cpu_ratio` and `rate_ratio`."""

    def __init__(self, figure, most=None, least=None, words=None):
        self.figure, self.most, self.least, self.words = figure, most, least, words

    def is_met(self, value):
        return value <= self.most if self.most is not None else value >= self.least


def oha(body, size, slow=None):
    """oha with a fixed body; a request stands for `size` records."""

    def measure(place):
        units = min(slow or place.records, place.records)
        server = place.slow if slow else place.nginx
        requests = units if size == 1 else units // size
        command = [machine.tool_at("oha"), "-n", requests, "-c", AT_ONCE, "--no-tui", "--output-format", "json"]
        command += ["-m", "POST", "-T", "application/json", "-D", getattr(place, body), f"{server.url}/people"]
        with arrivals(None if slow else server, requests):
            usage = machine.measure(command)
        answered = json.loads(usage.out)["statusCodeDistribution"].get("200")
        if answered != requests:
            sys.exit(f"oha: {answered} of {requests} requests were answered with 200")
        return Result(usage, units)

    return measure


def wrk(seconds):
    """wrk at the slow server: how many requests a second there can be."""

    def measure(place):
        if not shutil.which("wrk"):
            return None
        script = place.folder / "post.lua"
        script.write_text('wrk.method = "POST"\nwrk.body = io.open("%s"):read("*a")\n' % place.single)
        command = ["wrk", "-t1", f"-c{AT_ONCE}", f"-d{seconds}s", "-s", script, f"{place.slow.url}/people"]
        usage = machine.measure(command)
        requests = next(int(line.split()[0]) for line in usage.out.splitlines() if " requests in " in line)
        return Result(usage, requests)

    return measure


def peer(size):
    def measure(place):
        command = [sys.executable, HERE / "peer.py", place.data("ndjson"), f"{place.nginx.url}/people", size]
        with arrivals(place.nginx, -(-place.records // size)):
            usage = machine.measure(command)
        return Result(usage, place.records)

    return measure


def outpour(extension, more="", size=1, template=None, slow=None, ledger=True, keys=""):
    """outpour with its ledger and its report; `more` are further keys of the job, `keys` further ones of its destination."""

    def measure(place):
        units = min(slow or place.records, place.records)
        server = place.slow if slow else place.nginx
        to = f"{{method: POST, url: '{server.url}/people', {keys}}}"
        if template:
            to = f"{{template: {template}, base_url: '{server.url}/v1'}}"
        usage = run_job(place, extension, to, more, size, ledger, units, None if slow else server)
        return Result(usage, units)

    return measure


def run_job(place, extension, to, more, size, ledger, records, server):
    """Runs a job in a folder of its own, and sees to it that every record was accepted and every request arrived."""
    folder = place.folder / "job"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    job = folder / "bench.yaml"
    batch = f"batch: {{max_records: {size}}}\n" if size > 1 else ""
    source = f"{{path: {place.data(extension)}, {CSV if extension == 'csv' else ''}}}"
    limits = f"limits: {{rate: [], concurrency: {AT_ONCE}}}"
    job.write_text(f"name: bench\nsource: {source}\ndestination: {to}\n{limits}\n{batch}{more}")
    command = [place.binary, "run", job, "--quiet", "--report", "json"]
    command += ["--limit", records] if records < place.records else []
    command += [] if ledger else ["--no-ledger"]
    with arrivals(server, -(-records // size)):
        usage = machine.measure(command, {"ENCHARGE_API_KEY": "eyJ0.eyJw.bench"})
    report = json.loads(usage.out)
    if report["accepted"] != records:
        sys.exit(f"outpour: {report['accepted']} of {records} records were accepted: {usage.out}")
    return usage


class arrivals:
    """Sees to it that a server got so many requests meanwhile."""

    def __init__(self, server, expected):
        self.server, self.expected = server, expected

    def __enter__(self):
        self.before = self.server.requests() if self.server else 0

    def __exit__(self, kind, *_):
        # The question itself is a request too.
        if self.server and kind is None:
            came = self.server.requests() - self.before - 1
            if came != self.expected:
                sys.exit(f"{came} requests arrived, and {self.expected} should")


def start(place):
    """From the start of the process to the first byte of its first request, in milliseconds in the place of microseconds of CPU."""
    import concurrent.futures

    with servers.FirstByte() as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        came = pool.submit(server.came)
        usage = run_job(place, "ndjson", f"{{method: POST, url: '{server.url}/people'}}", "", 1, True, 1, None)
        result = Result(usage, 1)
        result.cpu = (came.result() - usage.begun) * 1000
    return result


MEMORY = Goal("peak", most=64)
# What oha took for a record in batches of 100, in microseconds, and wrk's requests a second at the slow server, where the bar
# was measured.
OHA, WRK = 0.2, 1257
# With the ledger a run takes at most 10 % longer.
WITHOUT = [Goal("rate_ratio", most=1.1)]
# Requests at the slow server: about ten seconds; fewer where there are fewer records.
SLOWLY = 12_800
SINGLES, BATCHES, LATENCY = "oha-singles", "oha-batches", "latency-wrk"


def as_fast(cpu, rate=None):
    goals = [Goal("cpu_ratio", most=cpu), MEMORY]
    return goals + ([Goal("rate_ratio", least=rate)] if rate else [])


def batches(cpu):
    """The bar is in microseconds of an hour in which oha took OHA of them for the same records. Ratios travel, hours do not."""
    return [Goal("cpu_ratio", most=round(cpu / OHA, 1)), MEMORY]


WORKS = [
    Work(SINGLES, "oha, one POST a record, fixed body", "request", oha("single", 1)),
    Work("singles", "outpour, one POST a record, NDJSON passed through", "request",
         outpour("ndjson"), SINGLES, as_fast(1.15, 0.85)),
    Work("singles-csv", "outpour, the same from CSV with types, `exclude`, and needs", "request",
         outpour("csv", EXCLUDE, keys=NEEDS), SINGLES, as_fast(1.3)),
    Work("singles-template", "outpour, the same with the template encharge/upsert-person, replies judged by jq", "request",
         outpour("csv", EXCLUDE, template="encharge/upsert-person"), SINGLES, as_fast(1.3)),
    Work("singles-peer", "aiohttp, one POST a record", "request", peer(1), SINGLES),
    Work(BATCHES, "oha, batches of 100, fixed body", "record", oha("batch", BATCH)),
    Work("batches-ndjson", "outpour, batches of 100, NDJSON passed through", "record",
         outpour("ndjson", size=BATCH), BATCHES, batches(1.0)),
    Work("batches-csv", "outpour, batches of 100 from CSV with types", "record",
         outpour("csv", size=BATCH), BATCHES, batches(1.5)),
    Work("batches-arrow", "outpour, batches of 100 from Arrow", "record",
         outpour("arrow", size=BATCH), BATCHES, batches(1.0)),
    Work("batches-parquet", "outpour, batches of 100 from Parquet", "record",
         outpour("parquet", size=BATCH), BATCHES, batches(1.0)),
    Work("batches-map", "outpour, batches of 100, a jq `map` over five fields", "record",
         outpour("ndjson", MAP, BATCH), BATCHES, batches(5.0)),
    Work("batches-peer", "aiohttp, batches of 100", "record", peer(BATCH), BATCHES),
    Work(LATENCY, "wrk, 50 ms of latency", "request", wrk(5)),
    Work("latency-oha", "oha, 50 ms of latency", "request", oha("single", 1, SLOWLY), LATENCY),
    Work("latency", "outpour, 50 ms of latency", "request",
         outpour("ndjson", slow=SLOWLY), LATENCY, [Goal("rate_ratio", least=round(1250 / WRK, 3)), MEMORY]),
    Work("ledger-singles", "outpour, one POST a record, without the ledger", "request",
         outpour("ndjson", ledger=False), "singles", WITHOUT),
    Work("ledger-batches", "outpour, batches of 100, without the ledger", "record",
         outpour("ndjson", size=BATCH, ledger=False), "batches-ndjson", WITHOUT),
    Work("start", "outpour, start to first request (ms in the place of CPU)", "run", start, None, [Goal("cpu", most=50, words="ms")]),
]


def chosen(beginnings):
    """The works whose names begin so, and those that they are compared with."""
    wanted = [work for work in WORKS if not beginnings or work.name.startswith(tuple(beginnings))]
    beside = {work.beside for work in wanted}
    return [work for work in WORKS if work in wanted or work.name in beside]
