#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 500
"""Every row of celery-wire 6.4, ordered by a stock client and by `celery control`, each with what it
is to bring about; once while all children are busy, and once more after a forced redelivery."""

import json
import os
import subprocess
import sys
import time

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery.exceptions import TaskRevokedError

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from control_bed import NODE, Bed, Listener, run, took, wait_for  # noqa: E402

bed = Bed()
fleet = bed.fleet


def order(command, *args, **options):
    """Our node's answer to app.control's method."""
    got = getattr(bed.control, command)(*args, destination=[NODE], reply=True, timeout=5,
                                        **options)
    assert len(got) == 1 and list(got[0]) == [NODE], (command, got)
    return got[0][NODE]


def shell(*words):
    """What `celery control` says; the answers are in it as text."""
    status, out = bed.celery("control", "-t", "5", "-d", NODE, *words)
    assert status == 0, out
    return out


def raised(result, limit_s=20):
    try:
        result.get(timeout=limit_s)
    except Exception as problem:
        return problem
    raise AssertionError("no failure")


def effects_of(result):
    return fleet.one("SELECT count(*) FROM effects WHERE task_id = %s", result.id)


def is_revoked(result, text):
    problem = raised(result)
    assert isinstance(problem, TaskRevokedError) and text in str(problem), repr(problem)
    assert result.state == "REVOKED"


# ---- revoke, terminate ----

def revoke_discards_a_task_that_waits():
    busy = bed.busy()
    waiting = bed.send("echo.mark")
    assert order("revoke", waiting.id) == {"ok": "tasks %s flagged as revoked" % waiting.id}
    bed.end(busy)
    is_revoked(waiting, "revoked")
    assert not effects_of(waiting)


def revoke_takes_a_list_of_ids():
    answer = order("revoke", ["id-2", "id-3"])["ok"]
    assert answer == "tasks id-2, id-3 flagged as revoked", answer
    assert "id-4 flagged as revoked" in shell("revoke", "id-4")
    assert {"id-2", "id-3", "id-4"} <= set(bed.inspect().revoked()[NODE])


def revoke_discards_a_task_that_is_not_yet_sent():
    bed.control.revoke("task-born-revoked", destination=[NODE], reply=True, timeout=5)
    late = bed.send("echo.mark", task_id="task-born-revoked")
    is_revoked(late, "revoked")
    assert not effects_of(late)


def revoke_without_a_wish_for_an_answer_is_obeyed_silently():
    bed.control.revoke("silent-id")
    wait_for("it is known", lambda: "silent-id" in bed.inspect().revoked()[NODE])


def an_answered_revoke_survives_the_death_of_the_worker():
    assert "ok" in order("revoke", "survivor")
    worker = fleet.workers["one"]
    starts = worker.starts
    worker.kill_parent()
    wait_for("the worker is there again", lambda: worker.starts > starts)
    worker.wait_ready(again=True)
    assert "survivor" in bed.inspect().revoked()[NODE]
    is_revoked(bed.send("echo.mark", task_id="survivor"), "revoked")


def revoke_with_terminate_ends_a_running_task():
    result = bed.started(bed.send("echo.stubborn", 60))
    assert order("revoke", result.id, terminate=True) == {"ok": "terminate: " + result.id}
    is_revoked(result, "terminated")
    wait_for("the child is replaced", lambda: len(fleet.workers["one"].children()) == 2)


def revoke_with_terminate_and_signal_ends_a_running_task():
    for signal in ("SIGKILL", "KILL", "SIGUSR1"):
        result = bed.started(bed.send("echo.stubborn", 60))
        assert order("revoke", result.id, terminate=True, signal=signal) == {
            "ok": "terminate: " + result.id}
        is_revoked(result, "terminated")
    assert "error" in order("revoke", "x", terminate=True, signal="SIGNOSUCH")


def terminate_of_an_unknown_task_says_so_and_flags_it():
    assert order("revoke", "id-9", terminate=True) == {"ok": "terminate: tasks unknown"}
    assert "id-9" in bed.inspect().revoked()[NODE]


def terminate_ends_a_running_task():
    result = bed.started(bed.send("echo.stubborn", 60))
    assert "terminate: " + result.id in shell("terminate", "KILL", result.id)
    is_revoked(result, "terminated")


def terminate_ends_one_task_and_no_other():
    first, second = bed.busy(4)
    order("revoke", first.id, terminate=True)
    is_revoked(first, "terminated")
    assert second.get(timeout=20) == "slept"


