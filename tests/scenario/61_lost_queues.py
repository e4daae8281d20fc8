#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""What a deleted or purged queue lost is sent again: rows that SQL enqueued stay until their final
ledger row, and the dispatcher's watcher finds those whose message is nowhere. What runs, waits in a
worker or belongs to others is left alone."""

import json
import os
import time
import uuid

from celery import Celery, chord

from fleet_bed import QUEUE, Fleet, Worker, kill, run, wait_for

MANY = 200
CONF = "heartbeat = 1\n\tlost_after = \"3s\""


def enqueue_by_sql(fleet, n, note="mark", work_ms=0, task="echo.mark", **more):
    ids = []
    for _ in range(n):
        kwargs = {"note": note, "work_ms": work_ms}
        task_id = fleet.one("SELECT jobfleet.enqueue(%s, kwargs => %s, headers => %s,"
                            " queue => 'echo')", task, json.dumps(kwargs), json.dumps(more))
        fleet.expected[task_id] = (task, 1)
        ids.append(task_id)
    return ids


def sent(fleet):
    return fleet.one("SELECT count(*) FROM jobfleet.pending WHERE state = 'sent'")


def sent_again(fleet):
    return fleet.one("SELECT count(*) FROM jobfleet.pending WHERE attempts > 1")


def alerts(fleet):
    return fleet.sql("SELECT subject FROM jobfleet.alerts WHERE name = 'queue_lost'"
                     " AND resolved_at IS NULL")


def start_worker(fleet):
    with fleet.lock:
        fleet.workers["one"] = Worker(fleet, "one", False)
    fleet.workers["one"].wait_ready()


def deleted(fleet):
    with fleet.rabbit() as connection:
        return connection.channel().queue_delete(QUEUE).method.message_count


def a_queue_deleted_under_a_consumer_loses_nothing():
    fleet = Fleet(workers=("one",), fleet_conf=CONF)
    fleet.sql("TRUNCATE jobfleet.alerts")
    enqueue_by_sql(fleet, MANY, work_ms=30)
    wait_for("all are sent, some are done", lambda: not fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting'") and fleet.done() > 3)
    print("# %d messages went with the queue" % deleted(fleet))
    fleet.check(limit_s=90)
    fleet.close()


def the_body_of_a_chord_outlives_a_deleted_queue():
    """It waits behind others when its queue goes."""
    fleet = Fleet(workers=("one",), fleet_conf=CONF)
    app = Celery(broker=os.environ["JOBFLEET_BROKER_URL"], backend=os.environ["JOBFLEET_REDIS_URL"])
    app.conf.task_queue_max_priority = 10

    def mark(priority):
        task_id = str(uuid.uuid4())
        fleet.expected[task_id] = ("echo.mark", 1)
        return app.signature("echo.mark", kwargs={"note": "mark"}, immutable=True).set(
            queue=QUEUE, priority=priority, task_id=task_id)

    enqueue_by_sql(fleet, MANY, work_ms=100)
    wait_for("all are sent", lambda: not fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting'"))
    body = mark(0)
    result = chord([mark(9), mark(9)], app=app)(body)
    wait_for("it is in the queue", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE task_id = %s AND state = 'sent'", result.id))
    print("# %d messages went with the queue" % deleted(fleet))
    assert not fleet.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = %s", result.id)
    fleet.check(limit_s=90)
    fleet.close()


def what_runs_when_its_queue_is_deleted_outlives_its_worker():
    """The broker has its message no more, and its client, which is no door of ours, no row."""
    fleet = Fleet(workers=("one",), fleet_conf=CONF + "\n\tlease = 2s")
    # a transaction may stand still for 5 s (pg_begin)
    fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 3500})])
    worker = fleet.workers["one"]
    wait_for("it runs", lambda: fleet.counts()[1] == 1)
    deleted(fleet)
    wait_for("it is claimed", lambda: "claimed what runs" in worker.log())
    kill(worker.process.pid)
    start_worker(fleet)
    fleet.check(limit_s=90)
    fleet.close()


def a_queue_deleted_without_a_consumer_loses_nothing():
    fleet = Fleet(workers=(), fleet_conf=CONF)
    fleet.sql("TRUNCATE jobfleet.alerts")
    enqueue_by_sql(fleet, MANY)
    wait_for("all are sent", lambda: sent(fleet) == MANY)
    assert deleted(fleet) == MANY
    began = time.monotonic()
    wait_for("all are back in the queue", lambda: fleet.counts()[0] == MANY, 60, 0.2)
    print("# sent again after %.1f s" % (time.monotonic() - began))
    assert alerts(fleet) == [(QUEUE,)], alerts(fleet)
    # one more where the relay found its queue gone first
    assert fleet.one("SELECT max(attempts) FROM jobfleet.pending") in (2, 3)
    start_worker(fleet)
    fleet.check(limit_s=60)
    fleet.close()


def a_purged_queue_loses_nothing():
    fleet = Fleet(workers=(), fleet_conf=CONF)
    enqueue_by_sql(fleet, MANY)
    wait_for("all are sent", lambda: sent(fleet) == MANY and fleet.counts()[0] == MANY)
    fleet.services("ctl", "purge_queue", QUEUE)
    assert fleet.counts()[0] == 0
    start_worker(fleet)
    fleet.check(limit_s=60)
    fleet.close()


def what_runs_or_waits_in_a_worker_is_left_alone():
    fleet = Fleet(workers=("one",), fleet_conf=CONF)
    fleet.sql("TRUNCATE jobfleet.alerts")
    enqueue_by_sql(fleet, 6, work_ms=4000)
    wait_for("two run", lambda: fleet.one(
        "SELECT coalesce(sum(active), 0) FROM jobfleet.workers WHERE seen_at > now() - interval '3 s'") == 2)
    fleet.check(limit_s=60)
    assert not sent_again(fleet), sent_again(fleet)
    assert not alerts(fleet), alerts(fleet)
    fleet.close()


def what_another_consumer_holds_is_left_alone():
    fleet = Fleet(workers=(), fleet_conf=CONF)
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.basic_consume(QUEUE, lambda *_: None)
        enqueue_by_sql(fleet, 3)
        wait_for("they are with the other one", lambda: fleet.counts() == (0, 3))
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline:
            connection.process_data_events(0.2)     # the time in which nothing may happen
            assert not sent_again(fleet)
    start_worker(fleet)
    fleet.check(limit_s=60)
    fleet.close()


def what_has_a_final_result_is_left_alone():
    fleet = Fleet(workers=(), fleet_conf=CONF)
    ids = enqueue_by_sql(fleet, 2)
    wait_for("all are sent", lambda: sent(fleet) == 2 and fleet.counts()[0] == 2)
    fleet.redis().set("celery-task-meta-" + ids[0], json.dumps({"status": "SUCCESS", "result": 1}))
    fleet.services("ctl", "purge_queue", QUEUE)
    wait_for("the other one is sent again", lambda: fleet.counts()[0] == 1, 60, 0.2)
    assert fleet.sql("SELECT task_id FROM jobfleet.pending WHERE attempts > 1") == [(ids[1],)]
    fleet.close()


def what_keeps_no_ledger_is_not_run_twice():
    fleet = Fleet(workers=("one",), fleet_conf=CONF)
    enqueue_by_sql(fleet, 2, task="echo.mark_loose", ignore_result=True)
    wait_for("both ran", lambda: fleet.one("SELECT count(*) FROM effects") == 2)
    fleet.workers.pop("one").stop()
    fleet.sql("UPDATE jobfleet.pending SET sent_at = sent_at - interval '2 hours' WHERE id ="
              " (SELECT min(id) FROM jobfleet.pending)")
    wait_for("an old row without use is gone", lambda: sent(fleet) == 1, 30, 0.1)
    ids = enqueue_by_sql(fleet, 3)
    wait_for("they are sent", lambda: fleet.counts()[0] == 3)
    fleet.services("ctl", "purge_queue", QUEUE)
    wait_for("what the purge took is sent again", lambda: fleet.counts()[0] == 3, 60, 0.2)
    assert {r[0] for r in fleet.sql("SELECT task_id FROM jobfleet.pending WHERE attempts > 1")} == set(ids)
    fleet.close()


run(a_queue_deleted_under_a_consumer_loses_nothing,
    the_body_of_a_chord_outlives_a_deleted_queue,
    what_runs_when_its_queue_is_deleted_outlives_its_worker,
    a_queue_deleted_without_a_consumer_loses_nothing,
    a_purged_queue_loses_nothing,
    what_runs_or_waits_in_a_worker_is_left_alone,
    what_another_consumer_holds_is_left_alone,
    what_has_a_final_result_is_left_alone,
    what_keeps_no_ledger_is_not_run_twice)
