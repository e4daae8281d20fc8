#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 600
"""Chords from a stock Celery client on our worker, alone and with a Celery worker beside it that
runs members or the body; members that fail, nest and come twice; and once more with a child killed
at each step of the join."""

import functools
import os
import subprocess
import time

from celery import chain, chord, group, signature

from conformance_bed import (Bed, body_of, new_id, plainly, raised, run, wait_for,
                             with_a_kill)

PYTHON = """\
import os
from celery import Celery
from kombu import Queue

app = Celery("beside", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.task_default_queue = "beside"
app.conf.task_queues = (Queue("beside"),)
app.conf.task_routes = {"t.*": {"queue": "conformance"}, "py.*": {"queue": "beside"}}


@app.task(name="py.add")
def add(x, y):
    return x + y


@app.task(name="py.xsum")
def xsum(numbers):
    return sum(numbers)


@app.task(name="py.identity")
def identity(value=None):
    return value


@app.task(name="py.fail")
def fail(text):
    raise ValueError(text)
"""


class Beside:
    """A real Celery worker on a queue of its own."""

    def __init__(self, bed):
        self.log_path = os.path.join(bed.dir, "beside.log")
        with open(os.path.join(bed.dir, "beside.py"), "w") as f:
            f.write(PYTHON)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/bin/python3", "-m", "celery", "-A", "beside", "worker", "-c", "2", "-n",
                 "beside@test", "-l", "INFO"], cwd=bed.dir, stdout=log, stderr=log)
        wait_for("Celery's worker is ready", lambda: "ready." in self.log(), 60, 0.1)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def sig(name, *args, **options):
    """Of our worker's task, or the Python worker's if it begins with py."""
    if not name.startswith("py."):
        name = "t." + name
    options.setdefault("queue", "beside" if name.startswith("py.") else "conformance")
    immutable = options.pop("immutable", False)
    return signature(name, args=args, options=options, immutable=immutable)


def start(bed, header, body):
    return chord(header, app=bed.app)(body)


def failure(bed, result):
    """Of the body itself: its own result asks its parents first."""
    return raised(bed.app.AsyncResult(result.id), 60)


def ended(bed, result):
    """The join's row says so, and its keys are gone."""
    gid = result.parent.id
    wait_for("the join of %s is done" % gid, lambda: bed.one(
        "SELECT count(*) FROM jobfleet.joins WHERE join_id = %s AND state <> 'open'", gid), 30)
    wait_for("its keys are gone", lambda: not bed.redis().keys(
        "celery-taskset-meta-%s.[jst]" % gid), 30)


def one_part(bed):
    result = start(bed, [sig("add", 1, 2)], sig("xsum"))
    assert result.get(timeout=30) == 3
    ended(bed, result)


def a_hundred_parts_in_their_order(bed):
    result = start(bed, [sig("identity", i) for i in range(100)], sig("identity"))
    assert result.get(timeout=60) == list(range(100))
    ended(bed, result)


def values_pass_through_unchanged(bed):
    values = [2 ** 50, 1.10, "\u00e9\u2028\"", None, {"a": [1, {"b": []}]}, "", -0.0]
    result = start(bed, [sig("identity", v) for v in values], sig("identity"))
    assert result.get(timeout=30) == values, result.get()
    ended(bed, result)


def a_failed_part_fails_the_body_and_calls_its_errbacks(bed):
    mark = sig("mark", immutable=True, task_id=new_id())
    result = start(bed, [sig("add", 1, 1), sig("fail", "INVALID", "boom"), sig("add", 2, 2)],
                   sig("xsum").on_error(mark))
    bad = result.parent.results[1].id
    problem = failure(bed, result)
    assert type(problem).__name__ == "ChordError", repr(problem)
    assert str(problem) == "Dependency %s raised ValueError('boom')" % bad, problem
    bed.effect_at(mark.options["task_id"])
    wait_for("the join is failed", lambda: bed.one(
        "SELECT state FROM jobfleet.joins WHERE join_id = %s", result.parent.id) == "failed", 30)


def a_part_that_kills_its_child_each_time_fails_the_body(bed):
    result = start(bed, [sig("kill"), sig("add", 2, 2)], sig("xsum"))
    bad = result.parent.results[0].id
    problem = failure(bed, result)
    assert str(problem).startswith("Dependency %s raised WorkerLostError(" % bad), problem


