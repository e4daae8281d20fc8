#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""A child is frozen (SIGSTOP) for longer than the 5 s that a transaction may idle, while a twin of
its task, published a second time, runs elsewhere; then it is thawed. Whoever wins, the effects
happen once. At random instants on the shipped program, between effect and commit on the one with
crash points."""

import signal
import time

from fleet_bed import Fleet, kill, run, seed, wait_for

FROZEN_S = 6
rng = seed()


def twins_are_done(fleet, ids):
    """All have their final row, whether or not the frozen one wrote it."""
    return fleet.one("SELECT count(*) FROM jobfleet.ledger WHERE final AND task_id = ANY(%s)",
                     ids) == len(ids)


def children_frozen_at_random_instants_do_not_repeat_what_their_twins_did():
    fleet = Fleet()
    ids = []
    for _ in range(4):
        ids += fleet.enqueue(fleet.mixture(50, rng, 60))
        frozen, until = [], time.monotonic() + FROZEN_S
        for worker in fleet.workers.values():
            wait_for("a child is there", worker.children)
            time.sleep(rng.uniform(0, 0.15))    # the random instant itself
            pid = rng.choice(worker.children())
            if kill(pid, signal.SIGSTOP):
                frozen.append(pid)
        fleet.publish(ids[-50:])
        wait_for("the twins are done, and long enough frozen", lambda: time.monotonic() > until and
                 twins_are_done(fleet, ids))
        for pid in frozen:
            kill(pid, signal.SIGCONT)
    fleet.check()
    fleet.close()


def a_child_frozen_at_each_named_point_does_not_repeat_what_its_twin_did():
    fleet = Fleet(faults=True)
    for point in ("begin", "handler-done", "before-step", "ledger-row", "before-commit",
                  "after-commit", "after-follow-ups"):
        path = fleet.arm(point, "STOP")
        ids = fleet.enqueue(fleet.mixture(30, rng, 10))
        fleet.carried_out(path)
        pid = wait_for("somebody stands at " + point, fleet.stopped)
        until = time.monotonic() + FROZEN_S
        fleet.publish(ids)
        wait_for("the twins are done, and it is long enough frozen", lambda: time.monotonic() >
                 until and twins_are_done(fleet, ids))
        kill(pid, signal.SIGCONT)
        print("# point %s" % point)
    fleet.check()
    fleet.close()


run(children_frozen_at_random_instants_do_not_repeat_what_their_twins_did,
    a_child_frozen_at_each_named_point_does_not_repeat_what_its_twin_did)
