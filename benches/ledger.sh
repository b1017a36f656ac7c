#!/usr/bin/env bash
# What the ledger costs: the fastest runs against the mock with it and without it, in turns, and the medians.
#
#   cargo build --release && benches/ledger.sh [ROUNDS [RECORDS]]
#
# The mock is a process of its own and forgets what it was sent. Goal: at most 10 % more time with the ledger.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-7} records=${2:-200000}
outpour=$PWD/target/release/outpour

folder=$(mktemp -d)
"$outpour" mock --forget >"$folder/mock.txt" &
mock=$!
trap 'kill "$mock"; rm -rf "$folder"' EXIT
until url=$(grep -o 'http://[^ ]*/v1' "$folder/mock.txt" | head -n 1) && [ -n "$url" ]; do sleep 0.1; done
export ENCHARGE_API_KEY
ENCHARGE_API_KEY=$(awk '/ api /{print $NF}' "$folder/mock.txt")

seq "$records" | awk '{printf "{\"email\":\"p%d@example.com\",\"name\":\"Person %d\",\"n\":%d}\n", $1, $1, $1}' >"$folder/people.ndjson"
job() {
    printf 'name: %s\nsource: {path: people.ndjson}\ndestination: {template: encharge/upsert-person, base_url: "%s"}\nlimits: {rate: [], concurrency: %s}\n%s\n' \
        "$1" "$url" "$2" "$3" >"$folder/$1.yaml"
}
job single 32 ''
job batches 8 'batch: {max_records: 100}'

# One run: its milliseconds.
timed() {
    "$outpour" run "$folder/$1.yaml" --report json "${@:2}" 2>/dev/null | grep -o '"duration_ms":[0-9]*' | head -n 1 | cut -d: -f2
}
median() { sort -n "$1" | awk '{v[NR]=$1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

for job in single batches; do
    timed "$job" >/dev/null
    for _ in $(seq "$rounds"); do
        timed "$job" --no-ledger >>"$folder/$job.without"
        timed "$job" >>"$folder/$job.with"
    done
    with=$(median "$folder/$job.with") without=$(median "$folder/$job.without")
    awk -v job="$job" -v records="$records" -v a="$without" -v b="$with" \
        'BEGIN {printf "%-8s %d records: %d ms without, %d ms with the ledger: %+.1f %%\n", job, records, a, b, (b - a) * 100 / a}'
    echo "  without: $(sort -n "$folder/$job.without" | tr '\n' ' ')  with: $(sort -n "$folder/$job.with" | tr '\n' ' ')"
done
