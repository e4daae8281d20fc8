# SPDX-License-Identifier: MIT
"""Figures of Celery's contract: canvas, events, latency, priorities, tasks with an ETA. The client
is Celery's in every run; what is compared is the worker."""

import heapq
import json
import os
import random
import subprocess
import threading
import time
import uuid
from statistics import median

import pika

import bed as beds
import bullmq
from bed import Celery, Ours, Trouble
from figures import NOOP, drain, in_turn, with_bullmq
from report import Aim, Figure

LIMIT_S = 600
WORK_MS = 5             # of a task at half load


def client(queue, ledger=False):
    """Signatures of adding and summing; the names say whether ours keep a ledger."""
    from celery_app import app      # needs the services' URLs
    return [app.tasks["echo." + name + ("" if ledger else "_loose")].signature().set(queue=queue)
            for name in ("add", "sum")]


def until(what, met, limit_s=LIMIT_S, every_s=0.002):
    deadline = time.monotonic() + limit_s
    while not met():
        if time.monotonic() > deadline:
            raise Trouble("%s: not within %d s" % (what, limit_s))
        time.sleep(every_s)


def with_worker(bed, kind, work, dispatcher=False, **options):
    """What work(queue, worker) measures with a warm worker."""
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.sql("TRUNCATE jobfleet.pending, jobfleet.joins")
    worker = kind(bed, queue, **options)
    relay = start_dispatcher(bed) if dispatcher and kind is Ours else None
    try:
        return work(queue, worker)
    finally:
        worker.stop()
        if relay:
            relay.terminate()
            relay.wait(30)
        bed.drop_queue(queue, must_be_empty=False)


def start_dispatcher(bed):
    log = open(os.path.join(bed.dir, "dispatcher.log"), "ab")
    return subprocess.Popen([bed.program("jobfleet-dispatcher"), "--hostname", "dispatcher@bench"],
                            stdout=log, stderr=log)


# ---- canvas ----

def result_of(bed, task_id):
    """Read from Redis: a get() of Celery's client asks for every parent, one by one."""
    key = "celery-task-meta-" + task_id
    until("the last result", lambda: bed.redis.get(key))
    return json.loads(bed.redis.get(key))["result"]


def chain_of(n, ledger=False):
    def work(queue, worker):
        from celery import chain
        add, _ = client(queue, ledger)
        steps = chain(add.clone(args=(1, 1)), *[add.clone(args=(1,)) for _ in range(n - 1)])
        add.clone(args=(1, 1)).apply_async().get(timeout=60)
        sent = steps.apply_async()
        began = time.perf_counter()     # Celery's client takes longer to build it than we to run it
        got = result_of(worker.bed, sent.id)
        took = time.perf_counter() - began
        if got != n + 1:
            raise Trouble("the chain says %r, not %d" % (got, n + 1))
        return {"rate": n / took}
    return work


def unrolled(n, body, ledger=False):
    """A task followed by a group of n, or by the chord of it: the worker publishes the members."""
    def work(queue, worker):
        from celery import group
        add, total = client(queue, ledger)
        first = add.clone(args=(1, 1))
        members = group([add.clone(args=(i,)) for i in range(n)])
        first.apply_async().get(timeout=60)
        there = worker.bed.redis.dbsize()
        sent = (first | members | total if body else first | members).apply_async()
        began = time.perf_counter()
        if body:
            got = result_of(worker.bed, sent.id)
            wanted = 2 * n + n * (n - 1) // 2
            if got != wanted:
                raise Trouble("the chord says %r, not %d" % (got, wanted))
        else:
            until("all members", lambda: worker.bed.redis.dbsize() >= there + n + 1)
        return {"rate": n / (time.perf_counter() - began)}
    return work


