#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 120
"""Workers get more children while a backlog asks for them, and fewer after the cool-down, within the
limits of queues.conf, also when the leading dispatcher is killed in between. Each change has its
reason in the record of actions. A paused queue changes nothing."""

import json
import os
import re
import subprocess
import time
from types import SimpleNamespace

from dispatcher_bed import Bed, run, wait_for
from fleet_bed import EFFECTS
from fleet_worker import Worker

CHILDREN, INSTANCES = 2, 3
CONF = """\
fleet {
	heartbeat = 1s
	idle_child = 1s
}
queue echo {
	program = echo
	concurrency = {%d, 2}
	instances = {1, 3}
	scale_target = 2s
	scale_up_after = 1s
	scale_down_after = 3s
}
queue resting {
	program = resting
}
"""

bed = Bed(CONF % 1)
bed.sql(EFFECTS)
place = SimpleNamespace(dir=bed.dir, conf=bed.conf, program="echo", least=1)
worker = Worker(place, "echo", False)


def jobfleet(*words):
    return subprocess.run(["jobfleet", *words], check=True, stdout=subprocess.PIPE, text=True,
                          timeout=60, env=dict(os.environ, JOBFLEET_CONFIG=bed.conf)).stdout


def bounds():
    """Fewest and most children of the worker, as it last told; the most of all times."""
    rows = bed.sql("SELECT (info#>>'{bounds,0}')::int, (info#>>'{bounds,1}')::int, concurrency"
                   " FROM jobfleet.workers WHERE program = 'echo' AND state = 'running'")
    if rows:
        seen.append(rows[0][1])
    return rows[0] if rows else (0, 0, 0)


def actions():
    return [(a["arguments"], a["outcome"], a["detail"]) for a in reversed(json.loads(
        jobfleet("actions", "--by=autoscale", "--json")))]


def enqueue(n, work_ms):
    return [row[0] for row in bed.sql(
        "SELECT jobfleet.enqueue('echo.mark', queue => 'echo', kwargs =>"
        " jsonb_build_object('work_ms', %s)) FROM generate_series(1, %s)", work_ms, n)]


def done(ids):
    return bed.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = ANY(%s)", ids)


def leader():
    return bed.one("SELECT max(substring(holder FROM 'dispatcher-(.*)@test')) FROM jobfleet.leases")


seen = []


def a_backlog_grows_the_pool_though_the_leader_is_killed_and_its_end_shrinks_it():
    wait_for("it is ready", lambda: bounds()[0])
    for name in ("one", "two"):
        bed.start(name)
    first = wait_for("one leads", leader)
    assert bounds()[:2] == (1, CHILDREN), bounds()
    began = time.monotonic()
    ids = enqueue(500, 100)
    wait_for("it grows", lambda: bounds()[1] > CHILDREN)
    bed.kill(first)
    wait_for("the other one goes on", lambda: bounds()[1] == CHILDREN * INSTANCES and
             bounds()[2] == CHILDREN * INSTANCES)
    assert leader() != first
    wait_for("all is done", lambda: done(ids) == len(ids), 60)
    print("# %d tasks of 100 ms on 2 to 6 children: %.1f s" % (len(ids), time.monotonic() - began))
    wait_for("it shrinks", lambda: bounds()[1] == CHILDREN)
    rows = bed.sql("SELECT count(*), count(DISTINCT task_id) FROM effects")
    assert rows == [(len(ids), len(ids))], rows
    assert set(seen) <= {2, 4, 6}, seen


def each_change_is_written_down_with_its_reason():
    wanted = [(words[-1], outcome) for words, outcome, _ in actions()]
    print("# %s" % [word for word, _ in wanted])
    assert wanted[:2] == [("--instances=2", "done"), ("--instances=3", "done")], wanted
    assert wanted[-1] == ("--instances=1", "done") and len(wanted) <= 4, wanted
    assert re.match(r"\d+ ready on echo at [\d.]+ s each: 2 children need", actions()[0][2]), actions()
    assert re.match(r"for 3 s on end \d would have done", actions()[-1][2]), actions()
    name = leader()
    assert re.search(r"scaled program=echo from=2 to=3 by=children term=2 reason=\"\d+ ready",
                     bed.log(name)), bed.log(name)[-2000:]


def a_paused_queue_changes_nothing():
    before = len(actions())
    jobfleet("pause", "--queue=echo", "--reason=a test")
    ids = enqueue(300, 100)
    wait_for("it is seen", lambda: "ready on echo, which is paused" in bed.log(leader()) or
             bed.one("SELECT count(*) FROM jobfleet.pending WHERE reason = 'paused'"))
    looks = bed.log(leader()).count("not scaled program=echo")
    wait_for("it looks again", lambda: bed.log(leader()).count("not scaled program=echo") > looks + 4)
    assert len(actions()) == before, actions()
    bed.sql("DELETE FROM jobfleet.pending WHERE task_id = ANY(%s)", ids)
    subprocess.run(["jobfleet", "purge", "echo", "--force", "--drop"], timeout=60, check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    jobfleet("resume", "--queue=echo")


def a_pool_of_fixed_size_grows_and_shrinks_as_well():
    bed.write_conf(CONF % 2)
    worker.stop()
    worker.start()
    worker.wait_ready(again=True)
    wait_for("it tells", lambda: bounds()[:2] == (2, 2))
    seen.clear()
    bed.sql("SELECT jobfleet.raise_alert('autoscale', 'echo', 'WARNING', 'an earlier one failed')")
    ids = enqueue(200, 100)
    wait_for("it grows", lambda: bounds() == (6, 6, 6))
    wait_for("the alert of an earlier failure is over", lambda: bed.one(
        "SELECT resolution FROM jobfleet.alerts WHERE name = 'autoscale' AND subject = 'echo'"))
    wait_for("all is done", lambda: done(ids) == len(ids), 60)
    wait_for("it shrinks", lambda: bounds() == (2, 2, 2))
    assert set(seen) <= {2, 4, 6}, seen


def who_takes_the_lead_over_in_the_middle_of_a_change_is_the_only_one_to_act():
    name = leader()
    term = bed.one("SELECT term FROM jobfleet.leases")
    holder = bed.one("SELECT holder FROM jobfleet.leases")
    begin = "SELECT jobfleet.begin_scaling(%s, %s, '[]', 'a test', now())"
    assert bed.one(begin, holder, term - 1) is None
    assert bed.one(begin, holder + "x", term) is None
    assert bed.one(begin, holder, term) is not None
    assert bed.stop(name) == 0
    assert bed.one(begin, holder, term) is None, "it has given the lease back"


run(bed, a_backlog_grows_the_pool_though_the_leader_is_killed_and_its_end_shrinks_it,
    each_change_is_written_down_with_its_reason, a_paused_queue_changes_nothing,
    a_pool_of_fixed_size_grows_and_shrinks_as_well,
    who_takes_the_lead_over_in_the_middle_of_a_change_is_the_only_one_to_act)
