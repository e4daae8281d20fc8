# SPDX-License-Identifier: MIT
"""What the figures stand on: fresh queues, the two kinds of worker, and how they are measured.

A drain is timed from READY=1 (sent by both kinds when the broker has confirmed the consumer) to the
answer to a remote control `stats` that counts all tasks, asked ever more often towards the end (every
2 ms at last). Our worker counts a task when it is settled, Celery when it is started, so Celery's last
two tasks are on the house. Afterwards the worker is stopped and the queue must be empty, which it is
only if every message was acked. CPU is that of all the worker's processes in between."""

import contextlib
import glob
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import pika
import psycopg2
import redis

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIMIT_S = 300
TOOL_LIMIT_S = 900      # a million messages on a busy machine
ANSWER_S = 120          # a start or an answer on a machine that has much else to do
PREFETCH = 600
CONF = """\
fleet {
	shutdown = "60s"
	log_level = WARNING
	timing_lines = no
	events = %s
}
queue %s {
	program = "echo"
	concurrency = {%d, %d}
	prefetch = %d
}
"""


class Trouble(Exception):
    """A run that did not do what it should: no figure comes of it."""


class Absent(Exception):
    """A figure whose tool this machine lacks: left out by name."""


# ---- processes ----

def tree(root):
    """root and all below it."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                text = f.read()
        except OSError:
            continue
        parents[int(path.split("/")[2])] = int(text.rsplit(")", 1)[1].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_us(pids):
    """Time on a processor, all threads; to the nanosecond, unlike /proc/PID/stat."""
    total = 0
    for pid in pids:
        for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
            try:
                with open(path) as f:
                    total += int(f.read().split()[0])
            except OSError:
                continue
    return total / 1000


def pss_kib(pid, part="Pss"):
    """part: Pss, or Pss_Anon for what no other process could share."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            return int(re.search(r"^%s: +(\d+) kB" % part, f.read(), re.M).group(1))
    except (FileNotFoundError, ProcessLookupError):
        return 0        # it has ended meanwhile


# ---- the broker and the stores ----

