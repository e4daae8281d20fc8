#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""Two workers under a few hundred tasks while RabbitMQ, PostgreSQL or Redis restart, are killed or
forget everything: every task's effects happen once, and results come as soon as they can. At
random instants on the shipped program; on the one with crash points while a process stands frozen
at a named point, between what the service was told and its answer."""

import signal
import time

from fleet_bed import Fleet, kill, run, seed, wait_for

TASKS = 250
rng = seed()


def under_load(disturb, times, results=True):
    """disturb(fleet, i) at `times` random instants; results=False: Redis forgets, so only what is
    settled after the last disturbance has a result for sure."""
    fleet = Fleet()
    feeder = fleet.enqueue_beside(fleet.mixture(TASKS, rng, 60), pause_s=0.01)
    wait_for("the first task is done", fleet.done)
    for i in range(times):
        time.sleep(rng.uniform(0.1, 0.6))   # the random instant itself
        disturb(fleet, i)
    since = None if results else wait_for("PostgreSQL's clock",
                                          lambda: fleet.one("SELECT clock_timestamp()"))
    feeder.join()
    fleet.check(results_since=since)
    fleet.close()


def bounce(service):
    """First a clean restart, then kill -9."""
    def disturb(fleet, i):
        if i == 0:
            fleet.services("restart", service)
        else:
            fleet.services("kill", service)
            fleet.services("start-one", service)
    return disturb


def a_restart_and_a_kill_of_RabbitMQ_lose_nothing_and_repeat_nothing():
    under_load(bounce("rabbitmq"), 2)


def a_restart_and_a_kill_of_PostgreSQL_lose_nothing_and_repeat_nothing():
    under_load(bounce("postgres"), 2)


def a_restart_and_a_kill_of_Redis_lose_no_result():
    under_load(bounce("redis"), 2)


def a_flush_of_Redis_loses_no_later_result():
    under_load(lambda fleet, i: fleet.redis().flushall(), 3, results=False)


def outage(*names):
    """They are away for longer than any client of theirs waits."""
    def disturb(fleet, i):
        for name in names:
            fleet.services("kill", name)
        time.sleep(7)                       # the outage itself
        for name in names:
            fleet.services("start-one", name)
    return disturb


def an_outage_of_RabbitMQ_loses_nothing_and_repeats_nothing():
    under_load(outage("rabbitmq"), 1)


def an_outage_of_PostgreSQL_loses_nothing_and_repeats_nothing():
    under_load(outage("postgres"), 1)


def an_outage_of_Redis_delays_results_and_loses_none():
    under_load(outage("redis"), 1)


def an_outage_of_all_three_loses_nothing_and_repeats_nothing():
    under_load(outage("rabbitmq", "postgres", "redis"), 1)


def a_memory_alarm_of_RabbitMQ_stops_publishing_but_no_task():
    fleet = Fleet()
    ids = fleet.enqueue(fleet.mixture(TASKS, rng, 20))
    fleet.services("ctl", "set_vm_memory_high_watermark", "0")
    began = time.monotonic()
    try:
        wait_for("all that was in the queue is done, alarm or not", lambda: fleet.one(
            "SELECT count(*) FROM jobfleet.ledger WHERE final AND task_id = ANY(%s)", ids) ==
            len(ids), 60, 0.1)
        print("# done after %.1f s of alarm" % (time.monotonic() - began))
    finally:
        fleet.services("ctl", "set_vm_memory_high_watermark", "absolute", "1GB")
    fleet.check()
    fleet.close()


def frozen_at(points, service, tasks=20, results=True):
    """At each point one process is frozen, the service killed and started, the process thawed."""
    fleet = Fleet(faults=True)
    since = None
    for point in points:
        path = fleet.arm(point, "STOP")
        fleet.enqueue(fleet.mixture(tasks, rng, 10))
        fleet.carried_out(path)
        pid = wait_for("somebody stands at " + point, fleet.stopped)
        if results:
            fleet.services("kill", service)
            fleet.services("start-one", service)
        else:
            fleet.redis().flushall()
        kill(pid, signal.SIGCONT)
        if not results:
            since = fleet.one("SELECT clock_timestamp()")
        print("# point %s" % point)
    fleet.check(results_since=since)
    fleet.close()


def RabbitMQ_killed_at_each_named_point_loses_nothing_and_repeats_nothing():
    frozen_at(("delivered", "handler-done", "after-commit", "before-ack", "after-ack"), "rabbitmq")


def PostgreSQL_killed_at_each_named_point_loses_nothing_and_repeats_nothing():
    frozen_at(("begin", "handler-done", "ledger-row", "before-commit", "after-commit",
               "before-step", "after-step"), "postgres")


def Redis_killed_at_each_named_point_loses_no_result():
    frozen_at(("after-commit", "after-follow-ups", "after-result"), "redis")


def Redis_flushed_at_each_named_point_loses_no_later_result():
    frozen_at(("after-commit", "after-follow-ups"), "redis", results=False)


run(a_restart_and_a_kill_of_RabbitMQ_lose_nothing_and_repeat_nothing,
    a_restart_and_a_kill_of_PostgreSQL_lose_nothing_and_repeat_nothing,
    a_restart_and_a_kill_of_Redis_lose_no_result,
    a_flush_of_Redis_loses_no_later_result,
    an_outage_of_RabbitMQ_loses_nothing_and_repeats_nothing,
    an_outage_of_PostgreSQL_loses_nothing_and_repeats_nothing,
    an_outage_of_Redis_delays_results_and_loses_none,
    an_outage_of_all_three_loses_nothing_and_repeats_nothing,
    a_memory_alarm_of_RabbitMQ_stops_publishing_but_no_task,
    RabbitMQ_killed_at_each_named_point_loses_nothing_and_repeats_nothing,
    PostgreSQL_killed_at_each_named_point_loses_nothing_and_repeats_nothing,
    Redis_killed_at_each_named_point_loses_no_result,
    Redis_flushed_at_each_named_point_loses_no_later_result)
