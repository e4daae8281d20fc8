# SPDX-License-Identifier: MIT
"""What the scenarios of the running fleet share: the dispatcher and test workers
(tests/workers/echo) started, killed and started again, tasks enqueued by confirmed publishes, and
the exact accounting of what they left. Nothing here sleeps for luck: all waiting polls to a
deadline.

The effects table has no unique key and nobody but the tasks writes it: an effect that happened
twice stands in it twice."""

import faulthandler
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections import Counter

import pika
import psycopg2
import redis

from fleet_worker import LIMIT_S, Worker, kill, stat_of, wait_for  # noqa: F401

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
NAMESPACE = uuid.UUID("6f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a10")   # common/base/uuid.c
QUEUE = "echo"
NO_LEDGER = ("echo.mark_loose",)        # at least once: nothing but its effect tells that it ran
EFFECTS = ("CREATE TABLE IF NOT EXISTS public.effects (task_id text, pid int, note text,"
           " at timestamptz DEFAULT clock_timestamp())")
CONF = """\
fleet {
	shutdown = "60s"
	# kills at random may hit one task often
	start_budget = 50
	max_retries = 20
	%s
}
queue echo {
	program = "echo"
	concurrency = {2, 2}
}
task echo.mark {
	queue = "echo"
	retry_backoff = "200ms"
	retry_backoff_max = "1s"
}
task echo.mark_and_spawn {
	queue = "echo"
	retry_backoff = "200ms"
	retry_backoff_max = "1s"
}
task echo.mark_steps {
	queue = "echo"
	retry_backoff = "200ms"
	retry_backoff_max = "1s"
}
%s
"""

sys.stdout.reconfigure(line_buffering=True)
faulthandler.register(signal.SIGUSR2)      # shows where a run hangs


def seed():
    """Of this run's random instants; JOBFLEET_SEED repeats one."""
    value = int(os.environ.get("JOBFLEET_SEED") or random.SystemRandom().randrange(1 << 32))
    print("# seed %d (JOBFLEET_SEED=%d repeats it)" % (value, value))
    return random.Random(value)


