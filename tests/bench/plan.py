# SPDX-License-Identifier: MIT
"""How long a run will take: the seconds of each figure in times.json, of a full and of a quick run, on a
quiet machine of two cores: reckoned from single runs until --keep-times writes what a whole one took.
Other sizes have no estimate."""

import json
import os
import textwrap
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TIMES = os.path.join(HERE, "times.json")
UNKNOWN_S = 60          # of a figure that no run has timed


def read():
    if not os.path.exists(TIMES):
        return {}
    with open(TIMES, encoding="utf-8") as f:
        return json.load(f)


def minutes(seconds):
    return "%d:%02d" % divmod(round(seconds), 60)


class Plan:
    def __init__(self, names, kind, limit_s=None):
        """kind: "full" or "quick"; None: sizes of the caller's own."""
        known = read().get(kind, {})
        self.names, self.kind, self.limit_s = names, kind, limit_s
        self.seconds = {name: known.get(name, UNKNOWN_S) for name in names} if kind else {}
        self.began, self.took = time.monotonic(), {}

    def gone(self):
        return time.monotonic() - self.began

    def as_text(self):
        if not self.kind:
            return "plan: %d figures, sizes of your own" % len(self.names)
        rows = ", ".join("%s %d" % item for item in self.seconds.items())
        return "plan: %d figures, about %s min on a quiet machine of two cores; seconds: " % (
            len(self.names), minutes(sum(self.seconds.values()))) + textwrap.fill(
                rows, 98, initial_indent="", subsequent_indent="  ", break_on_hyphens=False)

    def fits(self, name):
        return not self.limit_s or self.gone() + self.seconds.get(name, 0) <= self.limit_s

    def begin(self, name):
        """The line before a figure."""
        at = "[%d of %d, %s" % (self.names.index(name) + 1, len(self.names), minutes(self.gone()))
        if self.kind:
            rest = sum(s for n, s in self.seconds.items() if n not in self.took)
            at += ", about %s to go" % minutes(rest)
        return at + "] %s%s" % (name, ": about %d s" % self.seconds[name] if self.kind else "")

    def end(self, name, seconds):
        self.took[name] = round(seconds)

    def keep(self):
        """The seconds of this run become the estimates."""
        times = read()
        times[self.kind] = dict(times.get(self.kind, {}), **self.took)
        with open(TIMES, "w", encoding="utf-8") as f:
            json.dump(times, f, indent=1, sort_keys=True)
            f.write("\n")
