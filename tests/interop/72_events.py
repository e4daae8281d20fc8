#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 400
"""Events as monitors see them (celery-wire section 5): through celery.events' Receiver and State,
`celery status` and `celery events --dump`, and by what Flower asks; switched on and off, and with
nothing published while off."""

import json
import os
import signal
import subprocess
import sys
import time

import pika

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from control_bed import NODE, PYTHON_NODE, Bed, Listener, run, wait_for  # noqa: E402

bed = Bed(conf="""
task echo.fail {
	queue = "echo"
	max_retries = 1
	retry_backoff = "100ms"
	retry_fixed = yes
}
""", fleet_conf='event_heartbeat = "1s"\n\tevents = yes')
fleet = bed.fleet
ALWAYS = ["clock", "hostname", "local_received", "pid", "timestamp", "type", "utcoffset"]


def switch(on):
    command = "enable_events" if on else "disable_events"
    assert "ok" in bed.ask(command)


def fields(event):
    """Its own fields."""
    assert all(name in event for name in ALWAYS), event
    assert event["hostname"] == NODE and event["pid"] == fleet.workers["one"].process.pid, event
    assert isinstance(event["timestamp"], float) and abs(event["timestamp"] - time.time()) < 30
    assert isinstance(event["clock"], int) and event["utcoffset"] == time.timezone // 3600, event
    return {k: v for k, v in event.items() if k not in ALWAYS}


# ---- the worker ----

def heartbeats_come_without_being_switched_on():
    with Listener(bed) as listener:
        listener.wait("two heartbeats", lambda: len(listener.of("worker-heartbeat")) >= 2)
        first, second = listener.of("worker-heartbeat")[:2]
        own = fields(first)
        assert sorted(own) == ["active", "freq", "loadavg", "processed", "sw_ident", "sw_sys",
                               "sw_ver"], own
        assert own["freq"] == 1.0 and isinstance(own["freq"], float) and own["active"] == 0, own
        assert len(own["loadavg"]) == 3 and own["sw_sys"] == "Linux", own
        assert 0.5 < second["timestamp"] - first["timestamp"] < 5, (first, second)
        assert second["clock"] > first["clock"], "the clock grows"
        key, headers, properties, body = listener.messages[0]
        assert key == "worker.heartbeat" and headers == {"hostname": NODE}, (key, headers)
        assert properties["delivery_mode"] == 1 and properties["priority"] == 0, properties
        assert isinstance(body, dict), "never batched"


def online_and_offline_frame_its_life():
    worker = fleet.workers["one"]
    starts = worker.starts
    with Listener(bed, "worker.#") as listener:
        with fleet.lock:
            worker.process.send_signal(signal.SIGTERM)
            assert worker.process.wait(60) == 0
        listener.wait("offline", lambda: listener.of("worker-offline"))
        wait_for("it is there again", lambda: worker.starts > starts)
        listener.wait("online", lambda: listener.of("worker-online"))
        worker.wait_ready(again=True)
        listener.wait("a heartbeat follows", lambda: listener.events[-1]["type"] ==
                      "worker-heartbeat")
        order = [e["type"] for e in listener.events]
        assert order.index("worker-offline") < order.index("worker-online"), order
        online = fields(listener.of("worker-online")[0])
        assert online["freq"] == 1.0 and online["processed"] == 0, online
        assert order.count("worker-online") == 1 and order.count("worker-offline") == 1, order


# ---- the switch ----

def events_may_be_on_from_the_start():
    """With queues.conf's events = yes, as a Python worker's -E."""
    with Listener(bed) as listener:
        result = bed.send("echo.add", 1, 2)
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=result.id))
    assert bed.ask("enable_events") == {"ok": "task events already enabled"}
    assert bed.ask("disable_events") == {"ok": "task events disabled"}


def nothing_of_a_task_is_published_while_off():
    with Listener(bed) as listener:
        for _ in range(20):
            bed.send("echo.add", 1, 2)
        assert bed.send("echo.add", 1, 2).get(timeout=20) == 3
        bed.ask("heartbeat")
        listener.wait("the heartbeat after", lambda: [e for e in listener.events
                                                      if e["type"] == "worker-heartbeat" and
                                                      e["freq"] == 5])
        assert not [m for m in listener.messages if m[0].startswith("task.")], listener.messages