def a_revoked_part_fails_the_body(bed):
    result = start(bed, [sig("add", 1, 1, countdown=3), sig("add", 2, 2)], sig("xsum"))
    bad = result.parent.results[0].id
    bed.app.control.revoke(bad)
    problem = failure(bed, result)
    assert str(problem) == "Dependency %s raised TaskRevokedError('revoked')" % bad, problem


def parts_that_want_no_result_count(bed):
    header = [sig("add", i, 1, ignore_result=True) for i in range(3)]
    assert start(bed, header, sig("xsum")).get(timeout=30) == 6


def parts_that_retry_count_once_they_end(bed):
    header = [sig("retry_n", 2), sig("add", 1, 1)]
    result = start(bed, header, sig("identity"))
    assert len(result.get(timeout=60)) == 2
    ended(bed, result)


def a_chord_of_chords(bed):
    inner = [chord([sig("add", i, j) for j in range(3)], sig("xsum"), app=bed.app)
             for i in range(3)]
    result = start(bed, inner, sig("xsum"))
    assert result.get(timeout=60) == sum(i + j for i in range(3) for j in range(3))


def an_inner_chord_that_fails_fails_the_outer_one(bed):
    inner = chord([sig("add", 1, 2), sig("fail", "INVALID", "boom")], sig("xsum"), app=bed.app)
    problem = failure(bed, start(bed, [inner, sig("add", 1, 1)], sig("xsum")))
    assert type(problem).__name__ == "ChordError", repr(problem)
    assert "boom" in str(problem), problem


def chains_and_groups_in_a_header(bed):
    header = [chain(sig("add", 1, 1), sig("add", 10)), sig("add", 5, 5)]
    assert start(bed, header, sig("identity")).get(timeout=60) == [12, 10]
    header = [chain(sig("add", 1, 1), group(sig("add", 10), sig("add", 20))), sig("add", 5, 5)]
    assert start(bed, header, sig("identity")).get(timeout=60) == [[12, 22], 10]


def a_body_that_is_a_chain(bed):
    result = start(bed, [sig("add", 1, 1), sig("add", 2, 2)],
                   chain(sig("xsum"), sig("add", 100)))
    assert result.get(timeout=60) == 106


def a_group_followed_by_a_step(bed):
    flow = chain(sig("add", 1, 1), group(sig("add", 1), sig("add", 2)), sig("xsum"), sig("add", 7),
                 app=bed.app)
    assert flow.apply_async().get(timeout=60) == 14


def a_part_that_comes_twice_counts_once(bed):
    gid, ids, body = new_id(), [new_id() for _ in range(3)], new_id()
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": dict(
        sig("identity", task_id=body), kwargs={}, args=[])}
    client = bed.redis()
    client.setex("celery-taskset-meta-%s.s" % gid, 600, 3)

    def publish(i):
        bed.publish(body_of([i], embed=embed), {
            "task": "t.identity", "id": ids[i], "group": gid, "group_index": i,
            "root_id": ids[i], "lang": "py"}, correlation_id=ids[i])

    for i in (0, 0, 1, 0, 1):
        publish(i)
    for i in (0, 1):
        bed.final(ids[i])
    wait_for("the queue is empty", lambda: bed.counts() == (0, 0), 20, 0.1)
    assert client.zcard("celery-taskset-meta-%s.j" % gid) == 2
    assert bed.meta(body) is None
    publish(2)
    publish(2)
    assert bed.final(body, 30)["result"] == [0, 1, 2]
    assert bed.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = %s", body) == 1


def ten_thousand_parts(bed):
    began = time.monotonic()
    result = start(bed, [sig("identity", i) for i in range(10000)], sig("identity"))
    sent = time.monotonic()
    gid = result.parent.id
    last = [-1, 0]

    def moves():
        """As long as parts come in, it may take its time."""
        if result.ready():
            return True
        n = bed.redis().zcard("celery-taskset-meta-%s.j" % gid)
        if n != last[0]:
            last[:] = [n, time.monotonic()]
        assert time.monotonic() - last[1] < 60, "stands still at %d parts" % n
        return False

    wait_for("the body's result", moves, 400, 0.2)
    assert result.get(timeout=10) == list(range(10000))
    ended(bed, result)
    print("# 10,000 parts in %.1f s, %.1f s of them to send" % (time.monotonic() - began,
                                                                sent - began))


# ---- with a Celery worker beside it ----

