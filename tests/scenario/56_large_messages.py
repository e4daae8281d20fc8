#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# alone: yes
"""Many large messages at once, more than any buffer between the worker's processes holds: they
wait where they are, no process dies of them, and each is done or parked in the end."""

import json
import signal
import uuid

import pika

from fleet_bed import QUEUE, Fleet, kill, run, wait_for

COUNT, SIZE = 110, 3 << 20      # 330 MiB


def publish(fleet, headers, body):
    ids = [str(uuid.uuid4()) for _ in range(COUNT)]
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for task_id in ids:
            channel.basic_publish("", QUEUE, body, pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8", delivery_mode=1,
                headers=dict(headers, id=task_id)), mandatory=True)
    return ids


def all_wait_for_a_keeper_that_does_not_answer_and_are_parked_when_it_does():
    fleet = Fleet(workers=("one",), conf="")
    fleet.write_conf(open(fleet.conf).read().replace("concurrency = {2, 2}",
                                                     "concurrency = {2, 2}\n\tprefetch = 600"))
    worker = fleet.workers["one"]
    worker.process.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: "reloaded" in worker.log())
    before = [worker.process.pid] + worker.family()
    keeper = worker.keeper()
    kill(keeper, signal.SIGSTOP)
    ids = publish(fleet, {"task": "echo.noop", "eta": "2100-01-01T00:00:00+00:00"},
                  b'[["' + b"x" * SIZE + b'"], {}, {}]')
    wait_for("all were delivered", lambda: fleet.counts() == (0, COUNT), 60, 0.2)
    kill(keeper, signal.SIGCONT)
    wait_for("all are parked", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE kind = 'eta' AND task_id = ANY(%s)",
        ids) == COUNT, 60, 0.2)
    wait_for("all are acked", lambda: fleet.counts() == (0, 0), 20, 0.2)
    assert [worker.process.pid] + worker.family() == before, "a process of the worker was replaced"
    fleet.sql("DELETE FROM jobfleet.pending")
    task_id = fleet.enqueue([("echo.mark", {"note": "mark"})])[0]
    wait_for("a good task", lambda: json.loads(fleet.redis().get(
        "celery-task-meta-" + task_id) or "{}").get("status") == "SUCCESS", 20)
    fleet.check()
    fleet.close()


run(all_wait_for_a_keeper_that_does_not_answer_and_are_parked_when_it_does)
