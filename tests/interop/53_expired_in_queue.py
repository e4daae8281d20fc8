#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 240
"""A stock Celery client sends tasks that expire in their queue, since no worker comes in time. The
broker's policy hands them to the dispatcher, and the client's get() raises TaskRevokedError instead
of waiting for ever. A rejected message becomes a dead letter with that cause."""

import json
import os
import subprocess
import sys
import tempfile
import time

from celery import Celery, chord
from celery.exceptions import TaskRevokedError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../scenario"))
from fleet_bed import QUEUE, Fleet, Worker, run, wait_for   # noqa: E402

app = Celery("client", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.task_queue_max_priority = 10
app.conf.task_default_queue = QUEUE
app.conf.broker_transport_options = {"confirm_publish": True}
os.environ["JOBFLEET_DATA_DIR"] = tempfile.mkdtemp()


@app.task(name="echo.mark")
def mark(note, work_ms=0):
    raise AssertionError("this is only a client")


def ends_as_revoked(result, limit_s=20):
    began = time.monotonic()
    try:
        result.get(timeout=limit_s)
    except TaskRevokedError as problem:
        assert "expired" in str(problem), problem
        return time.monotonic() - began
    raise AssertionError("no TaskRevokedError")


def start_worker(fleet):
    with fleet.lock:
        fleet.workers["one"] = Worker(fleet, "one", False)
    fleet.workers["one"].wait_ready()


def a_task_that_expires_in_its_queue_ends_as_revoked():
    fleet = Fleet(workers=())
    result = mark.apply_async(kwargs={"note": "mark"}, expires=1)
    print("# TaskRevokedError after %.1f s" % ends_as_revoked(result))
    assert result.state == "REVOKED"
    assert fleet.sql("SELECT outcome, final, cause, queue, task FROM jobfleet.ledger"
                     " WHERE task_id = %s", result.id) == \
        [("revoked", True, "expired", QUEUE, "echo.mark")]
    assert not fleet.one("SELECT count(*) FROM jobfleet.dead_letters")
    assert fleet.counts("failed_operations") == (0, 0)
    fleet.close()


def many_expire_beside_many_that_do_not():
    fleet = Fleet(workers=())
    late = [mark.apply_async(kwargs={"note": "mark"}, expires=0.5) for _ in range(60)]
    kept = []
    for _ in range(20):
        kept.append(mark.apply_async(kwargs={"note": "mark"}))
        fleet.expected[kept[-1].id] = ("echo.mark", 1)
        fleet.sent[kept[-1].id] = ("echo.mark", {}, False)
    for result in late:
        ends_as_revoked(result)
    start_worker(fleet)
    for result in kept:
        result.get(timeout=20)
    assert fleet.one("SELECT count(*) FROM effects") == 20
    assert fleet.one("SELECT count(*) FROM jobfleet.ledger WHERE outcome = 'revoked'") == 60
    fleet.close()


def with_the_end_goes_what_kept_the_task_safe():
    fleet = Fleet(workers=())
    task_id = fleet.one("SELECT jobfleet.enqueue('echo.mark', kwargs => '{\"note\": \"mark\"}')")
    wait_for("it is sent", lambda: fleet.counts()[0] == 1)
    with fleet.rabbit() as connection:      # RabbitMQ expires only what is first in its queue
        connection.channel().queue_purge(QUEUE)
    ends_as_revoked(mark.apply_async(kwargs={"note": "mark"}, expires=0.5, task_id=task_id))
    wait_for("its row is gone", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"))
    fleet.close()


def a_copy_that_expires_after_the_task_has_ended_changes_nothing():
    fleet = Fleet(workers=("one",))
    result = mark.apply_async(kwargs={"note": "mark"})
    result.get(timeout=20)
    fleet.workers.pop("one").stop()
    mark.apply_async(kwargs={"note": "mark"}, expires=0.3, task_id=result.id)
    wait_for("the copy is dealt with", lambda: fleet.counts() == (0, 0) and
             fleet.counts("failed_operations") == (0, 0))
    assert fleet.sql("SELECT outcome FROM jobfleet.ledger WHERE task_id = %s", result.id) == \
        [("success",)]
    assert app.AsyncResult(result.id).state == "SUCCESS"
    fleet.close()


def a_part_of_a_chord_that_expires_fails_the_chord():
    fleet = Fleet(workers=())
    body = mark.si("body")
    result = chord([mark.si("mark").set(expires=0.5), mark.si("mark")])(body)
    wait_for("the part went back for a worker", lambda: fleet.counts()[0] == 2 and
             fleet.counts("failed_operations") == (0, 0) and not expiring(fleet))
    start_worker(fleet)
    try:
        result.get(timeout=30)
        raise AssertionError("the chord has a result")
    except AssertionError:
        raise
    except Exception as problem:
        print("# the chord: %r" % problem)
    fleet.close()


def expiring(fleet):
    """Messages of the queue that still have an expiration property."""
    with fleet.rabbit() as connection:
        channel = connection.channel()
        found = 0
        while True:
            method, properties, _ = channel.basic_get(QUEUE)
            if method is None:
                return found
            found += properties.expiration is not None


def a_rejected_message_is_a_dead_letter_with_that_cause():
    fleet = Fleet(workers=())
    result = mark.apply_async(kwargs={"note": "mark"})
    with fleet.rabbit() as connection:
        channel = connection.channel()
        method, _, _ = wait_for("the message", lambda: (
            lambda x: x if x[0] else None)(channel.basic_get(QUEUE)))
        channel.basic_reject(method.delivery_tag, requeue=False)
    wait_for("its letter", lambda: fleet.one("SELECT count(*) FROM jobfleet.dead_letters"))
    assert fleet.sql("SELECT task_id, task, queue, cause, reason FROM jobfleet.dead_letters") == \
        [(result.id, "echo.mark", QUEUE, "rejected", "a consumer of its queue rejected it")]
    try:
        result.get(timeout=20)
        raise AssertionError("no exception")
    except Exception as problem:
        assert type(problem).__name__ == "Reject", repr(problem)
    fleet.close()


def a_message_past_its_queues_delivery_limit_is_a_dead_letter_with_that_cause():
    fleet = Fleet(workers=())
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.queue_declare("quorum.work", durable=True, arguments={
            "x-queue-type": "quorum", "x-delivery-limit": 1})
        task_id = fleet.one("SELECT jobfleet.enqueue('echo.mark', queue => 'quorum.work')")

        def died():
            method, _, _ = channel.basic_get("quorum.work")
            if method:
                channel.basic_reject(method.delivery_tag, requeue=True)
            return fleet.one("SELECT count(*) FROM jobfleet.dead_letters")

        wait_for("its letter", died)
        channel.queue_delete("quorum.work")
    assert fleet.sql("SELECT task_id, queue, cause FROM jobfleet.dead_letters") == \
        [(task_id, "quorum.work", "delivery_limit")]
    try:
        app.AsyncResult(task_id).get(timeout=20)
        raise AssertionError("no exception")
    except Exception as problem:
        assert type(problem).__name__ == "WorkerLostError", repr(problem)
    fleet.close()


def the_policy_that_the_command_line_prints_is_taken_by_rabbitmqctl():
    import shlex
    fleet = Fleet(workers=(), dispatcher=False)
    got = subprocess.run(["jobfleet", "config", "policy"], stdout=subprocess.PIPE, check=True,
                         text=True, env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf)).stdout
    words = shlex.split(got)
    assert words[:2] == ["rabbitmqctl", "set_policy"], words
    fleet.services("ctl", *words[1:])
    listed = subprocess.run([os.environ["JOBFLEET_SERVICES"], "ctl", "list_queues", "--quiet",
                             "--formatter", "json", "name", "policy"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True).stdout
    policies = {row["name"]: row["policy"] for row in json.loads(listed)}
    assert policies.pop(QUEUE) == "jobfleet-dead-letters", policies
    assert not any(policies.values()), policies
    fleet.close()


run(a_task_that_expires_in_its_queue_ends_as_revoked,
    many_expire_beside_many_that_do_not,
    with_the_end_goes_what_kept_the_task_safe,
    a_copy_that_expires_after_the_task_has_ended_changes_nothing,
    a_part_of_a_chord_that_expires_fails_the_chord,
    a_rejected_message_is_a_dead_letter_with_that_cause,
    a_message_past_its_queues_delivery_limit_is_a_dead_letter_with_that_cause,
    the_policy_that_the_command_line_prints_is_taken_by_rabbitmqctl)
