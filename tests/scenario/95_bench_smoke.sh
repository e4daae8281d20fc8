#!/bin/bash
# SPDX-License-Identifier: MIT
# services: none
# timeout: 480
#
# That `make bench` works: each figure comes out, every queue is empty at the end of its run and
# every result and row is there. It starts services of its own. How fast things are is no test, and
# with so few tasks on a busy machine its figures mean nothing.
set -u
# the yardsticks leave their memory to their exit, which a sanitizer's build would report
export ASAN_OPTIONS=detect_leaks=0
out=$TMPDIR/bench.json
if ! tests/bench/run --pairs 1 --tasks 500 --starts 2 --build "$(dirname "$JOBFLEET_BIN")" \
	--json "$out"; then
	echo "not ok - a figure is missing"
	exit 1
fi
figures=$(grep -c '"title":' "$out")
if [ "$figures" != 15 ]; then
	echo "not ok - $figures figures instead of 15"
	exit 1
fi
echo "ok - the bench gives all its figures"
