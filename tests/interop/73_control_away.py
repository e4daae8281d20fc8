#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""Remote control and events while RabbitMQ blocks publishers, after it was away, and while the
stores that keep revokes are away."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from control_bed import NODE, Bed, Listener, run, took, wait_for  # noqa: E402

bed = Bed(fleet_conf='event_heartbeat = "1s"')
fleet = bed.fleet


def revoke(*ids, timeout=15):
    got = bed.control.revoke(list(ids), destination=[NODE], reply=True, timeout=timeout)
    assert len(got) == 1, got
    return got[0][NODE]


def many_ids_are_revoked_in_one_call():
    ids = ["many-%d" % i for i in range(2000)]
    answer, seconds = took(revoke, *ids, timeout=60)
    assert answer["ok"].startswith("tasks many-0, many-1, "), answer
    known = set(bed.inspect().revoked()[NODE])
    assert known >= set(ids), len(known)
    print("# 2000 ids were persisted in %.1f s" % seconds)
    assert "error" in revoke(*["m"] * 10001)


def a_revoke_needs_one_of_both_stores():
    fleet.services("kill", "redis")
    try:
        assert "ok" in revoke("kept-by-postgres")
    finally:
        fleet.services("start-one", "redis")
    fleet.services("kill", "postgres")
    try:
        assert "ok" in revoke("kept-by-redis", timeout=30)
    finally:
        fleet.services("start-one", "postgres")
    assert {"kept-by-postgres", "kept-by-redis"} <= set(bed.inspect().revoked()[NODE])


def with_both_away_the_answer_says_that_it_was_not_kept():
    fleet.services("kill", "redis")
    fleet.services("kill", "postgres")
    try:
        answer = revoke("kept-by-nobody", timeout=60)
        assert "until this worker ends" in answer["error"], answer
        assert "kept-by-nobody" in bed.inspect().revoked()[NODE]
        for row in ("ping", "stats", "active", "reserved", "scheduled", "registered"):
            answer, seconds = took(getattr(bed.inspect(timeout=1), row))
            assert answer and NODE in answer, row
    finally:
        fleet.services("start-one", "redis")
        fleet.services("start-one", "postgres")
    wait_for("revokes are kept again", lambda: "ok" in revoke("kept-again"))
    wait_for("PostgreSQL answers", lambda: fleet.one("SELECT 1"))


def a_frozen_keeper_holds_up_no_answer_but_a_revoke_s():
    keeper = fleet.workers["one"].keeper()
    os.kill(keeper, signal.SIGSTOP)
    try:
        for row in ("ping", "scheduled", "reserved", "stats", "revoked"):
            answer, seconds = took(getattr(bed.inspect(timeout=3), row))
            assert answer and NODE in answer and seconds < 2.9, (row, seconds)
        got = bed.control.revoke("kept-late", destination=[NODE], reply=True, timeout=1)
        assert not got, "answered before it was kept: %s" % got
        assert "kept-late" in bed.inspect().revoked()[NODE], "it holds all the same"
    finally:
        os.kill(keeper, signal.SIGCONT)
    wait_for("it is kept", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.revokes WHERE value = 'kept-late'"))


def events_are_dropped_and_counted_while_the_broker_blocks():
    def done():
        return fleet.one("SELECT count(*) FROM effects WHERE task_id = ANY(%s)", ids)

    assert "ok" in bed.ask("enable_events")
    with Listener(bed) as listener:
        ids = [bed.send("echo.mark", kwargs={"work_ms": 100}).id for _ in range(400)]
        listener.wait("they begin", lambda: listener.of("task-started"))
        fleet.services("ctl", "set_vm_memory_high_watermark", "0")
        try:
            before = done()
            wait_for("tasks are done all the same", lambda: done() >= min(400, before + 40))
        finally:
            fleet.services("ctl", "set_vm_memory_high_watermark", "absolute", "1GB")
        began = len(listener.of("worker-heartbeat"))
        listener.wait("heartbeats again", lambda: len(listener.of("worker-heartbeat")) > began + 1)
        wait_for("all are done", lambda: done() == 400)
        last = bed.send("echo.mark")
        listener.wait("they come again", lambda: listener.of("task-succeeded", uuid=last.id))
        dropped = bed.inspect().stats()[NODE]["events_dropped"]
        heard = len([e for e in listener.of("task-succeeded") if e["uuid"] in set(ids)])
        print("# %d of 400 ends heard, %d events dropped" % (heard, dropped))
        assert dropped > 0 and heard <= 400 - 30, (heard, dropped)


def control_and_events_go_on_after_the_broker_was_away():
    fleet.services("restart", "rabbitmq")
    wait_for("it answers", lambda: bed.inspect(timeout=2).ping(), 120)
    bed.connect()
    with Listener(bed) as listener:
        listener.wait("its heartbeats", lambda: len(listener.of("worker-heartbeat")) >= 2, 60)
        done = bed.send("echo.mark")
        listener.wait("events are still on", lambda: listener.of("task-succeeded", uuid=done.id),
                      60)
    assert fleet.workers["one"].starts == 1


def revokes_outlive_every_component():
    fleet.services("restart", "redis")
    fleet.services("restart", "postgres")
    worker = fleet.workers["one"]
    worker.kill_parent()
    wait_for("the worker is there again", lambda: worker.starts > 1)
    worker.wait_ready(again=True)
    began = time.monotonic()
    wait_for("it knows them", lambda: {"kept-by-postgres", "kept-by-redis", "kept-again",
                                       "many-1999"} <= set(bed.inspect().revoked()[NODE]))
    print("# known %.1f s after it was ready" % (time.monotonic() - began))


run(many_ids_are_revoked_in_one_call,
    a_revoke_needs_one_of_both_stores,
    with_both_away_the_answer_says_that_it_was_not_kept,
    a_frozen_keeper_holds_up_no_answer_but_a_revoke_s,
    events_are_dropped_and_counted_while_the_broker_blocks,
    control_and_events_go_on_after_the_broker_was_away,
    revokes_outlive_every_component,
    bed.close)
