# SPDX-License-Identifier: MIT
"""The figures. Each is a function of the bed and the options that returns a report.Figure; who is
compared runs in turn, the order turned round from pair to pair, every run on a fresh queue."""

import os
import resource
import subprocess
import sys
import time
from statistics import median

import bed as beds
import bullmq
from bed import Celery, Ours, Trouble
from report import Aim, Figure

NOOP, LEDGER, MARK = "echo.noop", "echo.noop_ledger", "echo.mark"
YARDSTICKS = ("Celery", "Celery on", "Celery off", "BullMQ", "bare", "pgbench", "prepared")
CLIENTS = 2                     # of pgbench, as many as children
PSS_TASKS = 5000
REST_S = 1                      # memory is that of a worker at rest
TRIPS_WARM_UP = 20

# The row that a successful task without a result leaves, as common/store/ledger.c writes it.
PGBENCH = """\
INSERT INTO jobfleet.ledger (task_id, generation, nesting, retries, outcome, final, task, queue,
 meta, cause, follow_ups, node, started_at)
 VALUES (gen_random_uuid()::text, 0, 0, 0, 'success', true, 'echo.noop_ledger', 'bench', NULL,
 NULL, 0, 'bench@bench', now() - 1::bigint * interval '1 ms');
"""


def in_turn(figure, pairs, contenders):
    """contenders: {name: function that returns {measure: value}}"""
    names = list(contenders)
    for pair in range(pairs):
        for name in names if pair % 2 == 0 else reversed(names):
            if sys.stderr.isatty():
                print("  %s: pair %d of %d: %s   " % (figure.name, pair + 1, pairs, name),
                      end="\r", file=sys.stderr, flush=True)
            sample = once_more(figure, name, contenders[name])
            if sample:
                figure.add(name, sample)
    if sys.stderr.isatty():
        print(" " * 78, end="\r", file=sys.stderr)
    return figure


def once_more(figure, name, run):
    """What the run measures, at the second attempt if the first goes wrong. That one of ours did is
    told as a trouble; a yardstick's is a note. BullMQ is left out when it fails twice."""
    if name in figure.given_up:
        return None
    try:
        return run()
    except Trouble as trouble:
        words = "%s, made once more: %s" % (name, str(trouble).splitlines()[0])
        (figure.notes if name in YARDSTICKS else figure.troubles).append(words)
    try:
        return run()
    except Trouble as trouble:
        if name != "BullMQ":
            raise
        figure.given_up.add(name)
        figure.notes.append("BullMQ given up: " + str(trouble).splitlines()[0])
    return None


def with_bullmq(contenders, measure):
    """The contenders, and BullMQ where it is installed."""
    return contenders if bullmq.why_absent() else dict(contenders, BullMQ=measure)


def shared_cores(figure):
    """What broker and worker take together bounds every rate on few cores."""
    cores, words = os.cpu_count(), []
    for who in figure.samples:
        cpu, broker = figure.values(who, "cpu"), figure.values(who, "broker")
        if cpu and broker:
            each = median(cpu) + median(broker)
            words.append("%s %.0f" % (who, each))
    bare, celery = figure.values("bare", "rate"), figure.values("Celery", "rate")
    most = median(a / b for a, b in zip(bare, celery)) if bare and celery else 0
    return ("worker and broker together, µs a task: %s, on %d cores; the bare consumer, which does "
            "nothing with a task, drains %.2f times Celery, and that bounds what any worker can reach"
            % (", ".join(words), cores, most))


def drain(bed, kind, task, n, results=False, size=0, children=2):
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.fill(queue, n, task, results, size)
    worker = kind(bed, queue, children)
    try:
        seconds, cpu, broker = worker.run_through(task, n)
    finally:
        worker.stop()
    bed.drop_queue(queue, must_be_empty=not worker.hung)
    stored = bed.redis.dbsize()
    if results and stored < n and not worker.hung:
        raise Trouble("%d of %d results are in Redis" % (stored, n))
    rows = bed.sql("SELECT count(*) FROM jobfleet.ledger")[0][0]
    if rows != (n if task == LEDGER else 0):
        raise Trouble("%d ledger rows of %d tasks" % (rows, n))
    return {"rate": n / seconds, "cpu": cpu, "broker": broker}


def drain_bare(bed, task, n, size=0):
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.fill(queue, n, task, size=size)
    broker = beds.tree(bed.broker_pid)
    before = beds.cpu_us(broker)
    got = bed.tool("bare", "drain", bed.bare_url, queue, n, beds.PREFETCH)
    after = beds.cpu_us(broker)
    bed.drop_queue(queue)
    return {"rate": n / got["seconds"], "cpu": got["cpu_us"], "broker": (after - before) / n}