def stamped(stamp, **options):
    return bed.send("echo.mark", headers={"stamped_headers": ["mtask"],
                                          "stamps": {"mtask": stamp}}, **options)


def revoke_by_stamped_headers_discards_what_bears_the_stamp():
    answer = bed.ask("revoke_by_stamped_headers", headers={"mtask": ["m1"]})
    assert answer == {"ok": "headers {'mtask': ['m1']} flagged as revoked, but not terminated"}
    is_revoked(stamped("m1"), "revoked")
    is_revoked(stamped(["m0", "m1"]), "revoked")
    assert stamped("m2").get(timeout=20)
    answer = bed.ask("revoke_by_stamped_headers", headers=["mtask=m3"])
    assert answer["ok"].startswith("headers {'mtask': 'm3'} flagged as revoked"), answer
    is_revoked(stamped("m3"), "revoked")
    assert "error" in bed.ask("revoke_by_stamped_headers", headers=7)


def revoke_by_stamped_headers_with_terminate_ends_what_runs():
    result = bed.started(bed.send("echo.sleep", 60, headers={
        "stamped_headers": ["mtask"], "stamps": {"mtask": "m4"}}))
    answer = bed.ask("revoke_by_stamped_headers", headers={"mtask": "m4"}, terminate=True)
    assert answer == {"ok": "headers {'mtask': ['m4']} revoked"}, answer
    is_revoked(result, "terminated")


# ---- limits ----

def rate_limit_limits():
    assert order("rate_limit", "echo.mark", "2/s") == {"ok": "new rate limit set successfully"}
    results = [bed.send("echo.mark") for _ in range(6)]
    for result in results:
        result.get(timeout=30)
    took_s = fleet.one("SELECT extract(epoch FROM max(at) - min(at))::float FROM effects"
                       " WHERE task_id = ANY(%s)", [r.id for r in results])
    assert took_s >= 2.3, took_s
    assert "echo.mark [rate_limit=2/s]" in bed.inspect().registered()[NODE]
    assert "rate limit disabled successfully" in shell("rate_limit", "echo.mark", "0")
    results, seconds = took(lambda: [bed.send("echo.mark").get(timeout=20) for _ in range(6)])
    assert seconds < 2.5, seconds


def rate_limit_of_an_unknown_task_is_an_error():
    assert order("rate_limit", "echo.nosuch", "1/s") == {"error": "unknown task"}
    assert "Invalid rate limit string" in order("rate_limit", "echo.mark", "often")["error"]
    assert "error" in bed.ask("rate_limit", task_name="echo.mark")


def time_limit_kills():
    assert order("time_limit", "echo.stubborn", hard=1) == {"ok": "time limits set successfully"}
    assert isinstance(raised(bed.send("echo.stubborn", 60)), TimeLimitExceeded)
    # what the message says goes before it
    assert bed.send("echo.stubborn", 2, time_limit=30).get(timeout=20) is None
    assert "time limits set successfully" in shell("time_limit", "echo.stubborn", "0", "0")
    assert bed.send("echo.stubborn", 2).get(timeout=20) is None


def time_limit_warns_first():
    assert order("time_limit", "echo.sleep", soft=1, hard=20) == {
        "ok": "time limits set successfully"}
    assert isinstance(raised(bed.send("echo.sleep", 60)), SoftTimeLimitExceeded)
    order("time_limit", "echo.sleep")
    assert order("time_limit", "echo.nosuch", soft=1) == {"error": "unknown task"}


# ---- the pool ----

def size():
    stats = bed.inspect().stats()[NODE]["pool"]
    return stats["max-concurrency"], len(stats["processes"])


def pool_grow_and_pool_shrink_change_the_children():
    assert size() == (2, 2)
    assert order("pool_grow", 2) == {"ok": "pool will grow"}
    wait_for("four children", lambda: size() == (4, 4))
    busy = [bed.started(r) for r in [bed.send("echo.sleep", 60) for _ in range(4)]]
    bed.end(busy)
    assert "pool will shrink" in shell("pool_shrink", "2")
    wait_for("two children", lambda: size() == (2, 2))
    assert "error" in order("pool_shrink", 2) and "error" in order("pool_grow", -1)
    assert size() == (2, 2)


