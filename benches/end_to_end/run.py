#!/usr/bin/env python3
"""Runs outpour, oha and a few lines of aiohttp against the same nginx, in turns, and prints a table of what each costs.

  benches/end_to_end/run.py                    everything, five rounds of 200,000 records: about ten minutes
  benches/end_to_end/run.py --quick            a smoke run: two rounds of 4,000 records
  benches/end_to_end/run.py --only batches     the works whose names begin like this; may be given several times
  benches/end_to_end/run.py --list             the names
  benches/end_to_end/run.py --binary PATH      another outpour than this tree's

It needs Linux, nginx, oha, and python3 with aiohttp (uvloop and orjson are used if they are there). It installs nothing, and says
how to get what is missing. The server has core 0 and the client core 1, so every client has one core and the same one. What
counts is the client's CPU time, start-up included, and its ratio to that of oha in the same round: the times of one machine and
hour are no others' times.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

import machine
import servers
import table
import works


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rounds of 4,000 records")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="works whose names begin so")
    parser.add_argument("--records", type=int, help="200,000 by default")
    parser.add_argument("--rounds", type=int, help="5 by default")
    parser.add_argument("--binary", type=pathlib.Path, help="an outpour that is built already")
    parser.add_argument("--list", action="store_true", help="print the names of the works")
    args = parser.parse_args()
    args.records = args.records or (4_000 if args.quick else 200_000)
    args.rounds = args.rounds or (2 if args.quick else 5)
    return args


def main():
    args = arguments()
    if args.list:
        print("\n".join(f"{work.name:24} {work.what}" for work in works.WORKS))
        return
    chosen = works.chosen(args.only)
    if not chosen:
        sys.exit("no work has such a name, `--list` has them")
    machine.check()
    binary, bench = machine.built(args.binary)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="outpour-end-to-end-"))
    try:
        machine.say(f"writing {args.records:,} records")
        machine.run([bench, "write", folder, "--records", str(args.records)])
        with servers.Nginx(folder) as nginx, servers.Slow() as slow:
            place = works.Place(folder, binary, args.records, nginx, slow)
            results = measured(chosen, place, args.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table.shown(chosen, results))
    print(f"\n{args.rounds} rounds of {args.records:,} records. {machine.described(binary)}")


def measured(chosen, place, rounds):
    """The results of each work, one a round, the works in turns."""
    results = {work.name: [] for work in chosen}
    for number in range(1, rounds + 1):
        for work in chosen:
            result = work.measure(place)
            results[work.name].append(result)
            machine.say(f"round {number}/{rounds}: {work.name}: {table.in_short(work, result)}")
    return results


if __name__ == "__main__":
    main()