class Fleet:
    opened = []                         # by the test that runs
    program, queue, queue_arguments, text = "echo", QUEUE, {"x-max-priority": 10}, CONF
    least = 2                           # children of a worker at rest

    def __init__(self, faults=False, workers=("one", "two"), fleet_conf="", conf="",
                 dispatcher=True, under=list):
        """under: makes of a program's words those that run it otherwise."""
        Fleet.opened.append(self)
        self.under = under
        self.dir, self.workers = tempfile.mkdtemp(), {}
        self.conf = os.path.join(self.dir, "queues.conf")
        self.write_conf(self.text % (fleet_conf, conf))
        self.connection = None
        self.expected = {}              # task id -> (task, n)
        self.sent = {}                  # task id -> (task, kwargs, ignore_result)
        self.ignored = set()            # ids that want no result
        subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet"), "migrate"],
                       check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, JOBFLEET_CONFIG=self.conf))
        self.sql(EFFECTS)
        self.forget_all()
        self.dispatcher = None
        if dispatcher:
            self.start_dispatcher()
        self.workers = {name: Worker(self, name, faults) for name in workers}
        self.lock = threading.Lock()
        self.tending = True
        self.tender = threading.Thread(target=self.tend, daemon=True)
        for worker in self.workers.values():
            worker.wait_ready()
        self.tender.start()

    def forget_all(self):
        """What an earlier test left."""
        self.sql("TRUNCATE effects, jobfleet.ledger, jobfleet.pending, jobfleet.steps,"
                 " jobfleet.starts, jobfleet.dead_letters, jobfleet.result_backlog")
        with self.rabbit() as connection:
            channel = connection.channel()
            channel.queue_declare(self.queue, durable=True, arguments=self.queue_arguments)
            channel.queue_purge(self.queue)

    def write_conf(self, text):
        with open(self.conf + ".new", "w") as f:
            f.write(text)
        os.replace(self.conf + ".new", self.conf)

    def start_dispatcher(self):
        with open(os.path.join(self.dir, "dispatcher.log"), "ab") as log:
            self.dispatcher = subprocess.Popen(
                self.under([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-dispatcher"),
                            "--hostname", "dispatcher@test"]), stdout=log, stderr=log,
                env=dict(os.environ, JOBFLEET_CONFIG=self.conf))

    def tend(self):
        """Starts again whatever ended."""
        while self.tending:
            with self.lock:
                for worker in self.workers.values():
                    worker.tend()
                if self.dispatcher and self.dispatcher.poll() is not None:
                    self.start_dispatcher()
            time.sleep(0.02)

    def close(self):
        self.tending = False
        self.tender.join()
        for worker in self.workers.values():
            if worker.process.poll() is None:
                worker.stop()
        if self.dispatcher:
            self.dispatcher.terminate()
            self.dispatcher.wait(LIMIT_S)
        self.workers = {}

    def kill_all(self):
        """After a failure."""
        self.tending = False
        for worker in self.workers.values():
            worker.process.kill()
        if self.dispatcher:
            self.dispatcher.kill()

    def logs(self):
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".log"):
                with open(os.path.join(self.dir, name), errors="replace") as f:
                    yield name, f.read()

    def services(self, *words):
        subprocess.run([os.environ["JOBFLEET_SERVICES"], *words], check=True,
                       timeout=LIMIT_S, stdout=subprocess.DEVNULL)

    # ---- stores ----

    def sql(self, text, *args):
        """Connects again when the connection is gone."""
        if self.connection is None or self.connection.closed:
            self.connection = psycopg2.connect(
                os.environ["JOBFLEET_DATABASE_URL"], connect_timeout=10,
                options="-c statement_timeout=20000")
            self.connection.autocommit = True
        try:
            with self.connection.cursor() as c:
                c.execute(text, args or None)
                return c.fetchall() if c.description else None
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.connection.close()
            raise

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def redis(self):
        return redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])

    def rabbit(self):
        return pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))

    def counts(self, queue=None):
        """Messages ready and unacked of a queue, as RabbitMQ counts them."""
        done = subprocess.run([os.environ["JOBFLEET_SERVICES"], "ctl", "list_queues", "--quiet",
                               "--formatter", "json", "name", "messages_ready",
                               "messages_unacknowledged"], check=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for row in json.loads(done.stdout):
            if row["name"] == (queue or self.queue):
                return row["messages_ready"], row["messages_unacknowledged"]
        return 0, 0

    # ---- enqueueing ----

    def mixture(self, n, rng, work_ms=40):
        """n tasks: (name, kwargs) each."""
        for _ in range(n):
            work = rng.randrange(work_ms + 1)
            yield rng.choices((("echo.mark", {"note": "mark", "work_ms": work}),
                               ("echo.mark_and_spawn", {"n": rng.randint(1, 3), "note": "mark"}),
                               ("echo.mark_steps", {"n": rng.randint(2, 3),
                                                    "work_ms": work // 2})),
                              (6, 2, 2))[0]

    def enqueue(self, tasks, ignore_result=False, **options):
        """Publishes each task until the broker confirmed it; returns their ids."""
        return self.publish(self.sign(tasks, ignore_result), **options)

    def sign(self, tasks, ignore_result):
        for name, kwargs in tasks:
            task_id = str(uuid.uuid4())
            self.sent[task_id] = (name, kwargs, ignore_result)
            self.expected[task_id] = (name, kwargs.get("n", 1))
            if ignore_result:
                self.ignored.add(task_id)
            yield task_id

    def publish(self, ids, pause_s=0, priority=None):
        """Also a second time. A repeat for want of a confirm has the same id, too."""
        connection = channel = None
        done = []
        for task_id in ids:
            name, kwargs, ignore_result = self.sent[task_id]
            deadline = time.monotonic() + LIMIT_S
            while True:
                try:
                    if channel is None:
                        connection = self.rabbit()
                        channel = connection.channel()
                        channel.confirm_delivery()
                        channel.queue_declare(self.queue, durable=True,
                                              arguments=self.queue_arguments)
                    channel.basic_publish(
                        "", self.queue, json.dumps([[], kwargs, {}]).encode(), pika.BasicProperties(
                            content_type="application/json", content_encoding="utf-8",
                            delivery_mode=2, correlation_id=task_id, priority=priority,
                            headers={"task": name, "id": task_id, "ignore_result": ignore_result}),
                        mandatory=True)
                    break
                except (pika.exceptions.AMQPError, OSError):
                    channel = None
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            done.append(task_id)
            if pause_s:
                time.sleep(pause_s)     # the pace of the load, no waiting
        if connection and connection.is_open:
            connection.close()
        return done

    def enqueue_beside(self, tasks, **options):
        """The same in a thread; join it."""
        thread = Feeder(lambda: self.enqueue(tasks, **options))
        thread.start()
        return thread

    # ---- accounting ----

    def done(self):
        return self.one("SELECT count(*) FROM jobfleet.ledger WHERE final")

    def wanted_effects(self):
        """Every (task id, note) that must stand in the effects once, from what was enqueued and
        the attempt that each ledger row names: a follow-up's id is made of its parent's attempt."""
        attempts = dict(self.sql("SELECT task_id, retries FROM jobfleet.ledger WHERE final"))
        wanted, spawned = Counter(), []
        for task_id, (name, n) in list(self.expected.items()):
            if name == "echo.mark_steps":
                for i in range(n):
                    wanted[task_id, "step %d" % (i + 1)] += 1
                continue
            wanted[task_id, "mark"] += 1
            if name == "echo.mark_and_spawn":
                for i in range(n):
                    place = "%s/0/0/%d//%d" % (task_id, attempts.get(task_id, 0), i)
                    child = str(uuid.uuid5(NAMESPACE, place))
                    wanted[child, "child"] += 1
                    spawned.append(child)
        return wanted, spawned

    def settled(self):
        """All that was enqueued, and what it enqueued, has its final row and nothing waits."""
        _, spawned = self.wanted_effects()
        loose = [i for i, (name, _) in list(self.expected.items()) if name in NO_LEDGER]
        ids = [i for i in list(self.expected) + spawned if i not in set(loose)]
        final = self.one("SELECT count(*) FROM jobfleet.ledger WHERE final AND task_id = ANY(%s)",
                         ids)
        dead = self.one("SELECT count(*) FROM jobfleet.dead_letters")
        pending = self.one("SELECT count(*) FROM jobfleet.pending")
        backlog = self.one("SELECT count(*) FROM jobfleet.result_backlog")
        marked = self.one("SELECT count(DISTINCT task_id) FROM effects WHERE task_id = ANY(%s)",
                          loose)
        self.progress = "%d of %d final, %d of %d marked, %d dead, %d pending, %d results" % (
            final, len(ids), marked, len(loose), dead, pending, backlog)
        return dead or (final == len(ids) and marked == len(loose) and not pending and not backlog)

    def check(self, results_since=None, limit_s=LIMIT_S):
        """Waits for the end of all that was enqueued, then counts: nothing missing, nothing twice,
        nothing unexpected, nothing left anywhere. Results settled after results_since (PostgreSQL's
        clock) must be in Redis."""
        try:
            wait_for("everything is settled", self.settled, limit_s, 0.1)
        except AssertionError as problem:
            raise AssertionError("%s: %s\n%s" % (problem, getattr(self, "progress", ""),
                                                 self.unfinished())) from None
        dead = self.sql("SELECT task_id, task, cause, reason FROM jobfleet.dead_letters")
        assert not dead, dead
        wanted, spawned = self.wanted_effects()
        found = Counter(self.sql("SELECT task_id, note FROM effects"))
        missing, extra = wanted - found, found - wanted
        assert not missing and not extra, "missing %s, unexpected or twice %s" % (
            dict(missing.most_common(5)), dict(extra.most_common(5)))
        self.check_results(list(self.expected) + spawned, results_since)
        wait_for("nothing is ready or unacked", lambda: self.counts() == (0, 0), 20, 0.1)
        print("# %d tasks, %d follow-ups, %d effects" % (len(self.expected), len(spawned),
                                                        sum(found.values())))

    def check_results(self, ids, since):
        rows = self.sql("SELECT task_id FROM jobfleet.ledger WHERE final AND task_id = ANY(%s)"
                        " AND settled_at >= coalesce(%s, '-infinity'::timestamptz)", ids, since)
        wanting = [row[0] for row in rows if row[0] not in self.ignored]
        keys = ["celery-task-meta-" + task_id for task_id in wanting]

        def wrong():
            states = [json.loads(meta)["status"] if meta else None
                      for meta in (self.redis().mget(keys) if keys else [])]
            return [(i, s) for i, s in zip(wanting, states) if s != "SUCCESS"]

        wait_for("results", lambda: not wrong(), 10, 0.1)

    def unfinished(self):
        """For a failure's text."""
        rows = self.sql("SELECT p.task_id, p.kind, p.state, p.due, p.claimed_until, p.reason"
                        " FROM jobfleet.pending p LIMIT 5")
        left = [i for i in self.expected if not self.one(
            "SELECT count(*) FROM jobfleet.ledger WHERE final AND task_id = %s", i)]
        if os.environ.get("JOBFLEET_KEEP"):
            print("\n".join("export %s=%s" % x for x in os.environ.items()
                            if x[0].startswith("JOBFLEET_")))
        return "pending: %s\nunfinished: %s of %d\nqueue: %s\nbacklog: %s" % (
            rows, left[:5], len(left), self.counts(),
            self.sql("SELECT task_id, meta FROM jobfleet.result_backlog LIMIT 2"))

    # ---- named points ----

    def arm(self, point, sig=""):
        """Restarts the workers with an order for this point; returns the order's file. sig: KILL by
        default; STOP freezes whoever gets there, and it is written to the file's place + .pid."""
        path = os.path.join(self.dir, "order-" + point)
        with self.lock:
            for worker in self.workers.values():
                worker.stop()
                worker.order = "%s:%s" % (point, path)
                worker.start()
        for worker in self.workers.values():
            worker.wait_ready()
        self.order_again(path, sig)
        return path

    def order_again(self, path, sig=""):
        with open(path + ".new", "w") as f:
            f.write(sig)
        os.rename(path + ".new", path)

    def carried_out(self, path, limit_s=LIMIT_S):
        wait_for("somebody reaches %s" % os.path.basename(path),
                 lambda: not os.path.exists(path), limit_s)

    def stopped(self):
        """Whoever is frozen."""
        for worker in self.workers.values():
            for pid in [worker.process.pid] + worker.family():
                state = stat_of(pid)
                if state and state[0] == "T":
                    return pid
        return None


class Feeder(threading.Thread):
    """A thread whose failure its joiner gets."""

    def __init__(self, what):
        super().__init__(daemon=True)
        self.what, self.problem = what, None

    def run(self):
        try:
            self.what()
        except Exception as problem:
            self.problem = problem

    def join(self, timeout=LIMIT_S):
        super().join(timeout)
        if self.is_alive():
            raise AssertionError("the enqueueing does not end")
        if self.problem:
            raise self.problem


def run(*tests):
    """Each test is a function; its name is the sentence. The fleets it opens are closed by it;
    after a failure they are killed and their logs shown. On the command line: parts of the names
    of those to run."""
    failed = 0
    for test in tests:
        if sys.argv[1:] and not any(word in test.__name__ for word in sys.argv[1:]):
            continue
        name = test.__name__.replace("_", " ")
        started = time.monotonic()
        Fleet.opened = []
        try:
            test()
            print("ok %s (%.1f s)" % (name, time.monotonic() - started))
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("not ok", name)
            failed += 1
            for fleet in Fleet.opened:
                fleet.kill_all()
                for log, text in fleet.logs():
                    print("---- %s\n%s" % (log, text[-4000:]))
                if os.environ.get("JOBFLEET_KEEP"):     # to look into it by hand
                    sys.stdin.readline()
    sys.exit(1 if failed else 0)
