#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""Section 8 of the wire page, row by row: what a worker must do so that a stock client, its command
line and a Python worker beside it notice no difference. What a task does is tried once more with a
process killed in its middle. (The row of celery-node is 63_node.py.)"""

import datetime
import os
import subprocess
import threading
import time

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery import chain, chord, group
from celery.exceptions import NotRegistered, TaskRevokedError

from conformance_bed import (NODE, Bed, kill, plainly, raised, run, states_of, wait_for,
                             with_a_kill)

GET_S = 30


def sig(bed, name, *args, **options):
    return bed.app.signature("t." + name, args=args, **options)


# ---- tasks ----

def send_task_get_and_delay(bed):
    assert bed.app.send_task("t.add", args=(2, 3)).get(timeout=GET_S) == 5
    assert sig(bed, "add").delay(2, 40).get(timeout=GET_S) == 42
    result = bed.send("add", 1, 1)
    assert states_of(result)[-1] == "SUCCESS" and result.successful() and result.ready()
    assert result.traceback is None and result.date_done, bed.meta(result.id)


def exceptions_at_the_client(bed):
    result = bed.send("fail", kwargs={"text": "no such town"})
    problem = raised(result)
    assert isinstance(problem, ValueError) and problem.args == ("no such town",), repr(problem)
    assert result.failed() and result.traceback.startswith("Traceback (most recent call last):")
    assert isinstance(raised(bed.send("nosuch")), NotRegistered)


def countdown_eta_expires(bed):
    now = datetime.datetime.now(datetime.timezone.utc)
    later = now + datetime.timedelta(seconds=0.4)
    etas = [bed.send("mark", countdown=0.4), bed.send("mark", eta=later),
            bed.send("mark", eta=later.replace(microsecond=0) + datetime.timedelta(seconds=1)),
            bed.send("mark", eta=later.astimezone(datetime.timezone(datetime.timedelta(hours=-8))))]
    gone = bed.send("mark", eta=later, expires=later - datetime.timedelta(milliseconds=150))
    for result in etas:
        assert bed.effect_at(result.id) >= now.timestamp() + 0.4, result.id
        assert result.get(timeout=GET_S) == result.id and bed.effects(result.id) == 1
    assert isinstance(raised(gone), TaskRevokedError) and not bed.effects(gone.id)


def time_limit(bed):
    problem = raised(bed.send("stubborn", 30, time_limit=0.5))
    assert isinstance(problem, TimeLimitExceeded), repr(problem)
    problem = raised(bed.send("sleep", 30, soft_time_limit=0.3))
    assert isinstance(problem, SoftTimeLimitExceeded), repr(problem)


def link_and_chain(bed):
    callback = sig(bed, "add", 10)
    child = callback.freeze()
    assert sig(bed, "add", 2, 3).apply_async(link=callback).get(timeout=GET_S) == 5
    assert bed.final(child.id)["result"] == 15
    result = chain(sig(bed, "add", 1, 1), sig(bed, "add", 2), sig(bed, "multiply", 10),
                   app=bed.app).apply_async()
    assert result.get(timeout=GET_S) == 40
    assert result.parent.get(timeout=GET_S) == 4 and result.parent.parent.get(timeout=GET_S) == 2


def link_error_and_chain_failure(bed):
    result = sig(bed, "fail", kwargs={"text": "broken"}).apply_async(
        link_error=[sig(bed, "err"), sig(bed, "err_new")])
    assert isinstance(raised(result), ValueError)
    for style in ("old", "new"):
        wait_for("the errback of the %s style" % style, lambda s=style: bed.one(
            "SELECT count(*) FROM effects WHERE note = %s", "%s %s" % (s, result.id)) == 1, 20)
    steps = chain(sig(bed, "add", 1, 1), sig(bed, "fail", immutable=True), sig(bed, "add", 1),
                  sig(bed, "add", 2), app=bed.app).apply_async()
    for later in (steps, steps.parent):     # no step may leave its client waiting
        assert isinstance(raised(later), ValueError), later.id


def a_group(bed):
    result = group([sig(bed, "add", i, i) for i in range(20)], app=bed.app).apply_async()
    bed.finals([r.id for r in result.results])
    assert result.get(timeout=GET_S) == [2 * i for i in range(20)]


def a_chord(bed):
    result = chord([sig(bed, "add", i, i) for i in range(10)], app=bed.app)(sig(bed, "xsum"))
    assert result.get(timeout=GET_S) == 90
    result = chord([sig(bed, "add", 1, 1), sig(bed, "fail", kwargs={"text": "bad member"})],
                   app=bed.app)(sig(bed, "xsum"))
    problem = raised(result)
    assert "bad member" in str(problem), repr(problem)


def retry(bed):
    result = bed.send("retry_n", kwargs={"n": 2, "countdown_ms": 20})
    assert result.get(timeout=GET_S) == 2
    steps = chain(sig(bed, "add", 1, 1), sig(bed, "retry_n", kwargs={"countdown_ms": 20}),
                  sig(bed, "add", 5), app=bed.app).apply_async()
    assert steps.get(timeout=GET_S) == 7        # 2 asks for two retries, and the chain goes on


def jobfleet(bed, *words, status=0):
    done = subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], words[0]), *words[1:]],
                          env=dict(os.environ, JOBFLEET_CONFIG=bed.conf), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == status, (words, done)
    return done.stdout.strip().splitlines()


def the_C_side_enqueues_and_awaits_the_same(bed):
    common = ("--queue", "conformance", "--wait", "--timeout", "30")
    assert jobfleet(bed, "jobfleet", "enqueue", "t.add", "2", "3", *common)[-1] == "5"
    told = jobfleet(bed, "jobfleet", "enqueue", "t.fail", "--json", *common, status=1)
    meta = "\n".join(told)
    assert "ValueError" in meta and "boom" in meta, meta
    assert jobfleet(bed, "jobfleet-conformance", "--run", "t.add", "[2, 40]")[-1] == "42"


# ---- remote control, while all children are busy where it matters ----

def celery(bed, *words, status=0):
    done = subprocess.run(["/usr/bin/python3", "-m", "celery", "-b",
                           os.environ["JOBFLEET_BROKER_URL"], *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == status, "%s: %d\n%s" % (words, done.returncode, done.stdout)
    return done.stdout


class Busy:
    """Both children of the worker sleep."""

    def __init__(self, bed, seconds=30):
        self.bed, self.results = bed, [bed.send("sleep", seconds) for _ in range(2)]

    def __enter__(self):
        wait_for("both are busy", lambda: all(r.state == "STARTED" for r in self.results))
        return self.results

    def __exit__(self, *_):
        for result in self.results:
            result.revoke(terminate=True)
        self.bed.finals([r.id for r in self.results])


def AsyncResult_revoke_and_celery_control_revoke(bed):
    with Busy(bed) as running:
        waiting = [bed.send("mark") for _ in range(2)]
        waiting[0].revoke()
        assert "flagged as revoked" in celery(bed, "control", "-t", "5", "revoke", waiting[1].id)
        running[0].revoke(terminate=True, signal="SIGKILL")
        problem = raised(running[0])
        assert isinstance(problem, TaskRevokedError) and "terminated" in str(problem), repr(problem)
    for result in waiting:
        problem = raised(result)
        assert isinstance(problem, TaskRevokedError) and result.state == "REVOKED", repr(problem)
        assert not bed.effects(result.id)


def celery_status_and_inspect_ping_within_a_second(bed):
    took = []
    with Busy(bed):
        for _ in range(3):
            began = time.monotonic()
            assert bed.app.control.inspect([NODE], timeout=5).ping() == {NODE: {"ok": "pong"}}
            took.append(time.monotonic() - began)
        print("# pings with all children busy: %s ms" % " ".join("%.0f" % (s * 1000) for s in took))
        assert min(took) < 1, took      # the machine may be busy with other tests, too
        assert NODE in celery(bed, "status", "-t", "5")


def celery_inspect(bed):
    """A row for each question stands in 70_inspect.py; here that none is an error."""
    with Busy(bed):
        for word in ("active", "reserved", "scheduled", "registered", "stats", "conf",
                     "active_queues", "revoked", "clock", "report"):
            out = celery(bed, "inspect", "-t", "5", "-d", NODE, word)
            assert NODE in out and "rror" not in out.replace("t.err", "").replace("onError", ""), \
                (word, out)


def celery_control(bed):
    for words, part in ((("rate_limit", "t.limited", "10/m"), "new rate limit set"),
                        (("time_limit", "t.sleep", "50", "100"), "time limits set"),
                        (("pool_grow", "1"), "pool will grow"),
                        (("pool_shrink", "1"), "pool will shrink"),
                        (("add_consumer", "extra"), "add consumer extra"),
                        (("cancel_consumer", "extra"), "no longer consuming from extra"),
                        (("enable_events",), "task events"), (("disable_events",), "task events")):
        assert part in celery(bed, "control", "-t", "5", "-d", NODE, *words), words


# ---- monitors ----

def celery_events_and_the_list_of_Flower(bed):
    """The state that a monitor builds: an online node whose heartbeats come, tasks with names."""
    state, got = bed.app.events.State(), []
    stop = threading.Event()

    def listen():
        with bed.app.connection() as connection:
            receiver = bed.app.events.Receiver(connection, handlers={"*": on_event})
            while not stop.is_set():
                try:
                    receiver.capture(limit=None, timeout=0.5, wakeup=False)
                except OSError:             # nothing in that time
                    pass

    def on_event(event):
        state.event(event)
        got.append(event)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    bed.app.control.enable_events()
    wait_for("a heartbeat", lambda: [e for e in got if e["type"] == "worker-heartbeat"], 15)

    def seen():
        task_id = bed.send("add", 2, 3).id
        return wait_for("its events", lambda: {e["type"] for e in got if e.get("uuid") == task_id}
                        >= {"task-received", "task-started", "task-succeeded"} and task_id, 3)

    task_id = wait_for("a task's events", seen, 20)
    stop.set()
    thread.join()
    assert state.workers[NODE].alive and state.tasks[task_id].name == "t.add"
    assert state.tasks[task_id].state == "SUCCESS" and state.tasks[task_id].worker.hostname == NODE


def the_worker_page_of_Flower(bed):
    inspect = bed.app.control.inspect([NODE], timeout=5)
    answers = {name: getattr(inspect, name)() for name in (
        "stats", "active_queues", "registered", "scheduled", "active", "reserved", "revoked",
        "conf")}
    missing = [name for name, answer in answers.items() if not answer or NODE not in answer]
    assert not missing, missing
    stats = answers["stats"][NODE]
    assert all(isinstance(stats[part], dict) for part in ("broker", "pool", "total")), stats
    assert stats["pid"] == bed.workers["one"].process.pid and stats["prefetch_count"] >= 0, stats
    assert "rusage" in stats and not [q for q in answers["active_queues"][NODE]
                                      if q["name"] not in ("conformance", "ranked")]


# ---- beside others, and again ----

PYTHON_WORKER = '''
import os
from celery import Celery
app = Celery("beside", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.task_default_queue = "conformance"
app.conf.worker_hijack_root_logger = False
@app.task(name="t.add")
def add(x, y): return x + y
@app.task(name="t.xsum")
def xsum(numbers): return sum(numbers)
@app.task(name="t.py_only")
def py_only(): return "python"
'''


def Python_workers_beside_it(bed):
    """On the same queue, with the queue's arguments; chords whose parts run on both come out."""
    where = os.path.join(bed.dir, "beside")
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, "beside.py"), "w") as f:
        f.write(PYTHON_WORKER)
    with open(os.path.join(bed.dir, "python.log"), "wb") as log:
        python = subprocess.Popen(["/usr/bin/python3", "-m", "celery", "-A", "beside", "worker",
                                   "-c", "2", "-n", "py@test", "--prefetch-multiplier", "1"],
                                  cwd=where, env=os.environ, stdout=log, stderr=log)
    try:
        ping = bed.app.control.inspect(timeout=2)
        wait_for("both answer", lambda: set(ping.ping() or ()) == {NODE, "py@test"}, 60)
        for _ in range(5):
            result = chord([sig(bed, "add", i, i) for i in range(20)], app=bed.app)(
                sig(bed, "xsum"))
            assert result.get(timeout=GET_S) == 380
        done = ping.stats()
        shares = {node: done[node]["total"].get("t.add", 0) for node in (NODE, "py@test")}
        print("# parts done: %s" % shares)
        assert all(shares.values()), shares
    finally:
        python.terminate()
        try:
            python.wait(30)
        except subprocess.TimeoutExpired:
            kill(python.pid)
            python.wait(30)


