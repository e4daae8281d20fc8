#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
"""Nothing enqueued is lost when a dispatcher is killed in the middle of it, when several share the
work, or when RabbitMQ, PostgreSQL or Redis go away; with one dispatcher and sound services nothing
is sent twice."""

import json
import os
import signal
import threading
import time

import psycopg2
import redis

from dispatcher_bed import Bed, ids_of, run, wait_for

bed = Bed("queue q { program = salary }\n"
          "schedule tick {\n\tcron = \"* * * * * *\"\n\ttask = t.tick\n\tqueue = q\n"
          "\toverlap = allow\n\tcatch_up = all\n}\n")


def enqueue_many(queue, count):
    """count committed rows, through the function that services call."""
    return {row[0] for row in bed.sql(
        "SELECT jobfleet.enqueue('t.many', args => jsonb_build_array(i), queue => %s)"
        " FROM generate_series(1, %s) AS i", queue, count)}


def waiting(queue):
    return bed.one("SELECT count(*) FROM jobfleet.pending WHERE queue = %s AND state = 'waiting'",
                   queue)


def three_dispatchers_share_the_work_without_loss_or_double():
    sent = enqueue_many("shared", 6000)
    for name in ("one", "two", "three"):
        bed.start(name)
    got = ids_of(bed.consume("shared", 6000))
    assert set(got) == sent and len(got) == len(sent), (len(got), len(sent))
    shares = {}
    for name in ("one", "two", "three"):
        assert bed.stop(name) == 0
        shares[name] = bed.one("SELECT processed FROM jobfleet.workers WHERE node LIKE %s",
                               "dispatcher-%s@%%" % name)
    print("# shares: %s" % shares)


def a_dispatcher_killed_in_mid_relay_loses_nothing():
    sent = enqueue_many("killed", 8000)
    kills = 0
    while waiting("killed"):
        bed.start()
        before = bed.one("SELECT count(*) FROM jobfleet.pending WHERE queue = 'killed'"
                         " AND state = 'sent'")
        wait_for("it is in the middle", lambda: not waiting("killed") or bed.one(
            "SELECT count(*) > %s FROM jobfleet.pending WHERE queue = 'killed'"
            " AND state = 'sent'", before))
        bed.kill()
        kills += 1
        if kills == 5:
            bed.start()
            wait_for("claims end", lambda: not waiting("killed"))
            bed.kill()
    got = ids_of(bed.consume("killed", 8000))
    assert set(got) == sent, (len(set(got)), len(sent))
    print("# %d kills, %d of %d sent twice" % (kills, len(got) - len(sent), len(sent)))
    assert kills > 1, "it was never in the middle"


def a_frozen_dispatcher_holds_nobody_up():
    for name in ("frozen", "awake"):
        bed.start(name)
    sent = enqueue_many("frozen", 8000)
    wait_for("it is in the middle", lambda: bed.one(
        "SELECT count(*) > 0 FROM jobfleet.pending WHERE queue = 'frozen' AND state = 'sent'"))
    bed.dispatchers["frozen"].send_signal(signal.SIGSTOP)
    wait_for("the other one sends all", lambda: not waiting("frozen"))
    bed.dispatchers["frozen"].send_signal(signal.SIGCONT)
    got = ids_of(bed.consume("frozen", 8000))
    assert set(got) == sent, (len(set(got)), len(sent))
    print("# frozen: %d of %d sent twice" % (len(got) - len(sent), len(sent)))
    assert [bed.stop("frozen"), bed.stop("awake")] == [0, 0]


def freeze(backends):
    """Stops them; a backend that was caught with a lock would stop everybody else, too: not now."""
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    held = bed.one("SELECT count(*) FROM pg_locks WHERE pid = ANY(%s) AND locktype <> 'virtualxid'",
                   backends)
    if held:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)
    return not held


def a_frozen_database_counts_as_away():
    bed.start("patient")
    bed.wait_log("PostgreSQL is there", "patient")
    backends = [row[0] for row in bed.sql("SELECT pid FROM pg_stat_activity"
                                          " WHERE application_name = 'dispatcher-patient@test'")]
    wait_for("they are caught holding nothing", lambda: freeze(backends))
    try:
        bed.wait_log("PostgreSQL is away", "patient")
        sent = enqueue_many("thaw", 10)
        assert set(ids_of(bed.consume("thaw", 10))) == sent
    finally:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)
    assert bed.stop("patient") == 0


