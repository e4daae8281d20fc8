#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""The pool and its queues: children by backlog, priorities under prefetch, the order of several
queues, what waits behind long tasks, runs longer than the broker's consumer timeout, children that
grew too large, quorum queues."""

import json
import os
import signal
import subprocess
import time
import uuid

from fleet_bed import CONF, Fleet, run, wait_for

QUEUE = '\nqueue %s {\n\tprogram = "echo"\n\tconcurrency = {%s}\n\t%s\n}\n'


class Pool(Fleet):
    """conf: settings of queue echo; extra: further blocks."""

    def __init__(self, concurrency="2, 2", queue_conf="", budget=50, **options):
        self.text = CONF.replace("start_budget = 50", "start_budget = %d" % budget).replace("concurrency = {2, 2}",
                                 "concurrency = {%s}\n\t%s" % (concurrency, queue_conf))
        self.least = int(concurrency.split(",")[0])
        super().__init__(**options)

    def publish_to(self, queue, name, kwargs, priority=None):
        task_id = str(uuid.uuid4())
        self.send(queue, [(task_id, name, kwargs, priority)])
        return task_id

    def send(self, queue, tasks):
        import pika
        with self.rabbit() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for task_id, name, kwargs, priority in tasks:
                channel.basic_publish(
                    "", queue, json.dumps([[], kwargs, {}]).encode(), pika.BasicProperties(
                        content_type="application/json", content_encoding="utf-8",
                        delivery_mode=2, correlation_id=task_id, priority=priority,
                        headers={"task": name, "id": task_id}), mandatory=True)

    def result(self, task_id):
        meta = self.redis().get("celery-task-meta-" + task_id)
        return json.loads(meta) if meta else None

    def wait_result(self, task_id, limit_s=60):
        return wait_for("the result of " + task_id, lambda: self.result(task_id), limit_s)

    def children(self, name="one"):
        return len(self.workers[name].children())

    def ctl(self, expression):
        subprocess.run([os.environ["JOBFLEET_SERVICES"], "ctl", "eval", expression], check=True,
                       timeout=60, stdout=subprocess.DEVNULL)


def children_come_with_the_backlog_and_leave_when_idle():
    fleet = Pool("1, 4", workers=("one",), fleet_conf='idle_child = "1s"')
    wait_for("one child at rest", lambda: fleet.children() == 1)
    fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 400})] * 24)
    wait_for("four children under load", lambda: fleet.children() == 4)
    fleet.check()
    wait_for("one child at rest again", lambda: fleet.children() == 1, 30)
    fleet.close()


def a_child_that_grew_too_large_is_replaced_between_tasks():
    fleet = Pool("1, 1", "max_memory_per_child = 48M", workers=("one",))
    pids = []
    for mib in (1, 1, 64, 1):
        pids.append(fleet.wait_result(fleet.publish_to("echo", "echo.swell",
                                                       {"mib": mib}))["result"])
    assert pids[0] == pids[1] == pids[2] != pids[3], pids
    assert "child died" not in fleet.workers["one"].log()
    fleet.close()


def a_task_of_priority_9_passes_what_was_prefetched():
    fleet = Pool("2, 2", workers=("one",))
    fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 5})] * 60)
    fleet.check()                       # it knows how long such a task takes
    fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 5})] * 1500)
    done = fleet.one("SELECT count(*) FROM effects")
    wait_for("the queue moves", lambda: fleet.one("SELECT count(*) FROM effects") > done + 100)
    before = fleet.one("SELECT count(*) FROM effects")
    urgent = fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 0})], priority=9)[0]
    wait_for("the urgent one is done", lambda: fleet.one(
        "SELECT count(*) FROM effects WHERE task_id = %s", urgent))
    passed = fleet.one("SELECT count(*) FROM effects WHERE at <="
                       " (SELECT at FROM effects WHERE task_id = %s)", urgent) - before
    print("# %d tasks were done between its publish and its effect" % passed)
    # The clock that counts runs from before its publish: connection and confirm are in it.
    assert passed < 200, passed
    fleet.check(limit_s=90)
    fleet.close()


def what_would_wait_behind_long_tasks_goes_to_another_worker():
    fleet = Pool("2, 2", "prefetch = 40", workers=("one", "two"))
    with fleet.lock:
        fleet.workers["two"].stop()
        fleet.send("echo", [(str(uuid.uuid4()), "echo.sleep", {"seconds": 12}, None)] * 2)
        wait_for("both children are busy", lambda: fleet.counts()[1] >= 2)
        short = [str(uuid.uuid4()) for _ in range(20)]
        fleet.send("echo", [(i, "echo.mark", {"note": "mark"}, None) for i in short])
        began = time.monotonic()
        fleet.workers["two"].start()
        fleet.workers["two"].wait_ready()
    wait_for("the other worker has run them", lambda: fleet.one(
        "SELECT count(DISTINCT task_id) FROM effects WHERE task_id = ANY(%s)", short) == 20, 10)
    print("# after %.1f s" % (time.monotonic() - began))
    wait_for("the long ones end", lambda: fleet.counts() == (0, 0), 40, 0.2)
    assert fleet.one("SELECT count(*) FROM effects") == 20
    fleet.close()


def what_went_back_is_not_taken_for_redelivered():
    """A window far too large for tasks of over a second, and nobody else to take them."""
    fleet = Pool("1, 1", "prefetch = 60", workers=("one",))
    fleet.enqueue([("echo.mark", {"note": "mark", "work_ms": 1300})] * 14)
    fleet.check(limit_s=90)
    fleet.close()


def order_of(fleet, queues, n):
    """n tasks for each queue, held back until all are there; the queues in the order of effects."""
    with fleet.lock:
        fleet.workers["one"].stop()
        for queue in queues:
            fleet.send(queue, [(str(uuid.uuid4()), "echo.mark", {"note": queue, "work_ms": 3}, None)
                               for _ in range(n)])
        fleet.workers["one"].start()
    wait_for("all are done", lambda: fleet.one("SELECT count(*) FROM effects") == n * len(queues))
    return [row[0] for row in fleet.sql("SELECT note FROM effects ORDER BY at")]


def two_queues(order, *settings):
    fleet = Pool("1, 1", workers=("one",), fleet_conf='queue_order = "%s"' % order,
                 conf=QUEUE % ("later", "1, 1", settings[1]), queue_conf=settings[0])
    return fleet


def strict_order_empties_the_first_queue_before_the_second():
    fleet = two_queues("strict", "prefetch = 50", "prefetch = 50")
    notes = order_of(fleet, ("later", "echo"), 40)
    # Whatever came before the first delivery of the other queue may precede it.
    behind = len([n for n in notes[:40] if n != "echo"])
    assert behind <= 8, notes
    fleet.close()


def weighted_order_shares_the_turns():
    fleet = two_queues("weighted", "prefetch = 60\n\tweight = 3", "prefetch = 60")
    notes = order_of(fleet, ("later", "echo"), 60)
    share = len([n for n in notes[8:48] if n == "echo"])
    print("# %d of 40 turns for weight 3 of 4" % share)
    assert 25 <= share <= 35, notes
    fleet.close()


def a_run_past_the_consumer_timeout_is_claimed_and_ends_once():
    fleet = Pool("2, 2", workers=("one", "two"),
                 fleet_conf='broker_consumer_timeout = "10s"\n\tlease = "3s"')
    fleet.ctl("application:set_env(rabbit, consumer_timeout, 10000),"
              "application:set_env(rabbit, channel_tick_interval, 1000).")
    with fleet.lock:
        for worker in fleet.workers.values():      # channels read the settings when they open
            worker.stop()
            worker.start()
    for worker in fleet.workers.values():
        worker.wait_ready()
    fleet.enqueue([("echo.mark_steps", {"n": 1, "work_ms": 25000})])
    wait_for("it is claimed", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE kind = 'claim'"), 20)
    wait_for("its message is acked", lambda: fleet.counts() == (0, 0), 10)
    fleet.check(limit_s=60)
    logs = "".join(worker.log() for worker in fleet.workers.values())
    assert "closed a channel" not in logs and "connection lost" not in logs, logs

    fleet.enqueue([("echo.mark_steps", {"n": 1, "work_ms": 16000})])
    wait_for("it is claimed", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE kind = 'claim'"), 20)
    began = time.monotonic()
    for worker in fleet.workers.values():
        worker.process.send_signal(signal.SIGKILL)     # whoever has it
    wait_for("it runs again", lambda: fleet.counts()[1] == 1, 30, 0.05)
    print("# runs again %.1f s after the kill" % (time.monotonic() - began))
    fleet.check(limit_s=90)
    fleet.ctl("application:set_env(rabbit, consumer_timeout, 1800000),"
              "application:set_env(rabbit, channel_tick_interval, 60000).")
    fleet.close()


def a_task_that_holds_its_transaction_idle_too_long_ends_in_the_dead_letters():
    fleet = Pool("1, 1", workers=("one",), budget=2)
    task_id = fleet.publish_to("echo", "echo.mark", {"note": "mark", "work_ms": 5600})
    meta = fleet.wait_result(task_id)
    assert meta["status"] == "FAILURE" and meta["result"]["exc_type"] == "WorkerLostError", meta
    reason = fleet.one("SELECT reason FROM jobfleet.dead_letters WHERE task_id = %s", task_id)
    assert "idle-in-transaction" in reason, reason
    assert fleet.one("SELECT count(*) FROM effects") == 0
    fleet.close()


def a_quorum_queue_is_consumed_without_priorities():
    with Fleet.rabbit(None) as connection:
        connection.channel().queue_delete("echo")
    Pool.queue_arguments = {"x-queue-type": "quorum", "x-delivery-limit": 20}
    try:
        fleet = Pool("2, 2", 'type = "quorum"\n\tdelivery_limit = 20')
        fleet.expected.clear()
        fleet.send("echo", [(str(uuid.uuid4()), "echo.mark", {"note": "mark", "work_ms": 10}, 5)
                            for _ in range(300)])
        wait_for("some are done", lambda: fleet.one("SELECT count(*) FROM effects") > 30)
        fleet.workers["one"].process.send_signal(signal.SIGKILL)
        wait_for("all are done once", lambda: fleet.sql(
            "SELECT count(*), count(DISTINCT task_id) FROM effects")[0] == (300, 300), 60)
        wait_for("nothing is left", lambda: fleet.counts() == (0, 0), 20, 0.1)
        assert "other arguments" not in fleet.workers["two"].log()
        fleet.close()
    finally:
        del Pool.queue_arguments
        with Fleet.rabbit(None) as connection:
            connection.channel().queue_delete("echo")


run(children_come_with_the_backlog_and_leave_when_idle,
    a_child_that_grew_too_large_is_replaced_between_tasks,
    a_task_of_priority_9_passes_what_was_prefetched,
    what_would_wait_behind_long_tasks_goes_to_another_worker,
    what_went_back_is_not_taken_for_redelivered,
    strict_order_empties_the_first_queue_before_the_second,
    weighted_order_shares_the_turns,
    a_run_past_the_consumer_timeout_is_claimed_and_ends_once,
    a_task_that_holds_its_transaction_idle_too_long_ends_in_the_dead_letters,
    a_quorum_queue_is_consumed_without_priorities)