def autoscale_is_an_error_where_it_is_off():
    assert bed.control.autoscale(4, 1, destination=[NODE], reply=True, timeout=5) == [
        {NODE: {"error": "ValueError('Autoscale not enabled')"}}]


def autoscale_moves_the_bounds_where_it_is_on():
    node = "scaled@test"
    with open(os.path.join(fleet.dir, "scaled.log"), "ab") as log:
        worker = subprocess.Popen(
            [os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-echo"), "--hostname", node,
             "--concurrency", "1,2"], stdout=log, stderr=log,
            env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf))
    try:
        def ask(command, **arguments):
            got = bed.control.broadcast(command, arguments=arguments, destination=[node],
                                        reply=True, timeout=5)
            return got[0][node] if got else None

        wait_for("it answers", lambda: ask("ping"))
        assert ask("autoscale", max=4, min=1) == {"ok": "autoscale now max=4 min=1"}
        scaler = ask("stats")["autoscaler"]
        assert scaler["max"] == 4 and scaler["min"] == 1 and scaler["current"] >= 1, scaler
        assert ask("autoscale", max=4, min=3) == {"ok": "autoscale now max=4 min=3"}
        wait_for("three children", lambda: len(ask("stats")["pool"]["processes"]) == 3)
        assert "not supported with autoscale" in ask("pool_grow", n=1)["error"]
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


# ---- queues ----

def ready(queue):
    with fleet.rabbit() as connection:
        return connection.channel().queue_declare(queue, passive=True).method.message_count


def add_consumer_consumes_and_cancel_consumer_stops():
    waiting = bed.send("echo.add", 1, 2, queue="extra")
    assert order("add_consumer", "extra") == {"ok": "add consumer extra"}
    assert waiting.get(timeout=20) == 3
    names = [q["name"] for q in bed.inspect().active_queues()[NODE]]
    assert names == ["echo", "extra"], names
    assert order("add_consumer", "extra") == {"ok": "add consumer extra"}
    assert bed.send("echo.add", 2, 2, queue="extra").get(timeout=20) == 4
    assert "no longer consuming from extra" in shell("cancel_consumer", "extra")
    names = [q["name"] for q in bed.inspect().active_queues()[NODE]]
    assert names == ["echo"], names
    left = bed.send("echo.add", 3, 3, queue="extra")
    wait_for("it stays in the queue", lambda: ready("extra") == 1)
    assert bed.send("echo.add", 4, 4).get(timeout=20) == 8 and left.state == "PENDING"
    assert "add consumer extra" in shell("add_consumer", "extra")
    assert left.get(timeout=20) == 6
    order("cancel_consumer", "extra")
    assert order("cancel_consumer", "nosuch") == {"ok": "no longer consuming from nosuch"}


def add_consumer_declares_exchange_and_binding():
    assert bed.control.add_consumer("topical", exchange="news", exchange_type="topic",
                                    routing_key="news.#", destination=[NODE], reply=True,
                                    timeout=5) == [{NODE: {"ok": "add consumer topical"}}]
    wait_for("it consumes", lambda: [q for q in bed.inspect().active_queues()[NODE]
                                     if q["name"] == "topical"])
    result = bed.app.send_task("echo.add", (5, 5), exchange="news", routing_key="news.local",
                               exchange_type="topic")
    assert result.get(timeout=20) == 10
    queue = bed.inspect().active_queues()[NODE][-1]
    assert queue["exchange"]["type"] == "topic" and queue["routing_key"] == "news.#", queue
    order("cancel_consumer", "topical")


# ---- the rest ----

def enable_events_and_disable_events_switch():
    assert order("enable_events") == {"ok": "task events enabled"}
    assert order("enable_events") == {"ok": "task events already enabled"}
    assert "task events disabled" in shell("disable_events")
    assert order("disable_events") == {"ok": "task events already disabled"}


def heartbeat_publishes_one_and_answers_null():
    with Listener(bed, "worker.heartbeat") as listener:
        assert bed.ask("heartbeat") is None
        listener.wait("the heartbeat", lambda: [
            e for e in listener.events
            if e["freq"] == 5 and "active" not in e and e["hostname"] == NODE])


def pool_restart_is_an_error():
    assert order("pool_restart") == {"error": "ValueError('Pool restarts not enabled')"}


def election_is_answered_with_null():
    assert bed.ask("election", id="el-1", topic="task", action={"task": "echo.add"}) is None
    assert bed.inspect().ping() == {NODE: {"ok": "pong"}}