def enabled_they_come_and_disabled_they_stop():
    with Listener(bed) as listener:
        switch(True)
        result = bed.send("echo.add", 1, 2)
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=result.id))
        switch(False)
        silent = bed.send("echo.add", 1, 2)
        assert silent.get(timeout=20) == 3
        assert bed.ask("heartbeat") is None
        listener.wait("a heartbeat", lambda: [e for e in listener.of("worker-heartbeat")
                                              if e["freq"] == 5])
        assert not listener.of(uuid=silent.id)
        keys = {m[0] for m in listener.messages if m[0].startswith("task.")}
        assert keys == {"task.multi"}, keys
        assert all(isinstance(m[3], list) and len(m[3]) <= 24 for m in listener.messages
                   if m[0] == "task.multi")


def enabled_again():
    switch(True)


# ---- the tasks ----

def a_task_that_succeeds_is_received_started_and_succeeded():
    with Listener(bed) as listener:
        result = bed.send("echo.add", 2, kwargs={"y": 3})
        assert result.get(timeout=20) == 5
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=result.id))
        received, started, succeeded = listener.of(uuid=result.id)
        assert [e["type"] for e in (received, started, succeeded)] == [
            "task-received", "task-started", "task-succeeded"]
        assert fields(received) == {
            "uuid": result.id, "name": "echo.add", "args": "(2,)", "kwargs": "{'y': 3}",
            "root_id": result.id, "parent_id": None, "retries": 0, "eta": None,
            "expires": None}, received
        assert fields(started) == {"uuid": result.id}, started
        own = fields(succeeded)
        assert own["result"] == "5" and isinstance(own["runtime"], float), own
        assert sorted(own) == ["result", "runtime", "uuid"] and 0 <= own["runtime"] < 5, own
        assert received["clock"] < started["clock"] < succeeded["clock"]


def results_and_times_are_shown_as_Python_shows_them():
    with Listener(bed) as listener:
        result = bed.send("echo.echo", kwargs={"a": [None, True, 1.5], "b": "it's \u2603"},
                          countdown=1, expires=60, shadow="mirror")
        result.get(timeout=20)
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=result.id))
        received = listener.of("task-received", uuid=result.id)[0]
        assert received["name"] == "mirror" and received["eta"] and received["expires"], received
        shown = listener.of("task-succeeded", uuid=result.id)[0]["result"]
        assert "None, True, 1.5" in shown and "\u2603" in shown, shown
        large = bed.send("echo.echo", kwargs={"text": "x" * 5000})
        large.get(timeout=20)
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=large.id))
        shown = listener.of("task-succeeded", uuid=large.id)[0]["result"]
        assert 900 < len(shown) <= 1024 and shown.endswith("..."), len(shown)


def a_task_that_fails_says_why():
    with Listener(bed) as listener:
        result = bed.send("echo.fail", kwargs={"text": "no such town"})
        listener.wait("its end", lambda: listener.of("task-failed", uuid=result.id))
        own = fields(listener.of("task-failed", uuid=result.id)[0])
        assert own["exception"] == "ValueError('no such town')", own
        assert "no such town" in own["traceback"], own
        unknown = bed.send("echo.nosuch")
        listener.wait("its end", lambda: listener.of("task-failed", uuid=unknown.id))
        own = fields(listener.of("task-failed", uuid=unknown.id)[0])
        assert own["exception"] == "NotRegistered('echo.nosuch')", own


def a_task_that_is_retried_says_why():
    with Listener(bed) as listener:
        result = bed.send("echo.fail", kwargs={"transient": True, "until": 1})
        assert result.get(timeout=20) == 1
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=result.id))
        retried = fields(listener.of("task-retried", uuid=result.id)[0])
        assert "RuntimeError" in retried["exception"], retried
        again = [e for e in listener.of("task-received", uuid=result.id)]
        assert sorted(e["retries"] for e in again) == [0, 1], again


def publish(task_id, name, args, **headers):
    """Without what Python's client adds: the broker itself drops what expires there."""
    with fleet.rabbit() as connection:
        properties = pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8", delivery_mode=2,
            correlation_id=task_id, headers=dict(headers, lang="js", task=name, id=task_id))
        connection.channel().basic_publish("", "echo", json.dumps(args).encode(), properties)


def a_task_that_is_revoked_says_how():
    def ended(task_id):
        listener.wait("revoked", lambda: listener.of("task-revoked", uuid=task_id))
        own = fields(listener.of("task-revoked", uuid=task_id)[0])
        assert own.pop("uuid") == task_id
        return own

    with Listener(bed) as listener:
        bed.control.revoke("revoked-before", destination=[NODE], reply=True, timeout=5)
        bed.send("echo.mark", task_id="revoked-before")
        assert ended("revoked-before") == {"terminated": False, "signum": None, "expired": False}
        publish("late-1", "echo.mark", [[], {}, {}], expires="2020-01-01T00:00:00+00:00")
        assert ended("late-1") == {"terminated": False, "signum": None, "expired": True}
        running = bed.started(bed.send("echo.sleep", 60))
        bed.control.revoke(running.id, destination=[NODE], reply=True, timeout=5, terminate=True,
                           signal="SIGTERM")
        assert ended(running.id) == {"terminated": True, "signum": 15, "expired": False}


