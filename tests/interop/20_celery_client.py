#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""A stock Celery client with the one line `app.conf.task_queue_max_priority = 10` beside a running
worker and dispatcher: what it sends is done, what it awaits comes, and what it inspects
answers."""

import datetime
import os
import subprocess
import sys
import time

import celery
import psycopg2
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery import Celery, group
from celery.exceptions import NotRegistered, TaskRevokedError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../scenario"))
from fleet_bed import Fleet, run, wait_for  # noqa: E402

NODE = "one@test"
fleet = Fleet(workers=("one",), conf="""
task echo.fail {
	queue = "echo"
	max_retries = 3
	retry_backoff = "600ms"
	retry_fixed = yes
}
task echo.sleep {
	queue = "echo"
	track_started = yes
}
""")


def client(**conf):
    app = Celery("client", broker=os.environ["JOBFLEET_BROKER_URL"],
                 backend=os.environ["JOBFLEET_REDIS_URL"], set_as_current=False)
    app.conf.task_queue_max_priority = 10
    app.conf.update(conf)
    return app


app = client()


def send(name, *args, **options):
    options.setdefault("queue", "echo")
    return app.send_task(name, args=args, **options)


def raised(result, limit_s=20):
    try:
        result.get(timeout=limit_s)
    except Exception as problem:
        return problem
    raise AssertionError("no failure")


def states_of(result, limit_s=20):
    """Every state seen until a final one, in their order."""
    seen = []

    def done():
        state = result.state
        if state not in seen:
            seen.append(state)
        return state in ("SUCCESS", "FAILURE", "REVOKED")

    wait_for("an end; seen %s" % seen, done, limit_s)
    return seen


def rows(sql, *args):
    return fleet.sql(sql, *args)


def effects_of(task_id):
    return fleet.one("SELECT count(*) FROM effects WHERE task_id = %s", task_id)


# ---- results and failures ----

def a_result_comes_back():
    assert send("echo.add", 2, 3).get(timeout=20) == 5
    assert send("echo.add", kwargs={"x": 2, "y": 40}).get(timeout=20) == 42


def a_value_passes_through_unchanged():
    value = {"text": "Zürich \u2603 \U0001f600", "list": [1, 2.5, None, True], "nested": {"a": {}}}
    assert app.send_task("echo.echo", kwargs=value, queue="echo").get(timeout=20) == value


def a_failure_raises_ValueError_with_its_text():
    problem = raised(send("echo.fail", kwargs={"text": "no such town"}))
    assert isinstance(problem, ValueError) and "no such town" in str(problem), repr(problem)


def wrong_arguments_raise_TypeError():
    for args in ((1,), (1, 2, 3)):
        problem = raised(send("echo.add", *args))
        assert isinstance(problem, TypeError), repr(problem)
    problem = raised(send("echo.add", kwargs={"x": 1, "z": 2}))
    assert isinstance(problem, TypeError) and "'z'" in str(problem), repr(problem)


def a_custom_exception_keeps_its_name():
    result = send("echo.fail", kwargs={"text": "busy", "exc_type": "SourceParked"})
    problem = raised(result)
    assert type(problem).__name__ == "SourceParked" and "busy" in str(problem), repr(problem)
    assert "SourceParked" in result.traceback, result.traceback


def an_unknown_task_raises_NotRegistered():
    problem = raised(send("echo.nosuch"))
    assert isinstance(problem, NotRegistered) and "echo.nosuch" in str(problem), repr(problem)


def ignore_result_runs_and_stores_nothing():
    result = send("echo.mark", ignore_result=True)
    wait_for("its effect", lambda: effects_of(result.id))
    assert send("echo.add", 1, 1).get(timeout=20) == 2
    assert not fleet.redis().exists("celery-task-meta-" + result.id)


# ---- states ----

def STARTED_is_seen():
    result = send("echo.sleep", 0.7)
    seen = states_of(result)
    assert "STARTED" in seen and seen[-1] == "SUCCESS", seen


def STARTED_names_process_and_node():
    result = send("echo.sleep", 0.7)
    wait_for("STARTED", lambda: result.state == "STARTED")
    assert result.info["hostname"] == NODE and result.info["pid"] > 1, result.info
    result.get(timeout=20)


def PROGRESS_is_seen():
    result = send("echo.mark_steps", kwargs={"n": 3, "work_ms": 300})
    wait_for("PROGRESS", lambda: result.state == "PROGRESS")
    info = result.info
    assert info["total"] == 3 and 1 <= info["current"] <= 3, info
    assert result.get(timeout=20) == 3


def a_transient_error_is_retried_and_RETRY_is_seen():
    result = send("echo.fail", kwargs={"transient": True, "until": 2})
    seen = states_of(result)
    assert "RETRY" in seen and seen[-1] == "SUCCESS", seen
    assert result.get(timeout=20) == 2


def retries_end_with_the_failure():
    result = send("echo.fail", kwargs={"transient": True}, retries=2)
    problem = raised(result)
    assert isinstance(problem, RuntimeError) and "attempt 4" in str(problem), repr(problem)
    assert rows("SELECT cause FROM jobfleet.dead_letters WHERE task_id = %s", result.id) == [
        ("exhausted",)]


# ---- times and limits ----

def since(result, began):
    wait_for("its effect", lambda: effects_of(result.id))
    return fleet.one("SELECT extract(epoch FROM at)::float FROM effects WHERE task_id = %s",
                     result.id) - began


def a_short_countdown_is_kept():
    began = time.time()
    took = since(send("echo.mark", countdown=1), began)
    assert 0.99 <= took < 4, took


def a_long_countdown_is_parked_and_kept():
    began = time.time()
    result = send("echo.mark", countdown=7)
    wait_for("it is parked", lambda: rows("SELECT 1 FROM jobfleet.pending WHERE task_id = %s"
                                          " AND kind = 'eta'", result.id))
    took = since(result, began)
    assert 6.99 <= took < 11, took
    assert result.get(timeout=20) == result.id


def an_eta_is_kept_with_and_without_zone():
    for zone in (datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=5, minutes=30))):
        began = time.time()
        took = since(send("echo.mark", eta=datetime.datetime.now(zone) +
                          datetime.timedelta(seconds=1)), began)
        assert 0.99 <= took < 4, took


def an_expired_task_is_revoked():
    """Taken in while both children are busy, expired before one was free."""
    busy = [send("echo.sleep", 2.5) for _ in range(2)]
    wait_for("both are busy", lambda: all(r.state == "STARTED" for r in busy))
    result = send("echo.mark", expires=1)
    problem = raised(result)
    assert isinstance(problem, TaskRevokedError), repr(problem)
    assert result.state == "REVOKED" and not effects_of(result.id)
    for other in busy:
        assert other.get(timeout=20) == "slept"


def one_that_does_not_expire_in_time_runs():
    assert send("echo.add", 1, 2, expires=60).get(timeout=20) == 3


def a_hard_limit_of_the_call_ends_the_task():
    problem = raised(send("echo.stubborn", 30, time_limit=1))
    assert isinstance(problem, TimeLimitExceeded), repr(problem)


def a_soft_limit_of_the_call_asks_the_task_to_end():
    problem = raised(send("echo.sleep", 30, soft_time_limit=1, time_limit=20))
    assert isinstance(problem, SoftTimeLimitExceeded), repr(problem)


def a_high_priority_overtakes():
    busy = [send("echo.sleep", 1.5) for _ in range(2)]
    wait_for("both are busy", lambda: all(r.state == "STARTED" for r in busy))
    low = [send("echo.mark", kwargs={"work_ms": 20}, priority=0) for _ in range(60)]
    high = send("echo.mark", kwargs={"work_ms": 20}, priority=9)
    for result in low + [high]:
        result.get(timeout=30)
    order = [r[0] for r in rows("SELECT task_id FROM effects WHERE task_id = ANY(%s) ORDER BY at",
                                [r.id for r in low + [high]])]
    print("# the high one came as number %d of %d" % (order.index(high.id) + 1, len(order)))
    assert order.index(high.id) < 12, order.index(high.id)
    assert all(r.get(timeout=20) == "slept" for r in busy)


# ---- the wire's variants ----

def a_compressed_message_runs():
    for codec in ("zlib", "gzip"):
        assert app.send_task("echo.echo", kwargs={"text": "x" * 5000}, queue="echo",
                             compression=codec).get(timeout=20) == {"text": "x" * 5000}


def protocol_1_runs():
    old = client(task_protocol=1)
    assert old.send_task("echo.add", args=[2, 3], queue="echo").get(timeout=20) == 5
    problem = raised(old.send_task("echo.fail", queue="echo"))
    assert isinstance(problem, ValueError), repr(problem)


def a_group_of_tasks_returns_in_order():
    signatures = [app.signature("echo.add", args=(i, i), queue="echo") for i in range(30)]
    assert group(signatures, app=app).apply_async().get(timeout=30) == [2 * i for i in range(30)]


# ---- remote control ----

def inspection_answers_while_all_children_are_busy():
    busy = [send("echo.sleep", 14) for _ in range(2)]
    wait_for("both are busy", lambda: all(r.state == "STARTED" for r in busy))
    inspect = app.control.inspect(destination=[NODE], timeout=5)
    assert inspect.ping() == {NODE: {"ok": "pong"}}
    registered = inspect.registered()[NODE]
    assert "echo.add" in registered and registered == sorted(registered), registered
    stats = inspect.stats()[NODE]
    assert stats["pool"]["max-concurrency"] == 2 and len(stats["pool"]["processes"]) == 2, stats
    assert stats["total"]["echo.add"] > 0 and stats["pid"] == fleet.workers["one"].process.pid
    assert app.control.inspect(destination=["other@test"], timeout=1).ping() is None
    assert app.control.inspect(timeout=1).ping() == {NODE: {"ok": "pong"}}
    command_line_inspects()
    assert all(r.state == "STARTED" for r in busy), "they were not busy all the time"
    for result in busy:
        result.get(timeout=20)


def command_line_inspects():
    for what, wanted in (("ping", "pong"), ("registered", "echo.mark_and_spawn"),
                         ("stats", "max-concurrency")):
        done = subprocess.run(["/usr/bin/python3", "-m", "celery", "-b",
                               os.environ["JOBFLEET_BROKER_URL"], "inspect", what, "-t", "5",
                               "-d", NODE],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60)
        assert done.returncode == 0 and wanted in done.stdout and NODE in done.stdout, done.stdout


def an_unknown_command_is_answered_with_an_error():
    reply = app.control.broadcast("nosuch", reply=True, timeout=2)
    assert len(reply) == 1 and "error" in reply[0][NODE], reply


# ---- other doors ----

def SQL_enqueues_with_a_commit_and_not_without():
    connection = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
    with connection.cursor() as c:
        c.execute("SELECT jobfleet.enqueue('echo.mark', queue => 'echo')")
        never = c.fetchone()[0]
        connection.rollback()
        c.execute("SELECT jobfleet.enqueue('echo.add', args => '[20, 22]', queue => 'echo')")
        committed = c.fetchone()[0]
        # what is enqueued later, and committed, is done while the earlier one is still invisible
        assert send("echo.add", 1, 1).get(timeout=20) == 2
        assert app.AsyncResult(fleet.one("SELECT jobfleet.enqueue('echo.add', args => '[3, 4]',"
                                         " queue => 'echo')")).get(timeout=20) == 7
        assert app.AsyncResult(committed).state == "PENDING", "it ran before the commit"
        connection.commit()
    assert app.AsyncResult(committed).get(timeout=20) == 42
    connection.close()
    assert not effects_of(never) and app.AsyncResult(never).state == "PENDING"
    wait_for("no row is left", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"), 30)


def SQL_uses_the_route_of_queues_conf():
    wait_for("the dispatcher has written the routes", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.routes WHERE task = 'echo.mark'"))
    task_id = fleet.one("SELECT jobfleet.enqueue('echo.mark')")
    assert app.AsyncResult(task_id).get(timeout=20) == task_id


def shell(*words):
    return subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet"), "enqueue", *words],
                          env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def the_shell_enqueues_and_waits():
    done = shell("echo.add", "--queue", "echo", "--args", "[2, 3]", "--wait", "--timeout", "20")
    assert done.returncode == 0 and done.stdout.split()[-1] == "5", (done.stdout, done.stderr)
    done = shell("echo.fail", "--queue", "echo", "--wait", "--timeout", "20")
    assert done.returncode == 1 and "ValueError" in done.stdout + done.stderr, done


def nothing_is_left():
    wait_for("no row is left", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"), 30)
    with fleet.rabbit() as connection:
        left = connection.channel().queue_declare("echo", passive=True).method.message_count
    assert left == 0, left
    fleet.close()


print("# celery %s" % celery.__version__)
run(a_result_comes_back,
    a_value_passes_through_unchanged,
    a_failure_raises_ValueError_with_its_text,
    wrong_arguments_raise_TypeError,
    a_custom_exception_keeps_its_name,
    an_unknown_task_raises_NotRegistered,
    ignore_result_runs_and_stores_nothing,
    STARTED_is_seen,
    STARTED_names_process_and_node,
    PROGRESS_is_seen,
    a_transient_error_is_retried_and_RETRY_is_seen,
    retries_end_with_the_failure,
    a_short_countdown_is_kept,
    a_long_countdown_is_parked_and_kept,
    an_eta_is_kept_with_and_without_zone,
    an_expired_task_is_revoked,
    one_that_does_not_expire_in_time_runs,
    a_hard_limit_of_the_call_ends_the_task,
    a_soft_limit_of_the_call_asks_the_task_to_end,
    a_high_priority_overtakes,
    a_compressed_message_runs,
    protocol_1_runs,
    a_group_of_tasks_returns_in_order,
    inspection_answers_while_all_children_are_busy,
    an_unknown_command_is_answered_with_an_error,
    SQL_enqueues_with_a_commit_and_not_without,
    SQL_uses_the_route_of_queues_conf,
    the_shell_enqueues_and_waits,
    nothing_is_left)
