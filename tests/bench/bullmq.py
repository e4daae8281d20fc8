# SPDX-License-Identifier: MIT
"""The yardstick BullMQ (Node, on Redis): installed by npm into a cache outside the tree. Where npm is
not reached its rows are left out, and each report says so by name.

One process a child up to the cores, each with a concurrency of CONCURRENCY over their number; jobs
are removed when done, or kept with their return value where results are asked for, as its own
documentation advises. Redis is the one that the fleet's results go to."""

import contextlib
import json
import os
import shutil
import subprocess
import time

import bed as beds
from bed import Trouble

PACKAGES = ("bullmq@6.7.0", "ioredis@5.11.1")
SCRIPT = os.path.join(beds.HERE, "bullmq.js")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                     "jobfleet-bench")
CONCURRENCY = 50
NPM_LIMIT_S = 120
state = {}


def why_absent():
    """None when it is there, else the reason in words."""
    if "why" not in state:
        state["why"] = install()
    return state["why"]


def install():
    if os.environ.get("JOBFLEET_BENCH_INSTALL") == "no" and not os.path.isdir(CACHE):
        return "it is not installed, and no test installs it"
    if not shutil.which("node") or not shutil.which("npm"):
        return "there is no npm here"
    if all(os.path.isdir(os.path.join(CACHE, "node_modules", p.split("@")[0])) for p in PACKAGES):
        return None
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "package.json"), "w") as f:
        f.write('{"private": true}\n')
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=0",
                               *PACKAGES], cwd=CACHE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=NPM_LIMIT_S)
    except subprocess.TimeoutExpired:
        return "npm does not reach the registry"
    return "npm does not install " + " ".join(PACKAGES) if done.returncode else None


def versions():
    if why_absent():
        return "BullMQ left out: " + why_absent()
    node = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return "%s, Node %s" % (", ".join(PACKAGES), node)


def environment(bed):
    at = bed.redis.connection_pool.connection_kwargs
    return dict(os.environ, BENCH_MODULES=CACHE, BENCH_REDIS="%s:%d:%d" % (
        at["host"], at["port"], at.get("db") or 0))


def tool(bed, *words):
    try:
        done = subprocess.run(["node", SCRIPT, *map(str, words)], env=environment(bed),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=beds.LIMIT_S)
    except subprocess.TimeoutExpired:
        raise Trouble("bullmq.js %s: no end within %d s" % (words[0], beds.LIMIT_S)) from None
    if done.returncode:
        raise Trouble("bullmq.js %s: %s" % (words[0], done.stderr[-500:]))
    return json.loads(done.stdout)


class Workers:
    """So many processes on one queue; go() lets them begin."""

    def __init__(self, bed, queue, children):
        self.bed, self.queue = bed, queue
        count = max(1, min(children, os.cpu_count()))
        self.started = time.monotonic()
        self.processes = [subprocess.Popen(
            ["node", SCRIPT, "work", queue, str(max(1, CONCURRENCY // count))],
            env=environment(bed), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(count)]
        for process in self.processes:
            if process.stdout.readline() != "READY\n":
                self.stop()
                raise Trouble("BullMQ is not ready")
        self.ready = time.monotonic()

    def go(self):
        for process in self.processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return time.monotonic()

    def drained(self, n, kept):
        """Until nothing waits and nothing runs; the monotonic time then."""
        key, deadline = "bull:%s:" % self.queue, time.monotonic() + beds.LIMIT_S
        while self.bed.redis.llen(key + "wait") or self.bed.redis.llen(key + "active"):
            if time.monotonic() > deadline:
                raise Trouble("BullMQ does not end")
            time.sleep(0.003)
        end = time.monotonic()
        if kept and self.bed.redis.zcard(key + "completed") != n:
            raise Trouble("BullMQ did not complete %d" % n)
        return end

    def pss_mib(self):
        return sum(beds.pss_kib(p) for process in self.processes
                   for p in beds.tree(process.pid)) / 1024

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()


@contextlib.contextmanager
def working(bed, children=2):
    queue = bed.new_queue()
    bed.quiet_stores()
    workers = Workers(bed, queue, children)
    try:
        workers.go()
        yield workers
    finally:
        workers.stop()


def drain(bed, n, size, children, results):
    queue = bed.new_queue()
    bed.quiet_stores()
    tool(bed, "fill", queue, n, size, "keep" if results else "drop")
    workers = Workers(bed, queue, children)
    try:
        began = workers.go()
        return {"rate": n / (workers.drained(n, results) - began)}
    finally:
        workers.stop()


def enqueue(bed, n, size):
    queue = bed.new_queue()
    bed.quiet_stores()
    return {"rate": n / tool(bed, "fill", queue, n, size, "drop")["seconds"]}


def canvas(bed, kind, n):
    with working(bed) as workers:
        tool(bed, "group", workers.queue, 10)
        return {"rate": n / tool(bed, kind, workers.queue, n)["seconds"]}


def stamps(bed, n, work_ms, rate):
    with working(bed) as workers:
        tool(bed, "group", workers.queue, 10)
        return tool(bed, "stamps", workers.queue, n, work_ms, rate)


def start(bed):
    workers = Workers(bed, bed.new_queue(), 1)
    workers.stop()
    return {"ms": (workers.ready - workers.started) * 1000}


def memory(bed, children, n):
    """At rest after n jobs that left their return values in Redis; without PostgreSQL."""
    queue = bed.new_queue()
    bed.quiet_stores()
    tool(bed, "fill", queue, n, 0, "keep")
    workers = Workers(bed, queue, children)
    try:
        workers.go()
        workers.drained(n, True)
        time.sleep(1)
        return {"pss": workers.pss_mib()}
    finally:
        workers.stop()
