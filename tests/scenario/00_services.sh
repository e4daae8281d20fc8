#!/bin/bash
# SPDX-License-Identifier: MIT
# services: none
# timeout: 240
#
# The services tool itself: what it starts it also ends, whatever happens to it, and what it
# restarts keeps its port and its data.
set -u
dir=$TMPDIR/one
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

until_true() {	# seconds, then a command
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.1 <> <(:) || true
	done
}

services() { "$JOBFLEET_SERVICES" "$@"; }
sql() { psql -XAtq -c "$1" "$JOBFLEET_DATABASE_URL"; }
redis() { redis-cli -u "$JOBFLEET_REDIS_URL" "$@" 2>/dev/null; }
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
closed() { ! listens "$1"; }
all_closed() { for port in $ports; do closed "$port" || return 1; done; }
remember_ports() { ports=$(sed -n 's/.*_PORT=//p' "$1"); }

services start --dir "$dir" >/dev/null || exit 1
# shellcheck source=/dev/null
. "$dir/env"
remember_ports "$dir/env"
check "every service is ready after start" services status
sql 'CREATE TABLE kept AS SELECT 1' && redis SET kept 1 >/dev/null
for name in postgres redis rabbitmq; do
	check "$name restarts on its port" services restart $name
done
check "PostgreSQL keeps its data over a restart" [ "$(sql 'SELECT count(*) FROM kept')" = 1 ]
check "Redis keeps its data over a restart" [ "$(redis GET kept)" = 1 ]
for name in postgres redis rabbitmq; do
	services kill $name
	variable=JOBFLEET_SERVICES_${name^^}_PORT
	check "a killed $name is gone" closed "${!variable}"
	check "a killed $name starts again on its port" services start-one $name
done
check "PostgreSQL keeps its data over kill -9" [ "$(sql 'SELECT count(*) FROM kept')" = 1 ]
services stop
check "stop ends all three" all_closed
services start >/dev/null
# shellcheck source=/dev/null
. "$dir/env"
check "a start on a used directory finds its data" [ "$(sql 'SELECT count(*) FROM kept')" = 1 ]
keeper=$(services status | sed -n 's/^keeper *pid //p')
remember_ports "$dir/env"
kill -9 "$keeper"
check "kill -9 of the keeper ends all three" until_true 10 all_closed
check "a start after such a crash recovers" services start
check "and finds the data of before" [ "$(sql 'SELECT count(*) FROM kept')" = 1 ]
services stop --purge
check "purge removes the directory" [ ! -e "$dir" ]

unset JOBFLEET_SERVICES_DIR
"$JOBFLEET_SERVICES" run -- \
	sh -c 'cat "$JOBFLEET_SERVICES_DIR/env" >"$TMPDIR/env"; exec tail -f /dev/null' &
run=$!
check "run starts the services and the command" until_true 60 [ -s "$TMPDIR/env" ]
remember_ports "$TMPDIR/env"
temp=$(sed -n 's/.*_DIR=//p' "$TMPDIR/env")
kill -9 "$run"
check "kill -9 of run ends all three" until_true 10 all_closed
check "kill -9 of run leaves no directory" until_true 10 [ ! -e "$temp" ]
services run -- sh -c 'exit 7'
check "run answers with the command's exit status" [ $? = 7 ]
exit $failed
