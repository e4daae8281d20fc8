#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 600
"""Chords of a stock client under what hurts: Redis flushed or away in the middle of 1,000 parts,
children and workers killed at each step, no dispatcher: every part's effect and the body's happen
once, and the body gets all values."""

import json
import os
import sys
import threading
import time
import uuid

from celery import chain, chord

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../interop"))
from conformance_bed import Bed, kill, raised, run, wait_for  # noqa: E402
from fleet_bed import seed  # noqa: E402

PARTS = 1000


class Chord:
    """Its parts leave a mark each and return their id; its body gives the values on, then leaves a
    mark of its own."""

    def __init__(self, bed, n=PARTS, work_ms=0):
        app = bed.app
        self.bed, self.n = bed, n
        parts = [app.signature("t.mark", kwargs={"work_ms": work_ms}) for _ in range(n)]
        body = chain(app.signature("t.identity"), app.signature("t.mark", immutable=True), app=app)
        for part in parts + list(body.tasks):
            part.set(queue=bed.queue)
        self.values = str(uuid.uuid4())         # under which the first step of the body ends
        body.tasks[0].set(task_id=self.values)
        self.result = chord(parts, app=app)(body)
        self.header = self.result.parent

    def settled(self):
        return self.bed.one("SELECT count(*) FROM jobfleet.ledger WHERE join_id = %s",
                            self.header.id)

    def wait_parts(self, n, limit_s=60):
        wait_for("%d parts are done" % n, lambda: self.settled() >= n, limit_s, 0.002)

    def state(self):
        return self.bed.one("SELECT state FROM jobfleet.joins WHERE join_id = %s", self.header.id)

    def check(self, limit_s=90):
        """All happened, and once. Results are asked of the ledger: a flush takes those in Redis."""
        bed, ids = self.bed, [part.id for part in self.header.results]
        meta = "SELECT meta FROM jobfleet.ledger WHERE final AND task_id = %s"
        wait_for("the body is done", lambda: bed.sql(meta, self.result.id), limit_s)
        values = json.loads(bed.one(meta, self.values))
        assert values["status"] == "SUCCESS" and values["result"] == ids, (
            values["status"], len(values["result"]), len(ids))
        bed.nothing_is_left()
        wait_for("the join is done", lambda: self.state() == "done", 30)
        assert bed.effects(self.result.id) == 1, bed.effects(self.result.id)
        assert bed.one("SELECT count(*) FROM effects WHERE task_id = ANY(%s)", ids) == self.n
        assert bed.one("SELECT count(DISTINCT task_id) FROM effects WHERE task_id = ANY(%s)",
                       ids) == self.n


def beside(make):
    """Starts it; the returned function waits for what it made."""
    made = []
    thread = threading.Thread(target=lambda: made.append(make()), daemon=True)
    thread.start()

    def get():
        thread.join(60)
        assert made, "the client failed"
        return made[0]
    return get


def a_flush_in_the_middle_of_a_thousand_parts_loses_nothing():
    bed = Bed()
    work = Chord(bed, work_ms=4)
    wait_for("its size was seen", lambda: bed.one(
        "SELECT size FROM jobfleet.joins WHERE join_id = %s", work.header.id) == PARTS)
    assert work.settled() < PARTS, "too late"
    bed.redis().flushall()
    work.check()
    bed.close()