def members_on_both_and_the_body_here(bed):
    header = [sig("py.add" if i % 3 else "add", i, i) for i in range(30)]
    for _ in range(3):
        result = start(bed, header, sig("xsum"))
        assert result.get(timeout=60) == sum(2 * i for i in range(30))


def members_on_both_and_the_body_there(bed):
    header = [sig("py.identity" if i % 2 else "identity", i) for i in range(30)]
    for _ in range(3):
        result = start(bed, header, sig("py.identity"))
        assert result.get(timeout=60) == list(range(30))
        ended(bed, result)


def members_there_only_and_the_body_here(bed):
    assert start(bed, [sig("py.add", i, 1) for i in range(5)], sig("xsum")).get(timeout=60) == 15


def a_failing_member_there_and_the_body_here(bed):
    result = start(bed, [sig("add", 1, 1), sig("py.fail", "boom")], sig("xsum"))
    bad = result.parent.results[1].id
    problem = failure(bed, result)
    assert str(problem) == "Dependency %s raised ValueError('boom')" % bad, problem


def a_failing_member_here_and_the_body_there(bed):
    result = start(bed, [sig("py.add", 1, 1), sig("fail", "INVALID", "boom")], sig("py.xsum"))
    bad = result.parent.results[1].id
    problem = failure(bed, result)
    assert str(problem) == "Dependency %s raised ValueError('boom')" % bad, problem


def a_chord_started_there_ends_here_and_back(bed):
    flow = chain(sig("py.add", 1, 1), group(sig("add", 1), sig("py.add", 2)), sig("xsum"),
                 app=bed.app)
    assert flow.apply_async().get(timeout=60) == 7
    flow = chain(sig("add", 1, 1), group(sig("add", 1), sig("py.add", 2)), sig("py.xsum"),
                 app=bed.app)
    assert flow.apply_async().get(timeout=60) == 7


def a_saved_tree_with_members_on_both(bed):
    """Celery alone may hang here: a Python worker that applies the inner group overwrites the size.
    One part of ours in it, and the sweeper ends it."""
    for inner in (("add", "py.add"), ("py.add", "py.add"), ("add", "add")):
        for first in ("add", "py.add"):
            header = [chain(sig(first, 1, 1), group(sig(inner[0], 10), sig(inner[1], 20))),
                      sig("add", 5, 5)]
            result = start(bed, header, sig("identity"))
            assert result.get(timeout=60) == [[12, 22], 10], (inner, first)


ALONE = (one_part, a_hundred_parts_in_their_order, values_pass_through_unchanged,
         a_failed_part_fails_the_body_and_calls_its_errbacks,
         a_part_that_kills_its_child_each_time_fails_the_body, a_revoked_part_fails_the_body,
         parts_that_want_no_result_count, parts_that_retry_count_once_they_end,
         a_chord_of_chords, an_inner_chord_that_fails_fails_the_outer_one,
         chains_and_groups_in_a_header, a_body_that_is_a_chain, a_group_followed_by_a_step,
         a_part_that_comes_twice_counts_once)
MIXED = (members_on_both_and_the_body_here, members_on_both_and_the_body_there,
         members_there_only_and_the_body_here, a_failing_member_there_and_the_body_here,
         a_failing_member_here_and_the_body_there, a_chord_started_there_ends_here_and_back,
         a_saved_tree_with_members_on_both)
KILLED = (one_part, a_failed_part_fails_the_body_and_calls_its_errbacks, a_chord_of_chords,
          an_inner_chord_that_fails_fails_the_outer_one, a_part_that_comes_twice_counts_once)


class Mixed(Bed):
    def __init__(self):
        super().__init__()
        self.beside = Beside(self)

    def nothing_is_left(self):
        """What went to the Python worker has no ledger row, so its rows stay as sent."""
        self.sql("DELETE FROM jobfleet.pending WHERE queue = 'beside' AND state = 'sent'")
        super().nothing_is_left()

    def close(self):
        self.beside.stop()
        super().close()


def rows(*functions):
    """Signatures without an app of their own are the bed's."""
    def defaulted(row):
        @functools.wraps(row)
        def test(bed):
            bed.app.set_default()
            row(bed)
        return test
    return [defaulted(row) for row in functions]


run(*plainly(Bed, rows(*ALONE)),
    *plainly(Mixed, rows(*MIXED), " with a celery worker beside"),
    *[test for point in ("after-result", "join-counted", "join-publish", "join-published")
      for test in with_a_kill(point, rows(*KILLED))],
    *plainly(Bed, rows(ten_thousand_parts)))