class Bed:
    def __init__(self, bin_dir):
        self.bin = bin_dir
        self.broker = os.environ["JOBFLEET_BROKER_URL"]
        self.bare_url = re.sub("/%2[fF]$", "", self.broker)     # librabbitmq takes no %2F
        self.database = os.environ["JOBFLEET_DATABASE_URL"]
        self.redis = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
        self.dir = tempfile.mkdtemp()
        subprocess.run([self.program("jobfleet"), "migrate"], check=True,
                       stdout=subprocess.DEVNULL)
        self.connection = psycopg2.connect(self.database)
        self.connection.autocommit = True
        self.sql("CREATE TABLE IF NOT EXISTS public.effects (task_id text, pid int, note text,"
                 " at timestamptz DEFAULT clock_timestamp())")
        self.broker_pid = self.service_pid("rabbitmq")
        self.postgres_pid = self.service_pid("postgres")
        self.queues = 0

    def close(self):
        self.connection.close()

    def program(self, name):
        return os.path.join(self.bin, name)

    def sql(self, text):
        with self.connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else None

    def service_pid(self, name):
        done = subprocess.run([os.environ["JOBFLEET_SERVICES"], "status", "--dir",
                               os.environ["JOBFLEET_SERVICES_DIR"]], stdout=subprocess.PIPE,
                              text=True)
        return int(re.search(r"^%s .*pid (\d+)" % name, done.stdout, re.M).group(1))

    def new_queue(self):
        self.queues += 1
        return "bench%d" % self.queues

    def rabbit(self):
        return pika.BlockingConnection(pika.URLParameters(self.broker))

    def tool(self, *words):
        """One of the bench's C programs; what it measured."""
        try:
            done = subprocess.run([self.program(words[0]), *map(str, words[1:])],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=TOOL_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Trouble("%s: no end within %d s" % (words[0], TOOL_LIMIT_S)) from None
        if done.returncode:
            raise Trouble("%s: %s" % (words[0], done.stderr.strip()))
        return json.loads(done.stdout)

    def fill(self, queue, n, task, results=False, size=0):
        return self.tool("bare", "fill", self.bare_url, queue, n, task, size,
                         "results" if results else "")

    def drop_queue(self, queue, must_be_empty=True):
        connection = self.rabbit()
        channel = connection.channel()
        left = channel.queue_declare(queue, passive=True).method.message_count
        channel.queue_delete(queue)
        connection.close()
        if left and must_be_empty:
            raise Trouble("%d messages of %s were not acked" % (left, queue))
        return left

    def quiet_stores(self):
        """The same start for each run: empty tables, nothing left to write."""
        self.redis.flushdb()
        self.sql("TRUNCATE jobfleet.ledger, public.effects")
        self.sql("CHECKPOINT")


class Meter:
    """Processor time of the broker, of PostgreSQL and of programs of ours, from now on."""

    def __init__(self, bed, **programs):
        self.roots = dict(programs, broker=bed.broker_pid, postgres=bed.postgres_pid)
        self.before = self.now()

    def now(self):
        return {name: cpu_us(tree(pid)) for name, pid in self.roots.items()}

    def each(self, n):
        """{who: µs for each of n}"""
        return {name: (us - self.before[name]) / n for name, us in self.now().items()}


class Ready:
    """A NOTIFY_SOCKET; wait() gives the monotonic time of READY=1."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "ready-%s" % uuid.uuid4().hex[:8])
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(ANSWER_S)

    def wait(self, what):
        try:
            while b"READY=1" not in self.socket.recv(4096):
                continue
        except socket.timeout:
            raise Trouble("%s is not ready within %d s" % (what, ANSWER_S)) from None
        return time.monotonic()

    def close(self):
        self.socket.close()
        os.unlink(self.path)


class Control:
    """Celery's remote control, as far as `stats` of one node."""

    def __init__(self, bed, node):
        self.node, self.key = node, uuid.uuid4().hex
        self.connection = bed.rabbit()
        self.channel = self.connection.channel()
        self.channel.exchange_declare("reply.celery.pidbox", "direct")
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, "reply.celery.pidbox", self.key)
        self.channel.basic_consume(self.queue, self.take, auto_ack=True)

    def take(self, _channel, _method, _properties, body):
        self.answer = json.loads(body)[self.node]

    def stats(self):
        request = {"method": "stats", "arguments": {}, "destination": [self.node],
                   "pattern": None, "matcher": None, "ticket": self.key,
                   "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": self.key}}
        self.answer = None
        self.channel.basic_publish("celery.pidbox", "", json.dumps(request), pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8", headers={"clock": 1}))
        deadline = time.monotonic() + ANSWER_S
        while self.answer is None:
            self.connection.process_data_events(time_limit=1)
            if time.monotonic() > deadline:
                raise Trouble("%s does not answer stats" % self.node)
        return self.answer

    def wait_count(self, task, n, since):
        """Until n of the task are done; the monotonic time then."""
        while True:
            done = self.stats()["total"].get(task, 0)
            now = time.monotonic()
            if done >= n:
                return now
            if now - since > LIMIT_S:
                raise Trouble("%d of %d done in %d s" % (done, n, LIMIT_S))
            rest = (n - done) * (now - since) / done if done else 0.1
            time.sleep(min(0.25, max(0.002, rest / 2)))

    def close(self):
        self.connection.close()


# ---- workers ----

class Worker:
    """One worker process tree on one queue."""

    stop_limit_s, must_stop = 60, True
    bears_errors = False    # what it says of errors is no trouble; its counts are
    events = False      # task-* events from the start
    hung = False        # had to be killed: what it held came back to its queue

    def __init__(self, bed, queue, children=2):
        self.bed, self.queue, self.children = bed, queue, children
        self.node = "%s@bench" % queue
        ready = Ready(bed.dir)
        self.log = open(os.path.join(bed.dir, queue + ".log"), "w+")
        environment = dict(os.environ, NOTIFY_SOCKET=ready.path, **self.environment())
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log,
                                        env=environment)
        try:
            self.ready = ready.wait(self.name)
        except Trouble as trouble:
            self.process.kill()
            raise Trouble("%s\n%s" % (trouble, self.said())) from None
        ready.close()
        self.pids = tree(self.process.pid)
        self.cpu_at_ready = cpu_us(self.pids)

    def said(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def cpu(self):
        return cpu_us(tree(self.process.pid)) - self.cpu_at_ready

    def run_through(self, task, n):
        """Until n are done; (seconds, CPU µs each, the broker's CPU µs each)."""
        broker = tree(self.bed.broker_pid)
        broker_cpu = cpu_us(broker)
        control = Control(self.bed, self.node)
        end = control.wait_count(task, n, self.ready)
        cpu, broker_cpu = self.cpu(), cpu_us(broker) - broker_cpu
        control.close()
        return end - self.ready, cpu / n, broker_cpu / n

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(self.stop_limit_s)
        except subprocess.TimeoutExpired:
            for pid in tree(self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            self.hung = True
            if self.must_stop:
                raise Trouble("%s does not stop" % self.name) from None
        finally:
            said = self.said()
            self.log.close()
        if not self.bears_errors and re.search(r"\bERROR\b|Traceback", said):
            raise Trouble("%s said:\n%s" % (self.name, said))


class Ours(Worker):
    name = "jobfleet"

    def environment(self):
        path = os.path.join(self.bed.dir, self.queue + ".conf")
        with open(path, "w") as f:
            f.write(CONF % ("yes" if self.events else "no", self.queue, self.children,
                            self.children, PREFETCH))
        return {"JOBFLEET_CONFIG": path}

    def command(self):
        return [self.bed.program("jobfleet-echo"), "--hostname", self.node]

    def roles(self):
        """[(role, pid)]"""
        control = Control(self.bed, self.node)
        children = control.stats()["pool"]["processes"]
        control.close()
        roles = []
        for pid in tree(self.process.pid):
            if pid == self.process.pid:
                roles.append(("parent", pid))
            elif pid in children:
                roles.append(("child", pid))
            else:
                roles.append(("zygote" if len(tree(pid)) > 1 else "keeper", pid))
        return roles


class Celery(Worker):
    """Debian's, prefork, without the start-up rounds (mingle, gossip) it does not need alone."""
    name = "Celery"
    # told to stop right after its start it now and then hangs; that is no figure of ours
    stop_limit_s, must_stop = 15, False
    # it says ERROR of a child that takes more than 4 s to come up, as on a busy machine, and of others
    bears_errors = True

    def environment(self):
        return {"BENCH_QUEUE": self.queue, "BENCH_CONCURRENCY": str(self.children),
                "PYTHONDONTWRITEBYTECODE": "1"}

    @staticmethod
    def command_on(queue, children):
        return ["/usr/bin/python3", "-m", "celery", "--workdir", HERE, "-A", "celery_app",
                "worker", "-P", "prefork", "-c", str(children), "-l", "WARNING",
                "-n", queue + "@bench", "--without-gossip", "--without-mingle"]

    def command(self):
        return self.command_on(self.queue, self.children) + (["-E"] if self.events else [])

    def roles(self):
        return [("parent" if pid == self.process.pid else "child", pid)
                for pid in tree(self.process.pid)]