def a_task_over_its_limit_and_a_lost_one_are_failed():
    with Listener(bed) as listener:
        slow = bed.send("echo.stubborn", 60, time_limit=1)
        listener.wait("its end", lambda: listener.of("task-failed", uuid=slow.id))
        own = fields(listener.of("task-failed", uuid=slow.id)[0])
        assert own["exception"] == "TimeLimitExceeded(1)", own
        lost = bed.send("echo.once", 60)
        wait_for("it runs", lambda: bed.inspect().active()[NODE])
        os.kill(bed.inspect().active()[NODE][0]["worker_pid"], signal.SIGKILL)
        listener.wait("its end", lambda: listener.of("task-failed", uuid=lost.id))
        own = fields(listener.of("task-failed", uuid=lost.id)[0])
        assert "WorkerLostError" in own["exception"] and "SIGKILL" in own["exception"], own


def a_task_that_is_rejected_or_ignored_is_told_as_such():
    with Listener(bed) as listener:
        rejected, ignored = bed.send("echo.reject"), bed.send("echo.ignore")
        listener.wait("its end", lambda: listener.of("task-rejected", uuid=rejected.id))
        assert fields(listener.of("task-rejected", uuid=rejected.id)[0]) == {
            "uuid": rejected.id, "requeue": False}
        after = bed.send("echo.add", 1, 2)
        listener.wait("another's end", lambda: listener.of("task-succeeded", uuid=after.id))
        listener.wait("it has begun", lambda: listener.of("task-started", uuid=ignored.id))
        assert listener.types_of(ignored.id) == ["task-received", "task-started"]


def a_message_without_texts_of_its_arguments_is_shown():
    """As celery-node sends them: `celery events --dump` crashes on a missing one."""
    with Listener(bed) as listener:
        publish("bare-1", "echo.echo", [[1, "two"], {"k": None}, {}])
        listener.wait("received", lambda: listener.of("task-received", uuid="bare-1"))
        event = listener.of("task-received", uuid="bare-1")[0]
        assert event["args"] == "(1, 'two')" and event["kwargs"] == "{'k': None}", event


# ---- monitors ----

def State_counts_tasks_and_shows_the_worker_alive():
    with Listener(bed) as listener:
        state = bed.app.events.State()
        results = [bed.send("echo.add", i, i) for i in range(50)]
        for result in results:
            result.get(timeout=20)
        listener.wait("all ends", lambda: len({e["uuid"] for e in listener.of(
            "task-succeeded")} & {r.id for r in results}) == 50)
        listener.wait("a heartbeat", lambda: listener.of("worker-heartbeat"))
        for event in listener.events:
            state.event(event)
        worker = state.workers[NODE]
        assert worker.alive and worker.status_string == "ONLINE", worker
        assert worker.pid == fleet.workers["one"].process.pid and worker.freq == 1.0
        for result in results:
            task = state.tasks[result.id]
            assert task.state == "SUCCESS" and task.name == "echo.add", task
            assert task.worker.hostname == NODE and task.received <= task.started, task
        assert state.task_count >= 50


def processed_and_active_are_right():
    with Listener(bed) as listener:
        before = listener.wait("a heartbeat", lambda: listener.of("worker-heartbeat"))[-1]
        for _ in range(10):
            bed.send("echo.add", 1, 1).get(timeout=20)
        busy = bed.busy()
        listener.wait("two active and ten more done", lambda: [
            e for e in listener.of("worker-heartbeat")
            if "active" in e and e["active"] == 2 and e["processed"] == before["processed"] + 10])
        bed.end(busy)
        listener.wait("none active", lambda: listener.of("worker-heartbeat")[-1]["active"] == 0)


def celery_status_shows_the_node():
    status, out = bed.celery("status", "-t", "5")
    assert status == 0 and NODE in out and "OK" in out, out


def celery_events_dump_does_not_crash():
    path = os.path.join(fleet.dir, "dump.txt")
    with open(path, "wb") as out:
        dump = subprocess.Popen(["/usr/bin/python3", "-u", "-m", "celery", "-b",
                                 os.environ["JOBFLEET_BROKER_URL"], "events", "--dump"],
                                stdout=out, stderr=subprocess.STDOUT)

    def text():
        with open(path, errors="replace") as f:
            return f.read()

    try:
        wait_for("it hears the worker", lambda: "heartbeat" in text(), 60)
        good, bad = bed.send("echo.add", 2, 3), bed.send("echo.fail", kwargs={"text": "oh"})
        unknown = bed.send("echo.nosuch")
        wait_for("it shows the ends", lambda: all(r.id in text() for r in (good, bad, unknown)))
        wait_for("of both kinds", lambda: "task succeeded" in text() and "task failed" in text())
        heard = text().count("heartbeat")
        wait_for("it goes on", lambda: text().count("heartbeat") > heard)
        assert dump.poll() is None and "site-packages" not in text(), text()
    finally:
        dump.terminate()
        dump.wait(30)