def a_flush_before_the_size_is_there_loses_nothing():
    bed = Bed()
    client = bed.redis()
    feeder = beside(lambda: Chord(bed))
    wait_for("some parts are done", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.ledger WHERE join_id IS NOT NULL") > 50, every_s=0.002)
    client.flushall()
    work = feeder()
    work.check()
    bed.close()


def two_flushes_without_a_dispatcher_lose_nothing_once_there_is_one():
    bed = Bed(dispatcher=False)
    work = Chord(bed, 300, work_ms=5)
    for part in (100, 200):
        work.wait_parts(part)
        bed.redis().flushall()
    work.wait_parts(300)
    wait_for("the queue is empty", lambda: bed.counts() == (0, 0), 20, 0.1)
    assert bed.meta(work.values) is None and work.state() == "open", work.state()
    bed.start_dispatcher()
    work.check()
    bed.close()


def redis_killed_and_back_empty_in_the_middle_loses_nothing():
    bed = Bed()
    work = Chord(bed, 300, work_ms=5)
    work.wait_parts(100)
    bed.services("kill", "redis")
    work.wait_parts(150)
    bed.services("start-one", "redis")
    work.check()
    bed.close()


def children_killed_again_and_again_lose_nothing_and_repeat_nothing():
    for point in ("before-commit", "after-commit", "after-result", "join-counted", "join-publish",
                  "join-published"):
        bed = Bed(workers=("one", "two"), faults=True)
        path = bed.arm(point)
        work = Chord(bed, 60, work_ms=2)
        bed.carried_out(path)
        bed.order_again(path)
        second = Chord(bed, 60)
        bed.carried_out(path)
        work.check()
        second.check()
        bed.close()
        print("# point %s" % point)


def a_worker_that_dies_as_it_finishes_is_replaced_by_the_sweeper():
    """Its claim has to run out first."""
    for point, parts in (("after-result", 1), ("join-counted", 1), ("join-publish", 20),
                         ("join-published", 20)):
        bed = Bed(faults=True)
        bed.arm(point, "STOP")
        work = Chord(bed, parts)
        wait_for("the last part is frozen", bed.stopped)
        with bed.lock:                      # whatever ends stays so
            bed.workers["one"].kill_parent()
            wait_for("the join is done", lambda: work.state() == "done", 40)
        work.check()
        bed.close()
        print("# point %s" % point)


def a_dispatcher_killed_while_it_sweeps_is_no_loss():
    rng = seed()
    bed = Bed(dispatcher=False)
    work = []
    for _ in range(12):
        work.append(Chord(bed, 30, work_ms=2))
        work[-1].wait_parts(10)
        bed.redis().flushall()
    for each in work:
        each.wait_parts(30)
    bed.start_dispatcher()
    open_joins, kills = "SELECT count(*) FROM jobfleet.joins WHERE state = 'open'", 0
    while bed.one(open_joins) and kills < 30:
        time.sleep(rng.uniform(0.03, 0.3))      # the random instant itself
        kills += kill(bed.dispatcher.pid)
    for each in work:
        each.check()
    bed.close()
    print("# %d kills" % kills)


def a_failed_part_before_a_flush_still_fails_the_body():
    bed = Bed(fleet_conf='join_timeout = "10s"')
    app = bed.app
    parts = [app.signature("t.fail", args=("INVALID", "boom"))]
    parts += [app.signature("t.mark", kwargs={"work_ms": 30}) for _ in range(50)]
    for part in parts:
        part.set(queue=bed.queue)
    result = chord(parts, app=app)(app.signature("t.identity").set(queue=bed.queue))
    wait_for("some are done", lambda: bed.one("SELECT count(*) FROM jobfleet.ledger") > 10)
    bed.redis().flushall()
    problem = raised(app.AsyncResult(result.id), 90)
    assert str(problem) == "Dependency %s raised ValueError('boom')" % (
        result.parent.results[0].id), problem
    bed.nothing_is_left()
    bed.close()


run(a_flush_in_the_middle_of_a_thousand_parts_loses_nothing,
    a_flush_before_the_size_is_there_loses_nothing,
    two_flushes_without_a_dispatcher_lose_nothing_once_there_is_one,
    redis_killed_and_back_empty_in_the_middle_loses_nothing,
    children_killed_again_and_again_lose_nothing_and_repeat_nothing,
    a_worker_that_dies_as_it_finishes_is_replaced_by_the_sweeper,
    a_dispatcher_killed_while_it_sweeps_is_no_loss,
    a_failed_part_before_a_flush_still_fails_the_body)
