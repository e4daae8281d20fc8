#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""SIGTERM drains: under load nothing is lost and nothing repeated, not even of tasks without a
ledger; a second SIGTERM gives unfinished work back and leaves at once; SIGHUP takes a good file
and refuses a bad one."""

import os
import signal
import time

from fleet_bed import CONF, Fleet, kill, run, seed, stat_of, wait_for
from single import check_the_filter, single, starters_of_threads, threads_of

rng = seed()


def with_loose(fleet, n, work_ms=60):
    """A mixture, half of it without a ledger: what ran twice would be counted twice."""
    for task in fleet.mixture(n, rng, work_ms):
        yield rng.choice((task, ("echo.mark_loose", {"note": "mark",
                                                     "work_ms": rng.randrange(work_ms)})))


def draining_at_random_instants_loses_nothing_and_repeats_nothing():
    fleet = Fleet()
    feeder = fleet.enqueue_beside(with_loose(fleet, 290), pause_s=0.008)
    wait_for("the first task is done", fleet.done)
    drains = 0
    while drains < 14 and not fleet.settled():
        time.sleep(rng.uniform(0, 0.2))     # the random instant itself
        worker = rng.choice(list(fleet.workers.values()))
        with fleet.lock:
            if worker.process.poll() is None:
                assert worker.stop() == 0
                drains += 1
                worker.start()
        worker.wait_ready()
    feeder.join()
    fleet.check()
    assert not fleet.one("SELECT count(*) FROM jobfleet.starts WHERE starts > 0"), \
        "a drain cut a running task"
    fleet.close()
    print("# %d drains" % drains)
    assert drains > 3, drains


def draining_at_each_named_point_ends_what_runs_and_no_more():
    fleet = Fleet(faults=True, workers=("one",))
    worker = fleet.workers["one"]
    for point in ("taken", "begin", "before-commit", "after-commit", "after-result"):
        path = fleet.arm(point, "STOP")
        fleet.enqueue(with_loose(fleet, 30, 10))
        fleet.carried_out(path)
        pid = wait_for("somebody stands at " + point, fleet.stopped)
        with fleet.lock:
            worker.process.send_signal(signal.SIGTERM)
            wait_for("it gave back what it had not begun",
                     lambda: fleet.counts()[1] <= 1 and fleet.counts()[0] > 0, 20, 0.1)
            assert worker.process.poll() is None, "it left while a task ran"
            kill(pid, signal.SIGCONT)
            assert worker.process.wait(20) == 0
        print("# point %s" % point)
    fleet.check()
    fleet.close()


def a_drain_takes_nothing_when_the_broker_comes_back_meanwhile():
    fleet = Fleet(workers=("one",))
    worker = fleet.workers["one"]
    fleet.enqueue([("echo.mark_steps", {"n": 1, "work_ms": 25000})] * 2)
    wait_for("both run", lambda: fleet.counts()[1] == 2, 20, 0.1)
    fleet.enqueue(("echo.mark", {"note": "mark", "work_ms": 0}) for _ in range(20))
    with fleet.lock:
        worker.process.send_signal(signal.SIGTERM)
        wait_for("it drains", lambda: "draining" in worker.log())
        fleet.services("restart", "rabbitmq")
        wait_for("it is connected again", lambda: worker.log().count("consuming queues") > 1, 40)
        assert worker.process.wait(40) == 0
    rows = fleet.sql("SELECT arrivals FROM jobfleet.starts WHERE arrivals > 3")
    assert not rows, "messages came and went: %s" % rows
    fleet.check()
    fleet.close()


def a_second_SIGTERM_gives_back_and_leaves_at_once():
    fleet = Fleet(workers=("one",))
    worker = fleet.workers["one"]
    fleet.enqueue(("echo.mark", {"note": "mark", "work_ms": 4000}) for _ in range(8))
    wait_for("two run", lambda: fleet.counts()[1] >= 2, every_s=0.1)
    with fleet.lock:
        family = worker.family()
        worker.process.send_signal(signal.SIGTERM)
        wait_for("it drains", lambda: "draining" in worker.log())
        began = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        worker.process.wait(10)
        took = time.monotonic() - began
        assert took < 2.5, took
        wait_for("nothing of it is left", lambda: not [pid for pid in family if stat_of(pid)], 5)
        assert wait_for("all is back", lambda: fleet.counts() == (8, 0), 10, 0.1)
        assert not fleet.one("SELECT count(*) FROM effects"), "an effect of what was cut off"
        print("# left after %.2f s" % took)
    fleet.check()
    fleet.close()


def a_SIGQUIT_leaves_at_once_too():
    fleet = Fleet(workers=("one",))
    worker = fleet.workers["one"]
    fleet.enqueue(("echo.mark", {"note": "mark", "work_ms": 4000}) for _ in range(3))
    wait_for("two run", lambda: fleet.counts()[1] >= 2, every_s=0.1)
    with fleet.lock:
        began = time.monotonic()
        worker.process.send_signal(signal.SIGQUIT)
        worker.process.wait(10)
        assert time.monotonic() - began < 2.5
    fleet.check()
    fleet.close()


def a_bad_file_on_SIGHUP_changes_nothing_and_a_good_one_is_taken():
    check_the_filter()
    assert not starters_of_threads(os.environ["JOBFLEET_BIN"])
    fleet = Fleet(workers=("one",), under=single)
    worker = fleet.workers["one"]
    good = CONF % ("", "")
    before = [worker.process.pid] + worker.family()
    all_of_it = before + [fleet.dispatcher.pid]
    feeder = fleet.enqueue_beside(fleet.mixture(150, rng, 30), pause_s=0.01)
    for bad in ("queue echo {\n", good.replace("{2, 2}", "{0, 2}"),
                good.replace('program = "echo"', 'program = "echo"\n\tcolour = blue'), ""):
        refused = worker.log().count("reload refused")
        fleet.write_conf(bad)
        worker.process.send_signal(signal.SIGHUP)
        wait_for("the refusal of %r" % bad[:40], lambda: worker.log().count("reload refused") >
                 refused, 10)
    assert [worker.process.pid] + worker.family() == before
    fleet.write_conf(good.replace("{2, 2}", "{4, 4}"))
    worker.process.send_signal(signal.SIGHUP)
    wait_for("four children", lambda: len(worker.children()) == 4, 10)
    fleet.write_conf(good.replace("{2, 2}", "{1, 1}"))
    worker.process.send_signal(signal.SIGHUP)
    wait_for("one child", lambda: len(worker.children()) == 1, 10)
    assert threads_of(worker.process.pid) == threads_of(fleet.dispatcher.pid) == 1
    feeder.join()
    fleet.check()
    left = [worker.process.pid] + worker.family() + [fleet.dispatcher.pid]
    assert set(left) < set(all_of_it) and "child died" not in worker.log(), \
        "a process was replaced: it began a thread?\n" + worker.log()
    fleet.close()


def a_queue_that_the_new_file_names_is_consumed_from_and_one_it_drops_is_not():
    fleet = Fleet(workers=("one",))
    worker = fleet.workers["one"]
    extra = '\nqueue later {\n\tprogram = "echo"\n\tconcurrency = {1, 1}\n}\n'

    def consumers():
        with fleet.rabbit() as connection:
            return connection.channel().queue_declare(
                "later", durable=True, arguments={"x-max-priority": 10}).method.consumer_count

    for text, wanted in ((CONF % ("", extra), 1), (CONF % ("", ""), 0), (CONF % ("", extra), 1)):
        fleet.write_conf(text)
        worker.process.send_signal(signal.SIGHUP)
        wait_for("%d consumers of the other queue" % wanted, lambda: consumers() == wanted, 20)
    fleet.close()


run(draining_at_random_instants_loses_nothing_and_repeats_nothing,
    draining_at_each_named_point_ends_what_runs_and_no_more,
    a_drain_takes_nothing_when_the_broker_comes_back_meanwhile,
    a_second_SIGTERM_gives_back_and_leaves_at_once,
    a_SIGQUIT_leaves_at_once_too,
    a_bad_file_on_SIGHUP_changes_nothing_and_a_good_one_is_taken,
    a_queue_that_the_new_file_names_is_consumed_from_and_one_it_drops_is_not)
