#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""Limits of the start, counted from outside: rate limits of the whole fleet and of each worker,
changed while running; one run at a time for each concurrency key, also over a killed worker; unique
tasks, by SQL and by header."""

import json
import os
import time
import uuid
from datetime import datetime, timedelta, timezone

import pika

from fleet_bed import QUEUE, Fleet, run, wait_for

LIMITED = """
task echo.limited {
	queue = "echo"
	%s
}
"""
KEYED = """
task echo.keyed {
	queue = "echo"
	concurrency_key = "key"
	concurrency_limit = %d
}
"""


class Bed(Fleet):
    def forget_all(self):
        self.sql("TRUNCATE jobfleet.revokes, jobfleet.pauses, jobfleet.unique_keys")
        self.redis().flushall()
        super().forget_all()

    def send(self, bodies, task, headers=None):
        """Confirmed; kwargs in, ids out."""
        ids = []
        with self.rabbit() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for kwargs in bodies:
                ids.append(str(uuid.uuid4()))
                channel.basic_publish("", QUEUE, json.dumps([[], kwargs, {}]).encode(),
                                      pika.BasicProperties(
                                          content_type="application/json",
                                          content_encoding="utf-8", delivery_mode=2,
                                          correlation_id=ids[-1],
                                          headers=dict(headers or {}, task=task, id=ids[-1])),
                                      mandatory=True)
        return ids

    def control(self, method, **arguments):
        with self.rabbit() as connection:
            channel = connection.channel()
            channel.basic_publish("celery.pidbox", "", json.dumps(
                {"method": method, "arguments": arguments, "destination": None}).encode(),
                pika.BasicProperties(content_type="application/json", content_encoding="utf-8",
                                     headers={"clock": 1, "expires": 0}))

    def times(self, ids):
        """When each began, in seconds, and where."""
        return [(at, pid, note) for at, pid, note in self.sql(
            "SELECT extract(epoch FROM at)::float8, pid, note FROM effects"
            " WHERE task_id = ANY(%s) ORDER BY at", ids)]

    def wait(self, ids, limit_s=60):
        wait_for("%d are done" % len(ids), lambda: self.one(
            "SELECT count(*) FROM jobfleet.ledger WHERE final AND task_id = ANY(%s)",
            ids) == len(ids), limit_s, 0.05)
        assert self.one("SELECT count(*) FROM effects WHERE task_id = ANY(%s)", ids) == len(ids)

    def meta(self, task_id):
        text = self.redis().get("celery-task-meta-" + task_id)
        return json.loads(text) if text else {"status": None, "result": None}


def most_in(times, window_s):
    """The most that began within any such time."""
    return max(sum(1 for t in times if t0 <= t < t0 + window_s) for t0 in times)


def expect_rate(times, rate):
    """None began before its slot. What began late, on a machine with other work, does not move the
    slots behind it, so that a second may see it beside them; but never twice the rate."""
    for k, t in enumerate(times):
        assert t - times[0] >= (k - 3) / rate, "number %d after %.3f s" % (k, t - times[0])
    assert most_in(times, 1.0) < 2 * rate, most_in(times, 1.0)


def a_rate_limit_holds_for_the_whole_fleet():
    fleet = Bed(fleet_conf='eta_hold = "1s"', conf=LIMITED % 'rate_limit = "10/s"')
    ids = fleet.send(({"note": "x"} for _ in range(60)), "echo.limited")
    fleet.wait(ids)
    times = [t for t, _, _ in fleet.times(ids)]
    workers = len({pid for _, pid, _ in fleet.times(ids)})
    print("# 60 in %.2f s, at most %d in a second, by %d processes" % (
        times[-1] - times[0], most_in(times, 1.0), workers))
    expect_rate(times, 10)
    assert times[-1] - times[0] < 20
    wait_for("nothing is left", lambda: fleet.counts() == (0, 0) and not fleet.one(
        "SELECT count(*) FROM jobfleet.pending"), 20, 0.1)
    fleet.close()


def a_rate_holds_over_killed_workers():
    fleet = Bed(fleet_conf='eta_hold = "1s"', conf=LIMITED % 'rate_limit = "10/s"')
    ids = fleet.send(({"note": "x", "work_ms": 50} for _ in range(50)), "echo.limited")
    for name in ("one", "two", "one"):
        done = fleet.done()
        wait_for("some more are done", lambda: fleet.done() >= done + 8, 30)
        with fleet.lock:
            fleet.workers[name].kill_parent()
    fleet.wait(ids)
    times = [t for t, _, _ in fleet.times(ids)]
    print("# 50 in %.2f s, at most %d in a second" % (times[-1] - times[0], most_in(times, 1.0)))
    expect_rate(times, 10)
    fleet.close()


def a_rate_changed_while_running_holds_also_for_what_waits_for_its_slot():
    fleet = Bed(fleet_conf='eta_hold = "1s"', conf=LIMITED % 'rate_limit = "1/s"')
    ids = fleet.send(({"note": "x"} for _ in range(40)), "echo.limited")
    wait_for("most wait in pending", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE reason = 'rate limit'") > 30, 30, 0.1)
    others = fleet.send(({"note": "x"} for _ in range(5)), "echo.mark")
    fleet.wait(others, 10)      # they are not held up
    fleet.control("rate_limit", task_name="echo.limited", rate_limit="20/s")
    started = time.monotonic()
    fleet.wait(ids, 15)
    print("# the rest took %.1f s" % (time.monotonic() - started))
    assert most_in([t for t, _, _ in fleet.times(ids)], 1.0) < 40
    fleet.close()


def a_rate_of_each_worker_is_its_own():
    fleet = Bed(conf=LIMITED % 'rate_limit = "5/s"\n\trate_limit_scope = "worker"')
    home = {pid: worker.name for worker in fleet.workers.values() for pid in worker.children()}
    ids = fleet.send(({"note": "x"} for _ in range(40)), "echo.limited")
    fleet.wait(ids)
    for name in fleet.workers:
        times = [t for t, pid, _ in fleet.times(ids) if home.get(pid) == name]
        print("# %s: %d, at most %d in a second" % (name, len(times), most_in(times, 1.0)))
        assert len(times) > 5
        expect_rate(times, 5)
    fleet.close()


def check_apart(rows, work_s):
    """Of each key, none began before the one before it had ended."""
    for key in {note for _, _, note in rows}:
        times = [t for t, _, note in rows if note == key]
        for before, after in zip(times, times[1:]):
            assert after - before > work_s * 0.95, "%s: %.3f s apart" % (key, after - before)


def a_concurrency_key_lets_one_run_at_a_time_over_all_workers():
    fleet = Bed(fleet_conf='eta_hold = "2s"', conf=KEYED % 1)
    ids = fleet.send(({"key": key, "note": key, "work_ms": 200} for _ in range(12)
                      for key in ("a", "b")), "echo.keyed")
    started = time.monotonic()
    fleet.wait(ids)
    rows = fleet.times(ids)
    check_apart(rows, 0.2)
    overlap = sum(1 for t, _, note in rows if any(
        n != note and abs(u - t) < 0.2 for u, _, n in rows))
    print("# 24 of 0.2 s in %.1f s, %d beside one of the other key" % (
        time.monotonic() - started, overlap))
    assert overlap > 4, "two keys never ran side by side"
    assert not fleet.redis().keys("jobfleet:running:*"), "leases are left"
    fleet.close()


def what_is_parked_for_a_key_comes_when_the_key_is_free():
    fleet = Bed(fleet_conf='eta_hold = "500ms"', conf=KEYED % 1)
    ids = fleet.send(({"key": "a", "note": "a", "work_ms": 1500} for _ in range(6)), "echo.keyed")
    wait_for("some are parked", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE reason LIKE 'concurrency limit %%'") > 1)
    started = time.monotonic()
    fleet.wait(ids)
    check_apart(fleet.times(ids), 1.5)
    print("# 9 s of work in %.1f s" % (time.monotonic() - started))
    assert time.monotonic() - started < 15
    fleet.close()


def the_lease_of_a_killed_worker_runs_out_and_that_of_a_killed_keeper_goes_on():
    fleet = Bed(fleet_conf='lease = "2s"\n\teta_hold = "1s"', conf=KEYED % 1)
    ids = fleet.send(({"key": "a", "note": "a", "work_ms": 700} for _ in range(10)), "echo.keyed")
    wait_for("one runs", lambda: fleet.redis().keys("jobfleet:running:*"))
    for kills in range(3):
        done = fleet.done()
        with fleet.lock:
            if kills == 1:
                for worker in fleet.workers.values():
                    os.kill(worker.keeper(), 9)
            else:
                list(fleet.workers.values())[kills // 2].kill_parent()
        wait_for("they go on", lambda: fleet.done() > done, 30, 0.05)
    fleet.wait(ids, 90)
    check_apart(fleet.times(ids), 0.7)
    fleet.close()


def a_unique_task_is_enqueued_once_by_SQL():
    fleet = Bed(workers=("one",))
    call = ("SELECT jobfleet.enqueue('echo.mark', kwargs => '{\"note\": \"u\", \"work_ms\": 500}',"
            " queue => 'echo', unique_key => 'k')")
    first = fleet.one(call)
    assert first and fleet.one(call) is None
    fleet.wait([first])
    second = fleet.one(call)
    assert second and second != first
    replaced = fleet.one(
        "SELECT jobfleet.enqueue('echo.mark', queue => 'echo', unique_key => 'r',"
        " countdown => '3 seconds')")
    newer = fleet.one(
        "SELECT jobfleet.enqueue('echo.mark', kwargs => '{\"note\": \"u\"}', queue => 'echo',"
        " unique_key => 'r', unique_mode => 'replace')")
    fleet.wait([second, newer])
    wait_for("the older one is revoked", lambda: fleet.meta(replaced)["status"] == "REVOKED", 20)
    assert not fleet.times([replaced])
    fleet.close()


def a_unique_header_of_a_foreign_client_is_honoured():
    fleet = Bed()
    unique = {"x-jobfleet-unique-key": "k"}
    first, = fleet.send([{"note": "u", "work_ms": 1500}], "echo.mark", unique)
    wait_for("it has the key", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.unique_keys WHERE task_id = %s", first))
    twins = fleet.send(({"note": "u"} for _ in range(5)), "echo.mark", unique)
    for twin in twins:
        wait_for("a twin is refused", lambda: fleet.meta(twin)["status"] == "REVOKED", 20)
        assert "duplicate of " + first in json.dumps(fleet.meta(twin)), fleet.meta(twin)
    fleet.wait([first])
    later, = fleet.send([{"note": "u"}], "echo.mark", unique)
    fleet.wait([later])
    throttled = {"x-jobfleet-unique-key": "t", "x-jobfleet-unique-for": 60,
                 "x-jobfleet-unique-mode": "throttle"}
    one, = fleet.send([{"note": "u"}], "echo.mark", throttled)
    fleet.wait([one])
    two, = fleet.send([{"note": "u"}], "echo.mark", throttled)
    wait_for("throttled", lambda: fleet.meta(two)["status"] == "REVOKED", 20)
    replacing = {"x-jobfleet-unique-key": "r", "x-jobfleet-unique-mode": "replace"}
    eta = (datetime.now(timezone.utc) + timedelta(seconds=4)).isoformat()
    older, = fleet.send([{"note": "u"}], "echo.mark", dict(replacing, eta=eta))
    wait_for("it has the key", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.unique_keys WHERE task_id = %s", older))
    newer, = fleet.send([{"note": "u"}], "echo.mark", replacing)
    fleet.wait([newer])
    wait_for("replaced", lambda: fleet.meta(older)["status"] == "REVOKED", 20)
    wrong, = fleet.send([{"note": "u"}], "echo.mark", dict(unique, **{
        "x-jobfleet-unique-mode": "sometimes"}))
    wait_for("a wrong mode is a dead letter", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.dead_letters WHERE task_id = %s AND cause = 'malformed'",
        wrong), 20)
    assert not fleet.times(twins + [two, older, wrong])
    fleet.close()


def the_holder_of_a_unique_key_runs_to_its_end_when_its_worker_is_killed():
    fleet = Bed()
    unique = {"x-jobfleet-unique-key": "k"}
    first, = fleet.send([{"note": "u", "work_ms": 800}], "echo.mark", unique)
    wait_for("it has the key", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.unique_keys WHERE task_id = %s", first))
    with fleet.lock:
        for worker in fleet.workers.values():
            worker.kill_parent()
    twin, = fleet.send([{"note": "u"}], "echo.mark", unique)
    wait_for("its twin is refused", lambda: fleet.meta(twin)["status"] == "REVOKED", 20)
    fleet.wait([first])
    assert not fleet.times([twin])
    fleet.close()


if __name__ == "__main__":
    run(a_rate_limit_holds_for_the_whole_fleet,
        a_rate_holds_over_killed_workers,
        a_rate_changed_while_running_holds_also_for_what_waits_for_its_slot,
        a_rate_of_each_worker_is_its_own,
        a_concurrency_key_lets_one_run_at_a_time_over_all_workers,
        what_is_parked_for_a_key_comes_when_the_key_is_free,
        the_lease_of_a_killed_worker_runs_out_and_that_of_a_killed_keeper_goes_on,
        a_unique_task_is_enqueued_once_by_SQL,
        a_unique_header_of_a_foreign_client_is_honoured,
        the_holder_of_a_unique_key_runs_to_its_end_when_its_worker_is_killed)
