# SPDX-License-Identifier: MIT
"""What the tests of remote control and events share: one worker of ours, a stock Celery client, the
`celery` program, and a real Python worker to stand beside ours."""

import json
import os
import subprocess
import sys
import time

from celery import Celery

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../scenario"))
from fleet_bed import Fleet, run, wait_for  # noqa: E402,F401

NODE = "one@test"
PYTHON_NODE = "py@test"
PYTHON_APP = """
import os
from celery import Celery
app = Celery("pyapp", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.task_queue_max_priority = 10
app.conf.task_default_queue = "python"
app.conf.worker_hijack_root_logger = False

@app.task(name="py.add")
def add(x, y):
    return x + y
"""
CONF = """
task echo.sleep {
	queue = "echo"
	track_started = yes
}
task echo.stubborn {
	queue = "echo"
	track_started = yes
}
%s
"""


class Bed:
    def __init__(self, conf="", fleet_conf=""):
        self.fleet = Fleet(workers=("one",), conf=CONF % conf, fleet_conf=fleet_conf)
        self.python = None
        self.connect()

    def connect(self):
        """A client; another one when the broker was away."""
        self.app = Celery("client", broker=os.environ["JOBFLEET_BROKER_URL"],
                          backend=os.environ["JOBFLEET_REDIS_URL"], set_as_current=False)
        self.app.conf.task_queue_max_priority = 10
        self.control = self.app.control

    def inspect(self, timeout=5, **options):
        options.setdefault("destination", [NODE])
        return self.control.inspect(timeout=timeout, **options)

    def ask(self, method, timeout=5, **arguments):
        """The answer of our node to any method."""
        got = self.control.broadcast(method, arguments=arguments, destination=[NODE], reply=True,
                                     timeout=timeout)
        assert len(got) == 1 and list(got[0]) == [NODE], (method, got)
        return got[0][NODE]

    def celery(self, *words, limit_s=60):
        """Exit status and output of the `celery` program."""
        done = subprocess.run(["/usr/bin/python3", "-m", "celery", "-b",
                               os.environ["JOBFLEET_BROKER_URL"], "--result-backend",
                               os.environ["JOBFLEET_REDIS_URL"], *words],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=limit_s, env=dict(os.environ, NO_COLOR="1"))
        return done.returncode, done.stdout

    def celery_json(self, *words):
        """What `celery inspect … --json` shows of our node."""
        status, out = self.celery(*words, "-t", "5", "-d", NODE, "--json")
        assert status == 0, out
        return json.loads(out[out.index("{"):])[NODE]

    def send(self, name, *args, **options):
        options.setdefault("queue", "echo")
        return self.app.send_task(name, args=args, **options)

    def started(self, result, limit_s=20):
        wait_for("task %s has started" % result.id, lambda: result.state == "STARTED", limit_s)
        return result

    def busy(self, seconds=60, **options):
        """Both children run a task each."""
        return [self.started(r) for r in
                [self.send("echo.sleep", seconds, **options) for _ in range(2)]]

    def waiting(self, *kwargs):
        """A task echo.echo for each of kwargs, in the worker and not begun: they wait for their
        rate limit (behind a running task a worker of ours would give them back)."""
        self.control.rate_limit("echo.echo", "0.2/s", destination=[NODE], reply=True, timeout=5)
        results = [self.send("echo.echo", kwargs=k) for k in ({},) + kwargs]
        results[0].get(timeout=20)
        self.control.rate_limit("echo.echo", 0, destination=[NODE], reply=True, timeout=5)
        wait_for("they wait", lambda: sorted(
            i["id"] for i in self.inspect().reserved()[NODE]) == sorted(r.id for r in results[1:]))
        return results[1:]

    def end(self, results):
        """Terminates what still runs of them."""
        self.control.revoke([r.id for r in results], terminate=True, destination=[NODE],
                            reply=True, timeout=5)
        for result in results:
            wait_for("task %s has ended" % result.id,
                     lambda: result.state in ("SUCCESS", "FAILURE", "REVOKED"))

    def redeliver(self):
        """Kills the worker while both its children run; returns the running tasks, delivered a
        second time to the worker that comes after it."""
        results = self.busy()
        worker = self.fleet.workers["one"]
        starts = worker.starts
        worker.kill_parent()
        wait_for("the worker is there again", lambda: worker.starts > starts)
        worker.wait_ready(again=True)
        wait_for("they run again", lambda: sorted(
            i["id"] for i in self.inspect().active()[NODE]) == sorted(r.id for r in results))
        return results

    def start_python(self):
        with open(os.path.join(self.fleet.dir, "pyapp.py"), "w") as f:
            f.write(PYTHON_APP)
        self.python_log = os.path.join(self.fleet.dir, "python.log")
        with open(self.python_log, "ab") as log:
            self.python = subprocess.Popen(
                ["/usr/bin/python3", "-m", "celery", "-A", "pyapp", "worker", "-n", PYTHON_NODE,
                 "-c", "1", "-P", "solo", "-Q", "python", "-l", "DEBUG"],
                cwd=self.fleet.dir, stdout=log, stderr=log)
        wait_for("the Python worker is ready", lambda: " ready." in self.log_of_python(), 60)

    def log_of_python(self):
        with open(self.python_log, errors="replace") as f:
            return f.read()

    def stop_python(self):
        if self.python:
            self.python.terminate()
            self.python.wait(60)
        self.python = None

    def close(self):
        self.stop_python()
        self.fleet.close()


class Listener:
    """Receives what is published to celeryev, as a monitor does: every event, and every message
    with its key, headers and properties."""

    def __init__(self, bed, key="#"):
        self.events, self.messages = [], []
        self.connection = bed.app.connection()
        self.receiver = bed.app.events.Receiver(self.connection.channel(), routing_key=key,
                                                handlers={"*": self.events.append})
        self.consumer = bed.app.amqp.Consumer(
            self.connection.channel(), queues=[self.receiver.queue], no_ack=True,
            callbacks=[self.take, self.receiver._receive], accept=["json"])
        self.consumer.consume()

    def take(self, body, message):
        self.messages.append((message.delivery_info["routing_key"], message.headers,
                              message.properties, body))

    def drain(self, seconds=0.05):
        try:
            while True:
                self.connection.drain_events(timeout=seconds)
        except OSError:
            pass

    def wait(self, what, fn, limit_s=20):
        """Drains until fn answers."""
        def look():
            self.drain()
            return fn()
        return wait_for(what, look, limit_s)

    def of(self, *types, uuid=None):
        self.drain()
        return [e for e in self.events
                if (not types or e["type"] in types) and (not uuid or e.get("uuid") == uuid)]

    def types_of(self, uuid):
        return [e["type"] for e in self.of(uuid=uuid)]

    def close(self):
        self.consumer.cancel()
        self.connection.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def took(fn, *args, **options):
    began = time.monotonic()
    answer = fn(*args, **options)
    return answer, time.monotonic() - began