def a_broker_that_restarts_or_is_killed_loses_nothing():
    bed.start()
    for how in ("restart", "kill"):
        queue = "broker_" + how
        sent = enqueue_many(queue, 3000)
        bed.services(how, "rabbitmq")
        sent |= enqueue_many(queue, 500)
        if how == "kill":
            wait_for("it noticed", lambda: bed.log().count("RabbitMQ is away") >= 2)
            bed.services("start-one", "rabbitmq")
        got = ids_of(bed.consume(queue, 3500, 60))
        wait_for("all are sent", lambda: not waiting(queue))
        assert set(got) == sent, (how, len(set(got)), len(sent))
        print("# broker %s: %d of %d sent twice" % (how, len(got) - len(sent), len(sent)))


def a_database_that_goes_away_stops_nothing_for_good():
    sent = enqueue_many("database", 3000)
    bed.services("kill", "postgres")
    bed.wait_log("PostgreSQL is away")
    bed.services("start-one", "postgres")
    bed.connect()
    sent |= enqueue_many("database", 10)
    got = ids_of(bed.consume("database", len(sent), 60))
    assert set(got) == sent, (len(set(got)), len(sent))
    wait_for("all are sent", lambda: not waiting("database"))


def schedules_miss_no_second_through_all_this():
    now = bed.one("SELECT extract(epoch FROM clock_timestamp())::float")
    wait_for("caught up", lambda: bed.one(
        "SELECT extract(epoch FROM max(due)) > %s FROM jobfleet.schedule_fires", now))
    dues = [row[0] for row in bed.sql("SELECT extract(epoch FROM due)::bigint"
                                      " FROM jobfleet.schedule_fires ORDER BY due")]
    assert dues == list(range(dues[0], dues[-1] + 1)), "a gap"
    print("# %d seconds, each fired once" % len(dues))


def results_wait_for_redis_to_come_back():
    bed.services("stop-one", "redis")
    bed.sql("INSERT INTO jobfleet.result_backlog (task_id, final, meta) VALUES ('r', true, %s)",
            json.dumps({"status": "SUCCESS", "result": 7, "task_id": "r"}))
    bed.wait_log("Redis is away")
    bed.services("start-one", "redis")
    store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
    meta = wait_for("result", lambda: store.get("celery-task-meta-r"))
    assert json.loads(meta)["result"] == 7
    wait_for("row gone", lambda: bed.one("SELECT count(*) = 0 FROM jobfleet.result_backlog"))


def an_alarm_of_the_broker_holds_rows_back_and_lets_them_go_after():
    bed.services("ctl", "set_vm_memory_high_watermark", "absolute", "1MB")
    sent = enqueue_many("alarm", 1200)
    bed.wait_log("takes no messages \\(alarm\\)")
    assert waiting("alarm") >= 700, waiting("alarm")
    bed.services("ctl", "set_vm_memory_high_watermark", "absolute", "1GB")
    got = ids_of(bed.consume("alarm", 1200, 60))
    assert set(got) == sent, (len(set(got)), len(sent))
    wait_for("all are sent", lambda: not waiting("alarm"))


def many_concurrent_transactions_are_delivered_as_they_commit():
    kept, lock = set(), threading.Lock()

    def service(seed):
        with psycopg2.connect(bed.database) as pg:
            for i in range(60):
                with pg.cursor() as c:
                    c.execute("SELECT jobfleet.enqueue('t.tx', queue => 'tx')")
                    task_id = c.fetchone()[0]
                if (i + seed) % 3:
                    pg.commit()
                    with lock:
                        kept.add(task_id)
                else:
                    pg.rollback()

    started = time.monotonic()
    threads = [threading.Thread(target=service, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    got = ids_of(bed.consume("tx", len(kept)))
    assert set(got) == kept and len(got) == len(kept), (len(got), len(kept))
    print("# %d committed of 240 in %.2f s" % (len(kept), time.monotonic() - started))
    assert bed.stop() == 0


run(bed, three_dispatchers_share_the_work_without_loss_or_double,
    a_dispatcher_killed_in_mid_relay_loses_nothing,
    a_frozen_dispatcher_holds_nobody_up, a_frozen_database_counts_as_away,
    a_broker_that_restarts_or_is_killed_loses_nothing,
    a_database_that_goes_away_stops_nothing_for_good, schedules_miss_no_second_through_all_this,
    results_wait_for_redis_to_come_back,
    an_alarm_of_the_broker_holds_rows_back_and_lets_them_go_after,
    many_concurrent_transactions_are_delivered_as_they_commit)
