# SPDX-License-Identifier: MIT
"""What a task costs over the size of what is there: a backlog in the broker, tasks that are scheduled,
children, rows in the ledger. Costs are per task, so that a flat line is what is wished for."""

import os
import subprocess
import time
import uuid

import pika

import bed as beds
import contract
import figures
from bed import Celery, Ours
from curve import Curve
from report import Aim

SIZES = (1000, 10000, 100000, 1000000)
ROWS = (10000, 100000, 1000000)
CHILDREN = (1, 2, 5, 20, 50, 100, 200)
CELERY_CHILDREN = 20            # 23 MiB each
MOST = 5000
FAR = "now() + interval '1 day'"
# by the index of what is due: to count a million rows would take more than to park a task
PARKED = "SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting' AND due > '2098-01-01'"


def sizes(o, all_):
    """--tasks bounds them: a quick run does not make a million."""
    return [n for n in all_ if n <= o.tasks * 20] or all_[:1]


def pairs(o):
    return min(o.pairs, 2)


def pss_mib(worker):
    return sum(beds.pss_kib(pid) for pid in beds.tree(worker.process.pid)) / 1024


# ---- backlog ----

def drain_part(bed, kind, queue, n):
    """(µs a task, of which on a processor, MiB) of the first n tasks of a queue that holds more."""
    worker = kind(bed, queue)
    try:
        seconds, cpu, broker = worker.run_through(figures.NOOP, n)
        return seconds * 1e6 / n, {"worker": cpu, "broker": broker}, pss_mib(worker)
    finally:
        worker.stop()


def bare_part(bed, queue, n):
    meter = beds.Meter(bed)
    got = bed.tool("bare", "drain", bed.bare_url, queue, n, beds.PREFETCH)
    return got["seconds"] * 1e6 / n, {"worker": got["cpu_us"], "broker": meter.each(n)["broker"]}


def growth_note(memory):
    """PSS over the backlog: what each 1,000 of it cost a worker."""
    words = []
    for who, at in memory.items():
        low, high = min(at), max(at)
        each = (at[high] - at[low]) * 1024 / max(1, (high - low) / 1000)
        words.append("%s %.1f MiB at %d, %.1f MiB at %d: %.2f KiB each 1,000 queued"
                     % (who, at[low], low, at[high], high, each))
    return "memory: " + "; ".join(words)


def figure_backlog(bed, o):
    few = MOST // 5
    curve = Curve("curve-backlog", "a task's cost over the backlog behind it", "waiting", "µs each",
                  "the first %d no-op tasks (Celery %d) of a queue in which so many stand behind them"
                  % (MOST, few))
    curve.aims = [Aim("jobfleet", "bare", None, 0.85, less=True)]
    memory = {"jobfleet": {}, "Celery": {}}
    for size in sizes(o, SIZES):
        queue = bed.new_queue()
        bed.quiet_stores()
        bed.fill(queue, size, figures.NOOP)
        for _ in range(pairs(o)):
            bed.fill(queue, MOST, figures.NOOP)
            *cost, memory["jobfleet"][size] = drain_part(bed, Ours, queue, MOST)
            curve.add("jobfleet", size, *cost)
            bed.fill(queue, MOST, figures.NOOP)
            curve.add("bare", size, *bare_part(bed, queue, MOST))
            bed.fill(queue, few, figures.NOOP)
            *cost, memory["Celery"][size] = drain_part(bed, Celery, queue, few)
            curve.add("Celery", size, *cost)
        bed.drop_queue(queue, must_be_empty=False)
    curve.notes.append(growth_note(memory))
    return curve


# ---- scheduled ----

COPIES = """
INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due)
SELECT id, 'enqueued', 'echo.noop', '%s', jsonb_build_object('lang', 'c', 'task', 'echo.noop', 'id', id,
	'root_id', id, 'ignore_result', true), '[[], {}, {}]', %s
FROM (SELECT gen_random_uuid()::text AS id FROM generate_series(1, %d)) made
"""


