# SPDX-License-Identifier: MIT
"""The fleet as one: from nothing to every program ready, and a stop under load that loses nothing."""

import contextlib
import json
import os
import subprocess
import time
import uuid

import pika

import bed as beds
import contract
from bed import Celery, Ours, Ready, Trouble
from figures import MARK, in_turn
from report import Aim, Figure

WORK_MS = 20
STOP_LIMIT_S = 60
READY_AIM_MS = 2000


def programs():
    """Every program under workers/ that is one of the fleet's processes."""
    workers = os.path.join(beds.TOP, "workers")
    return sorted(name for name in os.listdir(workers) if name not in ("ctl", "drill")
                  and os.path.exists(os.path.join(workers, name, "main.c")))


def forget(path):
    """Out of the page cache, so that the disk is read."""
    with open(path, "rb") as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Group:
    """Processes started at once; each says READY=1 on a socket of its own."""

    def __init__(self, bed, commands):
        """commands: {name: (words, environment)}"""
        self.bed, self.processes = bed, {}
        sockets = {name: Ready(bed.dir) for name in commands}
        self.log = open(os.path.join(bed.dir, "group.log"), "w+")
        self.started = time.monotonic()
        for name, (words, more) in commands.items():
            self.processes[name] = subprocess.Popen(
                words, stdout=self.log, stderr=self.log, cwd=bed.dir,
                env=dict(os.environ, NOTIFY_SOCKET=sockets[name].path, **more))
        try:
            self.ready = max(at.wait(name) for name, at in sockets.items())
        except Trouble as trouble:
            self.stop()
            self.log.seek(0)
            raise Trouble("%s\n%s" % (trouble, self.log.read()[-2000:])) from None
        finally:
            for at in sockets.values():
                at.close()

    def stop(self):
        """Seconds until all have ended."""
        began = time.monotonic()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return time.monotonic() - began


def measured(group):
    pss = sum(beds.pss_kib(pid) for process in group.processes.values()
              for pid in beds.tree(process.pid)) / 1024
    stop = group.stop()
    return {"ms": (group.ready - group.started) * 1000, "pss": pss, "stop": stop * 1000}


def cold_fleet(bed):
    commands = {}
    for name in programs():
        path = bed.program("jobfleet-" + name)
        forget(path)
        commands[name] = ([path, "--hostname", "%s@cold%s" % (name, uuid.uuid4().hex[:6])],
                          {"JOBFLEET_CONFIG": os.path.join(beds.TOP, "queues.conf"),
                           "JOBFLEET_DATA_DIR": os.path.join(bed.dir, "data")})
    return measured(Group(bed, commands))


def cold_celery(bed):
    """As many of Celery's workers, of two processes each."""
    commands = {}
    for name in programs():
        queue = bed.new_queue()
        commands[name] = (Celery.command_on(queue, 2), {
            "BENCH_QUEUE": queue, "BENCH_CONCURRENCY": "2", "PYTHONDONTWRITEBYTECODE": "1"})
    return measured(Group(bed, commands))


def figure_fleet_start(bed, o):
    figure = Figure("fleet-start", "cold start of the whole fleet to ready", "ms", "%s at once, with "
                    "the shipped queues.conf, their files out of the page cache; as many of Celery's "
                    "workers; stop: all idle, asked at once" % ", ".join(programs()))
    figure.measure, figure.parts = "ms", ("pss", "stop")
    figure.aims = [Aim("jobfleet", None, "ms", READY_AIM_MS, less=True),
                   Aim("jobfleet", "Celery", "ms", None, less=True)]
    return in_turn(figure, min(o.pairs, 5), {"jobfleet": lambda: cold_fleet(bed),
                                             "Celery": lambda: cold_celery(bed)})


# ---- a stop under load ----

def publish_marks(bed, queue, n):
    connection = bed.rabbit()
    channel = connection.channel()
    for _ in range(n):
        task_id = str(uuid.uuid4())
        channel.basic_publish(
            "", queue, json.dumps([[], {"work_ms": WORK_MS}, {}]), pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8", delivery_mode=2,
                correlation_id=task_id, headers={"lang": "py", "task": MARK, "id": task_id,
                                                 "root_id": task_id, "ignore_result": True}))
    connection.close()


def effects(bed):
    return bed.sql("SELECT count(*), count(DISTINCT task_id) FROM public.effects")[0]


def stopped_under_load(bed, kind, n):
    """Stopped by SIGTERM while n tasks wait or run, then started again until all are done."""
    queue = bed.new_queue()
    bed.quiet_stores()
    first = kind(bed, queue)
    publish_marks(bed, queue, n)
    contract.until("a third", lambda: effects(bed)[0] >= n // 3)
    began = time.monotonic()
    first.stop()
    took = time.monotonic() - began
    second = kind(bed, queue)
    try:
        with contextlib.suppress(Trouble):      # what is lost never comes
            contract.until("the rest", lambda: effects(bed)[1] >= n, 30)
    finally:
        second.stop()
        bed.drop_queue(queue, must_be_empty=not second.hung)
    rows, done = effects(bed)
    return {"ms": took * 1000, "lost": n - done, "twice": rows - done}


def figure_stop(bed, o):
    n = max(min(o.tasks // 50, 200), 60)
    figure = Figure("fleet-stop", "stop by SIGTERM under load", "ms", "%d tasks of %d ms that write "
                    "a row, 2 children, stopped after a third, the rest done by a new worker"
                    % (n, WORK_MS))
    figure.measure, figure.parts = "ms", ("lost", "twice")
    figure.aims = [Aim("jobfleet", "Celery", "ms", None, less=True),
                   Aim("jobfleet", None, "lost", 0, less=True),
                   Aim("jobfleet", None, "twice", 0, less=True)]
    return in_turn(figure, min(o.pairs, 3), {
        "jobfleet": lambda: stopped_under_load(bed, Ours, n),
        "Celery": lambda: stopped_under_load(bed, Celery, n)})


FIGURES = {"fleet-start": figure_fleet_start, "fleet-stop": figure_stop}
QUICK = tuple(FIGURES)