def every_command_answers_within_a_second():
    for command, arguments in (
            ("revoke", {"task_id": "any"}), ("terminate", {"task_id": "any", "signal": "TERM"}),
            ("revoke_by_stamped_headers", {"headers": {"any": ["1"]}}),
            ("rate_limit", {"task_name": "echo.fail", "rate_limit": "100/s"}),
            ("time_limit", {"task_name": "echo.fail", "soft": 100, "hard": 200}),
            ("pool_grow", {"n": 1}), ("pool_shrink", {"n": 1}), ("autoscale", {}),
            ("add_consumer", {"queue": "extra"}), ("cancel_consumer", {"queue": "extra"}),
            ("enable_events", {}), ("disable_events", {}), ("heartbeat", {}),
            ("pool_restart", {}), ("election", {"id": "1", "topic": "t"})):
        answer, seconds = took(bed.ask, command, timeout=1, **arguments)
        assert answer is None or "ok" in answer or "error" in answer, (command, answer)


def every_command_answers_while_all_children_are_busy():
    busy = bed.busy()
    every_command_answers_within_a_second()
    bed.end(busy)


def every_command_answers_after_a_forced_redelivery():
    results = bed.redeliver()
    every_command_answers_within_a_second()
    assert order("revoke", results[0].id, terminate=True) == {"ok": "terminate: " + results[0].id}
    is_revoked(results[0], "terminated")
    bed.end(results[1:])


def wrong_arguments_are_errors():
    for command, arguments, text in (
            ("revoke", {}, "missing 1 required positional argument: 'task_id'"),
            ("rate_limit", {}, "missing 2 required positional arguments: 'task_name' and"
                               " 'rate_limit'"),
            ("enable_events", {"x": 1}, "unexpected keyword argument 'x'"),
            ("revoke", {"task_id": 7}, "TypeError"), ("revoke", {"task_id": [None]}, "TypeError"),
            ("time_limit", {"task_name": "echo.add", "soft": "soon"}, "ValueError"),
            ("pool_grow", {"n": "many"}, "ValueError"), ("add_consumer", {"queue": 1}, "Error"),
            ("add_consumer", {"queue": "x" * 300}, "ValueError")):
        answer = bed.ask(command, **arguments)
        assert text in answer.get("error", ""), (command, arguments, answer)
    assert json.dumps(bed.inspect().active_queues()).count('"alias"') == 1


def shutdown_ends_with_0_when_the_running_tasks_are_done():
    result = bed.started(bed.send("echo.sleep", 3))
    worker = fleet.workers["one"]
    with fleet.lock:                    # nobody starts it again meanwhile
        process = worker.process
        status, out = bed.celery("control", "-t", "1", "-d", NODE, "shutdown")
        assert NODE not in out, out     # no answer at all
        assert process.wait(60) == 0, process.returncode
    assert result.get(timeout=20) == "slept"
    worker.wait_ready()
    bed.close()


run(revoke_discards_a_task_that_waits,
    revoke_takes_a_list_of_ids,
    revoke_discards_a_task_that_is_not_yet_sent,
    revoke_without_a_wish_for_an_answer_is_obeyed_silently,
    an_answered_revoke_survives_the_death_of_the_worker,
    revoke_with_terminate_ends_a_running_task,
    revoke_with_terminate_and_signal_ends_a_running_task,
    terminate_of_an_unknown_task_says_so_and_flags_it,
    terminate_ends_a_running_task,
    terminate_ends_one_task_and_no_other,
    revoke_by_stamped_headers_discards_what_bears_the_stamp,
    revoke_by_stamped_headers_with_terminate_ends_what_runs,
    rate_limit_limits,
    rate_limit_of_an_unknown_task_is_an_error,
    time_limit_kills,
    time_limit_warns_first,
    pool_grow_and_pool_shrink_change_the_children,
    autoscale_is_an_error_where_it_is_off,
    autoscale_moves_the_bounds_where_it_is_on,
    add_consumer_consumes_and_cancel_consumer_stops,
    add_consumer_declares_exchange_and_binding,
    enable_events_and_disable_events_switch,
    heartbeat_publishes_one_and_answers_null,
    pool_restart_is_an_error,
    election_is_answered_with_null,
    every_command_answers_while_all_children_are_busy,
    every_command_answers_after_a_forced_redelivery,
    wrong_arguments_are_errors,
    shutdown_ends_with_0_when_the_running_tasks_are_done)
