#!/bin/bash
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 480
#
# That `make bench` works: what each kind of figure is made of comes out, every queue is empty at the end
# of its run and every result and row is there. How fast things are is no test, and with so few tasks on
# a busy machine its figures mean nothing. A yardstick that stumbles, or that is not installed, fails
# nothing. Left out are those that fill tables with a million rows or load fifty thousand postings; a
# small run of the last stands beside them, as of the salary programs.
set -u
# the yardsticks leave their memory to their exit, which a sanitizer's build would report
export ASAN_OPTIONS=detect_leaks=0 JOBFLEET_BENCH_INSTALL=no
out=$TMPDIR/bench
names="drain ledger enqueue memory-2 start chord latency fleet-stop curve-backlog transform
	score-pay score-place score-level score-skills"
# the guard against a task that takes more instructions than before counts those of this very build
[ "$(dirname "$JOBFLEET_BIN")" != "$PWD/build" ] || names="$names instructions-child"

# The reason of a failure stands first and last, and little between.
part() {	# sentence, command
	local what=$1 reason
	shift
	if "$@" >"$TMPDIR/said" 2>&1; then
		echo "ok - $what"
		return
	fi
	reason=$(grep -aE 'no figure: |^bench: |Error|: status ' "$TMPDIR/said" | tail -1)
	echo "# $what, or not: ${reason:-no reason was given}"
	tail -n 30 "$TMPDIR/said" | cut -c 1-300
	echo "not ok - $what: ${reason:-no reason was given}"
	exit 1
}

all_figures() {
	local name
	# shellcheck disable=SC2086,SC2046	# words are wanted
	tests/bench/run --here --pairs 1 --tasks 200 --starts 1 --build "$(dirname "$JOBFLEET_BIN")" \
		--out "$out" $(printf -- "--only %s " $names) || return 1
	for name in $names; do
		grep -qE "\"name\": \"$name\"|^  \"$name: " "$out/report.json" && continue
		echo "bench: the report has no figure $name"
		return 1
	done
	[ -s "$out/report.txt" ] && grep -q 'id="drain"' "$out/report.html" &&
		[ -s "$out/drain.svg" ] || { echo "bench: a file of the report is missing"; return 1; }
}

salary_figures() {
	tests/bench/salary_cached.py --calls 25 && tests/bench/salary_stampede.py --calls 50 &&
		tests/bench/salary_sync.py --pairs 20 && tests/bench/confidence.py --rows 4000 &&
		tests/bench/salary_queries.py --rows 0.01 --asked 20
}

part "postings come end to end" tests/bench/pipeline.py --postings 500
part "the salary programs give their figures" salary_figures
part "the bench gives all its figures" all_figures
