# SPDX-License-Identifier: MIT
"""What the interop tests of the canvas share: a stock Celery client with the tasks of
tests/workers/echo by name, readers of what stands in Redis, and a Python worker on a queue of its
own for mixed work."""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid

from celery import Celery

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../scenario"))
from fleet_bed import LIMIT_S, wait_for  # noqa: E402

GET_S = 30
PYTHON_QUEUE = "python"


def client():
    app = Celery("client", broker=os.environ["JOBFLEET_BROKER_URL"],
                 backend=os.environ["JOBFLEET_REDIS_URL"], set_as_current=True)
    app.conf.task_queue_max_priority = 10
    app.conf.task_default_queue = "echo"
    return app


app = client()


def task(name, *args, **options):
    """A signature of a task of the test worker; python.* goes to the Python worker."""
    queue = PYTHON_QUEUE if name.startswith("python.") else "echo"
    kwargs = options.pop("kwargs", {})
    immutable = options.pop("immutable", False)
    return app.signature(name if "." in name else "echo." + name, args=args, kwargs=kwargs,
                         options=dict({"queue": queue}, **options), immutable=immutable)


def add(*args, **options):
    return task("add", *args, **options)


def raised(result, limit_s=GET_S):
    try:
        value = result.get(timeout=limit_s)
    except Exception as problem:
        return problem
    raise AssertionError("no failure, but %r" % (value,))


class Stored:
    """Results as they stand in Redis."""

    def __init__(self, fleet):
        self.fleet = fleet

    def meta(self, task_id):
        text = self.fleet.redis().get("celery-task-meta-" + task_id)
        return json.loads(text) if text else None

    def final(self, task_id, limit_s=GET_S):
        def done():
            meta = self.meta(task_id)
            return meta and meta["status"] in ("SUCCESS", "FAILURE", "REVOKED")

        wait_for("the result of %s" % task_id, done, limit_s)
        return self.meta(task_id)

    def chord_keys(self, gid):
        return self.fleet.redis().keys("celery-taskset-meta-%s*" % gid)


PYTHON_WORKER = '''
import os
from celery import Celery
app = Celery("python", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.task_queue_max_priority = 10
app.conf.task_default_queue = "python"

@app.task(name="python.add")
def add(x, y):
    return x + y

@app.task(name="python.sum")
def xsum(numbers):
    return sum(numbers)

@app.task(name="python.fail")
def fail(*args):
    raise ValueError("python boom")

def note(key, value):
    app.backend.client.rpush(key, value)

@app.task(name="python.old_errback")
def old_errback(task_id):
    note("errbacks", "old " + task_id)

@app.task(name="python.new_errback")
def new_errback(request, exc=None, traceback=None):
    note("errbacks", "new " + (request if isinstance(request, str) else request.id))
'''


class PythonWorker:
    def __init__(self):
        self.dir = tempfile.mkdtemp()
        with open(os.path.join(self.dir, "python_tasks.py"), "w") as f:
            f.write(PYTHON_WORKER)
        self.log = open(os.path.join(self.dir, "python.log"), "w")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "celery", "-A", "python_tasks", "worker", "-c", "2", "-Q",
             PYTHON_QUEUE, "-n", "python@test", "--without-gossip", "--without-mingle",
             "--without-heartbeat", "-l", "INFO"],
            cwd=self.dir, stdout=self.log, stderr=self.log)
        wait_for("the Python worker is ready", self.is_ready, LIMIT_S)

    def is_ready(self):
        with open(self.log.name) as f:
            return " ready." in f.read()

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def close(self):
        self.process.terminate()
        self.process.wait(LIMIT_S)
        self.log.close()


def redelivered_in_the_middle(fleet, begin, check, kills=4, pause_s=0.03):
    """Runs begin() while children and a parent are killed, then check(what begin returned)."""
    handle = begin()
    worker = next(iter(fleet.workers.values()))
    for i in range(kills):
        time.sleep(pause_s)             # the instant itself
        with fleet.lock:
            if i == kills // 2 and worker.process.poll() is None:
                worker.kill_parent()
                continue
        for pid in worker.children()[:1]:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
    check(handle)


def fresh_id():
    return str(uuid.uuid4())
