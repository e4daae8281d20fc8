#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Schedules on a running fleet: a worker runs what the dispatcher fires, its successes trigger the
next stage, retries and late tasks come back through the relay, and nothing is left behind."""

import json
import time

from dispatcher_bed import run
from fleet_bed import Fleet, wait_for

CONF = """
task echo.fail { queue = "echo" }
task echo.add { queue = "echo" }
schedule first {
	every = 1s
	task = echo.mark
	kwargs = '{"note": "first"}'
}
schedule second {
	after = first
	task = echo.mark
	kwargs = '{"note": "second"}'
}
schedule third {
	after = second
	delay = 200ms
	task = echo.mark
	kwargs = '{"note": "third"}'
}
"""

fleet = Fleet(workers=("one",), conf=CONF, fleet_conf="eta_hold = 200ms")
fleet.log = lambda name: dict(fleet.logs())[name + ".log"]


def effects(note):
    return [row[0] for row in fleet.sql("SELECT task_id FROM effects WHERE note = %s", note)]


def result(task_id, limit_s=30):
    store = fleet.redis()
    return json.loads(wait_for("result of " + task_id,
                               lambda: store.get("celery-task-meta-" + task_id), limit_s))


def three_stages_follow_each_other_once_each():
    wait_for("three rounds", lambda: len(effects("first")) >= 3)
    fleet.sql("UPDATE jobfleet.schedules SET paused = true WHERE name = 'first'")
    wait_for("the last round is through", lambda: len(effects("first")) ==
             fleet.one("SELECT count(*) FROM jobfleet.schedule_fires WHERE schedule = 'first'")
             and len(effects("first")) == len(effects("second")) == len(effects("third")))
    for note in ("first", "second", "third"):
        ids = effects(note)
        assert len(ids) == len(set(ids)), "twice: %s" % note
    print("# %d rounds of three stages" % len(effects("first")))


def a_task_from_sql_is_done_and_leaves_no_row():
    task_id = fleet.one("SELECT jobfleet.enqueue('echo.add', kwargs => '{\"x\": 2, \"y\": 3}')")
    started = time.monotonic()
    assert result(task_id)["result"] == 5
    print("# enqueued in SQL, answered after %.0f ms" % (1000 * (time.monotonic() - started)))


def a_late_task_runs_when_it_is_due():
    task_id, due = fleet.sql(
        "SELECT jobfleet.enqueue('echo.mark', kwargs => '{\"note\": \"late\"}', eta => due), due"
        " FROM (SELECT clock_timestamp() + interval '1500 ms' AS due) AS x")[0]
    at = wait_for("effect", lambda: fleet.sql("SELECT at FROM effects WHERE task_id = %s", task_id))
    late = (at[0][0] - due).total_seconds()
    print("# ran %.0f ms after its eta" % (1000 * late))
    assert 0 <= late < 2, late


def a_failing_task_comes_back_and_succeeds():
    task_id = fleet.one("SELECT jobfleet.enqueue('echo.fail',"
                        " kwargs => '{\"transient\": true, \"until\": 2}')")
    wait_for("success", lambda: result(task_id)["status"] == "SUCCESS")
    assert result(task_id)["result"] == 2, result(task_id)


def nothing_is_left_behind():
    wait_for("pending is empty", lambda: fleet.sql(
        "SELECT count(*) FROM jobfleet.pending") == [(0,)])
    assert fleet.one("SELECT count(*) FROM jobfleet.dead_letters") == 0
    assert fleet.one("SELECT count(*) FROM jobfleet.result_backlog") == 0
    fleet.close()


try:
    run(fleet, three_stages_follow_each_other_once_each, a_task_from_sql_is_done_and_leaves_no_row,
        a_late_task_runs_when_it_is_due, a_failing_task_comes_back_and_succeeds,
        nothing_is_left_behind)
finally:
    fleet.kill_all()
