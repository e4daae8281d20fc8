# SPDX-License-Identifier: MIT
"""The fleet of a drill: workers and dispatchers behind a network that fails on order, each started
again when it ends, as systemd would; and how its health is seen from outside."""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from urllib.parse import urlsplit

import pika
import psycopg2
import redis

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests/scenario"))
from fleet_worker import is_keeper, kill, offspring, stat_of, wait_for  # noqa: E402,F401
from postings import PROGRAMS, Postings, shipped_conf   # noqa: E402

QUEUE, ARGUMENTS = "drill", {"x-max-priority": 10}
URLS = {"broker": "JOBFLEET_BROKER_URL", "database": "JOBFLEET_DATABASE_URL",
        "redis": "JOBFLEET_REDIS_URL"}
CANARIES = 2000000          # the numbers of their intents begin here
RESTART_S = 0.1             # RestartSec of the units
HEALTH_LIMIT_S = 180        # a busy machine takes its time for what waited meanwhile
READY_MOST = 50             # messages that may wait in the queue of a healthy fleet
FAKETIME = next(glob.iglob("/usr/lib/*/faketime/libfaketime.so.1"), None)
FLEET_CONF = """\
fleet {
	heartbeat = 1s
	shutdown = 60s
	# what is killed at random may hit one task often
	start_budget = 50
	# long tasks are claimed, and a claim of the dead ends soon
	broker_consumer_timeout = 10s
	lease = 2s
	lost_after = 5s
	timing_lines = %s
	# the small disk is for what nobody else has
	raw_copies = no
	processed_copies = no
	failed_copies = no
"""
DRILL_CONF = """\
queue drill {
	program = drill
	concurrency = {3, 5}
}
task drill.long {
	queue = drill
	time_limit = 30s
}
"""


class Process:
    """A program that is started again whenever it ends."""

    def __init__(self, fleet, name, program):
        self.fleet, self.name, self.program = fleet, name, program
        self.process, self.ended_at, self.starts = None, None, 0
        self.bin, self.extra = os.environ["JOBFLEET_BIN"], {}
        self.start()

    def start(self):
        env = dict(self.fleet.env, **self.extra)
        with open(os.path.join(self.fleet.dir, self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "jobfleet-" + self.program), "--hostname",
                 self.name + "@drill"], env=env, stdout=log, stderr=log, cwd=self.fleet.dir)
        self.starts += 1
        self.ended_at = None

    def tend(self):
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self.ended_at is None:
            self.ended_at = now
        elif now - self.ended_at >= RESTART_S:
            self.start()

    def pid(self):
        return self.process.pid

    def zygote(self):
        return (offspring(self.pid()) or [None])[0]

    def family(self):
        """All below the parent."""
        zygote = self.zygote()
        return [zygote] + offspring(zygote) if zygote else []

    def children(self):
        return [pid for pid in self.family()[1:] if not is_keeper(pid)]

    def keeper(self):
        return next((pid for pid in self.family()[1:] if is_keeper(pid)), None)