def canvas_figure(name, title, how, work_of, size):
    def make(bed, o):
        n = max(min(size, o.tasks // 5), 10)
        figure = Figure(name, title, "members/s", how % n + "; like Celery's without "
                        "a ledger, and with it (effects once, follow-ups in PostgreSQL first)")
        figure.aims = [Aim("jobfleet", "Celery", "rate", 4), Aim("ledger", "Celery", "rate", None)]
        figure.notes.append("BullMQ: a flow (for the group jobs added in bulk), from its addition to "
                            "the end; " + bullmq.versions())
        return in_turn(figure, min(o.pairs, 3), with_bullmq({
            "jobfleet": lambda: with_worker(bed, Ours, work_of(n, False)),
            "ledger": lambda: with_worker(bed, Ours, work_of(n, True)),
            "Celery": lambda: with_worker(bed, Celery, work_of(n, False))},
            lambda: bullmq.canvas(bed, name, n)))
    return make


# ---- events ----

def figure_events(bed, o):
    n = max(o.tasks // 2, 100)
    figure = Figure("events", "drain with task events off and on", "tasks/s",
                    "%d no-op tasks (Celery %d), nobody listens" % (n, n // 10))
    figure.aims = [Aim("jobfleet on", "jobfleet off", "rate", None),
                   Aim("jobfleet on", "Celery on", "rate", 4)]

    def sends(kind):
        return type("Sender", (kind,), {"events": True})

    return in_turn(figure, min(o.pairs, 2), {
        "jobfleet off": lambda: drain(bed, Ours, NOOP, n),
        "jobfleet on": lambda: drain(bed, sends(Ours), NOOP, n),
        "Celery off": lambda: drain(bed, Celery, NOOP, n // 10),
        "Celery on": lambda: drain(bed, sends(Celery), NOOP, n // 10)})


# ---- latency ----

class Stamps:
    """Publishes echo.stamp by a plain connection and reads from the results when each began."""

    def __init__(self, bed, queue):
        self.bed, self.queue = bed, queue
        self.connection = bed.rabbit()
        self.channel = self.connection.channel()
        self.sent = {}

    def send(self, work_ms=0, priority=0, note=True):
        task_id = str(uuid.uuid4())
        if note:
            self.sent[task_id] = time.time()
        self.channel.basic_publish(
            "", self.queue, json.dumps([[], {"work_ms": work_ms}, {}]), pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8", delivery_mode=2,
                correlation_id=task_id, reply_to="", priority=priority,
                headers={"lang": "py", "task": "echo.stamp", "id": task_id, "root_id": task_id,
                         "ignore_result": not note}))

    def began(self, task_id):
        meta = self.bed.redis.get("celery-task-meta-" + task_id)
        return json.loads(meta)["result"] if meta else None

    def waits(self, limit_s=120):
        """Milliseconds from publish to start of each noted one, sorted."""
        until("all stamps", lambda: all(self.began(i) for i in self.sent), limit_s, 0.05)
        return sorted((self.began(i) - at) * 1000 for i, at in self.sent.items())


def percentiles(ms):
    return {"ms": ms[len(ms) // 2], "p99": ms[min(len(ms) - 1, len(ms) * 99 // 100)]}


def idle_latency(n):
    def work(queue, worker):
        stamps = Stamps(worker.bed, queue)
        for _ in range(20):
            stamps.send(note=False)
        for _ in range(n):
            stamps.send()
            stamps.connection.sleep(0.01)
        return percentiles(stamps.waits())
    return work


def ideal_waits(arrivals, work_s, children):
    """Milliseconds until a free child, if a worker took no time of its own."""
    free, waits = [0.0] * children, []
    for at in sorted(arrivals):
        start = max(at, heapq.heappop(free))
        waits.append((start - at) * 1000)
        heapq.heappush(free, start + work_s)
    return sorted(waits)


def loaded_latency(n, rate):
    def work(queue, worker):
        rng, stamps = random.Random(7), Stamps(worker.bed, queue)
        due = time.monotonic()
        for _ in range(n):
            due += rng.expovariate(rate)
            while time.monotonic() < due:
                stamps.connection.sleep(max(0, due - time.monotonic()))
            stamps.send(work_ms=WORK_MS)
        ideal = percentiles(ideal_waits(stamps.sent.values(), WORK_MS / 1000, worker.children))
        return dict(percentiles(stamps.waits()), ideal=ideal["ms"], ideal_p99=ideal["p99"])
    return work


def bare_latency(bed, n):
    """To a bare consumer: what client and broker take of the idle figure."""
    queue = bed.new_queue()
    bed.quiet_stores()
    consumer = subprocess.Popen([bed.program("bare"), "stamps", bed.bare_url, queue, str(n + 20),
                                 str(beds.PREFETCH)], stdout=subprocess.PIPE, text=True)
    try:
        if consumer.stdout.readline() != "READY\n":
            raise Trouble("bare stamps does not consume")
        stamps = Stamps(bed, queue)
        for i in range(20 + n):
            stamps.send(note=i >= 20)
            if i >= 20:
                stamps.connection.sleep(0.01)
        came = json.loads(consumer.stdout.readline())
        stamps.connection.close()
    finally:
        consumer.kill()
        consumer.wait()
    bed.drop_queue(queue, must_be_empty=False)
    return percentiles(sorted((came[i] - at) * 1000 for i, at in stamps.sent.items()))


def floor_note(figure):
    floor, ours, theirs = (median(figure.values(who, "ms")) for who in ("bare", "jobfleet", "Celery"))
    return ("client and broker take %.2f ms of it (bare), so that no worker's p50 can be under %.2f of "
            "Celery's here; above that ours adds %.2f ms and Celery %.2f ms"
            % (floor, floor / theirs, ours - floor, theirs - floor))


def queue_note(figure):
    """At half load most of the tail is the wait for a free child, which no worker can spare anyone."""
    ideal = median(figure.values("jobfleet", "ideal_p99"))
    ours, theirs = (median(figure.values(who, "p99")) for who in ("jobfleet", "Celery"))
    return ("p99 of the same arrivals with a worker that takes no time of its own: %.1f ms, the wait for "
            "one of two children to be free; so that Celery / jobfleet cannot pass %.2f; above that ours "
            "adds %.1f ms and Celery %.1f ms" % (ideal, theirs / ideal if ideal else 0, ours - ideal,
                                                 theirs - ideal))


def latency_figure(name, title, how, work, work_ms, rate):
    def make(bed, o):
        n = max(min(o.tasks // 100, 400) * (2 if work_ms else 1), 20)
        figure = Figure(name, title, "ms p50", how % n)
        figure.measure, figure.parts = "ms", ("p99",)
        figure.aims = [Aim("jobfleet", "Celery", "ms", 3, less=True),
                       Aim("jobfleet", "Celery", "p99", 3, less=True)]
        who = {"jobfleet": lambda: with_worker(bed, Ours, work(n)),
               "Celery": lambda: with_worker(bed, Celery, work(n))}
        if not work_ms:
            who["bare"] = lambda: bare_latency(bed, n)
            figure.notes.append(floor_note)
        else:
            figure.parts = ("p99", "ideal", "ideal_p99")
            figure.notes.append(queue_note)
        return in_turn(figure, min(o.pairs, 5), with_bullmq(
            who, lambda: bullmq.stamps(bed, n, work_ms, rate)))
    return make


def inversion(n, urgent):
    def work(queue, worker):
        stamps = Stamps(worker.bed, queue)
        for _ in range(n):
            stamps.send(work_ms=2, note=False)
        for _ in range(urgent):
            stamps.send(work_ms=0, priority=9)
            stamps.connection.sleep(0.1)
        return percentiles(stamps.waits())
    return work


def figure_inversion(bed, o):
    n = min(20000, o.tasks)
    figure = Figure("inversion", "wait of a priority 9 task behind priority 0", "ms p50",
                    "%d tasks of 2 ms wait, 30 urgent ones come one after the other" % n)
    figure.measure, figure.parts = "ms", ("p99",)
    figure.aims = [Aim("jobfleet", "Celery", "ms", 3, less=True)]
    return in_turn(figure, min(o.pairs, 2), {
        "jobfleet": lambda: with_worker(bed, Ours, inversion(n, 30)),
        "Celery": lambda: with_worker(bed, Celery, inversion(n, 30))})


# ---- ETA ----

def scheduled(n, minutes):
    """n tasks due over so many minutes; what the worker's memory does meanwhile."""
    def size(worker):
        return sum(beds.pss_kib(pid) for pid in beds.tree(worker.process.pid)) / 1024

    def publish(bed, queue):
        connection = bed.rabbit()
        channel, start, rng = connection.channel(), time.time(), random.Random(7)
        for _ in range(n):
            task_id = str(uuid.uuid4())
            due = start + 10 + rng.random() * minutes * 60
            channel.basic_publish("", queue, b"[[], {}, {}]", pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8", delivery_mode=2,
                correlation_id=task_id, headers={
                    "task": "echo.noop", "id": task_id, "ignore_result": True,
                    "eta": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(due))}))
        connection.close()

    def work(queue, worker):
        control = beds.Control(worker.bed, worker.node)
        at_rest = size(worker)
        feeder = threading.Thread(target=publish, args=(worker.bed, queue))
        feeder.start()
        peak, done, deadline = 0, 0, time.monotonic() + minutes * 60 + 120
        while done < n and time.monotonic() < deadline:
            time.sleep(1)
            peak = max(peak, size(worker))
            done = control.stats()["total"].get("echo.noop", 0)
        feeder.join()
        control.close()
        if done < n:
            raise Trouble("%d of %d done" % (done, n))
        return {"mib": peak - at_rest, "rest": at_rest}
    return work


def figure_eta(bed, o):
    n, minutes = min(o.eta_tasks, o.tasks * 2), o.eta_minutes
    figure = Figure("eta", "growth of a worker's memory with scheduled tasks", "MiB PSS",
                    "%d tasks with an ETA spread over %g minutes; the peak above the worker at rest"
                    % (n, minutes))
    figure.measure, figure.parts = "mib", ("rest",)
    figure.aims = [Aim("jobfleet", None, "mib", 1, less=True)]
    in_turn(figure, 1, {
        "jobfleet": lambda: with_worker(bed, Ours, scheduled(n, minutes), dispatcher=True)})
    return in_turn(figure, 1, {
        "Celery": lambda: with_worker(bed, Celery, scheduled(n, minutes))})


QUICK = ("chain", "chord", "latency", "latency-half")
FIGURES = {
    "events": figure_events,
    "chain": canvas_figure("chain", "a chain", "%d steps, from its publish to the last result", chain_of,
                           1000),
    "group": canvas_figure("group", "a group that a worker unrolls",
                           "a task, then %d members, from its publish until all results are there",
                           lambda n, ledger: unrolled(n, False, ledger), 10000),
    "chord": canvas_figure("chord", "a chord that a worker unrolls",
                           "a task, then %d members, then their sum, from its publish",
                           lambda n, ledger: unrolled(n, True, ledger), 10000),
    "latency": latency_figure("latency", "enqueue to start, idle",
                              "%d tasks, one every 10 ms", idle_latency, 0, 0),
    "latency-half": latency_figure("latency-half", "enqueue to start at half load",
                                   "%d tasks of 5 ms at 200 a second (2 children: 400), Poisson",
                                   lambda n: loaded_latency(n, 200), 5, 200),
    "inversion": figure_inversion,
    "eta": figure_eta,
}
