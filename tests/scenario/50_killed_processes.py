#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""Two workers under a few hundred tasks while their processes are killed with -9 or have no memory:
every task's effects happen once, at random instants on the shipped program and at named points on
the one with crash points."""

import os
import resource
import subprocess
import time

from fleet_bed import Fleet, kill, run, seed, wait_for

TASKS = 290
rng = seed()
CHILD_POINTS = ("taken", "begin", "handler-done", "before-step", "after-step", "ledger-row",
                "before-commit", "after-commit", "after-follow-ups", "after-result", "answered")
PARENT_POINTS = ("delivered", "before-hand-over", "before-ack", "after-ack")
KEEPER_POINTS = ("keeper-asked", "keeper-done")


def kill_at_random(fleet, pick, kills, pause=(0.02, 0.2)):
    """pick(worker) says whom; until the load is over or `kills` are done."""
    done = 0
    while done < kills and not fleet.settled():
        time.sleep(rng.uniform(*pause))     # the random instant itself
        pid = pick(rng.choice(list(fleet.workers.values())))
        done += bool(pid and kill(pid))
    return done


def under_load(pick, kills, limit_s=60, **options):
    fleet = Fleet()
    feeder = fleet.enqueue_beside(fleet.mixture(TASKS, rng, 60), pause_s=0.005)
    wait_for("the first task is done", fleet.done)
    done = kill_at_random(fleet, pick, kills, **options)
    feeder.join()
    fleet.check(limit_s=limit_s)
    fleet.close()
    print("# %d kills" % done)
    assert done > 3, done


def children_killed_at_random_instants_lose_nothing_and_repeat_nothing():
    under_load(lambda w: rng.choice(w.children() or [None]), 60)


def a_parent_killed_at_random_instants_leaves_no_process_and_loses_nothing():
    fleet = Fleet()
    feeder = fleet.enqueue_beside(fleet.mixture(TASKS, rng, 60), pause_s=0.005)
    wait_for("the first task is done", fleet.done)
    kills = 0
    while kills < 12 and not fleet.settled():
        time.sleep(rng.uniform(0.1, 0.5))   # the random instant itself
        worker = rng.choice(list(fleet.workers.values()))
        with fleet.lock:
            if worker.process.poll() is None:
                worker.kill_parent()
                kills += 1
    feeder.join()
    fleet.check()
    fleet.close()
    print("# %d kills" % kills)
    assert kills > 3, kills


def a_keeper_killed_at_random_instants_is_replaced():
    """Children die too, so that the keeper has starts to count."""
    under_load(lambda w: w.keeper() if rng.random() < 0.6 else rng.choice(w.children() or [None]),
               40)


def a_zygote_killed_at_random_instants_ends_its_worker_without_loss():
    under_load(lambda w: w.zygote(), 10, pause=(0.1, 0.5), limit_s=30)


def at_each_point(points, orders, tasks, also=lambda fleet: None):
    fleet = Fleet(faults=True)
    for point in points:
        path = fleet.arm(point)
        # each point is asked for by the first tasks, so a batch may be over before the next order
        for _ in range(orders):
            fleet.enqueue(fleet.mixture(tasks, rng, 10), ignore_result=False)
            also(fleet)
            fleet.carried_out(path)
            fleet.order_again(path)
        print("# point %s" % point)
    fleet.check()
    fleet.close()


def a_child_killed_at_each_named_point_loses_nothing_and_repeats_nothing():
    at_each_point(CHILD_POINTS, 2, 12)


def a_parent_killed_at_each_named_point_loses_nothing_and_repeats_nothing():
    at_each_point(PARENT_POINTS, 3, 12)


def a_keeper_killed_at_each_named_point_loses_nothing_and_repeats_nothing():
    at_each_point(KEEPER_POINTS, 3, 12,
                  lambda fleet: [kill(pid) for w in fleet.workers.values() for pid in w.children()])


class Starved(Fleet):
    """A dispatcher with crash points, too."""

    def start_dispatcher(self):
        order = "relay-claimed:" + os.path.join(self.dir, "order-relay-claimed")
        with open(os.path.join(self.dir, "dispatcher.log"), "ab") as log:
            self.dispatcher = subprocess.Popen(
                [os.path.join(os.environ["JOBFLEET_FAULTS_BIN"], "jobfleet-dispatcher"),
                 "--hostname", "dispatcher@test"], stdout=log, stderr=log,
                env=dict(os.environ, JOBFLEET_CONFIG=self.conf, JOBFLEET_FAULT=order))

    def ends(self):
        """How often some process had no memory."""
        return sum(text.count("out of memory") for _, text in self.logs())

    def starve(self, path, nth, enqueue):
        """The nth allocation after the point fails, be it in a later task of that process, and all
        tasks are done all the same."""
        before = self.ends()
        self.order_again(path, "ALLOC %d" % nth)
        for _ in range(20):
            enqueue()
            wait_for("its tasks are done", self.settled)
            if self.ends() > before:
                return
        raise AssertionError("allocation %d after %s never fails" % (nth, os.path.basename(path)))

    def enqueue_by_sql(self):
        rows = self.sql("SELECT jobfleet.enqueue('echo.mark', kwargs => '{\"note\": \"mark\"}',"
                        " queue => 'echo') FROM generate_series(1, 10)")
        self.expected.update((row[0], ("echo.mark", 1)) for row in rows)


WORK = [("echo.mark_and_spawn", {"n": 2, "note": "mark"}), ("echo.mark_steps", {"n": 2})]


def a_child_without_memory_anywhere_in_a_task_loses_nothing_and_repeats_nothing():
    fleet = Starved(faults=True)
    path = fleet.arm("taken", "ALLOC 1")
    points = range(1, 80, 3)
    for nth in points:
        fleet.starve(path, nth, lambda: fleet.enqueue(WORK))
    fleet.check()
    fleet.close()
    print("# %d allocations failed" % len(points))


def a_parent_a_keeper_and_a_dispatcher_without_memory_lose_nothing_and_repeat_nothing():
    fleet = Starved(faults=True)
    for nth, point in enumerate(("delivered", "before-ack", "keeper-asked"), 1):
        path = fleet.arm(point, "ALLOC %d" % nth)
        fleet.starve(path, nth, lambda: fleet.enqueue(fleet.mixture(12, rng, 10)))
    fleet.starve(os.path.join(fleet.dir, "order-relay-claimed"), 3, fleet.enqueue_by_sql)
    fleet.check()
    fleet.close()


def a_limit_of_descriptors_ends_no_worker():
    """Neither the parent's nor the zygote's: nobody new comes until there are some again."""
    fleet = Fleet(workers=("one",), dispatcher=False)
    worker = fleet.workers["one"]
    before = worker.process.pid, worker.zygote()
    for pid, words in ((before[0], ("no descriptor left for a new child",
                                    "no descriptor left for a keeper")),
                       (before[1], ("no child: Too many open files",))):
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, usual[1]))
        for victim in worker.family()[1:]:
            kill(victim)
        for text in words:
            wait_for(text, lambda: text in worker.log())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        wait_for("all are back", lambda: len(worker.children()) == 2 and worker.keeper())
    assert (worker.process.pid, worker.zygote()) == before
    fleet.enqueue(("echo.mark", {"note": "mark", "work_ms": 0}) for _ in range(20))
    fleet.check()
    fleet.close()


def what_a_killed_worker_ran_begins_elsewhere_within_a_second():
    fleet = Fleet()
    one, two = fleet.workers.values()
    took = []
    with fleet.lock:
        for _ in range(6):
            two.stop()
            fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 500})])
            wait_for("its effect stands uncommitted", lambda: fleet.one(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"))
            two.start()
            two.wait_ready(again=True)
            killed = fleet.one("SELECT clock_timestamp()")
            one.kill_parent()
            wait_for("it is done", fleet.settled)
            took.append((fleet.one("SELECT max(at) FROM effects") - killed).total_seconds())
            one.start()
            one.wait_ready(again=True)
            one, two = two, one
    fleet.check()
    fleet.close()
    print("# began again after %s ms" % " ".join("%d" % (s * 1000) for s in sorted(took)))
    # a busy machine may hold one of them up
    assert sorted(took)[len(took) // 2] < 1 and max(took) < 5, took


run(what_a_killed_worker_ran_begins_elsewhere_within_a_second,
    a_limit_of_descriptors_ends_no_worker,
    children_killed_at_random_instants_lose_nothing_and_repeat_nothing,
    a_parent_killed_at_random_instants_leaves_no_process_and_loses_nothing,
    a_keeper_killed_at_random_instants_is_replaced,
    a_zygote_killed_at_random_instants_ends_its_worker_without_loss,
    a_child_without_memory_anywhere_in_a_task_loses_nothing_and_repeats_nothing,
    a_parent_a_keeper_and_a_dispatcher_without_memory_lose_nothing_and_repeat_nothing,
    a_child_killed_at_each_named_point_loses_nothing_and_repeats_nothing,
    a_parent_killed_at_each_named_point_loses_nothing_and_repeats_nothing,
    a_keeper_killed_at_each_named_point_loses_nothing_and_repeats_nothing)
