# SPDX-License-Identifier: MIT
"""The dispatcher's figures: how fast the relay publishes what is due at once, beside the bare publisher
with the same messages; how late what is due at its own time leaves; and how much memory it holds with few and
with many scheduled tasks."""

import os
import subprocess
import time
from statistics import median

import bed as beds
from bed import Ready, Trouble
from figures import in_turn
from report import Aim, Figure

REST_S = 15             # memory is that of a dispatcher at rest: as long as a claim lasts
TASK = "echo.noop"
DUE, SPREAD_S = 1000, 20                # of precision: how many tasks, over how long
FEW, MANY = 1000, 100000                # of memory: scheduled tasks; 0.84 is a MiB more than 5.2
LIMIT_S = 120
INSERT = """\
INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due)
 SELECT gen_random_uuid()::text, 'enqueued', '%s', '%s', '{"lang": "sql", "retries": 0,
  "timelimit": [null, null], "argsrepr": "[]", "kwargsrepr": "{}", "origin": "sql@bench"}',
  convert_to('[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]', 'UTF8'),
  %s FROM generate_series(1, %d) AS i"""


class Dispatcher:
    def __init__(self, bed):
        path = os.path.join(bed.dir, "dispatcher.conf")
        with open(path, "w") as f:
            f.write("fleet {\n\tlog_level = WARNING\n}\n")
        ready = Ready(bed.dir)
        self.process = subprocess.Popen(
            [bed.program("jobfleet-dispatcher"), "--hostname", "dispatcher@bench"],
            env=dict(os.environ, JOBFLEET_CONFIG=path, NOTIFY_SOCKET=ready.path))
        ready.wait("the dispatcher")
        ready.close()           # nobody reads what it tells from now on

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def wait_until(what, check):
    deadline = time.monotonic() + LIMIT_S
    while not check():
        if time.monotonic() > deadline:
            raise Trouble("not within %d s: %s" % (LIMIT_S, what))
        time.sleep(0.05)


def due_rows(bed):
    """Are there any? Asked as cheaply as it can be: it takes from what is measured."""
    return bed.sql("SELECT EXISTS (SELECT FROM jobfleet.pending WHERE state = 'waiting'"
                   " AND due <= now())")[0][0]


def relay(bed, n):
    queue = bed.new_queue()
    bed.sql("TRUNCATE jobfleet.pending")
    bed.quiet_stores()
    bed.fill(queue, 1, TASK)            # declares the queue
    bed.sql(INSERT % (TASK, queue, "clock_timestamp() + interval '1 hour'", n))
    bed.sql("VACUUM ANALYZE jobfleet.pending")
    dispatcher = Dispatcher(bed)
    try:
        before = beds.cpu_us([dispatcher.process.pid])
        began = time.monotonic()
        bed.sql("UPDATE jobfleet.pending SET due = clock_timestamp()")
        due = time.monotonic()
        bed.sql("NOTIFY jobfleet_pending")
        wait_until("all are sent", lambda: not due_rows(bed))
        seconds = time.monotonic() - due
        cpu = beds.cpu_us([dispatcher.process.pid]) - before
    finally:
        dispatcher.close()
    left = bed.drop_queue(queue, must_be_empty=False)
    if left < n + 1:
        raise Trouble("%d of %d messages are in the queue" % (left, n + 1))
    return {"rate": n / seconds, "cpu": cpu / n, "update": due - began}


def bare(bed, n):
    queue = bed.new_queue()
    bed.quiet_stores()
    got = bed.fill(queue, n, TASK)
    bed.drop_queue(queue, must_be_empty=False)
    return {"rate": n / got["seconds"], "cpu": got["cpu_us"]}


def figure_relay(bed, o):
    n = 20000
    figure = Figure("relay", "due rows of jobfleet.pending published", "messages/s", "%d rows due at"
                    " once, from their commit until all are marked sent; bare publishes as many with"
                    " confirms and reads and marks nothing" % n)
    figure.aims = [Aim("jobfleet", "bare", "rate", 0.8)]
    return in_turn(figure, o.pairs, {"jobfleet": lambda: relay(bed, n),
                                     "bare": lambda: bare(bed, n)})


def precision(bed):
    queue = bed.new_queue()
    bed.sql("TRUNCATE jobfleet.pending")
    bed.fill(queue, 1, TASK)
    dispatcher, late = Dispatcher(bed), []
    connection = bed.rabbit()
    channel = connection.channel()
    channel.queue_purge(queue)

    def on_message(_channel, method, properties, _body):
        late.append((properties.headers["id"], time.time()))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(queue, on_message)
    try:
        bed.sql(INSERT % (TASK, queue, "clock_timestamp() + interval '1 s' + i * interval '%f s'"
                          % (SPREAD_S / DUE), DUE))
        due = {task_id: at for task_id, at in bed.sql(
            "SELECT task_id, extract(epoch FROM due)::float8 FROM jobfleet.pending")}
        deadline = time.monotonic() + LIMIT_S
        while len(late) < DUE:
            connection.process_data_events(0.05)
            if time.monotonic() > deadline:
                raise Trouble("%d of %d were delivered" % (len(late), DUE))
    finally:
        connection.close()
        dispatcher.close()
    bed.drop_queue(queue)
    ms = sorted(1000 * (at - due[task_id]) for task_id, at in late)
    return {"p50": median(ms), "p99": ms[len(ms) * 99 // 100], "max": ms[-1], "least": ms[0]}


def figure_precision(bed, o):
    figure = Figure("precision", "from due time to delivery", "ms", "%d tasks due over %d s, a consumer"
                    " waits" % (DUE, SPREAD_S))
    figure.measure, figure.parts = "p50", ("p99", "max", "least")
    figure.aims = [Aim("jobfleet", None, "p99", 100, less=True)]
    return in_turn(figure, 1, {"jobfleet": lambda: precision(bed)})


def memory(bed, n):
    queue = bed.new_queue()
    bed.sql("TRUNCATE jobfleet.pending")
    bed.sql(INSERT % (TASK, queue, "clock_timestamp() + interval '1 day' + i * interval '1 ms'", n))
    bed.sql("ANALYZE jobfleet.pending")
    bed.fill(queue, 1, TASK)
    dispatcher = Dispatcher(bed)
    try:
        # a round of all its duties, and a batch of what is due
        bed.sql("UPDATE jobfleet.pending SET due = now() WHERE id IN (SELECT id FROM jobfleet.pending"
                " ORDER BY id LIMIT 500)")
        bed.sql("NOTIFY jobfleet_pending")
        wait_until("a batch has left", lambda: not due_rows(bed))
        time.sleep(REST_S)
        pids = beds.tree(dispatcher.process.pid)
        pss = sum(beds.pss_kib(pid) for pid in pids)
    finally:
        dispatcher.close()
    bed.drop_queue(queue, must_be_empty=False)
    bed.sql("TRUNCATE jobfleet.pending")
    return {"pss": pss / 1024, "processes": len(pids)}


def figure_memory(bed, o):
    figure = Figure("dispatcher", "memory of the dispatcher and its children (PSS)", "MiB",
                    "%d and %d scheduled tasks; 15 s after a batch of 500 left" % (FEW, MANY))
    figure.measure, figure.parts = "pss", ("processes",)
    figure.aims = [Aim("many", None, "pss", 8, less=True), Aim("many", "few", "pss", 0.84, less=True)]
    return in_turn(figure, 1, {"few": lambda: memory(bed, FEW),
                                             "many": lambda: memory(bed, MANY)})


FIGURES = {"relay": figure_relay, "precision": figure_precision, "dispatcher": figure_memory}
QUICK = ("relay",)
