#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Soak: many tasks through one worker whose children are never recycled; memory and descriptors
must stay flat.

usage: tests/services/services run --fast -- tests/bench/soak.py [--tasks N] [--children N]
                                                                 [--samples N] [--json FILE]

A million short tasks by default: of ten, six without a ledger row, three with one, one with a
result. They come in portions, so that the queue is short and long in turn. After each portion
the resident memory, the private memory (USS) and the descriptors of every process of the
worker are read from /proc. The first tenth is warm-up: caches fill, code is paged in. Exit status
1 when the account does not come out: every task is done once, every ledger row is there.
"""

import argparse
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
from bed import Bed, Control, Ours, Trouble, tree     # noqa: E402

NOOP, LEDGER, RESULT = "echo.noop", "echo.noop_ledger", "echo.noop"
LIMIT_S = 1800


def kib(pid, words):
    """The sum of these lines of smaps_rollup."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        text = f.read()
    return sum(int(n) for n in re.findall(r"^(?:%s): +(\d+) kB" % words, text, re.M))


def sample(roles):
    return {"%s %d" % (role, pid): {"rss": kib(pid, "Rss"),
                                    "uss": kib(pid, "Private_Clean|Private_Dirty"),
                                    "fds": len(os.listdir("/proc/%d/fd" % pid))}
            for role, pid in roles}


def wait_for(worker, control, task_counts, started):
    while True:
        total = control.stats()["total"]
        if all(total.get(task, 0) >= n for task, n in task_counts.items()):
            return
        if worker.process.poll() is not None or time.monotonic() - started > LIMIT_S:
            raise Trouble("done so far: %s of %s\n%s" % (total, task_counts, worker.said()))
        time.sleep(0.2)


def soak(bed, args):
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.fill(queue, 1, NOOP)        # declares it
    worker = Ours(bed, queue, args.children)
    control, roles = Control(bed, worker.node), worker.roles()
    share, done, samples = args.tasks // args.samples, {NOOP: 1, LEDGER: 0}, []
    started = time.monotonic()
    for turn in range(args.samples):
        for task, part, results in (NOOP, 6, False), (LEDGER, 3, False), (RESULT, 1, True):
            bed.fill(queue, share * part // 10, task, results)
            done[task] += share * part // 10
        wait_for(worker, control, done, started)
        if len(tree(worker.process.pid)) != len(roles):
            raise Trouble("a process was replaced: %s" % worker.roles())
        samples.append(sample(roles))
        bed.redis.flushdb()
        print("%d of %d tasks, %.0f s" % (sum(done.values()), args.tasks,
                                         time.monotonic() - started), file=sys.stderr)
    seconds = time.monotonic() - started
    control.close()
    worker.stop()
    bed.drop_queue(queue)
    rows = bed.sql("SELECT count(*) FROM jobfleet.ledger")[0][0]
    if rows != done[LEDGER]:
        raise Trouble("%d ledger rows of %d tasks" % (rows, done[LEDGER]))
    return {"tasks": sum(done.values()), "seconds": round(seconds, 1), "samples": samples}


def show(figure):
    samples = figure["samples"]
    warm = samples[max(0, len(samples) // 10 - 1)]
    print("%d tasks in %.0f s; after the first tenth, and at the end:" % (figure["tasks"],
                                                                          figure["seconds"]))
    print("  %-18s %21s %21s %15s" % ("process", "resident KiB", "private KiB", "descriptors"))
    for name, last in samples[-1].items():
        print("  %-18s %9d -> %9d %9d -> %9d %6d -> %6d" % (
            name, warm[name]["rss"], last["rss"], warm[name]["uss"], last["uss"],
            warm[name]["fds"], last["fds"]))


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--tasks", type=int, default=1000000)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--json")
    args = parser.parse_args()
    default = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build/bin")
    try:
        figure = soak(Bed(os.environ.get("JOBFLEET_BIN", default)), args)
    except Trouble as trouble:
        print("soak: %s" % trouble, file=sys.stderr)
        return 1
    show(figure)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(figure, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
