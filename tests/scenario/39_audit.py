#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 240
"""jobfleet audit: what was accepted is somewhere or is named. Seven messages are taken away behind the
fleet's back and found; a busy fleet raises no false alarm; PostgreSQL put back to an earlier state while
RabbitMQ and Redis are not, and RabbitMQ put back while PostgreSQL is not."""

import json
import os
import signal
import subprocess

from fleet_bed import QUEUE, Fleet, Worker, run, wait_for

CONF = "heartbeat = 1\n\tlost_after = \"%s\"\n\tdead_letter_retries = 0"
NEVER = "1h"


def audit(fleet, *words, code=None):
    """What it says, and its exit status, which must be code."""
    done = subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet"), "audit", "--json",
                           *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf), timeout=90)
    assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout else done.stderr


def enqueue(fleet, n, work_ms=0, **more):
    ids = []
    names = "".join(", %s => %%s" % name for name in more)
    for _ in range(n):
        ids.append(fleet.one("SELECT jobfleet.enqueue('echo.mark', queue => 'echo', kwargs => %s"
                             + names + ")", json.dumps({"note": "mark", "work_ms": work_ms}),
                             *more.values()))
        fleet.expected[ids[-1]] = ("echo.mark", 1)
    return ids


def sent(fleet, n):
    wait_for("%d are sent" % n, lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE state = 'sent'") == n)


def take_away(fleet, n):
    with fleet.rabbit() as connection:
        channel = connection.channel()
        got = [channel.basic_get(QUEUE, auto_ack=True) for _ in range(n)]
    return sorted(properties.headers["id"] for _, properties, _ in got)


def start_worker(fleet):
    with fleet.lock:
        fleet.workers["one"] = Worker(fleet, "one", False)
    fleet.workers["one"].wait_ready()


def named(account):
    return sorted(x["task_id"] for x in account["missing_tasks"])


def depth(fleet):
    with fleet.rabbit() as connection:
        return connection.channel().queue_declare(QUEUE, passive=True).method.message_count


def seven_of_twenty_that_are_gone_are_named_and_sent_again():
    fleet = Fleet(workers=(), fleet_conf=CONF % NEVER)
    enqueue(fleet, 20)
    enqueue(fleet, 3, countdown="1 hour")
    sent(fleet, 20)
    account = audit(fleet, code=0)
    assert (account["accepted"], account["in_broker"], account["scheduled"]) == (23, 20, 3), account
    gone = take_away(fleet, 7)
    account = audit(fleet, code=1)
    assert account["missing"] == 7 and not named(account), account
    account = audit(fleet, "--look", code=1)
    assert named(account) == gone and account["missing"] == 7, (named(account), gone)
    one = account["missing_tasks"][0]
    assert one["task"] == "echo.mark" and one["queue"] == QUEUE and one["accepted_at"], one
    assert one["last_seen"].startswith("sent to queue echo at "), one
    wait_for("those that were looked at are back", lambda: depth(fleet) == 13)
    account = audit(fleet, "--look", "--repair", code=1)
    assert account["sent_again"] == 7, account
    sent(fleet, 20)
    audit(fleet, code=0)
    fleet.sql("UPDATE jobfleet.pending SET due = now() WHERE state = 'waiting'; NOTIFY jobfleet_pending")
    start_worker(fleet)
    fleet.check()
    account = audit(fleet, code=0)
    assert account["done"] == account["accepted"] == 23, account
    fleet.close()


def what_a_purge_took_is_named_and_the_watcher_sends_it_again():
    fleet = Fleet(workers=(), fleet_conf=CONF % NEVER)
    ids = enqueue(fleet, 7)
    sent(fleet, 7)
    with fleet.rabbit() as connection:
        connection.channel().queue_purge(QUEUE)
    account = audit(fleet, code=1)
    assert named(account) == sorted(ids), account
    fleet.write_conf(fleet.text % (CONF % "3s", ""))
    fleet.dispatcher.send_signal(signal.SIGHUP)
    wait_for("they are back in the queue", lambda: depth(fleet) == 7, 60)
    start_worker(fleet)
    fleet.check()
    audit(fleet, code=0)
    fleet.close()


def a_busy_fleet_raises_no_false_alarm():
    fleet = Fleet(workers=("one", "two"), fleet_conf=CONF % NEVER)
    for _ in range(4):
        enqueue(fleet, 60, work_ms=20)
        account = audit(fleet, code=0)
        assert account["balances"] and account["missing"] == 0, account
        audit(fleet, "--look", code=0)
    fleet.check()
    fleet.close()


def a_retry_that_is_stored_nowhere_and_a_dead_letter_are_accounted_for():
    fleet = Fleet(workers=(), fleet_conf=CONF % NEVER)
    fleet.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node) VALUES"
              " ('retried', 'retry', false, 'echo.mark', 'echo', 'n1')")
    fleet.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node) VALUES"
              " ('dead', 'failure', true, 'echo.mark', 'echo', 'n1'),"
              " ('failed', 'failure', true, 'echo.mark', 'echo', 'n1'),"
              " ('revoked', 'revoked', true, 'echo.mark', 'echo', 'n1')")
    fleet.sql("INSERT INTO jobfleet.dead_letters (task_id, task, queue, cause, reason, fingerprint)"
              " VALUES ('dead', 'echo.mark', 'echo', 'lost', 'r', 'f')")
    account = audit(fleet, code=1)
    assert named(account) == ["retried"], account
    assert "attempt 1 ended on n1" in account["missing_tasks"][0]["last_seen"], account
    assert [account[x] for x in ("dead", "failed", "revoked", "done")] == [1, 1, 1, 0], account
    assert audit(fleet, "--task", "mark", "--queue", "echo", code=1)["missing"] == 1
    assert audit(fleet, "--task", "other", code=0)["accepted"] == 0
    assert "--since" in audit(fleet, "--since", "yesterday", code=100)
    fleet.close()


run(seven_of_twenty_that_are_gone_are_named_and_sent_again,
    what_a_purge_took_is_named_and_the_watcher_sends_it_again,
    a_busy_fleet_raises_no_false_alarm,
    a_retry_that_is_stored_nowhere_and_a_dead_letter_are_accounted_for)
