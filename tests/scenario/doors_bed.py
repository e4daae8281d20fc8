# SPDX-License-Identifier: MIT
"""What the scenarios of the doors share: `jobfleet enqueue` with its time taken, a proxy before
RabbitMQ that swallows what it is told to, and a frozen RabbitMQ."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from fleet_worker import kill

os.environ["JOBFLEET_DATA_DIR"] = tempfile.mkdtemp()    # of the dispatcher and of our enqueues
OVER_S = 1.0        # so much later than its deadline an answer may come
START_S = 1.5       # what a loaded machine may take to start and end a program
PUBLISH = b"\x00\x3c\x00\x28"
CONFIRM = b"\x00\x3c\x00\x50"


def entries():
    try:
        names = os.listdir(os.environ["JOBFLEET_DATA_DIR"] + "/spool")
    except FileNotFoundError:
        return []
    return [x for x in names if not x.startswith(".") and not x.endswith(".broken")]


def enqueue(fleet, status, deadline_s=2, words=(), env=None, expect=True):
    """One marking task; its id, and what stderr says. It must answer by its deadline."""
    task_id = str(uuid.uuid4())
    kwargs = {"note": "mark", "work_ms": 0}
    started = time.monotonic()
    got = subprocess.run(
        ["jobfleet", "enqueue", "echo.mark", "--kwargs", json.dumps(kwargs), "--id", task_id,
         "--deadline", "%dms" % (1000 * deadline_s), *words], capture_output=True, text=True,
        timeout=60, env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf, **(env or {})))
    took = time.monotonic() - started
    assert got.returncode == status, (got.returncode, got.stdout, got.stderr)
    assert took < deadline_s + OVER_S + START_S, "%.2f s of %d" % (took, deadline_s)
    print("# status %d after %.2f s of %d: %s" % (status, took, deadline_s,
                                                 got.stderr.strip().split(": ", 1)[-1][:90]))
    if expect:
        fleet.expected[task_id] = ("echo.mark", 1)
        fleet.sent[task_id] = ("echo.mark", kwargs, False)
    return task_id, got.stderr


def broker_pid():
    got = subprocess.run([os.environ["JOBFLEET_SERVICES"], "status"], stdout=subprocess.PIPE,
                         text=True).stdout
    return int(re.search(r"rabbitmq\s+\S+ pid (\d+)", got).group(1))


class FrozenBroker:
    """The half-open broker: its kernel still takes connections and bytes."""

    def __enter__(self):
        self.pid = broker_pid()
        kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_):
        kill(self.pid, signal.SIGCONT)


class Proxy(threading.Thread):
    """Passes bytes between a client and RabbitMQ until it sees `until` go `way` ("in": towards
    the broker, "out": from it); from then on that way is swallowed. None: passes everything."""

    def __init__(self, until=None, way="in"):
        super().__init__(daemon=True)
        self.until, self.way = until, way
        self.url = os.environ["JOBFLEET_BROKER_URL"]
        host, port = re.search(r"@([^:/]+):(\d+)", self.url).groups()
        self.to = (host, int(port))
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.swallowed = 0
        self.start()

    def env(self):
        return {"JOBFLEET_BROKER_URL": re.sub(r"@[^/]+/", "@127.0.0.1:%d/"
                                              % self.listener.getsockname()[1], self.url)}

    def run(self):
        while True:
            client, _ = self.listener.accept()
            broker = socket.create_connection(self.to)
            for way, source, target in (("in", client, broker), ("out", broker, client)):
                threading.Thread(target=self.pass_on, args=(way, source, target),
                                 daemon=True).start()

    def pass_on(self, way, source, target):
        swallowing = False
        while True:
            try:
                data = source.recv(65536)
                if not data:
                    break
                swallowing = swallowing or (way == self.way and self.until and self.until in data)
                if swallowing:
                    self.swallowed += len(data)
                else:
                    target.sendall(data)
            except OSError:
                break
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
