#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""Chains, chords, replacements and errbacks while a child is killed at each named point on their
way: every effect happens once, every result arrives."""

import os
import sys
import uuid

from fleet_bed import Fleet, run, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../interop"))
from canvas_bed import Stored, task  # noqa: E402
from celery import chain, chord, group  # noqa: E402

SETTLING = ("handler-done", "ledger-row", "before-commit", "after-commit", "after-follow-ups",
            "after-result", "answered")
JOINING = ("join-counted", "join-publish", "join-published")


class Flow:
    """A canvas of marks: what must stand in the effects, and the ids whose results must come."""

    def __init__(self, fleet):
        self.fleet, self.stored = fleet, Stored(fleet)
        self.key = str(uuid.uuid4())
        self.wanted = {}

    def mark(self, note, **options):
        name = "%s %s" % (self.key, note)
        self.wanted[name] = self.wanted.get(name, 0) + 1
        return task("mark", kwargs={"note": name, "work_ms": 5}, immutable=True, **options)

    def ends(self, result):
        meta = self.stored.final(result.id, 60)
        found = dict(self.fleet.sql("SELECT note, count(*) FROM effects WHERE note LIKE %s"
                                    " GROUP BY note", self.key + "%"))
        assert found == self.wanted, (found, self.wanted)
        return meta


def a_chain(flow):
    assert flow.ends(chain(flow.mark("step %d" % i) for i in range(4)).apply_async())[
        "status"] == "SUCCESS"


def a_chord_of_a_client(flow):
    header = [flow.mark("part %d" % i) for i in range(4)]
    assert flow.ends(chord(header, flow.mark("body")).apply_async())["status"] == "SUCCESS"


def a_chord_of_a_worker(flow):
    header = group(flow.mark("part %d" % i) for i in range(3))
    tasks = chain(flow.mark("starter"), header, flow.mark("body"), flow.mark("last"))
    assert flow.ends(tasks.apply_async())["status"] == "SUCCESS"


def a_replacement(flow):
    inner = chord([flow.mark("a"), flow.mark("b")], flow.mark("body"))
    tasks = chain(task("replace", kwargs={"signature": inner}), flow.mark("after"))
    assert flow.ends(tasks.apply_async())["status"] == "SUCCESS"


def a_failing_chord(flow):
    header = [flow.mark("good"), task("fail", kwargs={"text": "boom"}, immutable=True)]
    body = task("identity").on_error(flow.mark("errback"))

    def errback_ran():
        return flow.fleet.one("SELECT count(*) FROM effects WHERE note = %s",
                              flow.key + " errback")

    result = chord(header, body).apply_async()
    wait_for("the errback", errback_ran, 60)
    meta = flow.ends(result)
    assert meta["result"]["exc_type"] == "ChordError", meta


def at_each_point(points, flows):
    fleet = Fleet(faults=True, workers=("one",))
    for point in points:
        path = fleet.arm(point)
        for canvas in flows:
            if not os.path.exists(path):
                fleet.order_again(path)
            canvas(Flow(fleet))
        fleet.carried_out(path)
        print("# point %s" % point)
    wait_for("no row is left", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"), 60)
    fleet.close()


def a_child_killed_while_it_settles_repeats_no_effect_and_loses_no_step():
    at_each_point(SETTLING, (a_chain, a_chord_of_a_client, a_chord_of_a_worker, a_replacement,
                             a_failing_chord))


def a_child_killed_while_it_joins_leaves_no_chord_unfinished():
    at_each_point(JOINING, (a_chord_of_a_client, a_chord_of_a_worker, a_replacement,
                            a_failing_chord))


run(a_child_killed_while_it_settles_repeats_no_effect_and_loses_no_step,
    a_child_killed_while_it_joins_leaves_no_chord_unfinished)
