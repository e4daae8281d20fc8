# SPDX-License-Identifier: MIT
"""Drains and confirmed enqueues by the size of a body and the number of children. A prefetch of 600
bodies of 64 KB is more than our buffer holds (32 MiB); every contender has the same."""

import os

import bullmq
import figures
from bed import Celery, Ours
from curve import Curve
from report import Aim

BODIES = {"1k": 1024, "64k": 65536}
CHILDREN = (1, 2, 4, 16)
QUICK_CHILDREN = (2, 16)
SIZES = (0, 1024, 65536)


def count(o, size):
    """As many tasks as the bodies let: 100 MB of them, and a drain of a second at least."""
    return max(min(o.tasks // 5, 100000000 // max(size, 1)), 50)


def behind(got):
    """A rate as µs a task, and the processors' part of it."""
    if "broker" not in got:
        return None
    return {"by the clock": 1e6 / got["rate"], "worker": got["cpu"], "broker": got["broker"]}


def processors(curve):
    """What worker and broker together take of the time, which on few cores bounds every rate."""
    words = []
    for who in curve.parts:
        at = {x: curve.parts_at(who, x) for x in sorted(curve.parts[who])}
        words.append("%s %s" % (who, ", ".join("%.0f of %.0f at %d" % (
            p["worker"] + p["broker"], p["by the clock"], x) for x, p in at.items())))
    return ("µs a task on a processor, worker and broker together, of those by the clock (%d cores): %s"
            % (os.cpu_count(), "; ".join(words))) if words else ""


def contenders(bed, size, n, results):
    """{name: rate by children}"""
    few = max(n // 5, 50)
    who = {"jobfleet": lambda c: figures.drain(bed, Ours, figures.NOOP, n, results, size, c),
           "Celery": lambda c: figures.drain(bed, Celery, figures.NOOP, few, results, size, c)}
    if not results:
        who["bare"] = lambda c: figures.drain_bare(bed, figures.NOOP, n, size)
    if not bullmq.why_absent():
        who["BullMQ"] = lambda c: bullmq.drain(bed, few, size, c, results)
    return who


def grid(word, results):
    def make(bed, o):
        size = BODIES[word]
        n = count(o, size)
        curve = Curve("%s-%s" % ("results" if results else "drain", word), "drain of %s bodies by "
                      "children%s" % (word.upper() + "B", ", with results" if results else ""),
                      "children", "tasks/s", "%d no-op tasks (Celery, BullMQ %d), persistent, late "
                      "acks; %s" % (n, max(n // 5, 50), bullmq.versions()))
        curve.aims = [Aim("jobfleet", "Celery", None, 6 if results else 5),
                      Aim("jobfleet", "BullMQ", None, None)]
        if not results:
            curve.aims += [Aim("jobfleet", "bare", None, 0.85), Aim("bare", "Celery", None, None)]
            curve.notes.append("bare / Celery is the most that any worker can reach beside Celery "
                               "on this machine: broker and worker share its cores.")
        curve.notes.append(processors)
        who = contenders(bed, size, n, results)
        for pair in range(min(o.pairs, 2 if results or size > BODIES["1k"] else 3)):
            for children in QUICK_CHILDREN if o.quick else CHILDREN:
                for name in list(who)[::1 if pair % 2 == 0 else -1]:
                    got = figures.once_more(curve, name, lambda: who[name](children))
                    if got:
                        curve.add(name, children, got["rate"], behind(got))
        return curve
    return make


def figure_enqueue_size(bed, o):
    curve = Curve("enqueue-size", "confirmed enqueue by size of the arguments", "bytes",
                  "messages/s", "persistent, window 256; BullMQ adds in bulk by 500; %s"
                  % bullmq.versions())
    curve.aims = [Aim("jobfleet", "bare", None, 0.95), Aim("jobfleet", "BullMQ", None, None)]
    who = {"jobfleet": lambda n, size: figures.publish(bed, n, size, "enqueue"),
           "bare": lambda n, size: figures.publish(bed, n, size, "bare", "fill")}
    if not bullmq.why_absent():
        who["BullMQ"] = lambda n, size: bullmq.enqueue(bed, max(n // 5, 50), size)
    for pair in range(min(o.pairs, 5)):
        for size in SIZES:
            for name in list(who)[::1 if pair % 2 == 0 else -1]:
                got = figures.once_more(curve, name, lambda: who[name](count(o, size), size))
                if got:
                    curve.add(name, max(size, 2), got["rate"])
    return curve


FIGURES = {"%s-%s" % (kind, word): grid(word, kind == "results")
           for kind in ("drain", "results") for word in BODIES}
FIGURES["enqueue-size"] = figure_enqueue_size
QUICK = ("drain-1k", "enqueue-size")