class Network:
    """proxy.py, as a process beside."""

    def __init__(self, ports):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "proxy.py")] +
            ["%s=%d" % item for item in ports.items()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock, self.ports = threading.Lock(), {}
        for line in iter(self.process.stdout.readline, ".\n"):
            name, port = line.split()
            self.ports[name] = int(port)

    def order(self, *words):
        with self.lock:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "done\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Fleet:
    """With searches, the real pipeline runs beside, for so many at most (postings.py)."""

    def __init__(self, run, verbose=False, searches=0):
        self.run, self.dir = run, tempfile.mkdtemp(prefix="jobfleet-drill-")
        os.chmod(self.dir, 0o755)
        self.postings = Postings(self.dir, run, searches) if searches else None
        self.conf = os.path.join(self.dir, "queues.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            block = FLEET_CONF % ("yes" if verbose else "no")
            f.write((shipped_conf(block) if searches else block + "}\n") + DRILL_CONF)
        self.data = os.path.join(self.dir, "data")
        os.mkdir(self.data)
        # a disk of its own that can be filled; it goes with our mount namespace
        self.small_disk = "JOBFLEET_DRILL_MOUNTS" in os.environ and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", self.data],
            stderr=subprocess.DEVNULL).returncode == 0
        self.env = dict(os.environ, JOBFLEET_CONFIG=self.conf, JOBFLEET_DATA_DIR=self.data)
        if self.postings:
            self.env.update(self.postings.env)
        self.outer = dict(self.env)         # of who asks from outside: past the proxy
        self.network = Network({name: urlsplit(os.environ[url]).port
                                for name, url in URLS.items()})
        for name, url in URLS.items():
            self.env[url] = os.environ[url].replace(
                ":%d/" % urlsplit(os.environ[url]).port, ":%d/" % self.network.ports[name])
        self.local = threading.local()
        self.canaries, self.lock = 0, threading.Lock()
        subprocess.run([self.program("jobfleet"), "migrate"], env=self.outer, check=True,
                       stdout=subprocess.DEVNULL)
        self.clock = os.path.join(self.dir, "clock")
        self.set_clock(0)
        self.processes = {}
        for name in ("d1", "d2"):
            self.processes[name] = Process(self, name, "dispatcher")
        for name in ("one", "two"):
            self.processes[name] = Process(self, name, "drill")
        for name in PROGRAMS if self.postings else ():
            self.processes[name] = Process(self, name, name)
        self.tending = True
        self.tender = threading.Thread(target=self.tend, daemon=True)
        wait_for("the workers are ready", lambda: self.one(
            "SELECT count(*) FROM jobfleet.workers WHERE state = 'running'"
            " AND 'drill' = ANY (queues)") == 2, 60)
        self.tender.start()

    def program(self, name):
        return os.path.join(os.environ["JOBFLEET_BIN"], name)

    def set_clock(self, seconds):
        with open(self.clock + ".new", "w") as f:
            f.write("%+d" % seconds)
        os.replace(self.clock + ".new", self.clock)

    def workers(self):
        return [p for p in self.processes.values() if p.program == "drill"]

    def dispatchers(self):
        return [p for p in self.processes.values() if p.program == "dispatcher"]

    def pipeline(self):
        return [p for p in self.processes.values() if p.program in PROGRAMS]

    def tend(self):
        while self.tending:
            with self.lock:
                for process in self.processes.values():
                    process.tend()
            time.sleep(0.02)

    def close(self):
        """Exit statuses by name, of an orderly stop."""
        self.tending = False
        self.tender.join()
        for process in self.processes.values():
            process.process.terminate()
        status = {}
        for name, process in self.processes.items():
            try:
                status[name] = process.process.wait(90)
            except subprocess.TimeoutExpired:
                status[name] = "does not end"
                process.process.kill()
        self.network.close()
        if self.postings:
            self.postings.close()
        return status

    def remove(self):
        if self.small_disk:
            subprocess.run(["umount", self.data], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def logs(self):
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".log"):
                with open(os.path.join(self.dir, name), errors="replace") as f:
                    yield name, f.read()

    # ---- services, past the proxy ----

    def services(self, *words, check=True):
        return subprocess.run([os.environ["JOBFLEET_SERVICES"], *words], check=check, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def connect(self):
        connection = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"], connect_timeout=10,
                                      application_name="drill-outside")
        connection.autocommit = True
        return connection

    def sql(self, text, *args, limit_s=120):
        """On a connection of this thread; again while PostgreSQL is away."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                if getattr(self.local, "pg", None) is None:
                    self.local.pg = self.connect()
                with self.local.pg.cursor() as c:
                    c.execute(text, args or None)
                    return c.fetchall() if c.description else None
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.local.pg = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def redis(self):
        return redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])

    def rabbit(self):
        parameters = pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"])
        parameters.blocked_connection_timeout = 5
        parameters.socket_timeout = 5
        return pika.BlockingConnection(parameters)

    def ready(self):
        """Messages that wait in the queue."""
        with self.rabbit() as connection:
            return connection.channel().queue_declare(QUEUE, passive=True).method.message_count

    # ---- health ----

    def canary(self):
        """Publishes a task, confirmed; its id, or None if the broker did not take it."""
        with self.lock:
            self.canaries += 1
            number = CANARIES + self.canaries
        task_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "%s/%d" % (self.run, number)))
        self.sql("INSERT INTO jobfleet.drill_intents (run, number, task_id, kind, n, door)"
                 " VALUES (%s, %s, %s, 'short', 1, 'confirmed') ON CONFLICT DO NOTHING",
                 self.run, number, task_id)
        kwargs = {"run": self.run, "root": task_id, "n": 1}
        try:
            with self.rabbit() as connection:
                channel = connection.channel()
                channel.confirm_delivery()
                channel.queue_declare(QUEUE, durable=True, arguments=ARGUMENTS)
                channel.basic_publish(
                    "", QUEUE, json.dumps([[], kwargs, {}]).encode(), pika.BasicProperties(
                        content_type="application/json", content_encoding="utf-8",
                        delivery_mode=2, correlation_id=task_id, priority=9,
                        headers={"task": "drill.short", "id": task_id}), mandatory=True)
        except (pika.exceptions.AMQPError, OSError):
            return None
        self.sql("UPDATE jobfleet.drill_intents SET answer = 'confirmed',"
                 " answered_at = clock_timestamp() WHERE run = %s AND number = %s", self.run,
                 number)
        return task_id

    def healthy(self, limit_s=HEALTH_LIMIT_S):
        """Waits until a canary has come back and the queue is short; False if it does not come."""
        deadline = time.monotonic() + limit_s
        task_id = None
        while time.monotonic() < deadline:
            if task_id is None:
                task_id = self.canary()
            elif self.one("SELECT count(*) FROM jobfleet.drill_effects WHERE root = %s"
                          " AND run = %s", task_id, self.run):
                try:
                    if self.ready() <= READY_MOST:
                        return True
                except (pika.exceptions.AMQPError, OSError):
                    pass
            time.sleep(0.03)
        return False

    def signal(self, pid, sig=signal.SIGKILL):
        return bool(pid) and kill(pid, sig)
