#!/usr/bin/env python3
"""Counts the instructions of each stage under valgrind and holds them to the baseline.

  benches/instructions/count.py              counts and compares; 1 if a stage is more than 5 % worse
  benches/instructions/count.py --update     writes the baseline
  benches/instructions/count.py parse shape  these stages alone, by the beginnings of their names
  benches/instructions/count.py --self-test  tries the comparison itself; counts nothing

A stage is counted twice, with few records and with more of the same ones. The difference holds neither start-up nor the data's
making, and two counts of the same program agree within half a percent. It needs python3, valgrind and cargo; it is no part
of the ordinary tests, since it takes minutes and another compiler counts otherwise.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"
# What a stage may be worse by, in percent.
TOLERANCE = 5.0
# Records of the short and of the long count: one round and five.
FEW, MANY = 5_000, 25_000


def verdict(before, now):
    """The change in percent, none where there is nothing to compare with, and whether it passes."""
    if before is None:
        return None, True
    change = (now - before) * 100.0 / before
    return change, change <= TOLERANCE


def compare(before, now, is_whole):
    """The rows of the table, and the stages that fail. A stage that the baseline has and a whole count has not, fails."""
    rows, failed = [], []
    for stage, count in now.items():
        change, passes = verdict(before.get(stage), count)
        if not passes:
            failed.append(stage)
        known = "-" if change is None else f"{before[stage]:,.1f}"
        rows.append((stage, known, f"{count:,.1f}", "new" if change is None else f"{change:+.2f} %"))
    for stage in before if is_whole else []:
        if stage not in now:
            failed.append(stage)
            rows.append((stage, f"{before[stage]:,.1f}", "-", "gone"))
    return rows, failed


def table(rows):
    lines = ["| stage | baseline | now | change |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def self_test():
    before = {"parse": 1000.0, "render": 200.0}
    cases = [
        ({"parse": 1049.0, "render": 200.0}, []),
        ({"parse": 1051.0, "render": 200.0}, ["parse"]),
        ({"parse": 1050.0, "render": 150.0}, []),
        ({"parse": 1000.0, "render": 200.0, "batch": 9.0}, []),
        ({"parse": 1000.0}, ["render"]),
    ]
    for now, expected in cases:
        rows, failed = compare(before, now, True)
        assert failed == expected, f"{now}: {failed} fail, and {expected} should"
        assert len(rows) == len(before | now), rows
    assert compare(before, {"parse": 1000.0}, False)[1] == []
    assert "| parse | 1,000.0 | 1,051.0 | +5.10 % |" in table(compare(before, {"parse": 1051.0}, False)[0])
    assert counted("==7== Events    : Ir\n==7== Collected : 1234567\n") == 1234567
    print("the comparison fails at 5.1 % and passes at 4.9 %")


def counted(text):
    """What callgrind says that it counted."""
    found = re.search(r"Collected\s*:\s*(\d+)", text)
    if not found:
        sys.exit(f"valgrind counted nothing:\n{text[-2000:]}")
    return int(found.group(1))


def built():
    """Builds the bench and gives its path."""
    command = ["cargo", "bench", "--bench", "stages", "--no-run", "--locked", "--message-format=json"]
    done = subprocess.run(command, cwd=HERE.parent.parent, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "stages":
            return message["executable"]
    sys.exit("cargo built no bench `stages`")


def instructions(bench, stage, records):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command += [bench, stage, "--records", str(records)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{stage}: {done.stdout}{done.stderr[-2000:]}")
    return counted(done.stderr)


def first_line(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]


def count(bench, stage):
    """Instructions a record."""
    few, many = (instructions(bench, stage, records) for records in (FEW, MANY))
    return round((many - few) / (MANY - FEW), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", help="beginnings of the names of stages; all by default")
    parser.add_argument("--update", action="store_true", help="write the baseline")
    parser.add_argument("--self-test", action="store_true", help="try the comparison, count nothing")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    missing = [tool for tool in ("valgrind", "cargo", "rustc") if not shutil.which(tool)]
    if missing:
        sys.exit(f"missing: {', '.join(missing)} (Debian: `apt install valgrind`; Rust: rustup)")
    bench = built()
    names = subprocess.run([bench, "names"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    chosen = [name for name in names if not args.stages or name.startswith(tuple(args.stages))]
    kept = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"tools": {}, "instructions": {}}
    tools = {"rustc": first_line("rustc", "--version"), "valgrind": first_line("valgrind", "--version")}
    if kept["tools"] not in ({}, tools):
        print(f"note: the baseline was counted with {kept['tools']}, and this is {tools}")
    now = {}
    for stage in chosen:
        print(f"counting {stage}", file=sys.stderr)
        now[stage] = count(bench, stage)
    rows, failed = compare(kept["instructions"], now, not args.stages)
    print(table(rows))
    if args.update:
        whole = kept["instructions"] | now
        kept = {"tools": tools, "instructions": {name: whole[name] for name in names if name in whole}}
        BASELINE.write_text(json.dumps(kept, indent=2) + "\n")
        return None
    if failed:
        sys.exit(f"more than {TOLERANCE:g} % worse, or gone: {', '.join(failed)}")
    return None


if __name__ == "__main__":
    main()