def Flower_gets_all_it_asks_for():
    """Its worker page: eight inspections, each answered within a second, beside the events."""
    switch(False)
    bed.control.broadcast("enable_events")          # every 5 s, no reply wanted
    inspect = bed.inspect(timeout=1)
    got = {name: getattr(inspect, name)()[NODE] for name in (
        "stats", "active_queues", "registered", "scheduled", "active", "reserved", "revoked",
        "conf")}
    stats = got["stats"]
    assert isinstance(stats["pool"], dict) and isinstance(stats["broker"], dict)
    assert isinstance(stats["total"], dict) and stats["pid"] and stats["prefetch_count"]
    assert isinstance(stats["rusage"], dict) and isinstance(got["conf"], dict)
    with Listener(bed) as listener:
        result = bed.send("echo.add", 1, 2)
        listener.wait("events are on", lambda: listener.of("task-succeeded", uuid=result.id))


def a_redelivered_task_is_told_again():
    with Listener(bed) as listener:
        results = bed.redeliver()
        again = fleet.workers["one"].process.pid
        for result in results:
            for kind in ("task-received", "task-started"):
                listener.wait(kind, lambda r=result, k=kind: [
                    e for e in listener.of(k, uuid=r.id) if e["pid"] == again])
        bed.end(results)
        for result in results:
            listener.wait("its end", lambda r=result: listener.of("task-revoked", uuid=r.id))
        done = bed.send("echo.add", 20, 22)
        listener.wait("its end", lambda: listener.of("task-succeeded", uuid=done.id))


def every_event_of_many_tasks_comes_in_batches():
    with Listener(bed) as listener:
        results = [bed.send("echo.add", i, 1, ignore_result=True) for i in range(1000)]
        ids = {r.id for r in results}
        for kind in ("task-received", "task-started", "task-succeeded"):
            listener.wait(kind, lambda k=kind: len(
                [1 for e in listener.of(k) if e["uuid"] in ids]) == 1000, 60)
        batches = [m for m in listener.messages if m[0] == "task.multi"]
        assert len(batches) < 3000 and max(len(m[3]) for m in batches) <= 24, len(batches)
        clocks = [e["clock"] for e in listener.of() if e["hostname"] == NODE]
        assert clocks == sorted(set(clocks)), "each event has a clock of its own"
        assert bed.inspect().stats()[NODE]["events_dropped"] == 0
        print("# 3000 events in %d messages" % len(batches))


def a_python_worker_sees_ours_come_and_go():
    """Gossip of a Python peer listens to worker.#."""
    bed.start_python()
    worker = fleet.workers["one"]
    wait_for("it hears our heartbeats", lambda: NODE in bed.log_of_python(), 30)
    with Listener(bed, "worker.#") as listener:
        listener.wait("both are heard", lambda: {e["hostname"] for e in listener.events} >= {
            NODE, PYTHON_NODE})
    with fleet.lock:
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(60) == 0
    wait_for("it says that ours left", lambda: "%s left" % NODE in bed.log_of_python(), 30)
    worker.wait_ready(again=True)
    bed.stop_python()


run(heartbeats_come_without_being_switched_on,
    online_and_offline_frame_its_life,
    events_may_be_on_from_the_start,
    nothing_of_a_task_is_published_while_off,
    enabled_they_come_and_disabled_they_stop,
    enabled_again,
    a_task_that_succeeds_is_received_started_and_succeeded,
    results_and_times_are_shown_as_Python_shows_them,
    a_task_that_fails_says_why,
    a_task_that_is_retried_says_why,
    a_task_that_is_revoked_says_how,
    a_task_over_its_limit_and_a_lost_one_are_failed,
    a_task_that_is_rejected_or_ignored_is_told_as_such,
    a_message_without_texts_of_its_arguments_is_shown,
    State_counts_tasks_and_shows_the_worker_alive,
    processed_and_active_are_right,
    celery_status_shows_the_node,
    celery_events_dump_does_not_crash,
    Flower_gets_all_it_asks_for,
    every_event_of_many_tasks_comes_in_batches,
    a_redelivered_task_is_told_again,
    a_python_worker_sees_ours_come_and_go,
    bed.close)