def figure_drain(bed, o):
    n, few = o.tasks, max(o.tasks // 16, 100)
    figure = Figure("drain", "drain of a prefilled queue, ledger off, no results", "tasks/s", "%d "
                    "no-op tasks (Celery %d), persistent, late acks, 2 children, prefetch %d"
                    % (n, few, beds.PREFETCH))
    figure.aims = [Aim("jobfleet", "bare", "rate", 0.85), Aim("jobfleet", "Celery", "rate", 5)]
    figure.notes.append(shared_cores)
    return in_turn(figure, o.pairs, {
        "jobfleet": lambda: drain(bed, Ours, NOOP, n),
        "bare": lambda: drain_bare(bed, NOOP, n),
        "Celery": lambda: drain(bed, Celery, NOOP, few)})


def figure_results(bed, o):
    n, few = o.tasks, max(o.tasks // 16, 100)
    figure = Figure("results", "the same with results in Redis", "tasks/s",
                    "%d no-op tasks (Celery %d)" % (n, few))
    figure.aims = [Aim("jobfleet", "Celery", "rate", 6)]
    return in_turn(figure, o.pairs, {
        "jobfleet": lambda: drain(bed, Ours, NOOP, n, True),
        "Celery": lambda: drain(bed, Celery, NOOP, few, True)})


def pgbench(bed, n, mode):
    script = os.path.join(bed.dir, "ledger.sql")
    with open(script, "w") as f:
        f.write(PGBENCH)
    bed.quiet_stores()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["pgbench", "-n", "-M", mode, "-c", str(CLIENTS), "-j",
                           str(CLIENTS), "-t", str(n // CLIENTS), "-f", script, bed.database],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rates = [float(line.split()[2]) for line in done.stdout.splitlines()
             if line.startswith("tps = ")]
    if done.returncode or not rates:
        raise Trouble("pgbench: " + done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rate": rates[0], "cpu": cpu * 1e6 / n}


def figure_ledger(bed, o):
    n = max(o.tasks // 5, 100)
    figure = Figure("ledger", "the same with the ledger on", "tasks/s", "%d tasks, one row each, "
                    "fsync on; pgbench -c %d inserts the same row; prepared: with -M prepared, "
                    "which ours may not use (pgbouncer)" % (n, CLIENTS))
    figure.aims = [Aim("jobfleet", "pgbench", "rate", 0.6),
                   Aim("jobfleet", "prepared", "rate", None)]
    return in_turn(figure, o.pairs, {
        "jobfleet": lambda: drain(bed, Ours, LEDGER, n),
        "pgbench": lambda: pgbench(bed, n, "simple"),
        "prepared": lambda: pgbench(bed, n, "prepared")})


def publish(bed, n, size, *words):
    queue = bed.new_queue()
    broker = beds.tree(bed.broker_pid)
    before = beds.cpu_us(broker)
    got = bed.tool(*words, bed.bare_url, queue, n, NOOP, size)
    after = beds.cpu_us(broker)
    if bed.drop_queue(queue, must_be_empty=False) != n:
        raise Trouble("not all of %d messages are in the queue" % n)
    return {"rate": n / got["seconds"], "cpu": got["cpu_us"], "broker": (after - before) / n}


def figure_enqueue(bed, o):
    figure = Figure("enqueue", "confirmed enqueue", "messages/s", "%d messages, persistent, window "
                    "256; ours makes each anew, the bare one changes ids in one template" % o.tasks)
    figure.aims = [Aim("jobfleet", "bare", "rate", 0.95)]
    return in_turn(figure, o.pairs, {
        "jobfleet": lambda: publish(bed, o.tasks, 0, "enqueue"),
        "bare": lambda: publish(bed, o.tasks, 0, "bare", "fill")})


def memory(bed, kind, children, n):
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.fill(queue, n, MARK, True)
    worker = kind(bed, queue, children)
    try:
        worker.run_through(MARK, n)
        time.sleep(REST_S)
        found, anon = {}, 0
        for role, pid in worker.roles():
            found.setdefault(role, []).append(beds.pss_kib(pid) / 1024)
            anon += beds.pss_kib(pid, "Pss_Anon") / 1024
    finally:
        worker.stop()
    bed.drop_queue(queue, must_be_empty=not worker.hung)
    rows = bed.sql("SELECT count(*) FROM public.effects")[0][0]
    if not worker.hung and (rows != n or bed.redis.dbsize() < n):
        raise Trouble("%d effects and %d results of %d tasks" % (rows, bed.redis.dbsize(), n))
    each = {role: sum(sizes) / len(sizes) for role, sizes in found.items()}
    return dict(each, pss=sum(map(sum, found.values())), anon=anon)


def figure_memory(children, aim):
    def make(bed, o):
        n = min(o.tasks, PSS_TASKS)
        figure = Figure("memory-%d" % children, "memory with %d children" % children, "MiB PSS",
                        "at rest after %d tasks that each wrote a row in PostgreSQL and a result "
                        "in Redis" % n)
        figure.measure, figure.parts = "pss", ("parent", "zygote", "keeper", "child", "anon")
        figure.aims = [Aim("jobfleet", "Celery", "pss", aim, less=True)]
        figure.notes.append("anon: what no other process could share; the rest are pages of files, of "
                            "which each process that maps them bears a part: alone on a machine a "
                            "worker bears its libraries whole, beside other fleets only a share")
        figure.notes.append("BullMQ: %s; its jobs write no row" % bullmq.versions())
        return in_turn(figure, min(o.pairs, 2), with_bullmq({
            "jobfleet": lambda: memory(bed, Ours, children, n),
            "Celery": lambda: memory(bed, Celery, children, n)},
            lambda: bullmq.memory(bed, children, n)))
    return make


def start(bed, kind):
    queue = bed.new_queue()
    worker = kind(bed, queue)
    took = {"ms": (worker.ready - worker.started) * 1000, "cpu_ms": worker.cpu_at_ready / 1000}
    worker.stop()
    bed.drop_queue(queue, must_be_empty=not worker.hung)
    return took


def loader_note(bed):
    """What of a start is over before main(): that of a run which only says its version."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(10):
        subprocess.run([bed.program("jobfleet-echo"), "--version"], stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    each = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 100
    return ("cpu_ms: of all its processes until ready, which other load does not change; %.1f ms are "
            "spent before main(), by exec and the dynamic loader; the rest of the time is the broker's, "
            "which makes a durable queue, an exchange and a binding" % each)


def figure_start(bed, o):
    figure = Figure("start", "start: exec to READY=1", "ms", "%d starts (Celery %d), 2 children, a "
                    "new queue each" % (o.starts, min(o.starts, 3)))
    figure.measure, figure.parts = "ms", ("cpu_ms",)
    figure.aims = [Aim("jobfleet", None, "ms", 50, less=True)]
    figure.notes.append(loader_note(bed))
    in_turn(figure, o.starts, {"jobfleet": lambda: start(bed, Ours)})
    return in_turn(figure, min(o.starts, 3), with_bullmq({"Celery": lambda: start(bed, Celery)},
                                                         lambda: bullmq.start(bed)))


def trips(bed, kind, n):
    """One client, one task at a time, from send_task to the answer of get()."""
    queue = bed.new_queue()
    bed.quiet_stores()
    worker = kind(bed, queue)
    took = []
    try:
        from celery_app import app      # needs the services' URLs
        for _ in range(TRIPS_WARM_UP + n):
            began = time.perf_counter()
            app.send_task(NOOP, queue=queue).get(timeout=30)
            took.append((time.perf_counter() - began) * 1000)
    finally:
        worker.stop()
    # Celery stores a result before it acks, and leaves in between when told to stop
    bed.drop_queue(queue, must_be_empty=kind is Ours)
    took = sorted(took[TRIPS_WARM_UP:])
    return {"ms": took[len(took) // 2], "p99": took[min(len(took) - 1, len(took) * 99 // 100)]}


def figure_trip(bed, o):
    n = max(min(o.tasks // 100, 500), 20)
    figure = Figure("trip", "round trip: send_task to get() by Celery's client", "ms p50",
                    "%d one after the other, with results" % n)
    figure.measure, figure.parts = "ms", ("p99",)
    figure.aims = [Aim("jobfleet", "Celery", "ms", None, less=True)]
    return in_turn(figure, min(o.pairs, 3), {
        "jobfleet": lambda: trips(bed, Ours, n),
        "Celery": lambda: trips(bed, Celery, n)})


QUICK = ("drain", "results", "ledger", "memory-2", "start")
FIGURES = {
    "drain": figure_drain,
    "results": figure_results,
    "ledger": figure_ledger,
    "enqueue": figure_enqueue,
    "memory-2": figure_memory(2, 12),
    "memory-20": figure_memory(20, 20),
    "start": figure_start,
    "trip": figure_trip,
}
