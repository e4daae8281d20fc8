# SPDX-License-Identifier: MIT
"""One test worker as a process: its zygote, keeper and children, started again whenever it ends."""

import os
import signal
import subprocess
import time

import pika
import psycopg2
import redis

LIMIT_S = 60


def wait_for(what, check, limit_s=LIMIT_S, every_s=0.01):
    """The first true answer of check(); a service that is away just now counts as no answer."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            answer = check()
        except (psycopg2.Error, redis.RedisError, pika.exceptions.AMQPError, OSError) as problem:
            answer, last = None, problem
        else:
            last = answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s (last: %r)" % (limit_s, what, last))
        time.sleep(every_s)


def stat_of(pid):
    """State and parent of a process; None when it is gone or only waits to be reaped."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (fields[0], int(fields[1]))


def offspring(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def kill(pid, sig=signal.SIGKILL):
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False


def is_keeper(pid):
    """Children offer themselves to the OOM killer, the keeper does not."""
    try:
        with open("/proc/%d/oom_score_adj" % pid) as f, open("/proc/self/oom_score_adj") as g:
            # a read beside a write may see the number twice
            return f.read().split()[:1] == g.read().split()[:1]
    except OSError:
        return False


class Worker:
    """One worker program, started again whenever it ends, as systemd would, until it is stopped."""

    def __init__(self, fleet, name, faults):
        self.fleet, self.name, self.faults = fleet, name, faults
        self.log_path = os.path.join(fleet.dir, name + ".log")
        self.order = None
        self.starts = 0
        self.process = None
        self.start()

    def start(self):
        env = dict(os.environ, JOBFLEET_CONFIG=self.fleet.conf)
        if self.order:
            env["JOBFLEET_FAULT"] = self.order
        where = os.environ["JOBFLEET_FAULTS_BIN" if self.faults else "JOBFLEET_BIN"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                getattr(self.fleet, "under", list)([os.path.join(where, "jobfleet-" + self.fleet.program),
                                  "--hostname", self.name + "@test", "--loglevel", "INFO"]),
                env=env, stdout=log, stderr=log)
        self.starts += 1

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def wait_ready(self, again=False):
        """Once is enough for a test that kills; again: this very process says so."""
        wait_for(self.name + " is ready", lambda: len(self.children()) >= self.fleet.least and (
            self.log().count("ready node=") >= (self.starts if again else 1)))

    def zygote(self):
        return (offspring(self.process.pid) or [None])[0]

    def family(self):
        """All below the parent."""
        zygote = self.zygote()
        return [zygote] + offspring(zygote) if zygote else []

    def children(self):
        return [pid for pid in self.family()[1:] if not is_keeper(pid)]

    def keeper(self):
        return next((pid for pid in self.family()[1:] if is_keeper(pid)), None)

    def tend(self):
        if self.process.poll() is not None:
            self.start()

    def kill_parent(self):
        """kill -9, and nothing of it may survive."""
        family = self.family()
        self.process.kill()
        self.process.wait()
        wait_for("no process of a killed %s survives" % self.name,
                 lambda: not [pid for pid in family if stat_of(pid)], 5)

    def stop(self, limit_s=LIMIT_S):
        """Its exit status after SIGTERM; nothing of it may be left."""
        family = self.family()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(limit_s)
        wait_for("nothing is left of %s" % self.name,
                 lambda: not [pid for pid in family if stat_of(pid)], 5)
        return status