def park(bed, worker, n):
    """Tasks with an ETA past eta_hold through the worker into PostgreSQL; µs each, by processor."""
    meter = beds.Meter(bed, worker=worker.process.pid)
    connection = bed.rabbit()
    channel = connection.channel()
    there = bed.sql(PARKED)[0][0]
    began = time.monotonic()
    for _ in range(n):
        task_id = str(uuid.uuid4())
        channel.basic_publish("", worker.queue, b"[[], {}, {}]", pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8", delivery_mode=2,
            correlation_id=task_id, headers={
                "task": figures.NOOP, "id": task_id, "ignore_result": True,
                "eta": "2099-01-01T00:00:00+00:00"}))
    contract.until("parked", lambda: bed.sql(PARKED)[0][0] >= there + n, every_s=0.01)
    took = (time.monotonic() - began) * 1e6 / n
    connection.close()
    return took, meter.each(n)


def relay(bed, worker, dispatcher, done, n):
    """Due tasks from PostgreSQL through the broker to their end; µs each, by processor."""
    meter = beds.Meter(bed, worker=worker.process.pid, dispatcher=dispatcher.pid)
    began = time.monotonic()
    bed.sql(COPIES % (worker.queue, "now()", n))
    bed.sql("NOTIFY jobfleet_pending")
    control = beds.Control(bed, worker.node)
    end = control.wait_count(figures.NOOP, done + n, began)
    control.close()
    return (end - began) * 1e6 / n, meter.each(n)


