# SPDX-License-Identifier: MIT
"""How long nobody leads: three dispatchers, of which the leading one is killed, frozen, or stopped in
order, until the lease has another holder."""

import math
import os
import signal
import subprocess
import time

from bed import Ready, Trouble
from report import Aim, Figure

AIM_MS = 5000
LIMIT_S = 30
ROUNDS = 8                              # of each way
HOLDER = "SELECT holder, term FROM jobfleet.leases WHERE name = 'dispatcher'"


class Three:
    """Dispatchers by the name that stands in their lease."""

    def __init__(self, bed):
        self.bed, self.processes = bed, {}
        self.conf = os.path.join(bed.dir, "takeover.conf")
        with open(self.conf, "w") as f:
            f.write("fleet {\n\tlog_level = ERROR\n}\n")
        for name in ("one", "two", "three"):
            self.start(name)

    def start(self, name):
        ready = Ready(self.bed.dir)
        self.processes[name] = subprocess.Popen(
            [self.bed.program("jobfleet-dispatcher"), "--hostname", name + "@bench"],
            env=dict(os.environ, JOBFLEET_CONFIG=self.conf, NOTIFY_SOCKET=ready.path))
        ready.wait("the dispatcher " + name)
        ready.close()

    def leader(self, after=0):
        """(name, term) of a holder of a later term; None: nobody yet."""
        rows = self.bed.sql(HOLDER)
        if not rows or not rows[0][0] or rows[0][1] <= after:
            return None
        return rows[0][0].partition("@")[0], rows[0][1]

    def wait_leader(self, after=0):
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            found = self.leader(after)
            if found:
                return found
            time.sleep(0.005)
        raise Trouble("nobody leads after %d s" % LIMIT_S)

    def takeover(self, number):
        name, term = self.wait_leader()
        process = self.processes[name]
        began = time.monotonic()
        process.send_signal(number)
        self.wait_leader(term)
        took = (time.monotonic() - began) * 1000
        process.send_signal(signal.SIGCONT)
        if number != signal.SIGSTOP:
            process.wait(LIMIT_S)
            self.start(name)
        return {"ms": took}

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()


def tail(who):
    def say(figure):
        values = sorted(figure.values(who, "ms"))
        at = [values[math.ceil(len(values) * share) - 1] for share in (0.5, 0.99)]
        return "%s, %d times: p50 %.0f ms, p99 %.0f ms, longest %.0f ms" % (
            who, len(values), at[0], at[1], values[-1])
    return say


def figure_takeover(bed, o):
    figure = Figure("takeover", "another dispatcher leads", "ms", "three dispatchers; from the signal to "
                    "the leading one until the lease in PostgreSQL has another holder")
    ways = {"kill -9": signal.SIGKILL, "SIGSTOP": signal.SIGSTOP, "orderly stop": signal.SIGTERM}
    figure.measure = "ms"
    figure.aims = [Aim(who, None, "ms", AIM_MS, less=True) for who in ways]
    figure.notes = [tail(who) for who in ways]
    three = Three(bed)
    try:
        for _ in range(ROUNDS if o.pairs > 1 else 1):
            for who, number in ways.items():
                figure.add(who, three.takeover(number))
    finally:
        three.close()
    return figure


FIGURES = {"takeover": figure_takeover}
QUICK = ()
