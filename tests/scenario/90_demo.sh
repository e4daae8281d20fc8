#!/bin/bash
# SPDX-License-Identifier: MIT
# services: none
# timeout: 300
# alone: yes
#
# `make demo` as a user sees it: it ends well by itself, and Ctrl-C in the middle leaves nothing.
set -u
failed=0

check() {	# a sentence, then a command that proves it
	local sentence=$1
	shift
	if "$@"; then
		echo "ok - $sentence"
	else
		echo "not ok - $sentence"
		failed=1
	fi
}

says() { grep -Eq "$1" "$TMPDIR/out"; }
mine() { pgrep -f "$TMPDIR" >/dev/null || ls -d "$TMPDIR"/jobfleet-services-run-* >/dev/null 2>&1; }
nothing_left() { ! mine; }

until_true() {	# seconds, then a command
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.1 <> <(:) || true
	done
}

tests/demo >"$TMPDIR/out" 2>&1
check "the demo ends well: every posting accounted for, every task done" [ $? = 0 ]
[ $failed = 0 ] || cat "$TMPDIR/out"
check "it tells what came in" says '^ +[1-9][0-9]* postings in [0-9]+ answers'
check "it tells what was loaded" says '^ +[1-9][0-9]* loaded'
check "it finds duplicates" says '^ +[1-9][0-9]* merged'
check "it tells why postings were refused" says 'Missing required field'
check "it shows salaries" says 'New York.*Software'
check "it counts tasks" says '^ +fetch_salary_data +[1-9]'
check "it leaves no process and no directory" until_true 10 nothing_left

setsid tests/demo >"$TMPDIR/out" 2>&1 &
demo=$!
check "a second one collects" until_true 60 says 'collected [1-9]'
kill -INT -- "-$demo"
wait $demo
check "Ctrl-C ends it with the status of an interruption" [ $? = 130 ]
check "Ctrl-C leaves no process and no directory" until_true 10 nothing_left
exit $failed
