#!/bin/bash
# SPDX-License-Identifier: MIT
# services: none
# timeout: 480
#
# That `make bench` works: each figure comes out, every queue is empty at the end of its run and
# every result and row is there. It starts services of its own. How fast things are is no test, and
# with so few tasks on a busy machine its figures mean nothing. Left out are those that fill tables
# with a million rows or load fifty thousand postings; a small run of the last stands beside them, as of
# the salary programs.
set -u
# the yardsticks leave their memory to their exit, which a sanitizer's build would report
export ASAN_OPTIONS=detect_leaks=0
out=$TMPDIR/bench
names="drain results ledger enqueue memory-2 memory-20 start trip events chain group chord latency
	latency-half inversion fleet-stop curve-backlog transform score-pay score-place score-level
	score-skills"
# the guard against a task that takes more instructions than before counts those of this very build
[ "$(dirname "$JOBFLEET_BIN")" != "$PWD/build" ] || names="$names instructions-child"
# shellcheck disable=SC2086,SC2046	# words are wanted
if ! tests/bench/run --pairs 1 --tasks 500 --starts 2 --build "$(dirname "$JOBFLEET_BIN")" \
	--out "$out" $(printf -- "--only %s " $names); then
	echo "not ok - a figure is missing"
	exit 1
fi
for name in $names; do
	if ! grep -q "\"name\": \"$name\"" "$out/report.json" ||
			! grep -q "id=\"$name\"" "$out/report.html"; then
		echo "not ok - the report has no figure $name"
		exit 1
	fi
done
echo "ok - the bench gives all its figures"
if ! tests/services/services run --fast -- tests/bench/pipeline.py --postings 500; then
	echo "not ok - no postings end to end"
	exit 1
fi
echo "ok - postings come end to end"
if ! tests/services/services run --fast -- sh -c 'tests/bench/salary_cached.py --calls 50 &&
		tests/bench/salary_stampede.py --calls 50 && tests/bench/salary_sync.py --pairs 20 &&
		tests/bench/confidence.py --rows 4000 && tests/bench/salary_queries.py --rows 0.01 --asked 20'; then
	echo "not ok - a figure of the salary programs is missing"
	exit 1
fi
echo "ok - the salary programs give their figures"