def figure_scheduled(bed, o):
    few = max(min(o.tasks // 10, 2000), 100)
    curve = Curve("curve-scheduled", "parking and relaying a task over the number scheduled",
                  "scheduled", "µs each", "%d tasks each, beside so many that are due in a day; "
                  "relay: from the row to the task's end" % few)
    memory = {"worker": {}, "dispatcher": {}}
    for size in sizes(o, SIZES):
        queue = bed.new_queue()
        bed.quiet_stores()
        bed.sql("TRUNCATE jobfleet.pending")
        for at in range(0, size, 100000):
            bed.sql(COPIES % (queue, FAR, min(100000, size - at)))
        bed.sql("ANALYZE jobfleet.pending")
        worker, dispatcher = Ours(bed, queue), contract.start_dispatcher(bed)
        try:
            relay(bed, worker, dispatcher, 0, 10)
            for pair in range(pairs(o)):
                curve.add("park", size, *park(bed, worker, few))
                curve.add("relay", size, *relay(bed, worker, dispatcher, 10 + pair * few, few))
            memory["worker"][size] = pss_mib(worker)
            memory["dispatcher"][size] = beds.pss_kib(dispatcher.pid) / 1024
        finally:
            dispatcher.terminate()
            dispatcher.wait(30)
            worker.stop()
        bed.drop_queue(queue, must_be_empty=False)
    bed.sql("TRUNCATE jobfleet.pending")
    curve.notes.append(growth_note(memory).replace("queued", "scheduled"))
    return curve


# ---- children ----

def with_children(bed, kind, children, n):
    """{measure: value} with so many, and the processor time behind the rate."""
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.fill(queue, n, figures.NOOP, True)
    worker = kind(bed, queue, children)
    try:
        seconds, cpu, broker = worker.run_through(figures.NOOP, n)
        time.sleep(figures.REST_S)
        return {"MiB": pss_mib(worker), "rate": n / seconds,
                "ms": (worker.ready - worker.started) * 1000,
                "parts": {"by the clock": seconds * 1e6 / n, "worker": cpu, "broker": broker}}
    finally:
        worker.stop()
        bed.drop_queue(queue, must_be_empty=False)


def children_samples(bed, o, n):
    """[(who, children, what with_children gives)], measured once for both figures."""
    if not hasattr(bed, "children_samples"):
        counts = [c for c in CHILDREN if not o.quick or c in (1, 5, 50)]
        bed.children_samples = []
        for _ in range(pairs(o)):
            for children in counts:
                for kind, tasks in ((Ours, n), (Celery, n // 5)):
                    if kind is Ours or children <= CELERY_CHILDREN:
                        bed.children_samples.append(
                            (kind.name, children, with_children(bed, kind, children, tasks)))
    return bed.children_samples


def children_figure(name, title, measure, unit):
    def make(bed, o):
        n = max(o.tasks // 8, 500)
        curve = Curve(name, title, "children", unit, "%d no-op tasks with results (Celery %d, up to "
                      "%d children)" % (n, n // 5, CELERY_CHILDREN))
        curve.aims = [Aim("jobfleet", "Celery", None, None, less=measure != "rate")]
        for who, children, got in children_samples(bed, o, n):
            curve.add(who, children, got[measure], got["parts"] if measure == "rate" else None)
        if measure == "MiB":
            curve.notes.append(each_child)
        return curve
    return make


def each_child(curve):
    words = []
    for who in curve.samples:
        (a, low), (b, high) = curve.points(who)[0], curve.points(who)[-1]
        words.append("%s %.2f MiB each" % (who, (high - low) / max(1, b - a)))
    return "a further child: " + ", ".join(words)


# ---- rows in the ledger ----

OLD = """
INSERT INTO jobfleet.ledger (task_id, generation, nesting, retries, outcome, final, task, queue,
	follow_ups, node, started_at, settled_at)
SELECT gen_random_uuid()::text, 0, 0, 0, 'success', true, 'echo.noop_ledger', 'bench', 0, 'old@bench',
	at, at FROM (SELECT now() - n * interval '0.5 s' AS at FROM generate_series(1, %d) n) made
"""


def pgbench_cost(bed, script, n):
    meter = beds.Meter(bed)
    done = subprocess.run(["pgbench", "-n", "-c", str(figures.CLIENTS), "-j", str(figures.CLIENTS),
                           "-t", str(n // figures.CLIENTS), "-f", script, bed.database],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    rates = [float(l.split()[2]) for l in done.stdout.splitlines() if l.startswith("tps = ")]
    if done.returncode or not rates:
        raise beds.Trouble("pgbench: " + done.stdout)
    return 1e6 / rates[0], {"postgres": meter.each(n)["postgres"]}


def ledger_cost(bed, n):
    queue = bed.new_queue()
    bed.fill(queue, n, figures.LEDGER)
    worker = Ours(bed, queue)
    meter = beds.Meter(bed, worker=worker.process.pid)
    try:
        seconds, _, _ = worker.run_through(figures.LEDGER, n)
        parts = meter.each(n)
    finally:
        worker.stop()
    bed.drop_queue(queue)
    return seconds * 1e6 / n, parts


def figure_ledger_rows(bed, o):
    n = max(min(o.tasks // 10, MOST), 500)
    curve = Curve("curve-ledger", "a task with a ledger over the rows there", "rows", "µs each",
                  "%d tasks; pgbench -c %d inserts the same row into the same table"
                  % (n, figures.CLIENTS))
    curve.aims = [Aim("jobfleet", "pgbench", None, 0.6, less=True)]
    script = os.path.join(bed.dir, "rows.sql")
    with open(script, "w") as f:
        f.write(figures.PGBENCH)
    bed.quiet_stores()
    there = 0
    for size in sizes(o, ROWS):
        bed.sql(OLD % (size - there))
        there = size
        bed.sql("ANALYZE jobfleet.ledger")
        bed.sql("CHECKPOINT")
        for _ in range(pairs(o)):
            curve.add("jobfleet", size, *ledger_cost(bed, n))
            curve.add("pgbench", size, *pgbench_cost(bed, script, n))
    bed.quiet_stores()
    return curve


FIGURES = {
    "curve-backlog": figure_backlog,
    "curve-scheduled": figure_scheduled,
    "children-memory": children_figure("children-memory", "memory over the number of children",
                                       "MiB", "MiB PSS"),
    "children-rate": children_figure("children-rate", "drain with results over the number of "
                                     "children", "rate", "tasks/s"),
    "curve-ledger": figure_ledger_rows,
}
QUICK = ("curve-backlog", "curve-scheduled", "curve-ledger")
