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


def postgres(*words):
    subprocess.run([*words, "-d", os.environ["JOBFLEET_DATABASE_URL"]], check=True, timeout=120,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def mark(fleet):
    return fleet.redis().get("jobfleet:mark:database")


def let_go(fleet):
    fleet.sql("UPDATE jobfleet.pending SET due = now() WHERE state = 'waiting'; NOTIFY jobfleet_pending")


def what_postgresql_forgot_when_it_was_put_back_is_named():
    fleet = Fleet(workers=("one",), fleet_conf=CONF % NEVER)
    fleet.redis().delete("jobfleet:mark:database")
    before = enqueue(fleet, 3)
    again = enqueue(fleet, 2, countdown="1 hour")
    wait_for("the first are done, and a mark is there", lambda: fleet.done() == 3 and mark(fleet))
    dump = os.path.join(fleet.dir, "dump.sql")
    postgres("pg_dump", "--clean", "--if-exists", "-f", dump)
    dumped = mark(fleet)
    let_go(fleet)
    since = enqueue(fleet, 4)
    wait_for("all are done, and the mark has moved on",
             lambda: fleet.done() == 9 and mark(fleet) != dumped)
    fleet.check()
    audit(fleet, code=0)
    fleet.close()
    fleet.connection.close()
    postgres("psql", "-q", "-1", "-f", dump)
    fleet.start_dispatcher()
    try:
        wait_for("it is seen", lambda: fleet.one("SELECT count(*) FROM jobfleet.put_backs"))
        account = audit(fleet, code=1)
    finally:
        fleet.dispatcher.terminate()
        fleet.dispatcher.wait(30)
    unknown = {x["task_id"]: x["runs_again"] for x in account["ended_unrecorded"]}
    assert unknown == {**dict.fromkeys(since, False), **dict.fromkeys(again, True)}, (
        account, before, again, since)
    assert account["put_backs"] == 1 and account["done"] == 3 and account["missing"] == 0, account


def what_rabbitmq_forgot_when_it_was_put_back_is_named_and_what_it_repeats_runs_once():
    fleet = Fleet(workers=(), fleet_conf=CONF % NEVER)
    fleet.sql("TRUNCATE jobfleet.put_backs")
    enqueue(fleet, 5)
    sent(fleet, 5)
    with fleet.rabbit() as connection:          # the state to come back to
        channel = connection.channel()
        kept = [channel.basic_get(QUEUE)[1:] for _ in range(5)]
    start_worker(fleet)
    wait_for("they are done", lambda: fleet.done() == 5)
    fleet.workers.pop("one").stop()
    lost = enqueue(fleet, 4)
    sent(fleet, 4)
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.queue_purge(QUEUE)
        for properties, body in kept:
            channel.basic_publish("", QUEUE, body, properties)
    start_worker(fleet)
    wait_for("what it has twice is settled", lambda: depth(fleet) == 0)
    account = audit(fleet, "--repair", code=1)
    assert named(account) == sorted(lost), account
    fleet.check()
    audit(fleet, code=0)
    fleet.close()


run(seven_of_twenty_that_are_gone_are_named_and_sent_again,
    what_a_purge_took_is_named_and_the_watcher_sends_it_again,
    a_busy_fleet_raises_no_false_alarm,
    a_retry_that_is_stored_nowhere_and_a_dead_letter_are_accounted_for,
    what_postgresql_forgot_when_it_was_put_back_is_named,
    what_rabbitmq_forgot_when_it_was_put_back_is_named_and_what_it_repeats_runs_once)