def clean_restarts(bed):
    """A stopped worker leaves nothing behind, a started one answers at once and does what waited."""
    worker = bed.workers["one"]
    with bed.lock:
        assert worker.stop() == 0
        waiting = [bed.send("mark") for _ in range(5)]
        worker.start()
        worker.wait_ready(again=True)
    bed.finals([r.id for r in waiting])
    assert [bed.effects(r.id) for r in waiting] == [1] * 5
    assert bed.app.control.inspect([NODE], timeout=5).ping() == {NODE: {"ok": "pong"}}


TASKS = (send_task_get_and_delay, exceptions_at_the_client, countdown_eta_expires, link_and_chain,
          link_error_and_chain_failure, a_group, a_chord, retry,
         the_C_side_enqueues_and_awaits_the_same)
CONTROL = (time_limit, AsyncResult_revoke_and_celery_control_revoke,
           celery_status_and_inspect_ping_within_a_second, celery_inspect, celery_control,
           celery_events_and_the_list_of_Flower, the_worker_page_of_Flower,
           Python_workers_beside_it, clean_restarts)


def patient_bed():
    """What the Python worker ran is known by its result, soon after it should have been lost."""
    return Bed(fleet_conf='lost_after = "5s"')


run(*plainly(patient_bed, TASKS + CONTROL), *with_a_kill("before-ack", TASKS),
    *with_a_kill("after-follow-ups", TASKS))
